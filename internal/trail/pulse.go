// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Pulse is what GetTrailStatus tells of whether a trail records and delivers. Times are zero where AWS gives none.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
type Pulse struct {
	IsLogging                        bool
	StartedAt, StoppedAt             time.Time
	LogFileAt, DigestAt              time.Time
	LogFileError, DigestError        string // S3's error codes
	NotificationError, LogGroupError string
}

// How long nothing may arrive: log files come about every five minutes where there is activity, digest files every hour
// whether there is or not.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
const (
	logFilesWithin = 30 * time.Minute
	digestsWithin  = 150 * time.Minute
)

// Ills are what is wrong with a trail that should be as want, by its pulse: findings that lack where and when they were
// found. A trail that does not record is stopped and nothing else: that nothing arrives then says nothing new.
//
// That log files stop coming is an ill only where something happens that they should hold: whoever asks for the status
// makes a management read himself, and active is since when somebody has, without a break; zero is never. What never
// came cannot stop coming; the errors say why it does not.
func (p Pulse) Ills(want Trail, active, now time.Time) []Finding {
	if !p.IsLogging {
		if !want.IsLogging {
			return nil
		}
		return []Finding{{
			Code: CodeStopped, Since: p.StoppedAt, Reason: fmt.Sprintf("trail %s does not record", brief(want.Name)),
			Differences: Weakened(Trail{IsLogging: true}, Trail{}),
		}}
	}
	var ills []Finding
	if failing := p.errors(); len(failing) > 0 {
		ills = append(ills, Finding{
			Code: CodeDeliveryError, Differences: failing,
			Reason: fmt.Sprintf("trail %s cannot deliver: %s", brief(want.Name), failing[0].Sentence()),
		})
	}
	isActive := !active.IsZero() && now.Sub(active) > logFilesWithin && want.recordsReads()
	if isActive && late(p.LogFileAt, p.StartedAt, now, logFilesWithin) {
		ills = append(ills, want.late(CodeLogFilesLate, "LatestDeliveryTime", "log file", p.LogFileAt))
	}
	if late(p.DigestAt, p.StartedAt, now, digestsWithin) && want.LogFileValidationEnabled {
		ills = append(ills, want.late(CodeDigestsLate, "LatestDigestDeliveryTime", "digest file", p.DigestAt))
	}
	return ills
}

// errors are the errors of the last deliveries.
func (p Pulse) errors() []Difference {
	var w weakening
	for _, e := range []struct{ field, code, note string }{
		{"LatestDeliveryError", p.LogFileError, "log files do not arrive in the bucket"},
		{"LatestDigestDeliveryError", p.DigestError, "digest files do not arrive in the bucket"},
		{"LatestNotificationError", p.NotificationError, "the topic is not told of log files"},
		{"LatestCloudWatchLogsDeliveryError", p.LogGroupError, "events do not arrive in the log group"},
	} {
		if e.code != "" {
			w.add(e.field, "", e.code, e.note+" ("+brief(e.code)+")")
		}
	}
	return w.found
}

// late: what had come once has not come for longer than within, and the trail has been recording for so long.
func late(last, started, now time.Time, within time.Duration) bool {
	return !last.IsZero() && now.Sub(last) > within && now.Sub(started) > within
}

func (t Trail) late(code Code, field, what string, last time.Time) Finding {
	at := last.UTC().Format(time.RFC3339)
	return Finding{
		Code: code, Since: last, Reason: fmt.Sprintf("no %s of trail %s has arrived", what, brief(t.Name)),
		Differences: []Difference{{Field: field, Have: at, Note: "no " + what + " has arrived since " + at}},
	}
}

// recordsReads reports whether the trail records that somebody reads.
func (t Trail) recordsReads() bool {
	t.IsLogging = true
	return slices.ContainsFunc(Coverage([]Trail{t}), func(c Cell) bool { return strings.HasPrefix(c.Class, "management read") })
}
