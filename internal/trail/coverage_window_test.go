// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/trail"
)

func minute(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// recorder is a trail of eu-west-1 that records all management events everywhere.
func recorder(name string) trail.Trail {
	return trail.Trail{
		Name: name, ARN: arn.Trail("eu-west-1", "111122223333", name), HomeRegion: "eu-west-1",
		IsMultiRegionTrail: true, IncludeGlobalServiceEvents: true, IsLogging: true,
	}
}

func stopped(t trail.Trail) trail.Trail {
	t.IsLogging = false
	return t
}

func singleRegion(t trail.Trail) trail.Trail {
	t.IsMultiRegionTrail = false
	return t
}

// lines are windows as short texts.
func lines(windows []trail.BlindWindow) []string {
	out := []string{}
	at := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return fmt.Sprint(int(t.Sub(start) / time.Minute))
	}
	for _, w := range windows {
		out = append(out, fmt.Sprintf("%s, %s: %s %s %s", w.Class, w.Region, at(w.Lost), at(w.Found), at(w.Proven)))
	}
	return out
}

func TestBlindWindows(t *testing.T) {
	t.Parallel()
	main, other := recorder("main"), recorder("other")
	before := trail.Fact{Trail: main, IsProven: true}
	everything := func(times string) []string {
		return []string{
			"management read, all regions: " + times, "management read, global services: " + times,
			"management write, all regions: " + times, "management write, global services: " + times,
		}
	}
	data := main
	data.EventSelectors = append(trail.DefaultEventSelectors(), trail.EventSelector{
		ReadWriteType: "WriteOnly", DataResources: []trail.DataResource{{Type: "AWS::S3::Object", Values: []string{"arn:aws:s3"}}},
	})
	for name, tc := range map[string]struct {
		facts []trail.Fact
		want  []string
	}{
		"never covered":    {[]trail.Fact{{At: minute(1), Trail: stopped(main)}}, nil},
		"stopped for ever": {[]trail.Fact{before, {At: minute(1), Trail: stopped(main)}}, everything("1 - -")},
		"accepted":         {[]trail.Fact{before, {At: minute(1), Trail: stopped(main)}, {At: minute(2), Trail: main}}, everything("1 2 -")},
		"proven": {[]trail.Fact{
			before, {At: minute(1), Trail: stopped(main)}, {At: minute(2), Trail: main}, {At: minute(7), Trail: main, IsProven: true},
		}, everything("1 2 7")},
		"lost again before the proof": {[]trail.Fact{
			before, {At: minute(1), Trail: stopped(main)}, {At: minute(2), Trail: main}, {At: minute(3), Trail: stopped(main)},
			{At: minute(4), Trail: main}, {At: minute(9), Trail: main, IsProven: true},
		}, everything("1 4 9")},
		"lost again after the proof": {[]trail.Fact{
			before, {At: minute(1), Trail: stopped(main)}, {At: minute(2), Trail: main, IsProven: true}, {At: minute(3), Trail: main, IsGone: true},
		}, slices.Concat(
			[]string{"management read, all regions: 1 2 2", "management read, all regions: 3 - -"},
			[]string{"management read, global services: 1 2 2", "management read, global services: 3 - -"},
			[]string{"management write, all regions: 1 2 2", "management write, all regions: 3 - -"},
			[]string{"management write, global services: 1 2 2", "management write, global services: 3 - -"},
		)},
		"another trail covers": {[]trail.Fact{before, {Trail: other, IsProven: true}, {At: minute(1), Trail: stopped(main)}}, nil},
		"both stopped, one after the other": {[]trail.Fact{
			before, {Trail: other, IsProven: true}, {At: minute(1), Trail: stopped(main)}, {At: minute(5), Trail: stopped(other)}, {At: minute(6), Trail: main},
		}, everything("5 6 -")},
		"one region is still covered": {[]trail.Fact{before, {Trail: singleRegion(other), IsProven: true}, {At: minute(1), Trail: stopped(main)}}, []string{
			"management read, all other regions: 1 - -", "management read, global services: 1 - -",
			"management write, all other regions: 1 - -", "management write, global services: 1 - -",
		}},
		"data events only": {[]trail.Fact{{Trail: data, IsProven: true}, {At: minute(1), Trail: main}}, []string{
			"data write AWS::S3::Object, all regions: 1 - -",
		}},
		"stopped and started at one moment": {[]trail.Fact{before, {At: minute(1), Trail: stopped(main)}, {At: minute(1), Trail: main, IsProven: true}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(append([]string{}, tc.want...), lines(trail.BlindWindows(tc.facts))); diff != "" {
				t.Errorf("windows (-want +got)\n%s", diff)
			}
		})
	}
}

// look is one trail as the grid knows it.
type look struct {
	fact  trail.Fact
	bits  [3]bool // management read, management write, data write
	multi bool
	home  string
}

var (
	gridClasses = []string{"management read", "management write", "data write AWS::S3::Object"}
	gridRegions = []string{"eu-west-1", "ap-south-1", "sa-east-1"} // no trail's home is the last
)

const gridMinutes = 40

// randomLook is any state of one of three trails.
func randomLook(r *rand.Rand, at time.Time) look {
	n := r.IntN(3)
	home := gridRegions[n%2]
	l := look{multi: r.IntN(2) == 0, home: home}
	w := trail.Trail{
		Name: fmt.Sprint(n), ARN: arn.Trail(home, "111122223333", fmt.Sprint(n)), HomeRegion: home,
		IsMultiRegionTrail: l.multi, IsLogging: r.IntN(3) > 0,
	}
	kind := []string{"All", "ReadOnly", "WriteOnly"}[r.IntN(3)]
	s := trail.EventSelector{ReadWriteType: kind, IncludeManagementEvents: true}
	l.bits[0], l.bits[1] = kind != "WriteOnly", kind != "ReadOnly"
	if kind == "WriteOnly" && r.IntN(2) == 0 {
		s.DataResources = []trail.DataResource{{Type: "AWS::S3::Object", Values: []string{"arn:aws:s3"}}}
		l.bits[2] = true
	}
	w.EventSelectors = []trail.EventSelector{s}
	l.fact = trail.Fact{At: at, Trail: w, IsGone: r.IntN(6) == 0, IsProven: r.IntN(2) == 0}
	return l
}

// gridWindows asks every minute, for one class and region, whether anything records.
func gridWindows(looks []look, class int, region string) []trail.BlindWindow {
	var out []trail.BlindWindow
	var was, open bool
	for m := range gridMinutes {
		now := map[string]look{}
		for _, l := range looks {
			if !l.fact.At.After(minute(m)) {
				now[l.fact.Trail.Name] = l
			}
		}
		var accepted, proven bool
		for _, l := range now {
			if l.fact.Trail.IsLogging && !l.fact.IsGone && l.bits[class] && (l.multi || l.home == region) {
				accepted, proven = true, proven || l.fact.IsProven
			}
		}
		switch {
		case !accepted && open:
			out[len(out)-1].Found = time.Time{}
		case !accepted && was:
			out, open = append(out, trail.BlindWindow{Account: "111122223333", Class: gridClasses[class], Region: region, Lost: minute(m)}), true
		case accepted && open:
			w := &out[len(out)-1]
			if w.Found.IsZero() {
				w.Found = minute(m)
			}
			if proven {
				w.Proven, open = minute(m), false
			}
		}
		was = accepted
	}
	return out
}

// windowsIn are those that hold for a region.
func windowsIn(all []trail.BlindWindow, class, region string) []trail.BlindWindow {
	var out []trail.BlindWindow
	named := slices.ContainsFunc(all, func(w trail.BlindWindow) bool { return w.Class == class && w.Region == region })
	for _, w := range all {
		rest := w.Region == trail.AllRegions || w.Region == trail.OtherRegions && !named && region == gridRegions[2]
		if w.Class == class && (w.Region == region || rest) {
			w.Region = region
			out = append(out, w)
		}
	}
	return out
}

func TestBlindWindowsAgainstGrid(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		var looks []look
		for m := range gridMinutes {
			for r.IntN(4) == 0 {
				looks = append(looks, randomLook(r, minute(m)))
			}
		}
		var facts []trail.Fact
		for _, l := range looks {
			facts = append(facts, l.fact)
		}
		all := trail.BlindWindows(facts)
		for class := range gridClasses {
			for _, region := range gridRegions {
				want := gridWindows(looks, class, region)
				found += len(want)
				if diff := cmp.Diff(want, windowsIn(all, gridClasses[class], region)); diff != "" && !isJoined(all, gridClasses[class], region, want) {
					t.Fatalf("seed %d, %s in %s (-grid +got)\n%s", seed, gridClasses[class], region, diff)
				}
			}
		}
	}
	if found < 1000 {
		t.Errorf("the grid had %d windows: nothing was compared", found)
	}
}

// isJoined: beside another named region, one that fared as the rest stands under "all other regions".
func isJoined(all []trail.BlindWindow, class, region string, want []trail.BlindWindow) bool {
	var rest []trail.BlindWindow
	for _, w := range all {
		if w.Class == class && w.Region == trail.OtherRegions {
			w.Region = region
			rest = append(rest, w)
		}
	}
	return len(rest) > 0 && cmp.Equal(want, rest)
}
