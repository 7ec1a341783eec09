// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// What the events say that they are which are made of findings: about a trail, and about what trails depend on.
const (
	TrailStatus      = "Trail Status"
	DependencyStatus = "Dependency Status"
)

// Code says what is wrong.
type Code string

// The codes. The first three are what somebody did; the next three say that log files or digest files do not arrive,
// whyever; the last that nobody can say.
const (
	CodeStopped       Code = "stopped"        // the trail does not record
	CodeGone          Code = "gone"           // there is no such trail or resource
	CodeWeakened      Code = "weakened"       // its configuration is weaker than its baseline
	CodeDeliveryError Code = "delivery-error" // AWS names an error of the last delivery
	CodeLogFilesLate  Code = "log-files-late" // log files stopped coming
	CodeDigestsLate   Code = "digests-late"   // digest files stopped coming
	CodeUnreadable    Code = "unreadable"     // it could not be looked at three times running
)

// Finding is what is wrong with a trail, or with a resource that trails depend on: the detail of an event. Half of its
// texts were written by whoever changed it.
type Finding struct {
	Code Code `json:"code"`
	// Trail is set for a trail, Kind and Resource for a dependency.
	Trail    arn.ARN `json:"trail,omitempty"`
	Kind     Kind    `json:"kind,omitempty"`
	Resource arn.ARN `json:"resource,omitempty"`
	Account  string  `json:"account"`
	Region   string  `json:"region"`
	// Reason is one sentence. Of what is unreadable Outcome says why, in a word: "denied", "region-off", …
	Reason      string       `json:"reason"`
	Outcome     string       `json:"outcome,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
	// Since is when it began: AWS's time of the stop, else when it was last seen to be as it should.
	Since    time.Time `json:"since,omitzero"`
	LastGood time.Time `json:"last_good,omitzero"`
	FoundAt  time.Time `json:"found_at"`
}

// explaining are the calls that make a finding, by its code. What a delivery fails of is seldom a call on the trail.
var explaining = map[Code][]string{
	CodeStopped:  {StopLogging},
	CodeGone:     {DeleteTrail},
	CodeWeakened: {UpdateTrail, PutEventSelectors, PutInsightSelectors, RemoveTags},
}

// Explaining are the names of the calls on a trail that can be behind the finding, none where that is unknown.
func (f Finding) Explaining() []string {
	if f.Trail == "" {
		return nil
	}
	return slices.Clone(explaining[f.Code])
}

// IsOfCall reports whether somebody's call must be behind the finding.
func (f Finding) IsOfCall() bool { return len(explaining[f.Code]) > 0 }

// About is what the finding is about.
func (f Finding) About() arn.ARN { return cmp.Or(f.Trail, f.Resource) }

// SoughtFor is how long the call behind a finding is looked for: Event history shows a call within minutes, and is promised
// within 15.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
const SoughtFor = 30 * time.Minute

// tolerance is how far clocks may be apart, AWS's among themselves and ours.
const tolerance = 15 * time.Minute

// IsExplainedBy reports whether a call on the trail, one that AWS did not refuse, can be what the finding is about: of a
// fitting name, and not before everything was still well, nor after it was found.
func (f Finding) IsExplainedBy(eventName string, at time.Time) bool {
	return slices.Contains(f.Explaining(), eventName) && f.IsOfTime(at)
}

// IsOfTime reports whether a call at the moment can be behind the finding.
func (f Finding) IsOfTime(at time.Time) bool {
	return !at.Before(f.begin().Add(-tolerance)) && !at.After(f.FoundAt.Add(tolerance))
}

// IsCausedBy reports whether the record is of a call that explains the finding and made its trail weaker, or may have, than
// last. Of last, which may be nil, see Judge.
func (f Finding) IsCausedBy(r cloudtrail.Record, last *Trail) bool {
	target, err := TargetOf(r)
	if err != nil || target.ARN != f.Trail || r.Failed() || !f.IsExplainedBy(r.EventName, r.EventTime) {
		return false
	}
	judgement, err := Judge(r, last)
	return err == nil && judgement.Worse != No
}

// begin is the earliest moment at which it can have begun.
func (f Finding) begin() time.Time {
	if !f.LastGood.IsZero() && (f.Since.IsZero() || f.LastGood.Before(f.Since)) {
		return f.LastGood
	}
	return f.Since
}
