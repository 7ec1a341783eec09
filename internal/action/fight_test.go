// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sqlite"
)

func openStore(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// The wait begins with the third restore, grows, and is never longer than 30 s; only others of the same resource within
// the window count.
func TestFight(t *testing.T) {
	const resource = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	db := openStore(t)
	record := func(resource, execution string, ago time.Duration) {
		t.Helper()
		if err := db.RecordRestore(t.Context(), incident.Restore{Resource: resource, Execution: execution, At: now.Add(-ago)}); err != nil {
			t.Fatal(err)
		}
	}
	record(resource, "too long ago", 10*time.Minute+time.Second)
	record(resource, "this one", 0)
	record(resource+"-2", "another", 0)
	env := &action.Env{
		Services: action.Services{Clock: func() time.Time { return now }, Restores: db},
		Incident: incident.Incident{ID: "1"}, Task: action.Task{Execution: "this one"},
	}
	for n, want := range []time.Duration{0, 0, 2, 4, 8, 16, 30, 30, 30} {
		f, err := env.Fight(t.Context(), resource)
		if err != nil || f.Restores != n || f.BackOff != want*time.Second {
			t.Errorf("after %d restores: %+v, %v, want %s", n, f, err, want*time.Second)
		}
		record(resource, fmt.Sprint(n), time.Minute)
	}
	env.FightWindow = 30 * time.Second
	if f, err := env.Fight(t.Context(), resource); err != nil || f.BackOff != 0 {
		t.Errorf("in a shorter window: %+v, %v", f, err)
	}
}

// A pipeline is recognised by what the holder of its role cannot choose.
func TestPipelineOf(t *testing.T) {
	const (
		role     = "arn:aws:iam::111122223333:role/ci/Deploy"
		provider = "arn:aws:iam::111122223333:oidc-provider/token.example.com"
		subject  = "repo:example/infrastructure:ref:refs/heads/main"
	)
	db := openStore(t)
	issue := func(key, name, provider, subject string) {
		t.Helper()
		record := fmt.Sprintf(`{"eventID":%[1]q,"eventTime":"2026-05-04T09:00:00Z","eventSource":"sts.amazonaws.com","eventName":%[2]q,
			"userIdentity":{"type":"WebIdentityUser","userName":%[4]q,"identityProvider":%[3]q},
			"responseElements":{"credentials":{"accessKeyId":%[1]q},"assumedRoleUser":{"assumedRoleId":"AROAEXAMPLE:ci"}}}`, key, name, provider, subject)
		err := db.PutIssued(t.Context(), incident.IssuedSession{
			AccessKeyID: key, SessionID: "AROAEXAMPLE:ci", EventID: cloudtrail.EventID(key), Record: json.RawMessage(record),
			IssuedAt: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2036, 5, 4, 9, 0, 0, 0, time.UTC),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	issue("ASIAGOODEXAMPLE", "AssumeRoleWithWebIdentity", provider, subject)
	issue("ASIABRANCHEXAMPLE", "AssumeRoleWithWebIdentity", provider, "repo:example/infrastructure:ref:refs/heads/evil")
	issue("ASIAPROVIDEREXAMPLE", "AssumeRoleWithWebIdentity", provider+".evil", subject)
	issue("ASIAASSUMEDEXAMPLE", "AssumeRole", provider, subject)

	oidc := action.Pipeline{Name: "oidc", Role: role, Provider: provider, Subject: subject}
	source := action.Pipeline{Name: "source", Role: role, SourceIdentity: "deployer"}
	for name, tt := range map[string]struct {
		pipeline           action.Pipeline
		role, key, session string
		want               bool
	}{
		"its subject":                 {oidc, role, "ASIAGOODEXAMPLE", "", true},
		"another branch":              {oidc, role, "ASIABRANCHEXAMPLE", "", false},
		"another provider":            {oidc, role, "ASIAPROVIDEREXAMPLE", "", false},
		"no web identity":             {oidc, role, "ASIAASSUMEDEXAMPLE", "", false},
		"a session that nobody saw":   {oidc, role, "ASIAUNKNOWNEXAMPLE", "", false},
		"no key":                      {oidc, role, "", "", false},
		"another role":                {oidc, "arn:aws:iam::111122223333:role/Deploy", "ASIAGOODEXAMPLE", "", false},
		"its source identity":         {source, role, "ASIAUNKNOWNEXAMPLE", "deployer", true},
		"another source identity":     {source, role, "ASIAUNKNOWNEXAMPLE", "mallory", false},
		"no source identity":          {source, role, "ASIAUNKNOWNEXAMPLE", "", false},
		"subject and source identity": {action.Pipeline{Name: "both", Role: role, Provider: provider, Subject: subject, SourceIdentity: "deployer"}, role, "ASIAGOODEXAMPLE", "mallory", false},
		"only a role":                 {action.Pipeline{Name: "role", Role: role}, role, "ASIAGOODEXAMPLE", "deployer", false},
		"a subject of any provider":   {action.Pipeline{Name: "any", Role: role, Subject: subject}, role, "ASIAGOODEXAMPLE", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			raw := fmt.Sprintf(`{"eventID":"e","eventTime":"2026-05-04T09:10:00Z","eventSource":"cloudtrail.amazonaws.com","eventName":"AddTags",
				"userAgent":"APN/1.0 HashiCorp/1.0 Terraform/1.9.5","userIdentity":{"type":"AssumedRole","accessKeyId":%q,"principalId":"AROAEXAMPLE:ci",
				"arn":"arn:aws:sts::111122223333:assumed-role/Deploy/ci","sessionContext":{"sourceIdentity":%q,"sessionIssuer":{"type":"Role","arn":%q}}}}`, tt.key, tt.session, tt.role)
			r, err := cloudtrail.ParseRecord([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			env := &action.Env{Services: action.Services{Sessions: db, Pipelines: []action.Pipeline{tt.pipeline}}}
			p, ok, err := env.PipelineOf(t.Context(), r)
			if err != nil || ok != tt.want || ok && p.Name != tt.pipeline.Name {
				t.Errorf("pipeline %q, %t, %v, want %t", p.Name, ok, err, tt.want)
			}
		})
	}
}
