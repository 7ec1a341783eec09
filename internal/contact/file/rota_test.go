// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package file_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/contact/file"
)

const team = `people:
  - {name: Alice, phone: 1}
  - {name: Bob, email: bob@example.com}
  - {name: Carol, phone: 3, active: false}
`

// inTurn hands over each Monday at 09:00 in Berlin: 08:00 UTC in winter, 07:00 in summer. The clocks change on
// 2026-03-29 and 2026-10-25.
const inTurn = team + `on_call:
  time_zone: Europe/Berlin
  weeks: {from: 2026-01-05 09:00, people: [Alice, bob@example.com]}
  shifts:
    - {from: 2026-05-05 18:00, until: 2026-05-06 09:00, person: Bob}
    - {from: 2026-05-05T20:00:00-04:00, until: 2026-05-06 03:00, person: Alice}
`

// asList hands over by a list, in New York: 09:00 there is 13:00 UTC in summer.
const asList = `from,until,person
2026-05-11 09:00,,Bob
2026-05-04 09:00,,Alice
2026-05-18,2026-05-19,bob@example.com
`

func TestOnCall(t *testing.T) {
	t.Parallel()
	list := file.Options{OnCall: "rota.csv", TimeZone: "America/New_York"}
	for name, tt := range map[string]struct {
		people, at string
		rota       file.Options
		want       string
	}{
		"before the first":           {people: inTurn, at: "2026-01-05T07:59:59Z", want: "nobody is on call now, says the rota"},
		"the first":                  {people: inTurn, at: "2026-01-05T08:00:00Z", want: "Alice (on call until 2026-01-12 09:00 CET)"},
		"the end of the first":       {people: inTurn, at: "2026-01-12T07:59:59Z", want: "Alice (on call until 2026-01-12 09:00 CET)"},
		"the second":                 {people: inTurn, at: "2026-01-12T08:00:00Z", want: "Bob (on call until 2026-01-19 09:00 CET)"},
		"in turn again":              {people: inTurn, at: "2026-01-19T08:00:00Z", want: "Alice (on call until 2026-01-26 09:00 CET)"},
		"a week of 167 hours":        {people: inTurn, at: "2026-03-30T06:59:59Z", want: "Bob (on call until 2026-03-30 09:00 CEST)"},
		"after summer time begins":   {people: inTurn, at: "2026-03-30T07:00:00Z", want: "Alice (on call until 2026-04-06 09:00 CEST)"},
		"a week of 169 hours":        {people: inTurn, at: "2026-10-26T07:59:59Z", want: "Bob (on call until 2026-10-26 09:00 CET)"},
		"after summer time ends":     {people: inTurn, at: "2026-10-26T08:00:00Z", want: "Alice (on call until 2026-11-02 09:00 CET)"},
		"a shift over the week":      {people: inTurn, at: "2026-05-05T16:00:00Z", want: "Bob (on call until 2026-05-06 09:00 CEST)"},
		"a shift over a shift":       {people: inTurn, at: "2026-05-06T00:00:00Z", want: "Alice (on call until 2026-05-06 03:00 CEST)"},
		"the shift below is back":    {people: inTurn, at: "2026-05-06T01:00:00Z", want: "Bob (on call until 2026-05-06 09:00 CEST)"},
		"the week is back":           {people: inTurn, at: "2026-05-06T07:00:00Z", want: "Bob (on call until 2026-05-11 09:00 CEST)"},
		"a list, before":             {people: team, rota: list, at: "2026-05-04T12:59:59Z", want: "nobody is on call now, says the rota"},
		"a list, the first":          {people: team, rota: list, at: "2026-05-04T13:00:00Z", want: "Alice (on call until 2026-05-11 09:00 EDT)"},
		"a list, the second":         {people: team, rota: list, at: "2026-05-11T13:00:00Z", want: "Bob (on call until 2026-05-18 00:00 EDT)"},
		"a list that has run out":    {people: team, rota: list, at: "2026-05-19T04:00:00Z", want: "nobody is on call now, says the rota"},
		"no rota":                    {people: team, at: "2026-05-19T04:00:00Z", want: ""},
		"who left is not on call":    {people: team + "on_call: {weeks: {from: 2026-01-05, people: [Carol, Alice]}}", at: "2026-01-05T00:00:00Z", want: "Alice (on call until 2026-01-12 00:00 UTC); Carol, who would be on call, has left"},
		"nobody but who left":        {people: team + "on_call: {shifts: [{from: 2026-01-05, person: Carol}]}", at: "2026-05-05T00:00:00Z", want: "Carol, who would be on call, has left"},
		"the last of a list goes on": {people: team + "on_call: {shifts: [{from: 2026-01-05, person: Bob}]}", at: "2026-05-05T00:00:00Z", want: "Bob (on call since 2026-01-05 00:00 UTC)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			o := tt.rota
			o.Path = write(t, "people.yaml", tt.people)
			if o.OnCall != "" {
				o.OnCall = write(t, o.OnCall, asList)
			}
			d, err := file.Open(o, func() time.Time { return at })
			if err != nil {
				t.Fatal(err)
			}
			a, err := d.OnCall(t.Context())
			if err != nil || told(a) != tt.want {
				t.Errorf("got %q, %v, want %q", told(a), err, tt.want)
			}
		})
	}
}

func TestRotaOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ people, file, rota, want string }{
		"YAML":              {team, "r.yaml", "weeks: {from: 2026-01-05, people: [Alice]}", ""},
		"CSV":               {team, "r.csv", asList, ""},
		"empty":             {team, "r.csv", "", ""},
		"two of them":       {inTurn, "r.csv", asList, "the configuration another"},
		"unknown field":     {team, "r.yaml", "turns: []", "r.yaml"},
		"CSV unknown field": {team, "r.csv", "start,person\n", "line 1"},
		"CSV no time":       {team, "r.csv", "from,person\n2026-05-04,Alice\n9 o'clock,Bob\n", "line 3"},
		"CSV of nobody":     {team, "r.csv", "from,person\n2026-05-04,Mallory\n", "r.csv: shift 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := file.Open(file.Options{Path: write(t, "p.yaml", tt.people), OnCall: write(t, tt.file, tt.rota)}, clock)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := file.Open(file.Options{Path: write(t, "p.yaml", team), OnCall: "gone.csv"}, clock); err == nil {
		t.Error("accepted a rota that is not there")
	}
}

// The examples of the documentation are read as they stand there.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/directories.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, block := range strings.Split(string(page), "```")[1:] {
		kind, text, _ := strings.Cut(block, "\n")
		first, _, _ := strings.Cut(text, "\n")
		blocks[kind+" "+first] = text
	}
	yaml, csv, rota := blocks["yaml people:"], blocks["csv name,email,principals,os_users,manager,active,left"], blocks["csv from,until,person"]
	if yaml == "" || csv == "" || rota == "" {
		t.Fatal("the page has other examples")
	}
	for _, o := range []file.Options{
		{Path: write(t, "p.yaml", yaml)}, {Path: write(t, "p.csv", csv), OnCall: write(t, "r.csv", rota), TimeZone: "Europe/Berlin"},
	} {
		d, err := file.Open(o, clock)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := d.OnCall(t.Context()); err != nil || len(a.People) != 1 {
			t.Errorf("%s: got %+v, %v", o.Path, a, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(people, asList, false, true)
	f.Add(peopleCSV, "weeks: {from: 2026-01-05, people: [Alice Example]}", true, false)
	f.Add(inTurn, "", false, false)
	f.Add(team, asList, false, true)
	f.Add("people: null", "shifts: null", false, false)
	f.Fuzz(func(t *testing.T, text, rota string, isCSV, isRotaCSV bool) {
		parse := file.ParseYAML
		if isCSV {
			parse = file.ParseCSV
		}
		all, err := parse(strings.NewReader(text))
		if err != nil {
			return
		}
		known := map[string]bool{}
		for _, p := range all.People {
			known[p.Name] = true
			if p.Name == "" || strings.ContainsAny(p.Name+p.Phone, "\r\n\u202e") || strings.ContainsAny(p.Email, "\r\n,;<> ") {
				t.Fatalf("accepted %+v", p)
			}
		}
		if rota != "" && all.ParseRota(strings.NewReader(rota), isRotaCSV) != nil {
			return
		}
		for _, at := range []string{"2026-01-05T00:00:00Z", "2026-10-25T01:30:00Z", "9999-12-31T23:59:59Z"} {
			moment, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range all.OnCall(moment) {
				if !known[name] {
					t.Fatalf("%q is on call and not in the file", name)
				}
			}
		}
	})
}
