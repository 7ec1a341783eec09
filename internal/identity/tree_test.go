// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/identity"
)

func TestGrow(t *testing.T) {
	t.Parallel()
	alice2 := strings.Replace(alice, "AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE", 1)
	chain := []string{ // alice > Jump j > Deploy s > Last l
		assume("e1", alice, "ASIA1", "Jump", "j", 0),
		assume("e2", session("ASIA1", "Jump", "j", ""), "ASIA2", "Deploy", "s", time.Minute),
		assume("e3", session("ASIA2", "Deploy", "s", ""), "ASIA3", "Last", "l", 2*time.Minute),
	}
	use := call("use", "StopLogging", strings.Replace(session("ASIA2", "Deploy", "s", ""), "12:00:00Z", "12:01:00Z", 1), 3*time.Minute)
	for name, tt := range map[string]struct {
		use    string
		events []string
		want   string // relation id, by age
	}{
		"up and down":      {use, chain, "ancestor AIDAALICE, ancestor AROAJUMP:j, self AROADEPLOY:s, descendant AROALAST:l"},
		"a user's own key": {call("use", "X", alice, 0), chain[:1], "self AIDAALICE, descendant AROAJUMP:j"},
		"nothing is known": {use, nil, "self AROADEPLOY:s"},
		"a sibling of the same key, not of the other": {
			use, append([]string{assume("e4", alice, "ASIA4", "Jump", "j2", time.Minute), assume("e5", alice2, "ASIA5", "Jump", "j3", time.Minute)}, chain...),
			"ancestor AIDAALICE, ancestor AROAJUMP:j, self AROADEPLOY:s, descendant AROAJUMP:j2, descendant AROALAST:l",
		},
		"what a namesake opened is not of the tree": {
			use, append([]string{assume("e6", strings.Replace(session("ASIA9", "Deploy", "s", ""), "12:00:00Z", "11:30:00Z", 1), "ASIA6", "Last", "n", 2*time.Minute)}, chain...),
			"ancestor AIDAALICE, ancestor AROAJUMP:j, self AROADEPLOY:s, descendant AROALAST:l",
		},
		"both copies of a call across accounts": {
			use, append([]string{with(assume("e7", strings.Replace(other, "AIDAALICE", "AROADEPLOY:s", 1), "ASIA3", "Last", "l", 2*time.Minute), `"sharedEventID":"sh"`)}, chain...),
			"ancestor AIDAALICE, ancestor AROAJUMP:j, self AROADEPLOY:s, descendant AROALAST:l",
		},
		"a failed call opens nothing": {use, append([]string{with(assume("e8", session("ASIA2", "Deploy", "s", ""), "ASIA8", "Last", "f", 2*time.Minute), `"errorCode":"AccessDenied"`)}, chain[:2]...), "ancestor AIDAALICE, ancestor AROAJUMP:j, self AROADEPLOY:s"},
		"roles that open each other": {
			use, append([]string{assume("e9", session("ASIA3", "Last", "l", ""), "ASIA2", "Deploy", "s", 3*time.Minute)}, chain...),
			"self AROADEPLOY:s, descendant AROALAST:l", // two stories about one key: who opened it is not known
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &identity.Memory{}
			for _, text := range slices.Backward(tt.events) { // late ones first
				m.Add(parse(t, text))
			}
			tree, err := identity.Grow(t.Context(), parse(t, tt.use), m)
			if err != nil || tree.IsCut {
				t.Fatalf("cut %t, %v", tree.IsCut, err)
			}
			var got []string
			for i, one := range tree.Members {
				got = append(got, fmt.Sprintf("%s %s", one.Relation, one.ID))
				if one.By >= i || one.Relation == identity.Descendant && one.By < 0 {
					t.Errorf("%s was given to member %d", one.ID, one.By)
				}
			}
			slices.SortStableFunc(got, func(a, b string) int { return byRelation(a) - byRelation(b) })
			if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
		})
	}
}

// byRelation keeps what comes before the descendants, and orders those by their ids.
func byRelation(s string) int {
	if !strings.HasPrefix(s, "descendant") {
		return 0
	}
	return 1 + int(s[len("descendant AROA")])
}

// An attacker who opens sessions without end gets a tree that is bounded and says so.
func TestGrowIsBounded(t *testing.T) {
	t.Parallel()
	m := &identity.Memory{}
	for i := range identity.MaxMembers + 10 {
		m.Add(parse(t, assume(fmt.Sprint("e", i), alice, fmt.Sprint("ASIA", i), "R", fmt.Sprint("s", i), time.Duration(i)*time.Second)))
	}
	tree, err := identity.Grow(t.Context(), parse(t, call("use", "X", alice, time.Hour)), m)
	if err != nil || !tree.IsCut || len(tree.Members) != identity.MaxMembers {
		t.Errorf("%d members, cut %t, %v", len(tree.Members), tree.IsCut, err)
	}
}
