// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/switchback-project/switchback/asl"
)

// wild makes a machine whose states lead anywhere.
func wild(r *rand.Rand, states int) *asl.StateMachine {
	name := func() string { return fmt.Sprint(r.IntN(states)) }
	m := &asl.StateMachine{StartAt: "0"}
	for i := range states {
		s := &asl.State{Name: fmt.Sprint(i), Type: "Task", Next: name(), End: r.IntN(8) == 0}
		if r.IntN(3) == 0 {
			s.Type, s.Next, s.Default = "Choice", "", name()
			for range r.IntN(4) {
				s.Choices = append(s.Choices, asl.Choice{Next: name(), Condition: "{% x %}"})
			}
		}
		if r.IntN(2) == 0 {
			s.Catch = []asl.Catcher{{ErrorEquals: []string{"States.ALL"}, Next: name()}}
		}
		m.States = append(m.States, s)
	}
	return m
}

// TestNothingOverlaps draws wild machines: in each layer the boxes, texts and lines keep their distance, every line but
// those beside a state leads down by one layer, and all is inside of the picture.
func TestNothingOverlaps(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := layOut(newGraph(wild(r, 1+r.IntN(40)), nil, true))
		for rank, layer := range p.layers {
			for i, n := range layer {
				if n.rank != rank || n.order != i {
					t.Fatalf("seed %d: a node of rank %d and order %d at %d, %d", seed, n.rank, n.order, rank, i)
				}
				if i > 0 && n.x-layer[i-1].x < distance(layer[i-1], n) {
					t.Errorf("seed %d: layer %d: %d and %d overlap", seed, rank, i-1, i)
				}
				if n.x-n.size()/2 < 0 || n.x+n.size()/2 > p.w || n.y < p.tops[rank] || n.y+n.h > p.bottoms[rank] {
					t.Errorf("seed %d: layer %d: %d is outside", seed, rank, i)
				}
			}
			if rank > 0 && p.tops[rank] <= p.bottoms[rank-1] {
				t.Errorf("seed %d: layers %d and %d overlap", seed, rank-1, rank)
			}
		}
		for _, x := range p.links {
			if steps := x.b.rank - x.a.rank; x.isSide && steps != 0 || !x.isSide && steps != 1 {
				t.Errorf("seed %d: a link leads down by %d", seed, steps)
			}
		}
	}
}

// TestLayoutIsBounded draws the most that checkSize lets through.
func TestLayoutIsBounded(t *testing.T) {
	started := time.Now()
	m := &asl.StateMachine{StartAt: "0"}
	for i := range MaxStates {
		s := &asl.State{Name: fmt.Sprint(i), Type: "Choice", Default: fmt.Sprint(i + 1)}
		for rule := range MaxRules / MaxStates {
			s.Choices = append(s.Choices, asl.Choice{Next: fmt.Sprint((i*7 + rule*97) % MaxStates), Condition: "{% x %}"})
		}
		m.States = append(m.States, s)
	}
	if _, err := SVG(m, Options{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	t.Logf("took %s", time.Since(started))
}
