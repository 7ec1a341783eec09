// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package objects_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/ledger"
	"github.com/switchback-project/switchback/internal/objects"
)

var _ ledger.Folder = (*objects.Folder)(nil)

func openFolder(t testing.TB, dir string) *objects.Folder {
	t.Helper()
	folder, err := objects.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestFolderFilesGrowAndStayPrivate(t *testing.T) {
	ctx, dir := t.Context(), filepath.Join(t.TempDir(), "new", "folder")
	folder := openFolder(t, dir)
	if err := folder.Create(ctx, "key", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	if err := folder.Create(ctx, "key", []byte("other")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second Create: %v, want fs.ErrExist", err)
	}
	for _, part := range []string{"one ", "two"} {
		if err := folder.Append(ctx, "log", []byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	unlock, err := folder.Lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	names, err := folder.Names(ctx)
	if diff := cmp.Diff([]string{"key", "log"}, names); diff != "" || err != nil {
		t.Errorf("names %s, error %v", diff, err)
	}
	for name, want := range map[string]string{"key": "cret", "log": "e two"} {
		file, err := folder.Read(ctx, name, 2)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(file)
		if err := errors.Join(err, file.Close()); err != nil || string(got) != want {
			t.Errorf("%s from 2: %q, %v, want %q", name, got, err, want)
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
	if _, err := folder.Read(ctx, "none", 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading nothing: %v, want fs.ErrNotExist", err)
	}
}

func TestFolderRefusesPaths(t *testing.T) {
	folder := openFolder(t, t.TempDir())
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/etc/passwd"} {
		if err := folder.Append(t.Context(), name, []byte("x")); err == nil {
			t.Errorf("%q was written", name)
		}
	}
}

// child is the environment variable that makes the test binary append to the ledger in the folder it names.
const child = "SWITCHBACK_TEST_LEDGER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(child); dir != "" {
		if err := appendForEver(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// appendForEver acknowledges every entry on standard output, until it is killed.
func appendForEver(dir string) error {
	ctx := context.Background()
	folder, err := objects.OpenFolder(dir)
	if err != nil {
		return err
	}
	l, err := ledger.Open(ctx, folder, ledger.Options{SegmentBytes: 20_000})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		body := fmt.Sprintf(`"%d-%d"`, os.Getpid(), n)
		e := ledger.Entry{At: time.Unix(int64(n), 0), Kind: ledger.Event, Body: json.RawMessage(body)}
		if err := l.Append(ctx, e); err != nil {
			return err
		}
		fmt.Println(body)
	}
}

// TestLedgerOfTwoKilledProcesses kills two processes that append to one ledger, again and again: it stays whole and
// holds everything that was acknowledged.
func TestLedgerOfTwoKilledProcesses(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 5 {
		children := []*writer{startWriter(t, dir), startWriter(t, dir)}
		for i, w := range children {
			w.readAndKill(t, 1+(7*round+13*i)%40, acknowledged)
		}
	}
	folder := openFolder(t, dir)
	got, err := ledger.Verify(t.Context(), folder, ledger.VerifyOptions{})
	if err != nil || got.Broken != nil || got.Segments < 2 {
		t.Fatalf("verify: %+v, broken %v, error %v", got, got.Broken, err)
	}
	for e, err := range ledger.Entries(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		delete(acknowledged, string(e.Body))
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged entries are lost", len(acknowledged))
	}
}

type writer struct {
	command *exec.Cmd
	lines   *bufio.Scanner
}

func startWriter(t *testing.T, dir string) *writer {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), child+"="+dir)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return &writer{command, bufio.NewScanner(out)}
}

// readAndKill kills the process after it acknowledged n entries and notes all that it acknowledged.
func (w *writer) readAndKill(t *testing.T, n int, acknowledged map[string]bool) {
	t.Helper()
	for count := 0; w.lines.Scan(); count++ {
		acknowledged[w.lines.Text()] = true
		if count == n {
			if err := w.command.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := w.command.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Errorf("process ended by itself: %v", err)
	}
}

// BenchmarkLedger appends durable entries from 100 goroutines.
func BenchmarkLedger(b *testing.B) {
	l, err := ledger.Open(b.Context(), openFolder(b, b.TempDir()), ledger.Options{})
	if err != nil {
		b.Fatal(err)
	}
	e := ledger.Entry{At: time.Unix(1, 0), Kind: ledger.Call, Body: json.RawMessage(`{"operation":"StartLogging"}`)}
	b.SetParallelism(50)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := l.Append(b.Context(), e); err != nil {
				b.Error(err)
			}
		}
	})
}
