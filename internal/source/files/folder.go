// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/switchback-project/switchback/internal/source"
)

func init() {
	source.Register(source.Kind{Type: via, Gives: []string{"files", "cloudtrail event"}, New: New})
}

// Options are the source's entry in the configuration.
type Options struct {
	// Path is the drop folder. Whoever writes there should write under a hidden name and rename.
	Path string `yaml:"path"`
	// Every is the wait between two looks; zero is 5 s.
	Every time.Duration `yaml:"every"`
}

// Folder reads a drop folder again and again: new files, and files that have changed. A file is read at once; what is
// wrong with it counts only when it is the same at the next look, for somebody may still be writing it. What was
// delivered before is known by its event ids, so a restart reads the folder once more without effect.
type Folder struct {
	o        Options
	services source.Services
	seen     map[string]visit
}

// visit is how a file was when it was read last.
type visit struct {
	size       int64
	modifiedAt time.Time
	// done: it was delivered or put aside.
	done bool
}

func (v visit) isOf(info fs.FileInfo) bool {
	return v.size == info.Size() && v.modifiedAt.Equal(info.ModTime())
}

var _ source.Source = (*Folder)(nil)

// New reads the configuration.
func New(c source.Config, s source.Services) (source.Source, error) {
	f := &Folder{services: s, seen: map[string]visit{}}
	if err := c.Decode(&f.o); err != nil {
		return nil, err
	}
	if f.o.Path == "" {
		return nil, errors.New("path is missing")
	}
	if f.o.Every <= 0 {
		f.o.Every = 5 * time.Second
	}
	return f, nil
}

// Run looks for new and changed files until ctx is done.
func (f *Folder) Run(ctx context.Context, handle source.Handler) error {
	tick := time.NewTicker(f.o.Every)
	defer tick.Stop()
	for {
		f.look(ctx, handle)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// look reads what is new, and forgets the files that are gone.
func (f *Folder) look(ctx context.Context, handle source.Handler) {
	present := map[string]visit{}
	err := walk(f.o.Path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			f.warn(ctx, path, err)
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // taken away meanwhile
		}
		if err != nil {
			f.warn(ctx, path, err)
			return nil
		}
		before, known := f.seen[path]
		if known = known && before.isOf(info); known && before.done {
			present[path] = before
			return nil
		}
		present[path] = visit{info.Size(), info.ModTime(), f.read(ctx, path, known, handle)}
		return ctx.Err()
	})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		f.warn(ctx, f.o.Path, err)
	}
	f.seen = present
}

// read delivers one file and reports whether that is done. isUnchanged tells that it was read before, as it is now.
func (f *Folder) read(ctx context.Context, path string, isUnchanged bool, handle source.Handler) bool {
	reader := Reader{}
	err := reader.file(ctx, path, handle)
	switch {
	case err == nil:
		return true
	case ctx.Err() != nil:
		return false
	case !source.IsHopeless(err) && !source.IsCutShort(err):
		f.warn(ctx, path, err)
		return false
	case !isUnchanged:
		return false
	}
	if err := f.services.PutAside(ctx, via, path, nil, err); err != nil {
		f.warn(ctx, path, err)
		return false
	}
	return true
}

func (f *Folder) warn(ctx context.Context, path string, err error) {
	f.services.Logger.WarnContext(ctx, "read drop folder", slog.String("path", path), slog.Any("error", fmt.Errorf("it is tried again: %w", err)))
}
