// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/ledger"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/report"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/sqs"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
)

// stage is one scenario's world.
type stage struct {
	dir      string
	place    Place
	begin    time.Time
	clock    *clock
	sandbox  *sandbox.Sandbox
	system   *respond.System
	source   *sqs.Source
	db       *sqlite.DB
	ledger   *ledger.Ledger
	seeded   sandbox.Seeded
	keys     map[string]string // access key ids by who
	post     *post
	repeat   bool
	lose     bool
	requests int
}

// clock is simulated time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

// sleep lets simulated time pass: waiting for a quota or between attempts takes none.
func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.set(c.Now().Add(d))
	return ctx.Err()
}

// post is the channel of scenarios: everything arrives, and is kept.
type post struct {
	mu       sync.Mutex
	messages []incident.Message
}

var _ notify.Notifier = (*post)(nil)

// Notify keeps the message.
func (p *post) Notify(_ context.Context, m incident.Message) (accepted []string, retry bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages = append(p.messages, m)
	for _, person := range m.To {
		accepted = append(accepted, person.Email)
	}
	return accepted, false, nil
}

// ReachesHuman is true: somebody reads it.
func (p *post) ReachesHuman() bool { return true }

// begin of every story: a Monday morning.
var beginning = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func build(ctx context.Context, dir string, story Story, o Options) (*stage, error) {
	st := &stage{dir: dir, place: o.Place, begin: beginning, clock: &clock{now: beginning.Add(-time.Hour)}, keys: map[string]string{}, post: &post{}}
	if err := st.openSandbox(ctx, story); err != nil {
		return nil, fmt.Errorf("set the scene: %w", err)
	}
	if err := st.openSystem(ctx, dir, story, o); err != nil {
		return nil, fmt.Errorf("start the pipeline: %w", err)
	}
	if story.Known == nil || *story.Known {
		if err := st.takeSnapshots(ctx); err != nil {
			return nil, err
		}
	}
	st.clock.set(beginning)
	return st, nil
}

func (st *stage) takeSnapshots(ctx context.Context) error {
	door := st.system.Gate.Door(gate.Scope{Action: "snapshot"})
	taken, err := state.TakeSnapshots(ctx, door, st.place.Account, []string{st.place.Region}, st.db, st.clock.Now())
	if err != nil {
		return err
	}
	if len(taken.Gaps) > 0 {
		return fmt.Errorf("take snapshots: %v", taken.Gaps)
	}
	return nil
}

// openSandbox builds the account of every story: a trail that logs, mallory who may assume the role Operator, alice and
// bob of the security team, and ourselves.
func (st *stage) openSandbox(ctx context.Context, story Story) error {
	var err error
	if st.sandbox, err = sandbox.New(sandbox.Options{Clock: st.clock.Now}); err != nil {
		return err
	}
	st.seeded, err = st.sandbox.Seed(ctx, sandbox.Seed{
		Account: st.place.Account, Region: st.place.Region, Users: []string{"mallory", "alice", "bob"}, Role: "Operator",
	})
	if err != nil {
		return err
	}
	for name, key := range st.seeded.AccessKeys {
		st.keys[name] = key
		if err := st.sandbox.SetSource(key, sandbox.Source{IP: "198.51.100.7", UserAgent: userAgent}); err != nil {
			return err
		}
	}
	root, err := st.sandbox.Root(st.place.Account)
	if err != nil {
		return err
	}
	st.keys["admin"] = root.AccessKeyID
	for _, action := range story.Denied {
		if err := st.sandbox.Deny(st.ownARN(), action); err != nil {
			return err
		}
	}
	return nil
}

func (st *stage) ownARN() string { return st.userARN("switchback") }

func (st *stage) userARN(name string) string {
	return arn.Parts{Partition: st.place.Partition, Service: "iam", AccountID: st.place.Account, Resource: "user/" + name}.String()
}

func (st *stage) roleARN(name string) string {
	return arn.Parts{Partition: st.place.Partition, Service: "iam", AccountID: st.place.Account, Resource: "role/" + name}.String()
}

func (st *stage) openSystem(ctx context.Context, dir string, story Story, o Options) error {
	folder, err := objects.OpenFolder(filepath.Join(dir, "ledger"))
	if err != nil {
		return err
	}
	if st.ledger, err = ledger.Open(ctx, folder, ledger.Options{}); err != nil {
		return err
	}
	if st.db, err = sqlite.Open(ctx, filepath.Join(dir, "switchback.db"), sqlite.Options{}); err != nil {
		return err
	}
	policy, err := gate.ParsePolicy([]gate.Rule{{Mode: orDefault(story.Mode, "act")}}, gate.Known{})
	if err != nil {
		return err
	}
	var ids atomic.Int64
	st.system, err = respond.Open(ctx, respond.Parts{
		Stores: st.db, Executions: st.db.Executions(), Ledger: st.ledger, Runbooks: o.Runbooks, Policy: policy, Clock: st.clock.Now,
		Logger: slog.New(slog.DiscardHandler), PollEvery: time.Minute,
		Gate: gate.Options{
			Backend: st.sandbox, Region: o.Place.Region, Sleep: st.clock.sleep,
			Budget: gate.Budget{Restoring: []string{"restore-trail"}},
			NewID:  func() string { return fmt.Sprintf("request-%04d", ids.Add(1)) },
		},
		Engine:   engine.Options{Workers: 1},
		Services: func(base action.Services, g *gate.Gate) (action.Services, error) { return st.services(base, dir, o) },
	})
	if err != nil {
		return err
	}
	return st.openSource()
}

// services are the people and channels of every story: alice and bob work here, mallory too.
func (st *stage) services(base action.Services, dir string, o Options) (action.Services, error) {
	security := incident.Person{Name: "Security team", Email: "security@example.com"}
	channels := append([]notify.Channel{{Name: "post", Notifier: st.post}}, o.Channels...)
	dispatcher, err := notify.NewDispatcher(base.Outbox, channels,
		notify.Options{
			Clock: st.clock.Now, Sleep: st.clock.sleep, Security: []incident.Person{security}, Call: "the security team (security@example.com)",
		})
	if err != nil {
		return base, err
	}
	base.Messenger, base.EvidenceDir = dispatcher, filepath.Join(dir, "evidence")
	base.People = contact.NewChain([]contact.Link{{Name: "people", Directory: staff{st}}}, security)
	base.History = state.EventHistory{Clock: st.clock.Now}
	base.Reporter = &report.Writer{Dir: filepath.Join(dir, "reports"), Builder: report.Builder{
		Store: base.Store, Timeline: base.Timeline, Findings: base.Findings, Undos: base.Undos, Outbox: base.Outbox, Objectives: respond.Objectives(o.Runbooks),
	}}
	return base, nil
}

func (st *stage) openSource() error {
	src, err := source.New(source.Config{Type: "sqs", Decode: func(v any) error {
		*v.(*sqs.Options) = sqs.Options{QueueURL: st.seeded.QueueURL, Account: st.place.Account, Region: st.place.Region, Workers: 1}
		return nil
	}}, source.Services{Gate: st.system.Gate, Clock: st.clock.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	st.source = src.(*sqs.Source)
	return nil
}

// handle is the pipeline's, twice or not at all where the story says so.
func (st *stage) handle(ctx context.Context, d source.Delivery) error {
	if st.lose {
		return nil
	}
	if st.repeat {
		if err := st.system.Handle(ctx, d); err != nil {
			return err
		}
	}
	return st.system.Handle(ctx, d)
}

func (st *stage) close(ctx context.Context) {
	if st.system != nil {
		st.system.Engine.Close()
	}
	// The folder is thrown away with everything in it.
	_ = st.ledger.Close(ctx)
	_ = st.db.Close()
	_ = st.sandbox.Close()
}

// staff is the directory of every story: each user is a person of the same name.
type staff struct{ st *stage }

// LookUp knows the users of the account.
func (s staff) LookUp(_ context.Context, _ *gate.Door, who incident.Who) ([]incident.Person, []string, error) {
	p, err := arn.Parse(who.HumanARN)
	if err != nil {
		return nil, nil, nil
	}
	return []incident.Person{{Name: p.Name(), Email: p.Name() + "@example.com", Source: contact.SourceFile}}, nil, nil
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
