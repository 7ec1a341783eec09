// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package securityhub_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/securityhub"
)

const taken = `{"SuccessCount":1,"FailedCount":0,"FailedFindings":[]}`

var closedAt = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// finding is a finding as Security Hub reads it.
type finding struct {
	ID            string `json:"Id"`
	AwsAccountID  string `json:"AwsAccountId"`
	ProductARN    string `json:"ProductArn"`
	SchemaVersion string
	GeneratorID   string `json:"GeneratorId"`
	Title         string
	Description   string
	CreatedAt     string
	UpdatedAt     string
	RecordState   string
	Types         []string
	Severity      struct{ Label string }
	Resources     []struct {
		ID   string `json:"Id"`
		Type string
	}
	ProductFields map[string]string
}

func open(t *testing.T, b notifytest.Behaviour, answer string, about func(*incident.Incident)) (*securityhub.Hub, func() []finding) {
	t.Helper()
	g, posts := notifytest.AWS(t, b, func(w http.ResponseWriter, _ notifytest.Post) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(answer))
	})
	n := securityhub.New(securityhub.Options{}, notify.Services{
		Gate: g, Clock: func() time.Time { return closedAt },
		Incident: func(_ context.Context, id incident.ID) (incident.Incident, error) {
			inc := notifytest.Incident()
			if about == nil || inc.ID != id {
				return incident.Incident{}, incident.ErrNotFound
			}
			about(&inc)
			return inc, nil
		},
	})
	return n, func() []finding {
		var all []finding
		for _, p := range posts() {
			var in struct{ Findings []finding }
			if err := json.Unmarshal(p.Body, &in); err != nil || p.Path != "/findings/import" || len(in.Findings) != 1 {
				t.Fatalf("%s: %v: %s", p.Path, err, p.Body)
			}
			all = append(all, check(t, in.Findings[0]))
		}
		return all
	}
}

// check fails on what Security Hub would refuse.
func check(t *testing.T, f finding) finding {
	t.Helper()
	if f.SchemaVersion != "2018-10-08" || f.AwsAccountID != notifytest.Account || f.GeneratorID == "" || len(f.Types) == 0 || len(f.Resources) == 0 ||
		f.ProductARN != "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default" {
		t.Errorf("got %+v", f)
	}
	for what, limit := range map[string]int{f.Title: 256, f.Description: 1024, f.ID: 512, f.GeneratorID: 512, f.Resources[0].ID: 512} {
		if n := len([]rune(what)); n == 0 || n > limit {
			t.Errorf("%d characters, of %d: %.50q", n, limit, what)
		}
	}
	return f
}

func TestContract(t *testing.T) {
	t.Parallel()
	notifytest.Run(t, func(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
		n, findings := open(t, b, taken, nil)
		return n, func() []notifytest.Received {
			var all []notifytest.Received
			for _, f := range findings() {
				all = append(all, notifytest.Received{ID: f.ID, Text: f.Title + "\n" + f.Description})
			}
			return all
		}
	})
}

func TestAFindingTellsOfTheIncident(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		resource, kind string
	}{
		"a trail":     {"arn:aws:cloudtrail:eu-west-1:444455556666:trail/main", "AwsCloudTrailTrail"},
		"a bucket":    {"arn:aws:s3:::logs-111122223333", "AwsS3Bucket"},
		"a role":      {"arn:aws:iam::111122223333:role/admin", "AwsIamRole"},
		"a topic":     {"arn:aws:sns:eu-west-1:111122223333:t", "AwsSnsTopic"},
		"another":     {"arn:aws:events:eu-west-1:111122223333:rule/r", "Other"},
		"no ARN":      {"sqs/1", "Other"},
		"none":        {"", "Other"},
		"100 KB":      {strings.Repeat("x", 100_000), "Other"},
		"not our own": {"arn:aws:s3:::a\u202eb", "AwsS3Bucket"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, findings := open(t, notifytest.Accepts, taken, func(inc *incident.Incident) {
				inc.Key.Resource, inc.Who.Principal = tt.resource, notifytest.Evil
			})
			if _, _, err := n.Notify(t.Context(), notifytest.Message()); err != nil {
				t.Fatal(err)
			}
			f := findings()[0]
			if f.Resources[0].Type != tt.kind || f.Severity.Label != "CRITICAL" || f.GeneratorID != "cloudtrail-off" || f.RecordState != "ACTIVE" {
				t.Errorf("got %+v", f)
			}
			if strings.ContainsAny(f.ProductFields["switchback/principal"]+f.Resources[0].ID, "\u202e\n\x1b") {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestAFindingEndsWithItsIncident(t *testing.T) {
	t.Parallel()
	n, findings := open(t, notifytest.Accepts, taken, func(*incident.Incident) {})
	if _, _, err := n.Notify(t.Context(), notifytest.Message()); err != nil {
		t.Fatal(err)
	}
	inc := notifytest.Incident()
	inc.Status = incident.Acknowledged
	if _, _, err := n.Follow(t.Context(), inc); !errors.Is(err, notify.ErrNotAddressed) {
		t.Errorf("acknowledged: %v", err)
	}
	inc.Status = incident.Closed
	if _, _, err := n.Follow(t.Context(), inc); err != nil {
		t.Fatal(err)
	}
	type state struct{ ID, State, Created, Updated string }
	var got []state
	for _, f := range findings() {
		got = append(got, state{f.ID, f.RecordState, f.CreatedAt, f.UpdatedAt})
	}
	id := string(inc.ID)
	want := []state{
		{id, "ACTIVE", "2026-05-04T10:11:05.000Z", "2026-05-04T10:11:12.000Z"}, {id, "ARCHIVED", "2026-05-04T10:11:05.000Z", "2026-05-04T12:00:00.000Z"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestARefusedFindingIsSaid(t *testing.T) {
	t.Parallel()
	n, _ := open(t, notifytest.Accepts, `{"SuccessCount":0,"FailedCount":1,"FailedFindings":[{"Id":"x","ErrorCode":"InvalidInput","ErrorMessage":"no\u202e"}]}`, nil)
	to, retry, err := n.Notify(t.Context(), notifytest.Message())
	if err == nil || retry || len(to) > 0 || !strings.Contains(err.Error(), "InvalidInput no[U+202E]") {
		t.Errorf("got %v, retry %t, %v", to, retry, err)
	}
}

func TestOnlyWhatSecurityIsToldIsAFinding(t *testing.T) {
	t.Parallel()
	n, findings := open(t, notifytest.Accepts, taken, nil)
	for _, kind := range []incident.MessageKind{incident.ToPerson, incident.Reminder, incident.ToFallback, incident.Notice} {
		m := notifytest.Message()
		m.Kind = kind
		if _, _, err := n.Notify(t.Context(), m); !errors.Is(err, notify.ErrNotAddressed) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if len(findings()) > 0 {
		t.Error("findings")
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	config := func(text string) notify.Config {
		return notify.Config{Type: "securityhub", Decode: func(v any) error { return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict()) }}
	}
	n, err := notify.New(config("{}"), notify.Services{})
	if err != nil || n.ReachesHuman() {
		t.Fatal("a finding reaches nobody", err)
	}
	if _, err := notify.New(config("product: x"), notify.Services{}); err == nil {
		t.Error("accepted an unknown field")
	}
	k, _ := notify.Find("securityhub")
	for text, want := range map[string]string{
		"{}": "*", "account: '111122223333'\nregion: eu-west-1": "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default",
	} {
		got, err := k.Permissions(config(text))
		if diff := cmp.Diff([]notify.Permission{{Action: "securityhub:BatchImportFindings", Resource: want}}, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
	}
}
