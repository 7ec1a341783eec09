// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/switchback-project/switchback/cloudtrail/digest"
)

// ErrNotEmpty says that evidence is not written beside something else.
var ErrNotEmpty = errors.New("the folder is not empty")

// Evidence is a local folder that copies of objects are written into. Keys that an attacker chose cannot lead out of it.
// Its files are readable by their owner only.
type Evidence struct{ root *os.Root }

var _ digest.Sink = (*Evidence)(nil)

// CreateEvidence makes the folder dir, which MUST be new or empty: else it fails with ErrNotEmpty.
func CreateEvidence(dir string) (*Evidence, error) {
	e, err := OpenEvidence(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = ErrNotEmpty
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create evidence in %s: %w", dir, err), e.Close())
	}
	return e, nil
}

// OpenEvidence opens the folder dir, and makes it when it is not there.
func OpenEvidence(dir string) (*Evidence, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open evidence folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open evidence folder: %w", err)
	}
	return &Evidence{root}, nil
}

// Create implements digest.Sink.
func (e *Evidence) Create(name string) (io.WriteCloser, error) {
	if err := e.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, err
	}
	return e.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
}

// Resume opens the file name to go on after its first size bytes; what a broken-off attempt wrote behind them is cut off. A
// file that is shorter is refused: what was in it is lost.
func (e *Evidence) Resume(name string, size int64) (*os.File, error) {
	if err := e.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, err
	}
	file, err := e.root.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	end, err := file.Seek(0, io.SeekEnd)
	if err == nil && end < size {
		err = fmt.Errorf("go on with %s: it has %d bytes, want at least %d", name, end, size)
	}
	if err == nil {
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = file.Seek(size, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Close closes the folder, not the files made in it.
func (e *Evidence) Close() error { return e.root.Close() }
