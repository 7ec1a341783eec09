// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
)

// EventHistory is CloudTrail's own 90 days of management events, which are there without any trail, and after a stop.
// It is slow (two requests a second for an account and region): open the door with a Scope.Rate of 0.5 to leave half of
// the quota to others. The zero value works.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
type EventHistory struct {
	// Clock tells how far back the history reaches; nil is the machine's.
	Clock func() time.Time
}

var _ History = EventHistory{}

const (
	historyDays  = 90
	historyPage  = 50
	historyLimit = 1000
)

// Lookup searches one account and region. AWS filters by one attribute only, so it is asked by the rarest that the query
// has (the caller's key, the issued key, the resource, each event name), and the rest is filtered here. An endpoint that
// has no Event history is a gap; a refusal is an error.
func (h EventHistory) Lookup(ctx context.Context, door *gate.Door, q Query) ([]cloudtrail.Record, []string, error) {
	cfg, err := door.Config(ctx, q.Account, q.Region)
	if err != nil {
		return nil, nil, fmt.Errorf("look up events in %s: %w", q.Account, err)
	}
	s := search{client: api.NewFromConfig(cfg), query: q, filter: q, seen: map[cloudtrail.EventID]bool{}, place: cfg.Region}
	if s.query.Limit <= 0 {
		s.query.Limit = historyLimit
	}
	if oldest := h.now().AddDate(0, 0, -historyDays); q.From.Before(oldest) {
		s.gap("Event history reaches back to %s only", oldest.Format(time.DateOnly))
		s.query.From, s.filter.From = oldest, oldest
	}
	if q.AccessKeyID == "" && q.IssuedKeyID == "" {
		s.filter.ResourceName = "" // AWS looks for it, and knows a name in more forms than the record has
	}
	for _, a := range attributes(q) {
		if err := s.run(ctx, a); err != nil {
			return nil, s.gaps, err
		}
	}
	slices.Reverse(s.found) // AWS's order is newest first, which is all there is to know within a second
	slices.SortStableFunc(s.found, func(a, b cloudtrail.Record) int { return a.EventTime.Compare(b.EventTime) })
	return s.found, s.gaps, nil
}

func (h EventHistory) now() time.Time {
	if h.Clock == nil {
		return time.Now()
	}
	return h.Clock()
}

// attributes are what AWS is asked by, one request series each; one without attributes asks for everything.
func attributes(q Query) [][]types.LookupAttribute {
	by := func(key types.LookupAttributeKey, value string) []types.LookupAttribute {
		return []types.LookupAttribute{{AttributeKey: key, AttributeValue: aws.String(value)}}
	}
	switch {
	case q.AccessKeyID != "":
		return [][]types.LookupAttribute{by(types.LookupAttributeKeyAccessKeyId, q.AccessKeyID)}
	case q.IssuedKeyID != "":
		return [][]types.LookupAttribute{by(types.LookupAttributeKeyResourceName, q.IssuedKeyID)}
	case q.ResourceName != "":
		return [][]types.LookupAttribute{by(types.LookupAttributeKeyResourceName, q.ResourceName)}
	}
	var out [][]types.LookupAttribute
	for _, name := range q.EventNames {
		out = append(out, by(types.LookupAttributeKeyEventName, name))
	}
	if len(out) == 0 {
		out = append(out, nil)
	}
	return out
}

// search collects what one Lookup finds.
type search struct {
	client *api.Client
	query  Query
	filter Query
	place  string
	seen   map[cloudtrail.EventID]bool
	found  []cloudtrail.Record
	gaps   []string
}

func (s *search) gap(format string, args ...any) {
	s.gaps = append(s.gaps, fmt.Sprintf(format, args...))
}

func (s *search) run(ctx context.Context, by []types.LookupAttribute) error {
	in := &api.LookupEventsInput{LookupAttributes: by, MaxResults: aws.Int32(historyPage)}
	if !s.query.From.IsZero() {
		in.StartTime = aws.Time(s.query.From)
	}
	if !s.query.To.IsZero() {
		in.EndTime = aws.Time(s.query.To)
	}
	pages := api.NewLookupEventsPaginator(s.client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s.failed(ctx, err)
		}
		for _, e := range page.Events {
			s.add(aws.ToString(e.CloudTrailEvent))
		}
		if len(s.found) >= s.query.Limit {
			s.found = s.found[:s.query.Limit]
			s.gap("Event history of %s has more than the %d events that were read; the oldest are missing", s.place, s.query.Limit)
			return nil
		}
	}
	return nil
}

// failed turns an endpoint without Event history, or a search that broke off, into a gap.
func (s *search) failed(ctx context.Context, err error) error {
	var refused smithy.APIError
	if ctx.Err() != nil || errors.As(err, &refused) && refused.ErrorFault() != smithy.FaultServer && len(s.found) == 0 {
		return fmt.Errorf("look up events in %s: %w", s.place, err)
	}
	s.gap("Event history of %s was not searched to the end: %v", s.place, err)
	return nil
}

func (s *search) add(text string) {
	r, err := cloudtrail.ParseRecord([]byte(text))
	if err != nil {
		s.gap("an event of Event history could not be read: %v", err)
		return
	}
	if s.seen[r.EventID] || !s.filter.Matches(&r) {
		return
	}
	s.seen[r.EventID] = true
	s.found = append(s.found, r)
}

// Matches reports whether a record is what the query looks for. A History that cannot filter by itself filters with it.
// The account is not compared: a history is one account's.
func (q Query) Matches(r *cloudtrail.Record) bool {
	return !r.EventTime.Before(q.From) &&
		(q.To.IsZero() || !r.EventTime.After(q.To)) &&
		(len(q.EventNames) == 0 || slices.Contains(q.EventNames, r.EventName)) &&
		(q.AccessKeyID == "" || r.UserIdentity.AccessKeyID == q.AccessKeyID) &&
		(q.IssuedKeyID == "" || issued(r) == q.IssuedKeyID) &&
		(q.ResourceName == "" || mentions(r, q.ResourceName))
}

// issued is the access key that a call of STS returned.
func issued(r *cloudtrail.Record) string {
	key, _ := r.ResponseElement("credentials", "accessKeyId")
	return key
}

// mentions reports whether the request or the record's resources name the resource. The JSON text is searched for the
// name in quotes, which finds it wherever a service's parameters have it.
func mentions(r *cloudtrail.Record, name string) bool {
	for _, resource := range r.Resources {
		if resource.ARN == name {
			return true
		}
	}
	quoted := `"` + name + `"`
	return strings.Contains(string(r.RequestParameters), quoted) || strings.Contains(string(r.ResponseElements), quoted)
}
