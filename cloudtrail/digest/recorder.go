// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Sink is where a Recorder writes. Create makes the file with this slash-separated path, and the folders above it,
// anew. Paths are clean and relative (fs.ValidPath), yet an attacker chose parts of them: an implementation over a
// folder MUST use os.Root or the like.
type Sink interface {
	Create(name string) (io.WriteCloser, error)
}

// Recorder is a Fetcher that saves what another one fetches in the layout that OpenEvidence reads: every object that
// was read, whole and as stored, its metadata, and every public key. Close completes it.
type Recorder struct {
	Fetcher
	sink Sink

	mu       sync.Mutex
	metadata io.WriteCloser // s3-metadata.json, once there is an entry
	keys     []PublicKey
}

var _ Fetcher = (*Recorder)(nil)

// NewRecorder records what f fetches in sink.
func NewRecorder(f Fetcher, sink Sink) *Recorder { return &Recorder{Fetcher: f, sink: sink} }

// PublicKeys records the keys with the region, which ListPublicKeys does not say.
func (r *Recorder) PublicKeys(ctx context.Context, region string, from, to time.Time) ([]PublicKey, error) {
	keys, err := r.Fetcher.PublicKeys(ctx, region, from, to)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range keys {
		k.Region = region
		isKnown := slices.ContainsFunc(r.keys, func(o PublicKey) bool {
			return o.Region == region && o.Fingerprint == k.Fingerprint && slices.Equal(o.Value, k.Value)
		})
		if !isKnown {
			r.keys = append(r.keys, k)
		}
	}
	return keys, nil
}

// Get saves the object while it is read. One that cannot be saved cannot be read either: evidence that is silently
// incomplete is none.
func (r *Recorder) Get(ctx context.Context, bucket, key string) (*Object, error) {
	name := evidenceName(bucket, key)
	object, err := r.Fetcher.Get(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, errors.Join(fmt.Errorf("save s3://%s/%.200q: its key cannot be a file name", bucket, key), object.Body.Close())
	}
	file, err := r.sink.Create(name)
	if err == nil {
		err = r.saveMetadata(metadataEntry{bucket, key, object.Metadata})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("save s3://%s/%s: %w", bucket, key, err), object.Body.Close())
	}
	object.Body = &recordedBody{body: object.Body, file: file}
	return object, nil
}

func (r *Recorder) saveMetadata(entry metadataEntry) error {
	if len(entry.Metadata) == 0 {
		return nil
	}
	data, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.append(data)
}

// append writes one entry. The file is one JSON array, as in every evidence folder, written as it grows.
func (r *Recorder) append(data []byte) error {
	separator := ",\n "
	if r.metadata == nil {
		file, err := r.sink.Create(EvidenceMetadata)
		if err != nil {
			return err
		}
		r.metadata, separator = file, "[\n "
	}
	_, err := r.metadata.Write(append([]byte(separator), data...))
	return err
}

// Close writes the public keys and completes the metadata. The objects are complete when their readers closed them.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.closeMetadata(), r.saveKeys())
}

func (r *Recorder) closeMetadata() error {
	end := "\n]\n"
	if r.metadata == nil {
		file, err := r.sink.Create(EvidenceMetadata)
		if err != nil {
			return err
		}
		r.metadata, end = file, "[]\n"
	}
	_, err := io.WriteString(r.metadata, end)
	return errors.Join(err, r.metadata.Close())
}

func (r *Recorder) saveKeys() error {
	data, err := FormatPublicKeys(r.keys)
	if err != nil {
		return err
	}
	file, err := r.sink.Create(EvidencePublicKeys)
	if err != nil {
		return err
	}
	_, err = file.Write(append(data, '\n'))
	return errors.Join(err, file.Close())
}

// recordedBody copies what is read. Its Close saves the rest too, which a reader that saw enough left unread.
type recordedBody struct {
	body io.ReadCloser
	file io.WriteCloser
	end  error
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if _, writeErr := b.file.Write(p[:n]); writeErr != nil {
		b.end = fmt.Errorf("save object: %w", writeErr)
		return n, b.end
	}
	b.end = err
	return n, err
}

func (b *recordedBody) Close() error {
	var err error
	if b.end == nil {
		_, err = io.Copy(b.file, b.body)
	}
	return errors.Join(err, b.file.Close(), b.body.Close())
}
