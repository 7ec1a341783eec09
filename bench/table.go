// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"
)

const columns = "%-36s %-32s %12s %12s %8s  %s\n"

// printTable measures and prints line by line: some take minutes.
func printTable(ctx context.Context, w io.Writer, all []comparison, chosen *regexp.Regexp, rounds int) error {
	fmt.Fprintf(w, columns, "what", "peer", "ours", "theirs", "ratio", "goal")
	for _, c := range all {
		if !chosen.MatchString(c.peer) {
			continue
		}
		if err := c.print(ctx, w, rounds); err != nil {
			return fmt.Errorf("%s beside %s: %w", c.what, c.peer, err)
		}
	}
	return nil
}

func (c comparison) print(ctx context.Context, w io.Writer, rounds int) error {
	var ours, theirs, ratios []float64
	if c.run != nil {
		err := c.run(ctx, rounds, func(our, their float64) {
			ours, theirs, ratios = append(ours, our), append(theirs, their), append(ratios, our/their)
		})
		if err != nil {
			return err
		}
	}
	if len(theirs) == 0 || median(theirs) == 0 {
		fmt.Fprintf(w, columns, c.what, c.peer, rate(ours, c.unit), "absent", "-", c.absent)
		return nil
	}
	ratio := median(ratios)
	fmt.Fprintf(w, columns, c.what, c.peer, rate(ours, c.unit), rate(theirs, c.unit), fmt.Sprintf("%.2f", ratio), c.verdict(ratio))
	return nil
}

func (c comparison) verdict(ratio float64) string {
	switch {
	case c.goal == 0:
		return "-"
	case ratio >= c.goal:
		return fmt.Sprintf("%g, met", c.goal)
	}
	return fmt.Sprintf("%g, MISSED", c.goal)
}

func rate(values []float64, unit string) string {
	if len(values) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %s", median(values), unit)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// A measure does some work and returns how much of it was done in a second.
type measure func() (perSecond float64, err error)

// inTurns measures rounds of both.
func inTurns(rounds int, ours, theirs measure, round func(ours, theirs float64)) error {
	for range rounds {
		our, err := ours()
		if err != nil {
			return fmt.Errorf("ours: %w", err)
		}
		their, err := theirs()
		if err != nil {
			return fmt.Errorf("theirs: %w", err)
		}
		round(our, their)
	}
	return nil
}

// alone measures rounds of ours, where the peer is absent.
func alone(rounds int, ours measure, round func(ours, theirs float64)) error {
	return inTurns(rounds, ours, func() (float64, error) { return 0, nil }, round)
}

// timed measures work that is done at once.
func timed(done int, work func() error) (perSecond float64, err error) {
	begun := time.Now()
	err = work()
	return float64(done) / time.Since(begun).Seconds(), err
}
