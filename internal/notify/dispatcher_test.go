// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// script is a channel that answers as it is told, then accepts.
type script struct {
	mu       sync.Mutex
	answers  []answer
	got      []incident.Message
	isWriter bool
}

type answer struct {
	to    []string
	retry bool
	err   error
}

func (s *script) Notify(_ context.Context, m incident.Message) ([]string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, m)
	if len(s.answers) == 0 {
		return []string{"someone"}, false, nil
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	return a.to, a.retry, a.err
}

func (s *script) ReachesHuman() bool { return !s.isWriter }

// world is a dispatcher over a real store, in simulated time.
type world struct {
	db    *sqlite.DB
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{db: db, now: occurred}
}

func (w *world) sleep(_ context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waits = append(w.waits, d)
	w.now = w.now.Add(d)
	return nil
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) dispatcher(t *testing.T, channels ...notify.Channel) *notify.Dispatcher {
	t.Helper()
	d, err := notify.NewDispatcher(w.db, channels, notify.Options{
		Clock: w.clock, Sleep: w.sleep, Security: []incident.Person{{Name: "Security", Email: "security@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func named(name string, n notify.Notifier) notify.Channel {
	return notify.Channel{Name: name, Notifier: n}
}

func TestSendRetries(t *testing.T) {
	t.Parallel()
	busy := answer{nil, true, errors.New("busy")}
	refused := answer{nil, false, errors.New("refused")}
	waiting := answer{nil, true, &notify.RetryAfter{After: 7 * time.Second, Err: errors.New("slow down")}}
	forever := answer{nil, true, &notify.RetryAfter{After: time.Hour, Err: errors.New("slow down")}}
	for name, tt := range map[string]struct {
		answers  []answer
		accepted bool
		attempts int
		waits    []time.Duration
	}{
		"at once":             {nil, true, 1, nil},
		"at the third":        {[]answer{busy, busy}, true, 3, []time.Duration{time.Second, 2 * time.Second}},
		"never":               {[]answer{busy, busy, busy, busy, busy}, false, 4, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
		"refused":             {[]answer{refused}, false, 1, nil},
		"asked to wait":       {[]answer{waiting}, true, 2, []time.Duration{7 * time.Second}},
		"asked for too long":  {[]answer{forever}, true, 2, []time.Duration{30 * time.Second}},
		"some addresses only": {[]answer{{[]string{"a"}, true, errors.New("b is unknown")}}, true, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			d := w.dispatcher(t, named("only", &script{answers: tt.answers}))
			got, err := d.Send(t.Context(), notifytest.Message())
			if errors.Is(err, notify.ErrNotDelivered) == tt.accepted || len(got) != 1 {
				t.Fatalf("got %+v, %v", got, err)
			}
			if got[0].Accepted != tt.accepted || got[0].Attempts != tt.attempts || !got[0].At.Equal(w.now) {
				t.Errorf("got %+v", got[0])
			}
			if diff := cmp.Diff(tt.waits, w.waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// A message that a channel has is not given to it again, in this process or the next.
func TestSendOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good, bad := &script{}, &script{answers: []answer{{nil, false, errors.New("down")}}}
	m := notifytest.Message()
	first, err := w.dispatcher(t, named("good", good), named("bad", bad)).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	again, err := w.dispatcher(t, named("good", good), named("bad", bad)).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if len(good.got) != 1 || len(bad.got) != 2 {
		t.Errorf("good got it %d times, bad %d times, want 1 and 2", len(good.got), len(bad.got))
	}
	if diff := cmp.Diff(first[0], again[0]); diff != "" {
		t.Errorf("the first outcome changed (-want +got):\n%s", diff)
	}
	if first[1].Accepted || !again[1].Accepted || again[1].Channel != "bad" {
		t.Errorf("got %+v, then %+v", first[1], again[1])
	}
}

func TestSendChoosesChannels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	security, everything := &script{}, &script{isWriter: true}
	noAddress := &script{answers: []answer{{nil, false, notify.ErrNotAddressed}}}
	d := w.dispatcher(t,
		notify.Channel{Name: "security", Notifier: security, Kinds: []incident.MessageKind{incident.ToSecurity}},
		named("everything", everything), named("nobody", noAddress))
	m := notifytest.Message()
	m.Kind = incident.ToPerson
	got, err := d.Send(t.Context(), m)
	if err != nil || len(got) != 1 || got[0].Channel != "everything" || got[0].ReachesHuman || len(security.got) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSendToSecurityByDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := &script{}
	m := notifytest.Message()
	m.To = nil
	if _, err := w.dispatcher(t, named("only", c)).Send(t.Context(), m); err != nil || c.got[0].To[0].Email != "security@example.com" {
		t.Errorf("got %+v, %v", c.got, err)
	}
}

func TestSendWithoutChannels(t *testing.T) {
	t.Parallel()
	if got, err := newWorld(t).dispatcher(t).Send(t.Context(), notifytest.Message()); !errors.Is(err, notify.ErrNotDelivered) || len(got) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNewDispatcherRefusesTwoOfAName(t *testing.T) {
	t.Parallel()
	if _, err := notify.NewDispatcher(newWorld(t).db, []notify.Channel{named("a", &script{}), named("a", &script{})}, notify.Options{}); err == nil {
		t.Error("accepted")
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"https://example.com/x": true, "http://127.0.0.1:8080/": true, "http://localhost/": true, "http://[::1]/": true,
		"http://example.com/": false, "http://127.0.0.1.example.com/": false, "http://localhost.example.com/": false,
		"ftp://example.com/": false, "https://": false, "": false, "https://u:p@example.com/": false, "https://exa mple.com": false,
	} {
		if err := notify.CheckURL(url); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}
