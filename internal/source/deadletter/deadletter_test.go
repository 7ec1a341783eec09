// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/deadletter"
)

func at(minute int) time.Time { return time.Date(2026, 5, 4, 9, minute, 0, 0, time.UTC) }

func open(t *testing.T, dir string) *deadletter.Folder {
	t.Helper()
	f, err := deadletter.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, f *deadletter.Folder, all ...source.Dead) {
	t.Helper()
	for _, d := range all {
		if err := f.PutDead(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeadLettersStay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odd [name]", "dead")
	newer := source.Dead{Via: "sqs", From: "https://q", Reason: "no JSON\nat all", Body: []byte("\xff\x00<b>"), At: at(2)}
	older := source.Dead{Via: "files", From: "/drop/a.gz", Reason: "cut short", At: at(1)}
	again := newer
	again.Reason, again.At = "still no JSON", at(3)
	put(t, open(t, dir), newer, older, again)

	f := open(t, dir)
	got, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]source.Dead{older, again}, got, cmpopts.IgnoreFields(source.Dead{}, "ID"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	one, err := f.Get(got[1].ID)
	if err != nil || one.Reason != again.Reason {
		t.Errorf("Get: %+v, %v", one, err)
	}
	info, err := os.Stat(filepath.Join(dir, got[1].ID+".json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := f.Remove(got[1].ID); err != nil {
		t.Fatal(err)
	}
	if rest, err := f.List(); err != nil || len(rest) != 1 {
		t.Errorf("after Remove %d are left, %v", len(rest), err)
	}
}

func TestHostileIDs(t *testing.T) {
	f := open(t, t.TempDir())
	for _, id := range []string{"", "..", "../../etc/passwd", "0123456789abcde", "0123456789ABCDEF", "0123456789abcdef"} {
		if _, err := f.Get(id); !errors.Is(err, deadletter.ErrNotFound) {
			t.Errorf("Get %q: %v", id, err)
		}
		if err := f.Remove(id); !errors.Is(err, deadletter.ErrNotFound) {
			t.Errorf("Remove %q: %v", id, err)
		}
	}
}

func TestSizesAreCapped(t *testing.T) {
	f := open(t, t.TempDir())
	long := bytes.Repeat([]byte("x"), 3<<20)
	put(t, f,
		source.Dead{Via: "sqs", From: "q", Reason: strings.Repeat("ü", 1<<20), Body: long},
		source.Dead{Via: "sqs", From: "q", Reason: "other end", Body: append(long[:len(long)-1:len(long)-1], 'y')})
	got, err := f.List()
	if err != nil || len(got) != 2 {
		t.Fatalf("%d are kept, %v", len(got), err)
	}
	for _, d := range got {
		if len(d.Body) != 1<<20 || len(d.Reason) > 9<<10 || !utf8.ValidString(d.Reason) || !strings.HasSuffix(d.Reason, "(body cut at 1048576 bytes)") {
			t.Errorf("kept %d bytes for the reason %.20q…", len(d.Body), d.Reason)
		}
	}
}

func TestListNamesWhatIsDamaged(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	put(t, f, source.Dead{Via: "sqs", From: "q", Reason: "r"})
	for name, text := range map[string]string{"0123456789abcdef.json": "{", ".put-123": "{", "notes.json": "{"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := f.List()
	if len(got) != 1 || err == nil || !strings.Contains(err.Error(), "0123456789abcdef.json") || strings.Contains(err.Error(), "notes") {
		t.Errorf("%d are listed, error %v", len(got), err)
	}
}

func TestPutDeadReportsFailure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dead")
	f := open(t, dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.PutDead(t.Context(), source.Dead{Via: "sqs"}); err == nil {
		t.Error("kept in a folder that is gone")
	}
}
