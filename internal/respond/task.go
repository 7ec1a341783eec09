// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/runbook"
)

// Task is the engine's handler: it runs the action that a Task state names, for the incident of the execution, through
// a door of the gate that was opened for exactly this.
func (r *Responder) Task(ctx context.Context, t engine.Task) (json.RawMessage, error) {
	id := runbook.ActionOf(t.Resource)
	act, ok := action.Get(id)
	if !ok {
		return nil, &asl.Error{Name: "Switchback.NoSuchAction", Cause: fmt.Sprintf("no action %q in this build", t.Resource)}
	}
	inc, err := r.begin(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := r.tellLostCalls(ctx, inc, act.Info(), t); err != nil {
		return nil, err
	}
	env := r.env(inc, act.Info(), t)
	output, err := act.Run(ctx, env, withoutReserved(t.Parameters))
	if err != nil {
		return output, errors.Join(err, r.finish(ctx, env, t, output, err))
	}
	both, shared := errgroup.WithContext(ctx)
	both.Go(func() error { return r.putBack(shared, env, act.Info(), t, output) })
	both.Go(func() error { return r.finish(shared, env, t, output, nil) })
	return output, both.Wait()
}

// isUrgent: putting things back goes before telling and writing about it.
func isUrgent(resource string) bool {
	act, ok := action.Get(runbook.ActionOf(resource))
	return ok && (act.Info().IsChange || act.Info().IsUrgent)
}

// begin loads the incident and, at the first task of a run, notes durably that the run reads from now on.
func (r *Responder) begin(ctx context.Context, t engine.Task) (incident.Incident, error) {
	id, err := incidentOf(t)
	if err != nil {
		return incident.Incident{}, err
	}
	inc, err := r.o.Services.Store.Get(ctx, id)
	if err != nil {
		return incident.Incident{}, fmt.Errorf("load incident %s: %w", id, err)
	}
	i := slices.IndexFunc(inc.Runs, func(run incident.Run) bool { return run.Execution == t.ExecutionName })
	isLook := looksAgain(t.Resource)
	if i >= 0 && !inc.Runs[i].ActedAt.IsZero() && !(isLook && (inc.Runs[i].Covers < inc.Count || !inc.Runs[i].IsLooking)) {
		return inc, nil
	}
	return r.o.Services.Store.Update(ctx, id, func(inc *incident.Incident) error {
		for i := range inc.Runs {
			run := &inc.Runs[i]
			if run.Execution != t.ExecutionName || !run.ActedAt.IsZero() && !isLook {
				continue
			}
			if run.ActedAt.IsZero() {
				run.ActedAt = r.clock()
			}
			run.Covers, run.IsLooking = inc.Count, run.IsLooking || isLook
		}
		return nil
	})
}

// looksAgain: a task of that action looks for whatever was done until then, and its run repeats it until it ends. So what
// comes by the thousand (deleted log files) has one run at a time.
func looksAgain(resource string) bool { return runbook.ActionOf(resource) == "s3:RestoreObjects" }

// incidentOf reads the incident's id from the input of the execution, which the context object carries.
func incidentOf(t engine.Task) (incident.ID, error) {
	var c struct {
		Execution struct {
			Input struct {
				Incident incident.ID `json:"incident"`
			}
		}
	}
	if err := json.Unmarshal(t.Context, &c); err != nil {
		return "", fmt.Errorf("read context of %s: %w", t.ExecutionName, err)
	}
	if c.Execution.Input.Incident == "" {
		return "", &asl.Error{Name: "Switchback.NoIncident", Cause: "the execution's input names no incident"}
	}
	return c.Execution.Input.Incident, nil
}

func (r *Responder) env(inc incident.Incident, info action.Info, t engine.Task) *action.Env {
	return &action.Env{
		Services: r.o.Services,
		Door:     r.o.Gate.Door(r.scope(inc, info, t.ExecutionName)),
		Incident: inc,
		Task:     action.Task{Execution: t.ExecutionName, State: t.State, ID: t.ID, Visit: t.Visit},
	}
}

func (r *Responder) scope(inc incident.Incident, info action.Info, execution string) gate.Scope {
	mode, _ := r.o.Policy.Decide(gate.Subject{Runbook: inc.Key.Runbook, Account: inc.Key.Account, Class: info.Class})
	book := r.runbooks[inc.Key.Runbook]
	if mode == gate.Act && (info.NeedsApproval || book != nil && slices.Contains(book.Manifest.Human.Approve, info.ID)) {
		mode = gate.Ask
	}
	return gate.Scope{
		Incident: string(inc.ID), Execution: execution, Runbook: inc.Key.Runbook, Action: info.ID, Class: info.Class,
		Actor: actorOf(principalOf(inc)), Mode: mode,
	}
}

// finish keeps what the state found for the report, and what it could not do for whoever has to look. What ended only
// because the process ends is no failure: it is run again.
func (r *Responder) finish(ctx context.Context, env *action.Env, t engine.Task, output json.RawMessage, failure error) error {
	inc := env.Incident
	if failure == nil {
		return r.keepFinding(ctx, inc, t, output)
	}
	if ctx.Err() != nil {
		return nil
	}
	text := failureText(t.State, failure)
	if err := r.update(ctx, inc.ID, func(i *incident.Incident) { i.Open = withOpen(i.Open, t.State, text) }); err != nil {
		return err
	}
	if err := r.o.Services.Timeline.Append(ctx, incident.Entry{
		Incident: inc.ID, At: r.clock(), Kind: incident.EntryProblem, Key: "problem/" + t.Visit, Text: text,
	}); err != nil {
		return err
	}
	return r.pageFor(ctx, env, failure)
}

const couldNot = " could not be done: "

func failureText(state string, failure error) string {
	name, cause := "Switchback.Error", failure.Error()
	var named *asl.Error
	if errors.As(failure, &named) {
		name, cause = named.Name, named.Cause
	}
	return fmt.Sprintf("%s%s%s: %.500s", state, couldNot, name, cause)
}

// withOpen replaces what is open about a state: by text, or by nothing once it was done.
func withOpen(open []string, state, text string) []string {
	open = slices.DeleteFunc(slices.Clone(open), func(o string) bool { return strings.HasPrefix(o, state+": ") || strings.HasPrefix(o, state+couldNot) })
	if text != "" {
		open = append(open, text)
	}
	return open
}

// keepFinding keeps a state's output. An output with "who_can" says that a person must act, and who can.
func (r *Responder) keepFinding(ctx context.Context, inc incident.Incident, t engine.Task, output json.RawMessage) error {
	var asks struct {
		WhoCan string `json:"who_can"`
	}
	// An output that is no object asks for nobody.
	if json.Unmarshal(output, &asks) != nil {
		asks.WhoCan = ""
	}
	text := ""
	if asks.WhoCan != "" {
		text = t.State + ": " + asks.WhoCan
	}
	if err := r.o.Services.Findings.PutFinding(ctx, inc.ID, t.State, output); err != nil {
		return err
	}
	if open := withOpen(inc.Open, t.State, text); slices.Equal(open, inc.Open) {
		return nil
	}
	return r.update(ctx, inc.ID, func(i *incident.Incident) { i.Open = withOpen(i.Open, t.State, text) })
}

func (r *Responder) update(ctx context.Context, id incident.ID, change func(*incident.Incident)) error {
	_, err := r.o.Services.Store.Update(ctx, id, func(i *incident.Incident) error {
		change(i)
		return nil
	})
	return err
}

// withoutReserved drops the field that names the action: its parameters are the rest.
func withoutReserved(parameters json.RawMessage) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(parameters, &fields) != nil || fields[runbook.ReservedField] == nil {
		return parameters
	}
	delete(fields, runbook.ReservedField)
	without, err := json.Marshal(fields)
	if err != nil {
		return parameters
	}
	return without
}

// Ended closes the book on an execution that ended: a harmless change closes its incident; a run that failed is told to
// the fallback, for no incident may end with nobody reached.
func (r *Responder) Ended(ctx context.Context, e engine.Execution) error {
	id, err := incidentByInput(e)
	if err != nil {
		return err
	}
	if e.Status == asl.Succeeded {
		err = r.endedWell(ctx, id, e.Output)
	} else {
		err = r.endedBadly(ctx, id, e)
	}
	return errors.Join(err, r.lookNoMore(ctx, id, e.Name))
}

// lookNoMore: what came after a run's last look needs another run.
func (r *Responder) lookNoMore(ctx context.Context, id incident.ID, execution string) error {
	isLast := false
	inc, err := r.o.Services.Store.Update(ctx, id, func(i *incident.Incident) error {
		at := slices.IndexFunc(i.Runs, func(run incident.Run) bool { return run.Execution == execution && run.IsLooking })
		if at < 0 {
			return errNoRun
		}
		i.Runs[at].IsLooking, isLast = false, at == len(i.Runs)-1 && i.Runs[at].Covers < i.Count
		return nil
	})
	if errors.Is(err, errNoRun) || err == nil && !isLast {
		return nil
	}
	if err != nil {
		return fmt.Errorf("end the looking of %s: %w", execution, err)
	}
	return r.ensureRun(ctx, id, lastOf(inc), false)
}

// lastOf is the newest known event of an incident, as it was admitted.
func lastOf(i incident.Incident) incident.Candidate {
	event := cloudtrail.EventID("")
	if n := len(i.Events); n > 0 {
		event = i.Events[n-1]
	}
	at := i.Times.Occurred
	if i.Times.Again.After(at) {
		at = i.Times.Again
	}
	return incident.Candidate{Key: i.Key, Trigger: i.Trigger, Region: i.Region, Event: event, OccurredAt: at, ReceivedAt: i.Times.Received}
}

func incidentByInput(e engine.Execution) (incident.ID, error) {
	var in input
	if err := json.Unmarshal(e.Input, &in); err != nil {
		return "", fmt.Errorf("read input of %s: %w", e.Name, err)
	}
	return in.Incident, nil
}

func (r *Responder) endedWell(ctx context.Context, id incident.ID, output json.RawMessage) error {
	var out struct {
		Result struct {
			Harmless bool `json:"harmless"`
		} `json:"result"`
	}
	// An output that is no object has no result; that is not an error of the execution.
	if json.Unmarshal(output, &out) != nil {
		out.Result.Harmless = false
	}
	return r.update(ctx, id, func(i *incident.Incident) {
		switch {
		case out.Result.Harmless && len(i.Runs) == 1:
			// Where another event joined, a harmless one after a harmful one must not close the book on it.
			i.Severity, i.Status = incident.Low, incident.Closed
		case i.Status == incident.Acknowledged && i.IsDone():
			i.Status = incident.Closed
		}
	})
}

func (r *Responder) endedBadly(ctx context.Context, id incident.ID, e engine.Execution) error {
	what := fmt.Sprintf("the runbook ended with %s: %s", e.Status, e.Error)
	if err := r.update(ctx, id, func(i *incident.Incident) { i.Open = withOpen(i.Open, "Runbook", "Runbook: "+what) }); err != nil {
		return err
	}
	inc, err := r.o.Services.Store.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := r.o.Services.Timeline.Append(ctx, incident.Entry{
		Incident: id, At: r.clock(), Kind: incident.EntryProblem, Text: what, Key: "ended/" + e.Name,
	}); err != nil {
		return err
	}
	return r.runOutside(ctx, inc, "notify:Send", `{"to":"fallback"}`, "ended/"+e.Name)
}

// runOutside runs an action for the incident outside its state machine: reminders, the last resort.
func (r *Responder) runOutside(ctx context.Context, inc incident.Incident, id, params, visit string) error {
	act, ok := action.Get(id)
	if !ok {
		return fmt.Errorf("no action %s in this build", id)
	}
	t := engine.Task{ExecutionName: string(inc.ID), Visit: string(inc.ID) + "/" + visit}
	_, err := act.Run(ctx, r.env(inc, act.Info(), t), json.RawMessage(params))
	return err
}
