// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// Identities as they stand in records.
const (
	alice = `{"type":"IAMUser","principalId":"AIDAALICE","arn":"arn:aws:iam::111122223333:user/team/alice","accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"alice"}`
	root  = `{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}`
	saml  = `{"type":"SAMLUser","principalId":"idp:carol","userName":"carol","identityProvider":"idp"}`
	anon  = `{"type":"SAMLUser","principalId":"idp:x","userName":"","identityProvider":"idp"}`
	web   = `{"type":"WebIdentityUser","principalId":"token.example.com:sts:repo:org/app","userName":"repo:org/app","identityProvider":"token.example.com"}`
	ec2   = `{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}`
	other = `{"type":"AWSAccount","principalId":"AIDAALICE","accountId":"111122223333"}`
)

// session is a role session's identity in account 444455556666; more are members of sessionContext.
func session(key, role, name string, more string) string {
	return fmt.Sprintf(`{"type":"AssumedRole","principalId":"AROA%s:%s","arn":"arn:aws:sts::444455556666:assumed-role/%s/%s",
		"accountId":"444455556666","accessKeyId":"%s","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA%s",
		"arn":"arn:aws:iam::444455556666:role/%s","accountId":"444455556666","userName":"%s"},
		"attributes":{"creationDate":"2026-05-04T12:00:00Z","mfaAuthenticated":"true"}%s}}`,
		strings.ToUpper(role), name, role, name, key, strings.ToUpper(role), role, role, more)
}

// call is an event of identity at noon plus after.
func call(id, name, identity string, after time.Duration) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","eventID":"%s","eventName":"%s","eventSource":"cloudtrail.amazonaws.com",
		"eventTime":"%s","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","userIdentity":%s}`,
		id, name, noon.Add(after).Format(time.RFC3339), identity)
}

// assume is the event that issued key for a session of role.
func assume(id, caller, key, role, name string, after time.Duration) string {
	return issue(id, "AssumeRole", caller, key, `"assumedRoleUser":{"assumedRoleId":"AROA`+strings.ToUpper(role)+`:`+name+`"},`, after)
}

func issue(id, name, caller, key, more string, after time.Duration) string {
	at := noon.Add(after)
	return fmt.Sprintf(`{"eventID":"%s","eventName":"%s","eventSource":"sts.amazonaws.com","eventTime":"%s","userIdentity":%s,
		"responseElements":{%s"credentials":{"accessKeyId":"%s","expiration":"%s"}}}`,
		id, name, at.Format(time.RFC3339), caller, more, key, at.Add(time.Hour).Format("Jan 2, 2006, 3:04:05 PM"))
}

func parse(t testing.TB, text string) cloudtrail.Record {
	t.Helper()
	r, err := cloudtrail.ParseRecord([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

func with(text, member string) string { return strings.Replace(text, "{", "{"+member+",", 1) }

func TestResolve(t *testing.T) {
	t.Parallel()
	const role = "Deploy"
	use := call("use", "StopLogging", session("ASIA1", role, "s", ""), time.Minute)
	keyless := call("use", "StopLogging", session("", role, "s", ""), time.Minute)
	for name, tt := range map[string]struct {
		use    string
		events []string
		want   string // status human [hop confidence …]
	}{
		"a user with long-term keys": {call("use", "StopLogging", alice, 0), nil, "resolved alice"},
		"root":                       {call("use", "StopLogging", root, 0), nil, "resolved root"},
		"a service":                  {call("use", "StopLogging", ec2, 0), nil, "service"},
		"no userIdentity":            {call("use", "StopLogging", "null", 0), nil, "unresolved"},
		"a hidden user name":         {call("use", "ConsoleLogin", `{"type":"IAMUser","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, 0), nil, "unresolved"},

		"one hop by key": {use, []string{assume("e1", alice, "ASIA1", role, "s", 0)}, "resolved alice e1/key"},
		"two hops": {use, []string{
			assume("e1", session("ASIA2", "Jump", "j", ""), "ASIA1", role, "s", 0),
			assume("e2", alice, "ASIA2", "Jump", "j", -time.Minute),
		}, "resolved alice e1/key e2/key"},
		"the second hop is missing":                      {use, []string{assume("e1", session("ASIA2", "Jump", "alice", ""), "ASIA1", role, "s", 0)}, "unresolved e1/key"},
		"the session name says alice and proves nothing": {call("use", "StopLogging", session("ASIA1", role, "alice", ""), 0), nil, "unresolved"},
		"another key of the same session name":           {use, []string{assume("e1", alice, "ASIA9", role, "s", 0)}, "unresolved"},
		"issued after the use":                           {use, []string{assume("e1", alice, "ASIA1", role, "s", 2*time.Minute)}, "unresolved"},
		"issued within the clocks' difference":           {use, []string{assume("e1", alice, "ASIA1", role, "s", time.Minute+time.Second)}, "resolved alice e1/key"},
		"expired before the use":                         {call("use", "X", session("ASIA1", role, "s", ""), 2*time.Hour), []string{assume("e1", alice, "ASIA1", role, "s", 0)}, "unresolved"},
		"the key went to another role":                   {use, []string{assume("e1", alice, "ASIA1", "Other", "s", 0)}, "unresolved"},
		"the call that issued failed":                    {use, []string{with(assume("e1", alice, "ASIA1", role, "s", 0), `"errorCode":"AccessDenied"`)}, "unresolved"},
		"an event of another service claims it":          {use, []string{strings.Replace(assume("e1", alice, "ASIA1", role, "s", 0), "sts.amazonaws.com", "evil.amazonaws.com", 1)}, "unresolved"},
		"two callers claim the key":                      {use, []string{assume("e1", alice, "ASIA1", role, "s", 0), assume("e2", root, "ASIA1", role, "s", 0)}, "unresolved"},
		"the same event twice":                           {use, []string{assume("e1", alice, "ASIA1", role, "s", 0), assume("e1", alice, "ASIA1", role, "s", 0)}, "resolved alice e1/key"},
		"a chain that leads back":                        {use, []string{assume("e1", session("ASIA1", role, "s", ""), "ASIA1", role, "s", 0)}, "unresolved e1/key"},

		"by session where no key was recorded": {keyless, []string{assume("e1", alice, "ASIA1", role, "s", 0)}, "resolved alice e1/session"},
		"two sessions of that name at once":    {keyless, []string{assume("e1", alice, "ASIA1", role, "s", 0), assume("e2", alice, "ASIA2", role, "s", time.Second)}, "unresolved"},
		"a session of that name long before":   {keyless, []string{assume("e1", alice, "ASIA1", role, "s", -10*time.Minute)}, "unresolved"},

		"across accounts, both copies": {use, []string{
			with(assume("e1", other, "ASIA1", role, "s", 0), `"sharedEventID":"sh"`),
			with(assume("e2", alice, "ASIA1", role, "s", 0), `"sharedEventID":"sh"`),
		}, "resolved alice e2/key"},
		"across accounts, the caller's copy without a response": {use, []string{
			with(assume("e1", other, "ASIA1", role, "s", 0), `"sharedEventID":"sh"`),
			with(strings.Replace(assume("e2", alice, "ASIA1", role, "s", 0), `"responseElements"`, `"x"`, 1), `"sharedEventID":"sh"`),
		}, "resolved alice e2/key"},
		"across accounts, a copy of another account": {use, []string{
			with(assume("e1", other, "ASIA1", role, "s", 0), `"sharedEventID":"sh"`),
			with(strings.Replace(assume("e2", session("ASIA3", "Jump", "j", ""), "ASIA1", role, "s", 0), `"responseElements"`, `"x"`, 1), `"sharedEventID":"sh"`),
		}, "unresolved e1/key"},
		"across accounts, two stories": {use, []string{
			with(assume("e1", other, "ASIA1", role, "s", 0), `"sharedEventID":"sh"`),
			with(assume("e2", alice, "ASIA1", role, "s", 0), `"sharedEventID":"sh"`),
			with(assume("e3", root, "ASIA1", role, "s", 0), `"sharedEventID":"sh"`),
		}, "unresolved"},
		"a corrected record": {use, []string{
			assume("e1", alice, "ASIA1", role, "s", 0),
			with(assume("e2", alice, "ASIA1", role, "s", 0), `"addendum":{"reason":"UPDATED_DATA","originalEventID":"e1"}`),
		}, "resolved alice e1/key"},
		"a forged correction": {use, []string{
			assume("e1", alice, "ASIA1", role, "s", 0),
			with(assume("e2", root, "ASIA1", role, "s", 0), `"addendum":{"reason":"UPDATED_DATA","originalEventID":"e1"}`),
		}, "unresolved"},
		"one request, two callers": {use, []string{
			with(assume("e1", alice, "ASIA1", role, "s", 0), `"requestID":"q"`), with(assume("e2", root, "ASIA1", role, "s", 0), `"requestID":"q"`),
		}, "unresolved"},
		"roles that assume each other": {use, []string{
			assume("e1", session("ASIA2", "Jump", "j", ""), "ASIA1", role, "s", 0),
			assume("e2", session("ASIA1", role, "s", ""), "ASIA2", "Jump", "j", 0),
		}, "unresolved e1/key e2/key"},
		"roles that assume each other in turn": {use, []string{
			assume("e1", session("ASIA2", "Jump", "j", ""), "ASIA1", role, "s", 0),
			assume("e2", session("ASIA3", role, "s", ""), "ASIA2", "Jump", "j", -time.Minute),
			assume("e3", alice, "ASIA3", role, "s", -2*time.Minute),
		}, "resolved alice e1/key e2/key e3/key"},
		"across accounts, the owner's copy alone": {use, []string{with(assume("e1", other, "ASIA1", role, "s", 0), `"sharedEventID":"sh"`)}, "unresolved e1/key"},

		"SAML":                                  {use, []string{issue("e1", "AssumeRoleWithSAML", saml, "ASIA1", `"assumedRoleUser":{"assumedRoleId":"AROADEPLOY:s"},`, 0)}, "resolved carol e1/key"},
		"SAML without a subject":                {use, []string{issue("e1", "AssumeRoleWithSAML", anon, "ASIA1", `"assumedRoleUser":{"assumedRoleId":"AROADEPLOY:s"},`, 0)}, "resolved s e1/key e1/saml_session_name"},
		"a web identity is a workload":          {use, []string{issue("e1", "AssumeRoleWithWebIdentity", web, "ASIA1", `"assumedRoleUser":{"assumedRoleId":"AROADEPLOY:s"},`, 0)}, "service e1/key"},
		"a web identity, its event missing":     {call("use", "X", session("ASIA1", role, "s", `,"webIdFederationData":{"federatedProvider":"arn:aws:iam::444455556666:oidc-provider/x"}`), 0), nil, "service use/principal"},
		"an instance's role":                    {use, []string{assume("e1", ec2, "ASIA1", role, "s", 0)}, "service e1/key"},
		"empty web identity data means nothing": {call("use", "X", session("ASIA1", role, "s", `,"webIdFederationData":{}`), 0), nil, "unresolved"},

		"source identity, its event missing": {call("use", "X", session("ASIA1", role, "s", `,"sourceIdentity":"dave"`), 0), nil, "resolved dave use/source_identity"},
		"source identity of a nearer session, where the chain breaks off": {
			call("use", "X", session("ASIA1", role, "s", `,"sourceIdentity":"dave"`), 0),
			[]string{assume("e1", session("ASIA2", "Jump", "j", ""), "ASIA1", role, "s", 0)}, "resolved dave e1/key use/source_identity",
		},
		"a key is stronger than a source identity": {
			call("use", "X", session("ASIA1", role, "s", `,"sourceIdentity":"dave"`), 0),
			[]string{assume("e1", alice, "ASIA1", role, "s", 0)}, "resolved alice e1/key",
		},
		"Identity Center": {call("use", "X", identityCenter("erin@example.com", "/aws-reserved/sso.amazonaws.com/eu-west-1/"), 0), nil, "resolved erin@example.com use/identity_center_session_name"},
		"a role that only looks like Identity Center": {call("use", "X", identityCenter("erin@example.com", "/"), 0), nil, "unresolved"},
		"an identity-enhanced session":                {call("use", "X", with(session("ASIA1", role, "s", ""), `"onBehalfOf":{"userId":"94d00cd8"}`), 0), nil, "resolved 94d00cd8 use/principal"},
		"an identity-enhanced session of Identity Center": {
			call("use", "X", with(identityCenter("erin@example.com", "/aws-reserved/sso.amazonaws.com/eu-west-1/"), `"onBehalfOf":{"userId":"94d00cd8"}`), 0),
			nil, "resolved erin@example.com use/identity_center_session_name",
		},
		"an Identity Center user": {call("use", "X", `{"type":"IdentityCenterUser","onBehalfOf":{"userId":"94d00cd8"}}`, 0), nil, "resolved 94d00cd8"},

		"GetSessionToken": {
			call("use", "X", strings.Replace(alice, "AKIAIOSFODNN7EXAMPLE", "ASIA1", 1), 0),
			[]string{issue("e1", "GetSessionToken", alice, "ASIA1", "", 0)}, "resolved alice e1/key",
		},
		"GetSessionToken, its event missing": {call("use", "X", strings.Replace(alice, "AKIAIOSFODNN7EXAMPLE", "ASIA1", 1), 0), nil, "resolved alice"},
		"GetFederationToken": {
			call("use", "X", federated, 0),
			[]string{issue("e1", "GetFederationToken", alice, "ASIA1", `"federatedUser":{"federatedUserId":"111122223333:fed"},`, 0)}, "resolved alice e1/key",
		},
		"GetFederationToken, its event missing": {call("use", "X", federated, 0), nil, "resolved bob use/principal"},
		"AssumeRoot":                            {call("use", "X", assumedRoot, 0), []string{issue("e1", "AssumeRoot", alice, "ASIA1", "", 0)}, "resolved alice e1/key"},
		"AssumeRoot, its event missing":         {call("use", "X", assumedRoot, 0), nil, "unresolved"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resolveCase{tt.use, tt.events, tt.want}.check(t)
		})
	}
}

// A source identity that names somebody else is told beside the chain, which counts.
func TestResolveNotesAContradiction(t *testing.T) {
	t.Parallel()
	for named, want := range map[string]string{"dave": "the source identity names dave", "Alice": ""} {
		use := call("use", "X", session("ASIA1", "R", "s", `,"sourceIdentity":"`+named+`"`), 0)
		res := resolveCase{use, []string{assume("e1", alice, "ASIA1", "R", "s", 0)}, "resolved alice e1/key"}.check(t)
		if res.Chain[0].Note != want {
			t.Errorf("%s: note %q, want %q", named, res.Chain[0].Note, want)
		}
	}
}

// Names that no AWS API accepts do no harm: nothing is resolved by them, and what people read of them is short.
func TestResolveHostileNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 100_000)
	for name, tt := range map[string]resolveCase{
		"a long session name":          {call("use", "X", session("ASIA1", "R", long, ""), 0), []string{assume("e1", alice, "ASIA1", "R", long, 0)}, "resolved alice e1/key"},
		"a long session without a key": {call("use", "X", session("", "R", long, ""), 0), []string{assume("e1", alice, "ASIA1", "R", long, 0)}, "unresolved"},
		"a long key":                   {call("use", "X", session("ASIA"+long, "R", "s", ""), 0), []string{assume("e1", alice, "ASIA"+long, "R", "s", 0)}, "unresolved"},
		"an override in the name":      {call("use", "X", session("", "R", "\u202etxt.exe", ""), 0), nil, "unresolved"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := tt.check(t)
			if len(res.Reason) > 500 || strings.Contains(res.Reason, "\u202e") {
				t.Errorf("a reason of %d bytes: %.600s", len(res.Reason), res.Reason)
			}
		})
	}
}

const (
	federated   = `{"type":"FederatedUser","principalId":"111122223333:fed","arn":"arn:aws:sts::111122223333:federated-user/fed","accessKeyId":"ASIA1","sessionContext":{"sessionIssuer":{"type":"IAMUser","principalId":"AIDABOB","arn":"arn:aws:iam::111122223333:user/bob","userName":"bob"}}}`
	assumedRoot = `{"type":"Root","principalId":"444455556666","arn":"arn:aws:iam::444455556666:root","accessKeyId":"ASIA1","sessionContext":{"assumedRoot":"true"}}`
)

func identityCenter(user, path string) string {
	const name = "AWSReservedSSO_Admin_0123456789abcdef"
	return strings.Replace(session("ASIA1", name, user, ""), ":role/"+name, ":role"+path+name, 1)
}

// summary is a resolution on one line.
func summary(res identity.Resolution) string {
	words := []string{string(res.Status)}
	if res.Human != "" {
		words = append(words, res.Human)
	}
	for _, hop := range res.Chain {
		words = append(words, string(hop.EventID)+"/"+string(hop.Confidence))
	}
	return strings.Join(words, " ")
}

func TestResolveLongChainIsBounded(t *testing.T) {
	t.Parallel()
	index := &identity.Memory{}
	for i := range 30 {
		caller := session(fmt.Sprint("ASIA", i+1), fmt.Sprint("R", i+1), "s", "")
		index.Add(parse(t, assume(fmt.Sprint("e", i), caller, fmt.Sprint("ASIA", i), fmt.Sprint("R", i), "s", -time.Duration(i)*time.Second)))
	}
	res, err := identity.Resolve(t.Context(), parse(t, call("use", "X", session("ASIA0", "R0", "s", ""), 0)), index)
	if err != nil || res.Status != identity.Unresolved || len(res.Chain) != identity.MaxHops {
		t.Errorf("got %+v, %v", res, err)
	}
}

type brokenIndex struct{}

func (brokenIndex) Find(context.Context, identity.Clue) ([]identity.Found, error) {
	return nil, errors.New("disk on fire")
}

func TestResolveReportsABrokenIndex(t *testing.T) {
	t.Parallel()
	res, err := identity.Resolve(t.Context(), parse(t, call("use", "X", session("ASIA1", "R", "s", ""), 0)), brokenIndex{})
	if err == nil || !strings.Contains(err.Error(), "disk on fire") || res.Status != identity.Unresolved {
		t.Errorf("got %+v, %v", res, err)
	}
}

// Chains of two to five hops over three accounts, shuffled, duplicated, a tenth held back: nothing wrong while events
// are missing, everything right once they are in.
func TestResolveGeneratedChains(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		use, events, human, hops := generatedChain(rng)
		var now, late []string
		for _, e := range events {
			for range 1 + rng.IntN(2) {
				if rng.IntN(10) == 0 {
					late = append(late, e)
					continue
				}
				now = append(now, e)
			}
		}
		rng.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
		index := &identity.Memory{}
		for _, e := range now {
			index.Add(parse(t, e))
		}
		if res, err := identity.Resolve(t.Context(), parse(t, use), index); err != nil || res.Human != "" && res.Human != human {
			t.Fatalf("seed %d, events missing: got %+v, %v", seed, res, err)
		}
		for _, e := range late {
			index.Add(parse(t, e))
		}
		res, err := identity.Resolve(t.Context(), parse(t, use), index)
		if err != nil || res.Status != identity.Resolved || res.Human != human || len(res.Chain) != hops {
			t.Fatalf("seed %d: got %+v, %v, want %s over %d hops", seed, res, err, human, hops)
		}
	}
}

// generatedChain makes the events of a chain; a call across accounts leaves two copies of one.
func generatedChain(rng *rand.Rand) (use string, events []string, human string, hops int) {
	accounts := []string{"111122223333", "444455556666", "777788889999"}
	hops = 2 + rng.IntN(4)
	human = fmt.Sprint("user", rng.IntN(1000))
	account := accounts[rng.IntN(3)]
	caller := fmt.Sprintf(`{"type":"IAMUser","principalId":"AIDA%s","arn":"arn:aws:iam::%s:user/%s","accountId":"%s","accessKeyId":"AKIAX","userName":"%s"}`, human, account, human, account, human)
	for i := range hops {
		key, role, to := fmt.Sprintf("ASIA%016X", rng.Uint64()), fmt.Sprint("Role", i), accounts[rng.IntN(3)]
		after := time.Duration(i) * time.Minute
		event := assume(fmt.Sprint("e", i), caller, key, role, "s", after)
		if to != account {
			shared := fmt.Sprintf(`"sharedEventID":"sh%d"`, i)
			var u struct{ PrincipalID string }
			if err := json.Unmarshal([]byte(caller), &u); err != nil {
				panic(err)
			}
			outsider := fmt.Sprintf(`{"type":"AWSAccount","principalId":"%s","accountId":"%s"}`, u.PrincipalID, account)
			events = append(events, with(assume(fmt.Sprint("o", i), outsider, key, role, "s", after), shared))
			event = with(event, shared)
		}
		events = append(events, event)
		caller = strings.ReplaceAll(session(key, role, "s", ""), "444455556666", to)
		account = to
	}
	return call("use", "StopLogging", caller, time.Duration(hops)*time.Minute), events, human, hops
}
