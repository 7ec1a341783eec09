// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Folder is a local folder as the ledger needs it: files that only grow, and a lock among processes. Its files are
// readable by their owner only.
type Folder struct {
	dir string
}

const lockName = ".lock"

// OpenFolder opens dir and makes it, mode 0700, when it is not there.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return &Folder{dir: dir}, nil
}

// path refuses names that lead out of the folder.
func (f *Folder) path(name string) (string, error) {
	if name == "" || name != filepath.Base(name) || !filepath.IsLocal(name) {
		return "", fmt.Errorf("open file %q: not a plain name", name)
	}
	return filepath.Join(f.dir, name), nil
}

// Names returns the names of the files, sorted.
func (f *Folder) Names(context.Context) ([]string, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && e.Name() != lockName {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Read opens a file from offset on.
func (f *Folder) Read(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Create makes a durable file with data, all of it or nothing; fs.ErrExist when there is one.
func (f *Folder) Create(_ context.Context, name string, data []byte) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	draft, err := os.CreateTemp(f.dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(data)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces a file that another process made meanwhile.
	if err := os.Link(draft.Name(), path); err != nil {
		return err
	}
	return f.syncNames()
}

// Append adds data to the end of a file and returns when it is durable. After an error the file is as it was, if the
// system lets us.
func (f *Folder) Append(_ context.Context, name string, data []byte) (err error) {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if _, err = file.Write(data); err == nil {
		err = file.Sync()
	}
	if err != nil {
		return errors.Join(err, file.Truncate(info.Size()))
	}
	if info.Size() == 0 {
		return f.syncNames()
	}
	return nil
}

// syncNames makes the names in the folder durable.
func (f *Folder) syncNames() error {
	dir, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Lock waits until nobody else, in this process or another, holds the folder's lock. The system releases it when the
// process dies.
func (f *Folder) Lock(context.Context) (unlock func() error, err error) {
	file, err := os.OpenFile(filepath.Join(f.dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock folder: %w", err), file.Close())
	}
	return file.Close, nil
}
