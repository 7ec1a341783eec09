// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// chainTamperings are what happens to a trail over time rather than to one file. Six hours are there already.
func chainTamperings() []tampering {
	return []tampering{
		{"key rotated", func(_ *world, t *trail) { t.Key = digesttest.KeyB(); t.Hours(3) }, nil, 0, nil, ""},
		{"key of 4096 bits", func(_ *world, t *trail) { t.Key = digesttest.Key4096(); t.Hours(3) }, nil, 0, nil, ""},
		{"idle hours", func(_ *world, t *trail) { t.LogFiles = 0; t.Hours(5) }, nil, 0, nil, ""},
		{
			"logging stopped and started", func(_ *world, t *trail) { t.Off(3, 0).Hours(2) },
			[]string{"gap"},
			1,
			nil, "",
		},
		{
			"logging without validation", func(_ *world, t *trail) { t.Off(2, 2).Hours(2) },
			join("gap", repeat("logged-while-off", 4)), 1, nil, "",
		},
		{
			"stopped twice", func(_ *world, t *trail) { t.Off(1, 0).Hours(1).Off(1, 0).Hours(1) },
			[]string{"gap", "gap"},
			1,
			nil, "",
		},
		{
			"validation turned off and on at once", func(_ *world, t *trail) { t.Off(0, 0).Hours(1) },
			[]string{"gap"},
			1,
			nil, "",
		},
		{"bucket changed", func(_ *world, t *trail) { t.Bucket = "second-logs"; t.Hours(3) }, nil, 0, nil, ""},
		{"bucket changed, a digest of the first one deleted", func(w *world, t *trail) {
			t.Bucket = "second-logs"
			t.Hours(3)
			w.Delete("logs-111122223333", t.Digests[3].Key)
		}, join("missing-digest", unlisted(3)), 1, []string{notFound}, ""},
		{"backfill", func(_ *world, t *trail) {
			t.Backfill(t.Now.Add(24 * time.Hour))
			t.Hours(2).Backfill(t.Now.Add(24 * time.Hour))
		}, nil, 0, nil, ""},
		{"backfill without its time", func(w *world, t *trail) {
			t.Backfill(t.Now.Add(24 * time.Hour)).Hours(1)
			w.Meta(t.Backfills[0], func(m map[string]string) { delete(m, "backfill-generation-timestamp") })
		}, join("invalid-format", unlisted(3)), 1, []string{badFormat}, ""},
		{"backfill at a time that is none", func(w *world, t *trail) {
			t.Key = digesttest.KeyB()
			t.Backfill(t.Now)
			t.Key = digesttest.KeyA()
			t.Hours(1)
			w.Keys[t.Region] = w.Keys[t.Region][:1]
			w.Meta(t.Backfills[0], set("backfill-generation-timestamp", "yesterday"))
		}, join("bad-digest", unlisted(3)), 1, []string{"Unable to parse date value: yesterday"}, ""},
		{"backfill of the middle deleted", func(w *world, t *trail) {
			for range 3 {
				t.Hours(1).Backfill(t.Now.Add(24 * time.Hour))
			}
			w.Delete(t.Bucket, t.Backfills[1].Key)
		}, join("missing-digest", unlisted(3)), 1, []string{notFound}, ""},
		{"backfill log file changed", func(w *world, t *trail) {
			t.Backfill(t.Now.Add(24 * time.Hour))
			w.Edit(t.Logs[len(t.Logs)-1], func(c []byte) []byte { return c[1:] })
		}, []string{"hash-mismatch"}, 1, []string{mismatch}, ""},
		{"another trail of the same account", func(w *world, t *trail) {
			w.Trail(trail{Name: "main_eu-west-1_copy", LogFiles: 2}).Hours(6)
		}, nil, 0, nil, "it takes the digest files of main_eu-west-1_copy for those of main"},
		{"another trail, one of its log files forged", func(w *world, t *trail) {
			w.Trail(trail{Name: "copy", LogFiles: 2}).Hours(6).PutLog(digesttest.Start.Add(time.Hour))
		}, unlisted(1), 1, nil, ""},
	}
}

func TestChains(t *testing.T) {
	for _, tc := range chainTamperings() {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w, tr := chainOf(6)
			tc.do(w, tr)
			got, _, results := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
			if diff := cmp.Diff(tc.found, got.Found); diff != "" || got.ExitStatus != tc.status {
				t.Errorf("exit status %d, want %d; results (-want +got):\n%s\n%s", got.ExitStatus, tc.status, diff, details(results))
			}
			checkCompatible(t, w, tr, tc)
		})
	}
}
