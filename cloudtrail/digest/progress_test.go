// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// throughJSON is what happens to a Progress between two runs.
func throughJSON(t *testing.T, p *digest.Progress) *digest.Progress {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	back, err := digest.ParseProgress(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, back); diff != "" {
		t.Fatalf("progress changed on its way through JSON:\n%s", diff)
	}
	return back
}

// countGets counts how many objects are read.
func countGets(w *world) *atomic.Int64 {
	n := new(atomic.Int64)
	w.Before = func(op string) {
		if op == "get" {
			n.Add(1)
		}
	}
	return n
}

func TestResume(t *testing.T) {
	w, tr := chainOf(6)
	got, first, _ := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
	if got.ExitStatus != 0 {
		t.Fatalf("%+v", got)
	}
	tr.Hours(2)
	gets := countGets(w)
	opts := digest.Options{Now: soonAfter(tr), Resume: throughJSON(t, first.Progress)}
	got, second, results := validate(t, w, requestOf(t, tr), opts)
	if got.ExitStatus != 0 || !slices.Equal(got.Found, []string{"resumed"}) || got.LogFiles.Valid != 6 {
		t.Errorf("%+v\n%s", got, details(results))
	}
	// Two new digest files with six log files, the newest proven one, and a few read ahead of the walk.
	if n := gets.Load(); n > 15 {
		t.Errorf("read %d objects", n)
	}
	intervals := second.Progress.Chains[0].Intervals
	if len(intervals) != 1 || intervals[0].Digests != 8 || intervals[0].LogFiles != 24 ||
		!intervals[0].From.Equal(digesttest.Start) || !intervals[0].To.Equal(tr.Now) {
		t.Errorf("proven: %+v", intervals)
	}
}

// A run that is ended at any point loses nothing of what it reported, and the next one proves the rest.
func TestResumeAfterInterruption(t *testing.T) {
	w, tr := chainOf(6)
	req := requestOf(t, tr)
	total := 6 + 18
	for stop := 1; stop < total; stop++ {
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		first, err := digest.Validate(ctx, w, req, digest.Options{}, func(digest.Result) error {
			if n++; n == stop {
				cancel()
			}
			return nil
		})
		cancel()
		if !errors.Is(err, context.Canceled) || n != stop {
			t.Fatalf("stopped at %d: %v after %d", stop, err, n)
		}
		got, second, results := validate(t, w, req, digest.Options{Now: soonAfter(tr), Resume: throughJSON(t, first.Progress)})
		if got.ExitStatus != 0 {
			t.Fatalf("stopped at %d: %+v\n%s", stop, got, details(results))
		}
		whole := second.Progress.Chains[0].Intervals
		if len(whole) != 1 || whole[0].Digests != 6 || whole[0].LogFiles != 18 {
			t.Fatalf("stopped at %d: proven %+v", stop, whole)
		}
		if proven := stop / 4; got.Digests.Valid != 6-proven {
			t.Errorf("stopped at %d, %d digest files proven: %d read again", stop, proven, got.Digests.Valid)
		}
	}
}

// What is wrong stays unproven: it is reported again by every later run.
func TestResumeReportsAgain(t *testing.T) {
	w, tr := chainOf(6)
	w.Edit(tr.Logs[7], func(c []byte) []byte { return c[1:] }) // of digest file 2
	w.Delete(tr.Bucket, tr.Digests[4].Key)
	want, first, _ := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
	if n := len(first.Progress.Chains[0].Intervals); n != 3 {
		t.Fatalf("%d intervals, want 5, 3 and 0-1", n)
	}
	got, second, results := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr), Resume: first.Progress})
	got.Found = slices.DeleteFunc(got.Found, func(c string) bool { return c == "resumed" })
	if diff := cmp.Diff(want.Found, got.Found); diff != "" || got.ExitStatus != 1 {
		t.Errorf("exit status %d (-first +second):\n%s\n%s", got.ExitStatus, diff, details(results))
	}
	if diff := cmp.Diff(first.Progress, second.Progress); diff != "" {
		t.Errorf("progress:\n%s", diff)
	}
}

// Digest files that were proven and are gone, or are others now, do not pass.
func TestResumeNoticesChanges(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(*world, *trail)
		want string
	}{
		{"newest proven one deleted", func(w *world, t *trail) { w.Delete(t.Bucket, t.Digests[5].Key) }, "missing-digest"},
		{"newest proven one replaced", func(w *world, t *trail) { w.Forge(t.Digests[5], t.Key, fields{"logFiles": []any{}}) }, "resume-mismatch"},
		{"everything deleted", func(w *world, t *trail) {
			for _, key := range slices.Clone(w.AllKeys(t.Bucket)) {
				if !strings.HasPrefix(key, "other") {
					w.Delete(t.Bucket, key)
				}
			}
		}, "nothing-found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, tr := chainOf(6)
			w.Put(tr.Bucket, "other/x", &digesttest.Object{})
			_, first, _ := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
			tr.Hours(1)
			tc.do(w, tr)
			got, _, results := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr), Resume: first.Progress})
			if !slices.Contains(got.Found, tc.want) || got.ExitStatus != 1 {
				t.Errorf("exit status %d, no %s\n%s", got.ExitStatus, tc.want, details(results))
			}
		})
	}
}

func TestParseProgressRefuses(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", `{"version":2,"chains":[]}`, `{"version":1,"chains":[],"more":1}`} {
		if p, err := digest.ParseProgress([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, p)
		}
	}
}
