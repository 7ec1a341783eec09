// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
)

func TestMemoryForgets(t *testing.T) {
	t.Parallel()
	m := &identity.Memory{}
	event := parse(t, assume("e1", alice, "ASIA1", "R", "s", 0)) // for one hour
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {time.Hour + identity.KeepFor, 1}, {time.Hour + identity.KeepFor + time.Second, 0}} {
		for range 2 {
			if err := m.Put(t.Context(), event); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Prune(t.Context(), noon.Add(tt.after)); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"ASIA1", "AROAR:s"} {
			if found, err := m.Find(t.Context(), identity.Clue{ID: id}); err != nil || len(found) != tt.want {
				t.Errorf("%s after %s: %d, %v, want %d", id, tt.after, len(found), err, tt.want)
			}
		}
	}
}

// What is kept of a record holds no secret, and resolves as the record itself does.
func TestMemoryKeepsNoSecrets(t *testing.T) {
	t.Parallel()
	m := &identity.Memory{}
	m.Add(parse(t, strings.Replace(assume("e1", alice, "ASIA1", "R", "s", 0), `"credentials":{`, `"credentials":{"sessionToken":"hush",`, 1)))
	found, err := m.Find(t.Context(), identity.Clue{ID: "ASIA1"})
	if err != nil || len(found) != 1 {
		t.Fatalf("found %d, %v", len(found), err)
	}
	r := found[0].Record
	if strings.Contains(string(r.ResponseElements)+string(r.Raw), "hush") {
		t.Errorf("kept %s", r.ResponseElements)
	}
	for _, text := range []string{
		issue("use", "AssumeRoleWithSAML", anon, "ASIA1", `"assumedRoleUser":{"assumedRoleId":"AROADEPLOY:s"},`, 0),
		signIn("use", "SwitchRole", session("", "R", "s", ""), "Success", `,"additionalEventData":{"SwitchFrom":"arn:aws:iam::111122223333:root"}`, 0),
	} {
		whole := resolveCase{use: text, want: "resolved s use/saml_session_name"}
		if strings.Contains(text, "SwitchRole") {
			whole.want = "resolved root"
		}
		whole.check(t)
		slim, err := identity.Resolve(t.Context(), identity.Slim(parse(t, text)), m)
		if err != nil || summary(slim) != whole.want {
			t.Errorf("slim: got %s, %v, want %s", summary(slim), err, whole.want)
		}
	}
}
