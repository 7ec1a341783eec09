// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// Status is what a trail is doing. Times are zero where AWS gives none.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
type Status struct {
	IsLogging                          bool
	StartLoggingTime, StopLoggingTime  time.Time
	LatestDeliveryTime                 time.Time
	LatestDeliveryError                string // S3's error code, "AccessDenied"
	LatestNotificationError            string
	LatestCloudWatchLogsDeliveryError  string
	LatestDigestDeliveryTime           time.Time
	LatestDigestDeliveryError          string
	InsightsUnreadable, TagsUnreadable bool
	// Gaps says in words what could not be read.
	Gaps []string
}

// FoundTrail is a trail that exists, with a way to ask for the rest of its configuration.
type FoundTrail struct {
	// Trail holds what DescribeTrails tells: no selectors, no tags, not whether it is logging.
	Trail trail.Trail
	// CallName is the name that calls which change the trail should use: its mere name where that can mean no other
	// trail, else its ARN.
	CallName string
	// Client calls AWS in the account that FindTrail was asked to look in and in the trail's home region.
	Client *cloudtrail.Client
}

// FindTrail finds a trail in its owner's account and home region. A target that is not certain is looked for by name in
// its account and region first, where a multi-region or organization trail shows as a shadow, and then followed home.
// Errors: incident.ErrNotFound, gate.ErrNoAccess when the owner's account cannot be reached, AWS's.
func FindTrail(ctx context.Context, door *gate.Door, target trail.Target) (FoundTrail, error) {
	found, err := findIn(ctx, door, target, target.Account, target.HomeRegion)
	if err != nil {
		return FoundTrail{}, err
	}
	home, err := trail.TargetOfARN(found.Trail.ARN)
	if err != nil {
		return FoundTrail{}, fmt.Errorf("find trail %s: %w", target.Name, err)
	}
	if home.Account == target.Account && home.HomeRegion == target.HomeRegion {
		return found, nil
	}
	return findIn(ctx, door, home, home.Account, home.HomeRegion)
}

func findIn(ctx context.Context, door *gate.Door, target trail.Target, account, region string) (FoundTrail, error) {
	cfg, err := door.Config(ctx, account, region)
	if err != nil {
		return FoundTrail{}, fmt.Errorf("find trail %s: %w", target.ARN, err)
	}
	client := cloudtrail.NewFromConfig(cfg)
	list, err := describe(ctx, client)
	if err != nil {
		return FoundTrail{}, fmt.Errorf("find trail %s: %w", target.ARN, err)
	}
	for _, t := range list {
		if t.ARN == target.ARN || !target.IsCertain && t.Name == target.Name {
			return FoundTrail{Trail: t, CallName: callName(t, list), Client: client}, nil
		}
	}
	return FoundTrail{}, fmt.Errorf("find trail %s: %w", target.ARN, incident.ErrNotFound)
}

// describe lists every trail that the region shows. It does not ask for one by name: the whole list, at most five, also
// tells whether a name is unique.
func describe(ctx context.Context, client *cloudtrail.Client) ([]trail.Trail, error) {
	out, err := client.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	list := make([]trail.Trail, 0, len(out.TrailList))
	for _, t := range out.TrailList {
		list = append(list, fromAPI(t))
	}
	return list, nil
}

// callName: an organization's trail and one of the account's own may have the same name in one region.
func callName(t trail.Trail, list []trail.Trail) string {
	for _, other := range list {
		if other.Name == t.Name && other.ARN != t.ARN {
			return string(t.ARN)
		}
	}
	return t.Name
}

func fromAPI(t types.Trail) trail.Trail {
	return trail.Trail{
		Name: aws.ToString(t.Name), ARN: arn.ARN(aws.ToString(t.TrailARN)), HomeRegion: aws.ToString(t.HomeRegion),
		S3BucketName: aws.ToString(t.S3BucketName), S3KeyPrefix: aws.ToString(t.S3KeyPrefix),
		SnsTopicName: topicName(t), SnsTopicARN: aws.ToString(t.SnsTopicARN),
		IncludeGlobalServiceEvents: aws.ToBool(t.IncludeGlobalServiceEvents),
		IsMultiRegionTrail:         aws.ToBool(t.IsMultiRegionTrail),
		LogFileValidationEnabled:   aws.ToBool(t.LogFileValidationEnabled),
		CloudWatchLogsLogGroupArn:  aws.ToString(t.CloudWatchLogsLogGroupArn),
		CloudWatchLogsRoleArn:      aws.ToString(t.CloudWatchLogsRoleArn),
		KmsKeyId:                   aws.ToString(t.KmsKeyId),
		IsOrganizationTrail:        aws.ToBool(t.IsOrganizationTrail),
	}
}

// topicName keeps the deprecated name only where there is no ARN.
//
//nolint:staticcheck // trails that are older than the ARN still show only the name
func topicName(t types.Trail) string {
	if aws.ToString(t.SnsTopicARN) != "" {
		return ""
	}
	//lint:ignore SA1019 trails of long ago have only the name
	return aws.ToString(t.SnsTopicName)
}

// ReadTrail reads everything about a trail: five calls. Insight selectors and tags that may not be read are marked in the
// status and named in its gaps; anything else that cannot be read is an error.
func ReadTrail(ctx context.Context, door *gate.Door, target trail.Target) (trail.Trail, Status, error) {
	found, err := FindTrail(ctx, door, target)
	if err != nil {
		return trail.Trail{}, Status{}, err
	}
	return found.ReadAll(ctx)
}

// ReadAll reads the rest of the configuration.
func (f FoundTrail) ReadAll(ctx context.Context) (trail.Trail, Status, error) {
	t := f.Trail
	status, err := f.Status(ctx)
	if err != nil {
		return t, status, err
	}
	t.IsLogging = status.IsLogging
	if t.EventSelectors, t.AdvancedEventSelectors, err = f.EventSelectors(ctx); err != nil {
		return t, status, err
	}
	if t.InsightSelectors, err = f.InsightSelectors(ctx); err != nil {
		if ctx.Err() != nil {
			return t, status, err
		}
		status.InsightsUnreadable = true
		status.Gaps = append(status.Gaps, fmt.Sprintf("insight selectors were not read: %v", err))
	}
	if t.Tags, err = f.Tags(ctx); err != nil {
		if ctx.Err() != nil {
			return t, status, err
		}
		status.TagsUnreadable = true
		status.Gaps = append(status.Gaps, fmt.Sprintf("tags were not read: %v", err))
	}
	return t.Canonical(), status, nil
}

// Status asks whether the trail is logging and delivering.
func (f FoundTrail) Status(ctx context.Context) (Status, error) {
	out, err := f.Client.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(string(f.Trail.ARN))})
	if err != nil {
		return Status{}, fmt.Errorf("read status of %s: %w", f.Trail.ARN, err)
	}
	return Status{
		IsLogging:                         aws.ToBool(out.IsLogging),
		StartLoggingTime:                  utc(out.StartLoggingTime),
		StopLoggingTime:                   utc(out.StopLoggingTime),
		LatestDeliveryTime:                utc(out.LatestDeliveryTime),
		LatestDeliveryError:               aws.ToString(out.LatestDeliveryError),
		LatestNotificationError:           aws.ToString(out.LatestNotificationError),
		LatestCloudWatchLogsDeliveryError: aws.ToString(out.LatestCloudWatchLogsDeliveryError),
		LatestDigestDeliveryTime:          utc(out.LatestDigestDeliveryTime),
		LatestDigestDeliveryError:         aws.ToString(out.LatestDigestDeliveryError),
	}, nil
}

func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// EventSelectors reads the trail's event selectors. AWS has one of the two kinds; where both come (moto), the classic
// ones are those that count.
func (f FoundTrail) EventSelectors(ctx context.Context) ([]trail.EventSelector, []trail.AdvancedEventSelector, error) {
	out, err := f.Client.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(string(f.Trail.ARN))})
	if err != nil {
		return nil, nil, fmt.Errorf("read event selectors of %s: %w", f.Trail.ARN, err)
	}
	if len(out.EventSelectors) > 0 {
		return classicFromAPI(out.EventSelectors), nil, nil
	}
	return nil, advancedFromAPI(out.AdvancedEventSelectors), nil
}

func classicFromAPI(list []types.EventSelector) []trail.EventSelector {
	out := make([]trail.EventSelector, 0, len(list))
	for _, s := range list {
		e := trail.EventSelector{
			ReadWriteType:                 string(s.ReadWriteType),
			IncludeManagementEvents:       s.IncludeManagementEvents == nil || *s.IncludeManagementEvents,
			ExcludeManagementEventSources: s.ExcludeManagementEventSources,
		}
		for _, d := range s.DataResources {
			e.DataResources = append(e.DataResources, trail.DataResource{Type: aws.ToString(d.Type), Values: d.Values})
		}
		out = append(out, e)
	}
	return out
}

func advancedFromAPI(list []types.AdvancedEventSelector) []trail.AdvancedEventSelector {
	out := make([]trail.AdvancedEventSelector, 0, len(list))
	for _, s := range list {
		a := trail.AdvancedEventSelector{Name: aws.ToString(s.Name)}
		for _, f := range s.FieldSelectors {
			a.FieldSelectors = append(a.FieldSelectors, trail.FieldSelector{
				Field: aws.ToString(f.Field), Equals: f.Equals, StartsWith: f.StartsWith, EndsWith: f.EndsWith,
				NotEquals: f.NotEquals, NotStartsWith: f.NotStartsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		out = append(out, a)
	}
	return out
}

// InsightSelectors reads the trail's insight selectors; none where Insights is off.
func (f FoundTrail) InsightSelectors(ctx context.Context) ([]trail.InsightSelector, error) {
	out, err := f.Client.GetInsightSelectors(ctx, &cloudtrail.GetInsightSelectorsInput{TrailName: aws.String(string(f.Trail.ARN))})
	var off *types.InsightNotEnabledException
	if errors.As(err, &off) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read insight selectors of %s: %w", f.Trail.ARN, err)
	}
	var list []trail.InsightSelector
	for _, s := range out.InsightSelectors {
		i := trail.InsightSelector{InsightType: string(s.InsightType)}
		for _, c := range s.EventCategories {
			i.EventCategories = append(i.EventCategories, string(c))
		}
		list = append(list, i)
	}
	return list, nil
}

// Tags reads the trail's tags.
func (f FoundTrail) Tags(ctx context.Context) (map[string]string, error) {
	pages := cloudtrail.NewListTagsPaginator(f.Client, &cloudtrail.ListTagsInput{ResourceIdList: []string{string(f.Trail.ARN)}})
	tags := map[string]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read tags of %s: %w", f.Trail.ARN, err)
		}
		for _, r := range page.ResourceTagList {
			for _, t := range r.TagsList {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
		}
	}
	return tags, nil
}
