// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
)

// Memory is a Store over records at hand. It keeps of each what a resolution needs, without secrets, also of events that
// put hands on an instance. Its zero value is empty and usable.
type Memory struct {
	// Source is the name that Found carries.
	Source string

	mu   sync.RWMutex
	byID map[string][]*memorized
	// byCaller is by who got the session; see Branches.
	byCaller map[string][]*memorized
	events   map[cloudtrail.EventID]bool
}

// memorized is a record that leads back from ids, until a moment (zero: for ever).
type memorized struct {
	record cloudtrail.Record
	until  time.Time
}

var (
	_ Store    = (*Memory)(nil)
	_ Branches = (*Memory)(nil)
)

// Put implements Store.
func (m *Memory) Put(_ context.Context, records ...cloudtrail.Record) error {
	for _, r := range records {
		m.Add(r)
	}
	return nil
}

// Add indexes one record if it leads anywhere.
func (m *Memory) Add(r cloudtrail.Record) {
	ids, until, caller := instancesOf(&r), time.Time{}, ""
	if i, ok := IssueOf(r); ok {
		ids, until, caller = i.IDs(), i.ExpiresAt, i.CallerID()
	}
	if len(ids) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.events[r.EventID] {
		return
	}
	if m.byID == nil {
		m.byID, m.byCaller, m.events = map[string][]*memorized{}, map[string][]*memorized{}, map[cloudtrail.EventID]bool{}
	}
	m.events[r.EventID] = r.EventID != ""
	one := &memorized{slim(r), until}
	for _, id := range ids {
		m.byID[id] = append(m.byID[id], one)
	}
	if caller != "" {
		m.byCaller[caller] = append(m.byCaller[caller], one)
	}
}

// Find implements Index.
func (m *Memory) Find(_ context.Context, c Clue) ([]Found, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []Found
	for _, one := range m.byID[c.ID] {
		all = append(all, Found{Record: one.record, Source: m.Source})
	}
	return all, nil
}

// IssuedTo implements Branches.
func (m *Memory) IssuedTo(_ context.Context, callerID string, since time.Time) ([]Found, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []Found
	for _, one := range m.byCaller[callerID] {
		if !one.record.EventTime.Before(since) {
			all = append(all, Found{Record: one.record, Source: m.Source})
		}
	}
	slices.SortStableFunc(all, func(a, b Found) int { return a.Record.EventTime.Compare(b.Record.EventTime) })
	return all[:min(len(all), MaxBranches)], nil
}

// Prune implements Store.
func (m *Memory) Prune(_ context.Context, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, index := range []map[string][]*memorized{m.byID, m.byCaller} {
		for id, all := range index {
			kept := slices.DeleteFunc(all, func(one *memorized) bool {
				isOld := !one.until.IsZero() && one.until.Before(now.Add(-KeepFor))
				if isOld {
					delete(m.events, one.record.EventID)
				}
				return isOld
			})
			if index[id] = kept; len(kept) == 0 {
				delete(index, id)
			}
		}
	}
	return nil
}

// slim is what a resolution needs of an indexed record, apart from the memory that the whole of it shares.
func slim(r cloudtrail.Record) cloudtrail.Record {
	s := Slim(r)
	s.ResponseElements = bytes.Clone(cloudtrail.Redacted(r.ResponseElements)) // Redacted has room for what it took out
	s.AdditionalEventData = bytes.Clone(r.AdditionalEventData)
	if _, ok := handsOn[r.EventName]; ok {
		s.RequestParameters = bytes.Clone(cloudtrail.Redacted(r.RequestParameters))
	}
	return s
}

// Slim is what Resolve needs of the record that it begins with: a tenth of the whole, for those who keep many.
func Slim(r cloudtrail.Record) cloudtrail.Record {
	s := cloudtrail.Record{
		UserIdentity: r.UserIdentity, EventTime: r.EventTime, EventSource: r.EventSource, EventName: r.EventName, AWSRegion: r.AWSRegion,
		RequestID: r.RequestID, EventID: r.EventID, EventType: r.EventType, RecipientAccountID: r.RecipientAccountID,
		SharedEventID: r.SharedEventID, Addendum: r.Addendum, SessionCredentialFromConsole: r.SessionCredentialFromConsole,
	}
	switch {
	case r.UserIdentity.Type == cloudtrail.IdentitySAMLUser: // where the subject is withheld, the response names the session
		s.ResponseElements = cloudtrail.Redacted(r.ResponseElements)
	case slices.Contains(signIns, r.EventName):
		s.AdditionalEventData = bytes.Clone(r.AdditionalEventData)
	}
	return s
}
