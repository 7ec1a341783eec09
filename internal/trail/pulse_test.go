// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/trail"
)

var clock = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return clock.Add(-d) }

// sound is the pulse of a trail that is well.
func sound(change func(*trail.Pulse)) trail.Pulse {
	p := trail.Pulse{IsLogging: true, StartedAt: ago(24 * time.Hour), LogFileAt: ago(3 * time.Minute), DigestAt: ago(time.Hour)}
	change(&p)
	return p
}

func TestIlls(t *testing.T) {
	recording := trail.Desired(&trail.Trail{Name: "main", HomeRegion: "eu-west-1"})
	writesOnly := recording
	writesOnly.EventSelectors = []trail.EventSelector{{ReadWriteType: "WriteOnly", IncludeManagementEvents: true}}
	unvalidated := recording
	unvalidated.LogFileValidationEnabled = false
	off := recording
	off.IsLogging = false
	for name, tt := range map[string]struct {
		want  trail.Trail
		pulse trail.Pulse
		ills  string // codes, and since when
	}{
		"well":                            {recording, sound(func(*trail.Pulse) {}), ""},
		"stopped":                         {recording, sound(func(p *trail.Pulse) { p.IsLogging, p.StoppedAt = false, ago(time.Minute) }), "stopped 1m0s"},
		"stopped, and so nothing arrives": {recording, sound(func(p *trail.Pulse) { p.IsLogging, p.StoppedAt, p.LogFileAt = false, ago(time.Hour), ago(time.Hour) }), "stopped 1h0m0s"},
		"off, and meant to be":            {off, trail.Pulse{StoppedAt: ago(time.Hour)}, ""},
		"the bucket refuses":              {recording, sound(func(p *trail.Pulse) { p.LogFileError = "AccessDenied" }), "delivery-error"},
		"all refuse": {recording, sound(func(p *trail.Pulse) {
			p.LogFileError, p.DigestError, p.NotificationError, p.LogGroupError = "NoSuchBucket", "NoSuchBucket", "NotFound", "AccessDenied"
		}), "delivery-error"},
		"log files late":          {recording, sound(func(p *trail.Pulse) { p.LogFileAt = ago(31 * time.Minute) }), "log-files-late 31m0s"},
		"log files on time":       {recording, sound(func(p *trail.Pulse) { p.LogFileAt = ago(30 * time.Minute) }), ""},
		"late, and with an error": {recording, sound(func(p *trail.Pulse) { p.LogFileAt, p.LogFileError = ago(time.Hour), "AccessDenied" }), "delivery-error, log-files-late 1h0m0s"},
		"started again just now": {recording, sound(func(p *trail.Pulse) {
			p.StartedAt, p.LogFileAt, p.DigestAt = ago(time.Minute), ago(9*time.Hour), ago(9*time.Hour)
		}), ""},
		"never delivered":                   {recording, sound(func(p *trail.Pulse) { p.LogFileAt, p.DigestAt = time.Time{}, time.Time{} }), ""},
		"nothing to record, for all we see": {writesOnly, sound(func(p *trail.Pulse) { p.LogFileAt = ago(9 * time.Hour) }), ""},
		"digests late":                      {recording, sound(func(p *trail.Pulse) { p.DigestAt = ago(151 * time.Minute) }), "digests-late 2h31m0s"},
		"digests late, not wanted":          {unvalidated, sound(func(p *trail.Pulse) { p.DigestAt = ago(151 * time.Minute) }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range tt.pulse.Ills(tt.want, ago(time.Hour), clock) {
				text := string(f.Code)
				if !f.Since.IsZero() {
					text += " " + clock.Sub(f.Since).String()
				}
				got = append(got, text)
				if len(f.Differences) == 0 || !strings.Contains(f.Reason, "main") {
					t.Errorf("%+v", f)
				}
			}
			if diff := cmp.Diff(tt.ills, strings.Join(got, ", ")); diff != "" {
				t.Errorf("ills (-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing arrives where nothing happens: that says something only after somebody has looked for long enough.
func TestLateNeedsActivity(t *testing.T) {
	p := sound(func(p *trail.Pulse) { p.LogFileAt = ago(9 * time.Hour) })
	for name, tt := range map[string]struct {
		active time.Time
		want   int
	}{"nobody has looked": {time.Time{}, 0}, "not for long": {ago(30 * time.Minute), 0}, "for long enough": {ago(31 * time.Minute), 1}} {
		if got := p.Ills(trail.Desired(nil), tt.active, clock); len(got) != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Error codes are texts of S3's, but a bucket of somebody else's may have made them.
func TestIllsAreBrief(t *testing.T) {
	p := sound(func(p *trail.Pulse) { p.LogFileError = strings.Repeat("x", 1<<20) })
	for _, f := range p.Ills(trail.Desired(nil), ago(time.Hour), clock) {
		if len(f.Reason) > 2000 || len(f.Differences[0].Have) > 500 {
			t.Errorf("%d bytes, %d bytes", len(f.Reason), len(f.Differences[0].Have))
		}
	}
}

func TestIsExplainedBy(t *testing.T) {
	stop := trail.Finding{Code: trail.CodeStopped, Trail: mainARN, Since: ago(time.Minute), LastGood: ago(2 * time.Minute), FoundAt: clock}
	of := func(c trail.Code) trail.Finding { f := stop; f.Code = c; return f }
	for name, tt := range map[string]struct {
		finding trail.Finding
		event   string
		at      time.Time
		want    bool
	}{
		"the stop":                     {stop, "StopLogging", ago(time.Minute), true},
		"the stop, by another clock":   {stop, "StopLogging", clock.Add(14 * time.Minute), true},
		"a stop of long ago":           {stop, "StopLogging", ago(18 * time.Minute), false},
		"a stop to come":               {stop, "StopLogging", clock.Add(16 * time.Minute), false},
		"a start":                      {stop, "StartLogging", ago(time.Minute), false},
		"another call":                 {stop, "UpdateTrail", ago(time.Minute), false},
		"the deletion":                 {of(trail.CodeGone), "DeleteTrail", ago(time.Minute), true},
		"a stop of what is gone":       {of(trail.CodeGone), "StopLogging", ago(time.Minute), false},
		"the update":                   {of(trail.CodeWeakened), "UpdateTrail", ago(time.Minute), true},
		"the selectors":                {of(trail.CodeWeakened), "PutEventSelectors", ago(time.Minute), true},
		"nothing explains an error":    {of(trail.CodeDeliveryError), "UpdateTrail", ago(time.Minute), false},
		"no call on a trail":           {trail.Finding{Code: trail.CodeWeakened, Kind: trail.KindKey, FoundAt: clock}, "UpdateTrail", ago(time.Minute), false},
		"nothing explains a silence":   {of(trail.CodeUnreadable), "StopLogging", ago(time.Minute), false},
		"found, and nothing was known": {trail.Finding{Code: trail.CodeGone, Trail: mainARN, FoundAt: clock}, "DeleteTrail", ago(48 * time.Hour), true},
	} {
		if got := tt.finding.IsExplainedBy(tt.event, tt.at); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestIsCausedBy(t *testing.T) {
	last := good()
	f := trail.Finding{Code: trail.CodeWeakened, Trail: mainARN, LastGood: ago(time.Hour), FoundAt: clock}
	record := func(name, parameters, rest string) cloudtrail.Record {
		r, err := cloudtrail.ParseRecord([]byte(`{"eventVersion":"1.11","eventID":"e","eventSource":"cloudtrail.amazonaws.com","eventName":"` + name +
			`","eventTime":"2026-05-04T08:30:00Z","awsRegion":"eu-west-1","recipientAccountId":"111122223333","requestParameters":` + parameters + rest + `}`))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for name, tt := range map[string]struct {
		r    cloudtrail.Record
		want bool
	}{
		"it weakened the trail":    {record("UpdateTrail", `{"name":"main","isMultiRegionTrail":false}`, ""), true},
		"by its ARN":               {record("UpdateTrail", `{"name":"`+mainARN+`","isMultiRegionTrail":false}`, ""), true},
		"it repaired the trail":    {record("UpdateTrail", `{"name":"main","isMultiRegionTrail":true}`, ""), false},
		"another trail":            {record("UpdateTrail", `{"name":"other","isMultiRegionTrail":false}`, ""), false},
		"it was refused":           {record("UpdateTrail", `{"name":"main","isMultiRegionTrail":false}`, `,"errorCode":"AccessDenied"`), false},
		"another call":             {record("StopLogging", `{"name":"main"}`, ""), false},
		"not about trails at all":  {record("PutBucketPolicy", `{"bucketName":"main"}`, ""), false},
		"nothing that can be read": {record("UpdateTrail", `null`, ""), false},
	} {
		if got := f.IsCausedBy(tt.r, &last); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
