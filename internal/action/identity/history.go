// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/state"
)

// EventHistory is an index over what AWS keeps by itself: by the key, session or instance that an event is about, else by
// the moment at which it must have happened. It is slow, and what cannot be searched is a gap, not an error. It belongs to
// one resolution at a time.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
type EventHistory struct {
	History state.History
	Door    *gate.Door

	gaps []string
}

var _ identity.Index = (*EventHistory)(nil)

// acrossAccounts are the calls that leave a copy in the account of the caller and in that of the role.
var acrossAccounts = []string{"AssumeRole", "AssumeRoot"}

// queries put a clue into the words of Event history, one for each region in which AWS may have recorded the event: that
// of the use, and the partition's global one, where older endpoints of STS and most sign-ins are.
func queries(c identity.Clue) []state.Query {
	q := state.Query{Account: c.Account, From: c.Since, To: c.Until, EventNames: identity.IssuerNames()}
	places := regions(c.Region)
	switch c.Kind {
	case identity.ClueKey:
		q.IssuedKeyID = c.ID
	case identity.ClueSession:
		q.ResourceName = c.ID
	case identity.ClueShared:
		q.EventNames = acrossAccounts
	case identity.ClueSignIn:
		q.EventNames = signInNames(c.ID)
	case identity.ClueInstance:
		q.ResourceName, q.EventNames = c.ID, identity.InstanceEventNames()
		places = places[:1] // instances and their events never leave their region
	}
	var all []state.Query
	for _, region := range places {
		q.Region = region
		all = append(all, q)
	}
	return all
}

// signInNames are the events that a sign-in may be, by the shape of its id: each name costs a request series.
func signInNames(id string) []string {
	switch {
	case arn.IsARN(id):
		return identity.SignInNames()
	case strings.Contains(id, ":"): // a role session, "AROA…:name"
		return []string{"ConsoleLogin", "SwitchRole"}
	}
	return []string{"ConsoleLogin"}
}

// regions are that of the use, first, and the global one of its partition.
func regions(used string) []string {
	global := arn.PartitionOf(used).GlobalRegion
	if used == "" || used == global {
		return []string{global}
	}
	return []string{used, global}
}

// Find implements identity.Index.
func (h *EventHistory) Find(ctx context.Context, c identity.Clue) ([]identity.Found, error) {
	var found []identity.Found
	for _, q := range queries(c) {
		records, gaps, err := h.History.Lookup(ctx, h.Door, q)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("search event history: %w", ctx.Err())
		}
		if err != nil {
			gaps = append(gaps, fmt.Sprintf("event history of %s in %s: %v", q.Account, q.Region, err))
		}
		for _, gap := range gaps {
			h.gap(gap)
		}
		for _, r := range records {
			found = append(found, identity.Found{Record: r, Source: fromHistory})
		}
	}
	return found, nil
}

// Gaps says in words what could not be searched.
func (h *EventHistory) Gaps() []string { return slices.Clone(h.gaps) }

func (h *EventHistory) gap(text string) {
	const most = 10
	if text = identity.Printable(text, maxName); len(h.gaps) < most && !slices.Contains(h.gaps, text) {
		h.gaps = append(h.gaps, text)
	}
}
