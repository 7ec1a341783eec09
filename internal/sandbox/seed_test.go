// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsaccount "github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
)

func TestSeed(t *testing.T) {
	w := newWorld(t, sandbox.Seed{Users: []string{"carol", "dave"}, Mail: "corp.example"})
	trail := must(w.trails().GetTrail(t.Context(), &cloudtrailapi.GetTrailInput{Name: &w.TrailARN}))(t).Trail
	if got := []bool{*w.status().IsLogging, *trail.IsMultiRegionTrail, *trail.LogFileValidationEnabled, *trail.KmsKeyId == w.KeyARN}; !cmp.Equal(got, []bool{true, true, true, true}) {
		t.Errorf("logging, multi-region, validation, key: %v", got)
	}
	contact := must(awsaccount.NewFromConfig(w.root(account, region)).GetAlternateContact(t.Context(), &awsaccount.GetAlternateContactInput{
		AlternateContactType: accounttypes.AlternateContactTypeSecurity,
	}))(t).AlternateContact
	if *contact.EmailAddress != "security@corp.example" || w.SecurityContact != *contact.EmailAddress {
		t.Errorf("security contact is %s, said to be %s", *contact.EmailAddress, w.SecurityContact)
	}
	tags := must(iam.NewFromConfig(w.root(account, region)).ListUserTags(t.Context(), &iam.ListUserTagsInput{UserName: aws.String("carol")}))(t).Tags
	if len(tags) != 1 || *tags[0].Value != "carol@corp.example" {
		t.Errorf("carol's tags: %+v", tags)
	}
	assume(t, w, "carol")
	responder := w.as(gate.BackendAccessKeyID, region)
	must(sts.NewFromConfig(responder).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &w.ResponderARN, RoleSessionName: aws.String("switchback"), SourceIdentity: aws.String("incident"),
	}))(t)
}

// TestSeedAgain leaves the account as it is, and adds a second one whose role trusts the same principal.
func TestSeedAgain(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	must(0, w.stop(w.root(account, region)))(t)
	n := len(w.Mutations())
	again := must(w.Seed(t.Context(), sandbox.Seed{Region: region}))(t)
	if d := cmp.Diff(w.Seeded, again); d != "" {
		t.Errorf("seeding again (-first +again):\n%s", d)
	}
	if *w.status().IsLogging || len(w.Mutations()) != n {
		t.Errorf("seeding again made %d changes, logging %t", len(w.Mutations())-n, *w.status().IsLogging)
	}
	second := must(w.Seed(t.Context(), sandbox.Seed{Account: member, Region: region}))(t)
	must(sts.NewFromConfig(w.as(gate.BackendAccessKeyID, region)).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &second.ResponderARN, RoleSessionName: aws.String("switchback"),
	}))(t)
}

func TestSeedTrail(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	const other = "arn:aws-us-gov:cloudtrail:us-gov-east-1:444455556666:trail/stratus"
	for range 2 {
		must(0, w.SeedTrail(t.Context(), other))(t)
	}
	gov := cloudtrailapi.NewFromConfig(w.root(member, "us-gov-east-1"))
	if s := must(gov.GetTrailStatus(t.Context(), &cloudtrailapi.GetTrailStatusInput{Name: aws.String(other)}))(t); !*s.IsLogging {
		t.Error("the trail does not log")
	}
	must(gov.StopLogging(t.Context(), &cloudtrailapi.StopLoggingInput{Name: aws.String("stratus")}))(t)
	must(0, w.SeedTrail(t.Context(), other))(t)
	if s := must(gov.GetTrailStatus(t.Context(), &cloudtrailapi.GetTrailStatusInput{Name: aws.String(other)}))(t); *s.IsLogging {
		t.Error("seeding a trail that is there changes it")
	}
	if err := w.SeedTrail(t.Context(), w.KeyARN); err == nil {
		t.Error("a key's ARN is taken for a trail's")
	}
}
