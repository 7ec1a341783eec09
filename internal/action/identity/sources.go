// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// The sources of issuing events, as hops name them.
const (
	fromSessions = "sessions index"
	fromHistory  = "event history"
)

// Sources look for events among those that were received, and for what these lack in Event history.
type Sources struct {
	Received identity.Index
	// History may have no History: then there is none to ask.
	History *EventHistory
}

var _ identity.Index = Sources{}

func sourcesOf(env *action.Env) Sources {
	s := Sources{History: &EventHistory{History: env.History, Door: env.Door}}
	if store, ok := env.Sessions.(sessionIndex); ok {
		s.Received = store.SessionIndex()
	} else {
		s.Received = sessionsPort{env.Sessions, s.History}
	}
	return s
}

// Find implements identity.Index. Event history that fails is a gap.
func (s Sources) Find(ctx context.Context, c identity.Clue) ([]identity.Found, error) {
	found, err := s.Received.Find(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("search what was received: %w", err)
	}
	if s.History.History == nil || tells(found, c) {
		return found, nil
	}
	more, err := s.History.Find(ctx, c)
	return append(found, more...), err
}

// tells says whether what was found answers the clue: of a call across accounts, only the caller's copy does.
func tells(found []identity.Found, c identity.Clue) bool {
	return slices.ContainsFunc(found, func(f identity.Found) bool {
		return c.Kind != identity.ClueShared || f.Record.UserIdentity.Type != cloudtrail.IdentityAWSAccount
	})
}

// sessionIndex is what a store of sessions has that can be asked for more than keys and sessions.
type sessionIndex interface{ SessionIndex() identity.Store }

// sessionsPort is a store of sessions that has no more than its port.
type sessionsPort struct {
	sessions incident.Sessions
	history  *EventHistory // for gaps
}

// Find implements identity.Index.
func (p sessionsPort) Find(ctx context.Context, c identity.Clue) ([]identity.Found, error) {
	issued, err := p.sessions.IssuedBy(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	var found []identity.Found
	for _, i := range issued {
		r, err := cloudtrail.ParseRecord(i.Record)
		if err != nil {
			p.history.gap(fmt.Sprintf("issuing event %s cannot be read: %v", i.EventID, err))
			continue
		}
		found = append(found, identity.Found{Record: r, Source: fromSessions})
	}
	return found, nil
}
