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
	Pattern      patternCommand      `cmd:"" help:"Test event patterns."`
	Statemachine statemachineCommand `cmd:"" help:"Run and check any States Language definition."`
	Pause        pauseCommand        `cmd:"" help:"Stop all mutations for a while."`
	Resume       resumeCommand       `cmd:"" help:"End a pause."`
	Deadletter   deadletterCommand   `cmd:"" help:"Events that could not be processed."`
	Ledger       ledgerCommand       `cmd:"" help:"Prove the evidence, offline."`
	IAM          iamCommand          `cmd:"" name:"iam" help:"The exact permissions that Switchback needs."`
	ConfigCmd    configCommand       `cmd:"" name:"config" help:"Check and print the configuration."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
}

// exitCode carries kong's wish to exit (after --help) out of its parser.
type exitCode int

// Main runs one command line and returns its exit status.
func Main(args []string, in io.Reader, out, errOut io.Writer) (status int) {
	defer func() {
		if code, ok := recover().(exitCode); ok {
			status = int(code)
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &streams{in, out, errOut}
	var g grammar
	parser, err := kong.New(&g, kong.Name("switchback"), kong.Description(description), kong.Writers(out, errOut),
		kong.Exit(func(code int) { panic(exitCode(code)) }), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return conclude(s, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return conclude(s, withHint(err, "switchback --help, or switchback %s --help", firstWord(args)))
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return conclude(s, command.Run(s, &g))
}

const description = `Turns CloudTrail back on when anyone turns it off, proves it, finds the human, tells them, writes the report.`

func firstWord(args []string) string {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			return a
		}
	}
	return "COMMAND"
}

// conclude prints an error as one line, and maps it to the exit status.
func conclude(s *streams, err error) int {
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errFound):
		return exitFound
	}
	fmt.Fprintf(s.err, "switchback: %s\n", oneLine(err.Error()))
	var h hinted
	if errors.As(err, &h) {
		fmt.Fprintf(s.err, "hint: %s\n", oneLine(h.hint))
	}
	return exitError
}

func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
