// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "cloudtrail:Gather", Summary: "the event, the trail before and after, earlier attempts, what else the session did",
		Class: "read",
		Permissions: []string{
			"cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetInsightSelectors",
			"cloudtrail:GetTrailStatus", "cloudtrail:ListTags", "cloudtrail:LookupEvents",
		},
	}, gather))
}

type gatherParams struct {
	subjectParams
	Want *config `json:"want"`
}

// gathered is the output of Gather; see the package comment.
type gathered struct {
	Event         eventFacts `json:"event"`
	Before        config     `json:"before"`
	After         config     `json:"after"`
	Attempts      []call     `json:"attempts"`
	AttemptsTotal int        `json:"attempts_total"`
	Session       []call     `json:"session"`
	SessionTotal  int        `json:"session_total"`
	Gaps          []string   `json:"gaps"`
}

// eventFacts is the event as a report shows it.
type eventFacts struct {
	EventID    cloudtrail.EventID `json:"event_id"`
	EventName  string             `json:"event_name"`
	EventTime  time.Time          `json:"event_time,omitzero"`
	Principal  string             `json:"principal"`
	SourceIP   string             `json:"source_ip"`
	UserAgent  string             `json:"user_agent"`
	AccessKey  string             `json:"access_key"`
	Region     string             `json:"region"`
	Account    string             `json:"account"`
	ErrorCode  string             `json:"error_code"`
	Parameters json.RawMessage    `json:"parameters"`
}

// call is one line of a list of calls.
type call struct {
	EventID   cloudtrail.EventID `json:"event_id"`
	EventTime time.Time          `json:"event_time"`
	EventName string             `json:"event_name"`
	Service   string             `json:"service,omitempty"`
	Region    string             `json:"region,omitempty"`
	Principal string             `json:"principal"`
	SourceIP  string             `json:"source_ip"`
	ErrorCode string             `json:"error_code,omitempty"`
}

const (
	// around is how far before and after the event the session's other calls are of interest.
	around = time.Hour
	// maxCalls bounds each list of calls.
	maxCalls = 12
	// maxParameters bounds the event's parameters, which the attacker wrote.
	maxParameters = 2 << 10
)

// gatherer collects for one output. Nothing that it cannot read stops it: what is missing is a gap.
type gatherer struct {
	env     *action.Env
	subject subject
	out     gathered
}

func gather(ctx context.Context, env *action.Env, p gatherParams) (gathered, error) {
	s, err := p.find(ctx, env)
	if err != nil {
		return gathered{}, err
	}
	g := &gatherer{env: env, subject: s}
	g.out.Attempts, g.out.Session = []call{}, []call{}
	g.event()
	for _, step := range []func(context.Context) error{g.after, g.attempts, g.session} {
		if err := step(ctx); ctx.Err() != nil {
			return gathered{}, ctx.Err()
		} else if err != nil {
			g.gap("%v", err)
		}
	}
	if err := g.before(ctx, p.Want); err != nil {
		return gathered{}, err
	}
	g.out.Gaps = list(g.out.Gaps)
	return g.out, nil
}

func (g *gatherer) gap(format string, args ...any) {
	g.out.Gaps = append(g.out.Gaps, fmt.Sprintf(format, args...))
}

func (g *gatherer) event() {
	r := g.subject.record
	if r == nil {
		g.out.Event.Parameters = json.RawMessage("{}")
		return
	}
	g.out.Event = eventFacts{
		EventID: r.EventID, EventName: r.EventName, EventTime: r.EventTime, Principal: brief(principal(r)),
		SourceIP: brief(r.SourceIPAddress), UserAgent: brief(r.UserAgent), AccessKey: r.UserIdentity.AccessKeyID,
		Region: r.AWSRegion, Account: r.RecipientAccountID, ErrorCode: brief(r.ErrorCode),
		Parameters: json.RawMessage("{}"),
	}
	if n := len(r.RequestParameters); n > maxParameters {
		g.gap("the event's parameters are %d bytes and shown in the evidence only", n)
	} else if n > 0 {
		g.out.Event.Parameters = r.RequestParameters
	}
}

// principal is who called, as far as the record says.
func principal(r *cloudtrail.Record) string {
	for _, name := range []string{r.UserIdentity.ARN, r.UserIdentity.UserName, r.UserIdentity.PrincipalID, r.UserIdentity.InvokedBy} {
		if name != "" {
			return name
		}
	}
	return r.UserIdentity.Type
}

// before shows the wanted configuration where it was given, else what is known from before the event.
func (g *gatherer) before(ctx context.Context, w *config) error {
	if w != nil && !w.isEmpty() {
		t, err := w.resolve(ctx, g.env, g.subject.target.ARN)
		if err != nil {
			return invalid(err)
		}
		g.out.Before = g.short(t, "before")
		return nil
	}
	at := g.env.Now()
	if g.subject.record != nil {
		at = g.subject.record.EventTime
	}
	f, err := fromSnapshot(ctx, g.env, g.subject.target, at)
	if err != nil {
		return err
	}
	if !f.isKnown {
		g.gap("the trail before the event: no snapshot of it was taken")
		return nil
	}
	g.out.Before = g.short(f.trail, "before")
	return nil
}

func (g *gatherer) after(ctx context.Context) error {
	t, _, err := state.ReadTrail(ctx, g.env.Door, g.subject.target)
	if errors.Is(err, incident.ErrNotFound) {
		g.gap("the trail is not there now")
		return nil
	}
	if err != nil {
		return fmt.Errorf("the trail as it is now was not read: %w", err)
	}
	g.out.After = g.short(t, "as it is now")
	return nil
}

func (g *gatherer) short(t trail.Trail, which string) config {
	if len(t.JSON()) > maxInline {
		g.gap("the trail %s is shown without its selectors and tags, which are large", which)
		t.EventSelectors, t.AdvancedEventSelectors, t.InsightSelectors, t.Tags = nil, nil, nil, nil
	}
	return config{Trail: t}
}

// attempts are earlier calls that turned the trail off, deleted it or changed it, failed ones too.
func (g *gatherer) attempts(ctx context.Context) error {
	until := g.env.Now()
	if g.subject.record != nil {
		until = g.subject.record.EventTime
	}
	records, gaps, err := pastCalls(ctx, g.env, g.subject.target, until)
	g.out.Gaps = append(g.out.Gaps, gaps...)
	g.out.Attempts, g.out.AttemptsTotal = g.calls(records, false)
	return err
}

// session is what else was done with the same access key.
func (g *gatherer) session(ctx context.Context) error {
	r := g.subject.record
	switch {
	case r == nil:
		return nil
	case r.UserIdentity.AccessKeyID == "":
		g.gap("what else the session did was not searched: the event names no access key")
		return nil
	case g.env.History == nil:
		g.gap("what else the session did was not searched: no history is at hand")
		return nil
	}
	var found []cloudtrail.Record
	regions := slices.Compact([]string{r.AWSRegion, arn.PartitionOf(r.AWSRegion).GlobalRegion})
	for _, region := range regions {
		records, gaps, err := g.env.History.Lookup(ctx, g.env.Door, state.Query{
			Account: r.RecipientAccountID, Region: region, AccessKeyID: r.UserIdentity.AccessKeyID,
			From: r.EventTime.Add(-around), To: r.EventTime.Add(around),
		})
		g.out.Gaps = append(g.out.Gaps, gaps...)
		if err != nil {
			return fmt.Errorf("what else the session did was not searched in %s: %w", region, err)
		}
		found = append(found, records...)
	}
	g.gap("what else the session did was searched in %s only", strings.Join(regions, " and "))
	g.out.Session, g.out.SessionTotal = g.calls(found, true)
	return nil
}

// calls lists records but the event itself, the newest of them when there are too many, and says how many there are.
func (g *gatherer) calls(records []cloudtrail.Record, withPlace bool) ([]call, int) {
	slices.SortStableFunc(records, func(a, b cloudtrail.Record) int { return a.EventTime.Compare(b.EventTime) })
	out := []call{}
	seen := map[cloudtrail.EventID]bool{}
	if g.subject.record != nil {
		seen[g.subject.record.EventID] = true
	}
	for i := range records {
		r := &records[i]
		if seen[r.EventID] {
			continue
		}
		seen[r.EventID] = true
		c := call{
			EventID: r.EventID, EventTime: r.EventTime, EventName: brief(r.EventName), Principal: brief(principal(r)),
			SourceIP: brief(r.SourceIPAddress), ErrorCode: brief(r.ErrorCode),
		}
		if withPlace {
			c.Service, c.Region = brief(r.EventSource), r.AWSRegion
		}
		out = append(out, c)
	}
	return out[max(0, len(out)-maxCalls):], len(out)
}
