// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/contact/file"
	"github.com/switchback-project/switchback/internal/incident"
)

const people = `people:
  - name: Alice Example
    email: alice@example.com
    slack: U012AB3CD
    principals: [alice, "arn:aws:iam::111122223333:user/alice"]
    os_users: [alice, aex]
    manager: Bob Example
  - name: Bob Example
    phone: "+49 30 1"
    manager: dora@example.com
    principals: [bob, sam]
  - name: Sam Example
    email: sam@example.com
    principals: [sam, "arn:aws:iam::111122223333:user/sam", "arn:aws:sts::111122223333:assumed-role/Deploy/ci"]
    manager: carol@example.com
  - {name: Carol Example, email: carol@example.com, principals: [carol], os_users: [carol], left: 2026-05-04, manager: Dora Example}
  - {name: Dora Example, email: dora@example.com, principals: [dora], left: 2026-05-05, manager: Dora Example}
  - {name: Erin Example, email: erin@example.com, principals: [erin], active: false}
  - {name: Finn Example, email: finn@example.com, principals: [erin], active: true}
  - {name: Gina Example, email: gina@example.com, principals: [gina], manager: Hugo Example}
  - {name: Hugo Example, email: hugo@example.com, principals: [hugo], active: false, manager: Gina Example}
`

const peopleCSV = "\ufeffname,email,slack,phone,principals,os_users,manager,active,left\n" +
	"Alice Example,alice@example.com,U012AB3CD,,alice; arn:aws:iam::111122223333:user/alice,alice;aex,Bob Example,yes,\n" +
	"Bob Example,,,+49 30 1,bob;sam,,DORA@example.com,,\n" +
	"Sam Example,sam@example.com,,,sam;arn:aws:iam::111122223333:user/sam;arn:aws:sts::111122223333:assumed-role/Deploy/ci,,carol@example.com,,\n" +
	"Carol Example,carol@example.com,,,carol,carol,Dora Example,,2026-05-04\n" +
	"Dora Example,dora@example.com,,,dora,,Dora Example,,2026-05-05\n" +
	"Erin Example,erin@example.com,,,erin,,,No,\n" +
	"Finn Example,finn@example.com,,,erin,,,TRUE,\n" +
	"Gina Example,gina@example.com,,,gina,,Hugo Example,,\n" +
	"Hugo Example,hugo@example.com,,,hugo,,Gina Example,0,\n"

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, name, text string) *file.Directory {
	t.Helper()
	d, err := file.Open(file.Options{Path: write(t, name, text)}, clock)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func clock() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

// told is an answer in one line.
func told(a contact.Answer) string {
	var all []string
	for _, p := range a.People {
		name := p.Name
		if p.IsHint {
			name += "?"
		}
		if p.Note != "" {
			name += " (" + p.Note + ")"
		}
		all = append(all, name)
	}
	for _, p := range a.Left {
		all = append(all, "gone: "+p.Name+" ("+p.Note+")")
	}
	return strings.Join(append(all, a.Notes...), "; ")
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	for form, text := range map[string]string{"people.yaml": people, "people.csv": peopleCSV} {
		d := open(t, form, text)
		for name, tt := range map[string]struct {
			who  incident.Who
			want string
		}{
			"by ARN":                {incident.Who{HumanARN: "arn:aws:iam::111122223333:user/alice", Human: "x"}, "Alice Example"},
			"by name":               {incident.Who{Human: "ALICE"}, "Alice Example"},
			"by mail":               {incident.Who{Human: "Sam@example.com"}, "Sam Example"},
			"two of one name":       {incident.Who{Human: "sam"}, `Bob Example? (one of 2 people called "sam"); Sam Example? (one of 2 people called "sam"); 2 people are called "sam": give them ARNs`},
			"two, told by ARN":      {incident.Who{HumanARN: "arn:aws:iam::111122223333:user/sam", Human: "sam"}, "Sam Example"},
			"one of two left":       {incident.Who{Human: "erin"}, `Finn Example? (one of 2 people called "erin"); gone: Erin Example (not active); 2 people are called "erin": give them ARNs`},
			"left today":            {incident.Who{Human: "carol"}, "gone: Carol Example (left on 2026-05-04)"},
			"leaves tomorrow":       {incident.Who{Human: "dora"}, "Dora Example"},
			"unknown":               {incident.Who{Human: "mallory"}, "knows nobody of that name"},
			"hostile":               {incident.Who{Human: "alice\r\nBcc: x@example.com", HumanARN: "<!channel>"}, "knows nobody of that name"},
			"reversed":              {incident.Who{Human: "\u202eecila"}, "knows nobody of that name"},
			"100 KB":                {incident.Who{Human: strings.Repeat("alice ", 20_000)}, "knows nobody of that name"},
			"nobody":                {incident.Who{}, "knows nobody of that name"},
			"unresolved, an owner":  {incident.Who{Principal: "arn:aws:sts::111122223333:assumed-role/Deploy/ci"}, "Sam Example (the human is not known; this is who owns arn:aws:sts::111122223333:assumed-role/Deploy/ci)"},
			"unresolved, in chain":  {incident.Who{Principal: "x", Chain: []string{"x", "bob"}}, "Bob Example (the human is not known; this is who owns bob)"},
			"resolved, not by role": {incident.Who{Principal: "arn:aws:sts::111122223333:assumed-role/Deploy/ci", Human: "nora"}, "knows nobody of that name"},
		} {
			t.Run(form+"/"+name, func(t *testing.T) {
				t.Parallel()
				a, err := d.LookUp(t.Context(), nil, tt.who)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, told(a)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestManagersOf(t *testing.T) {
	t.Parallel()
	for form, text := range map[string]string{"people.yaml": people, "people.csv": peopleCSV} {
		d := open(t, form, text)
		for human, want := range map[string]string{
			"alice":           "Bob Example (manager of Alice Example)",
			"bob":             "Dora Example (manager of Bob Example)", // named by address
			"sam@example.com": "Dora Example (manager of Sam Example); Carol Example, who managed Sam Example, has left",
			"carol":           "Dora Example (manager of Carol Example)", // who left has a manager all the same
			"dora":            "",                                        // manages herself
			"finn":            "",
			"gina":            "Hugo Example, who managed Gina Example, has left", // and Gina manages Hugo
			"sam":             "",                                                 // one of two
			"mallory":         "",
		} {
			a, err := d.ManagersOf(t.Context(), nil, incident.Who{Human: human})
			if err != nil || told(a) != want {
				t.Errorf("%s, %s: got %q, %v, want %q", form, human, told(a), err, want)
			}
		}
	}
}

func TestByOSUser(t *testing.T) {
	t.Parallel()
	d := open(t, "people.yaml", people)
	p, names, ok := d.ByOSUser("aex")
	want := []string{"Alice Example", "alice", "arn:aws:iam::111122223333:user/alice", "alice@example.com"}
	if diff := cmp.Diff(want, names); !ok || p.Name != "Alice Example" || diff != "" {
		t.Errorf("got %+v, %t\n%s", p, ok, diff)
	}
	for _, unknown := range []string{"", "AEX", "bob", "carol"} {
		if p, _, ok := d.ByOSUser(unknown); ok {
			t.Errorf("%q is %+v", unknown, p)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ file, text, want string }{
		"unknown field":         {"p.yaml", "people:\n  - name: A\n    email: a@example.com\n    e-mail: b@example.com\n", "[4:5]"},
		"unknown top field":     {"p.yaml", "persons: []\n", "[1:1]"},
		"bad mail":              {"p.yaml", "people:\n  - name: A\n    email: a@example.com\n  - name: B\n    email: \"b@example.com\\r\\nBcc: c@example.com\"\n", "line 4"},
		"two mails":             {"p.yaml", "people:\n  - name: A\n    email: a@example.com, b@example.com\n", "line 2"},
		"bad slack":             {"p.yaml", "people:\n  - name: A\n    slack: \"!channel\"\n", "line 2"},
		"no way to reach":       {"p.yaml", "people:\n  - name: A\n", "line 2"},
		"no name":               {"p.yaml", "people:\n  - email: a@example.com\n", "line 2"},
		"unknown manager":       {"p.yaml", "people:\n  - name: A\n    phone: 1\n    manager: Z\n", "line 2"},
		"an OS user of two":     {"p.yaml", "people:\n  - {name: A, phone: 1, os_users: [x]}\n  - {name: B, phone: 2, os_users: [x]}\n", "line 3"},
		"empty principal":       {"p.yaml", "people:\n  - {name: A, phone: 1, principals: [\"\"]}\n", "line 2"},
		"not YAML":              {"p.yaml", "people: [\n", "p.yaml"},
		"a manager of two":      {"p.yaml", "people:\n  - {name: A, phone: 1}\n  - {name: A, phone: 2}\n  - {name: B, phone: 3, manager: A}\n", "line 4"},
		"an invisible name":     {"p.yaml", "people:\n  - {name: \"A\\u202eB\", phone: 1}\n", "line 2"},
		"a long name":           {"p.yaml", "people:\n  - {name: " + strings.Repeat("a", 100_000) + ", phone: 1}\n", "line 2"},
		"no day":                {"p.yaml", "people:\n  - {name: A, phone: 1, left: yesterday}\n", "no day"},
		"a rota of nobody":      {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {weeks: {from: 2026-01-05, people: [B]}}\n", `on_call: weeks: "B" is not in the file`},
		"weeks from nowhen":     {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {weeks: {people: [A]}}\n", "needs from and people"},
		"weeks from long ago":   {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {weeks: {from: 1066-10-14, people: [A]}}\n", "too long ago"},
		"an unknown time zone":  {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {time_zone: Europe/Bonn, weeks: {from: 2026-01-05, people: [A]}}\n", "time_zone"},
		"a zone of the machine": {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {time_zone: Local, weeks: {from: 2026-01-05, people: [A]}}\n", "time_zone"},
		"a zone that is a path": {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {time_zone: ../../etc/localtime, weeks: {from: 2026-01-05, people: [A]}}\n", "time_zone"},
		"a shift back in time":  {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {shifts: [{from: 2026-01-05, until: 2026-01-05, person: A}]}\n", "shift 1: until is not after from"},
		"a shift from nowhen":   {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {shifts: [{person: A}]}\n", "from is missing"},
		"a shift for ever":      {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {weeks: {from: 2026-01-05, people: [A]}, shifts: [{from: 2026-01-05, person: A}]}\n", "until is missing"},
		"no time":               {"p.yaml", "people:\n  - {name: A, phone: 1}\non_call: {shifts: [{from: Monday, person: A}]}\n", "no time"},
		"CSV neither nor":       {"p.csv", "name,phone,active\nA,1,perhaps\n", "line 2"},
		"CSV no day":            {"p.csv", "name,phone,left\nA,1,\nB,2,soon\n", "line 3"},
		"CSV unknown column":    {"p.csv", "name,mail\nA,a@example.com\n", "line 1"},
		"CSV bad mail":          {"p.csv", "name,email\nA,a@example.com\nB,b\n", "line 3"},
		"CSV ragged":            {"p.csv", "name,email\nA\n", "line 2"},
		"CSV an OS user of two": {"p.csv", "name,phone,os_users\nA,1,x\nB,2,y;x\n", "line 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := file.Open(file.Options{Path: write(t, tt.file, tt.text)}, clock)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := file.Open(file.Options{}, clock); err == nil {
		t.Error("accepted no path")
	}
	if _, err := file.Open(file.Options{Path: write(t, "p.yaml", people)}, nil); err == nil {
		t.Error("accepted no clock")
	}
}

// The file is read again when it changes; while it is broken the directory is down, and no stale answer is given.
func TestTheFileChanges(t *testing.T) {
	t.Parallel()
	path := write(t, "people.yaml", people)
	d, err := file.Open(file.Options{Path: path}, clock)
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now()
	for _, step := range []struct {
		text, want string
		isDown     bool
	}{
		{strings.ReplaceAll(people, "Alice", "Alicia"), "Alicia Example", false},
		{"people: [", "", true},
		{people, "Alice Example", false},
	} {
		later = later.Add(time.Minute)
		if err := os.WriteFile(path, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
		got, err := d.LookUp(t.Context(), nil, incident.Who{Human: "alice"})
		if (err != nil) != step.isDown || !step.isDown && got.People[0].Name != step.want {
			t.Errorf("got %+v, %v, want %q", got, err, step.want)
		}
		if _, _, ok := d.ByOSUser("alice"); ok == step.isDown {
			t.Errorf("a user is known: %t, the file is broken: %t", ok, step.isDown)
		}
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	path := write(t, "people.yaml", people)
	for text, ok := range map[string]bool{"path: " + path: true, "path: " + path + ".gone": false, "file: x": false, "{}": false,
		"path: " + path + "\non_call: " + path: false} {
		_, err := contact.Open(contact.Config{Type: "file", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, contact.Services{Clock: clock})
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
