// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
)

// played is the state folder of a demo, with configurations in which the operating system's user is this or that person.
type played struct {
	*testing.T
	dir, me    string
	stop       incident.ID // alice's, which changed something
	attempt    incident.ID // bob's, which did not
	configured map[string]string
}

func playDemo(t *testing.T) *played {
	t.Helper()
	u, err := user.Current()
	check(t, err)
	p := &played{T: t, dir: t.TempDir(), me: u.Username, configured: map[string]string{}}
	fine(t, "--state", p.dir, "demo", "--once", "-o", "json")
	for _, i := range incidents(t, p.as("carol")) {
		if i.Key.Outcome == incident.Attempted {
			p.attempt = i.ID
		} else {
			p.stop = i.ID
		}
	}
	return p
}

// as returns a configuration on the demo's state and sandbox in which we are the person of that name; "" is nobody.
func (p *played) as(name string) string {
	if file, ok := p.configured[name]; ok {
		return file
	}
	people := "people:\n"
	for _, person := range []string{"alice", "bob", "carol", "dave"} {
		users := "[]"
		if person == name {
			users = fmt.Sprintf("[%q]", p.me)
		}
		people += fmt.Sprintf("  - {name: %[1]s Example, email: %[1]s@example.com, principals: [%[1]s], os_users: %[2]s}\n", person, users)
	}
	at := p.TempDir()
	conf := fmt.Sprintf("state: %q\nregion: eu-west-1\naws: sandbox\nsandbox: {state: %q}\npolicy: [{mode: act}]\ndirectories: [{type: file, path: %q}]\n",
		p.dir, filepath.Join(p.dir, "sandbox-111122223333.jsonl"), writeFile(p, at, "people.yaml", people))
	p.configured[name] = writeFile(p, at, "switchback.yaml", conf)
	return p.configured[name]
}

// say answers as the person and returns what came of it.
func (p *played) say(person, verb string, id incident.ID, wantStatus int) answered {
	p.Helper()
	status, out, errOut := switchback("--config", p.as(person), "incident", verb, string(id), "-o", "json")
	if status != wantStatus {
		p.Fatalf("%s by %s: exit status %d, want %d: %s%s", verb, person, status, wantStatus, out, errOut)
	}
	var got answered
	check(p, json.Unmarshal([]byte(out), &got))
	return got
}

// TestAnswers: who may decide about an incident, and what comes of it in the account.
func TestAnswers(t *testing.T) {
	t.Parallel()
	p := playDemo(t)

	// Nobody that the directory knows, and whoever is on the chain, may only annotate.
	if got := p.say("", "ack", p.stop, exitFound); !strings.Contains(got.Refused, "does not know this user") || got.By != p.me {
		t.Errorf("an unmapped user: %+v", got)
	}
	if got := p.say("alice", "ack", p.stop, exitFound); !strings.Contains(got.Refused, "identity chain") {
		t.Errorf("alice, whose session it was: %+v", got)
	}
	if one := showIncident(t, p.as("carol"), p.stop); one.Status != incident.Open || len(answersOf(one)) != 2 {
		t.Errorf("the incident is %s with the answers %q, want it open with two", one.Status, answersOf(one))
	}

	// Taking back a restart lowers protection: somebody else must approve, and on the chain is nobody else.
	if got := p.say("carol", "undo", p.stop, exitFound); !strings.Contains(got.Refused, "second person") || len(got.Changes) != 0 {
		t.Errorf("undo by carol alone: %+v", got)
	}
	p.say("carol", "approve", p.stop, exitFound)
	p.say("alice", "approve", p.stop, exitFound)
	p.say("dave", "reject", p.stop, exitFine)
	if got := p.say("dave", "approve", p.stop, exitFound); !strings.Contains(got.Refused, "nothing waits") {
		t.Errorf("approval after the rejection: %+v", got)
	}
	p.say("carol", "undo", p.stop, exitFound)
	// One login is one person, whatever the directory calls it now.
	if got := p.say("dave", "approve", p.stop, exitFound); !strings.Contains(got.Refused, "second person") {
		t.Errorf("approval from the same login: %+v", got)
	}
	p.approveElsewhere("dave", p.stop)
	one := showIncident(t, p.as("carol"), p.stop)
	if len(one.Changes) != 1 || one.Changes[0].UndoneAt.IsZero() || one.Changes[0].UndoneBy != "carol Example, dave Example" {
		t.Errorf("changes are %+v, want one that both took back", one.Changes)
	}
	if got := p.say("carol", "undo", p.stop, exitFound); !strings.Contains(got.Refused, "nothing to undo") {
		t.Errorf("undo again: %+v", got)
	}
	// What changed nothing has nothing to take back; bob tried it, and alice is a stranger to it.
	if got := p.say("carol", "undo", p.attempt, exitFound); !strings.Contains(got.Refused, "nothing to undo") {
		t.Errorf("undo of an attempt: %+v", got)
	}
	p.say("bob", "ack", p.attempt, exitFound)
	p.say("alice", "ack", p.attempt, exitFine)

	fine(t, "--config", p.as("carol"), "incident", "ack", string(p.stop))
	if one := showIncident(t, p.as("carol"), p.stop); one.AcknowledgedBy != "carol Example" {
		t.Errorf("acknowledged by %q", one.AcknowledgedBy)
	}
	fine(t, "--state", p.dir, "ledger", "verify")
}

// approveElsewhere approves as a person with a login of their own.
func (p *played) approveElsewhere(person string, id incident.ID) {
	p.Helper()
	c, _, err := loadConfig(&grammar{Config: p.as("carol")})
	check(p, err)
	in, err := openInstallation(p.Context(), c, slog.New(slog.DiscardHandler))
	check(p, err)
	check(p, in.openDecisions(p.Context()))
	done, err := in.system.Approve(p.Context(), id, respond.Answerer{Name: person + " Example", Names: []string{person, person + "@example.com"}, IsKnown: true})
	check(p, err)
	if len(done) != 1 || done[0].Record.Action != "cloudtrail:StartLogging" || done[0].Intended {
		p.Errorf("approval took back %+v, want the restart", done)
	}
	check(p, in.close(p.Context()))
}

func answersOf(one shown) []string {
	var all []string
	for _, e := range one.Timeline {
		if e.Kind == incident.EntryAnswer {
			all = append(all, e.Text)
		}
	}
	return all
}

// TestIncidents: what people read.
func TestIncidents(t *testing.T) {
	t.Parallel()
	p := playDemo(t)
	list := fine(t, "--state", p.dir, "incident", "list")
	for _, want := range []string{"INCIDENT", string(p.stop), string(p.attempt), "critical", "attempted", "alice", "bob"} {
		if !strings.Contains(list, want) {
			t.Errorf("%q is not listed:\n%s", want, list)
		}
	}
	if out := fine(t, "--state", p.dir, "incident", "list", "--status", "closed", "-o", "json"); out != "" {
		t.Errorf("closed incidents: %s", out)
	}
	if out := fine(t, "--state", p.dir, "incident", "list", "--account", "444455556666", "-o", "json"); out != "" {
		t.Errorf("incidents of another account: %s", out)
	}
	if out := fine(t, "--state", p.dir, "incident", "list", "--limit", "1", "-o", "json"); strings.Count(out, "\n") != 1 {
		t.Errorf("the newest incident: %s", out)
	}
	show := fine(t, "--state", p.dir, "incident", "show", string(p.stop))
	for _, want := range []string{"who             alice (resolved)", "seen 1 time\n", "CloudTrail.StartLogging on main: sent"} {
		if !strings.Contains(show, want) {
			t.Errorf("%q is not shown:\n%s", want, show)
		}
	}
	for format, want := range map[string]string{"md": "# Incident report", "html": "<!DOCTYPE html>", "json": "{"} {
		if out := fine(t, "--state", p.dir, "incident", "report", string(p.stop), "--format", format); !strings.HasPrefix(strings.ToLower(out), strings.ToLower(want)) || !strings.Contains(out, "StopLogging") {
			t.Errorf("report as %s begins %.100q", format, out)
		}
	}
	status, _, errOut := switchback("--state", p.dir, "incident", "show", "nope")
	if status != exitError || !strings.Contains(errOut, "incident nope is not in "+p.dir) || !strings.Contains(errOut, "hint: switchback incident list") {
		t.Errorf("an unknown incident: exit status %d: %s", status, errOut)
	}
}

// TestNothingKept: a place where nothing is, is told; and looking makes nothing there.
func TestNothingKept(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	absent := filepath.Join(empty, "absent")
	tests := []struct {
		state string
		args  []string
		want  int
		say   string
	}{
		{empty, []string{"incident", "list"}, exitFine, "nothing is kept here yet"},
		{empty, []string{"incident", "list", "-o", "json"}, exitFine, "nothing is kept here yet"},
		{empty, []string{"incident", "show", "x"}, exitError, "nothing is kept here yet"},
		{empty, []string{"incident", "report", "x"}, exitError, "nothing is kept here yet"},
		{empty, []string{"ledger", "verify"}, exitError, "ledger: no such file"},
		{absent, []string{"incident", "list"}, exitError, "no such file"},
		{absent, []string{"incident", "ack", "x"}, exitError, "no such file"},
		{absent, []string{"deadletter", "list"}, exitError, "no such file"},
		{absent, []string{"deadletter", "redrive", "--all"}, exitError, "no such file"},
		{absent, []string{"resume"}, exitError, "no such file"},
		{absent, []string{"ledger", "verify"}, exitError, "no such file"},
	}
	for _, tt := range tests {
		status, out, errOut := switchback(append([]string{"--state", tt.state}, tt.args...)...)
		if status != tt.want || !strings.Contains(errOut, tt.say) || tt.want == exitError && !strings.Contains(errOut, "hint: ") {
			t.Errorf("%v in %s: exit status %d, want %d with %q and a hint: %s%s", tt.args, tt.state, status, tt.want, tt.say, out, errOut)
		}
	}
	entries, err := os.ReadDir(empty)
	check(t, err)
	if len(entries) != 0 {
		t.Errorf("looking made %v", entries)
	}
}
