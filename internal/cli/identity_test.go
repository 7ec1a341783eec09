// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

// The third party's 48 links come out exactly; sessions whose issuing event is not among the recordings stay unresolved.
func TestIdentityResolveStratus(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	status := Main([]string{"identity", "resolve", thirdparty.Path(t, "stratus/raw"), "--all", "--output", "json"}, strings.NewReader(""), &out, &errOut)
	if status != exitFine || errOut.Len() > 0 {
		t.Fatalf("exit status %d: %s", status, errOut.String())
	}
	truth, err := os.Open(thirdparty.Path(t, "stratus/identity-truth.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer truth.Close()
	type link struct {
		EventID   string   `json:"eventID"`
		IssuedBy  []string `json:"issued_by_eventID"`
		EventName string   `json:"issued_by_eventName"`
		Caller    string   `json:"caller"`
	}
	want := map[string]link{}
	for s := bufio.NewScanner(truth); s.Scan(); {
		var l link
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		want[l.EventID] = l
	}
	got, unresolved := map[string]link{}, 0
	for line := range strings.Lines(out.String()) {
		var l resolvedLine
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if l.Status == "unresolved" && l.Human == "" && len(l.Chain) == 0 {
			unresolved++
			continue
		}
		if l.Status != "resolved" || l.Human == "" || len(l.Chain) != 1 {
			t.Errorf("line %s", line)
			continue
		}
		hop := l.Chain[0]
		got[l.EventID] = link{l.EventID, []string{string(hop.EventID)}, hop.EventName, hop.Caller}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 48 || unresolved != 21 {
		t.Errorf("%d links, %d unresolved, (-want +got):\n%s", len(want), unresolved, diff)
	}
}

// Event history is read, and asked again for what the last events lack.
func TestIdentityResolveEventHistory(t *testing.T) {
	t.Parallel()
	box, err := sandbox.New(sandbox.Options{})
	check(t, err)
	account, err := box.Seed(t.Context(), sandbox.Seed{Region: "eu-west-1"})
	check(t, err)
	as := func(key string) gate.Request {
		return gate.Request{Account: account.Account, Region: account.Region, AccessKeyID: key, UserAgent: "aws-cli/2.17.60"}
	}
	out, err := box.Invoke(t.Context(), "STS.AssumeRole", json.RawMessage(`{"RoleArn":"`+account.RoleARN+`","RoleSessionName":"session"}`), as(account.AccessKeys["alice"]))
	check(t, err)
	var assumed struct{ Credentials struct{ AccessKeyID string } }
	check(t, json.Unmarshal(out, &assumed))
	_, err = box.Invoke(t.Context(), "STS.GetCallerIdentity", nil, as(assumed.Credentials.AccessKeyID))
	check(t, err)

	var text, errOut bytes.Buffer
	s := &streams{in: strings.NewReader(""), out: &text, err: &errOut}
	command := &identityResolveCommand{Paths: []string{fromAWS}, All: true}
	r := &resolving{
		command: command, progress: newProgress(s), seen: map[cloudtrail.EventID]bool{}, memory: &identity.Memory{Source: fromInput},
		installation: &installation{config: config{Region: "eu-west-1"}, clock: time.Now, extra: overrides{backend: box}},
	}
	check(t, r.read(t.Context(), s.in))
	r.memory = &identity.Memory{} // what was read lacks the call that issued the session
	check(t, r.print(t.Context(), s.out))
	if !strings.Contains(text.String(), ": alice\n    AssumeRole ") || !strings.Contains(text.String(), "(key, event history)") {
		t.Errorf("printed %s", text.String())
	}
}
