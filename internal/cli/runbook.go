// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/scenario"
	"github.com/switchback-project/switchback/internal/standard"
)

type runbookCommand struct {
	List   runbookListCommand   `cmd:"" help:"List the runbooks."`
	Show   runbookShowCommand   `cmd:"" help:"The nine answers, triggers and actions of one."`
	Check  runbookCheckCommand  `cmd:"" help:"Are the nine answers there, and true?"`
	Test   runbookTestCommand   `cmd:"" help:"Run the scenarios."`
	Graph  runbookGraphCommand  `cmd:"" help:"Draw a runbook, or one execution of it."`
	Export runbookExportCommand `cmd:"" help:"Print its state machine for AWS Step Functions."`
	New    runbookNewCommand    `cmd:"" help:"Make a runbook by answering the nine questions."`
}

// Help is the long help.
func (runbookCommand) Help() string { return "Example:\n  switchback runbook show cloudtrail-off" }

type runbookListCommand struct{ outputFlag }

// Help is the long help.
func (runbookListCommand) Help() string {
	return "With --output json one manifest a line, as runbook show prints it.\n\nExample:\n  switchback runbook list"
}

// Run prints a line a runbook.
func (c *runbookListCommand) Run(s *streams, g *grammar) error {
	books, err := configuredRunbooks(g)
	if err != nil {
		return err
	}
	if c.isJSON() {
		for _, b := range books {
			if err := printJSON(s.out, b.Manifest); err != nil {
				return err
			}
		}
		return nil
	}
	rows := [][]string{{"RUNBOOK", "SEVERITY", "CONTAINED", "SCENARIOS", "TITLE"}}
	for _, b := range books {
		m := b.Manifest
		rows = append(rows, []string{string(m.ID), string(m.Severity), m.Objectives.Contained.String(), fmt.Sprint(len(b.Scenarios)), m.Title})
	}
	return table(s.out, rows)
}

func configuredRunbooks(g *grammar) ([]*runbook.Runbook, error) {
	c, _, err := loadConfig(g)
	if err != nil {
		return nil, err
	}
	return runbooksOf(c)
}

// oneOf returns the named runbook: an id, or a folder.
func oneOf(g *grammar, name string) (*runbook.Runbook, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return loadFolder(name)
	}
	books, err := configuredRunbooks(g)
	if err != nil {
		return nil, err
	}
	for _, b := range books {
		if string(b.Manifest.ID) == name {
			return b, nil
		}
	}
	return nil, withHint(fmt.Errorf("runbook %q: %w", name, runbook.ErrNotFound), "switchback runbook list names them; a folder is given as ./FOLDER")
}

// loadFolder reads a runbook that somebody is working on.
func loadFolder(name string) (*runbook.Runbook, error) {
	path, err := filepath.Abs(name) // "." has no base
	if err != nil {
		return nil, fmt.Errorf("runbook %s: %w", name, err)
	}
	if _, err := os.ReadDir(path); err != nil {
		return nil, fmt.Errorf("runbook %s: %w", name, err)
	}
	b, err := runbook.Load(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", name, err), "a runbook is a folder with runbook.yaml, state-machine.asl.json, guide.md and scenarios/; switchback runbook new makes one")
	}
	return b, nil
}

type runbookShowCommand struct {
	ID string `arg:"" help:"A runbook's id, or a folder."`
	outputFlag
}

// Help is the long help.
func (runbookShowCommand) Help() string {
	return `With --output json the manifest (the fields of runbook.yaml), and beside it actions and permissions.

Example:
  switchback runbook show cloudtrail-off`
}

// Run prints the manifest.
func (c *runbookShowCommand) Run(s *streams, g *grammar) error {
	b, err := oneOf(g, c.ID)
	if err != nil {
		return err
	}
	if c.isJSON() {
		return printJSON(s.out, struct {
			runbook.Manifest
			Actions     []string `json:"actions"`
			Permissions []string `json:"permissions"`
		}{b.Manifest, b.Actions(), b.Permissions(standard.Catalog{})})
	}
	m := b.Manifest
	fmt.Fprintf(s.out, "%s: %s (%s)\n\n", m.ID, m.Title, m.Severity)
	return table(s.out, [][]string{
		{"1 objective", strings.Join(strings.Fields(m.Objective), " ")},
		{"2 concern", m.Concern},
		{"3 evidence", strings.Join(m.Evidence, ", ")},
		{"4 ownership", "accounts " + m.Ownership.Accounts + ", permissions " + m.Ownership.Permissions + ": " + strings.Join(b.Permissions(standard.Catalog{}), " ")},
		{"5 performance", fmt.Sprintf("contained %s, human reached %s, report %s", m.Objectives.Contained, m.Objectives.HumanReached, m.Objectives.Report)},
		{"6 mechanisms", strings.Join(m.Mechanisms, ", ")},
		{"7 triggers", triggerNames(m)},
		{"  actions", strings.Join(b.Actions(), ", ")},
		{"8 done", strings.Join(m.Done, ", ")},
		{"9 human", fmt.Sprintf("tell %s, approve %s", m.Human.Tell, orDash(strings.Join(m.Human.Approve, ", ")))},
	})
}

func triggerNames(m runbook.Manifest) string {
	var names []string
	for _, t := range m.Triggers {
		names = append(names, t.Name)
	}
	return strings.Join(names, ", ")
}

type runbookCheckCommand struct {
	IDs []string `arg:"" optional:"" name:"id" help:"Runbooks or folders; default: all."`
	outputFlag
}

// Help is the long help.
func (runbookCheckCommand) Help() string {
	return `Refuses answers that are missing or untrue: an objective without a figure, evidence that no source gives, an action that
does not exist, a scenario that is not there, a state machine that AWS would refuse. Exit status 1 with a line each; with
--output json: runbook, question, field, message, warning.

Example:
  switchback runbook check cloudtrail-off`
}

// Run prints the problems.
func (c *runbookCheckCommand) Run(s *streams, g *grammar) error {
	books, err := chosenRunbooks(g, c.IDs)
	if err != nil {
		return err
	}
	found := false
	for _, b := range books {
		problems := b.Check(standard.Catalog{})
		for _, p := range problems {
			found = found || !p.Warning
			if err := c.print(s, b, p); err != nil {
				return err
			}
		}
		if len(problems) == 0 && !c.isJSON() {
			fmt.Fprintf(s.out, "%s: fine\n", b.Manifest.ID)
		}
	}
	if found {
		return errFound
	}
	return nil
}

func (c *runbookCheckCommand) print(s *streams, b *runbook.Runbook, p runbook.Problem) error {
	if c.isJSON() {
		return printJSON(s.out, struct {
			Runbook runbook.ID `json:"runbook"`
			runbook.Problem
		}{b.Manifest.ID, p})
	}
	kind := "error"
	if p.Warning {
		kind = "warning"
	}
	_, err := fmt.Fprintf(s.out, "%s: %s: %s\n", b.Manifest.ID, kind, p)
	return err
}

func chosenRunbooks(g *grammar, names []string) ([]*runbook.Runbook, error) {
	if len(names) == 0 {
		return configuredRunbooks(g)
	}
	var books []*runbook.Runbook
	for _, name := range names {
		b, err := oneOf(g, name)
		if err != nil {
			return nil, err
		}
		books = append(books, b)
	}
	return books, nil
}

type runbookTestCommand struct {
	IDs       []string `arg:"" optional:"" name:"id" help:"Runbooks or folders; default: all."`
	Partition []string `help:"Partitions to play them in: ${enum}." enum:"aws,aws-us-gov,aws-cn,all" default:"aws" placeholder:"NAME"`
	Update    string   `help:"Write what came of each scenario back as the new expectation, into this folder of runbooks." placeholder:"DIR"`
	outputFlag
}

// Help is the long help.
func (runbookTestCommand) Help() string {
	return `Plays every scenario in the sandbox, in simulated time, and compares with what the scenario wants. Exit status 1 if one
falls short. A runbook holds in every partition: --partition all plays them in aws, aws-us-gov and aws-cn. With --output
json one line each: runbook, scenario, partition, passed, error, diff.

Example:
  switchback runbook test cloudtrail-off
  switchback runbook test --partition all`
}

// outcome is a line of runbook test.
type outcome struct {
	Runbook   runbook.ID `json:"runbook"`
	Scenario  string     `json:"scenario"`
	Partition string     `json:"partition"`
	Passed    bool       `json:"passed"`
	Error     string     `json:"error,omitempty"`
	Diff      string     `json:"diff,omitempty"`
}

// Run plays the scenarios, several at once.
func (c *runbookTestCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	books, err := chosenRunbooks(g, c.IDs)
	if err != nil {
		return err
	}
	respond.UseProcessors() // every scenario is a daemon of its own
	began := time.Now()
	outcomes, err := c.playAll(ctx, books)
	if err != nil {
		return err
	}
	failed := 0
	for _, o := range outcomes {
		if !o.Passed {
			failed++
		}
		if err := c.print(s, o); err != nil {
			return err
		}
	}
	if !c.isJSON() {
		fmt.Fprintf(s.out, "%d passed, %d failed (%s)\n", len(outcomes)-failed, failed, time.Since(began).Round(time.Millisecond))
	}
	if failed > 0 || len(outcomes) == 0 {
		return errFound
	}
	return nil
}

func (c *runbookTestCommand) print(s *streams, o outcome) error {
	if c.isJSON() {
		return printJSON(s.out, o)
	}
	if o.Passed {
		return nil
	}
	_, err := fmt.Fprintf(s.out, "FAIL %s/%s in %s\n%s%s\n", o.Runbook, o.Scenario, o.Partition, o.Error, o.Diff)
	return err
}

func (c *runbookTestCommand) playAll(ctx context.Context, books []*runbook.Runbook) ([]outcome, error) {
	var mu sync.Mutex
	var all []outcome
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.NumCPU())
	for _, b := range books {
		for _, name := range sortedKeys(b.Scenarios) {
			for i, place := range scenario.Places() {
				if !slices.Contains(c.Partition, place.Partition) && !slices.Contains(c.Partition, "all") {
					continue
				}
				group.Go(func() error {
					o, err := c.play(ctx, b, name, place, i == 0)
					mu.Lock()
					defer mu.Unlock()
					all = append(all, o)
					return err
				})
			}
		}
	}
	err := group.Wait()
	slices.SortFunc(all, func(a, b outcome) int {
		return strings.Compare(string(a.Runbook)+a.Scenario+a.Partition, string(b.Runbook)+b.Scenario+b.Partition)
	})
	return all, err
}

func (c *runbookTestCommand) play(ctx context.Context, b *runbook.Runbook, name string, place scenario.Place, first bool) (outcome, error) {
	o := outcome{Runbook: b.Manifest.ID, Scenario: name, Partition: place.Partition}
	story, err := scenario.Parse(name, b.Scenarios[name])
	if err != nil {
		o.Error = err.Error()
		return o, nil
	}
	got, err := scenario.Run(ctx, story, scenario.Options{Runbooks: []*runbook.Runbook{b}, Place: place})
	if err != nil {
		o.Error = err.Error()
		return o, ctx.Err()
	}
	if c.Update != "" && first {
		file := filepath.Join(c.Update, string(b.Manifest.ID), runbook.ScenarioFolder, name+".txtar")
		return outcome{b.Manifest.ID, name, place.Partition, true, "", ""}, os.WriteFile(file, story.Update(b.Scenarios[name], got), 0o644)
	}
	o.Passed = got == story.Want
	if !o.Passed {
		o.Diff = scenario.Diff(story.Want, got)
	}
	return o, nil
}

type runbookNewCommand struct {
	ID  string `arg:"" help:"The id: kebab-case, and the folder's name."`
	Dir string `help:"Where the folder is made." default:"."`
}

// Help is the long help.
func (runbookNewCommand) Help() string {
	return `Asks the nine questions in order, with an example each. An answer that is empty or cannot be tested is refused and asked
again. Writes manifest, pattern, state machine, guide and one scenario that fails: that is where the work begins.

Example:
  switchback runbook new guardduty-off --dir runbooks`
}

// Run asks and writes.
func (c *runbookNewCommand) Run(s *streams) error {
	dir := filepath.Join(c.Dir, c.ID)
	if c.ID != filepath.Base(dir) {
		return withHint(fmt.Errorf("the id %q is not kebab-case, as cloudtrail-off is", c.ID), "--dir DIR says where the folder is made")
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return withHint(fmt.Errorf("%s is there already", dir), "choose another id or --dir")
	}
	answers, err := runbook.Ask(runbook.ID(c.ID), s.in, s.out, standard.Catalog{})
	if err != nil {
		return err
	}
	for _, f := range answers.Files() {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write runbook: %w", err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return fmt.Errorf("write runbook: %w", err)
		}
	}
	here := dir
	if !strings.ContainsRune(here, filepath.Separator) {
		here = "." + string(filepath.Separator) + here // else it would be taken for an id
	}
	_, err = fmt.Fprintf(s.out, "%s is written. Next: switchback runbook check %s, and make %s pass.\n", dir, here, filepath.Join(here, runbook.ScenarioFolder))
	return err
}

// objectivesOf finds the objectives of an incident's runbook.
func objectivesOf(books []*runbook.Runbook, inc incident.Incident) runbook.Objectives {
	for _, b := range books {
		if string(b.Manifest.ID) == inc.Key.Runbook {
			return b.Manifest.Objectives
		}
	}
	return runbook.Objectives{}
}
