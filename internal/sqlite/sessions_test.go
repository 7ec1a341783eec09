// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sqlite"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// issued is the n-th of many records, as long as AWS's are, with a session token: AssumeRole, of which every tenth is the
// role owner's copy of a call across accounts, and every tenth a console sign-in.
func issued(n int) []byte {
	template, caller, shared := assume, `{"type":"IAMUser","principalId":"AIDA$user","arn":"arn:aws:iam::111122223333:user/u$user","accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"u$user"}`, ""
	switch n % 10 {
	case 0:
		caller, shared = `{"type":"AWSAccount","principalId":"AIDA$user","accountId":"444455556666"}`, `"sharedEventID":"$scattered-shared",`
	case 1:
		template = signIn
	}
	at := noon.Add(time.Duration(n) * 10 * time.Millisecond)
	text := strings.NewReplacer("$caller", caller, "$shared", shared).Replace(template)
	return []byte(strings.NewReplacer(
		"$user", fmt.Sprint(n%500), "$role", fmt.Sprint(n%200), "$session", fmt.Sprint(n%5000), "$id", fmt.Sprintf("%08x-0000-4000-8000", n),
		// as far from each other as AWS's ids are
		"$scattered", fmt.Sprintf("%016X", uint64(n+1)*0x9E3779B97F4A7C15),
		"$at", at.Format(time.RFC3339), "$expires", at.Add(time.Hour).Format("Jan 2, 2006, 3:04:05 PM"), "$token", token,
	).Replace(text))
}

const (
	assume = `{"eventVersion":"1.11","userIdentity":$caller,"eventTime":"$at","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","awsRegion":"eu-west-1",
"sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.17.60 md/command#sts.assume-role",
"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/path/Deploy$role","roleSessionName":"session-$session","durationSeconds":3600},
"responseElements":{"credentials":{"accessKeyId":"ASIA$scattered","sessionToken":"$token","expiration":"$expires"},
"assumedRoleUser":{"assumedRoleId":"AROA$role:session-$session","arn":"arn:aws:sts::111122223333:assumed-role/Deploy$role/session-$session"}},
"requestID":"$id-000000000001","eventID":"$id-000000000000",$shared"readOnly":true,
"resources":[{"accountId":"111122223333","type":"AWS::IAM::Role","ARN":"arn:aws:iam::111122223333:role/path/Deploy$role"}],
"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`
	signIn = `{"eventVersion":"1.11","eventID":"$id-000000000000","eventName":"ConsoleLogin","eventType":"AwsConsoleSignIn",
"eventSource":"signin.amazonaws.com","eventTime":"$at","awsRegion":"eu-west-1","recipientAccountId":"111122223333","responseElements":{"ConsoleLogin":"Success"},
"userIdentity":{"type":"IAMUser","principalId":"AIDA$scattered","arn":"arn:aws:iam::111122223333:user/u$user","accountId":"111122223333","userName":"u$user",
"sessionContext":{"signInSessionArn":"arn:aws:signin:eu-west-1:111122223333:session/$id-000000000000"}}}`
)

var token = strings.Repeat("IQoJb3JpZ2luX2VjEXAMPLE", 40)

func parse(t testing.TB, text []byte) cloudtrail.Record {
	t.Helper()
	r, err := cloudtrail.ParseRecord(text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

// The database answers as memory does: shuffled, twice, in batches of any size, over a restart.
func TestSessionsAnswerAsMemoryDoes(t *testing.T) {
	path := fresh(t)
	db, memory := open(t, path, sqlite.Options{}), &identity.Memory{}
	var records []cloudtrail.Record
	for n := range 1200 {
		records = append(records, parse(t, issued(n)))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	records = append(records, records[:300]...)
	rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	for rest := records; len(rest) > 0; {
		size := min(len(rest), 1+rng.IntN(700))
		if err := db.SessionIndex().Put(t.Context(), rest[:size]...); err != nil {
			t.Fatal(err)
		}
		if err := memory.Put(t.Context(), rest[:size]...); err != nil {
			t.Fatal(err)
		}
		rest = rest[size:]
	}
	index, searched := open(t, path, sqlite.Options{}).SessionIndex(), 0
	for _, r := range records {
		issue, ok := identity.IssueOf(r)
		if !ok {
			t.Fatalf("%s issues nothing", r.EventID)
		}
		for _, clue := range cluesOf(issue) {
			searched++
			if got, want := found(t, index, clue), found(t, memory, clue); len(got) == 0 || !slices.Equal(got, want) {
				t.Fatalf("%+v: got %v, want %v", clue, got, want)
			}
		}
	}
	callers, asked := 0, map[string]bool{}
	for _, r := range records {
		issue, _ := identity.IssueOf(r)
		if asked[issue.CallerID()] {
			continue
		}
		asked[issue.CallerID()] = true
		for _, since := range []time.Time{{}, issue.IssuedAt} {
			got, want := issuedTo(t, index, issue.CallerID(), since), issuedTo(t, memory, issue.CallerID(), since)
			if !slices.Equal(got, want) || issue.CallerID() != "" && len(got) == 0 {
				t.Fatalf("issued to %q since %s: got %v, want %v", issue.CallerID(), since, got, want)
			}
			callers += len(got)
		}
	}
	if callers < 1200 {
		t.Errorf("only %d events lead forward", callers)
	}
	if searched < 2500 {
		t.Errorf("only %d searches", searched)
	}
	if got := found(t, index, identity.Clue{Kind: identity.ClueKey, ID: "ASIANONE"}); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

// issuedTo lists what Branches lead to, sorted: memory and database order events of one second differently.
func issuedTo(t *testing.T, index identity.Index, caller string, since time.Time) []cloudtrail.EventID {
	t.Helper()
	all, err := index.(identity.Branches).IssuedTo(t.Context(), caller, since)
	if err != nil {
		t.Fatal(err)
	}
	var ids []cloudtrail.EventID
	for _, f := range all {
		ids = append(ids, f.Record.EventID)
	}
	slices.Sort(ids)
	return ids
}

// cluesOf are those that lead to i, within the second of its event.
func cluesOf(i identity.Issue) []identity.Clue {
	var clues []identity.Clue
	kind := identity.ClueSession
	if i.IsSignIn {
		kind = identity.ClueSignIn
	}
	for _, c := range []identity.Clue{
		{Kind: identity.ClueKey, ID: i.AccessKeyID}, {Kind: kind, ID: i.SessionID}, {Kind: identity.ClueShared, ID: i.SharedID}, {Kind: identity.ClueSignIn, ID: i.SignInARN},
	} {
		if c.Since, c.Until = i.IssuedAt, i.IssuedAt; c.ID != "" {
			clues = append(clues, c)
		}
	}
	return clues
}

// found lists the ids of the events within the clue's time, checking that each is whole and without secrets.
func found(t *testing.T, index identity.Index, c identity.Clue) []cloudtrail.EventID {
	t.Helper()
	all, err := index.Find(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var ids []cloudtrail.EventID
	for _, f := range all {
		if f.Record.EventTime.Before(c.Since) || f.Record.EventTime.After(c.Until) {
			continue // memory does not search by time
		}
		if _, ok := identity.IssueOf(f.Record); !ok || strings.Contains(string(f.Record.ResponseElements), token) {
			t.Fatalf("found %s", f.Record.Raw)
		}
		ids = append(ids, f.Record.EventID)
	}
	slices.Sort(ids)
	return ids
}

func TestSessionsArePrunedAfterTheLongestChain(t *testing.T) {
	index := open(t, fresh(t), sqlite.Options{}).SessionIndex()
	var records []cloudtrail.Record
	for n := range 1100 { // of which some wait for the next round
		records = append(records, parse(t, issued(10*n+2)))
	}
	if err := index.Put(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	last, _ := identity.IssueOf(records[1099])
	for _, tt := range []struct {
		now  time.Time
		want int
	}{{last.ExpiresAt, 1100}, {last.ExpiresAt.Add(identity.KeepFor), 10}, {last.ExpiresAt.Add(identity.KeepFor + time.Second), 0}} {
		if err := index.Prune(t.Context(), tt.now); err != nil {
			t.Fatal(err)
		}
		kept := 0
		for n := range records {
			issue, _ := identity.IssueOf(records[n])
			kept += len(found(t, index, cluesOf(issue)[0]))
		}
		if kept != tt.want {
			t.Errorf("at %s: %d kept, want %d", tt.now, kept, tt.want)
		}
	}
}

// What the pipeline puts in is found by the shared id, too, and what an attacker wrote is bounded.
func TestSessionsOfThePipeline(t *testing.T) {
	db := open(t, fresh(t), sqlite.Options{})
	r := parse(t, issued(10))
	issue, _ := identity.IssueOf(r)
	long := strings.Repeat("a", 100_000)
	for _, s := range []incident.IssuedSession{
		{AccessKeyID: issue.AccessKeyID, SessionID: issue.SessionID, EventID: r.EventID, IssuedAt: issue.IssuedAt, ExpiresAt: issue.ExpiresAt, Record: cloudtrail.Redacted(r.Raw)},
		{AccessKeyID: "ASIALONG", SessionID: "AROA:" + long, EventID: "long", IssuedAt: noon, ExpiresAt: noon, Record: json.RawMessage(`{"eventName":"AssumeRole"}`)},
	} {
		if err := db.PutIssued(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for _, clue := range cluesOf(issue) {
		if got := found(t, db.SessionIndex(), clue); len(got) != 1 || got[0] != r.EventID {
			t.Errorf("%+v: found %v", clue, got)
		}
	}
	for id, want := range map[string]int{"ASIALONG": 1, "AROA:" + long: 0} {
		if got, err := db.IssuedBy(t.Context(), id); err != nil || len(got) != want {
			t.Errorf("%.20s: %d, %v, want %d", id, len(got), err, want)
		}
	}
}

// A file of the version before knows no shared ids; they are read out of its records.
func TestSessionsOfAnOlderFile(t *testing.T) {
	path := fresh(t)
	db := open(t, path, sqlite.Options{})
	r := parse(t, issued(10))
	if err := db.SessionIndex().Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(incident.IssuedSession{EventID: r.EventID, Record: cloudtrail.Redacted(r.Raw)})
	if err != nil {
		t.Fatal(err)
	}
	issue, _ := identity.IssueOf(r)
	change(t, path, `DROP TABLE issues; DROP TABLE issue_ids; DROP TABLE exceptions; DROP TABLE restores; DROP TABLE heard; DROP TABLE blind_windows; DROP TABLE answers; DROP TABLE links; PRAGMA user_version = 1;
		CREATE TABLE sessions (id INTEGER PRIMARY KEY, access_key TEXT, session TEXT, event TEXT, issued_at INTEGER, expires_at INTEGER, doc BLOB)`,
		fmt.Sprintf(`INSERT INTO sessions VALUES (7, '%s', '%s', '%s', %d, %d, CAST('%s' AS BLOB))`, issue.AccessKeyID, issue.SessionID, r.EventID,
			issue.IssuedAt.UnixNano(), issue.ExpiresAt.UnixNano(), doc))
	index := open(t, path, sqlite.Options{}).SessionIndex()
	for _, clue := range cluesOf(issue) {
		if got := found(t, index, clue); len(got) != 1 {
			t.Errorf("%+v: found %v", clue, got)
		}
	}
}
