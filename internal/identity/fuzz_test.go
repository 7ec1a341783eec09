// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
)

// FuzzResolve: whatever records say, an answer has a human exactly when it is resolved, a reason when it is not, does not
// depend on the order of the events, and is fit for people once it is made printable.
func FuzzResolve(f *testing.F) {
	use := call("use", "StopLogging", session("ASIA1", "Deploy", "s", `,"sourceIdentity":"dave"`), time.Minute)
	for _, seed := range [][2]string{
		{assume("e1", alice, "ASIA1", "Deploy", "s", 0), assume("e2", other, "ASIA1", "Deploy", "s", 0)},
		{with(assume("e1", other, "ASIA1", "Deploy", "s", 0), `"sharedEventID":"sh"`), with(assume("e2", alice, "ASIA1", "Deploy", "s", 0), `"sharedEventID":"sh"`)},
		{issue("e1", "AssumeRoleWithWebIdentity", web, "ASIA1", "", 0), signIn("c1", "ConsoleLogin", console, "Success", "", 0)},
		{signIn("w1", "SwitchRole", session("", "Deploy", "s", ""), "Success", `,"additionalEventData":{"SwitchFrom":"arn:aws:iam::111122223333:root"}`, 0), federated},
		{ordered("l1", "RunInstances", "ec2", alice, "{}", `{"instancesSet":{"items":[{"instanceId":"`+instance+`"}]}}`, 0), assume("e1", ec2, "ASIA1", "Deploy", instance, 0)},
	} {
		f.Add(use, seed[0], seed[1])
		f.Add(seed[0], seed[1], use)
	}
	f.Fuzz(func(t *testing.T, use, first, second string) {
		var records []cloudtrail.Record
		for _, text := range []string{use, first, second} {
			r, err := cloudtrail.ParseRecord([]byte(text))
			if err != nil {
				t.Skip("no record")
			}
			records = append(records, r)
		}
		ahead, behind := &identity.Memory{}, &identity.Memory{}
		for i := range records {
			ahead.Add(records[i])
			behind.Add(records[len(records)-1-i])
		}
		res, err := identity.Resolve(t.Context(), records[0], ahead)
		again, againErr := identity.Resolve(t.Context(), records[0], behind)
		if err != nil || againErr != nil || (res.Status == identity.Resolved) != (res.Human != "") || (res.Status == identity.Unresolved) != (res.Reason != "") {
			t.Fatalf("got %+v, %v, %v", res, err, againErr)
		}
		distinct := records[0].EventID != records[1].EventID && records[1].EventID != records[2].EventID && records[0].EventID != records[2].EventID
		if diff := cmp.Diff(res, again); distinct && diff != "" {
			t.Fatalf("the order of events matters:\n%s", diff)
		}
		const limit = 100
		if text := fmt.Sprintf("%v", res.Printable(limit)); len(text) > 100_000 || identity.Printable(text, len(text)) != text {
			t.Fatalf("not printable: %q", text)
		}
	})
}
