// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/watcher"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// A stop whose event never came is found in the next round, and the call behind it too. It is one event until it is well
// again, over restarts; the next stop is another.
func TestAStopIsFound(t *testing.T) {
	w := newWorld(t)
	w.want("all is well", w.poll())
	w.pass(30 * time.Second)
	stoppedAt := w.clock()
	w.stop()
	w.want("the next round", w.after(30*time.Second), "stopped", "StopLogging")
	event, call := w.taken[0], w.taken[1]
	f := w.finding(event)
	if e := event.Envelope; e.Source != "switchback" || e.DetailType != "Trail Status" || e.Account != account || e.Region != region ||
		!cmp.Equal(e.Resources, []string{w.seeded.TrailARN}) || !e.Time.Equal(stoppedAt) || event.Via != "watcher" {
		t.Errorf("event %s via %s", e.Raw, event.Via)
	}
	if string(f.Trail) != w.seeded.TrailARN || !f.Since.Equal(stoppedAt) || !f.LastGood.Equal(stoppedAt.Add(-30*time.Second)) ||
		!f.FoundAt.Equal(w.clock()) || len(f.Differences) != 1 || f.Reason != "trail main does not record" {
		t.Errorf("finding %+v", f)
	}
	if r := call.Envelope.Record; r.UserIdentity.UserName != "alice" || !f.IsExplainedBy(r.EventName, r.EventTime) {
		t.Errorf("call %s", call.Envelope.Raw)
	}
	w.want("found again", w.after(time.Minute))
	w.src = w.start(watcher.Options{Workers: 1})
	w.want("found by the next process", w.after(time.Minute))
	w.begin()
	w.want("it records again", w.after(time.Minute))
	w.stop()
	w.want("stopped once more", w.after(time.Minute), "stopped", "StopLogging")
	if again := w.taken[0].Envelope.ID; again == event.Envelope.ID {
		t.Errorf("both stops are the event %s", again)
	}
}

func TestWhatIsFound(t *testing.T) {
	for name, tt := range map[string]struct {
		do     func(w *world)
		within time.Duration // when it is found
		want   []string
		field  string
	}{
		"deleted": {
			func(w *world) { w.call("CloudTrail.DeleteTrail", `{"Name":"main"}`) }, time.Minute, []string{"gone", "DeleteTrail"}, "",
		},
		"single region": {
			func(w *world) {
				w.call("CloudTrail.UpdateTrail", `{"Name":"main","IsMultiRegionTrail":false}`)
			}, 15 * time.Minute, []string{"weakened", "UpdateTrail"}, "IsMultiRegionTrail",
		},
		"selectors": {func(w *world) {
			w.call("CloudTrail.PutEventSelectors", `{"TrailName":"main","EventSelectors":[{"ReadWriteType":"ReadOnly","IncludeManagementEvents":true}]}`)
		}, 15 * time.Minute, []string{"weakened", "PutEventSelectors"}, "EventSelectors"},
		"stronger": {func(w *world) {
			w.call("CloudTrail.PutEventSelectors", `{"TrailName":"main","EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}]}]}`)
		}, 7 * time.Hour, nil, ""},
		"the bucket refuses": {func(w *world) {
			w.call("S3.DeleteBucketPolicy", fmt.Sprintf(`{"Bucket":%q}`, w.seeded.Bucket))
		}, 10 * time.Minute, []string{"delivery-error"}, "LatestDeliveryError"},
		"nothing": {func(*world) {}, 7 * time.Hour, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.want("all is well", w.poll())
			tt.do(w)
			var got []string
			for end := w.clock().Add(tt.within); w.clock().Before(end) && got == nil; {
				got = w.after(time.Minute)
			}
			w.want("after", got, tt.want...)
			if tt.field != "" && (len(w.taken) == 0 || w.finding(w.taken[0]).Differences[0].Field != tt.field) {
				t.Errorf("want a difference in %s: %v", tt.field, w.taken)
			}
			if tt.want != nil {
				w.want("found once", w.after(time.Minute))
			}
		})
	}
}

// What is left of a repair that goes on is the same finding; what is wrong beside it is another.
func TestPartsOfAFinding(t *testing.T) {
	w := newWorld(t)
	w.poll()
	update := func(multi, validated bool) {
		w.call("CloudTrail.UpdateTrail", fmt.Sprintf(`{"Name":"main","IsMultiRegionTrail":%t,"EnableLogFileValidation":%t}`, multi, validated))
	}
	update(false, false)
	w.want("both", w.after(15*time.Minute), "weakened", "UpdateTrail")
	update(true, false)
	w.want("one of them is repaired", w.after(15*time.Minute))
	update(true, true)
	w.want("well again", w.after(15*time.Minute))
	update(true, false)
	w.want("one", w.after(15*time.Minute), "weakened", "UpdateTrail")
	update(false, false)
	w.want("the other as well", w.after(15*time.Minute), "weakened", "UpdateTrail")
}

// The rest is read every six hours.
func TestTags(t *testing.T) {
	w := newWorld(t)
	w.call("CloudTrail.AddTags", fmt.Sprintf(`{"ResourceId":%q,"TagsList":[{"Key":"team","Value":"security"}]}`, w.seeded.TrailARN))
	w.snapshot()
	w.poll()
	w.call("CloudTrail.RemoveTags", fmt.Sprintf(`{"ResourceId":%q,"TagsList":[{"Key":"team"}]}`, w.seeded.TrailARN))
	for i := range 6*60 - 1 {
		w.want(fmt.Sprint("minute ", i), w.after(time.Minute))
	}
	w.want("six hours", w.after(time.Minute), "weakened", "RemoveTags")
}

// An event that was not taken comes again, by the same id; one that never can be is put aside.
func TestFindingsAreNotLost(t *testing.T) {
	w := newWorld(t)
	w.poll()
	w.stop()
	w.refuse = errors.New("database is locked")
	w.want("refused", w.after(time.Minute))
	w.refuse = nil
	w.want("taken", w.after(time.Minute), "stopped", "StopLogging")
	first := w.taken[0].Envelope.ID
	w.state = t.TempDir() // what the watcher knew is lost
	w.src = w.start(watcher.Options{Workers: 1})
	w.want("found anew", w.after(time.Minute), "stopped", "StopLogging")
	if w.taken[0].Envelope.ID != first {
		t.Errorf("the same stop is %s and %s", first, w.taken[0].Envelope.ID)
	}
	w.begin()
	w.after(time.Minute)
	w.stop()
	w.refuse = source.ErrPoison
	w.want("poison", w.after(time.Minute))
	if dead := w.dead.Kept(); len(dead) != 2 || dead[0].Via != "watcher" || !strings.Contains(string(dead[1].Body), "StopLogging") {
		t.Errorf("put aside: %d", len(dead))
	}
	w.refuse = nil
	w.want("put aside once", w.after(time.Minute))
}

// Event history is late, as on AWS: the stop is told at once, and the call when it shows.
func TestTheCallComesLater(t *testing.T) {
	w := newWorld(t)
	w.poll()
	var isLate = true
	w.fail = func(r gate.Request) error {
		if r.Operation == "LookupEvents" && isLate {
			return &smithy.GenericAPIError{Code: "InternalError", Fault: smithy.FaultServer}
		}
		return nil
	}
	w.stop()
	w.want("found", w.after(time.Minute), "stopped")
	w.begin()
	w.want("put right, and the call is not there yet", w.after(time.Minute))
	isLate = false
	w.want("it shows", w.after(time.Minute), "StopLogging")
	w.want("once", w.after(time.Minute))
	w.stop()
	isLate = true
	w.want("stopped again", w.after(time.Minute), "stopped")
	w.src = w.start(watcher.Options{Workers: 1})
	isLate = false
	w.want("looked for by the next process", w.after(time.Minute), "StopLogging")
	isLate = true
	w.begin()
	w.after(time.Minute)
	w.stop()
	w.want("and once more", w.after(time.Minute), "stopped")
	for range 30 {
		w.want("nothing", w.after(time.Minute))
	}
	isLate = false
	w.want("nobody looks for ever", w.after(time.Minute))
	if !strings.Contains(w.log.String(), "who did it is not known") {
		t.Error(w.log.String())
	}
}

// An event on a watched resource has it read at once, but not more often than every few seconds.
func TestSeen(t *testing.T) {
	w := newWorld(t)
	w.poll()
	event := func(name, src, parameters string, readOnly bool) cloudtrail.Envelope {
		r, err := cloudtrail.ParseRecord(fmt.Appendf(nil, `{"eventVersion":"1.11","eventID":"e","eventName":%q,"eventSource":"%s.amazonaws.com",
			"awsRegion":%q,"recipientAccountId":%q,"eventCategory":"Management","readOnly":%t,"requestParameters":%s}`, name, src, region, account, readOnly, parameters))
		w.check(err)
		return cloudtrail.Wrap(r)
	}
	w.pass(10 * time.Second)
	for _, other := range []cloudtrail.Envelope{
		event("StartLogging", "cloudtrail", `{"name":"other"}`, false),
		event("GetTrailStatus", "cloudtrail", `{"name":"main"}`, true),
		event("StopLogging", "s3", `{"name":"main"}`, false),
		event("PutBucketPolicy", "s3", `null`, false),
	} {
		w.src.Seen(other)
	}
	if next := w.src.Next(); !next.After(w.clock()) {
		t.Errorf("next at %s, want the next round", next)
	}
	w.stop()
	w.reads()
	w.src.Seen(event("AddTags", "cloudtrail", fmt.Sprintf(`{"resourceId":%q}`, w.seeded.TrailARN), false))
	if next := w.src.Next(); next.After(w.clock()) {
		t.Errorf("next at %s, want now", next)
	}
	w.want("at once", w.poll(), "stopped", "StopLogging")
	w.reads()
	w.src.Seen(event("AddTags", "cloudtrail", `{"resourceId":"main"}`, false))
	w.want("a moment later", w.after(time.Second))
	if reads := w.reads(); len(reads) != 0 {
		t.Errorf("read again at once: %v", reads)
	}
	if next := w.src.Next(); !next.Equal(w.clock().Add(4 * time.Second)) {
		t.Errorf("next at %s, want in 4s", next)
	}
	w.want("in a while", w.after(4*time.Second))
	if reads := w.reads(); reads["CloudTrail.GetTrailStatus"] != 1 {
		t.Errorf("reads %v", reads)
	}
}

// A trail that cannot be looked at three times running is a finding that says why, once; then it is looked at as before.
func TestUnreadable(t *testing.T) {
	refusal := func(code string) func(gate.Request) error {
		return func(r gate.Request) error {
			if r.Service != "CloudTrail" {
				return nil
			}
			return &smithy.GenericAPIError{Code: code, Message: "no", Fault: smithy.FaultClient}
		}
	}
	organization := func(code, answer string) func(gate.Request) error {
		return func(r gate.Request) error {
			if r.Service == "Organizations" {
				return &smithy.GenericAPIError{Code: answer, Fault: smithy.FaultClient}
			}
			return refusal(code)(r)
		}
	}
	for name, tt := range map[string]struct {
		fail    func(gate.Request) error
		outcome string
	}{
		"denied":                       {refusal("AccessDeniedException"), "denied"},
		"the region is off":            {refusal("UnrecognizedClientException"), "region-off"},
		"an error":                     {refusal("ValidationException"), "error"},
		"no answer":                    {func(gate.Request) error { return context.DeadlineExceeded }, "unreachable"},
		"may not ask the organization": {organization("AccessDeniedException", "AccessDeniedException"), "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.poll()
			w.fail = tt.fail
			w.want("once", w.after(time.Minute))
			w.want("twice", w.after(time.Minute))
			w.want("three times", w.after(time.Minute), "unreadable")
			f := w.finding(w.taken[0])
			if f.Outcome != tt.outcome || !strings.HasPrefix(f.Reason, "trail main cannot be looked at: ") || string(f.Trail) != w.seeded.TrailARN {
				t.Errorf("finding %+v", f)
			}
			w.want("four times", w.after(time.Minute))
			w.fail = nil
			w.want("it answers again", w.after(time.Minute))
			w.fail = tt.fail
			w.want("and not", append(w.after(time.Minute), w.after(time.Minute)...))
			w.want("for the second time", w.after(time.Minute), "unreadable")
		})
	}
}

// Where no role leads to the account of a trail, that is said too.
func TestNoAccess(t *testing.T) {
	w := newWorld(t)
	sts := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(rw, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::444455556666:user/switchback</Arn>`+
			`<UserId>AIDAEXAMPLE</UserId><Account>444455556666</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	defer sts.Close()
	var err error
	w.gate, err = gate.Open(t.Context(), gate.Options{
		Endpoint: sts.URL, Region: region, Clock: w.clock, Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
	})
	w.check(err)
	w.src = w.start(watcher.Options{Workers: 1})
	w.want("three times", append(append(w.poll(), w.after(time.Minute)...), w.after(time.Minute)...), "unreadable")
	if f := w.finding(w.taken[0]); f.Outcome != "no-access" || f.Account != account {
		t.Errorf("finding %+v", f)
	}
}

// Throttled answers make the tier slower, and are told in the end.
func TestThrottled(t *testing.T) {
	w := newWorld(t)
	w.poll()
	w.fail = func(r gate.Request) error {
		if r.Operation == "GetTrailStatus" {
			return &smithy.GenericAPIError{Code: "ThrottlingException", Fault: smithy.FaultClient}
		}
		return nil
	}
	w.reads()
	var looks []int
	var told []string
	for minute := range 25 {
		told = append(told, w.after(time.Minute)...)
		if w.reads()["CloudTrail.GetTrailStatus"] > 0 {
			looks = append(looks, minute+1)
		}
	}
	if diff := cmp.Diff([]int{1, 3, 7, 15, 23}, looks); diff != "" {
		t.Errorf("looks at minutes (-want +got):\n%s", diff)
	}
	w.want("told once", told, "unreadable")
	w.fail = nil
	w.stop()
	for range 8 {
		told = append(told, w.after(time.Minute)...)
	}
	w.want("and goes on", told, "unreadable", "stopped", "StopLogging")
}

// A trail in the member accounts' sight is read once a round, in its owner's account.
func TestOrganizationTrailIsReadOnce(t *testing.T) {
	w := newWorld(t)
	const member = "444455556666"
	w.check(w.box.AddAccount(member, "aws", ""))
	w.check(w.box.AddOrganization("o-example", account, member))
	w.call("S3.PutBucketPolicy", fmt.Sprintf(`{"Bucket":%q,"Policy":%q}`, w.seeded.Bucket, fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::%[1]s","arn:aws:s3:::%[1]s/*"]}]}`, w.seeded.Bucket)))
	w.call("CloudTrail.UpdateTrail", `{"Name":"main","IsOrganizationTrail":true}`)
	for _, a := range []string{account, member} { // the member sees the trail, and none of its own
		_, err := state.TakeSnapshots(t.Context(), w.gate.Door(gate.Scope{}), a, []string{region}, w.db, w.clock())
		w.check(err)
	}
	w.poll()
	w.reads()
	for range 60 {
		w.want("well", w.after(time.Minute))
	}
	want := map[string]int{"CloudTrail.GetTrailStatus": 60, "CloudTrail.DescribeTrails": 4, "CloudTrail.GetEventSelectors": 4}
	if diff := cmp.Diff(want, w.reads()); diff != "" {
		t.Errorf("calls in an hour (-want +got):\n%s", diff)
	}
}

// Run goes on whatever happens, a round a minute.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := gate.Open(t.Context(), gate.Options{Backend: nothing{}, Region: region})
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		src, err := source.New(source.Config{Type: "watcher", Decode: func(any) error { return nil }}, source.Services{
			Gate: g, Clock: time.Now, Logger: slog.New(slog.NewTextHandler(&log, nil)), Snapshots: nothing{},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		err = src.Run(ctx, func(context.Context, source.Delivery) error { return nil })
		if n := strings.Count(log.String(), "database is locked"); !errors.Is(err, context.DeadlineExceeded) || n != 3 {
			t.Errorf("%d rounds, %v\n%s", n, err, log.String())
		}
	})
}

// nothing is an AWS, and a store, that has nothing.
type nothing struct{ state.Snapshots }

func (nothing) Do(context.Context, gate.Request) (any, error) { return nil, errors.New("refused") }

func (nothing) NewestSnapshots(context.Context, string) ([]state.Snapshot, error) {
	return nil, errors.New("database is locked")
}

func TestOptions(t *testing.T) {
	w := newWorld(t)
	_, err := source.New(source.Config{Type: "watcher", Decode: func(v any) error {
		v.(*watcher.Options).Every = time.Hour
		return nil
	}}, source.Services{Gate: w.gate})
	if err == nil || err.Error() != "source watcher: want every <= configuration <= rest" {
		t.Errorf("error %v", err)
	}
}

// What the watcher is said to cost is what it calls, and nothing but reads.
func TestLoadIsWhatIsCalled(t *testing.T) {
	w := newWorld(t)
	w.poll()
	w.reads()
	const hours = 12
	for range hours * 60 {
		w.want("well", w.after(time.Minute))
	}
	got := w.reads()
	want := map[string]int{}
	for _, l := range (watcher.Options{}).LoadOf(1, func(trail.Kind) int { return 0 }, hours*time.Hour) {
		want[l.Service+"."+l.Operation] += int(l.Calls)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls in %d hours (-want +got):\n%s", hours, diff)
	}
	for _, l := range (watcher.Options{}).LoadOf(1, func(trail.Kind) int { return 1 }, time.Hour) {
		if !gate.IsRead(l.Service, l.Operation) {
			t.Errorf("%s.%s is no read", l.Service, l.Operation)
		}
	}
}
