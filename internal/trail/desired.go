// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import "slices"

// Desired is the baseline that every protected trail should meet: it records, in all regions, with global services,
// validated, all management events without exclusions. Where a trail was to write and with which key nobody can guess;
// that and all else is taken from last, which may be nil.
//
// It is a suggestion wherever last is not known to be what the owner wanted, and never a reason to change a trail that
// met less before.
func Desired(last *Trail) Trail {
	var t Trail
	if last != nil {
		t = last.Canonical()
	}
	t.IsLogging = true
	t.IsMultiRegionTrail = true
	t.IncludeGlobalServiceEvents = true
	t.LogFileValidationEnabled = true
	if len(uncovered(Trail{}.eventClauses(), t.eventClauses())) == 0 {
		return t
	}
	if len(t.AdvancedEventSelectors) > 0 {
		t.AdvancedEventSelectors = append(t.AdvancedEventSelectors, AdvancedEventSelector{
			Name:           "Management events",
			FieldSelectors: []FieldSelector{{Field: fieldCategory, Equals: []string{categoryManagement}}},
		})
		return t.Canonical()
	}
	// A selector that is there for management events only is replaced, the others keep their data resources.
	t.EventSelectors = slices.DeleteFunc(t.EventSelectors, func(s EventSelector) bool { return len(s.DataResources) == 0 })
	for i := range t.EventSelectors {
		t.EventSelectors[i].IncludeManagementEvents = false
		t.EventSelectors[i].ExcludeManagementEventSources = nil
	}
	t.EventSelectors = append(t.EventSelectors, DefaultEventSelectors()...)
	return t.Canonical()
}

// Demanded is what the baseline of Desired asks of a trail that looks like have and looked like last when nobody had
// approved it yet: have, with that put back which both last and the baseline have. Everything else that differs may have
// been put right meanwhile, and is for a person to judge.
func Demanded(last, have Trail) Trail {
	t := have.Canonical()
	t.IsLogging = t.IsLogging || last.IsLogging
	t.IsMultiRegionTrail = t.IsMultiRegionTrail || last.IsMultiRegionTrail
	t.IncludeGlobalServiceEvents = t.IncludeGlobalServiceEvents || last.IncludeGlobalServiceEvents
	t.LogFileValidationEnabled = t.LogFileValidationEnabled || last.LogFileValidationEnabled
	all := Trail{}.eventClauses()
	if len(uncovered(all, last.eventClauses())) == 0 && len(uncovered(all, have.eventClauses())) > 0 {
		last = last.Canonical()
		t.EventSelectors, t.AdvancedEventSelectors = last.EventSelectors, last.AdvancedEventSelectors
	}
	return t
}
