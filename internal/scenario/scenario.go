// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package scenario runs runbooks against a story: an account before, calls that people and attackers make, answers after
// so and so long; then the account after, the states that were visited, the messages that were sent, the report. The
// account is the sandbox, time is simulated (a wait of a day takes none), and everything between is the real pipeline:
// queue, triggers, store, engine, gate, actions, messages, ledger.
//
// A scenario is a txtar file with two parts: scenario.yaml, the story, and want.txt, what comes of it. ${partition},
// ${region} and ${account} stand for those of the partition that it runs in, so that one story is held against aws,
// aws-cn and aws-us-gov.
package scenario

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"golang.org/x/tools/txtar"

	"github.com/switchback-project/switchback/internal/arn"
)

// Parts of the file.
const (
	storyFile = "scenario.yaml"
	wantFile  = "want.txt"
)

// Story is scenario.yaml. Unknown fields are refused.
type Story struct {
	Title string `yaml:"title"`
	// Mode is the policy: act by default, observe for a dry-run.
	Mode string `yaml:"mode"`
	// Known is false for a trail that Switchback never saw before the story: no snapshot of it exists.
	Known *bool `yaml:"known"`
	// Denied takes permissions from Switchback's own role: "cloudtrail:StartLogging".
	Denied []string `yaml:"denied"`
	Steps  []Step   `yaml:"steps"`
	// Until is when the story ends, from its beginning; default 1h.
	Until span `yaml:"until"`
}

// Step is one thing that happens. Exactly one of Call, Assume, Answer, Deliver and Pause is set.
type Step struct {
	// At is the moment, from the story's beginning.
	At span `yaml:"at"`
	// As is who does it: "admin", "alice", "mallory", or the name of a session that an earlier step assumed.
	As string `yaml:"as"`
	// Assume names a new session of the role "Operator", under Session.
	Assume  string `yaml:"assume"`
	Session string `yaml:"session"`
	// Call is an operation of the sandbox, "CloudTrail.StopLogging", with Input in the SDK's member names.
	Call   string         `yaml:"call"`
	Input  map[string]any `yaml:"input"`
	Region string         `yaml:"region"`
	// Fails is the error code that AWS must answer with; empty: the call must succeed.
	Fails string `yaml:"fails"`
	// Answer is "ack", "undo", "approve" or "reject", by the person As, about the newest incident.
	Answer string `yaml:"answer"`
	// Refused is a text that the refusal of the answer must hold.
	Refused string `yaml:"refused"`
	// Deliver is an EventBridge event that is no API call, a finding of our own say, as its source hands it over.
	Deliver map[string]any `yaml:"deliver"`
	// Times repeats the call; default 1.
	Times int `yaml:"times"`
	// Lose drops the events of the step before they reach the queue; Repeat delivers them twice.
	Lose   bool `yaml:"lose"`
	Repeat bool `yaml:"repeat"`
	// Pause stops every change of ours for so long.
	Pause span `yaml:"pause"`
}

// span is a duration in YAML.
type span time.Duration

// UnmarshalYAML parses Go's duration syntax.
func (s *span) UnmarshalYAML(text []byte) error {
	d, err := time.ParseDuration(strings.Trim(strings.TrimSpace(string(text)), `"'`))
	if err != nil {
		return fmt.Errorf("read duration: %w", err)
	}
	*s = span(d)
	return nil
}

// Scenario is a file, read.
type Scenario struct {
	Name  string
	Story Story
	Want  string
	raw   string
}

// Parse reads a scenario file.
func Parse(name string, text []byte) (Scenario, error) {
	archive := txtar.Parse(text)
	s := Scenario{Name: name}
	for _, f := range archive.Files {
		switch f.Name {
		case storyFile:
			s.raw = string(f.Data)
		case wantFile:
			s.Want = string(f.Data)
		default:
			return s, fmt.Errorf("scenario %s: unknown part %q (want %s and %s)", name, f.Name, storyFile, wantFile)
		}
	}
	if s.raw == "" {
		return s, fmt.Errorf("scenario %s: no part %s", name, storyFile)
	}
	if err := yaml.UnmarshalWithOptions([]byte(s.raw), &s.Story, yaml.Strict()); err != nil {
		return s, fmt.Errorf("scenario %s: %s: %w", name, storyFile, err)
	}
	if len(s.Story.Steps) == 0 {
		return s, fmt.Errorf("scenario %s: no steps", name)
	}
	return s, nil
}

// in returns the story with the placeholders filled in.
func (s Scenario) in(p Place) (Story, error) {
	var story Story
	text := p.fill(s.raw)
	if err := yaml.UnmarshalWithOptions([]byte(text), &story, yaml.Strict()); err != nil {
		return story, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	if story.Until == 0 {
		story.Until = span(time.Hour)
	}
	return story, nil
}

func (st Step) input() (json.RawMessage, error) {
	if st.Input == nil {
		return nil, nil
	}
	return json.Marshal(st.Input)
}

// Update returns the file with what came of it as the new expectation.
func (s Scenario) Update(text []byte, got string) []byte {
	archive := txtar.Parse(text)
	for i := range archive.Files {
		if archive.Files[i].Name == wantFile {
			archive.Files[i].Data = []byte(got)
			return txtar.Format(archive)
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: wantFile, Data: []byte(got)})
	return txtar.Format(archive)
}

// Place is where a scenario runs.
type Place struct {
	Partition, Region, Account string
}

// Places are one per partition; the first is the one that expectations are written in.
func Places() []Place {
	return []Place{
		{"aws", "eu-west-1", "111122223333"},
		{"aws-us-gov", "us-gov-east-1", "111122223333"},
		{"aws-cn", "cn-north-1", "111122223333"},
	}
}

func (p Place) fill(text string) string {
	return strings.NewReplacer("${partition}", p.Partition, "${region}", p.Region, "${account}", p.Account).Replace(text)
}

// volatile are the parts of a result that differ between partitions, or from run to run, and say nothing: generated ids
// and the random ends of object names.
var volatile = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Za-z0-9]{16}\.json\.gz`)

// generalize puts the placeholders back, so that results of all partitions compare equal.
func (p Place) generalize(text string) string {
	partition, _ := arn.PartitionByID(p.Partition)
	text = strings.NewReplacer("arn:"+p.Partition+":", "arn:${partition}:", p.Region, "${region}", partition.GlobalRegion, "${global}",
		p.Account, "${account}", arn.Place(p.Region), "${place}").Replace(text)
	return volatile.ReplaceAllString(text, "(id)")
}
