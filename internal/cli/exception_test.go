// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
)

// plan runs a command about exceptions as the person.
func (p *played) plan(person string, wantStatus int, args ...string) exceptionShown {
	p.Helper()
	status, out, errOut := switchback(append(append([]string{"--config", p.as(person), "exception"}, args...), "-o", "json")...)
	if status != wantStatus {
		p.Fatalf("%v by %s: exit status %d, want %d: %s%s", args, person, status, wantStatus, out, errOut)
	}
	var got exceptionShown
	if out != "" {
		check(p, json.Unmarshal([]byte(out), &got))
	}
	return got
}

// TestExceptions: who may plan a change, and that one person alone cannot.
func TestExceptions(t *testing.T) {
	t.Parallel()
	p := playDemo(t)
	add := func(principal string) []string {
		return []string{
			"add", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", "--event", "UpdateTrail", "--field", "KmsKeyId",
			"--principal", "arn:aws:iam::111122223333:" + principal, "--for", "1h", "--ticket", "<b>CHG-1",
		}
	}
	for person, why := range map[string]string{"alice": "identity chain", "bob": "identity chain", "": "does not know this user"} {
		if got := p.plan(person, exitFound, add("user/carol")...); !strings.Contains(got.Refused, why) {
			t.Errorf("added by %q: %+v, want it refused: %s", person, got, why)
		}
	}
	if got := p.plan("carol", exitFound, add("user/alice")...); !strings.Contains(got.Refused, "identity chain") {
		t.Errorf("for somebody on an open chain: %+v", got)
	}
	x := p.plan("carol", exitFine, add("user/carol")...)
	if x.Status != incident.ExceptionPending || x.AddedBy != "carol Example" || x.ApprovedBy != "" {
		t.Errorf("added: %+v", x)
	}
	// One login is one person, whatever the directory calls it now.
	for _, person := range []string{"carol", "dave"} {
		if got := p.plan(person, exitFound, "approve", x.ID); !strings.Contains(got.Refused, "second person") {
			t.Errorf("approved by %s: %+v", person, got)
		}
	}
	if got := p.plan("alice", exitFound, "approve", x.ID); got.Refused == "" {
		t.Errorf("approved by alice: %+v", got)
	}
	p.approveException("dave", x.ID)
	if got := p.plan("carol", exitFine, "list"); got.Status != incident.ExceptionActive || got.ApprovedBy != "dave Example" {
		t.Errorf("listed: %+v", got)
	}
	if got := p.plan("carol", exitFine, "end", x.ID); got.Status != incident.ExceptionOver || got.EndedBy != "carol Example" {
		t.Errorf("ended: %+v", got)
	}
	if got := p.plan("carol", exitFound, "end", x.ID); got.Refused == "" {
		t.Errorf("ended again: %+v", got)
	}
	if out := fine(t, "--config", p.as("carol"), "exception", "list"); out != "" {
		t.Errorf("what is over is listed: %s", out)
	}
	if out := fine(t, "--config", p.as("carol"), "exception", "list", "--all"); !strings.Contains(out, x.ID+"  over") || !strings.Contains(out, "approved by dave Example") {
		t.Errorf("all: %s", out)
	}
	fine(t, "--state", p.dir, "ledger", "verify")
}

// approveException approves as a person with a login of their own.
func (p *played) approveException(person, id string) {
	p.Helper()
	c, _, err := loadConfig(&grammar{Config: p.as("carol")})
	check(p, err)
	in, err := openInstallation(p.Context(), c, slog.New(slog.DiscardHandler))
	check(p, err)
	check(p, in.openDecisions(p.Context()))
	_, _, err = in.system.ApproveException(p.Context(), id, respond.Answerer{Name: person + " Example", Names: []string{person, person + "@example.com"}, IsKnown: true})
	check(p, err)
	check(p, in.close(p.Context()))
}
