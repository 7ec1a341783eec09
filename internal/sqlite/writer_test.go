// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sqlite"
)

func candidate(event string) incident.Candidate {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	return incident.Candidate{
		Key:   incident.Key{Runbook: "cloudtrail-off", Account: "111122223333", Resource: "trail/" + event, EventName: "StopLogging", Outcome: incident.Succeeded},
		Title: "CloudTrail turned off", Trigger: "logging stopped", Severity: incident.High, Region: "eu-central-1",
		Event: cloudtrail.EventID(event), Envelope: json.RawMessage(`{"detail":{"eventName":"StopLogging"}}`), OccurredAt: at, ReceivedAt: at,
	}
}

// TestOneFailureSpoilsNoOther mixes writes that fail after they changed something with writes that do not, so that
// transactions are rolled back and run again.
func TestOneFailureSpoilsNoOther(t *testing.T) {
	db := open(t, fresh(t), sqlite.Options{})
	key := incident.Key{Runbook: "cloudtrail-off", Resource: "trail/taken"}
	closed, taken := candidate("closed"), candidate("taken")
	closed.Key, taken.Key = key, key
	old, _, err := db.Admit(t.Context(), closed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Update(t.Context(), old.ID, func(i *incident.Incident) error { i.Status = incident.Closed; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Admit(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for n := range 100 {
		wait.Go(func() {
			if _, disposition, err := db.Admit(t.Context(), candidate(fmt.Sprint(n))); err != nil || disposition != incident.Opened {
				t.Errorf("event %d: %s, %v", n, disposition, err)
			}
		})
		wait.Go(func() {
			_, err := db.Update(t.Context(), old.ID, func(i *incident.Incident) error { i.Status = incident.Open; return nil })
			if !errors.Is(err, incident.ErrConflict) {
				t.Errorf("a second open incident with the key: %v", err)
			}
		})
	}
	wait.Wait()
	all, err := db.List(t.Context(), incident.Filter{Statuses: []incident.Status{incident.Open}})
	if err != nil || len(all) != 101 {
		t.Errorf("%d open incidents, want 101, error %v", len(all), err)
	}
	for _, i := range all {
		if i.Count != 1 {
			t.Errorf("incident %s counts %d events", i.ID, i.Count)
		}
	}
}

func TestOwnCallsAreRecognised(t *testing.T) {
	path := fresh(t)
	db, other := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	call := gate.Call{ID: "c1", Incident: "i1", Service: "CloudTrail", Operation: "StartLogging", IsMutation: true, Outcome: gate.Pending, StartedAt: at}
	if err := db.Intend(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	call.Outcome, call.RequestID, call.EarlierRequestIDs = gate.Sent, "r3", []string{"r1", "r2"}
	if err := db.Done(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	if err := db.Done(t.Context(), gate.Call{ID: "c2", Incident: "i1", Outcome: gate.Refused, StartedAt: at.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"r1": true, "r2": true, "r3": true, "r4": false, "": false} {
		if got, err := other.IsOwn(t.Context(), id); err != nil || got != want {
			t.Errorf("request %q is ours: %v, %v, want %v", id, got, err, want)
		}
	}
	calls, err := other.Calls(t.Context(), "i1")
	if err != nil || len(calls) != 2 || calls[0].Outcome != gate.Sent || calls[1].ID != "c2" {
		t.Errorf("calls of the incident: %+v, %v", calls, err)
	}
	if err := db.Prune(t.Context(), at.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	calls, err = other.Calls(t.Context(), "i1")
	if isOwn, ownErr := other.IsOwn(t.Context(), "r1"); isOwn || err != nil || ownErr != nil || len(calls) != 1 {
		t.Errorf("after pruning r1 is ours: %v, %d calls, %v", isOwn, len(calls), errors.Join(err, ownErr))
	}
}

func TestExpiredSessionsArePruned(t *testing.T) {
	db := open(t, fresh(t), sqlite.Options{})
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for n, key := range []string{"ASIAOLDEXAMPLE", "ASIANEWEXAMPLE"} {
		s := incident.IssuedSession{AccessKeyID: key, EventID: cloudtrail.EventID(key), IssuedAt: at, ExpiresAt: at.Add(time.Duration(n+1) * time.Hour)}
		if err := db.PutIssued(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Prune(t.Context(), at.Add(90*time.Minute)); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"ASIAOLDEXAMPLE": 0, "ASIANEWEXAMPLE": 1} {
		if got, err := db.IssuedBy(t.Context(), key); err != nil || len(got) != want {
			t.Errorf("%s: %d sessions, want %d, error %v", key, len(got), want, err)
		}
	}
}

// The environment of a child process, which admits events until it is killed and prints each one that is durable.
const childPath = "SWITCHBACK_TEST_DB"

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := admitForEver(context.Background(), path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func admitForEver(ctx context.Context, path string) error {
	db, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	if err := db.Executions().RenewLease(ctx, fmt.Sprint("owner", os.Getpid()), time.Now().Add(time.Hour)); err != nil {
		return err
	}
	errs := make(chan error)
	for worker := range 8 {
		go func() {
			for n := 0; ; n++ {
				event := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, n)
				if _, _, err := db.Admit(ctx, candidate(event)); err != nil {
					errs <- err
				}
				fmt.Println(event)
			}
		}()
	}
	return <-errs
}

// TestKilledProcessesLoseNothing kills two processes that write to one file, five times: what they said is durable is
// there, and their leases are seen to be dead.
func TestKilledProcessesLoseNothing(t *testing.T) {
	path := fresh(t)
	db := open(t, path, sqlite.Options{})
	durable := map[string]bool{}
	for round := range 5 {
		var children []*exec.Cmd
		var lines []*bufio.Scanner
		for range 2 {
			command := exec.CommandContext(t.Context(), os.Args[0])
			command.Env, command.Stderr = append(os.Environ(), childPath+"="+path), os.Stderr
			out, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			children, lines = append(children, command), append(lines, bufio.NewScanner(out))
		}
		for i, command := range children {
			for n := 0; lines[i].Scan(); n++ {
				durable[lines[i].Text()] = true
				if n == 20+30*round {
					if err := command.Process.Kill(); err != nil {
						t.Error(err)
					}
				}
			}
			var exit *exec.ExitError
			if err := command.Wait(); !errors.As(err, &exit) || exit.Exited() {
				t.Errorf("process ended by itself: %v", err)
			}
		}
	}
	for event := range durable {
		if _, err := db.Evidence(t.Context(), cloudtrail.EventID(event)); err != nil {
			t.Error(err)
		}
	}
	owners, err := db.Executions().Owners(t.Context())
	if err != nil || len(owners) != 10 {
		t.Errorf("%d leases, want 10, error %v", len(owners), err)
	}
	for _, o := range owners {
		if !o.IsDead {
			t.Errorf("the process of %s was killed, and its lease looks alive", o.Owner)
		}
		if isDone, err := db.Executions().Abandon(t.Context(), o, time.Now()); !isDone || err != nil {
			t.Errorf("abandon %s: %v, %v", o.Owner, isDone, err)
		}
	}
}

func TestLivingOwnerIsKnown(t *testing.T) {
	path := fresh(t)
	one, two := open(t, path, sqlite.Options{}).Executions(), open(t, path, sqlite.Options{}).Executions()
	if err := one.RenewLease(t.Context(), "serve", time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []*sqlite.Executions{one, two} {
		owners, err := x.Owners(t.Context())
		if err != nil || len(owners) != 1 || owners[0].IsDead {
			t.Errorf("leases %+v, %v", owners, err)
		}
	}
	if err := two.RenewLease(t.Context(), "serve", time.Now()); !errors.Is(err, sqlite.ErrOwnerLives) {
		t.Errorf("a second engine of the same name: %v, want ErrOwnerLives", err)
	}
	if _, err := engine.Open(t.Context(), two, nil, nil, engine.Options{Owner: "serve"}); !errors.Is(err, sqlite.ErrOwnerLives) {
		t.Errorf("a second engine of the same name: %v, want ErrOwnerLives", err)
	}
}

// BenchmarkAdmit opens incidents from 100 goroutines, each durable before the next of its goroutine.
func BenchmarkAdmit(b *testing.B) {
	db := open(b, fresh(b), sqlite.Options{})
	var n atomic.Int64
	var wait sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range 100 {
		wait.Go(func() {
			for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
				if _, _, err := db.Admit(b.Context(), candidate(fmt.Sprint(i))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wait.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "incidents/s")
}
