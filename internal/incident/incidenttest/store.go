// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incidenttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
)

func testAdmit(t *testing.T, open Opener) {
	s, reopen := open(t)
	first := candidate(key(), 1)
	opened := admit(t, s, first, incident.Opened)
	want := incident.Incident{
		ID: incident.NewID("cloudtrail-off", first.Event, noon), Key: key(), Title: first.Title, Trigger: first.Trigger,
		Severity: incident.Medium, Status: incident.Open, Region: "eu-central-1", Count: 1, Events: []cloudtrail.EventID{first.Event},
		Times: incident.Times{Occurred: noon, Delivered: noon.Add(time.Second), Received: noon.Add(2 * time.Second)},
	}
	equal(t, "opened incident", want, opened)

	second := candidate(key(), 2)
	second.Severity, second.OccurredAt = incident.Critical, noon.Add(time.Hour)
	joined := admit(t, s, second, incident.Joined)
	want.Count, want.Events, want.Severity = 2, []cloudtrail.EventID{first.Event, second.Event}, incident.Critical
	equal(t, "joined incident", want, joined)

	third := candidate(key(), 3)
	third.Severity = incident.Low
	want.Count, want.Events = 3, append(want.Events, third.Event)
	equal(t, "incident joined by a lesser event", want, admit(t, s, third, incident.Joined))

	for _, again := range []incident.Candidate{first, second} {
		equal(t, "incident of a duplicate", want, admit(t, s, again, incident.Duplicate))
	}
	equal(t, "incident in another process", want, get(t, reopen(t), opened.ID))
	admit(t, reopen(t), first, incident.Duplicate)
}

// testAdmitConcurrently lets 100 goroutines on two connections admit the same 10 events, 5 of each of two incidents.
func testAdmitConcurrently(t *testing.T, open Opener) {
	s, reopen := open(t)
	doors := []Stores{s, reopen(t)}
	other := key()
	other.Outcome = incident.Attempted
	var (
		mu    sync.Mutex
		count = map[incident.Disposition]int{}
		ids   = map[incident.ID]bool{}
		wait  sync.WaitGroup
	)
	for n := range 100 {
		wait.Go(func() {
			c := candidate([]incident.Key{key(), other}[n%2], n%10)
			i, disposition, err := doors[n/50].Admit(t.Context(), c)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			count[disposition]++
			ids[i.ID] = true
		})
	}
	wait.Wait()
	equal(t, "dispositions", map[incident.Disposition]int{incident.Opened: 2, incident.Joined: 8, incident.Duplicate: 90}, count)
	if len(ids) != 2 {
		t.Errorf("%d incidents, want 2", len(ids))
	}
	for id := range ids {
		if i := get(t, s, id); i.Count != 5 || len(i.Events) != 5 {
			t.Errorf("incident %s counts %d events and lists %d, want 5", id, i.Count, len(i.Events))
		}
	}
}

func testAdmitRunbooks(t *testing.T, open Opener) {
	s, _ := open(t)
	other := key()
	other.Runbook = "log-integrity"
	one := admit(t, s, candidate(key(), 1), incident.Opened)
	two := admit(t, s, candidate(other, 1), incident.Opened)
	if one.ID == two.ID {
		t.Errorf("both runbooks have incident %s", one.ID)
	}
	admit(t, s, candidate(other, 1), incident.Duplicate)
	nothing := candidate(key(), 1)
	nothing.Event = ""
	if i, _, err := s.Admit(t.Context(), nothing); err == nil {
		t.Errorf("an event without an id was admitted to %s", i.ID)
	}
}

func testAdmitClosed(t *testing.T, open Opener) {
	s, _ := open(t)
	first := admit(t, s, candidate(key(), 1), incident.Opened)
	for _, status := range []incident.Status{incident.Acknowledged, incident.Closed} {
		_, err := s.Update(t.Context(), first.ID, func(i *incident.Incident) error { i.Status = status; return nil })
		must(t, err)
		if status == incident.Acknowledged {
			admit(t, s, candidate(key(), 2), incident.Joined)
		}
	}
	second := admit(t, s, candidate(key(), 3), incident.Opened)
	if second.ID == first.ID {
		t.Errorf("the closed incident %s was opened again", first.ID)
	}
	if i := admit(t, s, candidate(key(), 1), incident.Duplicate); i.ID != first.ID {
		t.Errorf("an event of %s belongs to %s now", first.ID, i.ID)
	}
	_, err := s.Update(t.Context(), first.ID, func(i *incident.Incident) error { i.Status = incident.Open; return nil })
	if !errors.Is(err, incident.ErrConflict) {
		t.Errorf("two open incidents with one key: %v, want ErrConflict", err)
	}
}

func testAdmitManyEvents(t *testing.T, open Opener) {
	s, _ := open(t)
	i := admit(t, s, candidate(key(), 0), incident.Opened)
	const more = incident.MaxEvents + 5
	for n := range more {
		i = admit(t, s, candidate(key(), n+1), incident.Joined)
	}
	if i.Count != more+1 || len(i.Events) != incident.MaxEvents {
		t.Errorf("counts %d and lists %d events, want %d and %d", i.Count, len(i.Events), more+1, incident.MaxEvents)
	}
	if last := candidate(key(), more); admit(t, s, last, incident.Duplicate).Count != more+1 {
		t.Error("an event that is not listed was counted again")
	}
}

func testGet(t *testing.T, open Opener) {
	s, _ := open(t)
	if _, err := s.Get(t.Context(), "20260504-none-00000000"); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("unknown incident: %v, want ErrNotFound", err)
	}
	c := candidate(key(), 1)
	c.Title, c.Key.Resource = hostile, hostile
	equal(t, "hostile incident", admit(t, s, c, incident.Opened), get(t, s, incident.NewID("cloudtrail-off", c.Event, noon)))
}

func testUnclosed(t *testing.T, open Opener) {
	s, reopen := open(t)
	if _, err := s.Unclosed(t.Context(), key()); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("no incident: %v, want ErrNotFound", err)
	}
	opened := admit(t, s, candidate(key(), 1), incident.Opened)
	other := key()
	other.EventName = "DeleteTrail"
	admit(t, s, candidate(other, 2), incident.Opened)
	for _, status := range []incident.Status{incident.Open, incident.Acknowledged} {
		_, err := s.Update(t.Context(), opened.ID, func(i *incident.Incident) error { i.Status = status; return nil })
		must(t, err)
		got, err := reopen(t).Unclosed(t.Context(), key())
		must(t, err)
		if got.ID != opened.ID || got.Status != status {
			t.Errorf("got %s, %s", got.ID, got.Status)
		}
	}
	_, err := s.Update(t.Context(), opened.ID, func(i *incident.Incident) error { i.Status = incident.Closed; return nil })
	must(t, err)
	if _, err := s.Unclosed(t.Context(), key()); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("a closed incident: %v, want ErrNotFound", err)
	}
	again := admit(t, s, candidate(key(), 3), incident.Opened)
	if got, err := s.Unclosed(t.Context(), key()); err != nil || got.ID != again.ID {
		t.Errorf("got %s, %v, want %s", got.ID, err, again.ID)
	}
}

func testList(t *testing.T, open Opener) {
	s, _ := open(t)
	var ids []incident.ID
	for n := range 6 {
		k := key()
		k.EventName = fmt.Sprint(n)
		k.Runbook = []string{"cloudtrail-off", "log-integrity"}[n%2]
		k.Account = []string{"111122223333", "444455556666"}[n/3]
		ids = append(ids, admit(t, s, candidate(k, n), incident.Opened).ID)
	}
	for n, status := range map[int]incident.Status{1: incident.Acknowledged, 2: incident.Closed} {
		_, err := s.Update(t.Context(), ids[n], func(i *incident.Incident) error { i.Status = status; return nil })
		must(t, err)
	}
	for name, test := range map[string]struct {
		filter incident.Filter
		want   []int
	}{
		"all":            {incident.Filter{}, []int{5, 4, 3, 2, 1, 0}},
		"limit":          {incident.Filter{Limit: 2}, []int{5, 4}},
		"next page":      {incident.Filter{Limit: 2, Before: ids[4]}, []int{3, 2}},
		"past the end":   {incident.Filter{Before: ids[0]}, nil},
		"open":           {incident.Filter{Statuses: []incident.Status{incident.Open}}, []int{5, 4, 3, 0}},
		"two statuses":   {incident.Filter{Statuses: []incident.Status{incident.Closed, incident.Acknowledged}}, []int{2, 1}},
		"runbook":        {incident.Filter{Runbook: "log-integrity"}, []int{5, 3, 1}},
		"account":        {incident.Filter{Account: "111122223333"}, []int{2, 1, 0}},
		"all conditions": {incident.Filter{Statuses: []incident.Status{incident.Open}, Runbook: "log-integrity", Account: "444455556666", Limit: 1, Before: ids[5]}, []int{3}},
	} {
		got, err := s.List(t.Context(), test.filter)
		must(t, err)
		var want, have []incident.ID
		for _, n := range test.want {
			want = append(want, ids[n])
		}
		for _, i := range got {
			have = append(have, i.ID)
		}
		equal(t, name, want, have)
	}
}

func testUpdate(t *testing.T, open Opener) {
	s, reopen := open(t)
	id := admit(t, s, candidate(key(), 1), incident.Opened).ID
	want, err := s.Update(t.Context(), id, func(i *incident.Incident) error {
		i.Summary, i.Open, i.Related = hostile, []string{"look at it"}, []incident.ID{"20260503-x-00000000"}
		i.Who = incident.Who{Principal: "arn:aws:iam::111122223333:user/alice", Status: "resolved", Chain: []string{"a", "b"}}
		i.Runs = append(i.Runs, incident.Run{Execution: "x", StartedAt: noon})
		i.Facts = map[string]json.RawMessage{"Gather": json.RawMessage(`{"n":12345678901234567890.5}`)}
		i.Times.Contained = noon
		// A change may read the store that it is made in.
		_, err := s.Get(t.Context(), id)
		return err
	})
	must(t, err)
	equal(t, "updated incident", want, get(t, reopen(t), id))
	if want.Summary != hostile || want.Count != 1 {
		t.Errorf("update returned %+v", want)
	}

	refused := errors.New("refused")
	_, err = s.Update(t.Context(), id, func(i *incident.Incident) error { i.Summary = "half"; return refused })
	if !errors.Is(err, refused) {
		t.Errorf("error of the change: %v", err)
	}
	equal(t, "incident after a change that failed", want, get(t, s, id))
	_, err = s.Update(t.Context(), "20260504-none-00000000", func(*incident.Incident) error { return nil })
	if !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("unknown incident: %v, want ErrNotFound", err)
	}
}

// testUpdateConcurrently counts in one incident from many goroutines while events join it.
func testUpdateConcurrently(t *testing.T, open Opener) {
	s, reopen := open(t)
	doors := []Stores{s, reopen(t)}
	id := admit(t, s, candidate(key(), 0), incident.Opened).ID
	var wait sync.WaitGroup
	for n := range 20 {
		wait.Go(func() {
			_, err := doors[n%2].Update(t.Context(), id, func(i *incident.Incident) error {
				i.Open = append(i.Open, fmt.Sprint(n))
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		wait.Go(func() {
			if _, _, err := doors[n%2].Admit(t.Context(), candidate(key(), n+1)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	i := get(t, s, id)
	if slices.Sort(i.Open); len(slices.Compact(i.Open)) != 20 || i.Count != 21 {
		t.Errorf("%d of 20 changes and %d of 21 events are there", len(i.Open), i.Count)
	}
}
