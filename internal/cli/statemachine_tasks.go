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
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// answers are the scripts of --task by resource.
type answers map[string]*script

// script is what the attempts at a resource come to, one after the other; the last one again and again.
type script struct {
	results []json.RawMessage
	next    int
}

// readAnswers reads RESOURCE=FILE of each --task.
func readAnswers(s *streams, flags []string) (answers, error) {
	all := answers{}
	for _, flag := range flags {
		resource, file, ok := strings.Cut(flag, "=")
		if !ok || resource == "" || file == "" {
			return nil, fmt.Errorf("--task %s: want RESOURCE=FILE", flag)
		}
		if all[resource] != nil {
			return nil, withHint(fmt.Errorf("--task %s: given twice", resource), "several JSON values in one file answer one attempt each")
		}
		text, err := readInput(s, file)
		if err != nil {
			return nil, fmt.Errorf("read answers of %s: %w", resource, err)
		}
		results, err := jsonValues(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all[resource] = &script{results: results}
	}
	return all, nil
}

// jsonValues splits a stream of JSON values.
func jsonValues(text []byte) ([]json.RawMessage, error) {
	var all []json.RawMessage
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var one json.RawMessage
		err := d.Decode(&one)
		switch {
		case err == nil:
			all = append(all, one)
		case !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("at byte %d: %w", d.InputOffset(), err)
		case len(all) == 0:
			return nil, errors.New("no JSON value in it")
		default:
			return all, nil
		}
	}
}

// take returns the next result.
func (s *script) take() (json.RawMessage, error) {
	result := s.results[min(s.next, len(s.results)-1)]
	s.next++
	if failure := failureIn(result); failure != nil {
		return nil, failure
	}
	return result, nil
}

// failureIn returns the failure that {"Error": "...", "Cause": "..."} stands for. Names are compared exactly, as AWS does.
func failureIn(result json.RawMessage) *asl.Error {
	var fields map[string]any
	if json.Unmarshal(result, &fields) != nil {
		return nil // not an object
	}
	name, isFailure := fields["Error"].(string)
	cause, hasCause := fields["Cause"].(string)
	if !isFailure || len(fields) > 2 || len(fields) == 2 && !hasCause {
		return nil
	}
	return &asl.Error{Name: name, Cause: cause, EmptyName: name == "", EmptyCause: hasCause && cause == ""}
}

// cover makes sure that each task of the definition has somebody to do it, and each answer a task.
func (a answers) cover(m *asl.StateMachine) (needsSandbox bool, err error) {
	used := map[string]bool{}
	m.Walk(func(st *asl.State) bool {
		if st.Type != "Task" {
			return true
		}
		used[st.Resource] = true
		switch {
		case a[st.Resource] != nil:
		case asl.ParseResource(st.Resource).Kind == "switchback":
			needsSandbox = true
		case st.Resource == "":
			err = fmt.Errorf("state %s: its Resource is not a text", identity.Printable(st.Name, 100))
		default:
			resource := identity.Printable(st.Resource, 300)
			err = withHint(fmt.Errorf("state %s: nothing answers for %s", identity.Printable(st.Name, 100), resource),
				"--task '%s=FILE' with the result as JSON", resource)
		}
		return err == nil
	})
	if err != nil {
		return false, err
	}
	for _, resource := range sortedKeys(a) {
		if !used[resource] {
			return false, withHint(fmt.Errorf("--task %s: the definition has no such Resource", resource),
				"the text must be that of the definition, suffix and placeholders included")
		}
	}
	return needsSandbox, nil
}

// covers reports whether the state that the pointer leads into has an answer.
func (a answers) covers(m *asl.StateMachine, pointer string) (isCovered bool) {
	m.Walk(func(st *asl.State) bool {
		isCovered = a[st.Resource] != nil && (pointer == st.Path || strings.HasPrefix(pointer, st.Path+"/"))
		return !isCovered
	})
	return isCovered
}

// worker does tasks: by the answers given, else in the sandbox.
type worker struct {
	answers answers
	box     *taskBox // nil when no task needs it
}

// do returns the result of an attempt. isAnswered is false when the task was only handed over and waits for its token.
func (w *worker) do(ctx context.Context, t asl.TaskRequest) (output json.RawMessage, isAnswered bool, err error) {
	if script := w.answers[t.Resource]; script != nil {
		output, err = script.take()
		return output, true, err
	}
	output, err = w.box.do(ctx, t)
	return output, t.Token == "", err
}

func (w *worker) close(ctx context.Context) error {
	if w.box == nil {
		return nil
	}
	return w.box.close(ctx)
}

// taskBox is a sandbox account with all that actions work with, in a folder that goes with it.
type taskBox struct {
	*installation
	dir string
}

// openTaskBox builds the account. Text is searched for the ARNs of trails.
func openTaskBox(ctx context.Context, log *slog.Logger, clock *passing, text string) (*taskBox, error) {
	dir, err := os.MkdirTemp("", "switchback-statemachine-")
	if err != nil {
		return nil, fmt.Errorf("make the sandbox: %w", err)
	}
	b := &taskBox{dir: dir}
	if err := b.open(ctx, log, clock, text); err != nil {
		return nil, errors.Join(fmt.Errorf("make the sandbox: %w", err), b.close(ctx))
	}
	return b, nil
}

func (b *taskBox) open(ctx context.Context, log *slog.Logger, clock *passing, text string) error {
	box, region, err := seedTrails(ctx, clock, text)
	if err != nil {
		return err
	}
	conf := config{
		State: b.dir, Store: "sqlite", Region: region, Policy: []gate.Rule{{Mode: "act"}},
		People: []entry{{Type: contact.SourceAccount, text: []byte("{}")}}, Fallback: personConfig{Name: "Security", Email: "security@example.com"},
	}
	if b.installation, err = openInstallation(ctx, conf, log); err != nil {
		return err
	}
	b.clock, b.extra.backend = clock.Now, box
	return b.assemble(ctx, true)
}

// trailARN finds the ARNs of trails in a text.
var trailARN = regexp.MustCompile(`arn:[a-z-]+:cloudtrail:[a-z0-9-]+:[0-9]{12}:trail/[A-Za-z0-9._-]{3,128}`)

// maxSeededTrails bounds what a hostile input may have built.
const maxSeededTrails = 20

// seedTrails makes the account of the first trail that the text names, with the trails that it names there.
func seedTrails(ctx context.Context, clock *passing, text string) (box *sandbox.Sandbox, region string, err error) {
	names := trailARN.FindAllString(text, -1)
	slices.Sort(names[min(1, len(names)):])
	names = slices.Compact(names)
	seed := sandbox.Seed{Region: demoRegion}
	if len(names) > 0 {
		first, err := arn.Parse(names[0])
		if err != nil {
			return nil, "", err
		}
		seed = sandbox.Seed{Account: first.AccountID, Region: first.Region, Trail: first.Name()}
	}
	if box, err = sandbox.New(sandbox.Options{Clock: clock.Now}); err != nil {
		return nil, "", err
	}
	seeded, err := box.Seed(ctx, seed)
	if err != nil {
		return nil, "", err
	}
	for _, name := range names[:min(len(names), maxSeededTrails)] {
		// Trails of other accounts are out of reach, as they would be without a role there.
		if p, err := arn.Parse(name); err != nil || p.AccountID != seeded.Account || p.Partition != seeded.Partition {
			continue
		}
		if err := box.SeedTrail(ctx, name); err != nil {
			return nil, "", err
		}
	}
	return box, seed.Region, nil
}

// do runs the action that the task names, outside of any incident.
func (b *taskBox) do(ctx context.Context, t asl.TaskRequest) (json.RawMessage, error) {
	act, ok := action.Get(runbook.ActionOf(t.Resource))
	if !ok {
		return nil, fmt.Errorf("no action %q in this build", t.Resource)
	}
	info := act.Info()
	execution := playInfo().Name
	return act.Run(ctx, &action.Env{
		Services: b.system.Services,
		Door:     b.system.Gate.Door(gate.Scope{Execution: execution, Action: info.ID, Class: info.Class, Mode: gate.Act}),
		Incident: incident.Incident{},
		Task:     action.Task{Execution: execution, State: t.State, ID: t.ID, Visit: execution + "/" + t.State + "/" + t.ID},
	}, t.Parameters)
}

// close ends everything and removes the folder.
func (b *taskBox) close(ctx context.Context) error {
	var err error
	if b.installation != nil {
		err = b.installation.close(ctx)
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}
