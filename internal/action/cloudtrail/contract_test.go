// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/action/actiontest"
)

// contractCase breaks the trail so that an action has something to do.
type contractCase struct {
	name, action string
	noWant       bool
	damage       func(w *world)
	notInMoto    string // why
}

var contractCases = []contractCase{
	{name: "start", action: "cloudtrail:StartLogging", noWant: true, damage: func(w *world) { w.stop() }},
	{name: "create", action: "cloudtrail:CreateTrail", damage: func(w *world) {
		_, err := w.admin.DeleteTrail(w.t.Context(), &api.DeleteTrailInput{Name: aws.String("main")})
		check(w.t, err)
	}},
	{name: "update", action: "cloudtrail:UpdateTrail", damage: func(w *world) {
		_, err := w.admin.UpdateTrail(w.t.Context(), &api.UpdateTrailInput{
			Name: aws.String("main"), IsMultiRegionTrail: aws.Bool(false), IncludeGlobalServiceEvents: aws.Bool(false),
			EnableLogFileValidation: aws.Bool(false), KmsKeyId: aws.String(""),
		})
		check(w.t, err)
	}},
	{name: "other bucket", action: "cloudtrail:UpdateTrail", damage: func(w *world) {
		in := &api.UpdateTrailInput{Name: aws.String("main"), S3BucketName: aws.String("other-444455556666")}
		if w.sandbox != nil {
			in = &api.UpdateTrailInput{Name: aws.String("main"), EnableLogFileValidation: aws.Bool(false)}
		}
		_, err := w.admin.UpdateTrail(w.t.Context(), in)
		check(w.t, err)
	}},
	{name: "classic selectors", action: "cloudtrail:PutEventSelectors", damage: func(w *world) {
		_, err := w.admin.PutEventSelectors(w.t.Context(), &api.PutEventSelectorsInput{TrailName: aws.String("main"), EventSelectors: []types.EventSelector{{
			ReadWriteType: types.ReadWriteTypeReadOnly, IncludeManagementEvents: aws.Bool(true),
		}}})
		check(w.t, err)
	}},
	{name: "advanced selectors", action: "cloudtrail:PutEventSelectors", notInMoto: "putting classic selectors keeps the advanced ones", damage: func(w *world) {
		_, err := w.admin.PutEventSelectors(w.t.Context(), &api.PutEventSelectorsInput{TrailName: aws.String("main"), AdvancedEventSelectors: []types.AdvancedEventSelector{{
			FieldSelectors: []types.AdvancedFieldSelector{
				{Field: aws.String("eventCategory"), Equals: []string{"Management"}},
				{Field: aws.String("readOnly"), Equals: []string{"true"}},
			},
		}}})
		check(w.t, err)
	}},
	{name: "insights", action: "cloudtrail:PutInsightSelectors", notInMoto: "PutInsightSelectors adds, and never turns off", damage: func(w *world) {
		_, err := w.admin.PutInsightSelectors(w.t.Context(), &api.PutInsightSelectorsInput{TrailName: aws.String("main"), InsightSelectors: []types.InsightSelector{}})
		check(w.t, err)
	}},
	{name: "tags", action: "cloudtrail:AddTags", damage: func(w *world) {
		_, err := w.admin.RemoveTags(w.t.Context(), &api.RemoveTagsInput{ResourceId: aws.String(string(w.arn)), TagsList: []types.Tag{{Key: aws.String("team"), Value: aws.String("security")}}})
		check(w.t, err)
	}},
}

// emergency is a world in which the bucket of the trail is lost, with another one in reserve.
func emergency(w *world) actiontest.World {
	out := contractCase{noWant: true, damage: func(*world) {}}.contract(w)
	reserve := w.bucket + "-reserve"
	w.otherBucket(reserve)
	out.Params = `{"trail":"` + string(w.arn) + `","name":"x-1"}`
	out.Reserve = action.Reserve{Bucket: reserve, Account: account}
	out.State = func() string {
		list, err := w.admin.DescribeTrails(w.t.Context(), &api.DescribeTrailsInput{})
		check(w.t, err)
		text, err := json.Marshal(list.TrailList)
		check(w.t, err)
		return string(text)
	}
	return out
}

func TestEmergencyTrailContract(t *testing.T) {
	actiontest.Run(t, actiontest.Contract{
		Action: "cloudtrail:CreateEmergencyTrail",
		New:    func(t testing.TB) actiontest.World { return emergency(newSandbox(t, "eu-west-1")) },
	})
}

func (w *world) stop() {
	_, err := w.admin.StopLogging(w.t.Context(), &api.StopLoggingInput{Name: aws.String("main")})
	check(w.t, err)
}

// contract is the world of the contract suite: broken, with what the trail was before as parameters.
func (c contractCase) contract(w *world) actiontest.World {
	params := `{"trail":"` + string(w.arn) + `"}`
	if !c.noWant {
		params = `{"trail":"` + string(w.arn) + `","want":` + string(w.read().JSON()) + `}`
	}
	c.damage(w)
	out := actiontest.World{
		Endpoint: w.endpoint, Accounts: w.accounts(), Region: w.region, Clock: w.now(), Params: params, State: w.describe,
	}
	if w.sandbox != nil {
		out.Backend = w.sandbox
	}
	return out
}

func TestContractInSandbox(t *testing.T) {
	regions := map[string]string{"start": "us-gov-west-1", "create": "cn-north-1"}
	for _, c := range contractCases {
		t.Run(c.name, func(t *testing.T) {
			region := regions[c.name]
			if region == "" {
				region = "eu-west-1"
			}
			actiontest.Run(t, actiontest.Contract{
				Action: c.action, New: func(t testing.TB) actiontest.World { return c.contract(newSandbox(t, region)) },
			})
		})
	}
}

func TestContractInMoto(t *testing.T) {
	for _, c := range contractCases {
		t.Run(c.name, func(t *testing.T) {
			if c.notInMoto != "" {
				t.Logf("moto lacks this: %s", c.notInMoto)
				return
			}
			actiontest.Run(t, actiontest.Contract{
				Action: c.action, New: func(t testing.TB) actiontest.World { return c.contract(newMoto(t, "eu-west-1")) },
				NoKills: c.name != "start", // the others are killed in the sandbox
			})
		})
	}
}
