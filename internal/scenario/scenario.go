// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package scenario runs runbooks against a story: an account before, calls that people and attackers make, answers after
// so and so long; then the account after, the states that were visited, the messages that were sent, the report. The
// account is the sandbox, time is simulated (a wait of a day takes none), and everything between is the real pipeline:
// queue, triggers, store, engine, gate, actions, messages, ledger.
//
// A scenario is a txtar file with two parts: scenario.yaml, the story, and want.txt, what comes of it. ${partition},
// ${region} and ${account} stand for those of the partition that it runs in, so that one story is held against aws,
// aws-cn and aws-us-gov; in the input of calls and in events, ${key} is the ARN of the trail's key,
// ${queue} the URL of our queue, and what earlier calls answered stands under the names that the story gave it.
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

// keptKey stands for the ARN of the trail's key, which is only known once it was made, keptQueue for the URL of our queue.
const (
	keptKey   = "key"
	keptQueue = "queue"
)

// Story is scenario.yaml. Unknown fields are refused.
type Story struct {
	Title string `yaml:"title"`
	// Mode is the policy: act by default, observe for a dry-run.
	Mode string `yaml:"mode"`
	// Known is false for a trail that Switchback never saw before the story: no snapshot of it exists.
	Known *bool `yaml:"known"`
	// Approved is false for a baseline that nobody has approved before the story.
	Approved *bool `yaml:"approved"`
	// Depends is true for a trail that has a topic, a log group and a role too; the result then says what became of
	// everything that it depends on.
	Depends bool `yaml:"depends"`
	// Own is true where Switchback's own rule, alarm, function, layer and state machine are looked after, as its queue and
	// role are then; the result then says what became of them.
	Own bool `yaml:"own"`
	// Bus is the event bus that our rule is on; default that of every account. Another account may send to it.
	Bus string `yaml:"bus"`
	// Reserve is true where another account has a reserve bucket.
	Reserve bool `yaml:"reserve"`
	// Organization is true where the account manages an organization, of which another account is a member.
	Organization bool `yaml:"organization"`
	// Before are calls that are made before anybody looks for the first time: they make the account what the baseline says.
	Before []Step `yaml:"before"`
	// Denied takes permissions from Switchback's own role: "cloudtrail:StartLogging".
	Denied []string `yaml:"denied"`
	// Guarded are ARNs of our own parts, which no exception covers.
	Guarded []string `yaml:"guarded"`
	// Pipelines may change what does not reduce coverage.
	Pipelines []Pipeline `yaml:"pipelines"`
	// Budget is how many changes may be made; default: what the gate's is.
	Budget Budget `yaml:"budget"`
	// Watch has the watcher look at the trail every minute of the story, from its beginning on; Heartbeat sends canaries and
	// listens whether the queue brings them.
	Watch     bool   `yaml:"watch"`
	Heartbeat bool   `yaml:"heartbeat"`
	Steps     []Step `yaml:"steps"`
	// Until is when the story ends, from its beginning; default 1h.
	Until span `yaml:"until"`
}

// Pipeline is one of the configuration's, recognised by its role and the source identity of its session.
type Pipeline struct {
	Name           string `yaml:"name"`
	Role           string `yaml:"role"`
	SourceIdentity string `yaml:"source_identity"`
}

// Budget is the part of the gate's that stories are about.
type Budget struct {
	Window  span `yaml:"window"`
	Reserve int  `yaml:"reserve"`
}

// Exception is a step about planned change. Do is "add", "approve" or "end", of the newest one; the other fields are those
// of the one that is added.
type Exception struct {
	Do         string   `yaml:"do"`
	Resource   string   `yaml:"resource"`
	Events     []string `yaml:"events"`
	Fields     []string `yaml:"fields"`
	Principals []string `yaml:"principals"`
	For        span     `yaml:"for"`
	Ticket     string   `yaml:"ticket"`
}

// Step is one thing that happens. Exactly one of Call, Event, Assume, Empty, Answer, Exception, Deliver, Snapshot,
// Pause, Deny and Allow is set.
type Step struct {
	// At is the moment, from the story's beginning.
	At span `yaml:"at"`
	// As is who does it: "admin", "alice", "mallory", "outsider" (of another account), or the name of a session that an
	// earlier step assumed.
	As string `yaml:"as"`
	// Assume names a new session of the role "Operator", under Session.
	Assume  string `yaml:"assume"`
	Session string `yaml:"session"`
	// SourceIdentity of the new session, and UserAgent of the call.
	SourceIdentity string `yaml:"source_identity"`
	UserAgent      string `yaml:"user_agent"`
	// Call is an operation of the sandbox, "CloudTrail.StopLogging", with Input in the SDK's member names.
	Call   string         `yaml:"call"`
	Input  map[string]any `yaml:"input"`
	Region string         `yaml:"region"`
	// Event is a call to a service that the sandbox does not have, "guardduty.DeleteDetector": its event is delivered as AWS
	// would make it of As, Input as its request parameters, Response, and Fails as its error code.
	Event    string         `yaml:"event"`
	Response map[string]any `yaml:"response"`
	// Keep names parts of what the call answers, "KeyMetadata.Arn": ${name} stands for them in later input.
	Keep map[string]string `yaml:"keep"`
	// Fails is the error code that AWS must answer with; empty: the call must succeed.
	Fails string `yaml:"fails"`
	// Then are further calls, made before anybody can respond to the first; who makes them is said again.
	Then []Step `yaml:"then"`
	// Empty deletes every object of a bucket; with Versions every version, for good; with AtOnce in a single call.
	Empty    string `yaml:"empty"`
	Versions bool   `yaml:"versions"`
	AtOnce   bool   `yaml:"at_once"`
	// Answer is "ack", "undo", "approve" or "reject", or what As says to "was it you?" ("mine-expected", "mine-mistake",
	// "not-me"), about the newest incident.
	Answer string `yaml:"answer"`
	// Refused is a text that the refusal of the answer, or of the exception, must hold.
	Refused string `yaml:"refused"`
	// Exception is about planned change, by the person As.
	Exception *Exception `yaml:"exception"`
	// Deliver is an EventBridge event that is no API call, a finding of our own say, as its source hands it over.
	Deliver map[string]any `yaml:"deliver"`
	// Snapshot keeps what the trails look like, as the daemon does every quarter of an hour.
	Snapshot bool `yaml:"snapshot"`
	// Times repeats the call; default 1.
	Times int `yaml:"times"`
	// Lose drops the events that come in from the step on until the next one; Repeat delivers them twice. What the watcher
	// finds is neither lost nor repeated.
	Lose   bool `yaml:"lose"`
	Repeat bool `yaml:"repeat"`
	// Pause stops every change of ours for so long.
	Pause span `yaml:"pause"`
	// Deny takes a permission from Switchback's own role, as an organization's policy may; Allow gives it back.
	Deny  string `yaml:"deny"`
	Allow string `yaml:"allow"`
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
	text = strings.NewReplacer("arn:"+p.Partition+":", "arn:${partition}:",
		"sqs."+p.Region+"."+partition.DNSSuffix, "sqs.${region}.${suffix}", p.Region, "${region}", partition.GlobalRegion, "${global}",
		p.Account, "${account}", arn.Place(p.Region), "${place}", arn.Place(partition.GlobalRegion), "${global place}").Replace(text)
	return volatile.ReplaceAllString(text, "(id)")
}
