// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	action "github.com/switchback-project/switchback/internal/action/identity"
	"github.com/switchback-project/switchback/internal/action/tellingtest"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

// asked notes what a history is asked.
type asked struct {
	queries []string
	err     error
}

func (a *asked) Lookup(_ context.Context, _ *gate.Door, q state.Query) ([]cloudtrail.Record, []string, error) {
	a.queries = append(a.queries, fmt.Sprintf("%s %s %s key=%s resource=%s %d names, %s", q.Account, q.Region, q.EventNames[0],
		q.IssuedKeyID, q.ResourceName, len(q.EventNames), q.To.Sub(q.From)))
	return []cloudtrail.Record{{EventID: "e"}}, []string{"a gap"}, a.err
}

func TestEventHistoryIsAskedByTheRarest(t *testing.T) {
	t.Parallel()
	const global, local = "111122223333 us-east-1 ", "111122223333 eu-west-1 "
	const session, signIn = "AROA:s", "arn:aws:signin:eu-west-1:111122223333:session/1"
	for clue, want := range map[identity.Clue][]string{
		{Kind: identity.ClueKey, ID: "ASIA"}:      {local + "AssumeRole key=ASIA resource= 6 names, 1m0s", global + "AssumeRole key=ASIA resource= 6 names, 1m0s"},
		{Kind: identity.ClueSession, ID: session}: {local + "AssumeRole key= resource=AROA:s 6 names, 1m0s", global + "AssumeRole key= resource=AROA:s 6 names, 1m0s"},
		{Kind: identity.ClueShared, ID: "shared"}: {local + "AssumeRole key= resource= 2 names, 1m0s", global + "AssumeRole key= resource= 2 names, 1m0s"},
		{Kind: identity.ClueSignIn, ID: "AIDA"}:   {local + "ConsoleLogin key= resource= 1 names, 1m0s", global + "ConsoleLogin key= resource= 1 names, 1m0s"},
		{Kind: identity.ClueSignIn, ID: session}:  {local + "ConsoleLogin key= resource= 2 names, 1m0s", global + "ConsoleLogin key= resource= 2 names, 1m0s"},
		{Kind: identity.ClueSignIn, ID: signIn}:   {local + "ConsoleLogin key= resource= 3 names, 1m0s", global + "ConsoleLogin key= resource= 3 names, 1m0s"},
		{Kind: identity.ClueInstance, ID: "i-1"}:  {local + "ResumeSession key= resource=i-1 6 names, 1m0s"},
	} {
		a := &asked{}
		h := &action.EventHistory{History: a}
		clue.Account, clue.Region, clue.Since, clue.Until = "111122223333", "eu-west-1", tellingtest.Occurred, tellingtest.Occurred.Add(time.Minute)
		found, err := h.Find(t.Context(), clue)
		if diff := cmp.Diff(want, a.queries); diff != "" || err != nil {
			t.Errorf("%s %s: %v (-want +got):\n%s", clue.Kind, clue.ID, err, diff)
		}
		if len(found) != len(want) || found[0].Source != "event history" || !cmp.Equal(h.Gaps(), []string{"a gap"}) {
			t.Errorf("%s %s: found %+v, gaps %q", clue.Kind, clue.ID, found, h.Gaps())
		}
	}
}

func TestEventHistoryThatIsDownIsAGap(t *testing.T) {
	t.Parallel()
	h := &action.EventHistory{History: &asked{err: errors.New("denied\u202e")}}
	if _, err := h.Find(t.Context(), identity.Clue{Kind: identity.ClueKey}); err != nil || !strings.Contains(strings.Join(h.Gaps(), ""), "denied[U+202E]") {
		t.Errorf("gaps %q, %v", h.Gaps(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Find(ctx, identity.Clue{Kind: identity.ClueKey}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

// onlyPort is a store of sessions that knows no more than the port asks for.
type onlyPort struct{ incident.Sessions }

// Of a call across accounts the role's owner has an account and an id; the caller's copy is received too, or looked for in
// the caller's Event history.
func TestResolveAcrossAccounts(t *testing.T) {
	t.Parallel()
	const who = `{"type":"IAMUser","principalId":"AIDAALICE","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","userName":"alice"}`
	outside := strings.Replace(who, "111122223333", "444455556666", 2)
	owners := strings.Replace(strings.Replace(tellingtest.Assume, who, `{"type":"AWSAccount","principalId":"AIDAALICE","accountId":"444455556666"}`, 1),
		`"eventVersion"`, `"sharedEventID":"shared","eventVersion"`, 1)
	callers := strings.NewReplacer(who, outside, string(tellingtest.AssumeID), "callers", `"eventVersion"`, `"sharedEventID":"shared","eventVersion"`).Replace(tellingtest.Assume)
	copied, err := cloudtrail.ParseRecord([]byte(callers))
	if err != nil || owners == callers || !strings.Contains(owners, "AWSAccount") {
		t.Fatalf("%v in %s", err, callers)
	}
	for name, tt := range map[string]struct {
		received []string
		history  []cloudtrail.Record
		want     string // status, evidence, its source, what is missing
	}{
		"both received":              {[]string{owners, callers}, nil, "resolved callers sessions index []"},
		"the caller's in history":    {[]string{owners}, []cloudtrail.Record{copied}, "resolved callers event history []"},
		"the caller's copy is later": {[]string{owners}, nil, "unresolved " + string(tellingtest.AssumeID) + " sessions index [shared]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := tellingtest.New(t)
			for _, text := range tt.received {
				w.Index(t, text)
			}
			w.History = tellingtest.History{Records: tt.history}
			var out struct {
				resolved
				Missing []string `json:"missing"`
			}
			if err := w.Run(t, "identity:Resolve", "v", `{}`, &out); err != nil || len(out.Hops) != 1 {
				t.Fatalf("%+v, %v", out, err)
			}
			if got := fmt.Sprint(out.Status, " ", out.Hops[0].EventID, " ", out.Hops[0].Source, " ", out.Missing); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			w.Sessions = onlyPort{w.Sessions}
			if err := w.Run(t, "identity:Resolve", "v", `{}`, &out); err != nil || tt.history != nil && out.Status != "resolved" {
				t.Errorf("by the port alone: %+v, %v", out, err)
			}
		})
	}
}

// A job of a CI is nobody's call, but who started it may not answer for it.
func TestResolveAWorkload(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	text := strings.NewReplacer("AssumeRole\"", "AssumeRoleWithWebIdentity\"",
		`"type":"IAMUser","principalId":"AIDAALICE","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","userName":"alice"`,
		`"type":"WebIdentityUser","userName":"repo:org/app:environment:prod\u202e:actor:octocat","identityProvider":"token.example.com"`).Replace(tellingtest.Assume)
	w.Index(t, text)
	var out struct {
		resolved
		Workload identity.Workload `json:"workload"`
	}
	if err := w.Run(t, "identity:Resolve", "v", `{}`, &out); err != nil {
		t.Fatal(err)
	}
	want := identity.Workload{Provider: "token.example.com", Subject: "repo:org/app:environment:prod[U+202E]:actor:octocat", Repository: "org/app", Ref: "prod[U+202E]", Actor: "octocat"}
	if diff := cmp.Diff(want, out.Workload); diff != "" || out.Status != "service" || !w.Incident(t).IsOnChain("octocat") {
		t.Errorf("%s, (-want +got):\n%s", out.Status, diff)
	}
	entries := w.Entries(t)
	if last := entries[len(entries)-1]; !strings.Contains(last, "repository org/app, started by octocat") {
		t.Errorf("timeline %q", last)
	}
}
