// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"testing"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
)

func TestIsOnChain(t *testing.T) {
	i := incident.Incident{Who: incident.Who{
		Principal: "arn:aws:sts::111122223333:assumed-role/Operator/alice@example.com", Human: "Mallory",
		HumanARN: "arn:aws:iam::111122223333:user/staff/mallory",
		Chain:    []string{"AROAEXAMPLEROLEID12345:carol", "arn:aws:iam::111122223333:role/dave"},
	}}
	for name, want := range map[string]bool{
		"mallory": true, "MALLORY": true, " mallory ": true, "arn:aws:iam::111122223333:user/staff/mallory": true,
		"arn:aws:iam::444455556666:user/mallory": true, "alice@example.com": true, "Alice@Example.com": true, "carol": true,
		"arn:aws:sts::111122223333:federated-user/carol": true,
		"bob": false, "": false, " ": false, "Operator": false, "staff": false, "dave": false, "user": false,
	} {
		if got := i.IsOnChain(name); got != want {
			t.Errorf("IsOnChain(%q) is %t, want %t", name, got, want)
		}
	}
	if (incident.Incident{}).IsOnChain("", "bob") {
		t.Error("nobody is on an empty chain")
	}
}

func TestTelling(t *testing.T) {
	events := []cloudtrail.EventID{"first", "second"}
	for name, tt := range map[string]struct {
		i    incident.Incident
		ask  cloudtrail.EventID
		want cloudtrail.EventID
	}{
		"nothing":                    {},
		"the first":                  {i: incident.Incident{Events: events}, want: "first"},
		"the one asked for":          {i: incident.Incident{Events: events}, ask: "second", want: "second"},
		"the cause of a finding":     {i: incident.Incident{Events: events, Cause: "second"}, want: "second"},
		"the cause for the finding":  {i: incident.Incident{Events: events, Cause: "second"}, ask: "first", want: "second"},
		"another beside the finding": {i: incident.Incident{Events: events, Cause: "second"}, ask: "third", want: "third"},
	} {
		if got := tt.i.Telling(tt.ask); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
