// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/trail"
)

// names are what calls name the watched resources by, a service: an ARN, or what is left of it without where.
type names map[string]map[string][]arn.ARN

// services are the labels of event sources where they are not those of ARNs.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
var services = map[string]string{"monitoring": "cloudwatch"}

func namesOf(all []subject) *names {
	out := names{}
	for _, s := range all {
		p, err := s.arn().Parse()
		if err != nil {
			continue
		}
		if out[p.Service] == nil {
			out[p.Service] = map[string][]arn.ARN{}
		}
		group, _, _ := strings.Cut(strings.TrimPrefix(p.Resource, "log-group:"), ":")
		texts := []string{string(s.arn()), p.Name(), p.Resource, group}
		slices.Sort(texts)
		for _, text := range slices.Compact(texts) {
			out[p.Service][text] = append(out[p.Service][text], s.arn())
		}
	}
	return &out
}

// Seen has a resource read at once that an event says to have been changed. It returns at once.
func (w *Source) Seen(e cloudtrail.Envelope) {
	known := w.names.Load()
	if known == nil || !e.HasRecord() || !isChange(&e.Record) {
		return
	}
	touched := known.in(&e.Record)
	if len(touched) == 0 {
		return
	}
	w.touchMu.Lock()
	for _, a := range touched {
		w.touched[a] = true
	}
	w.touchMu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // it is awake
	}
}

// isChange reports whether a call may have changed the configuration of something.
func isChange(r *cloudtrail.Record) bool {
	return !r.Failed() && (r.ReadOnly == nil || !*r.ReadOnly) && r.EventCategory != cloudtrail.CategoryData
}

// in are the watched resources that the record names.
func (n names) in(r *cloudtrail.Record) (all []arn.ARN) {
	service, _, _ := strings.Cut(r.EventSource, ".")
	if other := services[service]; other != "" {
		service = other
	}
	known := n[service]
	if len(known) == 0 {
		return nil
	}
	if t, err := trail.TargetOf(*r); err == nil {
		return known[string(t.ARN)]
	}
	for _, resource := range r.Resources {
		all = append(all, known[resource.ARN]...)
	}
	var parameters map[string]any
	if json.Unmarshal(r.RequestParameters, &parameters) != nil {
		return all // large parameters are left out of records; the next round sees what changed
	}
	for _, value := range parameters {
		if text, ok := value.(string); ok {
			all = append(all, known[text]...)
			all = append(all, known[text[strings.LastIndexByte(text, '/')+1:]]...) // the URL of a queue
		}
	}
	return all
}

// takeTouched reports whether a resource is to be read at once, and forgets that. One that was read a moment ago waits.
func (w *Source) takeTouched(a arn.ARN, now time.Time) bool {
	if now.Before(w.lookedAt(a).Add(touchGap)) {
		return false
	}
	w.touchMu.Lock()
	defer w.touchMu.Unlock()
	isTouched := w.touched[a]
	delete(w.touched, a)
	return isTouched
}

func (w *Source) lookedAt(a arn.ARN) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.memory.of(a).LookedAt
}
