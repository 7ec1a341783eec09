// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incidenttest

import (
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	trails "github.com/switchback-project/switchback/internal/trail"
)

func testBlindWindows(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	window := func(id incident.ID, region, class string, lost time.Time) incident.BlindWindow {
		return incident.BlindWindow{Incident: id, Trail: trail, BlindWindow: trails.BlindWindow{
			Account: "111122223333", Region: region, Class: class, Lost: lost,
		}}
	}
	late := window(one, "all regions", "management write", noon.Add(time.Hour))
	write := window(one, "all regions", "management write", noon)
	read := window(one, "all regions", "management read", noon)
	odd := window(one, hostile, hostile, noon.Add(time.Minute))
	elsewhere := window(other, "all regions", "management write", noon.Add(time.Second))
	must(t, s.PutBlindWindows(ctx))
	must(t, s.PutBlindWindows(ctx, late, write, odd, elsewhere))
	must(t, reopen(t).PutBlindWindows(ctx, read))
	write.Found, write.Proven, write.Backfilled = noon.Add(time.Second), noon.Add(5*time.Minute), noon.Add(10*time.Minute)
	must(t, s.PutBlindWindows(ctx, write))
	for _, tc := range []struct {
		of   incident.ID
		want []incident.BlindWindow
	}{
		{one, []incident.BlindWindow{read, write, odd, late}},
		{other, []incident.BlindWindow{elsewhere}},
		{"", []incident.BlindWindow{read, write, elsewhere, odd, late}},
	} {
		got, err := reopen(t).ListBlindWindows(ctx, tc.of)
		must(t, err)
		equal(t, "blind windows of "+string(tc.of), tc.want, got)
	}
	none, err := s.ListBlindWindows(ctx, "none")
	must(t, err)
	if len(none) > 0 {
		t.Errorf("blind windows of nothing: %v", none)
	}
}
