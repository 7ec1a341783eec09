// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"flag"
	"io"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what came as the new expectation into goldens and scripts")

// TestScripts plays testdata/script/*.txtar. Two commands are ours: "switchback ARGS… [< FILE]" runs the command line in
// this process, so files are named by $WORK; "status N" compares the exit status of the last one.
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"switchback": scriptMain, "status": scriptStatus},
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
