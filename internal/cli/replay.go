// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/files"
	"github.com/switchback-project/switchback/internal/state"
)

type replayCommand struct {
	Paths       []string `arg:"" name:"path" help:"Files, folders, s3://bucket/prefix, - for standard input, or aws: for the Event history of the current credentials."`
	BucketOwner string   `name:"bucket-owner" help:"The account that an s3:// bucket must belong to (default: that of the credentials)." placeholder:"ID"`
	outputFlag
}

// Help is the long help.
func (replayCommand) Help() string {
	return `Which incidents would have been, what would have been done, to whom written. Log files, arrays, JSON lines, streams of
records and EventBridge events are told apart by content, compressed or not. Without aws: no account is asked (s3:// log
files are fetched): each record meets a sandbox with the account, the named trail in the recommended state and the
caller as they were; such values are assumed. With aws: the real account is only read.

With --output json one line an incident: runbook, trigger, severity, outcome (succeeded, attempted), event_id, event_name,
event_time, account, region, principal, human, source_ip, count, actions (action, target, intended).

Exit status 0 without incidents, 1 with, 2 when part of the input could not be read (the rest is done).

Example:
  switchback replay logs/ --output json
  switchback replay aws:`
}

// fromAWS is the path that means Event history.
const fromAWS = "aws:"

// Run replays.
func (c *replayCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	r, err := openReplay(ctx, s, g, slices.Contains(c.Paths, fromAWS))
	if err != nil {
		return err
	}
	return errors.Join(r.run(ctx, c), r.close(ctx))
}

// replay is one replay: a pipeline in a temporary folder, whose clock stands at the event that is looked at.
type replay struct {
	*installation
	s        *streams
	isLive   bool
	history  *memory
	matched  []source.Delivery
	letters  *letters
	now      time.Time
	mu       sync.Mutex
	gaps     []string
	progress *progress
	events   int
}

func openReplay(ctx context.Context, s *streams, g *grammar, isLive bool) (*replay, error) {
	conf, _, err := loadConfig(g)
	if err != nil {
		return nil, err
	}
	if conf.State, err = os.MkdirTemp("", "switchback-replay-"); err != nil {
		return nil, err
	}
	r := &replay{s: s, isLive: isLive, history: &memory{}, letters: &letters{}, now: time.Now().UTC(), progress: newProgress(s)}
	if r.installation, err = openInstallation(ctx, conf, g.logger(s)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(conf.State))
	}
	r.extra = overrides{dryRun: true, channels: []notify.Channel{{Name: "letters", Notifier: r.letters}}}
	if !isLive {
		r.clock = r.at
		r.extra.history = r.history
	}
	if r.people, err = r.directory(); err != nil {
		return nil, err
	}
	if isLive {
		return r, r.openSystem(ctx)
	}
	return r, r.newScene(ctx)
}

func (r *replay) at() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *replay) setClock(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = t
}

func (r *replay) close(ctx context.Context) error {
	return errors.Join(r.installation.close(ctx), os.RemoveAll(r.config.State))
}

// run reads everything, looks at what matched in the order of time, and prints the incidents.
func (r *replay) run(ctx context.Context, c *replayCommand) error {
	readErr := r.read(ctx, c)
	if ctx.Err() != nil {
		return errors.New("ended early, nothing was concluded")
	}
	slices.SortStableFunc(r.matched, func(a, b source.Delivery) int {
		if n := moment(a.Envelope).Compare(moment(b.Envelope)); n != 0 {
			return n
		}
		return strings.Compare(eventID(a.Envelope), eventID(b.Envelope))
	})
	for i, d := range r.matched {
		r.progress.say("looking at event %d of %d", i+1, len(r.matched))
		if err := r.respond(ctx, d); err != nil {
			readErr = errors.Join(readErr, fmt.Errorf("%s: event %s: %w", d.From, eventID(d.Envelope), err))
		}
	}
	r.progress.done()
	if r.events == 0 && readErr != nil {
		return withHint(readErr, "nothing could be read")
	}
	found, err := r.print(ctx, c)
	if err := errors.Join(readErr, err); err != nil {
		return withHint(err, "the rest was looked at; mend or leave out what is named")
	}
	if found > 0 {
		return errFound
	}
	return nil
}

func (r *replay) read(ctx context.Context, c *replayCommand) error {
	var failures []error
	for _, path := range c.Paths {
		var err error
		switch {
		case path == fromAWS:
			err = r.readEventHistory(ctx)
		case strings.HasPrefix(path, "s3://"):
			err = r.readBucket(ctx, path, c.BucketOwner)
		default:
			reader := files.Reader{Paths: []string{path}, Stdin: r.s.in, Progress: func(file string) {
				r.progress.say("%d events read, reading %s", r.events, file)
			}}
			err = reader.Run(ctx, r.take)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// take keeps what the responses will ask for, and the deliveries that a trigger matches.
func (r *replay) take(ctx context.Context, d source.Delivery) error {
	r.events++
	if d.Envelope.HasRecord() {
		r.history.add(d.Envelope.Record)
	}
	matches, err := r.system.Matches(ctx, d)
	if err != nil {
		return err
	}
	if matches {
		r.matched = append(r.matched, d)
	}
	return nil
}

// respond runs one event through the pipeline, at its own time.
func (r *replay) respond(ctx context.Context, d source.Delivery) error {
	if !r.isLive {
		r.setClock(moment(d.Envelope))
	}
	if !r.isLive && d.Envelope.HasRecord() {
		if err := r.setScene(ctx, d.Envelope.Record); err != nil {
			return err
		}
	}
	if err := r.system.Handle(ctx, d); err != nil {
		return err
	}
	_, err := r.system.Engine.RunDue(ctx)
	return err
}

// moment is when an event happened: the record's time, else what the event that carries none says.
func moment(e cloudtrail.Envelope) time.Time {
	if e.HasRecord() {
		return e.Record.EventTime
	}
	return e.Time
}

func eventID(e cloudtrail.Envelope) string {
	if e.HasRecord() {
		return string(e.Record.EventID)
	}
	return e.ID
}

// replayed is the JSON line of an incident.
type replayed struct {
	Runbook   string             `json:"runbook"`
	Trigger   string             `json:"trigger"`
	Severity  incident.Severity  `json:"severity"`
	Outcome   incident.Outcome   `json:"outcome"`
	EventID   cloudtrail.EventID `json:"event_id"`
	EventName string             `json:"event_name"`
	EventTime time.Time          `json:"event_time"`
	Account   string             `json:"account"`
	Region    string             `json:"region"`
	Principal string             `json:"principal"`
	Human     string             `json:"human"`
	SourceIP  string             `json:"source_ip"`
	Count     int                `json:"count"`
	Actions   []replayedAction   `json:"actions"`

	open []string // for people only
}

type replayedAction struct {
	Action   string `json:"action"`
	Target   string `json:"target"`
	Intended bool   `json:"intended"`
}

// print prints the incidents in the order of time, and returns how many there are.
func (r *replay) print(ctx context.Context, c *replayCommand) (int, error) {
	list, err := r.db.List(ctx, incident.Filter{})
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(list, func(a, b incident.Incident) int { return a.Times.Occurred.Compare(b.Times.Occurred) })
	var lines []replayed
	for _, inc := range list {
		line, err := r.line(ctx, inc)
		if err != nil {
			return 0, err
		}
		lines = append(lines, line)
	}
	if c.isJSON() {
		for _, line := range lines {
			if err := printJSON(r.s.out, line); err != nil {
				return 0, err
			}
		}
		return len(lines), nil
	}
	return len(lines), r.printText(lines)
}

func (r *replay) line(ctx context.Context, inc incident.Incident) (replayed, error) {
	line := replayed{
		Runbook: inc.Key.Runbook, Trigger: inc.Trigger, Severity: inc.Severity, Outcome: inc.Key.Outcome,
		EventName: inc.Key.EventName, EventTime: inc.Times.Occurred, Account: inc.Key.Account, Region: inc.Region,
		Principal: inc.Who.Principal, Human: inc.Who.Human, Count: inc.Count, Actions: []replayedAction{},
		open: inc.Open,
	}
	if len(inc.Events) > 0 {
		line.EventID = inc.Events[0]
		raw, err := r.db.Evidence(ctx, line.EventID)
		if err != nil {
			return line, err
		}
		if e, err := cloudtrail.ParseEnvelope(raw); err == nil {
			line.SourceIP = e.Record.SourceIPAddress
			line.Principal = firstText(line.Principal, e.Record.UserIdentity.ARN)
		}
	}
	var err error
	line.Actions, err = r.actions(ctx, inc.ID, line.Actions)
	return line, err
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// printText says it for people: incidents, what would have been done, to whom written, what could not be seen.
func (r *replay) printText(lines []replayed) error {
	fmt.Fprintf(r.s.out, "%d %s, %d %s\n", r.events, plural(r.events, "event", "events"), len(lines), plural(len(lines), "incident", "incidents"))
	for _, l := range lines {
		fmt.Fprintf(r.s.out, "\n%s  %s %s (%s) by %s", stamp(l.EventTime), identity.Printable(l.EventName, 100), l.Outcome, l.Severity, identity.Printable(l.Principal, 200))
		if l.Human != "" {
			fmt.Fprintf(r.s.out, ", who is %s", identity.Printable(l.Human, 100))
		}
		fmt.Fprintf(r.s.out, ", from %s, in %s %s, seen %d %s\n", identity.Printable(l.SourceIP, 60),
			identity.Printable(l.Account, 60), identity.Printable(l.Region, 60), l.Count, plural(l.Count, "time", "times"))
		for _, a := range l.Actions {
			fmt.Fprintf(r.s.out, "  would have been done: %s on %s\n", a.Action, identity.Printable(a.Target, 200))
		}
		for _, open := range l.open {
			fmt.Fprintf(r.s.out, "  open: %s\n", identity.Printable(open, 300))
		}
	}
	for _, to := range r.letters.summary() {
		fmt.Fprintf(r.s.out, "\nwould have been written: %s", to)
	}
	for _, gap := range r.gaps {
		fmt.Fprintf(r.s.out, "\ncould not be seen: %s", identity.Printable(gap, 500))
	}
	if !r.isLive && len(lines) > 0 {
		fmt.Fprint(r.s.out, "\nassumed: trails in the recommended state before each event; with aws: the real ones are read")
	}
	_, err := fmt.Fprintln(r.s.out)
	return err
}

// letters is the channel of a replay: it only notes who would have been written to.
type letters struct {
	mu   sync.Mutex
	list []incident.Message
}

var _ notify.Notifier = (*letters)(nil)

// Notify notes the message.
func (l *letters) Notify(_ context.Context, m incident.Message) (accepted []string, retry bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, m)
	return []string{"noted"}, false, nil
}

// ReachesHuman is false: nothing is sent.
func (*letters) ReachesHuman() bool { return false }

func (l *letters) summary() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, m := range l.list {
		var to []string
		for _, p := range m.To {
			to = append(to, identity.Printable(firstText(p.Email, p.Name), 100))
		}
		all = append(all, fmt.Sprintf("%s to %s: %s", m.Kind, firstText(strings.Join(to, ", "), "the security channel"), identity.Printable(m.Subject, 200)))
	}
	return all
}

// memory is the history of a replay: the records that were read.
type memory struct {
	records []cloudtrail.Record
	isFull  bool
}

var _ state.History = (*memory)(nil)

// maxMemory bounds the records that are kept; beyond it only those about trails and sessions are.
const maxMemory = 200_000

func (m *memory) add(r cloudtrail.Record) {
	_, issues := identity.IssueOf(r)
	if len(m.records) >= maxMemory && !issues && !strings.HasPrefix(r.EventSource, "cloudtrail.") {
		m.isFull = true
		return
	}
	m.records = append(m.records, r)
}

// Lookup returns the records that match, oldest first.
func (m *memory) Lookup(_ context.Context, _ *gate.Door, q state.Query) ([]cloudtrail.Record, []string, error) {
	var found []cloudtrail.Record
	for i := range m.records {
		if q.Matches(&m.records[i]) {
			found = append(found, m.records[i])
		}
	}
	slices.SortStableFunc(found, func(a, b cloudtrail.Record) int { return a.EventTime.Compare(b.EventTime) })
	gaps := []string{"only the files given were searched"}
	if m.isFull {
		gaps = append(gaps, fmt.Sprintf("of more than %d records only those about trails and sessions were kept", maxMemory))
	}
	return found, gaps, nil
}
