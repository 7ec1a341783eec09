// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	contactaction "github.com/switchback-project/switchback/internal/action/contact"
	"github.com/switchback-project/switchback/internal/contact"
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
	"github.com/switchback-project/switchback/internal/standard"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/runbooks"
)

// installation is an opened state folder.
type installation struct {
	config config
	log    *slog.Logger
	clock  func() time.Time
	db     *sqlite.DB
	ledger *ledger.Ledger
	people *contact.Chain
	system *respond.System // nil until openSystem
	// messages sends to people, and to what keeps a case of its own; nil until openSystem.
	messages *notify.Dispatcher
	// listeners are the sources that want to know of every event; set before the sources run.
	listeners []source.Listener
	// extra are what demo and replay put in place of the configured ones.
	extra overrides
}

// overrides replace parts of the configured pipeline.
type overrides struct {
	backend  *sandbox.Sandbox
	late     gate.Backend // instead, where it is opened when needed
	channels []notify.Channel
	// configured: beside channels, those of the configuration.
	configured bool
	history    state.History
	watch      func(incident.Entry)
	dryRun     bool
	poll       time.Duration
}

func (g *grammar) logger(s *streams) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(g.Log)); err != nil {
		level = slog.LevelWarn
	}
	return slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
}

// databaseFile is the database in the state folder.
const databaseFile = "switchback.db"

func (c config) database() string { return filepath.Join(c.State, databaseFile) }

func (c config) ledger() string { return filepath.Join(c.State, "ledger") }

// openInstallation opens database and ledger in the state folder, making them on first use. A ledger whose end is damaged
// is refused: what happens from then on could not be proven, and whoever damaged it would have what they wanted.
func openInstallation(ctx context.Context, c config, log *slog.Logger) (*installation, error) {
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		return nil, withHint(fmt.Errorf("open state folder: %w", err), "choose another with --state DIR or state: in the configuration")
	}
	folder, err := objects.OpenFolder(c.ledger())
	if err != nil {
		return nil, err
	}
	chain, err := ledger.Open(ctx, folder, ledger.Options{})
	if err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", c.ledger(), err),
			"switchback ledger verify names the first broken entry; keep the folder as evidence under another name, and a new ledger is begun")
	}
	in, err := openStore(ctx, c, log)
	if err != nil {
		return nil, err
	}
	in.ledger = chain
	return in, nil
}

func openStore(ctx context.Context, c config, log *slog.Logger) (*installation, error) {
	in := &installation{config: c, log: log, clock: time.Now}
	var err error
	if in.db, err = sqlite.Open(ctx, c.database(), sqlite.Options{}); err != nil {
		return nil, withHint(err, "is %s a state folder of Switchback, and ours to write?", c.State)
	}
	if in.people, err = in.directory(); err != nil {
		return nil, errors.Join(err, in.db.Close())
	}
	return in, nil
}

// errNothingKept: the state folder holds no database yet.
var errNothingKept = errors.New("nothing is kept here yet")

// openRecords opens what is there, for a command that only reads: it makes no folder, and a damaged ledger keeps nobody
// from looking.
func openRecords(ctx context.Context, c config, log *slog.Logger) (*installation, error) {
	if err := c.checkKept(); err != nil {
		return nil, err
	}
	return openStore(ctx, c, log)
}

// openKept opens what is there with its ledger, for a command that asks AWS about it: calls are on record.
func openKept(ctx context.Context, c config, log *slog.Logger) (*installation, error) {
	if err := c.checkKept(); err != nil {
		return nil, err
	}
	return openInstallation(ctx, c, log)
}

// checkKept refuses a state folder that holds no database.
func (c config) checkKept() error {
	if err := c.checkState(); err != nil {
		return err
	}
	const hint = "switchback serve fills it; --state DIR or --config FILE names another"
	_, err := os.Stat(c.database())
	if errors.Is(err, fs.ErrNotExist) {
		return withHint(fmt.Errorf("state folder %s: %w", c.State, errNothingKept), hint)
	}
	if err != nil {
		return withHint(fmt.Errorf("open state folder: %w", err), hint)
	}
	return nil
}

// close closes everything and makes what is waiting durable.
func (in *installation) close(ctx context.Context) error {
	var err error
	if in.system != nil && in.system.Engine != nil {
		in.system.Engine.Close()
	}
	if in.extra.backend != nil {
		err = in.extra.backend.Close()
	}
	if in.system != nil {
		err = errors.Join(err, in.system.Settle(context.WithoutCancel(ctx)))
	}
	if in.ledger != nil {
		err = errors.Join(err, in.ledger.Close(context.WithoutCancel(ctx)))
	}
	return errors.Join(err, in.db.Close())
}

func (in *installation) directory() (*contact.Chain, error) {
	var links []contact.Link
	for i, e := range in.config.People {
		d, err := contact.Open(contact.Config{Type: e.Type, Decode: e.Decode}, contact.Services{History: in.history(), Clock: in.clock})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.place("directories", i), err)
		}
		links = append(links, contact.Link{Name: e.Type, Directory: d})
	}
	return contact.NewChain(links, in.config.Fallback.people()...), nil
}

func (p personConfig) people() []incident.Person {
	if p == (personConfig{}) {
		return nil
	}
	return []incident.Person{{Name: p.Name, Email: p.Email, Slack: p.Slack, Phone: p.Phone}}
}

func (s securityConfig) people() []incident.Person {
	var all []incident.Person
	for _, p := range s.To {
		all = append(all, p.people()...)
	}
	return all
}

func (in *installation) history() state.History {
	if in.extra.history != nil {
		return in.extra.history
	}
	return state.EventHistory{Clock: in.clock}
}

// runbooksOf returns the built-in runbooks and those of the configured folder.
func runbooksOf(c config) ([]*runbook.Runbook, error) {
	books, err := runbook.LoadAll(runbooks.FS)
	if err != nil {
		return nil, fmt.Errorf("built-in runbooks: %w", err)
	}
	if c.Runbooks == "" {
		return books, nil
	}
	if _, err := os.ReadDir(c.Runbooks); err != nil {
		return nil, fmt.Errorf("runbooks: %w", err)
	}
	own, err := runbook.LoadAll(os.DirFS(c.Runbooks))
	if err != nil {
		return nil, fmt.Errorf("runbooks in %s: %w", c.Runbooks, err)
	}
	if len(own) == 0 {
		return nil, fmt.Errorf("runbooks: in %s is no folder with a runbook.yaml", c.Runbooks)
	}
	for _, b := range own {
		if slices.Contains(ids(books), string(b.Manifest.ID)) {
			return nil, withHint(fmt.Errorf("runbooks in %s: %s is built in already", c.Runbooks, b.Manifest.ID), "give yours an id of its own")
		}
	}
	return append(books, own...), nil
}

// openSystem assembles the pipeline with its engine.
func (in *installation) openSystem(ctx context.Context) error { return in.assemble(ctx, false) }

// openDecisions assembles it without one, for a command that decides: answers, undo, announcements. Executions belong to
// the daemon, and so does a sandbox, until an answer needs AWS.
func (in *installation) openDecisions(ctx context.Context) error {
	if in.isSandboxed() {
		in.extra.late = &lateSandbox{open: func() error { return in.openBackend(ctx) }, box: &in.extra.backend}
	}
	return in.assemble(ctx, true)
}

func (in *installation) assemble(ctx context.Context, isPassive bool) error {
	parts, err := in.parts()
	if err != nil {
		return err
	}
	parts.IsPassive = isPassive
	in.system, err = respond.Open(ctx, parts)
	return err
}

// parts are what the configuration makes the pipeline of.
func (in *installation) parts() (respond.Parts, error) {
	books, err := runbooksOf(in.config)
	if err != nil {
		return respond.Parts{}, err
	}
	for _, b := range books {
		if err := refuse(b); err != nil {
			return respond.Parts{}, err
		}
	}
	policy, err := gate.ParsePolicy(in.config.Policy, gate.Known{Runbooks: ids(books), Classes: standard.Classes()})
	if err != nil {
		return respond.Parts{}, fmt.Errorf("policy: %w", err)
	}
	return respond.Parts{
		Stores: in.db, Executions: in.db.Executions(), Ledger: in.ledger, Runbooks: books, Policy: policy, Gate: in.gateOptions(), Clock: in.clock,
		Logger: in.log, PollEvery: firstDuration(in.extra.poll, time.Duration(in.config.Proof.Every)), Watch: in.extra.watch, Seen: in.seen,
		Own:      in.config.guardedParts(),
		Services: func(base action.Services, g *gate.Gate) (action.Services, error) { return in.services(base, g, books) },
	}, nil
}

func firstDuration(all ...time.Duration) time.Duration {
	for _, d := range all {
		if d > 0 {
			return d
		}
	}
	return 0
}

// refuse returns an error for a runbook that Check finds faults in: it must not run.
func refuse(b *runbook.Runbook) error {
	for _, p := range b.Check(standard.Catalog{}) {
		if !p.Warning {
			return withHint(fmt.Errorf("runbook %s is refused: %s", b.Manifest.ID, p), "switchback runbook check %s", b.Manifest.ID)
		}
	}
	return nil
}

func ids(books []*runbook.Runbook) []string {
	var all []string
	for _, b := range books {
		all = append(all, string(b.Manifest.ID))
	}
	return all
}

func (in *installation) gateOptions() gate.Options {
	o := gate.Options{
		Accounts: map[string]gate.Access{}, Region: in.config.Region, Version: version, DryRun: in.extra.dryRun,
		Budget: gate.Budget{
			Window: time.Duration(in.config.Budget.Window), Limit: in.config.Budget.Limit, Reserve: in.config.Budget.Reserve,
			PerActor: in.config.Budget.PerActor, ActorWindow: time.Duration(in.config.Budget.ActorWindow), Restoring: standard.Restoring(),
		},
	}
	for _, a := range in.config.Accounts {
		if a.Role != "" {
			o.Accounts[a.ID] = gate.Access{RoleARN: a.Role, ExternalID: a.External}
		}
	}
	if in.extra.late != nil {
		o.Backend = in.extra.late
	}
	if in.extra.backend != nil {
		o.Backend = in.extra.backend
	}
	return o
}

func (in *installation) services(base action.Services, g *gate.Gate, books []*runbook.Runbook) (action.Services, error) {
	channels, err := in.channels(g)
	if err != nil {
		return base, err
	}
	dispatcher, err := notify.NewDispatcher(base.Outbox, channels, notify.Options{
		Clock: in.clock, Logger: in.log, Security: in.config.Security.people(), Call: in.config.Security.Call,
	})
	if err != nil {
		return base, err
	}
	in.messages = dispatcher
	base.Messenger, base.People, base.History = dispatcher, in.people, in.history()
	base.Escalation = contactaction.Ladder{Chain: in.people}
	links, err := in.answerLinks(base.Answers)
	if err != nil {
		return base, err
	}
	if links != nil {
		base.Links = links
	}
	if base.Own, err = in.config.ownParts(); err != nil {
		return base, err
	}
	if in.extra.backend != nil {
		base.Regions = []string{in.config.Region} // nothing happens elsewhere in a sandbox
	}
	base.Reserve = action.Reserve{Bucket: in.config.Reserve.Name, Account: in.config.Reserve.Account, Key: in.config.Reserve.Key}
	base.EvidenceDir, base.FightWindow = filepath.Join(in.config.State, "evidence"), time.Duration(in.config.Fights.Window)
	for _, p := range in.config.Pipelines {
		base.Pipelines = append(base.Pipelines, p.pipeline())
	}
	base.Reporter = &report.Writer{Dir: in.reports(), Builder: report.Builder{
		Store: base.Store, Timeline: base.Timeline, Findings: base.Findings, Blind: base.Blind, Undos: base.Undos, Outbox: base.Outbox, Objectives: respond.Objectives(books),
	}}
	return base, nil
}

func (in *installation) reports() string { return filepath.Join(in.config.State, "reports") }

// channels are the configured ones; without any, messages go to the log. Those of AWS go through g.
func (in *installation) channels(g *gate.Gate) ([]notify.Channel, error) {
	if in.extra.channels != nil && !in.extra.configured {
		return in.extra.channels, nil
	}
	entries := in.config.Channels
	if len(entries) == 0 {
		entries = []entry{{Type: "console"}}
	}
	services := notify.Services{Clock: in.clock, Logger: slog.New(audible{in.log.Handler()}), Gate: g}
	if in.db != nil {
		services.Incident = in.db.Get
	}
	all := slices.Clone(in.extra.channels)
	for i, e := range entries {
		n, err := notify.New(notify.Config{Type: e.Type, Decode: e.Decode}, services)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.place("channels", i), err)
		}
		all = append(all, e.channel(fmt.Sprintf("%s/%d", e.Type, i+1), n))
	}
	return all, nil
}

// channel paces as the entry says, else as its type takes it.
func (e entry) channel(name string, n notify.Notifier) notify.Channel {
	c := notify.Channel{Name: name, Notifier: n, Kinds: e.Kinds}
	if k, ok := notify.Find(e.Type); ok {
		c.PerMinute = k.PerMinute
	}
	if e.PerMinute != 0 {
		c.PerMinute = e.PerMinute
	}
	return c
}

// audible lets messages to people through whatever the level of the log: where it is the only channel, they must not be
// lost because somebody wants less of the rest.
type audible struct{ slog.Handler }

// Enabled is true from Info on.
func (a audible) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || a.Handler.Enabled(ctx, level)
}

// sources are the configured ones.
func (in *installation) sources(g *gate.Gate, dead source.DeadLetters) ([]source.Source, error) {
	services := source.Services{Gate: g, Dead: dead, Clock: in.clock, Logger: in.log, State: filepath.Join(in.config.State, "sources")}
	if in.db != nil {
		services.Snapshots, services.Hearings = in.db, in.db
	}
	in.listeners = nil
	var all []source.Source
	for i, e := range in.config.Sources {
		s, err := source.New(source.Config{Type: e.Type, Decode: e.Decode}, services)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.place("sources", i), err)
		}
		if _, ok := s.(source.Hearer); ok {
			return nil, fmt.Errorf("%s: %s is no source of events, but a section of its own", e.place("sources", i), e.Type)
		}
		if l, ok := s.(source.Listener); ok {
			in.listeners = append(in.listeners, l)
		}
		all = append(all, s)
	}
	if !in.config.Heart.isThere() {
		return all, nil
	}
	return in.withHeartbeat(all, services)
}

// withHeartbeat adds the heartbeat, which listens to the others.
func (in *installation) withHeartbeat(all []source.Source, services source.Services) ([]source.Source, error) {
	heart, err := source.New(source.Config{Type: "heartbeat", Decode: in.config.Heart.Decode}, services)
	if err != nil {
		return nil, fmt.Errorf("heartbeat (line %d): %w", in.config.Heart.line, err)
	}
	hearer, ok := heart.(source.Hearer)
	if !ok {
		return nil, fmt.Errorf("the source %T hears nobody", heart)
	}
	for i, e := range in.config.Sources {
		kind, _ := source.Find(e.Type) // it is there: a source of it was made
		all[i] = source.Around(all[i], hearer.Hear(fmt.Sprintf("%s/%d", e.Type, i+1), kind.SilentAfter))
	}
	return append(all, heart), nil
}

// seen tells the sources that want to know of an event that no runbook responds to.
func (in *installation) seen(e cloudtrail.Envelope) {
	for _, l := range in.listeners {
		l.Seen(e)
	}
}

// whoAnswers is the operating system's user, mapped to a person by the directory. An unmapped one may only annotate.
func (in *installation) whoAnswers() (respond.Answerer, error) {
	u, err := user.Current()
	if err != nil {
		return respond.Answerer{}, fmt.Errorf("who are you: %w", err)
	}
	person, names, ok := in.people.ByOSUser(u.Username)
	if !ok {
		return respond.Answerer{Name: u.Username, Names: []string{u.Username}}, nil
	}
	return respond.Answerer{Name: person.Name, Names: append(names, person.Name, u.Username), IsKnown: true}, nil
}

// regionsOf are the regions in which an account's trails are looked for.
func (a accountConfig) regionsOf(fallback string) []string {
	if len(a.Regions) > 0 {
		return a.Regions
	}
	if fallback != "" {
		return []string{fallback}
	}
	return nil
}

func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, incident.ErrNotFound)
}

func sortedCopy(texts []string) []string {
	out := slices.Clone(texts)
	slices.Sort(out)
	return out
}
