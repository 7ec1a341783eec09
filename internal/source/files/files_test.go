// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package files_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/files"
	"github.com/switchback-project/switchback/internal/source/sourcetest"
)

func zip(t testing.TB, text string) string { return string(sourcetest.Zip(t, text)) }

// tree writes files below a new folder and returns the folder.
func tree(t testing.TB, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// inbox collects the names of delivered events with the base name of their file.
type inbox struct{ got []string }

func (in *inbox) handle(_ context.Context, d source.Delivery) error {
	in.got = append(in.got, filepath.Base(d.From)+":"+d.Envelope.Record.EventName)
	return nil
}

func (in *inbox) take() []string {
	got := in.got
	in.got = nil
	return got
}

const digestName = "111122223333_CloudTrail-Digest_eu-west-1_main_eu-west-1_20260504T101112Z.json.gz"

func TestReaderReadsWhatIsNamed(t *testing.T) {
	dir := tree(t, map[string]string{
		"b.json": sourcetest.LogFile("B"), "a.json.gz": zip(t, sourcetest.LogFile("A1", "A2")), "c/d/lines.jsonl": sourcetest.Record("D1") + "\n" + sourcetest.Record("D2"),
		"c/event.json":    `{"detail-type":"AWS API Call via CloudTrail","source":"aws.cloudtrail","detail":` + sourcetest.Record("E") + `}`,
		"c/" + digestName: zip(t, `{"awsAccountId":"111122223333"}`), ".DS_Store": "\x00\x01", ".git/config": "[core]",
		"empty/list.json": `{"Records":[]}`,
	})
	outside := tree(t, map[string]string{"out.json": sourcetest.LogFile("OUT")})
	for link, target := range map[string]string{"c/link.json": filepath.Join(outside, "out.json"), "linked": outside, "dangling": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	all := []string{"a.json.gz:A1", "a.json.gz:A2", "b.json:B", "lines.jsonl:D1", "lines.jsonl:D2", "event.json:E"}
	cases := []struct {
		name  string
		paths []string
		want  []string
	}{
		{"one file", []string{"b.json"}, []string{"b.json:B"}},
		{"in the order given", []string{"b.json", "a.json.gz"}, []string{"b.json:B", "a.json.gz:A1", "a.json.gz:A2"}},
		{"the folder, its links left out", []string{"."}, all},
		{"a link to a file", []string{"c/link.json"}, []string{"link.json:OUT"}},
		{"a link to a folder", []string{"linked"}, []string{"out.json:OUT"}},
		{"a folder without records", []string{"empty"}, nil},
		{"standard input", []string{files.Stdin}, []string{"standard input:S"}},
		{"a digest file is an error when it is named", []string{"c/" + digestName, "b.json"}, []string{"b.json:B"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var in inbox
			r := files.Reader{Stdin: strings.NewReader(sourcetest.Record("S"))}
			for _, p := range c.paths {
				if p != files.Stdin {
					p = filepath.Join(dir, p)
				}
				r.Paths = append(r.Paths, p)
			}
			err := r.Run(t.Context(), in.handle)
			if named := strings.Contains(fmt.Sprint(c.paths), digestName); (err != nil) != named {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(c.want, in.take()); diff != "" {
				t.Errorf("delivered (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReaderOfAnEmptyFolder(t *testing.T) {
	var in inbox
	r := files.Reader{Paths: []string{t.TempDir()}}
	if err := r.Run(t.Context(), in.handle); err != nil || len(in.take()) > 0 {
		t.Errorf("error %v", err)
	}
}

func TestReaderNamesFilesAsTheyWereNamed(t *testing.T) {
	dir := tree(t, map[string]string{"logs/x/a.json": sourcetest.LogFile("A")})
	link := filepath.Join(dir, "link")
	if err := os.Symlink("logs", link); err != nil {
		t.Fatal(err)
	}
	var from, progress []string
	r := files.Reader{Paths: []string{link}, Progress: func(path string) { progress = append(progress, path) }}
	err := r.Run(t.Context(), func(_ context.Context, d source.Delivery) error {
		from = append(from, d.Via+" "+d.From)
		return nil
	})
	want := filepath.Join(link, "x", "a.json")
	if err != nil || !slices.Equal(from, []string{"files " + want}) || !slices.Equal(progress, []string{want}) {
		t.Errorf("from %q, progress %q, error %v; want %q", from, progress, err, want)
	}
}

func TestReaderReadsPipes(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(pipe, []byte(sourcetest.Record("A")), 0o600) }()
	var in inbox
	r := files.Reader{Paths: []string{pipe}}
	err := r.Run(t.Context(), in.handle)
	if err := errors.Join(err, <-written); err != nil || !slices.Equal(in.take(), []string{"pipe:A"}) {
		t.Errorf("error %v", err)
	}
}

func TestReaderGoesOnBehindBrokenFiles(t *testing.T) {
	whole := zip(t, sourcetest.LogFile("A", "B"))
	damaged := []byte(whole)
	damaged[len(damaged)-6] ^= 0xff
	dir := tree(t, map[string]string{
		"1-truncated.json.gz": whole[:len(whole)-12], "2-shape.json": "level=info msg=hello", "3-object.json": `{"Users":[]}`, "4-empty.json": "",
		"5-damaged.json.gz": string(damaged), "6-one-bad.json": `{"Records":[{"eventVersion":"1.11","userIdentity":7},` + sourcetest.Record("C") + "]}",
		"7-no-identity.json": sourcetest.LogFile("D"), "8-fine.json": sourcetest.LogFile("E"),
	})
	var in inbox
	r := files.Reader{Paths: []string{filepath.Join(dir, "missing.json"), dir}}
	err := r.Run(t.Context(), in.handle)
	got := in.take()
	for _, want := range []string{"6-one-bad.json:C", "7-no-identity.json:D", "8-fine.json:E"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s was not delivered (%v)", want, got)
		}
	}
	var lines []string
	for line := range strings.SplitSeq(fmt.Sprint(err), "\n") {
		lines = append(lines, strings.ReplaceAll(line, dir+string(filepath.Separator), ""))
	}
	want := []struct {
		begins, says string
		is           error
	}{
		{"read: stat missing.json", "no such file", os.ErrNotExist},
		{"1-truncated.json.gz: ", "cut short", cloudtrail.ErrTruncated},
		{"2-shape.json: ", "not a CloudTrail record", cloudtrail.ErrShape},
		{"3-object.json: record 0", "not a CloudTrail record", cloudtrail.ErrShape},
		{"4-empty.json: ", "empty", cloudtrail.ErrShape},
		{"5-damaged.json.gz: ", "gzip data is damaged", cloudtrail.ErrCorrupt},
		{"6-one-bad.json: record 0", "userIdentity", nil},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%v", len(lines), len(want), err)
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w.begins) || !strings.Contains(lines[i], w.says) || w.is != nil && !errors.Is(err, w.is) {
			t.Errorf("line %d is %q, want %s… %s", i, lines[i], w.begins, w.says)
		}
	}
}

func TestReaderGoesOnWhenTheHandlerFails(t *testing.T) {
	dir := tree(t, map[string]string{"a.json": sourcetest.LogFile("A1", "A2"), "b.json": sourcetest.LogFile("B")})
	busy := errors.New("database is locked")
	var got []string
	err := (&files.Reader{Paths: []string{dir}}).Run(t.Context(), func(_ context.Context, d source.Delivery) error {
		got = append(got, d.Envelope.Record.EventName)
		if len(got) == 1 {
			return busy
		}
		return nil
	})
	if !errors.Is(err, busy) || !strings.Contains(err.Error(), "a.json: record 0") || !slices.Equal(got, []string{"A1", "B"}) {
		t.Errorf("delivered %v, error %v", got, err)
	}
}

func TestReaderEndsWithItsContext(t *testing.T) {
	dir := tree(t, map[string]string{"a.json": sourcetest.LogFile("A1", "A2"), "b.json": sourcetest.LogFile("B")})
	ctx, cancel := context.WithCancel(t.Context())
	count := 0
	err := (&files.Reader{Paths: []string{dir, dir}}).Run(ctx, func(context.Context, source.Delivery) error {
		count++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || count != 1 {
		t.Errorf("%d deliveries, error %v", count, err)
	}
}

func TestReaderWithoutStandardInput(t *testing.T) {
	if err := (&files.Reader{Paths: []string{files.Stdin}}).Run(t.Context(), nil); err == nil {
		t.Error("standard input was read that is not there")
	}
}

// TestReaderRefusesBombs reads a file of 5 MB that inflates to 1 GB, next to a fine one. The limit is lower than by
// default only to save time.
func TestReaderRefusesBombs(t *testing.T) {
	blank := zip(t, strings.Repeat(" ", 1<<20))
	dir := tree(t, map[string]string{
		"a.json.gz": zip(t, `{"Records":[`+sourcetest.Record("A")+",") + strings.Repeat(blank, 1<<10),
		"b.json":    sourcetest.LogFile("B"),
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var in inbox
	err := (&files.Reader{Paths: []string{dir}, Limits: cloudtrail.Limits{MaxInflated: 64 << 20}}).Run(t.Context(), in.handle)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, cloudtrail.ErrTooLarge) || !strings.Contains(err.Error(), "a.json.gz") {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff([]string{"a.json.gz:A", "b.json:B"}, in.take()); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d MB were allocated", used>>20)
	}
}
