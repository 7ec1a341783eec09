// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package files brings in events from files, folders and standard input: log files as CloudTrail writes them, JSON
// arrays, streams of records, EventBridge events, told apart by content, compressed or not. Reader reads what a person
// names, once; the source "files" of the configuration watches a drop folder.
//
// In folders, hidden files, digest files and links are passed over: a downloaded bucket has digests beside its log files,
// a half-written copy a hidden name, and a link leads anywhere.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/source"
)

// via is the type of this source.
const via = "files"

// Stdin is the path that means standard input.
const Stdin = "-"

// Reader reads paths once. Files that cannot be read whole are named in Run's error; the others go on.
type Reader struct {
	// Paths are files, folders, links to them, pipes, or "-".
	Paths []string
	// Stdin is read for the path "-".
	Stdin  io.Reader
	Limits cloudtrail.Limits
	// Progress, if set, is told of each file before it is read.
	Progress func(path string)
}

var _ source.Source = (*Reader)(nil)

// Run delivers every record of every path, in the order of the paths and of names inside folders. The error joins what
// could not be read; each part names its file.
func (r *Reader) Run(ctx context.Context, handle source.Handler) error {
	var failures []error
	for _, path := range r.Paths {
		err := r.read(ctx, path, handle)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func (r *Reader) read(ctx context.Context, path string, handle source.Handler) error {
	if path == Stdin {
		if r.Stdin == nil {
			return errors.New("read standard input: there is none")
		}
		return r.decode(ctx, "standard input", r.Stdin, handle)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if !info.IsDir() {
		return r.file(ctx, path, handle)
	}
	var failures []error
	err = walk(path, func(file string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = r.file(ctx, file, handle)
		}
		failures = append(failures, err)
		return ctx.Err()
	})
	return errors.Join(append(failures, err)...)
}

func (r *Reader) file(ctx context.Context, path string, handle source.Handler) error {
	if r.Progress != nil {
		r.Progress(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	defer f.Close()
	return r.decode(ctx, path, f, handle)
}

func (r *Reader) decode(ctx context.Context, name string, in io.Reader, handle source.Handler) error {
	return source.Decode(ctx, in, source.Origin{Via: via, From: name}, r.Limits, handle)
}

// walk visits the files under dir that may hold records, by name, and with an error what cannot be looked into. It ends
// with the first error that visit returns.
func walk(dir string, visit func(path string, entry fs.DirEntry, err error) error) error {
	// WalkDir does not follow links, but the folder that somebody names may be one.
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		named := dir + strings.TrimPrefix(path, root)
		if err != nil {
			return visit(named, entry, fmt.Errorf("read: %w", err))
		}
		isHidden := path != root && strings.HasPrefix(entry.Name(), ".")
		if isHidden && entry.IsDir() {
			return fs.SkipDir
		}
		if isHidden || !entry.Type().IsRegular() || isDigest(entry.Name()) {
			return nil
		}
		return visit(named, entry, nil)
	})
}

func isDigest(name string) bool {
	k, ok := cloudtrail.ParseObjectKey(name)
	return ok && k.Kind == cloudtrail.KindDigest
}
