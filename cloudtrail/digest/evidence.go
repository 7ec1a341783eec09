// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Names in an evidence folder. Objects lie under s3/BUCKET/KEY, as stored.
const (
	EvidenceObjects    = "s3"
	EvidenceMetadata   = "s3-metadata.json"
	EvidencePublicKeys = "public-keys.json"
)

// evidencePage is how many keys Evidence lists at once.
const evidencePage = 10_000

// metadataEntry is one element of s3-metadata.json.
type metadataEntry struct {
	Bucket   string            `json:"bucket"`
	Key      string            `json:"key"`
	Metadata map[string]string `json:"metadata"`
}

// Evidence is a Fetcher over files saved on disk: no network, and no keys but those that were saved. An object that is
// not there counts as deleted.
type Evidence struct {
	fsys     fs.FS
	keys     []PublicKey
	metadata *metadataIndex
}

var _ Fetcher = (*Evidence)(nil)

// OpenEvidence opens an evidence folder. With keys nil it reads public-keys.json. It reads s3-metadata.json once, to
// learn where each object's entry is; the entries themselves stay on disk if fsys can read at an offset (os.DirFS can).
// A folder without s3-metadata.json is accepted: most digest files can be verified without it.
func OpenEvidence(fsys fs.FS, keys []PublicKey) (*Evidence, error) {
	if _, err := fs.Stat(fsys, EvidenceObjects); err != nil {
		return nil, fmt.Errorf("open evidence: objects are expected under %s/BUCKET/KEY: %w", EvidenceObjects, err)
	}
	if keys == nil {
		data, err := fs.ReadFile(fsys, EvidencePublicKeys)
		if err != nil {
			return nil, fmt.Errorf("open evidence: %w", err)
		}
		if keys, err = ParsePublicKeys(data); err != nil {
			return nil, fmt.Errorf("open evidence: %s: %w", EvidencePublicKeys, err)
		}
	}
	index, err := openMetadata(fsys)
	if err != nil {
		return nil, fmt.Errorf("open evidence: %s: %w", EvidenceMetadata, err)
	}
	return &Evidence{fsys, keys, index}, nil
}

// Close closes s3-metadata.json.
func (e *Evidence) Close() error { return e.metadata.close() }

// PublicKeys returns the saved keys of the region and time, and those that do not say theirs.
func (e *Evidence) PublicKeys(_ context.Context, region string, from, to time.Time) ([]PublicKey, error) {
	var found []PublicKey
	for _, k := range e.keys {
		if (k.Region == "" || k.Region == region) && k.ValidIn(from, to) {
			found = append(found, k)
		}
	}
	return found, nil
}

// Get opens a saved object.
func (e *Evidence) Get(_ context.Context, bucket, key string) (*Object, error) {
	name := evidenceName(bucket, key)
	if name == "" {
		return nil, fmt.Errorf("get s3://%s/%s: cannot be a file name: %w", bucket, key, fs.ErrInvalid)
	}
	file, err := e.fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, e.notFound(bucket, key)
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = e.notFound(bucket, key)
	}
	if err == nil {
		var meta map[string]string
		if meta, err = e.metadata.find(bucket, key); err == nil {
			return &Object{Body: file, Metadata: meta}, nil
		}
	}
	return nil, errors.Join(err, file.Close())
}

// notFound tells an object that is gone from a bucket of which nothing was saved.
func (e *Evidence) notFound(bucket, key string) error {
	if _, err := fs.Stat(e.fsys, path.Join(EvidenceObjects, bucket)); err != nil {
		return fmt.Errorf("get s3://%s/%s: nothing of this bucket was saved: %w", bucket, key, err)
	}
	return fmt.Errorf("get s3://%s/%s: %w", bucket, key, ErrNotFound)
}

// evidenceName is where an object lies, empty when its key would lead elsewhere ("..", "//") or nowhere.
func evidenceName(bucket, key string) string {
	name := EvidenceObjects + "/" + bucket + "/" + key
	if bucket == "" || strings.ContainsAny(bucket, "/\\") || strings.Contains(key, "\\") || !fs.ValidPath(name) {
		return ""
	}
	return name
}

// List lists saved objects.
func (e *Evidence) List(_ context.Context, req ListRequest) (Page, error) {
	root := path.Join(EvidenceObjects, req.Bucket)
	if evidenceName(req.Bucket, "x") == "" {
		return Page{}, fmt.Errorf("list s3://%s: cannot be a folder name: %w", req.Bucket, fs.ErrInvalid)
	}
	if _, err := fs.Stat(e.fsys, root); err != nil {
		return Page{}, fmt.Errorf("list s3://%s: nothing of this bucket was saved: %w", req.Bucket, err)
	}
	l := &evidenceLister{fsys: e.fsys, root: root, req: req, after: max(req.StartAfter, req.Token)}
	// The folder that the prefix ends in: all else need not be read.
	folder := req.Prefix[:strings.LastIndexByte(req.Prefix, '/')+1]
	err := l.folder(folder)
	if err != nil && !errors.Is(err, fs.SkipAll) {
		return Page{}, fmt.Errorf("list s3://%s/%s: %w", req.Bucket, req.Prefix, err)
	}
	return l.page, nil
}

// evidenceLister fills one page. Keys come in the order of S3, by bytes of the whole key, which is not the order of
// names in a folder: "a-b" is before "a/c".
type evidenceLister struct {
	fsys  fs.FS
	root  string
	req   ListRequest
	after string
	page  Page
}

func (l *evidenceLister) folder(folder string) error {
	entries, err := fs.ReadDir(l.fsys, path.Join(l.root, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(entries))
	for _, entry := range entries {
		key := folder + entry.Name()
		if entry.IsDir() {
			key += "/"
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := l.visit(key); err != nil {
			return err
		}
	}
	return nil
}

func (l *evidenceLister) visit(key string) error {
	isFolder := strings.HasSuffix(key, "/")
	isWithin := strings.HasPrefix(key, l.req.Prefix)
	if !isWithin && !(isFolder && strings.HasPrefix(l.req.Prefix, key)) {
		return nil
	}
	isRolled := isFolder && isWithin && l.req.Delimiter == "/" && len(key) > len(l.req.Prefix)
	if isFolder && !isRolled {
		if key+"\xff" <= l.after {
			return nil // all of it is before the page
		}
		return l.folder(key)
	}
	if key <= l.after {
		return nil
	}
	if len(l.page.Keys)+len(l.page.Prefixes) == evidencePage {
		l.page.Next = l.last()
		return fs.SkipAll
	}
	if isRolled {
		l.page.Prefixes = append(l.page.Prefixes, key)
	} else {
		l.page.Keys = append(l.page.Keys, key)
	}
	return nil
}

func (l *evidenceLister) last() string {
	last := ""
	for _, list := range [][]string{l.page.Keys, l.page.Prefixes} {
		if len(list) > 0 {
			last = max(last, list[len(list)-1])
		}
	}
	return last
}

// metadataIndex finds entries of s3-metadata.json by their offset: 16 bytes an object instead of a kilobyte.
type metadataIndex struct {
	source  io.ReaderAt
	closer  io.Closer
	seed    maphash.Seed
	offsets map[uint64][2]int64 // begin and end, by hash of bucket and key
}

func openMetadata(fsys fs.FS) (*metadataIndex, error) {
	m := &metadataIndex{seed: maphash.MakeSeed(), offsets: make(map[uint64][2]int64)}
	file, err := fsys.Open(EvidenceMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	m.closer = file
	var reader io.Reader = file
	if at, ok := file.(io.ReaderAt); ok {
		m.source = at
	} else {
		data, err := io.ReadAll(file)
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		reader, m.source = bytes.NewReader(data), bytes.NewReader(data)
	}
	if err := m.scan(json.NewDecoder(reader)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return m, nil
}

func (m *metadataIndex) scan(dec *json.Decoder) error {
	if token, err := dec.Token(); err != nil || token != json.Delim('[') {
		return fmt.Errorf("want a JSON array of {bucket, key, metadata}: %w", errors.Join(err, ErrFormat))
	}
	for n := 0; dec.More(); n++ {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		var entry metadataEntry
		if err := json.Unmarshal(raw, &entry); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		end := dec.InputOffset()
		m.offsets[m.hash(entry.Bucket, entry.Key)] = [2]int64{end - int64(len(raw)), end}
	}
	_, err := dec.Token()
	return err
}

func (m *metadataIndex) hash(bucket, key string) uint64 {
	return maphash.String(m.seed, bucket+"/"+key)
}

func (m *metadataIndex) find(bucket, key string) (map[string]string, error) {
	at, ok := m.offsets[m.hash(bucket, key)]
	if !ok {
		return nil, nil
	}
	raw := make([]byte, at[1]-at[0])
	if _, err := m.source.ReadAt(raw, at[0]); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", EvidenceMetadata, err)
	}
	var entry metadataEntry
	if err := json.Unmarshal(raw, &entry); err != nil || entry.Bucket != bucket || entry.Key != key {
		return nil, err // nil when another object has the same hash
	}
	return entry.Metadata, nil
}

func (m *metadataIndex) close() error {
	if m.closer == nil {
		return nil
	}
	return m.closer.Close()
}
