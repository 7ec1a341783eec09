// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line: one file a command. Commands read the configuration, wire what they need and print;
// decisions live on lower floors.
//
// Exit status: 0 fine; 1 looked and found something wrong; 2 could not do it (usage, input, access). One line on stderr
// says what and where, and a line "hint:" what to do next.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/switchback-project/switchback/internal/identity"
)

// version is set by the linker.
var version = "dev"

// Exit statuses.
const (
	exitFine  = 0
	exitFound = 1 // looked, and found something wrong
	exitError = 2 // could not do it
)

// errFound ends a command with status 1; what was found has been printed.
var errFound = errors.New("found something wrong")

// hinted is an error with a line that says what to do next.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

func withHint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return hinted{err, fmt.Sprintf(format, args...)}
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// grammar is the whole command line.
type grammar struct {
	Config string `help:"Configuration file (default: ./switchback.yaml, then the XDG and /etc/switchback places)." placeholder:"FILE" env:"SWITCHBACK_CONFIG"`
	State  string `help:"Folder of everything that is kept; wins over the configuration." placeholder:"DIR" env:"SWITCHBACK_STATE"`
	Log    string `help:"Level of the log on stderr: debug, info, warn, error." default:"warn" enum:"debug,info,warn,error" env:"SWITCHBACK_LOG"`

	Demo         demoCommand         `cmd:"" help:"The main job in a sandbox account: an attack, the response, the report."`
	Serve        serveCommand        `cmd:"" help:"The daemon: watch, respond, remind."`
	Replay       replayCommand       `cmd:"" help:"What would have been done about past events."`
	Runbook      runbookCommand      `cmd:"" help:"List, show, check, test and make runbooks."`
	Incident     incidentCommand     `cmd:"" help:"List and show incidents; acknowledge, undo, approve."`
	Trail        trailCommand        `cmd:"" help:"The approved state of trails and of what they depend on."`
	Pattern      patternCommand      `cmd:"" help:"Test event patterns."`
	Watch        watchCommand        `cmd:"" help:"What watching trails costs."`
	Statemachine statemachineCommand `cmd:"" help:"Run and check any States Language definition."`
	Policy       policyCommand       `cmd:"" help:"Judge resource policies: public, external, wider than before."`
	Pause        pauseCommand        `cmd:"" help:"Stop all mutations for a while."`
	Resume       resumeCommand       `cmd:"" help:"End a pause."`
	Exception    exceptionCommand    `cmd:"" help:"Planned change, which is recorded and not undone."`
	Deadletter   deadletterCommand   `cmd:"" help:"Events that could not be processed."`
	Ledger       ledgerCommand       `cmd:"" help:"Prove the evidence, offline."`
	Identity     identityCommand     `cmd:"" help:"Who was it? From an event to the human behind it."`
	ValidateLogs validateLogsCommand `cmd:"" name:"validate-logs" help:"Prove that no log file was changed, removed or slipped in."`
	IAM          iamCommand          `cmd:"" name:"iam" help:"The exact permissions that Switchback needs."`
	ConfigCmd    configCommand       `cmd:"" name:"config" help:"Check and print the configuration."`
	Completion   completionCommand   `cmd:"" help:"Complete command lines in bash, zsh or fish."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
}

// exitCode carries kong's wish to exit (after --help) out of its parser.
type exitCode int

// Main runs one command line and returns its exit status.
func Main(args []string, in io.Reader, out, errOut io.Writer) (status int) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case exitCode:
			status = int(thrown)
		default:
			panic(thrown) // a fault of ours must not end as if all were fine
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &streams{in, out, errOut}
	var g grammar
	parser, err := kong.New(&g, kong.Name("switchback"), kong.Description(description), kong.Writers(out, errOut),
		kong.Exit(func(code int) { panic(exitCode(code)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return conclude(s, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return conclude(s, withHint(err, "%s --help", understood(err)))
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return conclude(s, command.Run(s, &g))
}

const description = `Turns CloudTrail back on when anyone turns it off, proves it, finds the human, tells them, writes the report.

Example:
  switchback demo --once
  switchback replay aws:
  switchback --config switchback.yaml serve

Exit status: 0 fine; 1 looked and found something wrong; 2 could not do it.`

// understood is the command line as far as it was understood: what to ask for help about.
func understood(err error) string {
	words := "switchback"
	var fault *kong.ParseError
	if !errors.As(err, &fault) || fault.Context == nil {
		return words
	}
	for _, p := range fault.Context.Path {
		if p.Command != nil {
			words += " " + p.Command.Name
		}
	}
	return words
}

// conclude prints an error as one line, and maps it to the exit status. What could not be done weighs more than what was
// found.
func conclude(s *streams, err error) int {
	isFound := errors.Is(err, errFound)
	err = withoutFound(err)
	if err == nil && isFound {
		return exitFound
	}
	if err == nil {
		return exitFine
	}
	fmt.Fprintf(s.err, "switchback: %s\n", oneLine(err.Error()))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(s.err, "hint: %s\n", oneLine(hint))
	}
	var compatible compatibleError
	if errors.As(err, &compatible) {
		return exitAWSError
	}
	return exitError
}

// withoutFound takes errFound out of what was joined.
func withoutFound(err error) error {
	var joined interface{ Unwrap() []error }
	switch {
	case !errors.Is(err, errFound):
		return err
	case !errors.As(err, &joined):
		return nil
	}
	var rest []error
	for _, e := range joined.Unwrap() {
		rest = append(rest, withoutFound(e))
	}
	return errors.Join(rest...)
}

// hintOf is the hint closest to the cause: who knows more wrapped first.
func hintOf(err error) string {
	hint := ""
	for h := (hinted{}); errors.As(err, &h); err = h.error {
		hint = h.hint
	}
	return hint
}

// maxErrorLine bounds each part of an error: what it quotes may have been written by an attacker, and is never to move
// the cursor.
const maxErrorLine = 2000

func oneLine(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = identity.Printable(line, maxErrorLine)
	}
	return strings.Join(lines, "; ")
}
