// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/switchback-project/switchback/internal/notify"
)

// File is a Sink of JSON lines. It is opened for each line, so that it may be moved away at any time. It is safe for
// concurrent use, by several processes too.
type File struct {
	path string
	mu   sync.Mutex
}

var _ Sink = (*File)(nil)

var errPath = errors.New("path: want an absolute path, so that it does not depend on where we are started")

// NewFile appends to the file at path. It opens nothing.
func NewFile(path string) (*File, error) {
	if !filepath.IsAbs(path) {
		return nil, errPath
	}
	return &File{path: path}, nil
}

// Put implements Sink. The line is durable when it returns.
func (f *File) Put(_ context.Context, _ string, line []byte) (string, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.add(line); err != nil {
		return "", !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission), outcome(err)
	}
	return f.path, false, nil
}

func (f *File) add(line []byte) (err error) {
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text := append(append(make([]byte, 0, len(line)+2), line...), '\n')
	if isTorn(file) {
		text = append([]byte{'\n'}, text...)
	}
	if _, err := file.Write(text); err != nil {
		return err
	}
	return file.Sync()
}

// isTorn reports whether the last line has no end: the disk was full, and the line was tried again or given up.
func isTorn(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

func outcome(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("ocsf: %w: %w", notify.ErrGone, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("ocsf: %w: %w", notify.ErrDenied, err)
	}
	return fmt.Errorf("ocsf: %w", err)
}
