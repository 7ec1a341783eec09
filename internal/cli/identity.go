// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	resolve "github.com/switchback-project/switchback/internal/action/identity"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/files"
	"github.com/switchback-project/switchback/internal/state"
)

type identityCommand struct {
	Resolve identityResolveCommand `cmd:"" help:"From an event to the human behind it, hop by hop."`
}

// Help is the long help.
func (identityCommand) Help() string {
	return "Example:\n  switchback identity resolve logs/ --event-id 0a6c6a43-0000-4000-8000-000000000002"
}

type identityResolveCommand struct {
	Paths       []string `arg:"" name:"path" help:"Files, folders, s3://bucket/prefix, - for standard input, or aws: for the Event history of the current credentials."`
	EventID     string   `name:"event-id" help:"Resolve this event." placeholder:"ID" xor:"which" required:""`
	All         bool     `help:"Resolve every event that has a session." xor:"which" required:""`
	BucketOwner string   `name:"bucket-owner" help:"The account that an s3:// bucket must belong to (default: that of the credentials)." placeholder:"ID"`
	outputFlag
}

// Help is the long help.
func (identityResolveCommand) Help() string {
	return `Temporary credentials are followed back through the events that issued them, of any account, in any order, to a person, a
service or to where the evidence ends. All paths are read first. With aws: what they lack is looked for in Event history.

With --output json one line an event: eventID, status (resolved, unresolved, service), human ("" unless resolved), chain,
nearest hop first: eventID, eventName, caller, confidence (key, session, principal, source_identity,
identity_center_session_name, saml_session_name). Control characters in names are made visible, long names are cut.

Exit status 0 also where some are unresolved, 2 when part of the input could not be read (the rest is done) or has no such
event.

Example:
  switchback identity resolve logs/ --all --output json
  switchback identity resolve aws: --event-id 0a6c6a43-0000-4000-8000-000000000002`
}

// Run resolves.
func (c *identityResolveCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	r := &resolving{
		command: c, progress: newProgress(s), seen: map[cloudtrail.EventID]bool{}, memory: &identity.Memory{Source: fromInput},
		installation: &installation{config: conf, log: g.logger(s), clock: time.Now},
	}
	readErr := r.read(ctx, s.in)
	if ctx.Err() != nil {
		return errors.New("ended early, nothing was concluded")
	}
	err = r.print(ctx, s.out)
	r.progress.done()
	if readErr != nil {
		return errors.Join(withHint(readErr, "the rest was looked at; mend or leave out what is named"), err)
	}
	return err
}

// fromInput is the source of hops that go without saying.
const fromInput = "input"

// resolving is one run of the command: everything that issues sessions, and the events to resolve.
type resolving struct {
	*installation
	command  *identityResolveCommand
	progress *progress
	events   int
	seen     map[cloudtrail.EventID]bool
	wanted   []cloudtrail.Record
	memory   *identity.Memory
	// history has something to ask with aws: only.
	history resolve.EventHistory
	gaps    []string
}

func (r *resolving) read(ctx context.Context, in io.Reader) error {
	var failures []error
	for _, path := range r.command.Paths {
		var err error
		switch {
		case path == fromAWS:
			err = r.readEventHistory(ctx)
		case strings.HasPrefix(path, "s3://"):
			err = r.readBucket(ctx, path)
		default:
			reader := files.Reader{Paths: []string{path}, Stdin: in, Progress: func(file string) {
				r.progress.say("%d events read, reading %s", r.events, file)
			}}
			err = reader.Run(ctx, r.take)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// take keeps what leads back, and what is to be resolved, each event once.
func (r *resolving) take(_ context.Context, d source.Delivery) error {
	r.events++
	if d.Envelope.HasRecord() {
		r.add(d.Envelope.Record)
	}
	return nil
}

func (r *resolving) add(record cloudtrail.Record) {
	r.memory.Add(record)
	_, isWanted := identity.SessionOf(record.UserIdentity)
	if id := r.command.EventID; id != "" {
		isWanted = string(record.EventID) == id
	}
	if !isWanted || r.seen[record.EventID] {
		return
	}
	r.seen[record.EventID] = record.EventID != ""
	r.wanted = append(r.wanted, identity.Slim(record))
}

func (r *resolving) openGate(ctx context.Context) (*gate.Gate, error) {
	o := r.gateOptions()
	o.DryRun = true
	return gate.Open(ctx, o)
}

func (r *resolving) readBucket(ctx context.Context, url string) error {
	live, err := r.openGate(ctx)
	if err != nil {
		return err
	}
	return withHint(readObjects(ctx, live, bucketPlace{owner: r.command.BucketOwner, region: r.config.Region}, url, r.take),
		"check credentials and AWS_REGION, which must be the bucket's; --bucket-owner names another owner than the account of the credentials")
}

// readEventHistory reads the last events of every region, and leaves the way open to ask for what they lack.
func (r *resolving) readEventHistory(ctx context.Context) error {
	live, err := r.openGate(ctx)
	if err != nil {
		return err
	}
	who, err := live.Caller(ctx, "", r.config.Region)
	if err != nil {
		return withHint(fmt.Errorf("read Event history: who are we: %w", err), hintAccess)
	}
	door := live.Door(gate.Scope{Action: "identity", Rate: 0.5})
	r.history = resolve.EventHistory{History: state.EventHistory{Clock: r.clock}, Door: door}
	var failures []error
	scope := &replay{installation: r.installation}
	regions := scope.regions(ctx, door, who.Account)
	r.gaps = append(r.gaps, scope.gaps...)
	for _, region := range regions {
		r.progress.say("%d events read, reading Event history of %s", r.events, region)
		q := state.Query{Account: who.Account, Region: region, From: r.clock().AddDate(0, 0, -90), Limit: 10_000}
		records, gaps, err := state.EventHistory{Clock: r.clock}.Lookup(ctx, door, q)
		if err != nil {
			failures = append(failures, withHint(fmt.Errorf("read Event history of %s: %w", region, err), hintAccess))
		}
		r.gaps = append(r.gaps, gaps...)
		for _, record := range records {
			r.events++
			r.add(record)
		}
	}
	return errors.Join(failures...)
}

// maxResolvedName bounds each name in the output, in bytes; AWS's own are shorter.
const maxResolvedName = 1024

// print resolves each wanted event, in the order of the input.
func (r *resolving) print(ctx context.Context, out io.Writer) error {
	if len(r.wanted) == 0 && r.command.EventID != "" {
		return withHint(fmt.Errorf("event %s is not in the input", identity.Printable(r.command.EventID, 100)), "among %d events; --all resolves each that has a session", r.events)
	}
	index := resolve.Sources{Received: r.memory, History: &r.history}
	for i, record := range r.wanted {
		r.progress.say("resolving event %d of %d", i+1, len(r.wanted))
		res, err := identity.Resolve(ctx, record, index)
		if err != nil {
			return err
		}
		r.progress.done()
		if err := r.printOne(out, record, res.Printable(maxResolvedName)); err != nil {
			return err
		}
	}
	return r.printSummary(out)
}

func (r *resolving) printOne(out io.Writer, record cloudtrail.Record, res identity.Resolution) error {
	if r.command.isJSON() {
		return printJSON(out, lineOf(record, res))
	}
	return printResolution(out, record, res)
}

// printSummary says for people how much was read, and what could not be seen.
func (r *resolving) printSummary(out io.Writer) error {
	if r.command.isJSON() {
		return nil
	}
	for _, gap := range append(r.gaps, r.history.Gaps()...) {
		fmt.Fprintf(out, "could not be seen: %s\n", identity.Printable(gap, 500))
	}
	_, err := fmt.Fprintf(out, "%d %s read, %d looked into\n", r.events, plural(r.events, "event", "events"), len(r.wanted))
	return err
}

// resolvedLine is the JSON line of an event.
type resolvedLine struct {
	EventID string          `json:"eventID"`
	Status  identity.Status `json:"status"`
	Human   string          `json:"human"`
	Chain   []resolvedHop   `json:"chain"`
}

type resolvedHop struct {
	EventID    cloudtrail.EventID  `json:"eventID"`
	EventName  string              `json:"eventName"`
	Caller     string              `json:"caller"`
	Confidence identity.Confidence `json:"confidence"`
}

func lineOf(record cloudtrail.Record, res identity.Resolution) resolvedLine {
	line := resolvedLine{
		EventID: identity.Printable(string(record.EventID), maxResolvedName), Status: res.Status, Human: res.Human, Chain: []resolvedHop{},
	}
	for _, hop := range res.Chain {
		line.Chain = append(line.Chain, resolvedHop{hop.EventID, hop.EventName, hop.Caller, hop.Confidence})
	}
	return line
}

// printResolution says it for people: the event, who it was, and the evidence of each hop.
func printResolution(out io.Writer, record cloudtrail.Record, res identity.Resolution) error {
	facts := identity.Extract(record)
	who := string(res.Status)
	switch res.Status {
	case identity.Resolved:
		who = res.Human
	case identity.Unresolved:
		who += ": " + res.Reason
	}
	fmt.Fprintf(out, "%s  %s %s by %s: %s\n", stamp(facts.At), cmp.Or(facts.EventName, "-"), cmp.Or(facts.EventID, "-"), cmp.Or(facts.Principal, "nobody named"), who)
	for _, hop := range res.Chain {
		printHop(out, "", hop)
	}
	if w := res.Workload; w != nil {
		fmt.Fprintf(out, "    workload of %s: %s\n", w.Provider, w.Subject)
		if w.Actor != "" {
			fmt.Fprintf(out, "    started by %s\n", w.Actor)
		}
	}
	if res.Carrier != "" {
		fmt.Fprintf(out, "    credentials of %s\n", res.Carrier)
	}
	for _, hop := range res.Nearby {
		printHop(out, "near it: ", hop)
	}
	_, err := fmt.Fprintln(out)
	return err
}

func printHop(out io.Writer, word string, hop identity.Hop) {
	how := string(hop.Confidence)
	if hop.Source != "" && hop.Source != fromInput {
		how += ", " + hop.Source
	}
	fmt.Fprintf(out, "    %s%s %s at %s by %s (%s)", word, hop.EventName, hop.EventID, stamp(hop.At), hop.Caller, how)
	if hop.Note != "" {
		fmt.Fprintf(out, "; %s", hop.Note)
	}
	fmt.Fprintln(out)
}
