// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadletter keeps inputs that could not be processed in a folder, one JSON file each, until somebody looks and
// sends them back. It is no source of its own; sources put things here.
package deadletter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/switchback-project/switchback/internal/source"
)

// Bounds of what is kept of one input. An SQS message has at most 1 MiB.
const (
	maxBody   = 1 << 20
	maxReason = 8 << 10
)

// ErrNotFound is returned for an unknown id.
var ErrNotFound = errors.New("no such dead letter")

// Folder keeps dead letters in a directory.
type Folder struct{ dir string }

var _ source.DeadLetters = (*Folder)(nil)

// Open makes the directory if it is missing.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open dead letters: %w", err)
	}
	return &Folder{dir}, nil
}

// PutDead keeps d durably. The same input from the same place is kept once, with the newest reason.
func (f *Folder) PutDead(_ context.Context, d source.Dead) error {
	d.ID = idOf(d)
	if len(d.Reason) > maxReason {
		d.Reason = strings.ToValidUTF8(d.Reason[:maxReason], "") + "…"
	}
	if len(d.Body) > maxBody {
		d.Body, d.Reason = d.Body[:maxBody], fmt.Sprintf("%s (body cut at %d bytes)", d.Reason, maxBody)
	}
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("put aside: %w", err)
	}
	return f.write(d.ID, append(data, '\n'))
}

func idOf(d source.Dead) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00", d.Via, d.From)
	h.Write(d.Body)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// write puts the file in place at once: a reader never sees half of it, and it is on disk when write returns.
func (f *Folder) write(id string, data []byte) error {
	tmp, err := os.CreateTemp(f.dir, ".put-*") // mode 0600
	if err != nil {
		return fmt.Errorf("put aside: %w", err)
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), f.path(id))
	}
	if err == nil {
		err = f.syncNames()
	} else {
		err = errors.Join(err, os.Remove(tmp.Name()))
	}
	if err != nil {
		return fmt.Errorf("put aside: %w", err)
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

const suffix = ".json"

func (f *Folder) path(id string) string { return filepath.Join(f.dir, id+suffix) }

// List returns all, oldest first. The error names those that cannot be read; the others are returned all the same.
func (f *Folder) List() ([]source.Dead, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	var all []source.Dead
	var failures []error
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok || !validID.MatchString(id) {
			continue
		}
		d, err := f.Get(id)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		all = append(all, d)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].At.Before(all[j].At) })
	return all, errors.Join(failures...)
}

var validID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Get returns one, or ErrNotFound.
func (f *Folder) Get(id string) (source.Dead, error) {
	var d source.Dead
	if !validID.MatchString(id) {
		return d, fmt.Errorf("%.40q: %w", id, ErrNotFound)
	}
	data, err := os.ReadFile(f.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return d, fmt.Errorf("%s: %w", id, ErrNotFound)
	}
	if err != nil {
		return d, fmt.Errorf("read dead letter: %w", err)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("read dead letter %s: %w", f.path(id), err)
	}
	return d, nil
}

// Remove forgets one that was sent back. One that is not there is ErrNotFound.
func (f *Folder) Remove(id string) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("%.40q: %w", id, ErrNotFound)
	}
	err := os.Remove(f.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", id, ErrNotFound)
	}
	return err
}
