// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// memory is a Folder in memory that can die in the middle of a write.
type memory struct {
	turn  sync.Mutex // Lock
	mu    sync.Mutex
	files map[string][]byte
	// appends counts the calls of Append. When budget is not nil it is the number of bytes that may still be written
	// before the disk is gone: the write that reaches it is cut short, as by a kill.
	appends int
	budget  *int
}

var errGone = errors.New("disk is gone")

func newMemory() *memory { return &memory{files: map[string][]byte{}} }

// restarted returns the folder as the next process finds it.
func (m *memory) restarted() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	files := map[string][]byte{}
	for name, data := range m.files {
		files[name] = slices.Clone(data)
	}
	return &memory{files: files}
}

func (m *memory) Names(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files)), nil
}

func (m *memory) Read(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data[min(int(offset), len(data)):])), nil
}

func (m *memory) Create(_ context.Context, name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.files[name]; ok {
		return fs.ErrExist
	}
	m.files[name] = slices.Clone(data)
	return nil
}

func (m *memory) Append(_ context.Context, name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.appends++
	if m.budget == nil {
		m.files[name] = append(m.files[name], data...)
		return nil
	}
	n := min(*m.budget, len(data))
	*m.budget -= n
	m.files[name] = append(m.files[name], data[:n]...)
	if n < len(data) {
		return errGone
	}
	return nil
}

func (m *memory) Lock(context.Context) (func() error, error) {
	m.turn.Lock()
	return func() error { m.turn.Unlock(); return nil }, nil
}
