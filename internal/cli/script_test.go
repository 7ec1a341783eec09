// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what came as the new expectation into goldens and scripts")

// TestScripts plays testdata/script/*.txtar. Some commands are ours: "switchback ARGS… [< FILE]" runs the command line in
// this process, so files are named by $WORK; "status N" compares the exit status of the last one; "gzip FILE" makes
// FILE.gz, "cut FILE N" takes N bytes off its end, "inflating FILE N" makes a gzip file of N MB of nothing, "expand FILE"
// writes the script's folder for $WORK in it.
func TestScripts(t *testing.T) {
	const dir = "testdata/script"
	if files, err := filepath.Glob(filepath.Join(dir, "*.txtar")); err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           dir,
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Values[statusKey{}] = new(int)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"switchback": scriptMain, "status": scriptStatus, "gzip": scriptGzip, "cut": scriptCut, "inflating": scriptInflating, "expand": scriptExpand,
		},
	})
}

// statusKey is where a script keeps the last exit status.
type statusKey struct{}

func scriptMain(ts *testscript.TestScript, neg bool, args []string) {
	var in io.Reader = bytes.NewReader(nil)
	if n := len(args); n > 2 && args[n-2] == "<" {
		in, args = bytes.NewReader([]byte(ts.ReadFile(args[n-1]))), args[:n-2]
	}
	status := Main(args, in, ts.Stdout(), ts.Stderr())
	*ts.Value(statusKey{}).(*int) = status
	if neg != (status != exitFine) {
		ts.Fatalf("exit status %d", status)
	}
}

func scriptStatus(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: status N")
	}
	if got := strconv.Itoa(*ts.Value(statusKey{}).(*int)); got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

func scriptGzip(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: gzip FILE")
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := io.WriteString(w, ts.ReadFile(args[0]))
	ts.Check(errors.Join(err, w.Close(), os.WriteFile(ts.MkAbs(args[0])+".gz", packed.Bytes(), 0o600)))
}

func scriptCut(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: cut FILE BYTES")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	text := ts.ReadFile(args[0])
	if n >= len(text) {
		ts.Fatalf("%s has only %d bytes", args[0], len(text))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text[:len(text)-n]), 0o600))
}

// scriptInflating makes a log file of which one record never ends.
func scriptInflating(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: inflating FILE MEGABYTES")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	w := gzip.NewWriter(f)
	_, err = io.WriteString(w, `{"Records":[{"eventName":"`)
	megabyte := bytes.Repeat([]byte("a"), 1<<20)
	for range n {
		_, e := w.Write(megabyte)
		err = errors.Join(err, e)
	}
	ts.Check(errors.Join(err, w.Close(), f.Close()))
}

func scriptExpand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "$WORK", ts.Getenv("WORK"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
