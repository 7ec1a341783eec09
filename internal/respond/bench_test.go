// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/cloudtrail"
	_ "github.com/switchback-project/switchback/internal/action/contact"
	_ "github.com/switchback-project/switchback/internal/action/identity"
	_ "github.com/switchback-project/switchback/internal/action/notify"
	_ "github.com/switchback-project/switchback/internal/action/report"
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
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/runbooks"
)

const region = "eu-west-1"

// world is a pipeline on disk, over a sandbox of several accounts whose trails can be stopped.
type world struct {
	box    *sandbox.Sandbox
	db     *sqlite.DB
	ledger *ledger.Ledger
	system *respond.System
	seeded []sandbox.Seeded

	mu        sync.Mutex
	contained map[incident.ID]time.Time
}

func open(tb testing.TB, accounts int) *world {
	tb.Helper()
	ctx := tb.Context()
	w := &world{contained: map[incident.ID]time.Time{}}
	var err error
	if w.box, err = sandbox.New(sandbox.Options{}); err != nil {
		tb.Fatal(err)
	}
	access := map[string]gate.Access{}
	for i := range accounts {
		s, err := w.box.Seed(ctx, sandbox.Seed{Account: fmt.Sprintf("%012d", 100_000_000_000+i), Region: region})
		if err != nil {
			tb.Fatal(err)
		}
		w.seeded = append(w.seeded, s)
		if i > 0 {
			access[s.Account] = gate.Access{RoleARN: s.ResponderARN}
		}
	}
	w.openSystem(tb, access)
	for _, s := range w.seeded {
		door := w.system.Gate.Door(gate.Scope{})
		if _, err := state.TakeSnapshots(ctx, door, s.Account, []string{region}, w.db, time.Now()); err != nil {
			tb.Fatal(err)
		}
	}
	return w
}

func (w *world) openSystem(tb testing.TB, access map[string]gate.Access) {
	tb.Helper()
	ctx, dir := tb.Context(), tb.TempDir()
	folder, err := objects.OpenFolder(filepath.Join(dir, "ledger"))
	if err != nil {
		tb.Fatal(err)
	}
	if w.ledger, err = ledger.Open(ctx, folder, ledger.Options{}); err != nil {
		tb.Fatal(err)
	}
	if w.db, err = sqlite.Open(ctx, filepath.Join(dir, "switchback.db"), sqlite.Options{}); err != nil {
		tb.Fatal(err)
	}
	books, err := runbook.LoadAll(runbooks.FS)
	if err != nil {
		tb.Fatal(err)
	}
	policy, err := gate.ParsePolicy([]gate.Rule{{Mode: "act"}}, gate.Known{})
	if err != nil {
		tb.Fatal(err)
	}
	w.system, err = respond.Open(ctx, respond.Parts{
		Stores: w.db, Executions: w.db.Executions(), Ledger: w.ledger, Runbooks: books, Policy: policy,
		Gate:  gate.Options{Backend: w.box, Accounts: access, Region: region, Budget: gate.Budget{Restoring: []string{"restore-trail"}}},
		Clock: time.Now, Logger: slog.New(slog.DiscardHandler), PollEvery: time.Hour, Watch: w.watch,
		Services: func(base action.Services, _ *gate.Gate) (action.Services, error) { return services(base, dir, books) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.system.Run(running) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
		if err := w.ledger.Close(context.WithoutCancel(ctx)); err != nil {
			tb.Error(err)
		}
		if err := w.db.Close(); err != nil {
			tb.Error(err)
		}
	})
}

func services(base action.Services, dir string, books []*runbook.Runbook) (action.Services, error) {
	dispatcher, err := notify.NewDispatcher(base.Outbox, []notify.Channel{{Name: "nowhere", Notifier: nowhere{}}}, notify.Options{})
	base.FightWindow = time.Nanosecond // a fight would wait in real time; the scenarios of cloudtrail-off show it
	base.Messenger, base.EvidenceDir = dispatcher, filepath.Join(dir, "evidence")
	base.People = contact.NewChain(nil, incident.Person{Name: "Security team", Email: "security@example.com"})
	base.History = state.EventHistory{}
	base.Reporter = &report.Writer{Dir: filepath.Join(dir, "reports"), Builder: report.Builder{
		Store: base.Store, Timeline: base.Timeline, Findings: base.Findings, Blind: base.Blind, Undos: base.Undos, Outbox: base.Outbox, Objectives: respond.Objectives(books),
	}}
	return base, err
}

type nowhere struct{}

func (nowhere) Notify(context.Context, incident.Message) ([]string, bool, error) {
	return []string{"nowhere"}, false, nil
}

func (nowhere) ReachesHuman() bool { return true }

// watch notes when the desired state was read back.
func (w *world) watch(e incident.Entry) {
	if e.Kind != incident.EntryProof {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.contained[e.Incident]; !ok {
		w.contained[e.Incident] = time.Now()
	}
}

// stop stops the trail of an account in the sandbox, and returns the event as a source would deliver it.
func (w *world) stop(tb testing.TB, i int) source.Delivery {
	tb.Helper()
	s := w.seeded[i]
	_, err := w.box.Invoke(tb.Context(), "CloudTrail.StopLogging", json.RawMessage(`{"Name":"main"}`), gate.Request{
		Account: s.Account, Region: region, AccessKeyID: s.AccessKeys["alice"], UserAgent: "aws-cli/2.17.60", RequestID: fmt.Sprintf("attack-%d", i),
	})
	if err != nil {
		tb.Fatal(err)
	}
	record, err := cloudtrail.ParseRecord(fmt.Appendf(nil, `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%[1]s:user/alice","accountId":"%[1]s","userName":"alice","accessKeyId":%[2]q},
		"eventTime":%[3]q,"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.17.60",
		"requestParameters":{"name":%[4]q},"requestID":"attack-%[5]d","eventID":"event-%[5]d","eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%[1]s","eventCategory":"Management"}`,
		s.Account, s.AccessKeys["alice"], time.Now().UTC().Format(time.RFC3339), s.TrailARN, i))
	if err != nil {
		tb.Fatal(err)
	}
	return source.Delivery{Envelope: cloudtrail.Wrap(record), Via: "test"}
}

// BenchmarkRestart is the time from the receipt of an event to the accepted restart, at 100 incidents a second, each in
// an account of its own: p50-ms and p99-ms. Everything is on disk, with full durability.
func BenchmarkRestart(b *testing.B) {
	const rate = 100
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	respond.UseProcessors()
	n := max(b.N, 300)
	w := open(b, n)
	events := make([]source.Delivery, n)
	for i := range events {
		events[i] = w.stop(b, i)
	}
	began := make([]time.Time, n)
	b.ResetTimer()
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	var wait sync.WaitGroup
	for i, e := range events {
		<-tick.C
		wait.Go(func() {
			began[i] = time.Now()
			if err := w.system.Handle(b.Context(), e); err != nil {
				b.Error(err)
			}
		})
	}
	wait.Wait()
	w.await(b, n)
	b.StopTimer()
	took := w.latencies(b, began)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// await waits until every incident is contained.
func (w *world) await(b *testing.B, n int) {
	b.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		w.mu.Lock()
		have := len(w.contained)
		w.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			b.Fatalf("only %d of %d were contained", have, n)
		}
	}
}

func (w *world) latencies(b *testing.B, began []time.Time) []time.Duration {
	b.Helper()
	list, err := w.db.List(b.Context(), incident.Filter{})
	if err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for _, inc := range list {
		var i int
		if _, err := fmt.Sscanf(string(inc.Events[0]), "event-%d", &i); err != nil {
			b.Fatal(err)
		}
		took = append(took, w.contained[inc.ID].Sub(began[i]))
	}
	slices.Sort(took)
	return took
}
