// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

// ErrApprovalOver tells that nobody approved in time. Silence never approves.
var ErrApprovalOver = errors.New("it was asked for too long ago: ask again")

// What is asked for waits so long for a second person; half-way whoever is on call is told.
const (
	approvalTime = time.Hour
	approvalHalf = approvalTime / 2
)

// The timers of a request for approval.
const (
	keyApprovalHalf = "approval/on-call"
	keyApprovalOver = "approval/over"
)

// inTime refuses a request whose deadline has passed, whether or not its timer has fired.
func (q *request) inTime(now time.Time) error {
	if !q.At.IsZero() && !now.Before(q.At.Add(approvalTime)) {
		return ErrApprovalOver
	}
	return nil
}

func (r *Responder) setDeadline(ctx context.Context, id incident.ID) error {
	now := r.clock()
	for key, after := range map[string]time.Duration{keyApprovalHalf: approvalHalf, keyApprovalOver: approvalTime} {
		t := incident.Timer{Incident: id, Key: key, Kind: incident.TimerApproval, DueAt: now.Add(after).UTC()}
		if err := r.o.Services.Timers.Schedule(ctx, t); err != nil {
			return fmt.Errorf("set the deadline of the request: %w", err)
		}
	}
	return nil
}

// approvalIsDue tells whoever is on call that something waits, and in the end takes the request back. One that was approved
// or rejected meanwhile is none any more.
func (r *Responder) approvalIsDue(ctx context.Context, inc incident.Incident, t incident.Timer) error {
	var asked request
	if err := asked.read(inc); errors.Is(err, ErrNotAsked) {
		return nil
	} else if err != nil {
		return err
	}
	if t.Key == keyApprovalHalf {
		return r.askToApprove(ctx, inc, asked)
	}
	if asked.inTime(r.clock()) == nil {
		return nil // asked again meanwhile, which moved the timer
	}
	err := r.update(ctx, inc.ID, func(i *incident.Incident) { delete(i.Facts, requestFact) })
	if err != nil {
		return fmt.Errorf("take the request back: %w", err)
	}
	text := fmt.Sprintf("nobody approved the undo of %s that %s asked for within %s: it is not done", inc.ID, asked.By, approvalTime)
	if err := r.o.Services.Timeline.Append(ctx, incident.Entry{
		Incident: inc.ID, At: r.clock(), Kind: incident.EntryDecision, Key: fmt.Sprintf("%s/%d", t.Key, asked.At.Unix()), Text: text,
	}); err != nil {
		return err
	}
	return r.announce(ctx, inc, text)
}

// askToApprove tells whoever is on call, else the fallback.
func (r *Responder) askToApprove(ctx context.Context, inc incident.Incident, asked request) error {
	people, err := r.peopleAs(ctx, inc, "on-call")
	if err != nil {
		return err
	}
	why := fmt.Sprintf("%s asked to undo what the incident changed. A second person must approve until %s: switchback incident approve %s. Silence approves nothing.",
		asked.By, asked.At.Add(approvalTime).UTC().Format("2006-01-02 15:04:05 UTC"), inc.ID)
	params, err := json.Marshal(telling{To: "fallback", People: people, Why: why})
	if err != nil {
		return fmt.Errorf("describe whom to ask: %w", err)
	}
	err = r.runOutside(ctx, inc, "notify:Send", string(params), fmt.Sprintf("%s/%d", keyApprovalHalf, asked.At.Unix()))
	if isNotDelivered(err) {
		return nil // it is on the timeline; the deadline holds all the same
	}
	return err
}
