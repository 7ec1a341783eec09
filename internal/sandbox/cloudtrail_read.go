// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// cloudtrailOperations reads trails and tags them.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Operations.html
func cloudtrailOperations(t table) {
	handle(t, cloudtrailService, "GetTrail", reads, getTrail)
	handle(t, cloudtrailService, "GetTrailStatus", reads, getTrailStatus)
	handle(t, cloudtrailService, "DescribeTrails", reads, describeTrails)
	handle(t, cloudtrailService, "ListTrails", reads, listTrails)
	handle(t, cloudtrailService, "AddTags", writes, addTrailTags)
	handle(t, cloudtrailService, "RemoveTags", writes, removeTrailTags)
	handle(t, cloudtrailService, "ListTags", reads, listTrailTags)
}

// describe is the trail as the API shows it.
func (t *trail) describe() types.Trail {
	d := types.Trail{
		Name: &t.name, TrailARN: &t.arn, HomeRegion: &t.home, S3BucketName: &t.destination.bucket,
		S3KeyPrefix: filled(t.destination.prefix), KmsKeyId: filled(t.destination.key),
		IncludeGlobalServiceEvents: &t.global, IsMultiRegionTrail: &t.multiRegion, IsOrganizationTrail: &t.organization,
		LogFileValidationEnabled: &t.validation, HasCustomEventSelectors: &t.custom,
		HasInsightSelectors:       aws.Bool(len(t.insights) > 0),
		CloudWatchLogsLogGroupArn: filled(t.logGroup), CloudWatchLogsRoleArn: filled(t.logRole),
	}
	if p, err := arn.Parse(t.destination.topic); err == nil {
		//lint:ignore SA1019 AWS still answers the old name beside the ARN
		d.SnsTopicARN, d.SnsTopicName = &t.destination.topic, aws.String(p.Resource)
	}
	return clone(d)
}

// filled is a pointer to s, nil when s is empty: AWS leaves empty members out.
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// moment is a pointer to t, nil when there was none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// sameJSON compares two values of the API.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func getTrail(c *call, in *cloudtrail.GetTrailInput) (*cloudtrail.GetTrailOutput, error) {
	t, err := c.trailToRead(aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	d := t.describe()
	return &cloudtrail.GetTrailOutput{Trail: &d}, nil
}

func getTrailStatus(c *call, in *cloudtrail.GetTrailStatusInput) (*cloudtrail.GetTrailStatusOutput, error) {
	t, err := c.trailToRead(aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	return &cloudtrail.GetTrailStatusOutput{
		IsLogging:               aws.Bool(t.logging),
		StartLoggingTime:        moment(t.started),
		StopLoggingTime:         moment(t.stopped),
		LatestDeliveryTime:      moment(t.delivered),
		LatestDeliveryError:     filled(t.deliveryError),
		LatestNotificationTime:  moment(t.notified),
		LatestNotificationError: filled(t.notifyingError),
	}, nil
}

func describeTrails(c *call, in *cloudtrail.DescribeTrailsInput) (*cloudtrail.DescribeTrailsOutput, error) {
	out := &cloudtrail.DescribeTrailsOutput{TrailList: []types.Trail{}}
	shadows := in.IncludeShadowTrails == nil || *in.IncludeShadowTrails
	for _, t := range c.account().trailsIn(c.region) {
		shadow := t.home != c.region || t.account != c.account()
		named := len(in.TrailNameList) == 0 || slices.Contains(in.TrailNameList, t.arn) || slices.Contains(in.TrailNameList, t.name)
		if named && (shadows || !shadow) {
			out.TrailList = append(out.TrailList, t.describe())
		}
	}
	return out, nil
}

func listTrails(c *call, _ *cloudtrail.ListTrailsInput) (*cloudtrail.ListTrailsOutput, error) {
	out := &cloudtrail.ListTrailsOutput{Trails: []types.TrailInfo{}}
	list := func(of *account, only bool) {
		for _, t := range of.trails {
			if !only || t.organization {
				out.Trails = append(out.Trails, clone(types.TrailInfo{Name: &t.name, TrailARN: &t.arn, HomeRegion: &t.home}))
			}
		}
	}
	list(c.account(), false)
	if o := c.account().organization; o != nil && o.management != c.account() {
		list(o.management, true)
	}
	return out, nil
}

func cloudtrailTags(list []types.Tag) tags {
	var out tags
	for _, t := range list {
		out = out.with(aws.ToString(t.Key), aws.ToString(t.Value))
	}
	return out
}

func addTrailTags(c *call, in *cloudtrail.AddTagsInput) (*cloudtrail.AddTagsOutput, error) {
	t, err := c.trailToChange(aws.ToString(in.ResourceId))
	if err != nil {
		return nil, err
	}
	next := t.tags
	for k, v := range cloudtrailTags(in.TagsList) {
		next = next.with(k, v)
	}
	if len(next) > 50 {
		return nil, fail(400, &types.TagsLimitExceededException{Message: msg("A trail can have up to 50 tags.")})
	}
	c.same = next.equal(t.tags)
	t.tags = next
	return &cloudtrail.AddTagsOutput{}, nil
}

func removeTrailTags(c *call, in *cloudtrail.RemoveTagsInput) (*cloudtrail.RemoveTagsOutput, error) {
	t, err := c.trailToChange(aws.ToString(in.ResourceId))
	if err != nil {
		return nil, err
	}
	next := t.tags
	for _, tag := range in.TagsList {
		next = next.without(aws.ToString(tag.Key))
	}
	c.same = next.equal(t.tags)
	t.tags = next
	return &cloudtrail.RemoveTagsOutput{}, nil
}

func listTrailTags(c *call, in *cloudtrail.ListTagsInput) (*cloudtrail.ListTagsOutput, error) {
	out := &cloudtrail.ListTagsOutput{}
	for _, id := range in.ResourceIdList {
		t, err := c.trailToRead(id)
		if err != nil {
			return nil, err
		}
		list := types.ResourceTag{ResourceId: aws.String(id), TagsList: []types.Tag{}}
		for _, k := range t.tags.sorted() {
			list.TagsList = append(list.TagsList, types.Tag{Key: aws.String(k), Value: aws.String(t.tags[k])})
		}
		out.ResourceTagList = append(out.ResourceTagList, list)
	}
	return out, nil
}
