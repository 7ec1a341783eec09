// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
)

// outputFlag is --output of the commands that print what they found.
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

// withInstallation runs f on the opened state folder.
func withInstallation(ctx context.Context, s *streams, g *grammar, f func(*installation) error) error {
	c, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	in, err := openInstallation(ctx, c, g.logger(s))
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
