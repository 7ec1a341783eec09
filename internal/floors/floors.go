// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package floors says which package stands on which floor. A package imports only lower floors, never sideways; the
// test of this package holds the table against `go list`, and docs/architecture.md shows it. A new package adds its row
// in the commit that adds the package.
package floors

import "strings"

//go:generate go run ./gen

// Floor is one level of the building.
type Floor struct {
	Number   int    // order: a package may import only smaller numbers
	Name     string // as in docs/architecture.md
	Packages []string
	Holds    string // what lives there, for the document
}

// Floors is the table, from the ground up. A pattern ending in "/*" stands for every direct child.
var Floors = []Floor{
	{0, "0 words (ground)", []string{"internal/arn", "internal/jsonscan"}, "ARNs and partitions; the JSON scanner of records and patterns"},
	{1, "0 words", []string{"cloudtrail", "eventpattern", "asl", "internal/policy", "runbooks"}, "records and log files; patterns; state machines; policies; the embedded runbooks. No clock, no network"},
	{2, "1 rules", []string{"cloudtrail/digest", "internal/identity", "internal/trail", "internal/ledger", "internal/diagram", "internal/jsonata", "internal/pricing", "internal/sigma"}, "pure decisions; I/O only through an interface argument"},
	{3, "2 domain", []string{"internal/gate", "internal/incident", "internal/route"}, "the door to AWS; incident, timeline, Store; the routes of tampering"},
	{4, "2 domain (manifests)", []string{"internal/runbook"}, "manifests, in the words of incidents"},
	{5, "3 access", []string{"internal/state", "internal/objects"}, "live reads of trails, buckets, instances; listings, capped get, evidence folders"},
	{6, "4 ports", []string{"internal/action", "internal/source", "internal/notify", "internal/contact", "internal/engine", "internal/lake"}, "interface, registry, loop, contract test; goroutines and slog start here"},
	{7, "5 services", []string{"internal/investigate", "internal/report"}, "questions over a Querier; reports"},
	{8, "6 adapters", []string{"internal/action/*", "internal/source/*", "internal/notify/*", "internal/contact/*", "internal/sqlite", "internal/dynamodb", "internal/sandbox", "internal/engine/stepfunctions", "internal/lake/*"}, "one outside thing each"},
	{9, "7 application", []string{"internal/respond"}, "the one pipeline"},
	{10, "8 surfaces", []string{"internal/web", "internal/answers", "internal/lambda", "internal/deploy", "internal/scenario", "internal/agent", "internal/doctor"}, "console, answers, Lambda, CloudFormation, scenarios, instance agent"},
	{11, "9 wiring", []string{"internal/standard"}, "blank imports"},
	{12, "9 wiring (commands)", []string{"internal/cli"}, "one file a command"},
	{13, "10 mains", []string{"cmd/*"}, "15 lines each"},
}

// IsTestSupport reports whether a package only serves tests: named <port>test, or one of the few others. Such packages
// import what they like, and only test files and each other import them.
func IsTestSupport(pkg string) bool {
	return strings.HasSuffix(pkg, "test") || pkg == "internal/thirdparty" || pkg == "internal/benign" || pkg == "internal/floors" || strings.HasSuffix(pkg, "/gen")
}

// Of returns the floor of a package path relative to the module, or false when no row names it.
func Of(pkg string) (Floor, bool) {
	for _, f := range Floors {
		for _, pattern := range f.Packages {
			if matches(pattern, pkg) {
				return f, true
			}
		}
	}
	return Floor{}, false
}

func matches(pattern, pkg string) bool {
	parent, ok := strings.CutSuffix(pattern, "/*")
	if !ok {
		return pattern == pkg
	}
	child, ok := strings.CutPrefix(pkg, parent+"/")
	return ok && !strings.Contains(child, "/")
}

// Table renders the floors as the Markdown table of docs/architecture.md.
func Table() string {
	var b strings.Builder
	b.WriteString("| floor | packages | what lives there |\n|---|---|---|\n")
	for _, f := range Floors {
		b.WriteString("| " + f.Name + " | `" + strings.Join(f.Packages, "`, `") + "` | " + f.Holds + " |\n")
	}
	return b.String()
}
