// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/policy"
)

// policiesDrawn is how many policies the oracle and the package judge both.
func policiesDrawn() int {
	if testing.Short() {
		return 1000
	}
	return 10_000
}

// eachDrawn runs check on drawn policies, in four parts at once.
func eachDrawn(t *testing.T, check func(t *testing.T, r *rand.Rand)) {
	for part := range 4 {
		t.Run(fmt.Sprintf("part %d", part), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(20261123, uint64(part)))
			for range policiesDrawn() / 4 {
				if check(t, r); t.Failed() {
					return
				}
			}
		})
	}
}

// TestPublicAgreesWithTheOracle: a policy is public when it lets in somebody whom it cannot name. A statement that nobody
// at all can use may be called public too: S3 looks at the keys alone.
func TestPublicAgreesWithTheOracle(t *testing.T) {
	eachDrawn(t, func(t *testing.T, r *rand.Rand) {
		of := drawKeys(r)
		d := draw(r, of)
		p := parse(t, d.json())
		for i, s := range d.Statement {
			want := s.Effect == "Allow" && s.grantsStranger(of)
			if got := p.Statements[i].IsPublic(); got != want && !(got && s.Effect == "Allow" && !s.grants(of, false)) {
				t.Errorf("statement %d public: %v, oracle %v\n%s", i, got, want, d.json())
			}
		}
	})
}

// TestEvaluateAgreesWithTheOracle asks every request of the universe.
func TestEvaluateAgreesWithTheOracle(t *testing.T) {
	eachDrawn(t, func(t *testing.T, r *rand.Rand) {
		of := drawKeys(r)
		d := draw(r, of)
		p := parse(t, d.json())
		all := contexts(of, false)
		tables := d.tables(all)
		action, thing := r.IntN(len(actions)), r.IntN(len(resources))
		for c, who := range callers {
			for i, context := range all {
				got := p.Evaluate(policy.Request{Principal: principal(who), Action: actions[action], Resource: resources[thing], Context: context})
				if want := decide(tables, c*len(all)+i, action, thing); string(got.Effect) != want || len(got.Doubts) > 0 {
					t.Fatalf("%v %s %s %v: %+v, oracle %q\n%s", who, actions[action], resources[thing], context, got, want, d.json())
				}
			}
		}
	})
}

func principal(c caller) policy.Principal {
	if c.kind == "" {
		return policy.Principal{}
	}
	return policy.Principal{Kind: policy.Kind(c.kind), Names: []string{c.name}}
}

// TestWidensAgreesWithTheOracle: the statements that are said to allow more are those by which some request of the
// universe is allowed that was not.
func TestWidensAgreesWithTheOracle(t *testing.T) {
	eachDrawn(t, func(t *testing.T, r *rand.Rand) {
		of := drawKeys(r)
		before, after := draw(r, of), draw(r, of)
		if r.IntN(2) == 0 { // policies that differ a little
			after = drawn{before.Version, slices.Clone(before.Statement)}
			after.Statement[r.IntN(len(after.Statement))] = drawStatement(r, of)
		}
		want := widening(before, after, contexts(of, false))
		got := map[int]bool{}
		for _, w := range parse(t, after.json()).Widens(parse(t, before.json())) {
			got[w.Statement] = true
			if w.IsRough || w.Principal == "" || len(w.Access) == 0 || len(w.Resources) == 0 {
				t.Errorf("not said exactly: %+v", w)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("statements (-oracle +got):\n%s\nbefore %s\nafter  %s", diff, before.json(), after.json())
		}
	})
}

// widening is by brute force by which statements more is allowed.
func widening(before, after drawn, all []map[string][]string) map[int]bool {
	old, now := before.tables(all), after.tables(all)
	out := map[int]bool{}
	for who := range len(callers) * len(all) {
		for action := range actions {
			for thing := range resources {
				if decide(now, who, action, thing) != "Allow" || decide(old, who, action, thing) == "Allow" {
					continue
				}
				for i, t := range now {
					if t.applies(who, action, thing) {
						out[i] = true
					}
				}
			}
		}
	}
	return out
}
