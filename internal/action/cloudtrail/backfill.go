// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "cloudtrail:Backfill", Summary: "read what no trail recorded from Event history, at half the quota, and keep it as evidence",
		Class: "read", Permissions: []string{"cloudtrail:LookupEvents"},
	}, backfill))
}

const (
	// perVisit and perRegion bound the requests of one visit of the state: some seconds, then others have the worker.
	perVisit, perRegion = 30, 5
	// settling is how long after the window its events may still come to Event history, where no delivery proved more.
	// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html
	settling = 5 * time.Minute
	// whenThrottled is how long a visit leaves a region alone that refused for want of quota, or did not answer.
	whenThrottled = 30
	// maxTook is when a backfill ends, read or not: a state machine's history has an end too.
	maxTook = 2 * time.Hour
	// maxRefusals is after how many visits in a row without an answer a region is given up: ten minutes and more.
	maxRefusals = 20
)

type backfillParams struct{}

// backfilled is the output of Backfill; see the package comment.
type backfilled struct {
	Done            bool            `json:"done"`
	NextAfter       int             `json:"next_after"`
	Reason          string          `json:"reason"`
	From            time.Time       `json:"from,omitzero"`
	Until           time.Time       `json:"until,omitzero"`
	EstimateSeconds int             `json:"estimate_seconds"`
	Requests        int             `json:"requests"`
	Events          int             `json:"events"`
	ByOrder         []orderCount    `json:"by_order"`
	Regions         []regionOutcome `json:"regions"`
	File            string          `json:"file"`
	Bytes           int64           `json:"bytes"`
	Lost            []string        `json:"lost"`
	WhoCan          string          `json:"who_can"`
	Gaps            []string        `json:"gaps"`
}

type orderCount struct {
	Order  string `json:"order"`
	Events int    `json:"events"`
}

// regionOutcome is a region that had events, or that was not read to the end.
type regionOutcome struct {
	Region  string `json:"region"`
	Outcome string `json:"outcome"`
	Events  int    `json:"events"`
}

// backfiller is one visit.
type backfiller struct {
	env     *action.Env
	windows []incident.BlindWindow // all of the incident
	pending []incident.BlindWindow // those that are to be read now
	cursor  cursor
	used    map[string]int // requests of this visit, by region
	held    bool           // a region refused for want of quota, or did not answer
	sink    sink
}

func backfill(ctx context.Context, env *action.Env, _ backfillParams) (backfilled, error) {
	if env.Incident.ID == "" || env.Blind == nil || env.Store == nil || env.Timeline == nil || env.EvidenceDir == "" {
		return backfilled{}, invalid(errors.New("a backfill needs an incident, its stores and an evidence folder"))
	}
	b := &backfiller{env: env, used: map[string]int{}}
	if err := b.load(ctx); err != nil {
		return backfilled{}, err
	}
	switch rest := b.cursor.Until.Add(settling).Sub(env.Now()); {
	case len(b.pending) == 0 && !b.cursor.IsDone:
		return b.out("nothing that Event history keeps was lost"), nil
	case b.cursor.IsDone:
		return b.finish(ctx)
	case rest > 0 && !b.isProven():
		out := b.out("Event history may not be complete yet")
		out.Done, out.NextAfter = false, int(rest/time.Second)+1
		return out, nil
	}
	if !b.cursor.IsTold {
		if err := b.tell(ctx); err != nil {
			return backfilled{}, err
		}
	}
	return b.visit(ctx)
}

// isProven: a log file of after the windows has arrived, so Event history has what is older.
func (b *backfiller) isProven() bool {
	return !slices.ContainsFunc(b.pending, func(w incident.BlindWindow) bool { return w.Proven.IsZero() })
}

// load reads the ledger and how far an earlier visit came.
func (b *backfiller) load(ctx context.Context) error {
	var err error
	if b.windows, err = b.env.Blind.ListBlindWindows(ctx, b.env.Incident.ID); err != nil {
		return fmt.Errorf("read the blind windows: %w", err)
	}
	for _, w := range b.windows {
		if w.IsRecoverable() && w.Backfilled.IsZero() && (len(b.pending) == 0 || w.Account == b.pending[0].Account) {
			b.pending = append(b.pending, w)
		}
	}
	if b.cursor, err = loadCursor(ctx, b.env); err != nil || len(b.pending) == 0 {
		return err
	}
	if from := b.pending[0].Lost; !b.cursor.From.Equal(from) {
		keys, err := b.sessionKeys(ctx)
		if err != nil {
			return err
		}
		b.cursor = newCursor(b.pending, keys, b.env.Regions, b.env.Now())
	}
	return nil
}

// visit asks for some pages, then keeps what came and how far it is.
func (b *backfiller) visit(ctx context.Context) (backfilled, error) {
	began := b.env.Now()
	if began.Sub(b.cursor.Began) > maxTook {
		b.cursor.giveUp("not read to the end: " + maxTook.String() + " are over")
	}
	if err := b.openSink(); err != nil {
		return backfilled{}, err
	}
	err := b.read(ctx)
	if closeErr := b.closeSink(); err == nil {
		err = closeErr
	}
	if err != nil {
		return backfilled{}, err
	}
	b.cursor.IsDone = b.cursor.isRead()
	if err := b.cursor.save(ctx, b.env); err != nil {
		return backfilled{}, err
	}
	if b.cursor.IsDone {
		return b.finish(ctx)
	}
	out := b.out("reading " + orders[b.cursor.Order])
	out.Done, out.NextAfter = false, b.wait(b.env.Now().Sub(began))
	return out, nil
}

// wait is how long to leave the quota to others: a request a second in each region, over visit and wait.
func (b *backfiller) wait(took time.Duration) int {
	if b.held {
		return whenThrottled
	}
	most := 1
	for _, n := range b.used {
		most = max(most, n-int(took/time.Second))
	}
	return most
}

// read goes around the regions, and from one order to the next, until the visit has made its requests.
func (b *backfiller) read(ctx context.Context) error {
	total := 0
	for !b.cursor.isRead() {
		asked := total
		for i := range b.cursor.Places {
			p := &b.cursor.Places[i]
			if p.IsDone || b.used[p.Region] >= perRegion {
				continue
			}
			if total == perVisit {
				return nil
			}
			total++
			b.used[p.Region]++
			if err := b.page(ctx, p); err != nil {
				return err
			}
		}
		if b.cursor.isOrderRead() {
			b.cursor.next()
		} else if total == asked {
			return nil // every region that is left had its share
		}
	}
	return nil
}

// finish closes the windows that were read in all their regions, and says what came of it.
func (b *backfiller) finish(ctx context.Context) (backfilled, error) {
	c := &b.cursor
	var put []incident.BlindWindow
	for _, w := range b.pending {
		if !slices.ContainsFunc(regionsOf(w, b.env.Regions), c.isMissing) {
			w.Backfilled = b.env.Now()
			put = append(put, w)
		}
	}
	if err := b.env.Blind.PutBlindWindows(ctx, put...); err != nil {
		return backfilled{}, fmt.Errorf("note that the blind windows were backfilled: %w", err)
	}
	out := b.out(fmt.Sprintf("%d events of the blind window were kept from Event history (%d requests)", c.Events, c.Requests))
	return out, b.note(ctx, "done", incident.EntryProof, out.Reason, out)
}
