// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
)

func numbered(n int, severity incident.Severity) incident.Message {
	m := notifytest.Message()
	m.ID, m.Severity = fmt.Sprintf("m-%s-%d", severity, n), severity
	return m
}

// Noise waits for its turn, and what matters does not wait behind it.
func TestPace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	busy, other := &script{}, &script{}
	d := w.dispatcher(t, notify.Channel{Name: "paced", Notifier: busy, PerMinute: 2}, named("other", other))
	for i, want := range []time.Duration{0, 0, 30 * time.Second, 30 * time.Second} {
		w.waits = nil
		if _, err := d.Send(t.Context(), numbered(i, incident.Low)); err != nil {
			t.Fatal(err)
		}
		if got := sum(w.waits); got != want {
			t.Errorf("message %d waited %s, want %s", i, got, want)
		}
	}
	w.waits = nil
	for i := range 10 {
		if _, err := d.Send(t.Context(), numbered(i, incident.Critical)); err != nil || len(w.waits) > 0 {
			t.Fatalf("a critical one waited %v, %v", w.waits, err)
		}
	}
	if _, err := d.Send(t.Context(), numbered(9, incident.Low)); err != nil || sum(w.waits) > 2*time.Minute {
		t.Errorf("after many critical ones a low one waited %v, %v", w.waits, err)
	}
	if len(busy.got) != 15 || len(other.got) != 15 {
		t.Errorf("%d and %d messages", len(busy.got), len(other.got))
	}
}

func sum(all []time.Duration) (total time.Duration) {
	for _, d := range all {
		total += d
	}
	return total
}

func TestWhoGivesUpWaitingIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, err := notify.NewDispatcher(w.db, []notify.Channel{{Name: "paced", Notifier: &script{}, PerMinute: 1}}, notify.Options{
		Clock: w.clock, Sleep: func(context.Context, time.Duration) error { return context.Canceled },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Send(t.Context(), numbered(1, incident.Low)); err != nil {
		t.Fatal(err)
	}
	got, err := d.Send(t.Context(), numbered(2, incident.Low))
	if !errors.Is(err, notify.ErrNotDelivered) || len(got) != 1 || !strings.Contains(got[0].Error, "more than 1 messages a minute") {
		t.Errorf("got %+v, %v", got, err)
	}
}

// follower is a channel that keeps a case of its own.
type follower struct {
	script
	followed []string
	fails    int
}

func (f *follower) Follow(_ context.Context, inc incident.Incident) ([]string, bool, error) {
	f.followed = append(f.followed, string(inc.Status))
	if f.fails > 0 {
		f.fails--
		return nil, false, notify.ErrDenied
	}
	return []string{"alert"}, false, nil
}

// opened is an incident in the store.
func (w *world) opened(t *testing.T, event string) incident.Incident {
	t.Helper()
	inc, _, err := w.db.Admit(t.Context(), incident.Candidate{
		Key:   incident.Key{Runbook: "cloudtrail-off", Account: "111122223333", Resource: "r-" + event, EventName: "StopLogging", Outcome: incident.Succeeded},
		Event: "e-1", OccurredAt: occurred, ReceivedAt: occurred, Severity: incident.High, Envelope: []byte("{}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return inc
}

// ticks follows until the n-th pause.
func (w *world) ticks(t *testing.T, n int, channels ...notify.Channel) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d, err := notify.NewDispatcher(w.db, channels, notify.Options{Clock: w.clock, Sleep: func(ctx context.Context, d time.Duration) error {
		if n--; n <= 0 {
			cancel()
			return ctx.Err()
		}
		return w.sleep(ctx, d)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Follow(ctx, w.db, 10*time.Second); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func (w *world) set(t *testing.T, id incident.ID, s incident.Status) {
	t.Helper()
	if _, err := w.db.Update(t.Context(), id, func(i *incident.Incident) error { i.Status = s; return nil }); err != nil {
		t.Fatal(err)
	}
}

// What a channel keeps follows the incident, once, over restarts; a channel that was never told of it is not told now.
func TestFollow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pager, late := &follower{}, &follower{}
	channels := []notify.Channel{named("pager", pager), named("late", late), named("log", &script{isWriter: true})}
	inc := w.opened(t, "1")
	m := notifytest.Message()
	m.Incident = inc.ID
	if _, err := w.dispatcher(t, channels[0], channels[2]).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	w.ticks(t, 2, channels...)
	w.set(t, inc.ID, incident.Acknowledged)
	w.ticks(t, 3, channels...)
	w.set(t, inc.ID, incident.Closed)
	w.ticks(t, 3, channels...)
	w.ticks(t, 3, channels...) // another process
	if diff := cmp.Diff([]string{"acknowledged", "closed"}, pager.followed); diff != "" || len(late.followed) > 0 {
		t.Errorf("the late one %v, %s", late.followed, diff)
	}
	all, err := w.db.Deliveries(t.Context(), inc.ID)
	if err != nil || len(all) != 4 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, d := range all[2:] {
		if d.ReachesHuman || !d.Accepted || d.Channel != "pager" {
			t.Errorf("got %+v", d)
		}
	}
}

// A channel that refuses is asked ever more rarely, and not once for each look.
func TestFollowGoesOnAfterFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pager := &follower{fails: 4}
	inc := w.opened(t, "1")
	m := notifytest.Message()
	m.Incident = inc.ID
	if _, err := w.dispatcher(t, named("pager", pager)).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	w.set(t, inc.ID, incident.Closed)
	w.ticks(t, 10, named("pager", pager))
	if len(pager.followed) != 4 { // after 0, 10, 30 and 70 of 90 seconds
		t.Errorf("asked %d times", len(pager.followed))
	}
	w.ticks(t, 2, named("pager", pager))
	if len(pager.followed) != 5 {
		t.Errorf("asked %d times", len(pager.followed))
	}
}

func TestWithoutAFollowerNobodyLooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.dispatcher(t, named("log", &script{})).Follow(t.Context(), nil, time.Second); err != nil {
		t.Error(err)
	}
}

// An incident that was closed before anybody was told of it ends elsewhere too.
func TestFollowWhatIsToldLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pager := &follower{}
	inc := w.opened(t, "1")
	w.set(t, inc.ID, incident.Closed)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ticks, d := 0, w.dispatcher(t, named("pager", pager))
	tell := notify.Options{Clock: w.clock, Sleep: func(ctx context.Context, pause time.Duration) error {
		switch ticks++; ticks {
		case 2:
			m := notifytest.Message()
			m.Incident = inc.ID
			if _, err := d.Send(ctx, m); err != nil {
				t.Error(err)
			}
		case 6:
			cancel()
			return ctx.Err()
		}
		return w.sleep(ctx, pause)
	}}
	watching, err := notify.NewDispatcher(w.db, []notify.Channel{named("pager", pager)}, tell)
	if err != nil {
		t.Fatal(err)
	}
	if err := watching.Follow(ctx, w.db, 10*time.Second); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"closed"}, pager.followed); diff != "" {
		t.Error(diff)
	}
}
