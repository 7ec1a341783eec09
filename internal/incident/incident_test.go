// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"testing"

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
