// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/jsonata"
	"github.com/switchback-project/switchback/internal/standard"
)

type statemachineCommand struct {
	Run   statemachineRunCommand   `cmd:"" help:"Run a definition, in simulated time."`
	Check statemachineCheckCommand `cmd:"" help:"Would AWS take a definition?"`
}

// Help is the long help.
func (statemachineCommand) Help() string {
	return "Example:\n  switchback statemachine check order.asl.json"
}

type statemachineRunCommand struct {
	Definition string   `required:"" help:"File with the definition; - for standard input." placeholder:"FILE"`
	Input      string   `required:"" help:"File with the input, one JSON value; - for standard input." placeholder:"FILE"`
	RealTime   bool     `help:"Wait in real time; otherwise a Wait of a year takes none."`
	Tasks      []string `name:"task" sep:"none" help:"What a Task's resource returns; may be repeated." placeholder:"RESOURCE=FILE"`
	outputFlag
}

// Help is the long help.
func (statemachineRunCommand) Help() string {
	return `Runs any States Language definition to its end, as a standard workflow of Step Functions would. Nothing is kept.

Tasks of switchback: resources run in a sandbox account of their own. It holds the trails that definition and input name
by ARN in the account of the first, or else a trail "main" in account 111122223333. Any other resource needs an answer: --task RESOURCE=FILE, where
RESOURCE is the text of the definition (placeholders and suffixes too) and FILE holds the task's result, as JSON. An object of "Error" and,
if wanted, "Cause" is a failure. Several JSON values, one after another, answer one attempt each; the last one all that
follow. A --task also takes the place of the sandbox.

With --output json: {"status","output","error","cause","events"}; output is the JSON value, events are the types of the
history's events in order; output, error and cause are null where AWS gives none.

Exit status 0 for SUCCEEDED, 1 for FAILED, TIMED_OUT and ABORTED, 2 when it could not run: an invalid definition or
input, a resource without an answer.

Example:
  switchback statemachine run --definition order.asl.json --input order.json --output json
  switchback statemachine run --definition f.json --input - --task arn:...:function:Charge=charged.json < order.json`
}

// maxInputFile bounds what is read of one file; asl has its own, stricter limits of what is in it.
const maxInputFile = 16 << 20

// executionResult is the result of statemachine run.
type executionResult struct {
	Status asl.Status      `json:"status"`
	Output json.RawMessage `json:"output"`
	Error  *string         `json:"error"`
	Cause  *string         `json:"cause"`
	Events []string        `json:"events"`
}

// Run runs the definition.
func (c *statemachineRunCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	if c.Definition == standardInput && c.Input == standardInput {
		return errors.New("--definition and --input cannot both be standard input")
	}
	definition, err := readInput(s, c.Definition)
	if err != nil {
		return fmt.Errorf("read definition: %w", err)
	}
	input, err := readInput(s, c.Input)
	if err != nil {
		return fmt.Errorf("read input: %w", err)
	}
	answers, err := readAnswers(s, c.Tasks)
	if err != nil {
		return err
	}
	clock := &passing{now: time.Now().UTC().Truncate(time.Millisecond), isReal: c.RealTime}
	machine, needsSandbox, err := c.compile(definition, answers, clock)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Definition, err)
	}
	p := &play{machine: machine, clock: clock, worker: &worker{answers: answers}}
	if needsSandbox {
		if p.worker.box, err = openTaskBox(ctx, g.logger(s), clock, string(definition)+string(input)); err != nil {
			return err
		}
	}
	if err := errors.Join(p.do(ctx, input), p.worker.close(ctx)); err != nil {
		return err
	}
	return c.print(s, p)
}

// compile makes the definition ready and makes sure that every task has somebody to do it.
func (c *statemachineRunCommand) compile(definition []byte, answers answers, clock *passing) (m *asl.Machine, needsSandbox bool, err error) {
	expressions := jsonata.New(jsonata.Options{Clock: clock.Now})
	if m, err = asl.Compile(definition, asl.Options{Expressions: expressions}); err != nil {
		return nil, false, c.refused(err)
	}
	shape, err := asl.Parse(definition)
	if err != nil {
		return nil, false, err
	}
	if needsSandbox, err = answers.cover(shape); err != nil {
		return nil, false, err
	}
	for _, p := range asl.Check(definition, asl.CheckOptions{Catalog: standard.Catalog{}, Expressions: expressions}) {
		if p.Code == asl.CodeAction && !answers.covers(shape, p.Path) {
			return nil, false, c.refused(errors.New(p.String()))
		}
	}
	return m, needsSandbox, nil
}

func (c *statemachineRunCommand) refused(err error) error {
	return withHint(err, "switchback statemachine check %s lists everything", c.Definition)
}

func (c *statemachineRunCommand) print(s *streams, p *play) error {
	r := executionResult{Status: p.run.Status(), Output: p.run.Output(), Events: p.events}
	if f := p.run.Failure(); f != nil {
		r.Error, r.Cause = unlessEmpty(f.Name), unlessEmpty(f.Cause)
	}
	if err := c.printResult(s.out, r, p.clock.Now().Sub(p.run.Info().StartedAt)); err != nil {
		return err
	}
	if r.Status != asl.Succeeded {
		return errFound
	}
	return nil
}

func unlessEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (c *statemachineRunCommand) printResult(out io.Writer, r executionResult, took time.Duration) error {
	if c.isJSON() {
		return printJSON(out, r)
	}
	fmt.Fprintf(out, "%s after %s, %d events\n", r.Status, took.Round(time.Millisecond), len(r.Events))
	for _, line := range []struct {
		name string
		text *string
	}{{"error", r.Error}, {"cause", r.Cause}} {
		if line.text != nil {
			fmt.Fprintf(out, "%s: %s\n", line.name, identity.Printable(*line.text, 4000))
		}
	}
	if r.Output != nil {
		fmt.Fprintf(out, "output: %s\n", identity.Printable(string(r.Output), 2*asl.MaxDataBytes))
	}
	shown := strings.Join(r.Events[:min(len(r.Events), shownEvents)], " ")
	if rest := len(r.Events) - shownEvents; rest > 0 {
		shown += fmt.Sprintf(" and %d more", rest)
	}
	_, err := fmt.Fprintf(out, "events: %s\n", shown)
	return err
}

// shownEvents is how many events people get to see.
const shownEvents = 50

// standardInput is the file name that means standard input.
const standardInput = "-"

// readInput reads a whole file of bounded size, or standard input.
func readInput(s *streams, file string) ([]byte, error) {
	in := s.in
	if file != standardInput {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInputFile+1))
	if err == nil && len(text) > maxInputFile {
		err = fmt.Errorf("%s is larger than %d MiB", file, maxInputFile>>20)
	}
	return text, err
}

// playInfo is what the execution is told about itself.
func playInfo() asl.ExecutionInfo {
	id := func(resource string) string {
		return arn.Parts{Partition: arn.PartitionOf(demoRegion).ID, Service: "states", Region: demoRegion, AccountID: "111122223333", Resource: resource}.String()
	}
	return asl.ExecutionInfo{
		ID: id("execution:local:run"), Name: "run", StateMachineID: id("stateMachine:local"), StateMachineName: "local",
		RoleARN: arn.Parts{Partition: arn.PartitionOf(demoRegion).ID, Service: "iam", AccountID: "111122223333", Resource: "role/local"}.String(),
	}
}

type statemachineCheckCommand struct {
	File string `arg:"" help:"File with the definition; - for standard input."`
	AWS  bool   `name:"aws" help:"Refuse what only Switchback knows too: switchback: resources."`
	outputFlag
}

// Help is the long help.
func (statemachineCheckCommand) Help() string {
	return `Refuses what AWS refuses of a standard state machine, and actions of ours that do not exist, with the JSON pointer to the
fault. Placeholders that a deployment replaces, ${Name}, are accepted.

With --output json: {"valid","problems":[{"severity","code","message","location"}]}.

Exit status 0 for a valid definition, also with warnings; 1 for an invalid one; 2 when it cannot be read.

Example:
  switchback statemachine check order.asl.json --aws`
}

// checkResult is the result of statemachine check.
type checkResult struct {
	Valid    bool          `json:"valid"`
	Problems []asl.Problem `json:"problems"`
}

// Run prints the problems.
func (c *statemachineCheckCommand) Run(s *streams) error {
	definition, err := readInput(s, c.File)
	if err != nil {
		return fmt.Errorf("read definition: %w", err)
	}
	problems := asl.Check(definition, asl.CheckOptions{
		AWS: c.AWS, Catalog: standard.Catalog{}, Expressions: jsonata.New(jsonata.Options{}),
	})
	result := checkResult{Valid: !asl.HasErrors(problems), Problems: append([]asl.Problem{}, problems...)}
	if err := c.print(s.out, result); err != nil {
		return err
	}
	if !result.Valid {
		return errFound
	}
	return nil
}

func (c *statemachineCheckCommand) print(out io.Writer, r checkResult) error {
	if c.isJSON() {
		return printJSON(out, r)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(out, "%s: %s\n", c.File, identity.Printable(p.String(), 2000))
	}
	if r.Valid {
		_, err := fmt.Fprintf(out, "%s: valid\n", c.File)
		return err
	}
	return nil
}
