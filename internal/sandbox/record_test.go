// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsaccount "github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

var update = flag.Bool("update", false, "write the golden files")

// TestRecords compares the records of a scene with a golden file: every kind of identity, the shapes of parameters and
// responses, errors, cross-account copies.
func TestRecords(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.clock.Advance(time.Hour)
	play(t, w)
	var got bytes.Buffer
	known := labels{}
	for _, where := range []struct{ account, region string }{{account, region}, {account, "us-east-1"}, {member, region}} {
		fmt.Fprintf(&got, "== %s %s\n", where.account, where.region)
		events := w.history(w.root(where.account, where.region), "")
		slices.Reverse(events)
		for _, r := range events {
			if r.UserAgent != "switchback-sandbox" {
				got.Write(known.replace(r.Raw))
			}
		}
	}
	golden := filepath.Join("testdata", "records.golden")
	if *update {
		must(0, os.WriteFile(golden, got.Bytes(), 0o644))(t)
	}
	want := must(os.ReadFile(golden))(t)
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("records (-want +got), run with -update to accept:\n%s", d)
	}
}

// labels replaces ids by their kind and the order in which they appear, so that the golden file shows what is linked to
// what and nothing else.
type labels map[string]string

var madeUp = regexp.MustCompile(`\b(AKIA|ASIA|AIDA|AROA)[A-Z2-7]{16,17}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{40}\b|aws-sdk-go-v2/[0-9.]+`)

func (l labels) replace(record []byte) []byte {
	var text bytes.Buffer
	if err := json.Indent(&text, record, "", " "); err != nil {
		return []byte(err.Error())
	}
	text.WriteByte('\n')
	return madeUp.ReplaceAllFunc(text.Bytes(), func(id []byte) []byte {
		if _, ok := l[string(id)]; !ok {
			l[string(id)] = kindOf(id) + fmt.Sprint(len(l)+1)
		}
		return []byte(l[string(id)])
	})
}

// play makes one call of each interesting kind.
func play(t *testing.T, w *world) {
	ctx := t.Context()
	must(0, w.AddAccount(member, "aws", "tenant"))(t)
	must(iam.NewFromConfig(w.root(member, region)).CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("Audit"), Path: aws.String("/ops/"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`),
	}))(t)
	session := w.as(assume(t, w, "alice"), region)
	must(sts.NewFromConfig(session).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + member + ":role/ops/Audit"), RoleSessionName: aws.String("chained"),
	}))(t)
	must(0, w.stop(session))(t)
	trails := cloudtrailapi.NewFromConfig(session)
	must(trails.PutEventSelectors(ctx, &cloudtrailapi.PutEventSelectorsInput{TrailName: aws.String("main"), EventSelectors: []types.EventSelector{{
		ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true), DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{}}},
	}}}))(t)
	must(trails.UpdateTrail(ctx, &cloudtrailapi.UpdateTrailInput{Name: aws.String("main"), EnableLogFileValidation: aws.Bool(false)}))(t)
	_, err := trails.DeleteTrail(ctx, &cloudtrailapi.DeleteTrailInput{Name: aws.String("nobody")})
	if code(err) != "TrailNotFoundException" {
		t.Errorf("deleting an unknown trail: %v", err)
	}
	must(0, w.Deny("arn:aws:iam::"+account+":user/bob", "kms:*"))(t)
	bob := w.as(w.AccessKeys["bob"], region)
	if _, err := kms.NewFromConfig(bob).DisableKey(ctx, &kms.DisableKeyInput{KeyId: &w.KeyARN}); code(err) != "AccessDeniedException" {
		t.Errorf("a denied call: %v", err)
	}
	playBuckets(t, w, session)
	playIdentities(t, w, bob)
}

func playBuckets(t *testing.T, w *world, cfg aws.Config) {
	ctx, buckets := t.Context(), s3.NewFromConfig(cfg)
	w.readPolicy(t)
	must(buckets.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &w.Bucket, Policy: &w.policy, ExpectedBucketOwner: aws.String(account)}))(t)
	must(buckets.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: &w.Bucket, LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{
		Rules: []s3types.LifecycleRule{{ID: aws.String("x"), Status: s3types.ExpirationStatusEnabled, Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("AWSLogs/")}, Expiration: &s3types.LifecycleExpiration{Days: aws.Int32(1)}}},
	}}))(t)
	must(buckets.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &w.Bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}}))(t)
	must(buckets.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: &w.Bucket}))(t)
	must(buckets.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &w.Bucket}))(t)
	foreign := s3.NewFromConfig(w.root(member, region))
	if _, err := foreign.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &w.Bucket}); code(err) != "AccessDenied" {
		t.Errorf("a foreign account reads the policy: %v", err)
	}
}

func playIdentities(t *testing.T, w *world, bob aws.Config) {
	ctx := t.Context()
	token := *must(sts.NewFromConfig(bob).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("carol")}))(t).Credentials.AccessKeyId
	must(cloudtrailapi.NewFromConfig(w.as(token, region)).ListTrails(ctx, &cloudtrailapi.ListTrailsInput{}))(t)
	root := w.root(account, region)
	must(awsaccount.NewFromConfig(root).PutAlternateContact(ctx, &awsaccount.PutAlternateContactInput{
		AlternateContactType: accounttypes.AlternateContactTypeBilling, EmailAddress: aws.String("b@example.com"), Name: aws.String("B"),
		PhoneNumber: aws.String("1"), Title: aws.String("T"),
	}))(t)
	must(iam.NewFromConfig(root).CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("bob")}))(t)
	createUser(t, root, "mallory")
	anonymous := sts.NewFromConfig(gate.BackendConfig(w.Sandbox, account, region, aws.Credentials{}, ""))
	federate(t, w, anonymous)
}

// federate adds a role for each kind of provider and assumes both.
func federate(t *testing.T, w *world, anonymous *sts.Client) {
	roles := iam.NewFromConfig(w.root(account, region))
	saml, oidc := "arn:aws:iam::"+account+":saml-provider/idp", "arn:aws:iam::"+account+":oidc-provider/token.example.com"
	for _, r := range [][2]string{
		{"BySAML", fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Principal":{"Federated":%q},"Action":"sts:AssumeRoleWithSAML"}]}`, saml)},
		{"ByOIDC", fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Principal":{"Federated":%q},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"token.example.com:sub":"repo:o/*"}}}]}`, oidc)},
	} {
		must(roles.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &r[0], AssumeRolePolicyDocument: &r[1]}))(t)
	}
	assertion := base64.StdEncoding.EncodeToString([]byte(`<Response ID="_r"><Assertion ID="_a"><Issuer>https://idp.example.com</Issuer><Subject><NameID>carol</NameID></Subject><AttributeStatement>` +
		`<Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><AttributeValue>carol@example.com</AttributeValue></Attribute></AttributeStatement></Assertion></Response>`))
	must(anonymous.AssumeRoleWithSAML(t.Context(), &sts.AssumeRoleWithSAMLInput{
		RoleArn: aws.String("arn:aws:iam::" + account + ":role/BySAML"), PrincipalArn: &saml, SAMLAssertion: &assertion,
	}))(t)
	jwt := func(subject string) *string {
		return aws.String("e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://token.example.com","sub":"`+subject+`","aud":"sts"}`)) + ".c2ln")
	}
	in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: aws.String("arn:aws:iam::" + account + ":role/ByOIDC"), RoleSessionName: aws.String("ci"), WebIdentityToken: jwt("repo:o/r")}
	key := *must(anonymous.AssumeRoleWithWebIdentity(t.Context(), in))(t).Credentials.AccessKeyId
	must(0, w.start(w.as(key, region)))(t)
	in.WebIdentityToken = jwt("repo:other/r")
	if _, err := anonymous.AssumeRoleWithWebIdentity(t.Context(), in); code(err) != "AccessDenied" {
		t.Errorf("a subject that the role does not trust: %v", err)
	}
}

// TestRecordsLookLikeAWSs compares the member names of our records with those that AWS wrote, call by call.
func TestRecordsLookLikeAWSs(t *testing.T) {
	theirs := map[string]cloudtrail.Record{}
	file := must(os.Open(thirdparty.Path(t, "stratus/events.jsonl")))(t)
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line struct{ Event json.RawMessage }
		must(0, json.Unmarshal(scanner.Bytes(), &line))(t)
		text := []byte(line.Event)
		if text == nil {
			text = bytes.Clone(scanner.Bytes())
		}
		r := must(cloudtrail.ParseRecord(text))(t)
		if r.ErrorCode == "" && r.UserIdentity.Type != "Root" {
			theirs[r.EventName] = r
		}
	}
	w := newWorld(t, sandbox.Seed{})
	playLikeStratus(t, w)
	compared := 0
	for _, region := range []string{region, "us-east-1"} {
		for _, ours := range w.history(w.root(account, region), "") {
			his, ok := theirs[ours.EventName]
			if !ok || ours.UserAgent == "switchback-sandbox" {
				continue
			}
			compared++
			if d := cmp.Diff(paths(t, his.Raw), paths(t, ours.Raw)); d != "" {
				t.Errorf("%s (-AWS's +ours):\n%s", ours.EventName, d)
			}
		}
	}
	if compared < 8 {
		t.Errorf("compared %d records, want at least 8", compared)
	}
}

// playLikeStratus makes the calls that the recordings hold, with the same members.
func playLikeStratus(t *testing.T, w *world) {
	ctx := t.Context()
	alice := w.as(w.AccessKeys["alice"], region)
	trails, users, tokens := cloudtrailapi.NewFromConfig(alice), iam.NewFromConfig(alice), sts.NewFromConfig(alice)
	must(trails.StopLogging(ctx, &cloudtrailapi.StopLoggingInput{Name: aws.String("main")}))(t)
	must(trails.PutEventSelectors(ctx, &cloudtrailapi.PutEventSelectorsInput{TrailName: aws.String("main"), EventSelectors: []types.EventSelector{{
		ReadWriteType: types.ReadWriteTypeReadOnly, IncludeManagementEvents: aws.Bool(false), ExcludeManagementEventSources: []string{},
		DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{}}},
	}}}))(t)
	must(trails.DeleteTrail(ctx, &cloudtrailapi.DeleteTrailInput{Name: aws.String("main")}))(t)
	must(users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("bob")}))(t)
	role := must(tokens.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &w.RoleARN, RoleSessionName: aws.String("session"), DurationSeconds: aws.Int32(900)}))(t)
	must(sts.NewFromConfig(w.as(*role.Credentials.AccessKeyId, region)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))(t)
	must(tokens.GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("carol"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}))(t)
	must(users.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`)}))(t)
	must(users.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("r"), PolicyDocument: aws.String(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`)}))(t)
}

// paths lists the members of a JSON value with their types, "a.b string", lists by their first element. Members that
// depend on what the recorded caller did are left out.
func paths(t *testing.T, text []byte) []string {
	t.Helper()
	var v any
	must(0, json.Unmarshal(text, &v))(t)
	var out []string
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				walk(strings.TrimPrefix(at+"."+k, "."), x)
			}
		case []any:
			if len(v) > 0 {
				walk(at+"[]", v[0])
			}
		default:
			out = append(out, fmt.Sprintf("%s %T", at, v))
		}
	}
	walk("", v)
	slices.Sort(out)
	return slices.DeleteFunc(out, func(p string) bool {
		return strings.Contains(p, "permissionsBoundary") || strings.Contains(p, "ec2RoleDelivery") || strings.Contains(p, "packedPolicySize")
	})
}

// kindOf is the prefix of an IAM id, "id " for others.
func kindOf(id []byte) string {
	if bytes.ContainsAny(id, "-abcdef") {
		return "id "
	}
	return string(id[:4]) + " "
}
