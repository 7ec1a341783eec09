// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// OtherRegions are all regions but those that are named beside them.
const OtherRegions = "all other regions"

// Fact is what one trail is from a moment on, until its next fact.
type Fact struct {
	// At is zero for what stood before everything else.
	At time.Time
	// Account is whose events the trail records; "" is its owner.
	Account string
	Trail   Trail
	// IsGone: it was deleted, or delivers to where nobody of ours can read.
	IsGone bool
	// IsProven: a log file of it was seen. Without it the configuration was only read back.
	IsProven bool
}

// BlindWindow is a time in which no trail recorded a class of events that one had recorded before.
type BlindWindow struct {
	Account string    `json:"account"`
	Region  string    `json:"region"` // a region, AllRegions, OtherRegions or GlobalServices
	Class   string    `json:"class"`  // "management write"
	Lost    time.Time `json:"lost"`
	// Found is when a trail that covers the class again was accepted: the provisional end. Proven is when one was seen to
	// deliver. Zero means: not yet.
	Found  time.Time `json:"found,omitzero"`
	Proven time.Time `json:"proven,omitzero"`
}

// IsRecoverable reports whether Event history keeps events of the class: management events only.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
func (w BlindWindow) IsRecoverable() bool {
	return w.Class == managementClass || strings.HasPrefix(w.Class, managementClass+" ")
}

// IsReadOnly and IsWriteOnly tell classes of one half of the events.
func (w BlindWindow) IsReadOnly() bool { return w.has("read") }

// IsWriteOnly reports whether the class holds no reading events.
func (w BlindWindow) IsWriteOnly() bool { return w.has("write") }

func (w BlindWindow) has(word string) bool {
	words := strings.Fields(w.Class)
	return len(words) > 1 && words[1] == word
}

var managementClass = strings.ToLower(categoryManagement)

// BlindWindows returns when coverage was lost and found, for each account, region and class, over all trails: a class is
// covered as long as any logging trail covers it. A window ends with the proof; one that is lost again before its proof goes
// on, for nobody knows that anything was recorded meanwhile. The windows are sorted by account, class, region and time.
func BlindWindows(facts []Fact) []BlindWindow {
	facts = slices.Clone(facts)
	for i := range facts {
		facts[i].Account = cmp.Or(facts[i].Account, facts[i].Trail.Account())
	}
	slices.SortStableFunc(facts, func(a, b Fact) int { return a.At.Compare(b.At) })
	var out []BlindWindow
	for _, account := range accountsOf(facts) {
		own := slices.DeleteFunc(slices.Clone(facts), func(f Fact) bool { return f.Account != account })
		out = append(out, blindWindowsOf(account, own)...)
	}
	return out
}

func accountsOf(facts []Fact) []string {
	var all []string
	for _, f := range facts {
		all = append(all, f.Account)
	}
	return sorted(all)
}

func blindWindowsOf(account string, facts []Fact) []BlindWindow {
	classes, places := classesOf(facts), placesOf(facts)
	var out []BlindWindow
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		cell := BlindWindow{Account: account, Class: class}
		byPlace := map[string][]BlindWindow{}
		for _, cell.Region = range places {
			if cell.Region != GlobalServices || cell.IsRecoverable() {
				byPlace[cell.Region] = sweep(cell, classes[class], facts)
			}
		}
		out = append(out, joinRegions(byPlace)...)
	}
	return out
}

// classesOf are the atoms of everything that was ever recorded, by the class that they are described as.
func classesOf(facts []Fact) map[string][]clause {
	var trails []Trail
	for _, f := range facts {
		trails = append(trails, f.Trail)
	}
	sources := sourcesOf(trails)
	out, seen := map[string][]clause{}, map[string]bool{}
	for _, t := range trails {
		key := string(mustJSON([]any{t.EventSelectors, t.AdvancedEventSelectors, t.InsightSelectors}))
		if !t.IsLogging || seen[key] {
			continue
		}
		seen[key] = true
		for _, atom := range atoms(t.clauses(), sources) {
			class := atom.describe()
			out[class] = append(out[class], atom)
		}
	}
	return out
}

// placesOf are the regions that single-region trails record, and, as AllRegions, the rest.
func placesOf(facts []Fact) []string {
	all := []string{AllRegions, GlobalServices}
	for _, f := range facts {
		if !f.Trail.IsMultiRegionTrail && f.Trail.HomeRegion != "" {
			all = append(all, f.Trail.HomeRegion)
		}
	}
	return sorted(all)
}

// sweep goes through the facts in order of time for one cell.
func sweep(cell BlindWindow, atoms []clause, facts []Fact) []BlindWindow {
	var out []BlindWindow
	now := map[string]Fact{}
	var wasCovered, isOpen bool
	for i, f := range facts {
		now[cmp.Or(string(f.Trail.ARN), f.Trail.Name)] = f
		if i+1 < len(facts) && facts[i+1].At.Equal(f.At) {
			continue // what happens at one moment is judged together
		}
		covered := records(now, cell.Region, atoms, false)
		switch {
		case !covered && isOpen:
			out[len(out)-1].Found = time.Time{}
		case !covered && wasCovered:
			cell.Lost = f.At
			out, isOpen = append(out, cell), true
		case covered && isOpen:
			w := &out[len(out)-1]
			if w.Found.IsZero() {
				w.Found = f.At
			}
			if records(now, cell.Region, atoms, true) {
				w.Proven, isOpen = f.At, false
			}
		}
		wasCovered = covered
	}
	return out
}

// covers reports whether every atom is recorded in the place by one of the trails, or by one that is proven.
func records(now map[string]Fact, place string, atoms []clause, mustBeProven bool) bool {
	var by []Trail
	for _, f := range now {
		if !f.IsGone && (f.IsProven || !mustBeProven) {
			by = append(by, f.Trail)
		}
	}
	return !slices.ContainsFunc(atoms, func(a clause) bool { return !isRecorded(a, place, by) })
}

// joinRegions leaves out the named regions that fared as the rest did.
func joinRegions(byPlace map[string][]BlindWindow) []BlindWindow {
	rest := byPlace[AllRegions]
	name := AllRegions
	var out []BlindWindow
	for _, place := range slices.Sorted(maps.Keys(byPlace)) {
		if place == AllRegions || place != GlobalServices && slices.EqualFunc(byPlace[place], rest, sameTime) {
			continue
		}
		if place != GlobalServices {
			name = OtherRegions
		}
		out = append(out, byPlace[place]...)
	}
	for _, w := range rest {
		w.Region = name
		out = append(out, w)
	}
	slices.SortStableFunc(out, func(a, b BlindWindow) int { return cmp.Or(strings.Compare(a.Region, b.Region), a.Lost.Compare(b.Lost)) })
	return out
}

func sameTime(a, b BlindWindow) bool {
	return a.Lost.Equal(b.Lost) && a.Found.Equal(b.Found) && a.Proven.Equal(b.Proven)
}
