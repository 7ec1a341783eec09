// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/iam" // what is to wait
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/runbook"
)

// A containment is planned, and then waits for a person, although the policy lets everything else act.
func TestContainmentWaitsForApproval(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	books, err := runbook.LoadAll(fstest.MapFS{
		"contain/runbook.yaml": {Data: []byte("id: contain\ntitle: Contains\nseverity: high\nobjective: It contains within 1 s.\ntriggers:\n  - name: stopped\n    pattern: {\"source\": [\"aws.cloudtrail\"], \"detail\": {\"eventName\": [\"StopLogging\"]}}\n")},
		"contain/guide.md":     {Data: []byte("# Guide\n")},
		"contain/state-machine.asl.json": {Data: []byte(`{"StartAt":"Plan","States":{
			"Plan":{"Type":"Task","Resource":"switchback:iam:PlanContainment","Parameters":{},"ResultPath":"$.plan","Next":"Contain"},
			"Contain":{"Type":"Task","Resource":"switchback:iam:ContainSession","Parameters":{"plan.$":"$.plan"},"End":true}}}`)},
	})
	p.check(err)
	p.system.Engine.Close()
	p.books = books
	p.open(p.db.Executions())
	raw, err := p.invoke("IAM.GetUser", `{"UserName":"alice"}`)
	p.check(err)
	var alice struct {
		User struct {
			ID string `json:"UserId"`
		}
	}
	p.check(json.Unmarshal(raw, &alice))
	p.check(p.system.Handle(t.Context(), p.event("a", map[string]any{"userIdentity": map[string]any{
		"type": "IAMUser", "principalId": alice.User.ID, "arn": "arn:aws:iam::" + p.seeded.Account + ":user/alice", "accountId": p.seeded.Account,
		"userName": "alice", "accessKeyId": p.seeded.AccessKeys["alice"],
	}})))
	p.settle()
	inc := p.only()
	if len(inc.Open) == 0 || !strings.Contains(inc.Open[0], action.ErrorApprovalRequired) {
		t.Errorf("open is %q, want it to wait for approval", inc.Open)
	}
	if got := strings.Join(p.timeline(inc.ID, incident.EntryDecision), "\n"); !strings.Contains(got, "needs approval") {
		t.Errorf("the timeline says %s", got)
	}
	raw, err = p.invoke("IAM.ListAccessKeys", `{"UserName":"alice"}`)
	p.check(err)
	if !strings.Contains(string(raw), "Active") || strings.Contains(string(raw), "Inactive") {
		t.Errorf("the key was touched: %s", raw)
	}
}

func (p *pipeline) invoke(operation, input string) (json.RawMessage, error) {
	return p.box.Invoke(p.Context(), operation, json.RawMessage(input), gate.Request{
		Account: p.seeded.Account, Region: region, AccessKeyID: p.seeded.AccessKeys["bob"], RequestID: "look",
	})
}
