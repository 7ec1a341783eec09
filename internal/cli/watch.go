// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/pricing"
	"github.com/switchback-project/switchback/internal/source/heartbeat"
	"github.com/switchback-project/switchback/internal/source/watcher"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

type watchCommand struct {
	Cost watchCostCommand `cmd:"" help:"What watching trails costs: calls, events, dollars."`
}

// Help is the long help.
func (watchCommand) Help() string {
	return "Example:\n  switchback watch cost --accounts 100 --organization"
}

type watchCostCommand struct {
	outputFlag
	Accounts     int    `help:"How many accounts; default: those of the configuration." placeholder:"N"`
	Trails       int    `help:"How many trails each account has, or the organization; default: those that are known here, else one." placeholder:"N"`
	Organization bool   `help:"One account's trails record all of them: each is read once."`
	Copies       int    `help:"How many trails record what the watcher reads; all but the first are paid for. Default: as many as record an account." placeholder:"N"`
	Prices       string `help:"Price list to use instead of the built-in one." placeholder:"FILE"`
}

// Help is the long help.
func (watchCostCommand) Help() string {
	return `What the watcher, the snapshots and the heartbeat's canary call in a month, by tier and API; how many events that
makes, since AWS records reads too; and what both cost by a dated price list. It calls nobody. Each trail is taken to have
a bucket, a key and a rule, topic, log group, role, queue and alarm of its own, which is the most that it can have.

With --output json: month_hours, prices, accounts, trails, paid_copies, lines, calls, events, usd, assumed.

Example:
  switchback watch cost --accounts 100 --organization
  switchback --config switchback.yaml watch cost --output json | jq .usd.total`
}

// month is the average one.
const month = 730 * time.Hour

// What is called beside the watcher's tiers.
const (
	tierSnapshots = "snapshots"
	tierCanary    = "canary"
)

// costs is the JSON of watch cost.
type costs struct {
	MonthHours int        `json:"month_hours"`
	Prices     costPrices `json:"prices"`
	Accounts   int        `json:"accounts"`
	Trails     int        `json:"trails"`
	PaidCopies int        `json:"paid_copies"`
	Lines      []costLine `json:"lines"`
	Calls      float64    `json:"calls"`
	Events     float64    `json:"events"`
	USD        costUSD    `json:"usd"`
	// Assumed says in words what was not known.
	Assumed []string `json:"assumed"`
}

type costPrices struct {
	Date string `json:"date"`
	From string `json:"from"` // a file, or "built in"
}

type costLine struct {
	Tier      string  `json:"tier"`
	Every     string  `json:"every"`
	Service   string  `json:"service"`
	Operation string  `json:"operation"`
	Resources int     `json:"resources"`
	Calls     float64 `json:"calls"`
	USD       float64 `json:"usd"`
}

type costUSD struct {
	Requests float64 `json:"requests"`
	Events   float64 `json:"events"`
	Total    float64 `json:"total"`
}

// Run estimates.
func (c *watchCostCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	conf, path, err := loadConfig(g)
	if err != nil {
		return err
	}
	if c.Accounts < 0 || c.Trails < 0 || c.Copies < 0 {
		return fmt.Errorf("--accounts, --trails and --copies count from 1")
	}
	list, from, err := priceList(firstText(c.Prices, conf.Prices))
	if err != nil {
		return err
	}
	e := &estimate{conf: conf, out: costs{MonthHours: int(month / time.Hour), Assumed: []string{}, Lines: []costLine{}}}
	e.out.Prices = costPrices{list.Date.Format(time.DateOnly), from}
	if err := e.options(path); err != nil {
		return err
	}
	if err := e.size(ctx, c, g, s); err != nil {
		return err
	}
	e.load()
	if err := e.price(list); err != nil {
		return withHint(err, "the list must name the prices that the built-in one does")
	}
	if c.isJSON() {
		return printJSON(s.out, e.out)
	}
	return e.print(s)
}

func priceList(file string) (pricing.List, string, error) {
	if file == "" {
		return pricing.Default(), "built in", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return pricing.List{}, "", fmt.Errorf("prices: %w", err)
	}
	list, err := pricing.Parse(text)
	if err != nil {
		return list, "", fmt.Errorf("prices: %s: %w", file, err)
	}
	return list, file, nil
}

// estimate is one while it is made.
type estimate struct {
	conf    config
	watcher watcher.Options
	beats   time.Duration // between two canaries
	// withTrails is how many accounts own trails, copies how many trails record each of their events.
	withTrails, copies int
	out                costs
}

func (e *estimate) assume(format string, args ...any) {
	e.out.Assumed = append(e.out.Assumed, fmt.Sprintf(format, args...))
}

// options are those of the configured watcher and heartbeat.
func (e *estimate) options(path string) error {
	var heart heartbeat.Options
	if e.conf.Heart.isThere() {
		if err := e.conf.Heart.Decode(&heart); err != nil {
			return fmt.Errorf("heartbeat (line %d): %w", e.conf.Heart.line, err)
		}
	}
	e.beats = firstDuration(heart.Every, time.Minute)
	i := slices.IndexFunc(e.conf.Sources, func(s entry) bool { return s.Type == "watcher" })
	if i < 0 {
		e.assume("%s has no watcher among its sources: one with the default intervals", path)
		e.watcher = watcher.Options{}.Defaults()
		return nil
	}
	if err := e.conf.Sources[i].Decode(&e.watcher); err != nil {
		return fmt.Errorf("%s: %w", e.conf.Sources[i].place("sources", i), err)
	}
	e.watcher = e.watcher.Defaults()
	return nil
}

// size is how much there is to watch: as the flags say, else as is known here.
func (e *estimate) size(ctx context.Context, c *watchCostCommand, g *grammar, s *streams) error {
	e.out.Accounts = c.Accounts
	if c.Accounts == 0 {
		e.out.Accounts = max(1, len(e.conf.Accounts))
	}
	known, err := e.known(ctx, c, g, s)
	if err != nil {
		return err
	}
	each := max(1, c.Trails)
	switch {
	case len(known) > 0:
		e.out.Trails, e.withTrails = len(known), len(owners(known))
		each = (len(known) + e.withTrails - 1) / e.withTrails
	case c.Organization:
		e.out.Trails, e.withTrails = each, 1
	default:
		e.out.Trails, e.withTrails = each*e.out.Accounts, e.out.Accounts
	}
	if c.Trails == 0 && len(known) == 0 {
		e.assume("one trail %s, since none is known here", map[bool]string{true: "in the organization", false: "in each account"}[c.Organization])
	}
	e.copies = c.Copies
	if c.Copies == 0 {
		e.copies = each
		e.assume("%d %s what is read", each, plural(each, "trail records", "trails record"))
	}
	e.out.PaidCopies = max(0, e.copies-1)
	return nil
}

// known are the trails that are watched already; none where the flags say what is to be counted, or nothing is kept yet.
func (e *estimate) known(ctx context.Context, c *watchCostCommand, g *grammar, s *streams) ([]state.Snapshot, error) {
	if c.Accounts > 0 || c.Trails > 0 || c.Organization {
		return nil, nil
	}
	if _, err := os.Stat(e.conf.database()); err != nil {
		return nil, nil // nothing is kept yet: the sizes are assumed, and said to be
	}
	in, err := openStore(ctx, e.conf, g.logger(s))
	if err != nil {
		return nil, err
	}
	trails, err := in.db.NewestSnapshots(ctx, state.KindTrail)
	if closing := in.close(ctx); err == nil {
		err = closing
	}
	return trails, err
}

// owners are the accounts of trails.
func owners(trails []state.Snapshot) []string {
	var all []string
	for _, s := range trails {
		if p, err := s.Resource.Parse(); err == nil {
			all = append(all, p.AccountID)
		}
	}
	return sortedUnique(all)
}

// load lists every call of a month.
func (e *estimate) load() {
	for _, l := range e.watcher.LoadOf(e.out.Trails, func(trail.Kind) int { return e.out.Trails }, month) {
		e.add(string(l.Tier), l.Every, l.Service, l.Operation, l.Resources)
	}
	every := e.conf.snapshotsEvery()
	for _, operation := range []string{"ListTrails", "DescribeTrails"} {
		e.add(tierSnapshots, every, "CloudTrail", operation, e.withTrails)
		e.add(tierSnapshots, lookThrough, "CloudTrail", operation, e.out.Accounts-e.withTrails)
	}
	for _, operation := range []string{"GetTrailStatus", "GetEventSelectors", "GetInsightSelectors", "ListTags"} {
		e.add(tierSnapshots, every, "CloudTrail", operation, e.out.Trails)
	}
	e.add(tierSnapshots, every, "S3", "HeadBucket", e.out.Trails)
	e.add(tierCanary, e.beats, "CloudTrail", "LookupEvents", 1)
}

func (e *estimate) add(tier string, every time.Duration, service, operation string, resources int) {
	if resources > 0 {
		e.out.Lines = append(e.out.Lines, costLine{
			Tier: tier, Every: spell(every), Service: service, Operation: operation, Resources: resources,
			Calls: float64(resources) * float64(month) / float64(every),
		})
	}
}

// spell writes a duration without the zeros behind it: "15m".
func spell(d time.Duration) string {
	text := d.String()
	if rest, ok := strings.CutSuffix(text, "m0s"); ok {
		text = rest + "m"
	}
	if rest, ok := strings.CutSuffix(text, "h0m"); ok {
		text = rest + "h"
	}
	return text
}

// requestPrices are the ids of the prices of each service's calls.
var requestPrices = map[string]string{
	"CloudTrail": "cloudtrail.requests", "S3": "s3.requests", "KMS": "kms.requests", "SNS": "sns.requests", "SQS": "sqs.requests",
	"CloudWatch": "cloudwatch.requests", "CloudWatch Logs": "logs.requests", "EventBridge": "eventbridge.requests", "IAM": "iam.requests",
}

// price adds up. Every read is an event; of each the first copy that a trail delivers is free, and the others are not.
func (e *estimate) price(list pricing.List) error {
	for i := range e.out.Lines {
		l := &e.out.Lines[i]
		p, err := list.Price(requestPrices[l.Service])
		if err != nil {
			return err
		}
		l.USD = p.Of(l.Calls)
		e.out.Calls += l.Calls
		e.out.USD.Requests += l.USD
	}
	e.out.Events = e.out.Calls
	for id, copies := range map[string]int{
		"cloudtrail.management-events.first-copy": min(1, e.copies), "cloudtrail.management-events.further-copy": e.out.PaidCopies,
	} {
		p, err := list.Price(id)
		if err != nil {
			return err
		}
		e.out.USD.Events += p.Of(e.out.Events * float64(copies))
	}
	e.out.USD.Total = e.out.USD.Requests + e.out.USD.Events
	return nil
}

func (e *estimate) print(s *streams) error {
	o := e.out
	rows := [][]string{{"TIER", "EVERY", "CALL", "OF", "CALLS A MONTH", "USD"}}
	for _, l := range o.Lines {
		rows = append(rows, []string{l.Tier, l.Every, l.Service + " " + l.Operation, strconv.Itoa(l.Resources), thousands(l.Calls), dollars(l.USD)})
	}
	if err := table(s.out, rows); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\naccounts: %d, trails: %d\n", o.Accounts, o.Trails)
	fmt.Fprintf(s.out, "calls a month: %s\n", thousands(o.Calls))
	fmt.Fprintf(s.out, "events that they cause: %s, each paid for %d %s\n", thousands(o.Events), o.PaidCopies, plural(o.PaidCopies, "time", "times"))
	fmt.Fprintf(s.out, "dollars a month: %s (requests %s, copies of events %s)\n", dollars(o.USD.Total), dollars(o.USD.Requests), dollars(o.USD.Events))
	fmt.Fprintf(s.out, "prices: %s, of %s; verify before quoting\n", o.Prices.From, o.Prices.Date)
	for _, a := range o.Assumed {
		fmt.Fprintf(s.out, "assumed: %s\n", a)
	}
	return nil
}

// thousands writes a number with commas.
func thousands(n float64) string {
	text := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func dollars(n float64) string { return strconv.FormatFloat(n, 'f', 2, 64) }
