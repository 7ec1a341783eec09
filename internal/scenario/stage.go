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
	contactaction "github.com/switchback-project/switchback/internal/action/contact"
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
	"github.com/switchback-project/switchback/internal/source/heartbeat"
	"github.com/switchback-project/switchback/internal/source/sqs"
	"github.com/switchback-project/switchback/internal/source/watcher"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// stage is one scenario's world.
type stage struct {
	dir     string
	place   Place
	begin   time.Time
	clock   *clock
	sandbox *sandbox.Sandbox
	system  *respond.System
	source  *sqs.Source
	pollers []poller // that have something to do by themselves
	// heard is put around the pipeline for what the queue brings.
	heard    func(source.Handler) source.Handler
	db       *sqlite.DB
	ledger   *ledger.Ledger
	seeded   sandbox.Seeded
	keys     map[string]string // access key ids by who
	kept     map[string]string // what calls answered, by the names that the story gave it
	post     *post
	repeat   bool
	lose     bool
	requests int
	// isSetUp: calls are the story's, and numbered.
	isSetUp atomic.Bool
	depends bool
	rules   rules
	reserve action.Reserve
	own     []trail.Dependency
}

// rules are what a game has beside a story. The zero value is a story's.
type rules struct {
	// skew is how far AWS's clock is ahead of ours.
	skew time.Duration
	// between stands between our calls and AWS.
	between func(gate.Backend) gate.Backend
	watch   watcher.Options
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
	st := &stage{dir: dir, place: o.Place, begin: beginning, clock: &clock{now: beginning.Add(-time.Hour)}, keys: map[string]string{}, post: &post{}, depends: story.Depends, rules: o.game}
	if err := st.openSandbox(ctx, story); err != nil {
		return nil, fmt.Errorf("set the scene: %w", err)
	}
	if err := st.openSystem(ctx, dir, story, o); err != nil {
		return nil, fmt.Errorf("start the pipeline: %w", err)
	}
	if err := st.forget(ctx, story); err != nil {
		return nil, err
	}
	if story.Known == nil || *story.Known {
		if err := st.takeBaseline(ctx, story.Approved == nil || *story.Approved); err != nil {
			return nil, err
		}
	}
	st.clock.set(beginning)
	st.isSetUp.Store(true)
	return st, nil
}

// takeBaseline takes what the account looks like before the story; its author is who approves it.
func (st *stage) takeBaseline(ctx context.Context, isApproved bool) error {
	door := st.system.Gate.Door(gate.Scope{Action: "snapshot"})
	taken, err := state.TakeBaseline(ctx, door, st.place.Account, []string{st.place.Region}, state.Keeper{Into: st.db}, st.clock.Now())
	if err != nil {
		return err
	}
	if len(taken.Gaps) > 0 {
		return fmt.Errorf("take the baseline: %v", taken.Gaps)
	}
	own, err := state.TakeOwn(ctx, door, st.own, state.Keeper{Into: st.db}, st.clock.Now())
	if err != nil {
		return err
	}
	if len(own.Gaps) > 0 {
		return fmt.Errorf("take the baseline of our own parts: %v", own.Gaps)
	}
	for _, s := range append(taken.Snapshots, own.Snapshots...) {
		if !isApproved {
			break
		}
		if err := st.db.TrustSnapshot(ctx, s.Trusted("the story", "approved", st.clock.Now())); err != nil {
			return err
		}
	}
	return nil
}

// openSandbox builds the account of every story: a trail that logs, mallory who may assume the role Operator, alice and
// bob of the security team, and ourselves.
func (st *stage) openSandbox(ctx context.Context, story Story) error {
	var err error
	if st.sandbox, err = sandbox.New(sandbox.Options{Clock: st.awsNow}); err != nil {
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
		if err := st.sandbox.SetSource(key, sandbox.Source{IP: sourceIP, UserAgent: userAgent}); err != nil {
			return err
		}
	}
	root, err := st.sandbox.Root(st.place.Account)
	if err != nil {
		return err
	}
	st.keys["admin"] = root.AccessKeyID
	st.kept = map[string]string{keptKey: st.seeded.KeyARN, keptQueue: st.seeded.QueueURL}
	if err := st.furnish(ctx, story); err != nil {
		return err
	}
	for _, action := range story.Denied {
		if err := st.sandbox.Deny(st.ownARN(), action); err != nil {
			return err
		}
	}
	return nil
}

// awsNow is what AWS's clock shows.
func (st *stage) awsNow() time.Time { return st.clock.Now().Add(st.rules.skew) }

// backend is AWS as our calls find it.
func (st *stage) backend() gate.Backend {
	if st.rules.between == nil {
		return st.sandbox
	}
	return st.rules.between(st.sandbox)
}

func (st *stage) watcherOptions() watcher.Options {
	o := st.rules.watch
	o.Workers = 1
	return o
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
	if st.db, err = sqlite.Open(ctx, filepath.Join(dir, "switchback.db"), sqlite.Options{IsVolatile: true}); err != nil {
		return err
	}
	policy, err := gate.ParsePolicy([]gate.Rule{{Mode: orDefault(story.Mode, "act")}}, gate.Known{})
	if err != nil {
		return err
	}
	st.system, err = respond.Open(ctx, respond.Parts{
		Stores: st.db, Executions: st.db.Executions(), Ledger: st.ledger, Runbooks: o.Runbooks, Policy: policy, Clock: st.clock.Now,
		Logger: slog.New(slog.DiscardHandler), PollEvery: time.Minute, Own: story.Guarded,
		Gate: gate.Options{
			Backend: st.backend(), Region: o.Place.Region, Sleep: st.clock.sleep,
			Budget: gate.Budget{
				Window: time.Duration(story.Budget.Window), Reserve: story.Budget.Reserve, Restoring: []string{"restore-trail"},
			},
			NewID: st.newID(),
		},
		Engine: engine.Options{Workers: 1},
		Services: func(base action.Services, g *gate.Gate) (action.Services, error) {
			return st.services(base, dir, story, o)
		},
	})
	if err != nil {
		return err
	}
	return st.openSources(story)
}

// newID numbers the calls of the story, and apart from them those that set it up.
func (st *stage) newID() func() string {
	var before, story atomic.Int64
	return func() string {
		if !st.isSetUp.Load() {
			return fmt.Sprintf("setup-%04d", before.Add(1))
		}
		return fmt.Sprintf("request-%04d", story.Add(1))
	}
}

// services are the people and channels of every story: alice and bob work here, mallory too.
func (st *stage) services(base action.Services, dir string, story Story, o Options) (action.Services, error) {
	security := incident.Person{Name: "Security team", Email: "security@example.com"}
	channels := append([]notify.Channel{{Name: "post", Notifier: st.post}}, o.Channels...)
	dispatcher, err := notify.NewDispatcher(base.Outbox, channels,
		notify.Options{
			Clock: st.clock.Now, Sleep: st.clock.sleep, Security: []incident.Person{security}, Call: "the security team (security@example.com)",
		})
	if err != nil {
		return base, err
	}
	base.Messenger, base.EvidenceDir, base.Reserve, base.Own = dispatcher, filepath.Join(dir, "evidence"), st.reserve, st.own
	people := contact.NewChain([]contact.Link{{Name: "people", Directory: staff{st}}}, security)
	base.People, base.Escalation = people, contactaction.Ladder{Chain: people}
	for _, p := range story.Pipelines {
		base.Pipelines = append(base.Pipelines, action.Pipeline{Name: p.Name, Role: arn.ARN(p.Role), SourceIdentity: p.SourceIdentity})
	}
	base.Regions = []string{o.Place.Region, arn.PartitionOf(o.Place.Region).GlobalRegion} // as many in every partition
	base.History = state.EventHistory{Clock: st.clock.Now}
	base.Reporter = &report.Writer{Dir: filepath.Join(dir, "reports"), Builder: report.Builder{
		Store: base.Store, Timeline: base.Timeline, Findings: base.Findings, Blind: base.Blind, Undos: base.Undos, Outbox: base.Outbox, Objectives: respond.Objectives(o.Runbooks),
	}}
	return base, nil
}

// poller is a source that finds something by itself.
type poller interface {
	Next() time.Time
	Poll(ctx context.Context, handle source.Handler) error
}

// queueName is the name of the queue's source.
const queueName = "sqs/1"

func (st *stage) openSources(story Story) error {
	var err error
	st.source, err = openSource[*sqs.Source](st, "sqs", sqs.Options{QueueURL: st.seeded.QueueURL, Account: st.place.Account, Region: st.place.Region, Workers: 1})
	if err != nil {
		return err
	}
	st.heard = func(handle source.Handler) source.Handler { return handle }
	if story.Watch {
		w, err := openSource[*watcher.Source](st, "watcher", st.watcherOptions())
		if err != nil {
			return err
		}
		st.pollers = append(st.pollers, w)
	}
	if story.Heartbeat {
		h, err := openSource[*heartbeat.Heart](st, "heartbeat", heartbeat.Options{Account: st.place.Account, Region: st.place.Region})
		if err != nil {
			return err
		}
		queue, _ := source.Find("sqs")
		st.heard = h.Hear(queueName, queue.SilentAfter)
		st.pollers = append(st.pollers, h)
	}
	return nil
}

// openSource makes a source of a type, with its options.
func openSource[S source.Source, O any](st *stage, kind string, options O) (S, error) {
	src, err := source.New(source.Config{Type: kind, Decode: func(v any) error {
		*v.(*O) = options
		return nil
	}}, source.Services{
		Gate: st.system.Gate, Clock: st.clock.Now, Logger: slog.New(slog.DiscardHandler), Snapshots: st.db, Hearings: st.db,
		State: filepath.Join(st.dir, "sources"),
	})
	if err != nil {
		var none S
		return none, err
	}
	return src.(S), nil
}

// handle is the pipeline's, twice or not at all where the story says so.
func (st *stage) handle(ctx context.Context, d source.Delivery) error {
	if st.lose {
		return nil
	}
	handle := st.heard(st.system.Handle)
	if st.repeat {
		if err := handle(ctx, d); err != nil {
			return err
		}
	}
	return handle(ctx, d)
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
func (s staff) LookUp(_ context.Context, _ *gate.Door, who incident.Who) (contact.Answer, error) {
	p, err := arn.Parse(who.HumanARN)
	if err != nil {
		return contact.Answer{}, nil
	}
	return contact.Answer{People: []incident.Person{{Name: p.Name(), Email: p.Name() + "@example.com", Source: contact.SourceFile}}}, nil
}

// ManagersOf: carol manages everybody.
func (s staff) ManagersOf(ctx context.Context, door *gate.Door, who incident.Who) (contact.Answer, error) {
	known, err := s.LookUp(ctx, door, who)
	if err != nil || len(known.People) == 0 {
		return contact.Answer{}, err
	}
	return contact.Answer{People: []incident.Person{{Name: "carol", Email: "carol@example.com", Source: contact.SourceManager, Note: "manager of " + known.People[0].Name}}}, nil
}

// OnCall: dave always is.
func (staff) OnCall(context.Context) (contact.Answer, error) {
	return contact.Answer{People: []incident.Person{{Name: "dave", Email: "dave@example.com", Source: contact.SourceOnCall}}}, nil
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
