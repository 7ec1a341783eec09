// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/identity"
)

const (
	instance = "i-0abc1234def567890"
	scoped   = `"inScopeOf":{"issuerType":"AWS::EC2::Instance","credentialsIssuedTo":"arn:aws:ec2:eu-west-1:444455556666:instance/` + instance + `"}`
)

// ordered is a call of a service about an instance.
func ordered(id, name, service, who, request, response string, after time.Duration) string {
	return fmt.Sprintf(`{"eventID":"%s","eventName":"%s","eventSource":"%s.amazonaws.com","eventTime":"%s","userIdentity":%s,
		"requestParameters":%s,"responseElements":%s}`, id, name, service, noon.Add(after).Format(time.RFC3339), who, request, response)
}

// What a machine did is nobody's doing; who may have used it is told apart from the chain.
func TestResolveInstanceRoles(t *testing.T) {
	t.Parallel()
	const role = "Web"
	launch := ordered("l1", "RunInstances", "ec2", alice, "{}", `{"instancesSet":{"items":[{"instanceId":"i-0000000000000000f"},{"instanceId":"`+instance+`"}]}}`, -40*24*time.Hour)
	entered := ordered("s1", "StartSession", "ssm", session("ASIA7", "Admin", "bob", ""), `{"target":"`+instance+`"}`, `{"sessionId":"bob-1"}`, -time.Hour)
	put := ordered("k1", "SendSSHPublicKey", "ec2-instance-connect", alice, `{"instanceId":"`+instance+`"}`, `{"success":true}`, -2*time.Hour)
	ran := ordered("r1", "SendCommand", "ssm", root, `{"instanceIds":["i-0000000000000000f","`+instance+`"]}`, "{}", -3*time.Hour)
	use := call("use", "StopLogging", session("ASIA1", role, instance, ""), 0)
	near := []string{"s1/session_on_instance", "k1/session_on_instance", "r1/session_on_instance", "l1/launched_instance"}
	for name, tt := range map[string]struct {
		resolveCase
		carrier string
		nearby  []string
	}{
		"issued by EC2": {resolveCase{use, []string{launch, ran, put, entered, entered, assume("e1", ec2, "ASIA1", role, instance, -time.Hour)}, "service e1/key"}, instance, near},
		"AWS names the instance": {resolveCase{with(call("use", "X", with(session("ASIA1", role, instance, ""), scoped), 0), `"eventVersion":"1.11"`), []string{launch}, "service use/principal"},
			"arn:aws:ec2:eu-west-1:444455556666:instance/" + instance, near[3:]},
		"a session that is only named so": {resolveCase{use, []string{launch}, "unresolved"}, instance, near[3:]},
		"alice named her session so":      {resolveCase{use, []string{launch, assume("e1", alice, "ASIA1", role, instance, 0)}, "resolved alice e1/key"}, "", nil},
		"another instance":                {resolveCase{use, []string{strings.ReplaceAll(entered, instance, "i-0000000000000000f")}, "unresolved"}, instance, nil},
		"afterwards, too long ago, refused, by another service": {resolveCase{use, []string{
			strings.ReplaceAll(entered, "11:00", "13:00"),
			strings.ReplaceAll(strings.ReplaceAll(put, "05-04", "05-03"), "k1", "k2"),
			with(strings.ReplaceAll(entered, "s1", "s3"), `"errorCode":"AccessDenied"`),
			strings.ReplaceAll(strings.ReplaceAll(entered, "s1", "s4"), "ssm.", "evil."),
		}, "unresolved"}, instance, nil},
		"a function": {resolveCase{call("use", "X", with(session("ASIA1", role, "f", ""), `"inScopeOf":{"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn:aws:lambda:eu-west-1:444455556666:function:f"}`), 0), nil, "service use/principal"},
			"arn:aws:lambda:eu-west-1:444455556666:function:f", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := tt.check(t)
			var got []string
			for _, hop := range res.Nearby {
				got = append(got, fmt.Sprintf("%s/%s", hop.EventID, hop.Confidence))
			}
			if res.Carrier != tt.carrier || !slices.Equal(got, tt.nearby) {
				t.Errorf("carrier %q, nearby %q, want %q, %q", res.Carrier, got, tt.carrier, tt.nearby)
			}
			for _, hop := range res.Nearby {
				if !slices.Contains(res.Principals(parse(t, tt.use)), hop.Caller) {
					t.Errorf("%s may answer although he was near", hop.Caller)
				}
			}
		})
	}
}

func TestWorkloads(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]identity.Workload{
		"repo:org/app:ref:refs/heads/main":                     {Repository: "org/app", Ref: "refs/heads/main"},
		"repo:org/app:environment:prod%3Ax:actor:octocat":      {Repository: "org/app", Ref: "prod%3Ax", Actor: "octocat"},
		"repo:org/app:pull_request":                            {Repository: "org/app"},
		"repo:org/app:actor:a:actor:b":                         {},
		"actor:octocat":                                        {},
		"project_path:group/app:ref_type:branch:ref:main":      {Repository: "group/app", Ref: "main"},
		"org/1111/project/2222/user/3333":                      {Repository: "project/2222", Actor: "3333"},
		"org/1111/project/2222":                                {},
		"system:serviceaccount:kube-system:aws-node":           {},
		"organization:o:project:p:workspace:w:run_phase:apply": {},
		"": {},
	} {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			who := strings.Replace(web, "repo:org/app\"", subject+"\"", 1)
			who = strings.Replace(who, `"userName":"repo:org/app"`, `"userName":"`+subject+`"`, 1)
			use := call("use", "X", session("ASIA1", "Deploy", "GitHubActions", ""), 0)
			res := resolveCase{use, []string{issue("e1", "AssumeRoleWithWebIdentity", who, "ASIA1", `"assumedRoleUser":{"assumedRoleId":"AROADEPLOY:GitHubActions"},`, 0)}, "service e1/key"}.check(t)
			want.Provider, want.Subject = "token.example.com", subject
			if diff := cmp.Diff(&want, res.Workload); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if want.Actor != "" && !slices.Contains(res.Principals(parse(t, use)), want.Actor) {
				t.Error("who started the job may answer for it")
			}
		})
	}
}
