// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package files_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/files"
	"github.com/switchback-project/switchback/internal/source/sourcetest"
)

func newFolder(t *testing.T, o files.Options, dead source.DeadLetters) source.Source {
	t.Helper()
	src, err := source.New(source.Config{Type: "files", Decode: func(v any) error {
		*v.(*files.Options) = o
		return nil
	}}, source.Services{Dead: dead, Clock: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// watch runs a drop folder in simulated time until the story has been told.
func watch(t *testing.T, dir string, dead source.DeadLetters, handle source.Handler, story func(look func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- newFolder(t, files.Options{Path: dir, Every: time.Minute}, dead).Run(ctx, handle) }()
		synctest.Wait()
		story(func() { <-time.After(time.Minute); synctest.Wait() })
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolderDeliversNewAndChangedFiles(t *testing.T) {
	dir := tree(t, map[string]string{"a.json": sourcetest.LogFile("A")})
	var in inbox
	expect := func(what string, want ...string) {
		t.Helper()
		if got := in.take(); !slices.Equal(got, want) {
			t.Errorf("%s: delivered %q, want %q", what, got, want)
		}
	}
	watch(t, dir, &sourcetest.Shelf{}, in.handle, func(look func()) {
		expect("at the start", "a.json:A")
		look()
		expect("nothing new")
		write(t, filepath.Join(dir, "b.json"), sourcetest.LogFile("B"))
		write(t, filepath.Join(dir, ".c.json"), sourcetest.LogFile("C"))
		look()
		expect("a new file", "b.json:B")
		if err := os.Rename(filepath.Join(dir, ".c.json"), filepath.Join(dir, "c.json")); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "a.json"), sourcetest.LogFile("A", "A2"))
		look()
		expect("a renamed and a longer file", "a.json:A", "a.json:A2", "c.json:C")
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		look()
		expect("the folder is gone")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "d.json"), sourcetest.LogFile("D"))
		look()
		expect("it is back", "d.json:D")
	})
}

func TestFolderPutsAsideWhatStaysBroken(t *testing.T) {
	dir := tree(t, map[string]string{"cut.json": sourcetest.LogFile("A", "B")[:150], "shape.json": "hello", "slow.json": ""})
	var in inbox
	s := &sourcetest.Shelf{}
	watch(t, dir, s, in.handle, func(look func()) {
		if len(s.Kept()) > 0 {
			t.Errorf("put aside at first sight: %+v", s.Kept())
		}
		write(t, filepath.Join(dir, "slow.json"), sourcetest.LogFile("S"))
		look()
		var got []string
		for _, d := range s.Kept() {
			_, what, _ := strings.Cut(d.Reason, ": read records: ")
			got = append(got, d.Via+" "+filepath.Base(d.From)+" "+what[:12])
		}
		if diff := cmp.Diff([]string{"files cut.json input is cut", "files shape.json not a CloudT"}, got); diff != "" {
			t.Errorf("put aside (-want +got):\n%s", diff)
		}
		look()
		if len(s.Kept()) != 2 {
			t.Errorf("put aside again: %+v", s.Kept()[2:])
		}
	})
	if got := in.take(); !slices.Contains(got, "slow.json:S") {
		t.Errorf("delivered %v", got)
	}
}

func TestFolderTriesAgain(t *testing.T) {
	dir := tree(t, map[string]string{"a.json": sourcetest.LogFile("A"), "b.json": "hello"})
	busy := errors.New("database is locked")
	s := &sourcetest.Shelf{}
	s.Refuse(errors.New("disk full"))
	tries := 0
	handle := func(context.Context, source.Delivery) error {
		tries++
		if tries < 4 {
			return busy
		}
		return nil
	}
	watch(t, dir, s, handle, func(look func()) {
		for range 3 {
			look()
		}
		if tries != 4 || len(s.Kept()) > 0 {
			t.Errorf("%d tries, dead letters %+v", tries, s.Kept())
		}
		s.Refuse(nil)
		look()
		look()
		if tries != 4 || len(s.Kept()) != 1 {
			t.Errorf("%d tries, dead letters %+v", tries, s.Kept())
		}
	})
}

func TestFolderEndsInTheMiddle(t *testing.T) {
	dir := tree(t, map[string]string{"a.json": sourcetest.LogFile("A", "B")})
	s := &sourcetest.Shelf{}
	ctx, cancel := context.WithCancel(t.Context())
	err := newFolder(t, files.Options{Path: dir}, s).Run(ctx, func(ctx context.Context, _ source.Delivery) error {
		cancel()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || len(s.Kept()) > 0 {
		t.Errorf("error %v, dead letters %+v", err, s.Kept())
	}
}

func TestFolderNeedsAPath(t *testing.T) {
	_, err := source.New(source.Config{Type: "files", Decode: func(any) error { return nil }}, source.Services{})
	if err == nil || !strings.Contains(err.Error(), "path is missing") {
		t.Errorf("error %v", err)
	}
}
