// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/identity"
)

// signIn is an event of the sign-in service; more are top-level members.
func signIn(id, name, who, result, more string, after time.Duration) string {
	return fmt.Sprintf(`{"eventID":"%s","eventName":"%s","eventType":"AwsConsoleSignIn","eventSource":"signin.amazonaws.com","eventTime":"%s",
		"userIdentity":%s,"responseElements":{"%s":"%s"}%s}`, id, name, noon.Add(after).Format(time.RFC3339), who, name, result, more)
}

// console is a user's identity in a console session that began at noon.
const console = `{"type":"IAMUser","principalId":"AIDAALICE","arn":"arn:aws:iam::111122223333:user/team/alice","accountId":"111122223333",
	"accessKeyId":"ASIAC","userName":"alice","sessionContext":{"attributes":{"creationDate":"2026-05-04T12:00:00Z","mfaAuthenticated":"true"}}}`

const fromConsole = `"sessionCredentialFromConsole":"true"`

// keyless is how sign-in events record who signed in.
func keyless(identity string) string {
	return strings.NewReplacer(`"accessKeyId":"ASIAC",`, "", `"accessKeyId":"ASIA1",`, "", `"accessKeyId":"AKIAIOSFODNN7EXAMPLE",`, "").Replace(identity)
}

func TestResolveConsoleSessions(t *testing.T) {
	t.Parallel()
	const arn = `"arn:aws:signin:eu-west-1:444455556666:session/daff060f"`
	role := session("ASIA1", "Deploy", "s", "")
	named := session("ASIA1", "Deploy", "s", `,"signInSessionArn":`+arn)
	login := func(id, who, result string, after time.Duration) string {
		return signIn(id, "ConsoleLogin", keyless(who), result, "", after)
	}
	switched := func(from string) string {
		return signIn("w1", "SwitchRole", keyless(role), "Success", `,"additionalEventData":{"SwitchFrom":"`+from+`","RedirectTo":"https://console.aws.amazon.com/"}`, time.Second)
	}
	token := func(id string, after time.Duration, more string) string {
		return signIn(id, "CreateOAuth2Token", keyless(role), "", `,"additionalEventData":{"signInSessionArn":`+arn+more+`}`, after)
	}
	use := with(call("use", "StopLogging", role, time.Minute), fromConsole)
	for name, tt := range map[string]resolveCase{
		"a user at the console":         {call("use", "X", console, time.Minute), []string{login("c1", console, "Success", 0)}, "resolved alice c1/session"},
		"a sign-in that failed":         {call("use", "X", console, time.Minute), []string{login("c1", console, "Failure", 0)}, "resolved alice"},
		"another sign-in of the user":   {call("use", "X", console, time.Minute), []string{login("c1", console, "Success", -time.Minute)}, "resolved alice"},
		"a sign-in of somebody else":    {call("use", "X", console, time.Minute), []string{login("c1", root, "Success", 0)}, "resolved alice"},
		"two sign-ins at once":          {call("use", "X", console, time.Minute), []string{login("c1", console, "Success", 0), login("c2", console, "Success", 0)}, "resolved alice"},
		"an event that only looks like": {call("use", "X", console, time.Minute), []string{strings.Replace(login("c1", console, "Success", 0), "signin.", "evil.", 1)}, "resolved alice"},
		"a federated sign-in": {use, []string{login("c1", role, "Success", time.Second), assume("e1", alice, "ASIA9", "Deploy", "s", 0)},
			"resolved alice c1/session e1/session"},
		"a federated sign-in whose role nobody saw assumed": {use, []string{login("c1", role, "Success", time.Second)}, "unresolved c1/session"},
		"a key that did not come from the console":          {call("use", "X", role, time.Minute), []string{login("c1", role, "Success", 0)}, "unresolved"},

		"switched from a user":        {use, []string{switched("arn:aws:iam::111122223333:user/team/alice")}, "resolved alice w1/session"},
		"switched from root":          {use, []string{switched("arn:aws:iam::111122223333:root")}, "resolved root w1/session"},
		"switched from a role":        {use, []string{switched("arn:aws:sts::111122223333:assumed-role/Jump/alice")}, "unresolved w1/session"},
		"switched from nothing known": {use, []string{switched("alice")}, "unresolved"},
		"the switch itself":           {switched("arn:aws:iam::111122223333:user/team/alice"), nil, "resolved alice"},

		"by the sign-in session": {call("use", "X", named, time.Hour), []string{token("o1", 30*time.Minute, ""), token("o2", 45*time.Minute, ""), assume("e1", alice, "ASIA9", "Deploy", "s", 0)},
			"resolved alice o1/session e1/session"},
		"a token that was refused": {call("use", "X", named, time.Hour), []string{token("o1", 30*time.Minute, `,"success":"false"`)}, "unresolved"},
		"a token given later":      {call("use", "X", named, time.Hour), []string{token("o1", 2*time.Hour, "")}, "unresolved"},
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); tt.check(t) })
	}
}

// resolveCase is an event, those at hand, and the summary of the resolution.
type resolveCase struct {
	use    string
	events []string
	want   string
}

func (c resolveCase) check(t *testing.T) identity.Resolution {
	t.Helper()
	index := &identity.Memory{Source: "memory"}
	for _, text := range c.events {
		index.Add(parse(t, text))
	}
	res, err := identity.Resolve(t.Context(), parse(t, c.use), index)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.want, summary(res)); diff != "" {
		t.Errorf("(-want +got):\n%s\n%+v", diff, res)
	}
	if res.Status == identity.Unresolved && res.Reason == "" {
		t.Error("unresolved without a reason")
	}
	for _, hop := range res.Chain {
		if hop.Source == "" && hop.EventID != "use" && hop.Confidence != identity.BySAML {
			t.Errorf("hop %s without a source", hop.EventID)
		}
	}
	return res
}
