// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"fmt"

	"github.com/switchback-project/switchback/cloudtrail"
)

// Answer is yes, no or unclear.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unclear Answer = "unclear"
)

// Judgement says whether a call was for the worse.
type Judgement struct {
	Worse       Answer       `json:"worse"`
	Differences []Difference `json:"differences,omitempty"`
	Reason      string       `json:"reason"`
}

// Judge says what a call means for its trail, from the record and without asking AWS. With last, what the trail was
// before, it is exact. Without it the parameters that the call gave are held against the baseline (see Desired): what
// falls short of it is worse; a new destination or key is unclear, for it may have been there before.
//
// A failed call is judged by what it tried. The error says that the record is not about a trail or cannot be read.
func Judge(r cloudtrail.Record, last *Trail) (Judgement, error) {
	if _, err := TargetOf(r); err != nil {
		return Judgement{}, err
	}
	switch r.EventName {
	case StopLogging:
		return Judgement{Worse: Yes, Reason: "stops the trail"}, nil
	case DeleteTrail:
		return Judgement{Worse: Yes, Reason: "deletes the trail"}, nil
	case StartLogging, CreateTrail, AddTags:
		return Judgement{Worse: No, Reason: "adds, and takes nothing away"}, nil
	}
	if last == nil {
		return judgeAlone(r)
	}
	next, err := After(*last, r)
	if err != nil {
		return Judgement{}, fmt.Errorf("judge: %w", err)
	}
	return verdict(Weakened(*last, next)), nil
}

func verdict(differences []Difference) Judgement {
	if len(differences) == 0 {
		return Judgement{Worse: No, Reason: "weakens nothing"}
	}
	return Judgement{Worse: Yes, Differences: differences, Reason: "weakens " + fieldList(differences)}
}

// judgeAlone applies the call to a trail that meets the baseline.
func judgeAlone(r cloudtrail.Record) (Judgement, error) {
	request, _, err := read(r)
	if err != nil {
		return Judgement{}, fmt.Errorf("judge: %w", err)
	}
	switch r.EventName {
	case PutInsightSelectors:
		if request.InsightSelectors != nil && len(*request.InsightSelectors) == 0 {
			return Judgement{Worse: Unclear, Reason: "turns Insights off, where they were on"}, nil
		}
		return Judgement{Worse: Unclear, Reason: "replaces the insight selectors by others"}, nil
	case RemoveTags:
		return Judgement{Worse: Yes, Reason: "removes tags"}, nil
	}
	base := Desired(nil)
	next := base
	request.apply(&next)
	request.applySelectors(&next)
	var certain, possible []Difference
	for _, d := range Weakened(base, next.Canonical()) {
		// The baseline has no destination, key, topic or log group: any value differs from it.
		if d.Want == "" {
			possible = append(possible, d)
			continue
		}
		certain = append(certain, d)
	}
	possible = append(possible, request.cleared()...)
	switch {
	case len(certain) > 0:
		return verdict(append(certain, possible...)), nil
	case len(possible) > 0:
		return Judgement{Worse: Unclear, Differences: possible, Reason: "sets " + fieldList(possible) + ", which may have been so before"}, nil
	case r.EventName == PutEventSelectors:
		return Judgement{Worse: Unclear, Reason: "keeps all management events; what it replaces is not known"}, nil
	}
	return Judgement{Worse: No, Reason: "weakens nothing"}, nil
}

// cleared are the members that the call empties: for the worse if something stood there.
func (p parameters) cleared() []Difference {
	var out []Difference
	for _, m := range []struct {
		field string
		value *text
	}{
		{FieldKmsKeyID, p.KmsKeyId},
		{"SnsTopicName", p.SnsTopicName},
		{"CloudWatchLogsLogGroupArn", p.CloudWatchLogsLogGroupArn},
		{"CloudWatchLogsRoleArn", p.CloudWatchLogsRoleArn},
	} {
		if m.value != nil && *m.value == "" {
			out = append(out, Difference{Field: m.field, Want: "(as before)", Note: "emptied"})
		}
	}
	return out
}

func fieldList(differences []Difference) string {
	names := make([]string, 0, len(differences))
	for _, d := range differences {
		names = append(names, d.Field)
	}
	return joinSome(names)
}
