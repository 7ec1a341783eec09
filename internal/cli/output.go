// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
)

// outputFlag is --output of the commands that print what they found. docs/output.md describes the JSON of each.
type outputFlag struct {
	Output string `help:"text for people, json for programs." default:"text" enum:"text,json" short:"o"`
}

func (o outputFlag) isJSON() bool { return o.Output == "json" }

// printJSON prints one value on one line.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printLines prints one value a line.
func printLines[V any](s *streams, values []V) error {
	for _, v := range values {
		if err := printJSON(s.out, v); err != nil {
			return err
		}
	}
	return nil
}

// table prints aligned columns.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, identity.Printable(cell, 300))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// withRecords runs f, which only reads, on what the state folder holds.
func withRecords(ctx context.Context, s *streams, g *grammar, f func(*installation) error) error {
	return with(ctx, s, g, openRecords, f)
}

// withInstallation runs f on the opened state folder, which is made on first use.
func withInstallation(ctx context.Context, s *streams, g *grammar, f func(*installation) error) error {
	return with(ctx, s, g, openInstallation, f)
}

func with(ctx context.Context, s *streams, g *grammar, open func(context.Context, config, *slog.Logger) (*installation, error), f func(*installation) error) error {
	c, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	in, err := open(ctx, c, g.logger(s))
	if err != nil {
		return err
	}
	return errors.Join(f(in), in.close(ctx))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
