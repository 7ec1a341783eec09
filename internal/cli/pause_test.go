// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// holding is an AWS whose first change takes as long as the test wants.
type holding struct {
	gate.Backend
	held, release chan struct{}

	mu      sync.Mutex
	changes []string
}

func (h *holding) Do(ctx context.Context, r gate.Request) (any, error) {
	if gate.IsRead(r.Service, r.Operation) || r.Service == "SQS" {
		return h.Backend.Do(ctx, r)
	}
	h.mu.Lock()
	h.changes = append(h.changes, r.Operation)
	isFirst := len(h.changes) == 1
	h.mu.Unlock()
	if isFirst {
		close(h.held)
		<-h.release
	}
	return h.Backend.Do(ctx, r)
}

func (h *holding) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.changes)
}

// TestPause: a pause that comes while a response is at work lets no further change through, in a process that only shares
// the store; when it is over, events are handled again.
func TestPause(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, r *run, config string){
		"resume": func(t *testing.T, _ *run, config string) { fine(t, "--config", config, "resume") },
		"expiry": func(t *testing.T, r *run, _ string) {
			until(t, "the end of the pause", func() bool {
				active, err := r.db.ActivePauses(t.Context(), time.Now())
				check(t, err)
				return len(active) == 0
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPaused(t)
			<-p.hold.held
			lasts := "1h"
			if name == "expiry" {
				lasts = "5s"
			}
			fine(t, "--config", p.beside, "pause", "--for", lasts, "--reason", "migration")
			close(p.hold.release)
			p.isStuck()
			end(t, p.run, p.beside)
			p.goesOn()
			p.stop()
		})
	}
}

// paused is a daemon at work in this process, on a sandbox of its own.
type paused struct {
	*run
	t    *testing.T
	box  *sandbox.Sandbox
	hold *holding
	// beside is a configuration with the same store and no AWS, for commands in other processes.
	beside string
	second arn.ARN
	stop   func()
}

func newPaused(t *testing.T) *paused {
	t.Helper()
	p := &paused{run: newScene(t).begin(t), t: t, second: arn.Trail(sceneRegion, "111122223333", "audit")}
	text, err := os.ReadFile(p.config)
	check(t, err)
	p.beside = writeFile(t, p.dir, "beside.yaml", strings.Replace(string(text), "aws: sandbox\n", "", 1))
	c, path, err := loadConfig(&grammar{Config: p.config})
	check(t, err)
	in, err := openInstallation(t.Context(), c, slog.New(slog.DiscardHandler))
	check(t, err)
	check(t, in.openBackend(t.Context()))
	p.box = in.extra.backend
	// A second trail, for without one that logs nobody would hear of the next attack.
	check(t, p.box.SeedTrail(t.Context(), string(p.second)))
	parts, err := in.parts()
	check(t, err)
	p.hold = &holding{Backend: p.box, held: make(chan struct{}), release: make(chan struct{})}
	parts.Gate.Backend = p.hold
	in.system, err = respond.Open(t.Context(), parts)
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- in.run(ctx, &streams{nil, os.Stdout, &output{}}, path) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		check(t, <-ended)
		check(t, in.close(context.WithoutCancel(ctx)))
	})
	t.Cleanup(p.stop)
	return p
}

// isStuck: the change that was on its way went through, nothing after it did, and the incident says so. The runbook goes on
// with what changes nothing: people are told, and a report is written.
func (p *paused) isStuck() {
	p.t.Helper()
	until(p.t, "the report of the paused response", func() bool {
		list := p.list()
		return len(list) == 1 && !list[0].Times.Reported.IsZero() && !list[0].Times.HumanReached.IsZero()
	})
	if got := p.hold.all(); !slices.Equal(got, []string{"CreateTrail"}) {
		p.t.Errorf("changes that reached AWS are %v, want the first alone", got)
	}
	one := showIncident(p.t, p.beside, p.list()[0].ID)
	if !one.Times.Contained.IsZero() || one.Status == incident.Closed {
		p.t.Errorf("the incident is contained at %s and %s; want neither contained nor closed", one.Times.Contained, one.Status)
	}
	isProblem := func(e incident.Entry) bool {
		return e.Kind == incident.EntryProblem && strings.Contains(e.Text, "StartLogging") && strings.Contains(e.Text, "Paused") && strings.Contains(e.Text, "migration")
	}
	if !slices.ContainsFunc(one.Timeline, isProblem) {
		p.t.Errorf("the timeline does not tell that StartLogging was paused and why: %+v", one.Timeline)
	}
}

// goesOn: the next attack is answered.
func (p *paused) goesOn() {
	p.t.Helper()
	input, err := json.Marshal(map[string]string{"Name": string(p.second)})
	check(p.t, err)
	_, err = p.box.Invoke(p.t.Context(), "CloudTrail.StopLogging", input, gate.Request{
		Account: p.seeded.Account, Region: sceneRegion, AccessKeyID: p.seeded.AccessKeys["bob"], UserAgent: demoAgent, RequestID: "attack-2",
	})
	check(p.t, err)
	until(p.t, "the response to the next attack", func() bool {
		list := p.list()
		i := slices.IndexFunc(list, func(i incident.Incident) bool { return i.Key.Resource == string(p.second) })
		return i >= 0 && !list[i].Times.Contained.IsZero()
	})
	if got := p.hold.all(); !slices.Equal(got, []string{"CreateTrail", "StartLogging"}) {
		p.t.Errorf("changes that reached AWS are %v, want the second trail to be started too", got)
	}
}

func (p *paused) list() []incident.Incident {
	p.t.Helper()
	list, err := p.db.List(p.t.Context(), incident.Filter{})
	check(p.t, err)
	return list
}
