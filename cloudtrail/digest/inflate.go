// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

var (
	errFormat   = errors.New("not a gzip file")
	errTooLarge = errors.New("inflates beyond the limit")
)

// gzipMagic starts every gzip file: two magic bytes and the method, deflate.
var gzipMagic = []byte{0x1f, 0x8b, 0x08}

// readError is a failure of the source, not of the bytes that it gave.
type readError struct{ err error }

func (e *readError) Error() string { return fmt.Sprintf("read object: %v", e.err) }
func (e *readError) Unwrap() error { return e.err }

// sourceReader counts what was read and keeps apart the source's own failures, which the gzip reader would mix with bad
// bytes: an interrupted download MUST NOT look like a truncated file.
type sourceReader struct {
	r      io.Reader
	n      int64
	failed error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader promises io.EOF itself
		s.failed = err
	}
	return n, err
}

// inflated says what a gzip object holds.
type inflated struct {
	sum       [sha256.Size]byte // of the first member's content
	stored    int64             // bytes read, compressed
	size      int64             // bytes inflated
	trailing  bool              // bytes follow the first member
	truncated bool              // the stream ends before the member does; sum covers what was there
}

// inflater is the pooled state of one inflation: about 90 KB.
type inflater struct {
	source  sourceReader
	br      *bufio.Reader // a ByteReader, so that gzip reads nothing beyond the member
	zr      gzip.Reader
	content contentWriter
}

var inflaters = sync.Pool{New: func() any {
	return &inflater{br: bufio.NewReaderSize(nil, 32<<10), content: contentWriter{hash: sha256.New()}}
}}

// contentWriter takes what a member inflates to, straight from the gzip reader's window.
type contentWriter struct {
	hash  hash.Hash
	keep  *bytes.Buffer // may be nil
	size  int64
	limit int64
}

func (c *contentWriter) Write(p []byte) (int, error) {
	c.hash.Write(p)
	if c.keep != nil {
		c.keep.Write(p)
	}
	if c.size += int64(len(p)); c.size > c.limit {
		return 0, errTooLarge
	}
	return len(p), nil
}

// inflate reads the first gzip member of body, hashes its content and, when keep is not nil, copies it there. It never
// holds more than a buffer. Errors are errFormat, errTooLarge or a *readError.
func inflate(body io.Reader, keep *bytes.Buffer, limit int64) (inflated, error) {
	z := inflaters.Get().(*inflater)
	defer inflaters.Put(z)
	z.source = sourceReader{r: body}
	z.br.Reset(&z.source)
	z.content.hash.Reset()
	z.content = contentWriter{hash: z.content.hash, keep: keep, limit: limit}
	defer func() { z.source, z.content.keep = sourceReader{}, nil }()

	var got inflated
	err := z.member(&got)
	if err == nil && !got.truncated {
		_, peekErr := z.br.Peek(1)
		got.trailing = peekErr == nil
	}
	got.stored, got.size = z.source.n, z.content.size
	if z.source.failed != nil {
		return got, &readError{z.source.failed}
	}
	z.content.hash.Sum(got.sum[:0])
	return got, err
}

func (z *inflater) member(got *inflated) error {
	// zlib refuses other bytes at once; Go's reader would call a short file truncated.
	if head, _ := z.br.Peek(len(gzipMagic)); !bytes.HasPrefix(gzipMagic, head) {
		return errFormat
	}
	err := z.zr.Reset(z.br)
	if err == nil {
		z.zr.Multistream(false)
		_, err = z.zr.WriteTo(&z.content)
	}
	switch {
	case err == nil, errors.Is(err, errTooLarge):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		// The stream stops too early, which zlib does not mind.
		got.truncated = true
		return nil
	}
	return errFormat
}
