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
    principals: [bob, sam]
  - name: Sam Example
    email: sam@example.com
    principals: [sam, "arn:aws:iam::111122223333:user/sam", "arn:aws:sts::111122223333:assumed-role/Deploy/ci"]
`

const peopleCSV = "\ufeffname,email,slack,phone,principals,os_users,manager\n" +
	"Alice Example,alice@example.com,U012AB3CD,,alice; arn:aws:iam::111122223333:user/alice,alice;aex,Bob Example\n" +
	"Bob Example,,,+49 30 1,bob;sam,,\n" +
	"Sam Example,sam@example.com,,,sam;arn:aws:iam::111122223333:user/sam;arn:aws:sts::111122223333:assumed-role/Deploy/ci,,\n"

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
	d, err := file.Open(write(t, name, text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	for form, text := range map[string]string{"people.yaml": people, "people.csv": peopleCSV} {
		d := open(t, form, text)
		for name, tt := range map[string]struct {
			who  incident.Who
			want string // name, or note
		}{
			"by ARN":                {incident.Who{HumanARN: "arn:aws:iam::111122223333:user/alice", Human: "x"}, "Alice Example"},
			"by name":               {incident.Who{Human: "ALICE"}, "Alice Example"},
			"by mail":               {incident.Who{Human: "Sam@example.com"}, "Sam Example"},
			"two of one name":       {incident.Who{Human: "sam"}, `2 people are called "sam": give them ARNs`},
			"two, told by ARN":      {incident.Who{HumanARN: "arn:aws:iam::111122223333:user/sam", Human: "sam"}, "Sam Example"},
			"unknown":               {incident.Who{Human: "mallory"}, "knows nobody of that name"},
			"nobody":                {incident.Who{}, "knows nobody of that name"},
			"unresolved, an owner":  {incident.Who{Principal: "arn:aws:sts::111122223333:assumed-role/Deploy/ci"}, "Sam Example (the human is not known; this is who owns arn:aws:sts::111122223333:assumed-role/Deploy/ci)"},
			"unresolved, in chain":  {incident.Who{Principal: "x", Chain: []string{"x", "bob"}}, "Bob Example (the human is not known; this is who owns bob)"},
			"resolved, not by role": {incident.Who{Principal: "arn:aws:sts::111122223333:assumed-role/Deploy/ci", Human: "carol"}, "knows nobody of that name"},
		} {
			t.Run(form+"/"+name, func(t *testing.T) {
				t.Parallel()
				people, notes, err := d.LookUp(t.Context(), nil, tt.who)
				if err != nil {
					t.Fatal(err)
				}
				got := strings.Join(notes, "; ")
				if len(people) == 1 {
					got = people[0].Name
					if people[0].Note != "" {
						got += " (" + people[0].Note + ")"
					}
				}
				if got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
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
	for _, unknown := range []string{"", "AEX", "bob"} {
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
		"CSV unknown column":    {"p.csv", "name,mail\nA,a@example.com\n", "line 1"},
		"CSV bad mail":          {"p.csv", "name,email\nA,a@example.com\nB,b\n", "line 3"},
		"CSV ragged":            {"p.csv", "name,email\nA\n", "line 2"},
		"CSV an OS user of two": {"p.csv", "name,phone,os_users\nA,1,x\nB,2,y;x\n", "line 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := file.Open(write(t, tt.file, tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := file.Open(""); err == nil {
		t.Error("accepted no path")
	}
}

// The file is read again when it changes; while it is broken the directory is down, and no stale answer is given.
func TestTheFileChanges(t *testing.T) {
	t.Parallel()
	path := write(t, "people.yaml", people)
	d, err := file.Open(path)
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
		got, _, err := d.LookUp(t.Context(), nil, incident.Who{Human: "alice"})
		if (err != nil) != step.isDown || !step.isDown && got[0].Name != step.want {
			t.Errorf("got %+v, %v, want %q", got, err, step.want)
		}
		if _, _, ok := d.ByOSUser("alice"); ok == step.isDown {
			t.Errorf("a user is known: %t, the file is broken: %t", ok, step.isDown)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(people, false)
	f.Add(peopleCSV, true)
	f.Add("people: null", false)
	f.Fuzz(func(t *testing.T, text string, isCSV bool) {
		parse := file.ParseYAML
		if isCSV {
			parse = file.ParseCSV
		}
		all, err := parse(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, p := range all {
			if p.Name == "" || strings.ContainsAny(p.Email, "\r\n,;<> ") {
				t.Fatalf("accepted %+v", p)
			}
		}
	})
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	path := write(t, "people.yaml", people)
	for text, ok := range map[string]bool{"path: " + path: true, "path: " + path + ".gone": false, "file: x": false, "{}": false} {
		_, err := contact.Open(contact.Config{Type: "file", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, contact.Services{})
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
