// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/ledger"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/report"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/runbooks"
)

// pipeline is a pipeline on disk whose time stands until it is told to pass: what is due is done by settle.
type pipeline struct {
	*testing.T
	dir    string
	now    time.Time
	box    *sandbox.Sandbox
	seeded sandbox.Seeded
	db     *sqlite.DB
	ledger *ledger.Ledger
	system *respond.System
	mail   mailbox
	books  []*runbook.Runbook
	steps  ladder
}

// mailbox is a channel that can be down.
type mailbox struct {
	mu     sync.Mutex
	isDown bool
	list   []incident.Message
}

func (m *mailbox) Notify(_ context.Context, message incident.Message) ([]string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isDown {
		return nil, false, errors.New("mailbox is down")
	}
	m.list = append(m.list, message)
	return []string{"mailbox"}, false, nil
}

func (*mailbox) ReachesHuman() bool { return true }

// kinds are those of the messages so far.
func (m *mailbox) kinds() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, message := range m.list {
		all = append(all, string(message.Kind))
	}
	return all
}

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	p := &pipeline{T: t, dir: t.TempDir(), now: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)}
	var err error
	p.books, err = runbook.LoadAll(runbooks.FS)
	p.check(err)
	p.box, err = sandbox.New(sandbox.Options{Clock: p.clock})
	p.check(err)
	p.seeded, err = p.box.Seed(t.Context(), sandbox.Seed{Region: region})
	p.check(err)
	folder, err := objects.OpenFolder(filepath.Join(p.dir, "ledger"))
	p.check(err)
	p.ledger, err = ledger.Open(t.Context(), folder, ledger.Options{})
	p.check(err)
	p.db, err = sqlite.Open(t.Context(), filepath.Join(p.dir, "switchback.db"), sqlite.Options{})
	p.check(err)
	t.Cleanup(func() { p.check(errors.Join(p.ledger.Close(context.WithoutCancel(t.Context())), p.db.Close())) })
	p.open(p.db.Executions())
	_, err = state.TakeSnapshots(t.Context(), p.system.Gate.Door(gate.Scope{}), p.seeded.Account, []string{region}, p.db, p.now)
	p.check(err)
	return p
}

func (p *pipeline) clock() time.Time { return p.now }

func (p *pipeline) check(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// open opens the pipeline on what is there, as a new process would.
func (p *pipeline) open(executions engine.Store) {
	p.Helper()
	policy, err := gate.ParsePolicy([]gate.Rule{{Mode: "act"}}, gate.Known{})
	p.check(err)
	system, err := respond.Open(p.Context(), respond.Parts{
		Stores: p.db, Executions: executions, Ledger: p.ledger, Runbooks: p.books, Policy: policy, Clock: p.clock,
		Gate: gate.Options{
			Backend: p.box, Region: region, Budget: gate.Budget{Restoring: []string{"restore-trail"}},
			Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		},
		Logger: slog.New(slog.DiscardHandler), PollEvery: time.Hour, Engine: engine.Options{Workers: 1}, Services: p.services,
	})
	p.check(err)
	p.system = system
	p.Cleanup(system.Engine.Close)
}

func (p *pipeline) services(base action.Services, _ *gate.Gate) (action.Services, error) {
	security := incident.Person{Name: "Security team", Email: "security@example.com"}
	dispatcher, err := notify.NewDispatcher(base.Outbox, []notify.Channel{{Name: "mailbox", Notifier: &p.mail}}, notify.Options{
		Clock: p.clock, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Security: []incident.Person{security},
	})
	base.EvidenceDir, base.Escalation = filepath.Join(p.dir, "evidence"), &p.steps
	base.Messenger, base.People, base.History = dispatcher, contact.NewChain(nil, security), state.EventHistory{Clock: p.clock}
	base.Reporter = &report.Writer{Dir: filepath.Join(p.dir, "reports"), Builder: report.Builder{
		Store: base.Store, Timeline: base.Timeline, Findings: base.Findings, Blind: base.Blind, Undos: base.Undos, Outbox: base.Outbox, Objectives: respond.Objectives(p.books),
	}}
	return base, err
}

// event is a StopLogging of alice's on the seeded trail. Parts of it may be changed; nil takes a field away.
func (p *pipeline) event(id string, changes map[string]any) source.Delivery {
	p.Helper()
	fields := map[string]any{
		"eventVersion": "1.11", "eventTime": p.now.Format(time.RFC3339), "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging",
		"awsRegion": region, "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.17.60", "requestID": "request-" + id, "eventID": id,
		"eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": p.seeded.Account, "eventCategory": "Management",
		"requestParameters": map[string]any{"name": p.seeded.TrailARN},
		"userIdentity": map[string]any{
			"type": "IAMUser", "arn": "arn:aws:iam::" + p.seeded.Account + ":user/alice", "accountId": p.seeded.Account, "userName": "alice",
			"accessKeyId": p.seeded.AccessKeys["alice"],
		},
	}
	for name, value := range changes {
		fields[name] = value
		if value == nil {
			delete(fields, name)
		}
	}
	raw, err := json.Marshal(fields)
	p.check(err)
	record, err := cloudtrail.ParseRecord(raw)
	p.check(err)
	return source.Delivery{Envelope: cloudtrail.Wrap(record), Via: "test"}
}

// stopTrail really stops it, and hands the event in.
func (p *pipeline) stopTrail(id string) {
	p.Helper()
	_, err := p.box.Invoke(p.Context(), "CloudTrail.StopLogging", fmt.Appendf(nil, `{"Name":%q}`, p.seeded.TrailARN), gate.Request{
		Account: p.seeded.Account, Region: region, AccessKeyID: p.seeded.AccessKeys["alice"], RequestID: "request-" + id,
	})
	p.check(err)
	p.check(p.system.Handle(p.Context(), p.event(id, nil)))
}

func (p *pipeline) settle() {
	p.Helper()
	_, err := p.system.RunDue(p.Context())
	p.check(err)
}

func (p *pipeline) records() bool {
	p.Helper()
	out, err := p.box.Invoke(p.Context(), "CloudTrail.GetTrailStatus", fmt.Appendf(nil, `{"Name":%q}`, p.seeded.TrailARN), gate.Request{
		Account: p.seeded.Account, Region: region, AccessKeyID: p.seeded.AccessKeys["bob"], RequestID: "look",
	})
	p.check(err)
	var status struct{ IsLogging bool }
	p.check(json.Unmarshal(out, &status))
	return status.IsLogging
}

func (p *pipeline) list() []incident.Incident {
	p.Helper()
	list, err := p.db.List(p.Context(), incident.Filter{})
	p.check(err)
	return list
}

// only is the one incident that there is.
func (p *pipeline) only() incident.Incident {
	p.Helper()
	list := p.list()
	if len(list) != 1 {
		p.Fatalf("%d incidents, want one: %+v", len(list), list)
	}
	return list[0]
}

func (p *pipeline) timeline(id incident.ID, kind incident.EntryKind) []string {
	p.Helper()
	entries, err := p.db.Entries(p.Context(), id)
	p.check(err)
	var all []string
	for _, e := range entries {
		if e.Kind == kind {
			all = append(all, e.Text)
		}
	}
	return all
}

// TestHandle: which deliveries open, join or start nothing.
func TestHandle(t *testing.T) {
	t.Parallel()
	type got struct {
		Incidents, Count, Runs int
		Principal              string
	}
	alice := "arn:aws:iam::111122223333:user/alice"
	tests := []struct {
		name   string
		events func(p *pipeline) []source.Delivery
		want   got
	}{
		{"one event", func(p *pipeline) []source.Delivery { return []source.Delivery{p.event("a", nil)} }, got{1, 1, 1, alice}},
		{"the same event twice", func(p *pipeline) []source.Delivery {
			return []source.Delivery{p.event("a", nil), p.event("a", nil)}
		}, got{1, 1, 1, alice}},
		{"the same call again joins", func(p *pipeline) []source.Delivery {
			return []source.Delivery{p.event("a", nil), p.event("b", nil)}
		}, got{1, 2, 1, alice}}, // the run that waits to begin sees the effect of both
		{"a refused call is another incident", func(p *pipeline) []source.Delivery {
			return []source.Delivery{p.event("a", nil), p.event("b", map[string]any{"errorCode": "AccessDenied"})}
		}, got{2, 1, 1, alice}},
		{"a call that no trigger asks for", func(p *pipeline) []source.Delivery {
			return []source.Delivery{p.event("a", map[string]any{"eventName": "DescribeTrails"})}
		}, got{}},
		{"our own call, known by its request id", func(p *pipeline) []source.Delivery {
			p.own("own-1")
			return []source.Delivery{p.event("a", map[string]any{"requestID": "own-1"})}
		}, got{}},
		{"our own call, whatever it says of itself", func(p *pipeline) []source.Delivery {
			p.own("own-1")
			return []source.Delivery{p.event("a", map[string]any{"requestID": "own-1", "userAgent": "curl/8", "userIdentity": nil})}
		}, got{}},
		{"an attacker who looks like us", func(p *pipeline) []source.Delivery {
			p.own("own-1")
			return []source.Delivery{p.event("a", map[string]any{"userAgent": "aws-sdk-go-v2/1.48.0 switchback/dev incident/20260504-cloudtrail-off-1a2b3c4d"})}
		}, got{1, 1, 1, alice}},
		{"without userIdentity", func(p *pipeline) []source.Delivery {
			return []source.Delivery{p.event("a", map[string]any{"userIdentity": nil})}
		}, got{1, 1, 1, ""}},
		{"without request id, after a call of ours that has none", func(p *pipeline) []source.Delivery {
			p.own("")
			return []source.Delivery{p.event("a", map[string]any{"requestID": nil})}
		}, got{1, 1, 1, alice}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t)
			for _, d := range tt.events(p) {
				p.check(p.system.Handle(t.Context(), d))
			}
			p.settle()
			list := p.list()
			result := got{Incidents: len(list)}
			if len(list) > 0 {
				result = got{len(list), list[0].Count, len(list[0].Runs), list[0].Who.Principal}
			}
			if diff := cmp.Diff(tt.want, result); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// own makes the journal believe that a call of ours left a record with this request id.
func (p *pipeline) own(requestID string) {
	p.Helper()
	c := gate.Call{
		ID: "call-" + requestID, Account: p.seeded.Account, Region: region, Service: "CloudTrail", Operation: "StopLogging", IsMutation: true,
		StartedAt: p.now, RequestID: requestID, Outcome: gate.Sent,
	}
	p.check(p.db.Intend(p.Context(), c))
	p.check(p.db.Done(p.Context(), c))
}

// TestHandlePoison: an event that can never be an incident is for the dead letters, and starts nothing.
func TestHandlePoison(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	for name, d := range map[string]source.Delivery{
		"without eventID": p.event("", map[string]any{"eventID": nil}),
		"empty eventID":   p.event("", nil),
	} {
		if err := p.system.Handle(t.Context(), d); !errors.Is(err, source.ErrPoison) || !strings.Contains(err.Error(), "eventID") {
			t.Errorf("%s: %v, want ErrPoison that names the field", name, err)
		}
	}
	if list := p.list(); len(list) != 0 {
		t.Errorf("incidents %+v", list)
	}
}

// TestAcknowledgeMatrix: who may, by whatever name the identity chain knows them.
func TestAcknowledgeMatrix(t *testing.T) {
	t.Parallel()
	arn := "arn:aws:iam::111122223333:user/alice"
	tests := []struct {
		name string
		who  respond.Answerer
		want error
	}{
		{"a stranger", respond.Answerer{Name: "root", Names: []string{"root"}}, respond.ErrUnknownPerson},
		{"by user name", known("Somebody", "alice"), respond.ErrOnChain},
		{"by user name in capitals", known("Somebody", "ALICE"), respond.ErrOnChain},
		{"by ARN", known("Somebody", arn), respond.ErrOnChain},
		{"by ARN in capitals", known("Somebody", strings.ToUpper(arn)), respond.ErrOnChain},
		{"by mail, which names the session", known("Somebody", "Alice@Example.com"), respond.ErrOnChain},
		{"by one name of many", known("Somebody", "x", "y", "alice"), respond.ErrOnChain},
		{"by the role session", known("Somebody", "arn:aws:sts::111122223333:assumed-role/Deploy/alice@example.com"), respond.ErrOnChain},
		{"a stranger on the chain", respond.Answerer{Name: "alice", Names: []string{"alice"}}, respond.ErrOnChain},
		{"somebody else", known("Carol", "carol", "carol@example.com", "arn:aws:iam::111122223333:user/carol"), nil},
		{"somebody whose name is longer", known("Malice", "malice"), nil},
	}
	p := newPipeline(t)
	p.stopTrail("a")
	p.settle()
	for _, tt := range tests {
		id := p.only().ID
		_, err := p.db.Update(t.Context(), id, func(i *incident.Incident) error {
			i.Status, i.AcknowledgedBy = incident.Open, ""
			i.Who = incident.Who{
				Principal: "arn:aws:sts::111122223333:assumed-role/Deploy/alice@example.com", Status: "resolved", Human: "alice", HumanARN: arn,
				Chain: []string{"arn:aws:sts::111122223333:assumed-role/Deploy/alice@example.com", arn, "alice"},
			}
			return nil
		})
		p.check(err)
		before := len(p.timeline(id, incident.EntryAnswer))
		err = p.system.Acknowledge(t.Context(), id, tt.who)
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		wantStatus := incident.Open
		if tt.want == nil {
			wantStatus = incident.Acknowledged
		}
		if got := p.only().Status; got != wantStatus {
			t.Errorf("%s: incident is %s, want %s", tt.name, got, wantStatus)
		}
		if n := len(p.timeline(id, incident.EntryAnswer)); n != before+1 {
			t.Errorf("%s: %d answers were noted, want one", tt.name, n-before)
		}
	}
	if err := p.system.Acknowledge(t.Context(), "nope", known("Carol", "carol")); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("an incident that is none: %v", err)
	}
}

func known(name string, names ...string) respond.Answerer {
	return respond.Answerer{Name: name, Names: append(names, name), IsKnown: true}
}

// TestAcknowledgeEndsReminders: nothing is sent after a valid answer, and all of it before.
func TestAcknowledgeEndsReminders(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.stopTrail("a")
	p.settle()
	p.now = p.now.Add(16 * time.Minute)
	p.settle()
	if got := p.mail.kinds(); !slices.Contains(got, string(incident.Reminder)) {
		t.Fatalf("messages after 16 minutes: %v, want a reminder", got)
	}
	p.check(p.system.Acknowledge(t.Context(), p.only().ID, known("Carol", "carol")))
	sent := len(p.mail.kinds())
	p.now = p.now.Add(24 * time.Hour)
	done, _, err := p.system.RunTimers(t.Context(), p.now)
	if err != nil || done != 0 || len(p.mail.kinds()) != sent {
		t.Errorf("a day after the answer: %d timers, messages %v, %v", done, p.mail.kinds()[sent:], err)
	}
}

// TestUndoMatrix: a change that lowers protection needs two people, is announced before it is made, and can be rejected.
func TestUndoMatrix(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.stopTrail("a")
	p.settle()
	id := p.only().ID
	if !p.records() {
		t.Fatal("the trail was not restarted")
	}
	carol, dave, alice := known("Carol", "carol", "carol@example.com"), known("Dave", "dave"), known("Alice", "alice")
	stranger := respond.Answerer{Name: "root", Names: []string{"root"}}
	steps := []struct {
		name string
		do   func(respond.Answerer) error
		who  respond.Answerer
		want error
	}{
		{"approve what nobody asked for", p.approve(id), dave, respond.ErrNotAsked},
		{"reject what nobody asked for", p.reject(id), dave, respond.ErrNotAsked},
		{"undo by alice herself", p.undo(id), alice, respond.ErrOnChain},
		{"undo by a stranger", p.undo(id), stranger, respond.ErrUnknownPerson},
		{"undo by carol", p.undo(id), carol, respond.ErrSecondPerson},
		{"approve by carol herself", p.approve(id), carol, respond.ErrSecondPerson},
		{"approve by carol with another login", p.approve(id), known("C. Example", "CAROL@example.com"), respond.ErrSecondPerson},
		{"approve by alice", p.approve(id), alice, respond.ErrOnChain},
		{"approve by a stranger", p.approve(id), stranger, respond.ErrUnknownPerson},
		{"reject by alice", p.reject(id), alice, respond.ErrOnChain},
		{"reject by dave", p.reject(id), dave, nil},
		{"approve after the rejection", p.approve(id), dave, respond.ErrNotAsked},
		{"undo by carol again", p.undo(id), carol, respond.ErrSecondPerson},
	}
	for _, s := range steps {
		p.now = p.now.Add(time.Second)
		if err := s.do(s.who); !errors.Is(err, s.want) || (err == nil) != (s.want == nil) {
			t.Errorf("%s: %v, want %v", s.name, err, s.want)
		}
		if !p.records() {
			t.Fatalf("%s: the trail is off", s.name)
		}
	}
	for _, text := range p.timeline(id, incident.EntryAnswer) {
		if strings.HasPrefix(text, "undo approved by") {
			t.Errorf("the timeline says %q, and nothing was approved", text)
		}
	}
	if got := p.timeline(id, incident.EntryMessage); !strings.Contains(strings.Join(got, "\n"), "announced by mailbox: Carol asks to undo") {
		t.Errorf("the announcement is not on the timeline: %q", got)
	}
	notices := slices.DeleteFunc(p.mail.kinds(), func(k string) bool { return k != string(incident.Notice) })
	if len(notices) != 2 {
		t.Errorf("%d announcements of two requests", len(notices))
	}
	// Nothing that lowers protection is done in silence.
	p.mail.isDown = true
	if err := p.approve(id)(dave); !errors.Is(err, notify.ErrNotDelivered) || !p.records() {
		t.Errorf("approval that cannot be announced: %v, logging %t; want it not done", err, p.records())
	}
	p.mail.isDown = false
	p.check(p.approve(id)(dave))
	if p.records() {
		t.Error("the restart was not taken back")
	}
	if err := p.undo(id)(carol); !errors.Is(err, respond.ErrNothingToUndo) {
		t.Errorf("undo again: %v", err)
	}
}

func (p *pipeline) undo(id incident.ID) func(respond.Answerer) error {
	return func(who respond.Answerer) error { _, err := p.system.Undo(p.Context(), id, who); return err }
}

func (p *pipeline) approve(id incident.ID) func(respond.Answerer) error {
	return func(who respond.Answerer) error { _, err := p.system.Approve(p.Context(), id, who); return err }
}

func (p *pipeline) reject(id incident.ID) func(respond.Answerer) error {
	return func(who respond.Answerer) error { return p.system.Reject(p.Context(), id, who) }
}

// TestGuard: a pause covers what it names until it ends; a store that cannot be read stops everything.
func TestGuard(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	guard := &respond.Guard{Pauses: p.db, Clock: p.clock}
	tests := []struct {
		name  string
		pause incident.Pause
		want  map[string]bool // by call: paused?
	}{
		{"everything", incident.Pause{}, map[string]bool{"111122223333/cloudtrail-off": true, "444455556666/other": true}},
		{"an account", incident.Pause{Account: "111122223333"}, map[string]bool{"111122223333/cloudtrail-off": true, "111122223333/other": true, "444455556666/cloudtrail-off": false}},
		{"a runbook", incident.Pause{Runbook: "cloudtrail-off"}, map[string]bool{"111122223333/cloudtrail-off": true, "444455556666/cloudtrail-off": true, "111122223333/other": false}},
		{"a runbook in an account", incident.Pause{Account: "111122223333", Runbook: "cloudtrail-off"}, map[string]bool{"111122223333/cloudtrail-off": true, "444455556666/cloudtrail-off": false, "111122223333/other": false}},
	}
	for _, tt := range tests {
		tt.pause.ID, tt.pause.By, tt.pause.Reason, tt.pause.CreatedAt, tt.pause.Until = tt.name, "carol", "migration", p.now, p.now.Add(time.Hour)
		p.check(p.db.AddPause(t.Context(), tt.pause))
		for call, paused := range tt.want {
			account, book, _ := strings.Cut(call, "/")
			err := guard.Allow(t.Context(), gate.Call{Account: account, Runbook: book})
			if errors.Is(err, gate.ErrPaused) != paused || !paused && err != nil {
				t.Errorf("%s: %s: %v, want paused %t", tt.name, call, err, paused)
			}
			if paused && !strings.Contains(err.Error(), "migration") {
				t.Errorf("%s: the reason is not told: %v", tt.name, err)
			}
		}
		p.check(p.db.EndPause(t.Context(), tt.pause.ID))
	}
	p.check(p.db.AddPause(t.Context(), incident.Pause{ID: "short", CreatedAt: p.now, Until: p.now.Add(time.Minute)}))
	p.now = p.now.Add(time.Minute)
	if err := guard.Allow(t.Context(), gate.Call{}); err != nil {
		t.Errorf("a pause that is over: %v", err)
	}
	closed, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "switchback.db"), sqlite.Options{})
	p.check(err)
	p.check(closed.Close())
	blind := &respond.Guard{Pauses: closed, Clock: p.clock}
	if err := blind.Allow(t.Context(), gate.Call{}); !errors.Is(err, gate.ErrPaused) {
		t.Errorf("a store that cannot be read: %v, want ErrPaused", err)
	}
}

// stillborn is a store of executions in which none can be started: the process ends there.
type stillborn struct{ engine.Store }

var errKilled = errors.New("killed")

func (stillborn) Commit(context.Context, engine.Change) error { return errKilled }

// TestResume: a process that dies between the incident and its execution. The next one starts what was reserved, whether
// the event comes again or not, and once.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprintf("event comes again %t", again), func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t)
			p.system.Engine.Close()
			p.open(stillborn{p.db.Executions()})
			_, err := p.box.Invoke(t.Context(), "CloudTrail.StopLogging", fmt.Appendf(nil, `{"Name":%q}`, p.seeded.TrailARN), gate.Request{
				Account: p.seeded.Account, Region: region, AccessKeyID: p.seeded.AccessKeys["alice"], RequestID: "request-a",
			})
			p.check(err)
			if err := p.system.Handle(t.Context(), p.event("a", nil)); !errors.Is(err, errKilled) || errors.Is(err, source.ErrPoison) {
				t.Fatalf("handle: %v, want an error after which the event comes again", err)
			}
			if inc := p.only(); len(inc.Runs) != 1 || p.records() {
				t.Fatalf("%d runs are reserved, logging %t; want one, and nothing done", len(inc.Runs), p.records())
			}
			p.system.Engine.Close()
			p.open(p.db.Executions())
			if again {
				p.check(p.system.Handle(t.Context(), p.event("a", nil)))
			}
			p.settle()
			inc := p.only()
			if inc.Count != 1 || len(inc.Runs) != 1 || inc.Times.Contained.IsZero() || !p.records() {
				t.Errorf("seen %d times, %d runs, contained %v, logging %t", inc.Count, len(inc.Runs), inc.Times.Contained, p.records())
			}
		})
	}
}

// TestEndedBadly: a run that fails is told to the fallback and stays open, for no incident may end with nobody reached.
func TestEndedBadly(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	failing, err := runbook.LoadAll(fstest.MapFS{
		"failing/runbook.yaml":           {Data: []byte("id: failing\ntitle: Fails\nseverity: high\nobjective: It fails within 1 s.\ntriggers:\n  - name: stopped\n    pattern: {\"source\": [\"aws.cloudtrail\"], \"detail\": {\"eventName\": [\"StopLogging\"]}}\n")},
		"failing/state-machine.asl.json": {Data: []byte(`{"StartAt":"No","States":{"No":{"Type":"Fail","Error":"Test.NoWay","Cause":"it is meant to"}}}`)},
		"failing/guide.md":               {Data: []byte("# Guide\n")},
	})
	p.check(err)
	p.system.Engine.Close()
	p.books = failing
	p.open(p.db.Executions())
	p.check(p.system.Handle(t.Context(), p.event("a", nil)))
	p.settle()
	inc := p.only()
	if inc.Status != incident.Open || len(inc.Open) != 1 || !strings.Contains(inc.Open[0], "Test.NoWay") {
		t.Errorf("incident is %s with %q open, want it open with what failed", inc.Status, inc.Open)
	}
	if got := p.mail.kinds(); !slices.Contains(got, string(incident.ToFallback)) {
		t.Errorf("messages are %v, want one to the fallback", got)
	}
	if got := p.timeline(inc.ID, incident.EntryProblem); len(got) != 1 || !strings.Contains(got[0], "FAILED") {
		t.Errorf("problems on the timeline: %q", got)
	}
	sent := len(p.mail.kinds())
	// Another start sees the end again and says nothing twice.
	p.system.Engine.Close()
	p.open(p.db.Executions())
	p.settle()
	if got := p.mail.kinds(); len(got) != sent {
		t.Errorf("said again after a restart: %v", got[sent:])
	}
}

// TestTimersThatCannotDeliver stay and are tried again: a reminder is never lost because mail was down.
func TestTimersThatCannotDeliver(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.stopTrail("a")
	p.settle()
	before := len(p.mail.kinds())
	p.now = p.now.Add(16 * time.Minute)
	p.mail.isDown = true
	for range 2 {
		done, _, err := p.system.RunTimers(t.Context(), p.now)
		// The escalation goes on to the next rung meanwhile; the reminder stays.
		if done > 1 || err == nil || !strings.Contains(err.Error(), "mailbox is down") {
			t.Errorf("while the mailbox is down: %d timers done, %v; want the reminder not to be, and why", done, err)
		}
	}
	p.mail.isDown = false
	done, next, err := p.system.RunTimers(t.Context(), p.now)
	if done != 1 || err != nil || !next.After(p.now) {
		t.Errorf("once it is up: %d timers done, next at %v, %v", done, next, err)
	}
	if got := p.mail.kinds()[before:]; !slices.Equal(got, []string{string(incident.Reminder)}) {
		t.Errorf("messages %v, want one reminder", got)
	}
}
