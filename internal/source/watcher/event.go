// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher

import (
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/trail"
)

// event is what the pipeline is given. It happened when it began, as far as is known.
func (f *found) event() (cloudtrail.Envelope, error) {
	event := source.Finding{
		ID: f.ID, DetailType: trail.TrailStatus, Account: f.Finding.Account, Region: f.Finding.Region, At: f.Finding.Since,
		Resources: []string{string(f.Finding.Trail)}, Detail: f.Finding,
	}
	if f.Finding.Trail == "" {
		event.DetailType, event.Resources = trail.DependencyStatus, []string{string(f.Finding.Resource)}
	}
	if event.At.IsZero() || event.At.After(f.Finding.FoundAt) {
		event.At = f.Finding.FoundAt
	}
	return event.Event()
}

// idOf is the same for the same finding: what is wrong with what, in which fields, since when.
func idOf(a arn.ARN, place string, f trail.Finding) string {
	parts := []string{string(a), place, f.Since.UTC().Format(time.RFC3339Nano)}
	for _, d := range f.Differences {
		parts = append(parts, d.Field)
	}
	slices.Sort(parts[3:])
	return source.FindingID(parts...)
}
