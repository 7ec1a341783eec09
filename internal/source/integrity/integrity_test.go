// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package integrity_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/integrity"
)

// world is a bucket with digest files, and a source that validates it at the world's time.
type world struct {
	*testing.T
	*digesttest.World
	trail    *digesttest.Trail
	services source.Services
	log      strings.Builder
	logReads atomic.Int32
	taken    []cloudtrail.Envelope
	refuse   error
	dead     []source.Dead
}

func newWorld(t *testing.T) *world {
	t.Helper()
	base := digesttest.NewWorld()
	w := &world{T: t, World: base, trail: base.Trail(digesttest.Trail{LogFiles: 2}).Hours(6)}
	w.Fail = func(op, _, key string) error {
		if op == "get" && strings.Contains(key, "/CloudTrail/") {
			w.logReads.Add(1)
		}
		return nil
	}
	server := httptest.NewServer(base.Handler())
	t.Cleanup(server.Close)
	g, err := gate.Open(t.Context(), gate.Options{
		Endpoint: server.URL, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.services = source.Services{
		Gate: g, Dead: w, State: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
		Clock: func() time.Time { return w.trail.Now.Add(time.Hour) },
	}
	return w
}

// PutDead implements source.DeadLetters.
func (w *world) PutDead(_ context.Context, d source.Dead) error {
	w.dead = append(w.dead, d)
	return nil
}

func (w *world) handle(_ context.Context, d source.Delivery) error {
	if w.refuse == nil {
		w.taken = append(w.taken, d.Envelope)
	}
	return w.refuse
}

func (w *world) source(o integrity.Options) *integrity.Source {
	w.Helper()
	o.Bucket = w.trail.Bucket
	src, err := source.New(source.Config{Type: "integrity", Decode: func(v any) error {
		*v.(*integrity.Options) = o
		return nil
	}}, w.services)
	if err != nil {
		w.Fatal(err)
	}
	return src.(*integrity.Source)
}

// poll returns the codes of the events that a validation delivered.
func (w *world) poll(s *integrity.Source) []string {
	w.Helper()
	w.taken = nil
	if _, err := s.Poll(w.Context(), w.handle); err != nil {
		w.Fatal(err)
	}
	var codes []string
	for _, e := range w.taken {
		var d integrity.Detail
		if err := json.Unmarshal(e.Detail, &d); err != nil {
			w.Fatal(err)
		}
		codes = append(codes, string(d.Code))
	}
	return codes
}

func (w *world) ids() (all []string) {
	for _, e := range w.taken {
		all = append(all, e.ID)
	}
	return all
}

// What is intact makes no events, and is not read again: not by the same process, not by the next.
func TestProvenOnce(t *testing.T) {
	w := newWorld(t)
	src := w.source(integrity.Options{Lookback: 7 * time.Hour})
	if codes := w.poll(src); codes != nil || w.logReads.Swap(0) != 12 {
		t.Errorf("an intact bucket: %v", codes)
	}
	w.trail.Hours(1)
	if codes := w.poll(src); codes != nil || w.logReads.Swap(0) != 2 {
		t.Errorf("an hour later: %v", codes)
	}
	w.trail.Hours(1)
	if codes := w.poll(w.source(integrity.Options{Lookback: 7 * time.Hour})); codes != nil || w.logReads.Swap(0) != 2 {
		t.Errorf("after a restart: %v", codes)
	}
	w.trail.Hours(100)
	if codes := w.poll(w.source(integrity.Options{Lookback: 7 * time.Hour})); codes != nil || w.logReads.Load() != 200 {
		t.Errorf("after a long stop %d log files were read: %v", w.logReads.Load(), codes)
	}
}

// Each finding is one event with one id, however often it is found.
func TestFindingsAreEvents(t *testing.T) {
	w := newWorld(t)
	w.Edit(w.trail.Logs[3], func(c []byte) []byte { return append(c, ' ') })
	w.Delete(w.trail.Digests[5].Bucket, w.trail.Digests[5].Key)
	w.trail.PutLog(digesttest.Start.Add(90 * time.Minute))
	src := w.source(integrity.Options{Lookback: 7 * time.Hour, TrailARN: w.trail.ARN()})
	want := []string{"hash-mismatch", "unlisted-log-file"}
	if diff := cmp.Diff(want, w.poll(src)); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	ids := w.ids()
	if diff := cmp.Diff(want, w.poll(src)); diff != "" || !cmp.Equal(ids, w.ids()) {
		t.Errorf("found again as %v and %v:\n%s", ids, w.ids(), diff)
	}
	var d integrity.Detail
	e := w.taken[0]
	if err := json.Unmarshal(e.Detail, &d); err != nil {
		t.Fatal(err)
	}
	if e.Source != "switchback" || e.DetailType != "Log File Integrity" || e.Account != "111122223333" || e.Region != "eu-west-1" ||
		!cmp.Equal(e.Resources, []string{"arn:aws:s3:::" + w.trail.Bucket}) || d.Key != w.trail.Logs[3].Key || d.Severity != "error" || e.HasRecord() {
		t.Errorf("event %s", e.Raw)
	}
	w.trail.Now = w.trail.Now.Add(2 * time.Hour) // nothing is delivered any more
	if codes := w.poll(src); !strings.Contains(strings.Join(codes, " "), "missing-tail") {
		t.Errorf("no digest for hours: %v", codes)
	}
	ids = w.ids()
	w.trail.Now = w.trail.Now.Add(time.Hour)
	w.poll(src)
	for _, id := range w.ids() { // the oldest finding may have left the lookback
		if !slices.Contains(ids, id) {
			t.Errorf("the same findings have new ids an hour later: %v, %v", ids, w.ids())
		}
	}
}

// An event that was not taken comes again; one that never can be is put aside.
func TestEventsAreNotLost(t *testing.T) {
	w := newWorld(t)
	w.trail.PutLog(digesttest.Start.Add(90 * time.Minute))
	busy := errors.New("database is locked")
	src := w.source(integrity.Options{Lookback: 7 * time.Hour})
	w.refuse = busy
	if _, err := src.Poll(t.Context(), w.handle); !errors.Is(err, busy) {
		t.Errorf("error %v", err)
	}
	w.refuse = nil
	if codes := w.poll(src); len(codes) != 1 {
		t.Errorf("the event is lost: %v", codes)
	}
	w.refuse = source.ErrPoison
	if w.poll(w.source(integrity.Options{Lookback: 7 * time.Hour, TrailARN: w.trail.ARN()})); len(w.dead) != 1 || w.dead[0].Via != "integrity" {
		t.Errorf("put aside: %+v", w.dead)
	}
}

// What cannot be read is no event, is not proven, and is read when it can be.
func TestUnreadable(t *testing.T) {
	w := newWorld(t)
	isDenied := true
	w.Fail = func(op, _, key string) error {
		if isDenied && op == "get" && key == w.trail.Logs[3].Key {
			return errors.New("denied")
		}
		return nil
	}
	src := w.source(integrity.Options{Lookback: 7 * time.Hour})
	summary, err := src.Poll(t.Context(), w.handle)
	if err != nil || len(w.taken) != 0 || summary.Unreadable != 1 || !strings.Contains(w.log.String(), w.trail.Logs[3].Key) {
		t.Errorf("%+v, %v, events %v\n%s", summary, err, w.taken, w.log.String())
	}
	isDenied = false
	if summary, err = src.Poll(t.Context(), w.handle); err != nil || summary.LogFiles != (digest.Ratio{Valid: 2}) {
		t.Errorf("later: %+v, %v", summary, err)
	}
}

func TestRunGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := gate.Open(t.Context(), gate.Options{Backend: refusing{}, Region: "eu-west-1"})
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		src, err := source.New(source.Config{Type: "integrity", Decode: func(v any) error {
			*v.(*integrity.Options) = integrity.Options{Bucket: "b", Every: time.Hour}
			return nil
		}}, source.Services{Gate: g, Clock: time.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
		defer cancel()
		err = src.Run(ctx, func(context.Context, source.Delivery) error { return nil })
		if n := strings.Count(log.String(), "could not be read"); !errors.Is(err, context.DeadlineExceeded) || n != 3 {
			t.Errorf("%d validations, %v\n%s", n, err, log.String())
		}
	})
}

// refusing is an AWS that has nothing for us.
type refusing struct{}

// Do implements gate.Backend.
func (refusing) Do(context.Context, gate.Request) (any, error) { return nil, errors.New("refused") }

func TestOptions(t *testing.T) {
	for _, tc := range []struct {
		options integrity.Options
		want    string
	}{
		{integrity.Options{}, "source integrity: bucket is missing"},
		{integrity.Options{Bucket: "b", TrailARN: "main"}, "source integrity: trail_arn: Invalid trail ARN provided: main"},
	} {
		_, err := source.New(source.Config{Type: "integrity", Decode: func(v any) error {
			*v.(*integrity.Options) = tc.options
			return nil
		}}, source.Services{})
		if err == nil || err.Error() != tc.want {
			t.Errorf("error %v, want %s", err, tc.want)
		}
	}
}
