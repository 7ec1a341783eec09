// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package runbook reads and checks runbooks: a folder with a manifest (runbook.yaml) that answers nine questions, the
// triggers, a state machine in the Amazon States Language, a guide for people and the scenarios that prove it.
//
// Nobody automates a response before answering the nine questions. Check refuses a runbook whose answers are missing or
// untrue: an objective that cannot be measured, evidence that no source or action gives, a scenario that does not
// exist. Ask asks the questions and makes a new folder of the answers. The package runs nothing; the engine, the sources
// and the scenarios live on higher floors.
package runbook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/switchback-project/switchback/eventpattern"
	"github.com/switchback-project/switchback/internal/incident"
)

// Files of a runbook's folder.
const (
	ManifestFile     = "runbook.yaml"
	StateMachineFile = "state-machine.asl.json"
	GuideFile        = "guide.md"
	ScenarioFolder   = "scenarios"
)

// ErrNotFound is returned for an id that names no runbook.
var ErrNotFound = errors.New("no such runbook")

// ID of a runbook: kebab-case, and the name of its folder.
type ID string

// Manifest is runbook.yaml: the answers to the nine questions. Unknown fields are refused.
type Manifest struct {
	ID       ID                `yaml:"id" json:"id"`
	Title    string            `yaml:"title" json:"title"`
	Severity incident.Severity `yaml:"severity" json:"severity"`
	// Objective is question 1: the expressed objective, in words, with a figure that can be tested.
	Objective string `yaml:"objective" json:"objective"`
	// Concern is question 2: "configuration" or "behavior".
	Concern string `yaml:"concern" json:"concern"`
	// Evidence is question 3: the data that could inform us; each names a source or an action that reads.
	Evidence []string `yaml:"evidence" json:"evidence"`
	// Ownership is question 4: ownership and visibility.
	Ownership Ownership `yaml:"ownership" json:"ownership"`
	// Objectives is question 5: performance, measured on every run.
	Objectives Objectives `yaml:"objectives" json:"objectives"`
	// Mechanisms is question 6: what brings the evidence here.
	Mechanisms []string `yaml:"mechanisms" json:"mechanisms"`
	// Triggers is question 7: the objective in code; the state machine is the rest of it.
	Triggers []Trigger `yaml:"triggers" json:"triggers"`
	// Done is question 8: the scenarios that must pass.
	Done []string `yaml:"done" json:"done"`
	// Human is question 9: does a human need to look, and when.
	Human Human `yaml:"human" json:"human"`
}

// Ownership says whose resources these are and what we may do to them.
type Ownership struct {
	// Accounts is "all", or account ids separated by blanks.
	Accounts string `yaml:"accounts" json:"accounts"`
	// Resources is "all", which "" means too; "baseline": only events on what a protected trail depends on start it; or
	// "own": only events on our own parts.
	Resources string `yaml:"resources,omitempty" json:"resources,omitempty"`
	// Permissions is "generated": from the actions that the state machine uses.
	Permissions string `yaml:"permissions" json:"permissions"`
}

// Values of Ownership.Resources: the first leaves out what no protected trail depends on, the second what is no part of
// Switchback itself.
const (
	BaselineResources = "baseline"
	OwnResources      = "own"
)

// Objectives bound the intervals of an incident, each from the moment the event reached us.
type Objectives struct {
	Contained    Duration `yaml:"contained" json:"contained"`
	HumanReached Duration `yaml:"human_reached" json:"human_reached"`
	Report       Duration `yaml:"report" json:"report"`
}

// Human says when people are told and asked.
type Human struct {
	// Tell is "always", "succeeded" (not for attempts) or "never".
	Tell string `yaml:"tell" json:"tell"`
	// Approve lists the actions that wait for a person even where the policy says act.
	Approve []string `yaml:"approve" json:"approve"`
}

// Trigger starts the runbook for the events that match its pattern.
type Trigger struct {
	Name string `yaml:"name" json:"name"`
	// Severity overrides the manifest's for this trigger.
	Severity incident.Severity `yaml:"severity,omitempty" json:"severity,omitempty"`
	Pattern  Pattern           `yaml:"pattern" json:"pattern"`
}

// Pattern is an EventBridge event pattern, written as YAML or JSON in the manifest.
type Pattern json.RawMessage

// MarshalJSON prints the pattern itself.
func (p Pattern) MarshalJSON() ([]byte, error) { return json.RawMessage(p).MarshalJSON() }

// Duration is a time.Duration written as "30s" or "10m".
type Duration time.Duration

// String is Go's duration syntax.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON prints String.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// Runbook is a folder, read.
type Runbook struct {
	Manifest     Manifest
	StateMachine json.RawMessage
	Guide        string
	// Scenarios by name, without ".txtar".
	Scenarios map[string][]byte

	folder string // its name; "" when it is not known
}

// Load reads the runbook in the folder dir of fsys; without a manifest there it is ErrNotFound. Errors name the file, and
// for the manifest the line. A state machine, guide or scenario that is missing is for Check to say.
func Load(fsys fs.FS, dir string) (*Runbook, error) {
	r := &Runbook{Scenarios: map[string][]byte{}}
	if dir = path.Clean(dir); dir != "." {
		r.folder = path.Base(dir)
	}
	text, err := fs.ReadFile(fsys, path.Join(dir, ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load runbook %s: %w", dir, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("load runbook: %w", err)
	}
	if err := decodeManifest(path.Join(dir, ManifestFile), text, &r.Manifest); err != nil {
		return nil, fmt.Errorf("load runbook: %w", err)
	}
	if r.StateMachine, err = readIfThere(fsys, path.Join(dir, StateMachineFile)); err != nil {
		return nil, err
	}
	guide, err := readIfThere(fsys, path.Join(dir, GuideFile))
	if err != nil {
		return nil, err
	}
	r.Guide = string(guide)
	if err := r.loadScenarios(fsys, path.Join(dir, ScenarioFolder)); err != nil {
		return nil, err
	}
	return r, nil
}

func readIfThere(fsys fs.FS, name string) ([]byte, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load runbook: %w", err)
	}
	return text, nil
}

const scenarioSuffix = ".txtar"

func (r *Runbook) loadScenarios(fsys fs.FS, dir string) error {
	files, err := fs.ReadDir(fsys, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("load runbook: %w", err)
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), scenarioSuffix)
		if !ok {
			continue
		}
		text, err := fs.ReadFile(fsys, path.Join(dir, f.Name()))
		if err != nil {
			return fmt.Errorf("load runbook: %w", err)
		}
		r.Scenarios[name] = text
	}
	return nil
}

// LoadAll reads every runbook of fsys: each folder with a manifest, sorted by id.
func LoadAll(fsys fs.FS) ([]*Runbook, error) {
	files, err := fs.Glob(fsys, "*/"+ManifestFile)
	if err != nil {
		return nil, fmt.Errorf("list runbooks: %w", err)
	}
	sort.Strings(files)
	var all []*Runbook
	for _, file := range files {
		r, err := Load(fsys, path.Dir(file))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// Compile compiles the patterns of the triggers, in order.
func (r *Runbook) Compile() ([]*eventpattern.Pattern, error) {
	patterns := make([]*eventpattern.Pattern, len(r.Manifest.Triggers))
	for i, t := range r.Manifest.Triggers {
		p, err := eventpattern.Compile([]byte(t.Pattern))
		if err != nil {
			return nil, fmt.Errorf("runbook %s: trigger %q: %w", r.Manifest.ID, t.Name, err)
		}
		patterns[i] = p
	}
	return patterns, nil
}

// SeverityOf is the severity of an incident that the trigger opens: its own, else the runbook's; an attempt that AWS
// refused is at most medium.
func (m Manifest) SeverityOf(t Trigger, outcome incident.Outcome) incident.Severity {
	severity := t.Severity
	if severity == "" {
		severity = m.Severity
	}
	if outcome == incident.Attempted && severity.Rank() > incident.Medium.Rank() {
		return incident.Medium
	}
	return severity
}
