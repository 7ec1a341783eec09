// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
)

func TestSentence(t *testing.T) {
	t.Parallel()
	const from = " at 2026-05-04 12:00:00 UTC called StopLogging in eu-west-1 (Europe (Ireland)) from 198.51.100.7"
	for name, tt := range map[string]struct{ identity, human, want string }{
		"user":                 {alice, "", "user alice" + from},
		"user, resolved":       {alice, "alice", "user alice" + from},
		"root":                 {root, "root", "root of account 111122223333" + from},
		"role session":         {session("ASIA1", "Deploy", "s", ""), "", "role session Deploy/s" + from},
		"role, resolved":       {session("ASIA1", "Deploy", "s", ""), "alice", "alice through role session Deploy/s" + from},
		"via a service":        {strings.Replace(alice, "{", `{"invokedBy":"cloudformation.amazonaws.com",`, 1), "", "user alice (via cloudformation.amazonaws.com)" + from},
		"service":              {ec2, "", "service ec2.amazonaws.com" + from},
		"federated user":       {federated, "bob", "bob through federated user fed" + from},
		"SAML user":            {saml, "carol", "SAML user carol" + from},
		"web identity":         {web, "", "web identity repo:org/app" + from},
		"another account":      {other, "", "principal AIDAALICE of account 111122223333" + from},
		"Identity Center user": {`{"type":"IdentityCenterUser","onBehalfOf":{"userId":"94d00cd8"}}`, "", "Identity Center user 94d00cd8" + from},
		"nobody":               {"null", "", "an unknown principal" + from},
		"hostile human":        {alice, "x\r\ny\u202e", "x[U+000D][U+000A]y[U+202E] through user alice" + from},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := identity.Extract(parse(t, call("e", "StopLogging", tt.identity, 0))).Sentence(tt.human); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestExtract(t *testing.T) {
	t.Parallel()
	text := with(call("e", "StopLogging", session("ASIA1", "Deploy", "s", `,"sourceIdentity":"dave"`), 0),
		`"errorCode":"AccessDenied","errorMessage":"no","recipientAccountId":"777788889999","userAgent":"aws-cli/2.17.60 os/linux","requestParameters":{"name":["main"]}`)
	yes := true
	want := identity.Facts{
		EventID: "e", EventName: "StopLogging", EventSource: "cloudtrail.amazonaws.com", At: noon, Date: "2026-05-04", Time: "12:00:00",
		Principal: "arn:aws:sts::444455556666:assumed-role/Deploy/s", PrincipalType: "AssumedRole", PrincipalID: "AROADEPLOY:s",
		PrincipalName: "Deploy", PrincipalAccount: "444455556666", Account: "777788889999", SessionName: "s", SourceIdentity: "dave",
		AccessKeyID: "ASIA1", MFA: &yes, SourceIP: "198.51.100.7", UserAgent: "aws-cli/2.17.60 os/linux", Agent: "AWS CLI 2.17 on Linux",
		Region: "eu-west-1", Place: "Europe (Ireland)", Target: "main", Failed: true, ErrorCode: "AccessDenied", ErrorMessage: "no",
	}
	got := identity.Extract(parse(t, text))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const sentence = "role session Deploy/s at 2026-05-04 12:00:00 UTC tried to call StopLogging on main in eu-west-1 (Europe (Ireland)) from 198.51.100.7 with AWS CLI 2.17 on Linux, and was refused (AccessDenied)"
	if got := got.Sentence(""); got != sentence {
		t.Errorf("got %s", got)
	}
}

// A failed sign-in has no error code, and says elsewhere whether a second factor was used.
func TestExtractConsoleLogin(t *testing.T) {
	t.Parallel()
	f := identity.Extract(parse(t, with(call("e", "ConsoleLogin", alice, 0),
		`"eventType":"AwsConsoleSignIn","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{"MFAUsed":"No"}`)))
	if !f.Failed || f.MFA == nil || *f.MFA || !strings.HasSuffix(f.Sentence(""), "and was refused (Failed authentication)") {
		t.Errorf("got %+v: %s", f, f.Sentence(""))
	}
}

// Every text of an event may be the attacker's: what comes out is one bounded line of text.
func TestExtractHostile(t *testing.T) {
	t.Parallel()
	evil, err := json.Marshal("\r\n\u202e<script>" + strings.Repeat("A", 100_000))
	if err != nil {
		t.Fatal(err)
	}
	e := string(evil)
	r := parse(t, `{"eventID":`+e+`,"eventName":`+e+`,"eventSource":`+e+`,"awsRegion":`+e+`,"sourceIPAddress":`+e+`,"userAgent":`+e+
		`,"errorCode":`+e+`,"errorMessage":`+e+`,"recipientAccountId":`+e+`,"requestParameters":{"name":`+e+`},"userIdentity":{"type":`+e+
		`,"arn":`+e+`,"principalId":`+e+`,"userName":`+e+`,"accessKeyId":`+e+`,"invokedBy":`+e+`,"sessionContext":{"sourceIdentity":`+e+`}}}`)
	f := identity.Extract(r)
	out, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"facts": string(out), "sentence": f.Sentence(string(evil))} {
		if len(text) > 10_000 || strings.ContainsAny(text, "\r\n\u202e") {
			t.Errorf("%s: %d bytes: %.500q", name, len(text), text)
		}
	}
}

func TestParseEvidence(t *testing.T) {
	t.Parallel()
	record := call("e", "StopLogging", alice, 0)
	for name, tt := range map[string]struct{ text, want string }{
		"a record":             {record, "e"},
		"an EventBridge event": {`{"version":"0","id":"x","detail-type":"AWS API Call via CloudTrail","source":"aws.cloudtrail","detail":` + record + `}`, "e"},
		"something else":       {`[]`, ""},
		"not JSON":             {`{`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := identity.ParseEvidence([]byte(tt.text))
			if string(r.EventID) != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %s, %v", r.EventID, err)
			}
		})
	}
}

func TestIssueOf(t *testing.T) {
	t.Parallel()
	spaced := strings.Replace(assume("e", alice, "ASIA1", "R", "s", 0), "1:00:00 PM", "1:00:00\u202fPM", 1)
	unread := strings.Replace(assume("e", alice, "ASIA1", "R", "s", 0), "May 4", "Mai 4", 1)
	for name, tt := range map[string]struct {
		text    string
		expires time.Time
		ok      bool
	}{
		"AssumeRole":              {assume("e", alice, "ASIA1", "R", "s", 0), noon.Add(time.Hour), true},
		"a narrow space":          {spaced, noon.Add(time.Hour), true},
		"an unreadable expiry":    {unread, noon.Add(identity.LongestSession), true},
		"any other call":          {call("e", "StopLogging", alice, 0), time.Time{}, false},
		"refused":                 {with(assume("e", alice, "ASIA1", "R", "s", 0), `"errorCode":"AccessDenied"`), time.Time{}, false},
		"without what was issued": {`{"eventName":"AssumeRole","eventSource":"sts.amazonaws.com","responseElements":null}`, time.Time{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i, ok := identity.IssueOf(parse(t, tt.text))
			if ok != tt.ok || ok && (!i.ExpiresAt.Equal(tt.expires) || i.AccessKeyID != "ASIA1" || i.SessionID != "AROAR:s") {
				t.Errorf("got %+v, %t", i, ok)
			}
		})
	}
}

func BenchmarkResolve(b *testing.B) {
	index := &identity.Memory{}
	index.Add(parse(b, assume("e1", session("ASIA2", "Jump", "j", ""), "ASIA1", "Deploy", "s", 0)))
	index.Add(parse(b, assume("e2", alice, "ASIA2", "Jump", "j", -time.Minute)))
	use := parse(b, call("use", "StopLogging", session("ASIA1", "Deploy", "s", ""), time.Minute))
	b.ReportAllocs()
	for b.Loop() {
		if res, err := identity.Resolve(b.Context(), use, index); err != nil || res.Human != "alice" {
			b.Fatal(res, err)
		}
	}
}

// What a record says of its principal must never be more than it has.
func FuzzExtract(f *testing.F) {
	f.Add(call("e", "StopLogging", alice, 0))
	f.Add(call("e", "StopLogging", session("ASIA1", "Deploy", "s", ""), 0))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := cloudtrail.ParseRecord([]byte(text))
		if err != nil {
			return
		}
		if s := identity.Extract(r).Sentence(r.UserIdentity.UserName); len(s) > 10_000 || strings.ContainsAny(s, "\r\n\u202e") {
			t.Fatalf("%q", s)
		}
		res, err := identity.Resolve(t.Context(), r, &identity.Memory{})
		if err != nil || (res.Status != identity.Resolved) != (res.Human == "") {
			t.Fatalf("%+v, %v", res, err)
		}
	})
}
