// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

type serveCommand struct{}

// Help is the long help.
func (serveCommand) Help() string {
	return `Watches the configured sources, responds by the runbooks, reminds people, and keeps what trails look like, until it is
ended (Ctrl-C, SIGTERM). Killed at any point, it goes on where it was. The shipped default changes nothing: see policy:
in the configuration.

Example:
  switchback --config switchback.yaml serve`
}

// Run serves until the context ends.
func (serveCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	respond.UseProcessors()
	c, path, err := loadConfig(g)
	if err != nil {
		return err
	}
	in, err := openInstallation(ctx, c, g.logger(s))
	if err != nil {
		return err
	}
	return errors.Join(in.serve(ctx, s, path), in.close(ctx))
}

func (in *installation) serve(ctx context.Context, s *streams, path string) error {
	if err := in.openBackend(ctx); err != nil {
		return err
	}
	if err := in.openSystem(ctx); err != nil {
		return err
	}
	return in.run(ctx, s, path)
}

// run runs the opened pipeline until ctx is done.
func (in *installation) run(ctx context.Context, s *streams, path string) error {
	dead, err := openDead(in.config)
	if err != nil {
		return err
	}
	sources, err := in.sources(in.system.Gate, dead)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	answer, err := in.listenForAnswers(ctx)
	if err != nil {
		return err
	}
	in.sayHello(s, path)
	if err := in.firstSnapshots(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var house sync.WaitGroup
	house.Go(func() { in.keepSnapshots(ctx) })
	house.Go(func() { in.keepPruning(ctx) })
	house.Go(func() { _ = in.messages.Follow(ctx, in.db, followEvery) }) // it ends with ctx
	if answer != nil {
		house.Go(func() {
			if err := answer(ctx); err != nil && ctx.Err() == nil {
				in.log.ErrorContext(ctx, "the way to answer is closed", slog.Any("error", err))
			}
		})
	}
	err = in.system.Run(ctx, sources...)
	cancel()
	house.Wait()
	return err
}

// followEvery is how late an alert elsewhere is resolved at most: nobody waits for that.
const followEvery = 15 * time.Second

const noSources = "sources: none, no event will arrive; only reminders and running responses go on"

// sayHello says what this daemon is going to do, and what it cannot.
func (in *installation) sayHello(s *streams, path string) {
	fmt.Fprintf(s.err, "switchback %s: configuration %s, state %s\n", version, path, in.config.State)
	fmt.Fprintf(s.err, "mode: %s\n", in.config.modes())
	if len(in.config.Sources) == 0 {
		fmt.Fprintln(s.err, "warning:", noSources)
	}
	for _, w := range in.config.warnings() {
		fmt.Fprintf(s.err, "warning: %s\n", w)
	}
}

// openBackend opens the sandbox where the configuration asks for it.
func (in *installation) openBackend(ctx context.Context) error {
	if !in.isSandboxed() {
		return nil
	}
	file := firstText(in.config.Sandbox.State, filepath.Join(in.config.State, "sandbox.jsonl"))
	box, err := sandbox.Open(sandbox.Options{StateFile: file, DeliveryDelay: time.Duration(in.config.Sandbox.Delay)})
	if errors.Is(err, sandbox.ErrInUse) {
		return withHint(err, "stop switchback serve first: a sandbox lives in one process")
	}
	if err != nil {
		return fmt.Errorf("open the sandbox: %w", err)
	}
	in.extra.backend = box
	if _, err := box.Seed(ctx, sandbox.Seed{Region: in.config.Region}); err != nil {
		return fmt.Errorf("seed the sandbox: %w", err)
	}
	return nil
}

// isSandboxed reports whether the configuration asks for a sandbox that is not open yet.
func (in *installation) isSandboxed() bool {
	return in.config.AWS == "sandbox" && in.extra.backend == nil
}

// lateSandbox opens its sandbox at the first call: a daemon may have it open, and most decisions need no AWS.
type lateSandbox struct {
	open func() error
	once sync.Once
	err  error
	box  **sandbox.Sandbox
}

// Do implements gate.Backend.
func (l *lateSandbox) Do(ctx context.Context, r gate.Request) (any, error) {
	l.once.Do(func() { l.err = l.open() })
	if l.err != nil {
		return nil, l.err
	}
	return (*l.box).Do(ctx, r)
}

// firstSnapshots proves that AWS can be reached before anything is promised. An account that cannot be is named and the
// others go on; when none can, the daemon does not start.
func (in *installation) firstSnapshots(ctx context.Context) error {
	var failures []error
	accounts := in.accounts()
	for _, a := range accounts {
		if err := in.takeSnapshots(ctx, a); err != nil {
			failures = append(failures, fmt.Errorf("account %s: %w", firstText(a.ID, "of the credentials"), err))
		}
	}
	if len(failures) == len(accounts) && ctx.Err() == nil {
		return withHint(fmt.Errorf("no account can be read: %w", errors.Join(failures...)), hintAccess)
	}
	for _, err := range failures {
		in.log.ErrorContext(ctx, "keep what trails look like", slog.Any("error", err))
	}
	return nil
}

// hintAccess is the next step where AWS cannot be reached or refuses.
const hintAccess = "check credentials, region and AWS_ENDPOINT_URL; switchback iam policy --mode observe prints what must be allowed"

// accounts are the configured ones, else that of the credentials.
func (in *installation) accounts() []accountConfig {
	if len(in.config.Accounts) > 0 {
		return in.config.Accounts
	}
	return []accountConfig{{}}
}

func (in *installation) takeSnapshots(ctx context.Context, a accountConfig) error {
	door := in.system.Gate.Door(gate.Scope{Action: "snapshot"})
	id := a.ID
	if id == "" {
		who, err := in.system.Gate.Caller(ctx, "", in.config.Region)
		if err != nil {
			return fmt.Errorf("who are we: %w", err)
		}
		id = who.Account
	}
	taken, err := state.TakeBaseline(ctx, door, id, a.regionsOf(in.config.Region), in.keeper(), in.clock())
	if err != nil {
		return err
	}
	own, err := state.TakeOwn(ctx, door, in.ownIn(id), in.keeper(), in.clock())
	if err != nil {
		return err
	}
	taken.Gaps, taken.Drifts = append(taken.Gaps, own.Gaps...), append(taken.Drifts, own.Drifts...)
	for _, gap := range taken.Gaps {
		in.log.WarnContext(ctx, "could not be seen", slog.String("account_id", id), slog.String("gap", gap))
	}
	for _, d := range taken.Drifts {
		in.log.WarnContext(ctx, "weaker than it was", slog.String("account_id", id), slog.String("resource", string(d.Resource)), slog.Time("since", d.Since))
	}
	return nil
}

// ownIn are our own parts in an account.
func (in *installation) ownIn(account string) []trail.Dependency {
	return slices.DeleteFunc(slices.Clone(in.system.Services.Own), func(d trail.Dependency) bool { return d.Account != account })
}

// keeper keeps baselines in our store.
func (in *installation) keeper() state.Keeper {
	return state.Keeper{Into: in.db, Incidents: in.db, History: in.history()}
}

// keepSnapshots takes them again and again until ctx is done.
func (in *installation) keepSnapshots(ctx context.Context) {
	tick := time.NewTicker(in.config.snapshotsEvery())
	defer tick.Stop()
	looked := map[string]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, a := range in.accounts() {
			if !in.hasTrails(ctx, a) && in.clock().Sub(looked[a.ID]) < lookThrough {
				continue
			}
			looked[a.ID] = in.clock()
			if err := in.takeSnapshots(ctx, a); err != nil && ctx.Err() == nil {
				in.log.ErrorContext(ctx, "keep what trails look like", slog.String("account_id", a.ID), slog.Any("error", err))
			}
		}
	}
}

// lookThrough is how often an account is looked through that owns no trail: one of an organization's members, mostly.
const lookThrough = 6 * time.Hour

// hasTrails reports whether trails of an account are known. In doubt they are.
func (in *installation) hasTrails(ctx context.Context, a accountConfig) bool {
	snapshots, err := in.db.NewestSnapshots(ctx, state.KindTrail)
	return err != nil || a.ID == "" || slices.ContainsFunc(snapshots, func(s state.Snapshot) bool {
		p, err := s.Resource.Parse()
		return err == nil && p.AccountID == a.ID
	})
}

// How often what is no longer asked for is removed, and how old it is then. Events of a month ago still find the session
// they came from; no source brings older ones to a daemon.
const (
	pruneEvery = time.Hour
	keepFor    = 31 * 24 * time.Hour
)

// keepPruning removes expired sessions and old calls until ctx is done.
func (in *installation) keepPruning(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		now := in.clock()
		err := errors.Join(in.db.SessionIndex().Prune(ctx, now), in.db.Prune(ctx, now.Add(-keepFor)))
		if err != nil && ctx.Err() == nil {
			in.log.ErrorContext(ctx, "prune", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
