// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package action is the port for everything a runbook's Task state can do. An action is named as AWS names the call
// ("cloudtrail:StartLogging") or by a verb of its own where several calls make one effect.
//
// Two kinds exist. A Query only reads or reports. A Change alters AWS, and always goes the same way: read the state
// before, compare, record how to undo, act, read back until the effect is there. A change that is already in place
// changes nothing and says so; one that is interrupted is simply run again. The gate decides whether a change may leave
// the process; in dry-run it comes back as intended.
package action

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// Action is one unit of work. Implementations are registered by Register in an init function of floor 6.
type Action interface {
	Info() Info
	// Run does the work for one Task state. Params are the state's Parameters after templates were filled in, without
	// the reserved field "switchback". Failures that a state machine may retry or catch are *asl.Error; everything else
	// becomes "Switchback.Error".
	Run(ctx context.Context, env *Env, params json.RawMessage) (json.RawMessage, error)
}

// Undoer is an Action whose effect can be taken back.
type Undoer interface {
	Action
	// Undo puts back what record.Before says, verified by reading it back. Undoing twice is harmless.
	Undo(ctx context.Context, env *Env, record incident.Undo) error
}

// Info describes an action to runbook checks, documentation and IAM policies.
type Info struct {
	ID      string // "cloudtrail:StartLogging"
	Summary string // one line
	// Class is the action class of the policy observe | ask | act: "read", "restore-trail", "restore-bucket",
	// "contain-instance", "revoke-identity", "forensics", "tell".
	Class string
	// Permissions are the IAM actions it needs: "cloudtrail:StartLogging".
	Permissions []string
	Fields      []Field
	IsChange    bool
	// IsUrgent: what it finds out decides a change, or proves one; it goes before what tells and writes down. Changes
	// always do.
	IsUrgent bool
	// NeedsApproval: it is never done without the approval of a person who may, whatever mode the policy gives.
	NeedsApproval bool
}

// Field is one input field, from the json tags of the action's parameter struct (see FieldsOf).
type Field struct {
	Name     string
	Required bool
}

// Env is what an action works with: one execution's view of the world.
type Env struct {
	Services
	// Door is the way to AWS, opened for this incident, runbook and action. For resources of any account and region:
	// env.Door.Config(ctx, account, region).
	Door *gate.Door
	// Incident as it stood when the task started. Empty ID outside incidents (statemachine run).
	Incident incident.Incident
	// Task names execution, state and attempt: the key of undo records and timeline entries.
	Task Task
}

// Task identifies the state visit that an action runs for.
type Task struct {
	Execution string
	State     string
	ID        string // unique in the execution
	// Visit is "execution/state/visit/entered time", equal for every attempt of the same state visit.
	Visit string
}

// Services are what actions share. All are set in a wired program; a test sets what its action uses.
type Services struct {
	Clock    func() time.Time
	Logger   *slog.Logger
	Store    incident.Store
	Timeline incident.Timeline
	Findings incident.Findings
	Blind    incident.BlindWindows
	Undos    incident.Undos
	Timers   incident.Timers
	Outbox   incident.Outbox
	Sessions incident.Sessions
	Hearings incident.Hearings
	// Answers is what people said to "was it you?", and the links that they say it with.
	Answers   incident.Answers
	Snapshots state.Snapshots
	// Exceptions are planned changes; nil: there are none.
	Exceptions incident.Exceptions
	// Restores are what was put back when: fights are seen by them; nil: none is seen.
	Restores incident.Restores
	// FightWindow is the time in which two restores of one resource are a fight; zero is DefaultFightWindow.
	FightWindow time.Duration
	// Pipelines may change what does not reduce coverage.
	Pipelines []Pipeline
	People    People
	Messenger Messenger
	Reporter  Reporter
	// Links makes the links under which people answer; nil: they answer on the command line only.
	Links Links
	// Escalation says who is asked after the person; nil: only the fallback.
	Escalation Escalation
	History    state.History
	// Reserve is where a trail writes that stands in for one that cannot be mended.
	Reserve Reserve
	// Own is what Switchback itself consists of, in the order of repair.
	Own []trail.Dependency
	// Regions are where Event history is read for what no trail recorded; none: every region of the trail's partition.
	Regions []string
	// EvidenceDir is the folder for copies of what AWS holds, a folder an incident.
	EvidenceDir string
}

// Reserve is a bucket in another account, for the log files of emergency trails. Its policy lets CloudTrail write for trails
// whose names begin with "switchback-emergency-". The zero value is none.
type Reserve struct {
	Bucket string
	// Account owns the bucket; "" is not checked.
	Account string
	// Key is the ARN of a KMS key, "" for S3's own encryption.
	Key string
}

// People finds how to reach a human.
type People interface {
	// LookUp returns the people to contact, best first, with where each answer came from and notes on what was ignored.
	// It never returns nobody: the last resort is the configured fallback.
	LookUp(ctx context.Context, door *gate.Door, who incident.Who) ([]incident.Person, error)
}

// Links makes links under which people answer.
type Links interface {
	// Link returns the URL under which whoever gets l.Message may say one of l.Verdicts, once. It fills in the rest of l. The
	// same message has the same link.
	Link(ctx context.Context, l incident.Link) (url string, err error)
}

// Escalation knows who is asked after the person.
type Escalation interface {
	// Escalation returns the steps, nearest first, and in words what was ignored or could not be asked. Steps that nobody is
	// known for are left out.
	Escalation(ctx context.Context, door *gate.Door, who incident.Who) (steps []Step, notes []string, err error)
}

// Step is who is asked as what: "person", "manager", "on-call", "fallback".
type Step struct {
	Role   string
	People []incident.Person
}

// Messenger sends a message through every configured channel and reports each outcome; an error means that nothing was
// accepted anywhere.
type Messenger interface {
	Send(ctx context.Context, m incident.Message) ([]incident.Delivery, error)
}

// Reporter writes the incident's report.
type Reporter interface {
	Write(ctx context.Context, id incident.ID) ([]incident.Artefact, error)
}
