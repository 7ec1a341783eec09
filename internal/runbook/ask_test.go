// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/switchback-project/switchback/internal/runbook"
)

var update = flag.Bool("update", false, "write what came of the tests into their golden files")

const golden = "testdata/new.txtar"

// filesOf makes the folder of the answers.
func filesOf(id runbook.ID, a runbook.Answers) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, f := range a.Files() {
		fsys[path.Join(string(id), f.Name)] = &fstest.MapFile{Data: f.Data}
	}
	return fsys
}

func TestAskGolden(t *testing.T) {
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(text)
	var dialogue bytes.Buffer
	answers, err := runbook.Ask("guardduty-off", bytes.NewReader(archive.Files[0].Data), &dialogue, catalog{})
	if err != nil {
		t.Fatalf("%v\n%s", err, &dialogue)
	}
	got := &txtar.Archive{Comment: archive.Comment, Files: []txtar.File{archive.Files[0], {Name: "dialogue.txt", Data: dialogue.Bytes()}}}
	for _, f := range answers.Files() {
		data := f.Data
		if strings.HasSuffix(f.Name, ".txtar") {
			data = []byte(strings.ReplaceAll("\n"+string(data), "\n-- ", "\n| -- ")[1:]) // an archive in an archive
		}
		got.Files = append(got.Files, txtar.File{Name: f.Name, Data: data})
	}
	if *update {
		if err := os.WriteFile(golden, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(text), string(txtar.Format(got))); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

var fine = []string{
	"A trail that is off is on again within 30 s.", "configuration", "cloudtrail event", "all", "30s 2m 10m", "eventbridge",
	`{"source": ["aws.cloudtrail"]}`, "A stopped trail is on again.", "always",
}

func TestAskMakesARunbookThatChecks(t *testing.T) {
	in := strings.NewReader(strings.Join(fine, "\n")) // no newline at the end
	answers, err := runbook.Ask("trail-off", in, io.Discard, catalog{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := runbook.Load(filesOf("trail-off", answers), "trail-off")
	if err != nil {
		t.Fatal(err)
	}
	if problems := r.Check(catalog{}); len(problems) > 0 {
		t.Error(problems)
	}
	if diff := cmp.Diff([]string{"identity:Extract", "notify:Send", "report:Write"}, r.Actions()); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	var parts []string
	for _, f := range txtar.Parse(r.Scenarios["first"]).Files {
		parts = append(parts, f.Name)
	}
	if diff := cmp.Diff([]string{"scenario.yaml", "want.txt"}, parts); diff != "" {
		t.Errorf("scenario (-want +got):\n%s", diff)
	}
}

func TestAskEndsEarly(t *testing.T) {
	names := []string{"expressed objective", "concern", "evidence", "ownership", "performance", "mechanisms", "objective in code", "done", "human"}
	for i, name := range names {
		in := strings.NewReader(strings.Join(fine[:i], "\n") + "\n")
		if i == 0 {
			in = strings.NewReader("")
		}
		answers, err := runbook.Ask("trail-off", in, io.Discard, catalog{})
		want := "make runbook trail-off: question " + string(rune('1'+i)) + " (" + name + ") is not answered"
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), want) || answers.ID != "" {
			t.Errorf("after %d answers: %v, want %s", i, err, want)
		}
	}
	_, err := runbook.Ask("trail-off", strings.NewReader("soon\n"), io.Discard, catalog{})
	if err == nil || !strings.Contains(err.Error(), "cannot be tested") {
		t.Errorf("the last refusal is not named: %v", err)
	}
	cut := append(slices.Clone(fine[:6]), `{"source": [`)
	if _, err := runbook.Ask("trail-off", strings.NewReader(strings.Join(cut, "\n")), io.Discard, catalog{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a pattern that is cut short: %v", err)
	}
}

func TestAskGivesUpOnAPatternAtAnEmptyLine(t *testing.T) {
	lines := append(slices.Clone(fine[:6]), `{"source": [`, "", fine[6], fine[7], fine[8])
	var out bytes.Buffer
	answers, err := runbook.Ask("trail-off", strings.NewReader(strings.Join(lines, "\n")), &out, catalog{})
	if err != nil || string(answers.Triggers[0].Pattern) != `{"source":["aws.cloudtrail"]}` || !strings.Contains(out.String(), "Refused: not JSON") {
		t.Errorf("error %v, answers %+v\n%s", err, answers, &out)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAskReportsWhatBreaks(t *testing.T) {
	all := strings.Join(fine, "\n")
	broken := errors.New("device gone")
	if _, err := runbook.Ask("trail-off", iotest.ErrReader(broken), io.Discard, catalog{}); !errors.Is(err, broken) {
		t.Errorf("a broken input: %v", err)
	}
	if _, err := runbook.Ask("trail-off", strings.NewReader(all), brokenWriter{}, catalog{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a broken output: %v", err)
	}
	for _, id := range []runbook.ID{"", "Trail", "a b", "../x", "-x"} {
		if _, err := runbook.Ask(id, strings.NewReader(all), io.Discard, catalog{}); err == nil || !strings.Contains(err.Error(), "not kebab-case") {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

// FuzzAsk: whatever is answered, the files say the same, and Check finds nothing wrong with them.
func FuzzAsk(f *testing.F) {
	f.Add(fine[0], fine[6], fine[7])
	f.Add("# back: in 3 days - \"or\" 'so' {x} [y]", `{"detail":{"eventName":["a","b: c"," # d"]}}`, "yes: it is there # again")
	f.Add("5 min\t\x1b[31m é 😀 \u2028", `{"a":["\u00e9\ud83d\ude00"]}`, "- a b c")
	f.Add(strings.Repeat("wide ", 60)+"1 h", `{"a":[{"numeric":["<",1e3]}]}`, "|- > & * ! % @ `")
	f.Add("--- 1s\n-- x --", `{"detail":{"eventName":["%TAG","-- want.txt --"]}}`, "-- want.txt --")
	f.Fuzz(func(t *testing.T, objective, pattern, first string) {
		lines := slices.Clone(fine)
		lines[0], lines[6], lines[7] = objective, pattern, first
		answers, err := runbook.Ask("trail-off", strings.NewReader(strings.Join(lines, "\n")), io.Discard, catalog{})
		if err != nil {
			return // refused
		}
		r, err := runbook.Load(filesOf("trail-off", answers), "trail-off")
		if err != nil {
			t.Fatalf("%v\n%s", err, answers.Files()[0].Data)
		}
		if problems := r.Check(catalog{}); len(problems) > 0 {
			t.Errorf("%v\n%s", problems, answers.Files()[0].Data)
		}
		want := answers.Manifest
		want.Objective = strings.Join(strings.Fields(want.Objective), " ") + "\n"
		r.Manifest.Human.Approve = nil
		if diff := cmp.Diff(want, r.Manifest, cmp.Transformer("pattern", func(p runbook.Pattern) any { return valueOf(p) })); diff != "" {
			t.Errorf("manifest (-want +got):\n%s\n%s", diff, answers.Files()[0].Data)
		}
		if parts := txtar.Parse(r.Scenarios["first"]).Files; len(parts) != 2 || parts[0].Name != "scenario.yaml" || parts[1].Name != "want.txt" {
			t.Errorf("scenario:\n%s", r.Scenarios["first"])
		}
	})
}
