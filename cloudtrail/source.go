// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// source reads plain text and gzip members in any sequence, told apart by gzip's magic number.
type source struct {
	in *bufio.Reader
	// gz is the current member, nil in plain text.
	gz *gzip.Reader
	// plain tells that plain text has begun; it goes on until the decoder finds the magic number between values.
	plain bool
	// inflated counts the bytes that came out of all members; max bounds it, unless negative.
	inflated, max int64
}

func newSource(r io.Reader, maxInflated int64) *source {
	return &source{in: bufio.NewReader(r), max: maxInflated}
}

// gzipMagic begins each gzip member. Its first byte occurs nowhere in JSON but inside strings, where it is an error.
var gzipMagic = []byte{0x1f, 0x8b}

func (s *source) Read(b []byte) (int, error) {
	if s.gz == nil && !s.plain {
		if err := s.begin(); err != nil {
			return 0, err
		}
	}
	if s.plain {
		return s.in.Read(b)
	}
	n, err := s.gz.Read(b)
	if s.inflated += int64(n); s.max >= 0 && s.inflated > s.max {
		return 0, fmt.Errorf("%w: more than %d bytes uncompressed; raise Limits.MaxInflated if this is expected", ErrTooLarge, s.max)
	}
	if errors.Is(err, io.EOF) {
		s.gz, err = nil, nil // more members or plain text may follow
	}
	return n, gzipError(err)
}

// begin looks at what comes next.
func (s *source) begin() error {
	magic, err := s.in.Peek(len(gzipMagic))
	if !bytes.Equal(magic, gzipMagic) {
		s.plain = len(magic) > 0
		if len(magic) > 0 {
			return nil
		}
		return err
	}
	s.gz, err = gzip.NewReader(s.in)
	if err != nil {
		return gzipError(err)
	}
	s.gz.Multistream(false)
	return nil
}

// unread puts text back that turned out to be the beginning of a gzip member.
func (s *source) unread(b []byte) {
	s.in = bufio.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(b)), s.in))
	s.plain = false
}

func gzipError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ends inside a gzip member", ErrTruncated)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}
