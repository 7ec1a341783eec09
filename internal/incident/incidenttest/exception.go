// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incidenttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
)

func exception(id string) incident.Exception {
	return incident.Exception{
		ID: id, Resource: trail, Events: []string{"UpdateTrail"}, Fields: []string{"KmsKeyId"},
		Principals: []string{"arn:aws:iam::111122223333:role/Operator"}, Until: noon.Add(time.Hour), Ticket: hostile,
		AddedBy: "alice", AddedNames: []string{"alice", "alice@example.com"}, AddedAt: noon,
	}
}

func testExceptions(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	a, b, c := exception("a"), exception("b"), exception("c")
	c.Resource = "arn:aws:s3:::logs-111122223333"
	for _, e := range []incident.Exception{c, b, a} {
		must(t, s.AddException(ctx, e))
	}
	if err := s.AddException(ctx, a); !errors.Is(err, incident.ErrConflict) {
		t.Errorf("a second of one id: %v, want ErrConflict", err)
	}
	listed := func(name string, f incident.ExceptionFilter, want ...incident.Exception) {
		t.Helper()
		got, err := reopen(t).ListExceptions(ctx, f)
		must(t, err)
		equal(t, name, want, got)
	}
	listed("all", incident.ExceptionFilter{}, c, b, a)
	listed("of a resource", incident.ExceptionFilter{Resource: trail}, b, a)
	b, err := s.UpdateException(ctx, "b", func(e *incident.Exception) error {
		e.ApprovedBy, e.ApprovedAt, e.EndedAt, e.SettledAt = "bob", noon.Add(time.Minute), noon.Add(2*time.Minute), noon.Add(3*time.Minute)
		e.Accept("event", noon, []string{"KmsKeyId"}, json.RawMessage(`{"KmsKeyId":"<&>"}`))
		return nil
	})
	must(t, err)
	if b.ApprovedBy != "bob" {
		t.Errorf("the update returns %+v", b)
	}
	listed("all", incident.ExceptionFilter{}, c, b, a)
	listed("unsettled", incident.ExceptionFilter{Unsettled: true}, c, a)
	refused := errors.New("refused")
	if _, err := s.UpdateException(ctx, "a", func(e *incident.Exception) error { e.Ticket = "half"; return refused }); !errors.Is(err, refused) {
		t.Errorf("error of the change: %v", err)
	}
	listed("after a change that failed", incident.ExceptionFilter{Resource: trail, Unsettled: true}, a)
	if _, err := s.UpdateException(ctx, "none", func(*incident.Exception) error { return nil }); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("unknown exception: %v, want ErrNotFound", err)
	}
}

// testExceptionsConcurrently lets many accept changes under one exception through two connections.
func testExceptionsConcurrently(t *testing.T, open Opener) {
	s, reopen := open(t)
	doors := []Stores{s, reopen(t)}
	must(t, s.AddException(t.Context(), exception("a")))
	var wait sync.WaitGroup
	for n := range 20 {
		wait.Go(func() {
			_, err := doors[n%2].UpdateException(t.Context(), "a", func(e *incident.Exception) error {
				e.Accept(cloudtrail.EventID(fmt.Sprint(n)), noon, []string{"KmsKeyId"}, json.RawMessage(`{}`))
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	all, err := s.ListExceptions(t.Context(), incident.ExceptionFilter{})
	must(t, err)
	if len(all) != 1 || len(all[0].Accepted.Events) != 20 {
		t.Errorf("%+v has not all 20 changes", all)
	}
}

func testRestores(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	restore := func(resource, execution, actor string, after time.Duration) incident.Restore {
		return incident.Restore{Resource: resource, Execution: execution, Incident: one, Actor: actor, At: noon.Add(after)}
	}
	first, second := restore(trail, "x", "mallory", time.Minute), restore(trail, "x-2", hostile, 2*time.Minute)
	elsewhere := restore("arn:aws:s3:::logs", "y", "mallory", 0)
	for _, r := range []incident.Restore{second, first, elsewhere, restore(trail, "x", "eve", time.Hour)} {
		must(t, s.RecordRestore(ctx, r))
	}
	for name, test := range map[string]struct {
		filter incident.RestoreFilter
		want   []incident.Restore
	}{
		"all":           {incident.RestoreFilter{}, []incident.Restore{elsewhere, first, second}},
		"resource":      {incident.RestoreFilter{Resource: trail}, []incident.Restore{first, second}},
		"actor":         {incident.RestoreFilter{Actor: "mallory"}, []incident.Restore{elsewhere, first}},
		"hostile actor": {incident.RestoreFilter{Actor: hostile}, []incident.Restore{second}},
		"since":         {incident.RestoreFilter{Since: noon.Add(time.Minute)}, []incident.Restore{first, second}},
		"all of it":     {incident.RestoreFilter{Resource: trail, Actor: "mallory", Since: noon.Add(2 * time.Minute)}, nil},
	} {
		got, err := reopen(t).ListRestores(ctx, test.filter)
		must(t, err)
		equal(t, name, test.want, got)
	}
}
