// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Command gen writes docs/routes.md: every route with the trigger that watches it, what is done about it, and the
// scenarios that prove it. It plays the scenarios of every runbook; a route is verified by a scenario that comes out as
// expected and in which an event that took the route opened an incident of the route's runbook.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/route"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/scenario"
	_ "github.com/switchback-project/switchback/internal/standard" // what runbooks name
	"github.com/switchback-project/switchback/runbooks"
)

// The files are seen from the folder of package route, where go generate runs.
const (
	document = "../../docs/routes.md"
	// pending lists the routes that need no trigger and no scenario yet.
	pending = "gen/testdata/pending.txt"
)

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("write routes", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	known, err := survey(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(document, []byte(known.markdown()), 0o644); err != nil {
		return err
	}
	text, err := os.ReadFile(pending)
	if err != nil {
		return err
	}
	if got := known.open(); !slices.Equal(strings.Fields(string(text)), strings.Fields(strings.Join(got, " "))) {
		return fmt.Errorf("%s does not list the %d routes that lack a trigger or a passing scenario; go test ./internal/route/gen shows which", pending, len(got))
	}
	return nil
}

// known is what is known about routes, by id.
type known struct {
	triggers  map[string]string
	scenarios map[string][]string
}

func survey(ctx context.Context) (known, error) {
	books, err := runbook.LoadAll(runbooks.FS)
	if err != nil {
		return known{}, err
	}
	k := known{triggers: map[string]string{}}
	for _, book := range books {
		if err := k.watch(book); err != nil {
			return known{}, err
		}
	}
	k.scenarios, err = play(ctx, books)
	return k, err
}

// watch finds the trigger of each of the runbook's routes by its example.
func (k known) watch(book *runbook.Runbook) error {
	patterns, err := book.Compile()
	if err != nil {
		return err
	}
	for _, r := range routesOf(string(book.Manifest.ID)) {
		e, err := example(r)
		if err != nil {
			return err
		}
		for i, p := range patterns {
			if ok, err := p.Match(e.Raw); err != nil {
				return err
			} else if ok {
				k.triggers[r.ID()] = book.Manifest.Triggers[i].Name
				break
			}
		}
	}
	return nil
}

func routesOf(book string) []*route.Route {
	var out []*route.Route
	for _, s := range route.Sections() {
		if s.Runbook == book {
			out = append(out, s.Routes...)
		}
	}
	return out
}

// example is the event of a call that takes the route.
func example(r *route.Route) (cloudtrail.Envelope, error) {
	data, err := json.Marshal(map[string]any{
		"eventVersion": "1.11", "eventID": "00000000-0000-4000-8000-000000000001", "eventType": "AwsApiCall", "awsRegion": scenario.Places()[0].Region,
		"eventSource": arn.ServiceHost(r.Service), "eventName": r.Event, "requestParameters": r.Example,
		"recipientAccountId": scenario.Places()[0].Account, "eventTime": "2026-05-04T09:00:00Z",
	})
	if err != nil {
		return cloudtrail.Envelope{}, err
	}
	record, err := cloudtrail.ParseRecord(data)
	if err != nil {
		return cloudtrail.Envelope{}, fmt.Errorf("example of %s: %w", r.ID(), err)
	}
	if !slices.Contains(route.Match(r.Runbook, record), r) {
		return cloudtrail.Envelope{}, fmt.Errorf("example of %s does not take the route", r.ID())
	}
	return cloudtrail.Wrap(record), nil
}

// play runs every scenario in the first partition, and lists for each route those that came out as expected.
func play(ctx context.Context, books []*runbook.Runbook) (map[string][]string, error) {
	type job struct {
		book *runbook.Runbook
		name string
		took []string
	}
	var jobs []*job
	for _, book := range books {
		for name := range book.Scenarios {
			jobs = append(jobs, &job{book: book, name: name})
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, j := range jobs {
		group.Go(func() (err error) {
			j.took, err = taken(ctx, j.book, j.name)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, j := range jobs {
		for _, id := range j.took {
			out[id] = append(out[id], j.name)
		}
	}
	for _, names := range out {
		slices.Sort(names)
	}
	return out, nil
}

// taken are the routes that a scenario verifies: none where it does not come out as expected.
func taken(ctx context.Context, book *runbook.Runbook, name string) ([]string, error) {
	s, err := scenario.Parse(name, book.Scenarios[name])
	if err != nil {
		return nil, err
	}
	var ids []string
	got, err := scenario.Run(ctx, s, scenario.Options{
		Runbooks: []*runbook.Runbook{book}, Place: scenario.Places()[0],
		Opened: func(inc incident.Incident, e cloudtrail.Envelope) {
			// A refused call proves nothing about what is done when it succeeds.
			if !e.HasRecord() || inc.Key.Outcome != incident.Succeeded {
				return
			}
			for _, r := range route.Match(inc.Key.Runbook, e.Record) {
				ids = append(ids, r.ID())
			}
		},
	})
	if err != nil {
		return nil, err
	}
	if got != s.Want {
		return nil, nil
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

const head = `<!-- Generated by go generate ./internal/route: do not edit. -->
# Ways to blind the trail, and what is done about each

Every route that is known, the trigger that watches it, and the scenarios that play it and prove the response. The table is
` + "`internal/route/routes.yaml`" + `, with the triggers and scenarios of the runbooks.

- **restore**: Switchback puts it back by itself, from the baseline.
- **substitute**: it cannot be put back; something else records in its place.
- **guide**: a person has to run the commands; messages and report hold them, filled in from the event, and say who may.
- **alert**: nothing is to be put back, or nothing can be; people look.
`

// markdown is the document. What no runbook watches, or no scenario verifies, is pending.
func (k known) markdown() string {
	var b strings.Builder
	b.WriteString(head)
	for _, s := range route.Sections() {
		fmt.Fprintf(&b, "\n## %s\n\n| route | trigger | class | verified by |\n|---|---|---|---|\n", s.Title)
		for _, r := range s.Routes {
			name := "`" + r.Event + "` (" + r.Service + ")"
			if r.Variant != "" {
				name += ", " + r.Variant
			}
			trigger, verified := "pending", "pending"
			if t := k.triggers[r.ID()]; t != "" {
				trigger = r.Runbook + ": " + t
			}
			if names := k.scenarios[r.ID()]; len(names) > 0 {
				verified = strings.Join(names[:min(len(names), maxNames)], ", ")
				if more := len(names) - maxNames; more > 0 {
					verified += fmt.Sprintf(" and %d more", more)
				}
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, trigger, r.Class, verified)
		}
	}
	return b.String()
}

// maxNames bounds the scenarios that a line of the document lists.
const maxNames = 4

// open lists the routes that no trigger watches or no scenario verifies.
func (k known) open() []string {
	var out []string
	for _, s := range route.Sections() {
		for _, r := range s.Routes {
			if k.triggers[r.ID()] == "" || len(k.scenarios[r.ID()]) == 0 {
				out = append(out, r.ID())
			}
		}
	}
	return out
}
