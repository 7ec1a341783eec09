// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/s3"
	"github.com/switchback-project/switchback/internal/source/sourcetest"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

// stories are told in the sandbox; those that wait for nothing also on moto.
var stories = []struct {
	name  string
	tell  func(*world)
	waits bool
}{
	{"only new files", onlyNewFiles, false},
	{"every account and region", everyAccountAndRegion, false},
	{"a broken file keeps no other back", brokenFile, false},
	{"late files", lateFiles, true},
	{"around midnight", aroundMidnight, true},
	{"a busy handler", busyHandler, true},
	{"what never works is put aside", neverWorks, true},
	{"another owner's bucket is not read", anotherOwner, true},
	{"the daemon", theDaemon, true},
}

func TestInSandbox(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) { sourcetest.InSandbox(t, with(s.tell)) })
	}
}

func TestOnMoto(t *testing.T) {
	if testing.Short() {
		t.Skip("moto takes real time")
	}
	for _, s := range stories {
		if !s.waits {
			t.Run(s.name, func(t *testing.T) { sourcetest.OnMoto(t, with(s.tell)) })
		}
	}
}

// world has a source that looks into the bucket.
type world struct {
	*sourcetest.World
	*s3.Source
	in *sourcetest.Inbox
	// begin is a full minute of the beginning.
	begin time.Time
	files int
}

func with(story func(*world)) func(*sourcetest.World) {
	return func(base *sourcetest.World) {
		w := &world{World: base, in: sourcetest.NewInbox(), begin: time.Now().UTC().Truncate(time.Minute)}
		w.configure(s3.Options{Bucket: sourcetest.Bucket, Region: sourcetest.Region})
		story(w)
	}
}

func (w *world) configure(o s3.Options) {
	w.Helper()
	src, err := newSource(o, w.Services())
	if err != nil {
		w.Fatal(err)
	}
	w.Source = src.(*s3.Source)
}

func newSource(o s3.Options, s source.Services) (source.Source, error) {
	return source.New(source.Config{Type: "s3", Decode: func(v any) error {
		*v.(*s3.Options) = o
		return nil
	}}, s)
}

// key names a new log file of the account and region.
func (w *world) key(at time.Time) cloudtrail.ObjectKey {
	w.files++
	return cloudtrail.ObjectKey{
		AccountID: sourcetest.Account, Kind: cloudtrail.KindLog, Region: sourcetest.Region, Time: at,
		Unique: strings.Repeat("Q", w.files), // names sort by it
	}
}

// put delivers a log file with one event.
func (w *world) put(key cloudtrail.ObjectKey, event string) {
	w.PutObject(key.String(), sourcetest.Zip(w.T, sourcetest.LogFile(event)))
}

// poll expects exactly these events.
func (w *world) poll(what string, want ...string) {
	w.Helper()
	if err := w.look(what, want...); err != nil {
		w.Errorf("%s: %v", what, err)
	}
}

func (w *world) look(what string, want ...string) error {
	w.Helper()
	n, err := w.Poll(w.Context(), w.in.Handle)
	got := w.in.Take()
	if n != len(want) || !slices.Equal(got, want) {
		w.Errorf("%s: %d files, delivered %v, want %v", what, n, got, want)
	}
	return err
}

// pass lets simulated time pass.
func (w *world) pass(d time.Duration) { <-time.After(d) }

func onlyNewFiles(w *world) {
	w.poll("an empty bucket")
	w.put(w.key(w.begin), "A")
	w.poll("the first file", "A")
	w.poll("nothing new")
	w.put(w.key(w.begin), "B")
	w.put(w.key(w.begin), "C")
	w.poll("two of the same minute", "B", "C")
	calls := w.Calls.Take("S3.ListObjectsV2", "S3.GetObject")
	if len(calls) < 10 {
		w.Errorf("only %d calls", len(calls))
	}
	for _, call := range calls {
		var input struct{ ExpectedBucketOwner string }
		if err := json.Unmarshal(call.Input, &input); err != nil || input.ExpectedBucketOwner != sourcetest.Account {
			w.Errorf("%s: the expected owner is %q, %v", call.Name(), input.ExpectedBucketOwner, err)
		}
	}
}

func everyAccountAndRegion(w *world) {
	for event, change := range map[string]func(k *cloudtrail.ObjectKey){
		"Plain":        func(*cloudtrail.ObjectKey) {},
		"Account":      func(k *cloudtrail.ObjectKey) { k.AccountID = "444455556666" },
		"Region":       func(k *cloudtrail.ObjectKey) { k.Region = "ap-southeast-2" },
		"Organization": func(k *cloudtrail.ObjectKey) { k.OrganizationID = "o-abcdefghij" },
		"Member":       func(k *cloudtrail.ObjectKey) { k.OrganizationID, k.AccountID = "o-abcdefghij", "444455556666" },
		"Insight":      func(k *cloudtrail.ObjectKey) { k.Kind = cloudtrail.KindInsight },
		"Elsewhere":    func(k *cloudtrail.ObjectKey) { k.Prefix = "other/trail" },
		"Old":          func(k *cloudtrail.ObjectKey) { k.Time = k.Time.AddDate(0, 0, -3) },
	} {
		k := w.key(w.begin)
		change(&k)
		w.put(k, event)
	}
	digest := w.key(w.begin)
	digest.Kind, digest.Trail, digest.HomeRegion = cloudtrail.KindDigest, "main", sourcetest.Region
	w.PutObject(digest.String(), []byte("{}"))
	folder := "AWSLogs/" + sourcetest.Account + "/"
	for _, key := range []string{
		folder, folder + "CloudTrail/", folder + "Config/eu-west-1/x.json", "AWSLogs/notes.txt", "AWSLogs/else/CloudTrail/x",
		folder + "CloudTrail/eu-west-1/" + w.begin.Format("2006/01/02/") + "notes.json.gz",
	} {
		w.PutObject(key, []byte("x"))
	}
	w.poll("all of the trail", "Account", "Member", "Organization", "Plain", "Region")
	for _, prefix := range []string{"other/trail", "other/trail/"} {
		w.configure(s3.Options{Bucket: sourcetest.Bucket, Prefix: prefix, Region: sourcetest.Region})
		w.poll("the trail with a prefix", "Elsewhere")
	}
	if dead := w.Dead.Kept(); len(dead) > 0 {
		w.Errorf("put aside: %+v", dead)
	}
}

func brokenFile(w *world) {
	broken := w.key(w.begin)
	w.PutObject(broken.String(), []byte("hello"))
	w.put(w.key(w.begin), "A")
	n, err := w.Poll(w.Context(), w.in.Handle)
	if got := w.in.Take(); n != 2 || err != nil || !slices.Equal(got, []string{"A"}) {
		w.Errorf("%d files, delivered %v, error %v", n, got, err)
	}
	dead := w.Dead.Kept()
	if len(dead) != 1 || dead[0].Via != "s3" || dead[0].From != "s3://"+sourcetest.Bucket+"/"+broken.String() || !strings.Contains(dead[0].Reason, "not a CloudTrail record") {
		w.Errorf("put aside: %+v", dead)
	}
	w.poll("it is put aside once")
}

func lateFiles(w *world) {
	w.pass(10 * time.Hour)
	now := w.begin.Add(10 * time.Hour)
	w.put(w.key(now), "Newest")
	w.poll("the first file", "Newest")
	w.Calls.Take()
	w.put(w.key(now.Add(-50*time.Minute)), "Late")
	w.put(w.key(now.Add(-3*time.Hour)), "VeryLate")
	w.poll("within the lookback", "Late")
	for _, call := range w.Calls.Take("S3.ListObjectsV2") {
		var input struct{ Prefix, StartAfter string }
		if err := json.Unmarshal(call.Input, &input); err != nil {
			w.Error(err)
		}
		if isDay := strings.Count(input.Prefix, "/") > 4; isDay && !strings.HasSuffix(input.StartAfter, "/111122223333_CloudTrail_eu-west-1_20000101T0900") {
			w.Errorf("%s is listed behind %q", input.Prefix, input.StartAfter)
		}
	}
	w.pass(time.Hour)
	w.poll("within the hour", "VeryLate")
	w.poll("nothing new")
}

func aroundMidnight(w *world) {
	w.pass(23*time.Hour + 50*time.Minute)
	last := w.begin.Add(23*time.Hour + 45*time.Minute)
	w.put(w.key(last), "A")
	w.poll("before midnight", "A")
	w.pass(20 * time.Minute)
	w.put(w.key(last.Add(10*time.Minute)), "B")
	w.put(w.key(last.Add(20*time.Minute)), "C")
	w.poll("after midnight, in both folders", "B", "C")
	w.pass(8 * time.Hour)
	w.poll("the last look into yesterday")
	w.Calls.Take()
	w.poll("nothing new")
	for _, call := range w.Calls.Take("S3.ListObjectsV2") {
		if strings.Contains(string(call.Input), "2000/01/01/") {
			w.Errorf("yesterday is listed for ever: %s", call.Input)
		}
	}
	w.pass(3 * 24 * time.Hour)
	w.put(w.key(w.begin.Add(4*24*time.Hour+8*time.Hour)), "D")
	w.poll("days later", "D")
}

func busyHandler(w *world) {
	busy := errors.New("database is locked")
	w.in.Before = func(_ context.Context, name string) error {
		if name == "A" {
			return busy
		}
		return nil
	}
	first := w.key(w.begin)
	w.put(first, "A")
	w.put(w.key(w.begin), "B")
	if err := w.look("the other goes on", "B"); !errors.Is(err, busy) || !strings.Contains(err.Error(), first.String()) {
		w.Errorf("error %v", err)
	}
	if err := w.look("it is tried again"); !errors.Is(err, busy) {
		w.Errorf("error %v", err)
	}
	w.pass(2 * time.Hour)
	w.put(w.key(w.begin.Add(2*time.Hour)), "C")
	w.in.Before = nil
	w.poll("hours later", "A", "C")
	w.poll("nothing new")
	if dead := w.Dead.Kept(); len(dead) > 0 {
		w.Errorf("put aside: %+v", dead)
	}
}

func neverWorks(w *world) {
	whole := sourcetest.Zip(w.T, sourcetest.LogFile("A"))
	cut := w.key(w.begin)
	w.PutObject(cut.String(), whole[:len(whole)-9])
	for range 3 {
		if _, err := w.Poll(w.Context(), w.in.Handle); !errors.Is(err, cloudtrail.ErrTruncated) {
			w.Errorf("error %v", err)
		}
		w.pass(10 * time.Hour)
	}
	if dead := w.Dead.Kept(); len(dead) > 0 {
		w.Errorf("put aside while it may still work: %+v", dead)
	}
	w.pass(24 * time.Hour)
	w.Dead.Refuse(errors.New("disk full"))
	if _, err := w.Poll(w.Context(), w.in.Handle); err == nil || !strings.Contains(err.Error(), "disk full") {
		w.Errorf("error %v", err)
	}
	w.Dead.Refuse(nil)
	if _, err := w.Poll(w.Context(), w.in.Handle); err != nil {
		w.Error(err)
	}
	if _, err := w.Poll(w.Context(), w.in.Handle); err != nil {
		w.Error(err)
	}
	var got []string
	for _, d := range w.Dead.Kept() {
		got = append(got, d.From)
	}
	if diff := cmp.Diff([]string{"s3://" + sourcetest.Bucket + "/" + cut.String()}, got); diff != "" {
		w.Errorf("put aside (-want +got):\n%s", diff)
	}
}

func anotherOwner(w *world) {
	w.put(w.key(w.begin), "A")
	w.configure(s3.Options{Bucket: sourcetest.Bucket, Region: sourcetest.Region, ExpectedBucketOwner: "444455556666"})
	if err := w.look("another's bucket"); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		w.Errorf("error %v", err)
	}
}

func theDaemon(w *world) {
	w.put(w.key(w.begin), "A")
	stop := w.Start(w.Source, w.in.Handle)
	sourcetest.Await(w.World, "the first delivery", w.in.Arrived)
	w.put(w.key(w.begin), "B")
	w.pass(time.Minute)
	sourcetest.Await(w.World, "the second delivery", w.in.Arrived)
	stop()
	w.configure(s3.Options{Bucket: "no-such-bucket", Region: sourcetest.Region})
	stop = w.Start(w.Source, w.in.Handle)
	if line := sourcetest.Await(w.World, "a warning", w.Log.Lines()); !strings.Contains(line, "no-such-bucket") {
		w.Errorf("logged %q", line)
	}
	stop()
}

func TestOptions(t *testing.T) {
	if _, err := newSource(s3.Options{}, source.Services{}); err == nil || err.Error() != "source s3: bucket is missing" {
		t.Errorf("error %v", err)
	}
}
