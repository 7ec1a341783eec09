// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Local is a folder of the file system as a source: keys are paths below it, with slashes. Links out of the folder are
// not followed, and nothing outside of it can be named.
type Local struct {
	root *os.Root
	dir  string
}

var _ Source = (*Local)(nil)

// OpenLocal opens a folder. Close it.
func OpenLocal(dir string) (*Local, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open folder: %w: %w", ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return &Local{root: root, dir: dir}, nil
}

// Close releases the folder.
func (l *Local) Close() error { return l.root.Close() }

// List implements Source. Only the folder that prefix names is walked. The keys are collected before the first is
// yielded, since their order is not that of a walk: "a.gz" sorts before "a/b".
func (l *Local) List(ctx context.Context, prefix, startAfter string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		found, err := l.walk(ctx, prefix, startAfter)
		if err != nil {
			yield(Object{}, fmt.Errorf("list %s: %w", l.URL(prefix), err))
			return
		}
		for _, o := range found {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func (l *Local) walk(ctx context.Context, prefix, startAfter string) ([]Object, error) {
	var found []Object
	start := path.Clean(path.Dir(prefix + "x"))
	err := fs.WalkDir(l.root.FS(), start, func(key string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && key == start:
			return fs.SkipAll // S3 has no folders: a prefix that nothing begins with is an empty list
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !d.Type().IsRegular() || !strings.HasPrefix(key, prefix) || key <= startAfter:
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		found = append(found, Object{Key: key, Size: info.Size(), ModifiedAt: info.ModTime().UTC()})
		return nil
	})
	slices.SortFunc(found, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
	return found, err
}

// Folders implements Source.
func (l *Local) Folders(ctx context.Context, prefix string) ([]string, error) {
	var out []string
	for o, err := range l.List(ctx, prefix, "") {
		if err != nil {
			return nil, err
		}
		if folder, _, ok := strings.Cut(o.Key[len(prefix):], "/"); ok {
			out = append(out, prefix+folder+"/")
		}
	}
	return slices.Compact(out), nil
}

// Open implements Source.
func (l *Local) Open(_ context.Context, key string) (io.ReadCloser, error) {
	f, err := l.root.Open(filepath.FromSlash(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %w: %w", l.URL(key), ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", l.URL(key), err)
	}
	return f, nil
}

// URL implements Source.
func (l *Local) URL(key string) string { return filepath.Join(l.dir, filepath.FromSlash(key)) }
