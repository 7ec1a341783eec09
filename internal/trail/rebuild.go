// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Rebuild works out what a trail looked like from the records of past calls on it, given in any order; those of other
// trails, failed ones and repetitions are passed over. It returns the configuration after the last of them, whether it
// is complete, and in words what is missing.
//
// Only a trail whose CreateTrail is there is complete: everything else could have been set before the first record. A
// record whose parameters cannot be read makes it incomplete too. Tags may have been changed by records that were not
// given; CloudTrail's own tags need no more.
//
// distrust, which may be nil, names records whose author must not decide what the trail should be, such as those of the
// session that has just deleted it: what they weakened is not applied, and is listed; a trail that only they made is
// never complete.
func Rebuild(of arn.ARN, records []cloudtrail.Record, distrust func(cloudtrail.Record) bool) (t Trail, complete bool, gaps []string) {
	b := builder{distrust: distrust}
	for _, r := range ordered(of, records) {
		b.add(r)
	}
	if !b.created {
		b.gap("no CreateTrail record of %s was found", of)
	}
	if target, err := TargetOfARN(of); err == nil {
		b.trail.Name, b.trail.ARN, b.trail.HomeRegion = target.Name, target.ARN, target.HomeRegion
	}
	return b.trail.Canonical(), b.created && !b.broken, b.gaps
}

// ordered returns the records about the trail that succeeded, each once, oldest first. A record that cannot be read stays
// in: it may be about the trail. CloudTrail's times have a resolution of a second; within one, the order is that in which
// a trail is usually made, then that of the event ids, so that equal evidence gives an equal trail.
func ordered(of arn.ARN, records []cloudtrail.Record) []cloudtrail.Record {
	var out []cloudtrail.Record
	for _, r := range records {
		target, err := TargetOf(r)
		if r.Failed() || errors.Is(err, ErrNotAboutTrail) || err == nil && target.ARN != of {
			continue
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b cloudtrail.Record) int {
		return cmp.Or(a.EventTime.Compare(b.EventTime), rank(a)-rank(b), strings.Compare(string(a.EventID), string(b.EventID)))
	})
	return slices.CompactFunc(out, func(a, b cloudtrail.Record) bool { return a.EventID != "" && a.EventID == b.EventID })
}

func rank(r cloudtrail.Record) int {
	return slices.Index([]string{
		DeleteTrail, CreateTrail, UpdateTrail, PutEventSelectors, PutInsightSelectors, RemoveTags, AddTags, StopLogging, StartLogging,
	}, r.EventName)
}

type builder struct {
	trail           Trail
	created, broken bool
	gaps            []string
	distrust        func(cloudtrail.Record) bool
}

func (b *builder) gap(format string, args ...any) {
	b.gaps = append(b.gaps, fmt.Sprintf(format, args...))
}

func (b *builder) add(r cloudtrail.Record) {
	next, err := After(b.trail, r)
	if err != nil {
		b.broken = true
		b.gap("%v", err)
		return
	}
	isSuspect := b.distrust != nil && b.distrust(r)
	if b.created && isSuspect && len(Weakened(b.trail, next)) > 0 {
		b.gap("%s %s of %s was not applied: made by a session under suspicion", r.EventName, r.EventID, r.EventTime.Format("2006-01-02T15:04:05Z"))
		return
	}
	switch {
	case r.EventName == CreateTrail && isSuspect && !b.created:
		// Deleted and made anew, with a bucket of its own, is how a session would tell us what to go back to.
		b.created, b.broken = true, true
		b.gap("CreateTrail %s of %s was made by a session under suspicion", r.EventID, r.EventTime.Format("2006-01-02T15:04:05Z"))
	case r.EventName == CreateTrail && !isSuspect:
		b.created, b.broken, b.gaps = true, false, nil
	case r.EventName == DeleteTrail:
		b.created = false
	}
	b.trail = next
}

// After returns the trail as it is after a successful call on it: t is what is known of it before. The response counts
// before the request, since it says what AWS made of it. A record that changes no trail is ErrNotAboutTrail.
func After(t Trail, r cloudtrail.Record) (Trail, error) {
	request, response, err := read(r)
	if err != nil {
		return t, err
	}
	switch r.EventName {
	case CreateTrail:
		// The API's defaults: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
		t = Trail{IncludeGlobalServiceEvents: true}
		request.apply(&t)
		response.apply(&t)
		request.addTags(&t)
	case UpdateTrail:
		request.apply(&t)
		response.apply(&t)
	case DeleteTrail:
		t = Trail{}
	case StartLogging, StopLogging:
		t.IsLogging = r.EventName == StartLogging
	case PutEventSelectors:
		request.applySelectors(&t)
		response.applySelectors(&t)
	case PutInsightSelectors:
		setInsights(&t, request, response)
	case AddTags:
		request.addTags(&t)
	case RemoveTags:
		request.removeTags(&t)
	default:
		return t, fmt.Errorf("apply %.60q: %w", r.EventName, ErrNotAboutTrail)
	}
	return t.Canonical(), nil
}

func setInsights(t *Trail, calls ...parameters) {
	for _, p := range calls {
		if p.InsightSelectors != nil {
			t.InsightSelectors = *p.InsightSelectors
		}
	}
}

func (p parameters) addTags(t *Trail) {
	*t = t.Canonical() // own the map
	for _, tag := range p.TagsList {
		if t.Tags == nil {
			t.Tags = map[string]string{}
		}
		t.Tags[tag.Key] = tag.Value
	}
}

func (p parameters) removeTags(t *Trail) {
	*t = t.Canonical() // own the map
	for _, tag := range p.TagsList {
		delete(t.Tags, tag.Key)
	}
}
