// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// selectorOperations says what a trail records.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
func selectorOperations(t table) {
	handle(t, cloudtrailService, "PutEventSelectors", writes, putEventSelectors)
	handle(t, cloudtrailService, "GetEventSelectors", reads, getEventSelectors)
	handle(t, cloudtrailService, "PutInsightSelectors", writes, putInsightSelectors)
	handle(t, cloudtrailService, "GetInsightSelectors", reads, getInsightSelectors)
}

func putEventSelectors(c *call, in *cloudtrail.PutEventSelectorsInput) (*cloudtrail.PutEventSelectorsOutput, error) {
	t, err := c.trailToChange(aws.ToString(in.TrailName))
	if err != nil {
		return nil, err
	}
	if err := checkSelectors(in.EventSelectors, in.AdvancedEventSelectors); err != nil {
		return nil, err
	}
	basic := clone(in.EventSelectors)
	for i := range basic {
		if basic[i].IncludeManagementEvents == nil {
			basic[i].IncludeManagementEvents = aws.Bool(true)
		}
		if basic[i].ReadWriteType == "" {
			basic[i].ReadWriteType = types.ReadWriteTypeAll
		}
	}
	c.same = t.custom && sameJSON(t.selectors, basic) && sameJSON(t.advanced, in.AdvancedEventSelectors)
	t.selectors, t.advanced, t.custom = basic, in.AdvancedEventSelectors, true
	return &cloudtrail.PutEventSelectorsOutput{
		TrailARN: aws.String(t.arn), EventSelectors: clone(t.selectors), AdvancedEventSelectors: clone(t.advanced),
	}, nil
}

// checkSelectors applies the rules on the shape of selectors.
func checkSelectors(basic []types.EventSelector, advanced []types.AdvancedEventSelector) error {
	bad := func(format string, args ...any) error {
		return fail(400, &types.InvalidEventSelectorsException{Message: msg(format, args...)})
	}
	switch {
	case len(basic) > 0 && len(advanced) > 0:
		return bad("Specify either EventSelectors or AdvancedEventSelectors, not both.")
	case len(basic) == 0 && len(advanced) == 0:
		return bad("Specify EventSelectors or AdvancedEventSelectors.")
	case len(basic) > 5:
		return bad("A trail can have up to five event selectors.")
	}
	resources := 0
	for _, s := range basic {
		resources += dataResources(s)
		if rw := s.ReadWriteType; rw != "" && !slices.Contains(rw.Values(), rw) {
			return bad("ReadWriteType %.40q is not ReadOnly, WriteOnly or All.", rw)
		}
		for _, source := range s.ExcludeManagementEventSources {
			if !excludable[source] {
				return bad("ExcludeManagementEventSources cannot contain %.80q.", source)
			}
		}
	}
	if resources > 250 {
		return bad("A trail can have up to 250 data resources.")
	}
	for _, s := range advanced {
		if !slices.ContainsFunc(s.FieldSelectors, isCategory) {
			return bad("An advanced event selector needs a field selector eventCategory with Equals.")
		}
	}
	return nil
}

// excludable are the event sources that a trail may leave out.
var excludable = map[string]bool{hostOf("kms"): true, hostOf("rdsdata"): true}

func dataResources(s types.EventSelector) int {
	n := 0
	for _, d := range s.DataResources {
		n += len(d.Values)
	}
	return n
}

func isCategory(f types.AdvancedFieldSelector) bool {
	return aws.ToString(f.Field) == "eventCategory" && len(f.Equals) == 1
}

func getEventSelectors(c *call, in *cloudtrail.GetEventSelectorsInput) (*cloudtrail.GetEventSelectorsOutput, error) {
	t, err := c.trailToRead(aws.ToString(in.TrailName))
	if err != nil {
		return nil, err
	}
	out := &cloudtrail.GetEventSelectorsOutput{TrailARN: aws.String(t.arn)}
	switch {
	case len(t.advanced) > 0:
		out.AdvancedEventSelectors = clone(t.advanced)
	case len(t.selectors) > 0:
		out.EventSelectors = clone(t.selectors)
	default:
		out.EventSelectors = []types.EventSelector{{
			ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true),
			DataResources: []types.DataResource{}, ExcludeManagementEventSources: []string{},
		}}
	}
	return out, nil
}

func putInsightSelectors(c *call, in *cloudtrail.PutInsightSelectorsInput) (*cloudtrail.PutInsightSelectorsOutput, error) {
	t, err := c.trailToChange(aws.ToString(in.TrailName))
	if err != nil {
		return nil, err
	}
	for _, s := range in.InsightSelectors {
		if !slices.Contains(s.InsightType.Values(), s.InsightType) {
			return nil, fail(400, &types.InvalidInsightSelectorsException{Message: msg("InsightType %.40q is unknown.", s.InsightType)})
		}
	}
	c.same = sameJSON(t.insights, in.InsightSelectors) || len(t.insights)+len(in.InsightSelectors) == 0
	t.insights = in.InsightSelectors
	return &cloudtrail.PutInsightSelectorsOutput{TrailARN: aws.String(t.arn), InsightSelectors: clone(t.insights)}, nil
}

func getInsightSelectors(c *call, in *cloudtrail.GetInsightSelectorsInput) (*cloudtrail.GetInsightSelectorsOutput, error) {
	t, err := c.trailToRead(aws.ToString(in.TrailName))
	if err != nil {
		return nil, err
	}
	if len(t.insights) == 0 {
		return nil, fail(400, &types.InsightNotEnabledException{Message: msg("Trail %s does not have Insights enabled.", t.arn)})
	}
	return &cloudtrail.GetInsightSelectorsOutput{TrailARN: aws.String(t.arn), InsightSelectors: clone(t.insights)}, nil
}
