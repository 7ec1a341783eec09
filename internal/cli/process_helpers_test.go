// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/incident"
)

// childVariable makes a process of the test binary something else than the tests: the command line, or a daemon that
// kills itself.
const childVariable = "SWITCHBACK_TEST_CHILD"

const (
	childMain   = "main"
	childMortal = "mortal"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case childMain:
		go endWithParent()
		os.Exit(Main(os.Args[1:], strings.NewReader(""), os.Stdout, os.Stderr))
	case childMortal:
		go endWithParent()
		os.Exit(mortalMain(os.Args[1]))
	}
	os.Exit(gatetest.Main(m))
}

// endWithParent ends a child whose parent was killed: the parent holds the other end of its standard input.
func endWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it
	os.Exit(exitError)
}

// process is a child.
type process struct {
	t        testing.TB
	cmd      *exec.Cmd
	stdin    io.Closer
	out, err output
	ended    chan struct{}
}

// output is what a child says; it may be read while it goes on.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startChild starts a child of the test binary. It is killed at the end of the test, by its own id, if it still runs.
func startChild(t testing.TB, kind string, environment []string, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(exe, args...), ended: make(chan struct{})}
	p.cmd.Env = append(cleanEnvironment(t), append(environment, childVariable+"="+kind)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the exit status tells
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
		_ = p.stdin.Close() // it may be closed
	})
	return p
}

// cleanEnvironment has nothing of AWS and no configuration of the machine's user in it.
func cleanEnvironment(t testing.TB) []string {
	dir := t.TempDir()
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GORACE=" + os.Getenv("GORACE"), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(dir, "none"),
	}
}

// hasEnded reports whether the child is gone.
func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// ready waits until serve says how it is configured: it is assembled then, has seen to what an earlier process left, and
// takes signals.
func (p *process) ready() {
	p.t.Helper()
	until(p.t, "the start of serve", func() bool {
		if p.hasEnded() {
			p.t.Fatalf("serve ended: %s", p.err.String())
		}
		return strings.Contains(p.err.String(), "mode: ")
	})
}

// wait waits for the end and returns the exit status, -1 after a signal.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(limit):
		_ = p.cmd.Process.Kill() // the failure counts
		<-p.ended
		p.t.Fatalf("the child did not end within %s; it said: %s", limit, p.err.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// end asks it to end, as a service manager does.
func (p *process) end() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
	return p.wait(30 * time.Second)
}

// wasKilled reports whether the child ended by SIGKILL.
func (p *process) wasKilled() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// switchback runs one command line in this process.
func switchback(args ...string) (status int, out, errOut string) {
	var o, e bytes.Buffer
	status = Main(args, strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

// fine runs a command that must succeed, and returns what it printed.
func fine(t testing.TB, args ...string) string {
	t.Helper()
	status, out, errOut := switchback(args...)
	if status != exitFine {
		t.Fatalf("switchback %s: exit status %d: %s%s", strings.Join(args, " "), status, out, errOut)
	}
	return out
}

// incidents asks the command line.
func incidents(t testing.TB, config string) []incident.Incident {
	t.Helper()
	var all []incident.Incident
	for d := json.NewDecoder(strings.NewReader(fine(t, "--config", config, "incident", "list", "--output", "json"))); d.More(); {
		var one incident.Incident
		if err := d.Decode(&one); err != nil {
			t.Fatalf("incident list printed no JSON: %v", err)
		}
		all = append(all, one)
	}
	return all
}

// showIncident asks the command line.
func showIncident(t testing.TB, config string, id incident.ID) shown {
	t.Helper()
	var one shown
	out := fine(t, "--config", config, "incident", "show", string(id), "--output", "json")
	if err := json.Unmarshal([]byte(out), &one); err != nil {
		t.Fatalf("incident show printed no JSON: %v", err)
	}
	return one
}

// until polls until ok, or fails with what was waited for.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if err := poll(t.Context(), ok); err != nil {
		t.Fatalf("waited for %s: %v", what, err)
	}
}

// longestWait is that of until.
const longestWait = 60 * time.Second

var errTooLong = fmt.Errorf("it is not so after %s", longestWait)

func poll(ctx context.Context, ok func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, longestWait, errTooLong)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}

// writeFile writes a file of the test and returns its path.
func writeFile(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// check ends the test on an error.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
