// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// TestKeysThatOpenNothing: each service refuses in its own words.
func TestKeysThatOpenNothing(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	nobody := gate.BackendConfig(w.Sandbox, account, region, aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE"}, "")
	calls := map[string]func(cfg aws.Config) error{
		"CloudTrail": func(cfg aws.Config) error { return w.stop(cfg) },
		"IAM": func(cfg aws.Config) error {
			_, err := iam.NewFromConfig(cfg).GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("alice")})
			return err
		},
		"KMS": func(cfg aws.Config) error {
			_, err := kms.NewFromConfig(cfg).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &w.KeyARN})
			return err
		},
		"S3": func(cfg aws.Config) error {
			_, err := s3.NewFromConfig(cfg).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &w.Bucket})
			return err
		},
		"SQS": func(cfg aws.Config) error {
			_, err := sqs.NewFromConfig(cfg).ListQueues(t.Context(), &sqs.ListQueuesInput{})
			return err
		},
		"STS": func(cfg aws.Config) error {
			_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		},
	}
	want := map[string]string{
		"CloudTrail": "UnrecognizedClientException", "IAM": "InvalidClientTokenId", "KMS": "UnrecognizedClientException",
		"S3": "InvalidAccessKeyId", "SQS": "InvalidClientTokenId", "STS": "InvalidClientTokenId",
	}
	got := map[string]string{}
	for name, call := range calls {
		got[name] = code(call(nobody))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("an unknown key (-want +got):\n%s", d)
	}

	session := w.as(assume(t, w, "alice"), region)
	w.clock.Advance(time.Hour)
	if got := code(w.stop(session)); got != "ExpiredTokenException" {
		t.Errorf("an expired session: %s", got)
	}
	session = w.as(assume(t, w, "alice"), region)
	must(iam.NewFromConfig(w.root(account, region)).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("Deploy")}))(t)
	if got := code(w.stop(session)); got != "UnrecognizedClientException" {
		t.Errorf("a session of a deleted role: %s", got)
	}
	foreign := gate.BackendConfig(w.Sandbox, account, "cn-north-1", must(w.Root(account))(t), "")
	if got := code(w.stop(foreign)); got != "UnrecognizedClientException" {
		t.Errorf("a key in another partition: %s", got)
	}
}

func TestRoleChain(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	must(iam.NewFromConfig(w.root(account, region)).CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String("Second"), AssumeRolePolicyDocument: aws.String(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"` + w.RoleARN +
			`"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"],"Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}`),
	}))(t)
	first := sts.NewFromConfig(w.as(assume(t, w, "alice"), region))
	in := func() *sts.AssumeRoleInput {
		return &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + account + ":role/Second"), RoleSessionName: aws.String("deep"), ExternalId: aws.String("x")}
	}
	got := must(first.AssumeRole(t.Context(), in()))(t)
	if aws.ToString(got.SourceIdentity) != "alice" {
		t.Errorf("source identity is %q, want alice along the chain", aws.ToString(got.SourceIdentity))
	}
	for name, c := range map[string]struct {
		change func(*sts.AssumeRoleInput)
		client *sts.Client
		want   string
	}{
		"wrong external id":       {func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("y") }, first, "AccessDenied"},
		"another source identity": {func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("bob") }, first, "AccessDenied"},
		"longer than an hour":     {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, first, "ValidationError"},
		"root":                    {func(*sts.AssumeRoleInput) {}, sts.NewFromConfig(w.root(account, region)), "AccessDenied"},
		"not trusted":             {func(*sts.AssumeRoleInput) {}, sts.NewFromConfig(w.as(w.AccessKeys["bob"], region)), "AccessDenied"},
	} {
		x := in()
		c.change(x)
		if _, err := c.client.AssumeRole(t.Context(), x); code(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestContainedSession denies one session by the narrowest policy that AWS has, as a response does.
func TestContainedSession(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	bad, good := w.as(assume(t, w, "alice"), region), must(sts.NewFromConfig(w.as(w.AccessKeys["alice"], region)).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &w.RoleARN, RoleSessionName: aws.String("pipeline"),
	}))(t)
	id := *must(sts.NewFromConfig(bad).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t).UserId
	roles := iam.NewFromConfig(w.root(account, region))
	must(roles.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String("Deploy"), PolicyName: aws.String("contain"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*",` +
			`"Condition":{"StringEquals":{"aws:userid":"` + id + `"},"DateLessThanEquals":{"aws:TokenIssueTime":"` + w.clock.Now().Format(time.RFC3339) + `"}}}]}`),
	}))(t)
	if got := code(w.stop(bad)); got != "AccessDeniedException" {
		t.Errorf("the contained session: %q", got)
	}
	if err := w.stop(w.as(*good.Credentials.AccessKeyId, region)); err != nil {
		t.Errorf("another session of the role: %v", err)
	}
	must(roles.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("Deploy"), PolicyName: aws.String("contain")}))(t)
	if err := w.start(bad); err != nil {
		t.Errorf("after undoing: %v", err)
	}
	w.clock.Advance(time.Second)
	if err := w.start(w.as(assume(t, w, "alice"), region)); err != nil {
		t.Errorf("a later session: %v", err)
	}
}

func TestDenyAndAllow(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	alice, bob := w.as(w.AccessKeys["alice"], region), w.as(w.AccessKeys["bob"], region)
	must(0, w.Deny("arn:aws:iam::"+account+":user/alice", "cloudtrail:StopLogging"))(t)
	err := w.stop(alice)
	if code(err) != "AccessDeniedException" || !strings.Contains(err.Error(), "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: cloudtrail:StopLogging on resource: "+w.TrailARN) {
		t.Errorf("the denied user: %v", err)
	}
	var status interface{ HTTPStatusCode() int }
	if !errors.As(err, &status) || status.HTTPStatusCode() != 403 {
		t.Errorf("no status 403 in %v", err)
	}
	must(0, w.stop(bob))(t)
	must(0, w.Deny(account, "cloudtrail:start*"))(t)
	if err := w.start(w.root(account, region)); code(err) != "AccessDeniedException" || !strings.Contains(err.Error(), "service control policy") {
		t.Errorf("root of a denied account: %v", err)
	}
	must(0, w.Allow(account, "cloudtrail:start*"))(t)
	must(0, w.start(bob))(t)
	got := w.history(w.root(account, region), "StopLogging")
	if len(got) != 2 || got[1].ErrorCode != "AccessDenied" || got[0].ErrorCode != "" {
		t.Errorf("history has %d stops, want a success and, before it, an AccessDenied", len(got))
	}
}

// TestLockedBucket: a policy that denies everybody is a job for root.
func TestLockedBucket(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.setPolicy(t, `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::`+w.Bucket+`","arn:aws:s3:::`+w.Bucket+`/*"]}]}`)
	if _, err := s3.NewFromConfig(w.as(w.AccessKeys["alice"], region)).DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &w.Bucket}); code(err) != "AccessDenied" {
		t.Errorf("a user deletes the policy: %v", err)
	}
	if _, err := w.buckets().GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: &w.Bucket}); code(err) != "AccessDenied" {
		t.Errorf("root reads something else: %v", err)
	}
	must(w.buckets().DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &w.Bucket}))(t)
}

// TestSessionPolicy: a federated user may do what both allow.
func TestSessionPolicy(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	out := must(sts.NewFromConfig(w.as(w.AccessKeys["alice"], region)).GetFederationToken(t.Context(), &sts.GetFederationTokenInput{
		Name: aws.String("carol"), Policy: aws.String(`{"Statement":[{"Effect":"Allow","Action":"cloudtrail:Describe*","Resource":"*"}]}`),
	}))(t)
	carol := w.as(*out.Credentials.AccessKeyId, region)
	must(cloudtrailapi.NewFromConfig(carol).DescribeTrails(t.Context(), &cloudtrailapi.DescribeTrailsInput{}))(t)
	if got := code(w.stop(carol)); got != "AccessDeniedException" {
		t.Errorf("outside of the session policy: %q", got)
	}
}

// TestAddPrincipal puts callers of records in place and compares what their calls then record.
func TestAddPrincipal(t *testing.T) {
	at := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	no := false
	for _, id := range []cloudtrail.UserIdentity{
		{Type: "IAMUser", PrincipalID: "AIDAEXAMPLEDAVE000001", ARN: "arn:aws:iam::444455556666:user/ops/dave", AccountID: member, AccessKeyID: "AKIAEXAMPLE000000001", UserName: "dave"},
		{Type: "Root", PrincipalID: member, ARN: "arn:aws:iam::444455556666:root", AccountID: member, AccessKeyID: "AKIAEXAMPLE000000002"},
		{
			Type: "AssumedRole", PrincipalID: "AROAEXAMPLEADMIN00001:alice@example.com", AccountID: member, AccessKeyID: "ASIAEXAMPLE000000003",
			ARN: "arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_Admin/alice@example.com",
			SessionContext: &cloudtrail.SessionContext{CreationDate: at, MFAAuthenticated: &no, SessionIssuer: cloudtrail.SessionIssuer{
				Type: "Role", PrincipalID: "AROAEXAMPLEADMIN00001", AccountID: member, UserName: "AWSReservedSSO_Admin",
				ARN: "arn:aws:iam::444455556666:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin",
			}},
		},
	} {
		t.Run(id.Type, func(t *testing.T) {
			w := newWorld(t, sandbox.Seed{})
			key := must(w.AddPrincipal(id))(t)
			if key != id.AccessKeyID {
				t.Errorf("key is %s, want the record's", key)
			}
			must(cloudtrailapi.NewFromConfig(w.as(key, region)).ListTrails(t.Context(), &cloudtrailapi.ListTrailsInput{}))(t)
			got := w.history(w.root(member, region), "ListTrails")
			if len(got) != 1 {
				t.Fatalf("%d records", len(got))
			}
			if d := cmp.Diff(id, got[0].UserIdentity); d != "" {
				t.Errorf("identity (-want +got):\n%s", d)
			}
		})
	}
	w := newWorld(t, sandbox.Seed{})
	if _, err := w.AddPrincipal(cloudtrail.UserIdentity{Type: "AWSService", InvokedBy: "s3.amazonaws.com"}); !errors.Is(err, sandbox.ErrUnknown) {
		t.Errorf("adding a service: %v", err)
	}
}
