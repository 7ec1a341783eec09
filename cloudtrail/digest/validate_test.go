// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

func TestMissingTail(t *testing.T) {
	for _, tc := range []struct {
		name       string
		deleted    int
		now        time.Duration // after the last delivery
		asked      time.Duration
		wantFrom   time.Duration // before the last delivery
		wantCount  int
		isComplete bool
	}{
		{name: "none deleted", now: 90 * time.Minute, asked: 90 * time.Minute, isComplete: true},
		{name: "an hour late", now: 3 * time.Hour, asked: 3 * time.Hour, wantFrom: 0, wantCount: 1},
		{name: "newest deleted at once", deleted: 1, now: time.Minute, asked: time.Minute, isComplete: true},
		{name: "newest deleted", deleted: 1, now: 2 * time.Hour, asked: 2 * time.Hour, wantFrom: time.Hour, wantCount: 1},
		{name: "two deleted, asked for a time long ago", deleted: 2, now: 1000 * time.Hour, asked: 0, wantFrom: 2 * time.Hour, wantCount: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := digesttest.NewWorld()
			tr := w.Trail(trail{}).Hours(6)
			for _, d := range tr.Digests[6-tc.deleted:] {
				w.Delete(d.Bucket, d.Key)
			}
			req := requestOf(t, tr)
			req.End = tr.Now.Add(tc.asked)
			got, _, results := validate(t, w, req, digest.Options{Now: tr.Now.Add(tc.now)})
			i := slices.IndexFunc(results, func(r digest.Result) bool { return r.Code == digest.CodeMissingTail })
			if tc.isComplete {
				if i >= 0 || got.ExitStatus != 0 {
					t.Fatalf("exit status %d\n%s", got.ExitStatus, details(results))
				}
				return
			}
			if i < 0 || got.ExitStatus != 1 {
				t.Fatalf("no missing tail, exit status %d\n%s", got.ExitStatus, details(results))
			}
			if from := tr.Now.Add(-tc.wantFrom); !results[i].From.Equal(from) || results[i].Count != tc.wantCount {
				t.Errorf("from %v, %d files; want %v, %d", results[i].From, results[i].Count, from, tc.wantCount)
			}
		})
	}
}

func TestMissingHead(t *testing.T) {
	w, tr := chainOf(6)
	req := requestOf(t, tr)
	req.Start = req.Start.Add(-3 * time.Hour)
	_, _, results := validate(t, w, req, digest.Options{Now: soonAfter(tr)})
	head := results[len(results)-1]
	if head.Code != digest.CodeMissingHead || head.Severity != digest.SeverityWarning || head.Count != 3 || !head.To.Equal(digesttest.Start) {
		t.Errorf("a chain that starts later: %+v", head)
	}
	w.Delete(tr.Bucket, tr.Digests[0].Key)
	_, _, results = validate(t, w, req, digest.Options{Now: soonAfter(tr)})
	i := slices.IndexFunc(results, func(r digest.Result) bool { return r.Code == digest.CodeMissingHead })
	if i < 0 || results[i].Severity != digest.SeverityError || results[i].Count != 4 {
		t.Errorf("a chain whose start is gone:\n%s", details(results))
	}
}

func TestMissingDigestsAreCounted(t *testing.T) {
	w, tr := chainOf(9)
	for _, d := range tr.Digests[2:6] {
		w.Delete(d.Bucket, d.Key)
	}
	w.Forge(tr.Digests[7], digesttest.KeyB(), nil) // nothing leads to 6 any more
	w.Delete(tr.Bucket, tr.Digests[6].Key)
	_, summary, results := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
	if summary.MissingDigests != 5 {
		t.Errorf("%d missing, want 5\n%s", summary.MissingDigests, details(results))
	}
}

func TestGapHasItsInterval(t *testing.T) {
	w, tr := chainOf(2)
	tr.Off(5, 0).Hours(2)
	_, _, results := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
	i := slices.IndexFunc(results, func(r digest.Result) bool { return r.Code == digest.CodeGap })
	if i < 0 || !results[i].From.Equal(digesttest.Start.Add(2*time.Hour)) || !results[i].To.Equal(digesttest.Start.Add(7*time.Hour)) {
		t.Errorf("gap:\n%s", details(results))
	}
}

// organization is a bucket with everything: an organization trail over three accounts and two regions, one of them a
// shadow, and an account's own trail under the same prefix.
func organization() (*world, digest.Request) {
	w := digesttest.NewWorld()
	var last *trail
	for _, account := range []string{"111122223333", "444455556666", "777788889999"} {
		for _, region := range []string{"eu-west-1", "us-gov-west-1"} {
			last = w.Trail(trail{
				Prefix: "audit/2026", Organization: "o-a1b2c3d4e5", Account: account, Region: region,
				Name: "organization", HomeRegion: "eu-west-1", LogFiles: 2,
			}).Hours(4)
		}
	}
	w.Trail(trail{Prefix: "audit/2026", Account: "444455556666", LogFiles: 1}).Hours(4)
	return w, digest.Request{Bucket: last.Bucket, Prefix: "audit/2026", Start: digesttest.Start, End: last.Now}
}

func TestAllAccountsAndRegions(t *testing.T) {
	w, req := organization()
	w.PageSize = 3
	got, summary, results := validate(t, w, req, digest.Options{Now: req.End})
	want := outcome{Digests: digest.Ratio{Valid: 28}, LogFiles: digest.Ratio{Valid: 52}}
	if diff := cmp.Diff(want, got); diff != "" || summary.Scopes != 7 || summary.Trails != 7 {
		t.Errorf("%d scopes, %d trails (-want +got):\n%s\n%s", summary.Scopes, summary.Trails, diff, details(results))
	}
	if !slices.IsSortedFunc(results, func(a, b digest.Result) int {
		return strings.Compare(a.Scope.Organization+a.Scope.Account+a.Scope.Region, b.Scope.Organization+b.Scope.Account+b.Scope.Region)
	}) {
		t.Error("results are not in the order of accounts and regions")
	}
}

func TestScopeOfARequest(t *testing.T) {
	w, all := organization()
	for _, tc := range []struct {
		name   string
		narrow func(*digest.Request)
		want   int // valid digest files
	}{
		{"one account", func(r *digest.Request) { r.Accounts = []string{"444455556666"} }, 12},
		{"one region", func(r *digest.Request) { r.Regions = []string{"us-gov-west-1"} }, 12},
		{"one organization", func(r *digest.Request) { r.Organization = "o-a1b2c3d4e5" }, 24},
		{"one trail", func(r *digest.Request) {
			r.Trail, _ = digest.ParseTrailARN("arn:aws:cloudtrail:eu-west-1:111122223333:trail/organization")
			r.Organization = "o-a1b2c3d4e5"
		}, 24},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := all
			tc.narrow(&req)
			got, _, results := validate(t, w, req, digest.Options{Now: req.End})
			if got.Digests.Valid != tc.want || got.LogFiles.Invalid != 0 {
				t.Errorf("%d digest files, want %d\n%s", got.Digests.Valid, tc.want, details(results))
			}
		})
	}
}

// The AWS CLI's scope is one account and region, and the organization only if it is named.
func TestScopeOfCompatibleMode(t *testing.T) {
	w, req := organization()
	req.Trail, _ = digest.ParseTrailARN("arn:aws:cloudtrail:eu-west-1:111122223333:trail/organization")
	req.Organization = "o-a1b2c3d4e5"
	got, _, _ := validate(t, w, req, digest.Options{AWSCompatible: true})
	if got.Digests.Valid != 4 {
		t.Errorf("home region: %+v", got)
	}
	req.Accounts, req.Regions = []string{"777788889999"}, []string{"us-gov-west-1"}
	got, _, _ = validate(t, w, req, digest.Options{AWSCompatible: true})
	if got.Digests.Valid != 4 || got.LogFiles.Valid != 8 {
		t.Errorf("member account, shadow region: %+v", got)
	}
}

// What cannot be read is named, never valid, and the rest goes on.
func TestUnreadable(t *testing.T) {
	denied := errors.New("access denied")
	for _, tc := range []struct {
		name         string
		fail         func(op, bucket, key string) bool
		wantScopes   int
		wantDigests  int
		wantUnlisted int
	}{
		{"one account's prefix", func(op, _, key string) bool {
			return op == "list" && strings.Contains(key, "o-a1b2c3d4e5/444455556666")
		}, 5, 20, 0},
		{"one region's digest files", func(op, _, key string) bool {
			return op == "list" && strings.HasSuffix(key, "777788889999/CloudTrail-Digest/us-gov-west-1/")
		}, 7, 24, 0},
		{"one region's log files", func(op, _, key string) bool {
			return op == "list" && strings.HasSuffix(key, "111122223333/CloudTrail/eu-west-1/")
		}, 7, 28, 0},
		{"one digest file", func(op, _, key string) bool {
			return op == "get" && strings.Contains(key, "777788889999_CloudTrail-Digest_eu-west-1_organization_eu-west-1_20260504T021728Z")
		}, 7, 27, 2},
		{"keys of one region", func(op, region, _ string) bool { return op == "keys" && region == "us-gov-west-1" }, 7, 16, 0},
		{"the whole bucket", func(op, _, _ string) bool { return op != "keys" }, 0, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, req := organization()
			w.Fail = func(op, bucket, key string) error {
				if tc.fail(op, bucket, key) {
					return denied
				}
				return nil
			}
			got, summary, results := validate(t, w, req, digest.Options{Now: req.End})
			if got.ExitStatus != 2 || got.Digests.Valid != tc.wantDigests || summary.Scopes != tc.wantScopes || summary.Unlisted != tc.wantUnlisted {
				t.Errorf("exit status %d, %d digest files, %d scopes, %d unlisted\n%s", got.ExitStatus, got.Digests.Valid, summary.Scopes, summary.Unlisted, details(results))
			}
			for _, r := range results {
				if r.Code == digest.CodeUnreadable && !errors.Is(r.Err(), denied) {
					t.Errorf("cause of %+v is lost: %v", r, r.Err())
				}
			}
		})
	}
}

func TestErrorsOfCompatibleMode(t *testing.T) {
	denied := errors.New("access denied")
	for _, tc := range []struct {
		name string
		do   func(*world, *trail)
		want error
	}{
		{"listing denied", func(w *world, _ *trail) { w.Fail = failing("list", denied) }, denied},
		{"object denied", func(w *world, _ *trail) { w.Fail = failing("get", denied) }, denied},
		{"keys denied", func(w *world, _ *trail) { w.Fail = failing("keys", denied) }, denied},
		{"no keys", func(w *world, _ *trail) { clear(w.Keys) }, digest.ErrNoPublicKeys},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, tr := chainOf(3)
			tc.do(w, tr)
			_, err := digest.Validate(context.Background(), w, requestOf(t, tr), digest.Options{AWSCompatible: true},
				func(digest.Result) error { return nil })
			if !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

func failing(op string, err error) func(string, string, string) error {
	return func(o, _, _ string) error {
		if o == op {
			return err
		}
		return nil
	}
}

func TestRefusedRequests(t *testing.T) {
	start := digesttest.Start
	for _, tc := range []struct {
		name string
		req  digest.Request
		opts digest.Options
		want error
	}{
		{"start after end", digest.Request{Bucket: "b", Start: start, End: start.Add(-1)}, digest.Options{}, digest.ErrInvalidRange},
		{"no bucket", digest.Request{Start: start, End: start}, digest.Options{}, digest.ErrRequest},
		{"no end", digest.Request{Bucket: "b", Start: start}, digest.Options{}, digest.ErrRequest},
		{"no trail", digest.Request{Bucket: "b", Start: start, End: start}, digest.Options{AWSCompatible: true}, digest.ErrRequest},
	} {
		_, err := digest.Validate(context.Background(), digesttest.NewWorld(), tc.req, tc.opts, func(digest.Result) error { return nil })
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}

// An empty range and an empty bucket are findings, where the AWS CLI says 0.
func TestNothingFound(t *testing.T) {
	w, tr := chainOf(3)
	req := requestOf(t, tr)
	req.Start = tr.Now.Add(48 * time.Hour)
	req.End = req.Start
	if got, _, _ := validate(t, w, req, digest.Options{}); got.ExitStatus != 1 || !slices.Equal(got.Found, []string{"nothing-found"}) {
		t.Errorf("empty range: %+v", got)
	}
	w.Put("empty", "x", &digesttest.Object{})
	req.Bucket = "empty"
	if got, _, _ := validate(t, w, req, digest.Options{}); got.ExitStatus != 1 || !slices.Equal(got.Found, []string{"nothing-found"}) {
		t.Errorf("empty bucket: %+v", got)
	}
	if got, _, _ := validate(t, w, req, digest.Options{AWSCompatible: true}); got.ExitStatus != 1 && len(got.Found) > 0 {
		t.Errorf("AWS-compatible: %+v", got)
	}
}

// Throttled requests are repeated after the time that was asked for; what stays refused is unreadable.
func TestThrottling(t *testing.T) {
	w, tr := chainOf(4)
	var mu sync.Mutex
	refused := make(map[string]int)
	limit := 2
	w.Fail = func(op, bucket, key string) error {
		mu.Lock()
		defer mu.Unlock()
		refused[op+bucket+key]++
		if refused[op+bucket+key] <= limit {
			return fmt.Errorf("get: %w", &digest.RetryError{After: time.Minute, Err: errors.New("SlowDown")})
		}
		return nil
	}
	waits := 0
	opts := digest.Options{Now: soonAfter(tr), Wait: func(_ context.Context, d time.Duration) error {
		mu.Lock()
		defer mu.Unlock()
		waits++
		if d < time.Minute {
			t.Errorf("waited %v, was asked for a minute", d)
		}
		return nil
	}}
	got, _, results := validate(t, w, requestOf(t, tr), opts)
	if got.ExitStatus != 0 || got.LogFiles.Valid != 12 || waits == 0 {
		t.Errorf("%+v after %d waits\n%s", got, waits, details(results))
	}
	limit = 1000
	clear(refused)
	if got, _, _ = validate(t, w, requestOf(t, tr), opts); got.ExitStatus != 2 || got.Digests.Valid != 0 {
		t.Errorf("always refused: %+v", got)
	}
}

// brokenBodies breaks the first read of every object off, as a lost connection does.
type brokenBodies struct {
	*world
	mu   sync.Mutex
	seen map[string]bool
}

type brokenBody struct{ io.Reader }

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p[:min(len(p), 20)])
	if err != nil {
		return n, err
	}
	return n, io.ErrUnexpectedEOF
}
func (brokenBody) Close() error { return nil }

func (b *brokenBodies) Get(ctx context.Context, bucket, key string) (*digest.Object, error) {
	o, err := b.world.Get(ctx, bucket, key)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil && !b.seen[key] {
		b.seen[key] = true
		o.Body = brokenBody{o.Body}
	}
	return o, err
}

// A download that breaks off must neither look like a truncated file nor be given up at once.
func TestBrokenDownloads(t *testing.T) {
	w, tr := chainOf(3)
	opts := digest.Options{Now: soonAfter(tr), Wait: func(context.Context, time.Duration) error { return nil }}
	got, _, results := validate(t, &brokenBodies{world: w, seen: map[string]bool{}}, requestOf(t, tr), opts)
	if got.ExitStatus != 0 {
		t.Errorf("%+v\n%s", got, details(results))
	}
	opts.Attempts = 1
	got, _, _ = validate(t, &brokenBodies{world: w, seen: map[string]bool{}}, requestOf(t, tr), opts)
	if got.ExitStatus != 2 || got.Digests.Invalid+got.LogFiles.Invalid > 0 {
		t.Errorf("without a second attempt: %+v", got)
	}
}

// A prefix that changed on the way is followed, and what lies under the old one belongs to the chain.
func TestPrefixChange(t *testing.T) {
	w, tr := chainOf(3)
	tr.Prefix = "new"
	tr.Hours(3)
	req := requestOf(t, tr)
	got, _, results := validate(t, w, req, digest.Options{Now: soonAfter(tr)})
	if got.ExitStatus != 0 || got.Digests.Valid != 6 || got.LogFiles.Valid != 18 {
		t.Errorf("%+v\n%s", got, details(results))
	}
	old := *tr
	old.Prefix = ""
	old.PutLog(digesttest.Start.Add(time.Hour))
	if got, _, results = validate(t, w, req, digest.Options{Now: soonAfter(tr)}); !slices.Equal(got.Found, unlisted(1)) {
		t.Errorf("forged under the old prefix: %+v\n%s", got, details(results))
	}
}

// A bucket that vanished leaves what can still be proven.
func TestVanishedBucket(t *testing.T) {
	w, tr := chainOf(3)
	tr.Bucket = "second-logs"
	tr.Hours(3)
	delete(w.Buckets, "logs-111122223333")
	got, _, results := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
	if got.ExitStatus != 2 || got.Digests.Valid != 3 || got.Digests.Unreadable != 1 || got.LogFiles.Valid != 9 {
		t.Errorf("%+v\n%s", got, details(results))
	}
}

func TestReportEndsTheRun(t *testing.T) {
	w, tr := chainOf(6)
	enough := errors.New("enough")
	n := 0
	summary, err := digest.Validate(context.Background(), w, requestOf(t, tr), digest.Options{}, func(digest.Result) error {
		if n++; n == 5 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 5 || summary.Trails != 1 {
		t.Errorf("%v after %d results of %d trails", err, n, summary.Trails)
	}
}

// A log file that no digest file lists is found on whatever page of the listing it is, and the listing ends with the range.
func TestUnlistedOnEveryPage(t *testing.T) {
	w, tr := chainOf(6)
	var pages atomic.Int64
	w.PageSize = 1
	w.Fail = func(op, _, key string) error {
		if op == "list" && strings.HasSuffix(key, "/CloudTrail/eu-west-1/") {
			pages.Add(1)
		}
		return nil
	}
	forged := 0
	for _, ref := range tr.Logs {
		w.Put(ref.Bucket, strings.Replace(ref.Key, ".json.gz", "x.json.gz", 1), w.Object(ref.Bucket, ref.Key))
		forged++
	}
	folder := tr.Logs[0].Key[:strings.Index(tr.Logs[0].Key, "/2026/")]
	for day := range 20 {
		key := fmt.Sprintf("%s/2026/06/%02d/111122223333_CloudTrail_eu-west-1_202606%02dT0000Z_x.json.gz", folder, day+1, day+1)
		w.Put(tr.Bucket, key, w.Object(tr.Logs[0].Bucket, tr.Logs[0].Key))
	}
	_, summary, results := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
	if summary.Unlisted != forged {
		t.Errorf("%d unlisted log files, want %d\n%s", summary.Unlisted, forged, details(results))
	}
	if most := int64(2*forged + 1); pages.Load() > most {
		t.Errorf("%d pages were listed, want %d at most", pages.Load(), most)
	}
}

func TestStats(t *testing.T) {
	w, tr := chainOf(6)
	var last digest.Stats
	_, summary, _ := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr), OnStats: func(s digest.Stats) { last = s }})
	if last.Digests != 6 || last.LogFiles != 18 || last.DigestsListed != 6 || last.Bytes != summary.Bytes || last.Bytes == 0 {
		t.Errorf("%+v", last)
	}
}
