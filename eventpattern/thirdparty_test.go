// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/eventpattern"
	"github.com/switchback-project/switchback/internal/conformancetest"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

// recording is a pattern, an event, and what AWS or event-ruler said about them.
type recording struct {
	Name           string
	Pattern, Event json.RawMessage
	Expected       string
	AWSError       *struct{ Message string } `json:"aws_error"`
}

// verdict matches in all three ways, which must agree.
func verdict(t *testing.T, pattern, event []byte) (string, error) {
	t.Helper()
	p, err := eventpattern.Compile(pattern)
	if err != nil {
		return "invalid", err
	}
	matched, err := p.Match(event)
	if err != nil {
		t.Fatal(err)
	}
	e, err := eventpattern.ParseEvent(event)
	if err != nil {
		t.Fatal(err)
	}
	var set eventpattern.Set[string]
	set.Add("it", p)
	keys, err := set.MatchJSON(event)
	if err != nil {
		t.Fatal(err)
	}
	if other := p.MatchEvent(e); other != matched || (len(keys) == 1) != matched || (len(set.Match(e)) == 1) != matched {
		t.Errorf("Match says %v, MatchEvent %v, Set.MatchJSON %v, Set.Match %v", matched, other, keys, set.Match(e))
	}
	if matched {
		return "match", nil
	}
	return "nomatch", nil
}

// TestConformance compares the verdicts of AWS, with its reasons, and those of event-ruler with ours.
func TestConformance(t *testing.T) {
	compare(t, "eventbridge-patterns/cases.dev.jsonl", 78)
	compare(t, "event-ruler/correctness-with-verdicts.jsonl", 51)
}

func compare(t *testing.T, file string, cases int) {
	tally := conformancetest.NewTally(t, file, cases, "")
	for _, r := range conformancetest.ReadLines[recording](t, thirdparty.Path(t, file)) {
		got, err := verdict(t, r.Pattern, r.Event)
		tally.Add(r.Name, r.diff(got, err))
	}
	tally.Finish()
}

// diff returns where our verdict and reason differ.
func (r recording) diff(got string, reason error) string {
	if got != r.Expected {
		return fmt.Sprintf("%s, want %s (%v)\npattern %s\nevent %s", got, r.Expected, reason, r.Pattern, r.Event)
	}
	if r.AWSError == nil || got != "invalid" {
		return ""
	}
	var invalid *eventpattern.InvalidError
	if !errors.As(reason, &invalid) {
		return fmt.Sprintf("error %v is no InvalidError", reason)
	}
	if want, _, _ := strings.Cut(r.AWSError.Message, "\n"); reason.Error() != want {
		return fmt.Sprintf("error %q, AWS says %q", reason, want)
	}
	return ""
}
