// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/switchback-project/switchback/eventpattern"
)

type patternCommand struct {
	Test patternTestCommand `cmd:"" help:"Does a pattern match an event?"`
}

// Help is the long help.
func (patternCommand) Help() string {
	return "Example:\n  switchback pattern test --pattern stop.json --event event.json"
}

type patternTestCommand struct {
	Pattern string `required:"" help:"File with an EventBridge event pattern." placeholder:"FILE"`
	Event   string `help:"File with one event: prints true or false." placeholder:"FILE" xor:"input"`
	Events  string `help:"File with an event a line: prints the numbers of those that match." placeholder:"FILE" xor:"input"`
	outputFlag
}

// Help is the long help.
func (patternTestCommand) Help() string {
	return `Any JSON object is an event. Exit status 0 whether it matches or not; 2 for an invalid pattern, with AWS's reason. What
is printed, true, false or numbers, is JSON with either --output.

Example:
  switchback pattern test --pattern stop.json --event event.json
  switchback pattern test --pattern stop.json --events events.jsonl`
}

// maxEventLine bounds one event of --events.
const maxEventLine = 16 << 20

// Run prints the verdict.
func (c *patternTestCommand) Run(s *streams) error {
	text, err := os.ReadFile(c.Pattern)
	if err != nil {
		return fmt.Errorf("read pattern: %w", err)
	}
	pattern, err := eventpattern.Compile(text)
	if err != nil {
		return withHint(fmt.Errorf("%s: %w", c.Pattern, err), "EventBridge would refuse it too")
	}
	switch {
	case c.Event != "":
		return c.one(s, pattern)
	case c.Events != "":
		return c.many(s, pattern)
	}
	return withHint(errors.New("no event given"), "--event FILE for one, --events FILE for one a line")
}

func (c *patternTestCommand) one(s *streams, pattern *eventpattern.Pattern) error {
	event, err := os.ReadFile(c.Event)
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	matched, err := pattern.Match(event)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Event, err)
	}
	_, err = fmt.Fprintln(s.out, matched)
	return err
}

func (c *patternTestCommand) many(s *streams, pattern *eventpattern.Pattern) error {
	f, err := os.Open(c.Events)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	defer f.Close()
	return matchLines(s.out, f, c.Events, pattern)
}

// matchLines prints the numbers, from 1, of the lines that match. A line that is no event does not keep the others back.
func matchLines(out io.Writer, in io.Reader, name string, pattern *eventpattern.Pattern) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxEventLine)
	var faults []error
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		matched, err := pattern.Match(lines.Bytes())
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %w", name, n, err))
			continue
		}
		if !matched {
			continue
		}
		if _, err := fmt.Fprintln(out, n); err != nil {
			return err
		}
	}
	return errors.Join(append(faults, lines.Err())...)
}
