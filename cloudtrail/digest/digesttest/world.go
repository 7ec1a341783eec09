// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digesttest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/switchback-project/switchback/cloudtrail/digest"
)

// Object is a stored object.
type Object struct {
	Body     []byte // as stored: gzip
	Metadata map[string]string
	Modified time.Time
}

// World is buckets and public keys in memory. It is a digest.Fetcher; Put, Delete and AddKey may run beside its methods.
type World struct {
	Buckets  map[string]map[string]*Object
	Keys     map[string][]digest.PublicKey // by region
	PageSize int                           // of listings; 1000 if zero
	// Fail, if set, is asked before each request and its error is the answer. op is list, get or keys; for a listing key
	// is the prefix, for keys bucket is the region.
	Fail func(op, bucket, key string) error
	// Before, if set, runs before each request, to delay or count it.
	Before func(op string)

	mu     sync.Mutex          // guards the maps
	sorted map[string][]string // by bucket, dropped on change
}

var _ digest.Fetcher = (*World)(nil)

// NewWorld returns an empty world.
func NewWorld() *World {
	return &World{Buckets: make(map[string]map[string]*Object), Keys: make(map[string][]digest.PublicKey)}
}

// Put stores an object.
func (w *World) Put(bucket, key string, o *Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Buckets[bucket] == nil {
		w.Buckets[bucket] = make(map[string]*Object)
	}
	w.Buckets[bucket][key] = o
	w.sorted = nil
}

// Delete removes an object.
func (w *World) Delete(bucket, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.Buckets[bucket], key)
	w.sorted = nil
}

// Object returns a stored object; that it is there is taken for granted.
func (w *World) Object(bucket, key string) *Object {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.Buckets[bucket][key]
	if o == nil {
		panic("digesttest: no object s3://" + bucket + "/" + key)
	}
	return o
}

// Clone returns a world whose objects and keys can be changed without changing w. Bodies are shared.
func (w *World) Clone() *World {
	c := NewWorld()
	c.PageSize = w.PageSize
	for bucket, objects := range w.Buckets {
		c.Buckets[bucket] = make(map[string]*Object, len(objects))
		for key, o := range objects {
			c.Buckets[bucket][key] = &Object{o.Body, maps.Clone(o.Metadata), o.Modified}
		}
	}
	for region, keys := range w.Keys {
		c.Keys[region] = slices.Clone(keys)
	}
	return c
}

// AllKeys returns the keys of a bucket in ascending order.
func (w *World) AllKeys(bucket string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sorted == nil {
		w.sorted = make(map[string][]string)
	}
	if _, ok := w.sorted[bucket]; !ok {
		w.sorted[bucket] = slices.Sorted(maps.Keys(w.Buckets[bucket]))
	}
	return w.sorted[bucket]
}

func (w *World) request(op, bucket, key string) error {
	if w.Before != nil {
		w.Before(op)
	}
	if w.Fail != nil {
		return w.Fail(op, bucket, key)
	}
	return nil
}

// List implements digest.Fetcher.
func (w *World) List(_ context.Context, req digest.ListRequest) (digest.Page, error) {
	if err := w.request("list", req.Bucket, req.Prefix); err != nil {
		return digest.Page{}, err
	}
	if !w.hasBucket(req.Bucket) {
		return digest.Page{}, fmt.Errorf("list %s: no such bucket", req.Bucket)
	}
	keys := w.AllKeys(req.Bucket)
	after := max(req.StartAfter, req.Token)
	page, size := digest.Page{}, w.PageSize
	if size == 0 {
		size = 1000
	}
	for _, key := range keys[sort.SearchStrings(keys, max(after, req.Prefix)):] {
		if !strings.HasPrefix(key, req.Prefix) {
			break
		}
		folder, isFolder := commonPrefix(key, req.Prefix, req.Delimiter)
		if key <= after || isFolder && (folder <= after || slices.Contains(page.Prefixes, folder)) {
			continue
		}
		if len(page.Keys)+len(page.Prefixes) == size {
			page.Next = lastOf(page)
			break
		}
		if isFolder {
			page.Prefixes = append(page.Prefixes, folder)
			continue
		}
		page.Keys = append(page.Keys, key)
	}
	return page, nil
}

func (w *World) hasBucket(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Buckets[name] != nil
}

func commonPrefix(key, prefix, delimiter string) (string, bool) {
	if delimiter == "" {
		return "", false
	}
	head, _, ok := strings.Cut(key[len(prefix):], delimiter)
	return prefix + head + delimiter, ok
}

func lastOf(p digest.Page) string {
	last := ""
	for _, list := range [][]string{p.Keys, p.Prefixes} {
		if len(list) > 0 {
			last = max(last, list[len(list)-1])
		}
	}
	return last
}

// Get implements digest.Fetcher.
func (w *World) Get(_ context.Context, bucket, key string) (*digest.Object, error) {
	if err := w.request("get", bucket, key); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	objects, ok := w.Buckets[bucket]
	if !ok {
		return nil, fmt.Errorf("get s3://%s/%s: no such bucket", bucket, key)
	}
	o, ok := objects[key]
	if !ok {
		return nil, fmt.Errorf("get s3://%s/%s: %w", bucket, key, digest.ErrNotFound)
	}
	return &digest.Object{Body: io.NopCloser(bytes.NewReader(o.Body)), Metadata: o.Metadata}, nil
}

// PublicKeys implements digest.Fetcher.
func (w *World) PublicKeys(_ context.Context, region string, from, to time.Time) ([]digest.PublicKey, error) {
	if err := w.request("keys", region, ""); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []digest.PublicKey
	for _, k := range w.Keys[region] {
		if k.ValidIn(from, to) {
			found = append(found, k)
		}
	}
	return found, nil
}

// AddKey publishes a key in a region once.
func (w *World) AddKey(region string, k digest.PublicKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	isKnown := slices.ContainsFunc(w.Keys[region], func(o digest.PublicKey) bool { return o.Fingerprint == k.Fingerprint })
	if !isKnown {
		w.Keys[region] = append(w.Keys[region], k)
	}
}

// Gzip compresses content as CloudTrail stores it.
func Gzip(content []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(content) //nolint:errcheck // a bytes.Buffer takes everything
	z.Close()        //nolint:errcheck // as above
	return b.Bytes()
}

// Gunzip returns the content of a stored object.
func Gunzip(body []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		panic(err) // only for what Gzip made
	}
	content, err := io.ReadAll(z)
	if err != nil {
		panic(err)
	}
	return content
}
