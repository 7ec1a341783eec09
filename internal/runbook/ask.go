// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/switchback-project/switchback/internal/incident"
)

// Answers are the answers to the nine questions.
type Answers struct {
	Manifest
	// First is the answer to question 8 in words: what the first scenario must show.
	First string
}

// firstScenario is the one that a new runbook has.
const firstScenario = "first"

// question is one of the nine.
type question struct {
	name, ask, example string
	// take puts the answer in, or says why it cannot be one. What Check says about it is asked afterwards.
	take func(a *Answers, answer string) error
}

var questions = [...]question{
	{
		"expressed objective", "What must be true again, and how fast?",
		"A protected trail that is turned off records again within 30 s of the event reaching us.",
		func(a *Answers, answer string) error { a.Objective = answer; return nil },
	},
	{
		"concern", "Is it about configuration or about behavior?",
		"configuration",
		func(a *Answers, answer string) error { a.Concern = concern(answer); return nil },
	},
	{
		"evidence", "What data, where, could inform us? Sources and actions that read, separated by commas.",
		"cloudtrail event, cloudtrail:AssessTrail",
		func(a *Answers, answer string) error { a.Evidence = list(answer); return nil },
	},
	{
		"ownership", `Whose resources are these: which accounts? "all", or account ids. Permissions are generated.`,
		"all",
		func(a *Answers, answer string) error {
			a.Ownership.Accounts = strings.Join(words(answer), " ")
			return nil
		},
	},
	{
		"performance", "How fast is fast enough: contained, a human reached, the report written?",
		"30s 2m 10m",
		takeObjectives,
	},
	{
		"mechanisms", "How does the evidence reach us? Sources, separated by commas.",
		"eventbridge, s3 log files",
		func(a *Answers, answer string) error { a.Mechanisms = list(answer); return nil },
	},
	{
		"objective in code", "Which events start it? An EventBridge event pattern.",
		`{"source": ["aws.cloudtrail"], "detail": {"eventName": ["StopLogging", "DeleteTrail"]}}`,
		takePattern,
	},
	{
		"done", "When is it done? What must the first scenario show, in a sentence?",
		"A stopped trail records again, and the security team is told who stopped it.",
		takeFirst,
	},
	{
		"human", "When does a human need to look: always, succeeded (not for attempts) or never?",
		"always",
		func(a *Answers, answer string) error { a.Human.Tell = strings.ToLower(answer); return nil },
	},
}

// Ask asks the nine questions in order, each with an example, and again as long as the answer is empty or one that Check
// would refuse, with the reason. An answer is a line; a pattern may take several, or end with an empty one. When in ends
// early, the error names the question that is not answered and wraps io.ErrUnexpectedEOF.
func Ask(id ID, in io.Reader, out io.Writer, c Catalog) (Answers, error) {
	if !kebab.MatchString(string(id)) {
		return Answers{}, fmt.Errorf("make runbook: the id %q is not kebab-case, as cloudtrail-off is", id)
	}
	d := &dialogue{in: bufio.NewScanner(in), out: out, catalog: c}
	d.in.Buffer(nil, 1<<20)
	a := Answers{Manifest: Manifest{
		ID: id, Title: title(id), Severity: incident.High, Ownership: Ownership{Permissions: "generated"}, Done: []string{firstScenario},
	}}
	d.say("Nobody automates a response before answering nine questions. An answer that is empty or cannot be tested is asked again.\n")
	for i, q := range questions {
		if err := d.put(&a, i+1, q); err != nil {
			return Answers{}, fmt.Errorf("make runbook %s: %w", id, err)
		}
	}
	d.say("\n")
	return a, d.err
}

// dialogue is one run of the questions.
type dialogue struct {
	in      *bufio.Scanner
	out     io.Writer
	catalog Catalog
	err     error // the first of out
}

func (d *dialogue) say(format string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintf(d.out, format, args...)
	}
}

// put asks one question until it is answered.
func (d *dialogue) put(a *Answers, number int, q question) error {
	d.say("\n%d. %s: %s\n   Example: %s\n", number, upper(q.name), q.ask, q.example)
	var refusal error
	for {
		d.say("> ")
		answer, err := d.read()
		if err = errors.Join(err, d.err); err != nil {
			return errors.Join(fmt.Errorf("question %d (%s) is not answered: %w", number, q.name, err), refusal)
		}
		if refusal = a.accept(number, q, answer, d.catalog); refusal == nil {
			return nil
		}
		d.say("   Refused: %v\n", refusal)
	}
}

// read returns the next answer: a line, or as many as a JSON value takes.
func (d *dialogue) read() (string, error) {
	var lines []string
	for d.in.Scan() {
		line := printable(d.in.Text())
		lines = append(lines, line)
		answer := strings.TrimSpace(strings.Join(lines, "\n"))
		if line == "" || !strings.HasPrefix(answer, "{") || !isCutShort(answer) {
			return answer, nil
		}
	}
	if err := d.in.Err(); err != nil {
		return "", err
	}
	return "", io.ErrUnexpectedEOF
}

// isCutShort reports whether a JSON value goes on behind its text.
func isCutShort(text string) bool {
	var v json.RawMessage
	return errors.Is(json.NewDecoder(strings.NewReader(text)).Decode(&v), io.ErrUnexpectedEOF)
}

// printable is a line without what no file should hold.
func printable(line string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(line, "")))
}

// accept takes an answer, or says why it is refused: by the rules of Check, for the runbook as far as it is answered.
func (a *Answers) accept(number int, q question, answer string, c Catalog) error {
	switch strings.ToLower(strings.Trim(answer, ". ")) {
	case "", "-", "?", "tbd", "todo", "n/a", "none":
		answer = ""
	}
	next := *a
	if err := q.take(&next, answer); err != nil {
		return err
	}
	book := Runbook{Manifest: next.Manifest, StateMachine: next.file(StateMachineFile, StateMachineFile).Data, Scenarios: map[string][]byte{firstScenario: nil}}
	for _, p := range book.Check(c) {
		if p.Question == number && !p.Warning && !strings.HasPrefix(p.Field, StateMachineFile) {
			return fmt.Errorf("%s: %s", p.Field, p.Message)
		}
	}
	*a = next
	return nil
}

func takeObjectives(a *Answers, answer string) error {
	given := words(answer)
	o := &a.Objectives
	for i, target := range []*Duration{&o.Contained, &o.HumanReached, &o.Report} {
		if len(given) != 3 {
			return errors.New("want three durations: contained, human reached, report, as 30s 2m 10m")
		}
		v, err := time.ParseDuration(given[i])
		if err != nil {
			return fmt.Errorf("%q is no duration: want 30s, 10m or 24h", given[i])
		}
		*target = Duration(v)
	}
	return nil
}

// takePattern keeps the pattern as it will be read back from the manifest.
func takePattern(a *Answers, answer string) error {
	if answer == "" {
		return errors.New("missing: which events start the runbook?")
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(answer)); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	t := Trigger{Pattern: b.Bytes()}
	t.Name = nameOf(t, a.Title)
	a.Triggers = []Trigger{t}
	var back Manifest
	manifest := a.file(ManifestFile, "runbook.yaml.tmpl").Data
	if err := decodeManifest(ManifestFile, manifest, &back); err != nil {
		return fmt.Errorf("cannot be written as YAML: %w", err)
	}
	if len(back.Triggers) != 1 || !sameJSON(back.Triggers[0].Pattern, b.Bytes()) {
		return errors.New("cannot be written as YAML: write escapes as the characters they stand for")
	}
	return nil
}

func sameJSON(a, b []byte) bool {
	canonical := func(text []byte) []byte {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return nil
		}
		out, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return out
	}
	x := canonical(a)
	return x != nil && bytes.Equal(x, canonical(b))
}

// nameOf is made of the event names that the pattern lists.
func nameOf(t Trigger, otherwise string) string {
	const most = 3
	names := t.EventNames()
	if len(names) == 0 || len(names) > most {
		return otherwise
	}
	return strings.Join(names, ", ")
}

func takeFirst(a *Answers, answer string) error {
	if len(words(strings.ReplaceAll(answer, "-", " "))) < 3 {
		return errors.New("cannot be tested: say in a sentence what can be seen when it works")
	}
	a.First = answer
	return nil
}

// concern takes the other spelling too.
func concern(answer string) string {
	if answer = strings.ToLower(answer); answer == "behaviour" {
		return "behavior"
	}
	return answer
}

// list splits at commas.
func list(answer string) []string {
	var items []string
	for item := range strings.SplitSeq(answer, ",") {
		items = append(items, strings.TrimSpace(item))
	}
	return slices.DeleteFunc(items, func(s string) bool { return s == "" })
}

// words splits at blanks and commas.
func words(answer string) []string {
	return strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// title makes words of an id.
func title(id ID) string { return upper(strings.ReplaceAll(string(id), "-", " ")) }

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
