// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

var trailCases = []contract{
	{"trail: create and read back", func(e *env) {
		e.newTrail()
		got := ok(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(trailName)})).Trail
		equal("name", aws.ToString(got.Name), trailName)
		equal("ARN", aws.ToString(got.TrailARN), e.trailARN())
		equal("bucket", aws.ToString(got.S3BucketName), bucketName)
		equal("multi-region", aws.ToBool(got.IsMultiRegionTrail), true)
		equal("global events", aws.ToBool(got.IncludeGlobalServiceEvents), true)
		equal("validation", aws.ToBool(got.LogFileValidationEnabled), true)
		equal("organization", aws.ToBool(got.IsOrganizationTrail), false)
		equal("status", e.logging(e.trails, trailName), false)
	}},
	{"trail: home region in GetTrail", func(e *env) {
		e.newTrail()
		got := ok(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(e.trailARN())})).Trail
		equal("home region", aws.ToString(got.HomeRegion), e.region)
	}},
	{"trail: create answers with the trail", func(e *env) {
		e.newLogBucket(bucketName)
		got := ok(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String(trailName), S3BucketName: aws.String(bucketName), S3KeyPrefix: aws.String("logs")}))
		equal("ARN", aws.ToString(got.TrailARN), e.trailARN())
		equal("prefix", aws.ToString(got.S3KeyPrefix), "logs")
		equal("defaults", []bool{*got.IncludeGlobalServiceEvents, *got.IsMultiRegionTrail, *got.LogFileValidationEnabled}, []bool{true, false, false})
	}},
	{"trail: create without bucket", func(e *env) {
		refuse(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String(trailName), S3BucketName: aws.String("gatetest-not-there")}))("S3BucketDoesNotExistException")
	}},
	{"trail: create without bucket policy", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String(trailName), S3BucketName: aws.String(bucketName)}))("InsufficientS3BucketPolicyException")
	}},
	{"trail: create with bad names", func(e *env) {
		e.newLogBucket(bucketName)
		for _, name := range []string{"ab", "-main", "main-", "ma in"} {
			refuse(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String(name), S3BucketName: aws.String(bucketName)}))("InvalidTrailNameException")
		}
	}},
	{"trail: multi-region needs global events", func(e *env) {
		e.newLogBucket(bucketName)
		refuse(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{
			Name: aws.String(trailName), S3BucketName: aws.String(bucketName), IsMultiRegionTrail: aws.Bool(true), IncludeGlobalServiceEvents: aws.Bool(false),
		}))("InvalidParameterCombinationException")
	}},
	{"trail: create twice", func(e *env) {
		e.newTrail()
		refuse(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String(trailName), S3BucketName: aws.String(bucketName)}))("TrailAlreadyExistsException")
	}},
	{"trail: the sixth", func(e *env) {
		e.newTrail()
		for _, name := range []string{"second", "third", "fourth", "fifth"} {
			ok(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String(name), S3BucketName: aws.String(bucketName)}))
		}
		refuse(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String("sixth"), S3BucketName: aws.String(bucketName)}))("MaximumNumberOfTrailsExceededException")
	}},
	{"trail: start and stop by name", func(e *env) {
		e.newTrail()
		e.startAndStop(trailName)
	}},
	{"trail: start and stop by ARN", func(e *env) {
		e.newTrail()
		e.startAndStop(e.trailARN())
	}},
	{"trail: unknown", func(e *env) {
		name := aws.String("nobody")
		refuse(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: name}))("TrailNotFoundException")
		refuse(e.trails.GetTrailStatus(e.ctx, &cloudtrail.GetTrailStatusInput{Name: name}))("TrailNotFoundException")
		refuse(e.trails.GetEventSelectors(e.ctx, &cloudtrail.GetEventSelectorsInput{TrailName: name}))("TrailNotFoundException")
		refuse(e.trails.UpdateTrail(e.ctx, &cloudtrail.UpdateTrailInput{Name: name}))("TrailNotFoundException")
	}},
	{"trail: start, stop and delete what is unknown", func(e *env) {
		name := aws.String("nobody")
		refuse(e.trails.StartLogging(e.ctx, &cloudtrail.StartLoggingInput{Name: name}))("TrailNotFoundException")
		refuse(e.trails.StopLogging(e.ctx, &cloudtrail.StopLoggingInput{Name: name}))("TrailNotFoundException")
		refuse(e.trails.DeleteTrail(e.ctx, &cloudtrail.DeleteTrailInput{Name: name}))("TrailNotFoundException")
	}},
	{"trail: update changes what is given", func(e *env) {
		e.newTrail()
		e.newLogBucket("gatetest-other")
		got := ok(e.trails.UpdateTrail(e.ctx, &cloudtrail.UpdateTrailInput{
			Name: aws.String(trailName), S3BucketName: aws.String("gatetest-other"), IsMultiRegionTrail: aws.Bool(false), EnableLogFileValidation: aws.Bool(false),
		}))
		equal("answer", aws.ToString(got.S3BucketName), "gatetest-other")
		read := ok(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(trailName)})).Trail
		equal("bucket", aws.ToString(read.S3BucketName), "gatetest-other")
		equal("flags", []bool{*read.IsMultiRegionTrail, *read.LogFileValidationEnabled, *read.IncludeGlobalServiceEvents}, []bool{false, false, true})
	}},
	{"trail: update to a bucket that is not there", func(e *env) {
		e.newTrail()
		refuse(e.trails.UpdateTrail(e.ctx, &cloudtrail.UpdateTrailInput{Name: aws.String(trailName), S3BucketName: aws.String("gatetest-not-there")}))("S3BucketDoesNotExistException")
	}},
	{"trail: update is refused as a whole", func(e *env) {
		e.newTrail()
		refuse(e.trails.UpdateTrail(e.ctx, &cloudtrail.UpdateTrailInput{
			Name: aws.String(trailName), S3KeyPrefix: aws.String("moved"), IncludeGlobalServiceEvents: aws.Bool(false),
		}))("InvalidParameterCombinationException")
		read := ok(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(trailName)})).Trail
		equal("prefix", aws.ToString(read.S3KeyPrefix), "")
	}},
	{"trail: key put on and taken off", func(e *env) {
		e.newTrail()
		key := ok(e.kms.CreateKey(e.ctx, &kms.CreateKeyInput{Policy: aws.String(e.trailKeyPolicy())})).KeyMetadata
		ok(e.trails.UpdateTrail(e.ctx, &cloudtrail.UpdateTrailInput{Name: aws.String(trailName), KmsKeyId: key.Arn}))
		read := ok(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(trailName)})).Trail
		equal("key", aws.ToString(read.KmsKeyId), *key.Arn)
		ok(e.trails.UpdateTrail(e.ctx, &cloudtrail.UpdateTrailInput{Name: aws.String(trailName), KmsKeyId: aws.String("")}))
		read = ok(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(trailName)})).Trail
		equal("key", aws.ToString(read.KmsKeyId), "")
	}},
	{"trail: key that is not there", func(e *env) {
		e.newTrail()
		refuse(e.trails.UpdateTrail(e.ctx, &cloudtrail.UpdateTrailInput{
			Name: aws.String(trailName), KmsKeyId: aws.String(e.arn("kms", "key/00000000-0000-4000-8000-000000000000")),
		}))("KmsKeyNotFoundException")
	}},
	{"trail: topic", func(e *env) {
		e.newTrail()
		topic := ok(e.sns.CreateTopic(e.ctx, &sns.CreateTopicInput{Name: aws.String("ct")})).TopicArn
		ok(e.sns.SetTopicAttributes(e.ctx, &sns.SetTopicAttributesInput{TopicArn: topic, AttributeName: aws.String("Policy"), AttributeValue: aws.String(e.topicPolicy(*topic))}))
		ok(e.trails.UpdateTrail(e.ctx, &cloudtrail.UpdateTrailInput{Name: aws.String(trailName), SnsTopicName: aws.String("ct")}))
		read := ok(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(trailName)})).Trail
		equal("topic", aws.ToString(read.SnsTopicARN), *topic)
	}},
	{"trail: topic that is not there", func(e *env) {
		e.newLogBucket(bucketName)
		refuse(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String(trailName), S3BucketName: aws.String(bucketName), SnsTopicName: aws.String("nobody")}))("InsufficientSnsTopicPolicyException")
	}},
	{"trail: delete", func(e *env) {
		e.newTrail()
		ok(e.trails.DeleteTrail(e.ctx, &cloudtrail.DeleteTrailInput{Name: aws.String(trailName)}))
		refuse(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(trailName)}))("TrailNotFoundException")
		equal("trails left", len(ok(e.trails.DescribeTrails(e.ctx, &cloudtrail.DescribeTrailsInput{})).TrailList), 0)
		ok(e.s3.HeadBucket(e.ctx, &s3.HeadBucketInput{Bucket: aws.String(bucketName)}))
	}},
	{"trail: delete by ARN", func(e *env) {
		e.newTrail()
		ok(e.trails.DeleteTrail(e.ctx, &cloudtrail.DeleteTrailInput{Name: aws.String(e.trailARN())}))
		refuse(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(trailName)}))("TrailNotFoundException")
	}},
	{"trail: shadow in another region", func(e *env) {
		e.newTrail()
		ok(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String("single"), S3BucketName: aws.String(bucketName)}))
		away := cloudtrail.NewFromConfig(e.config(Account, e.elsewhere))
		list := ok(away.DescribeTrails(e.ctx, &cloudtrail.DescribeTrailsInput{})).TrailList
		equal("shadow trails", len(list), 1)
		equal("home region", aws.ToString(list[0].HomeRegion), e.region)
		equal("own trails", len(ok(away.DescribeTrails(e.ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(false)})).TrailList), 0)
		equal("logging", e.logging(away, e.trailARN()), false)
	}},
	{"trail: change a shadow", func(e *env) {
		e.newTrail()
		away := cloudtrail.NewFromConfig(e.config(Account, e.elsewhere))
		refuse(away.StopLogging(e.ctx, &cloudtrail.StopLoggingInput{Name: aws.String(e.trailARN())}))("InvalidHomeRegionException")
		refuse(away.UpdateTrail(e.ctx, &cloudtrail.UpdateTrailInput{Name: aws.String(e.trailARN())}))("InvalidHomeRegionException")
		refuse(away.DeleteTrail(e.ctx, &cloudtrail.DeleteTrailInput{Name: aws.String(e.trailARN())}))("InvalidHomeRegionException")
	}},
	{"trail: describe by name", func(e *env) {
		e.newTrail()
		ok(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{Name: aws.String("other"), S3BucketName: aws.String(bucketName)}))
		list := ok(e.trails.DescribeTrails(e.ctx, &cloudtrail.DescribeTrailsInput{TrailNameList: []string{"other"}})).TrailList
		equal("trails", len(list), 1)
	}},
	{"trail: list of all regions", func(e *env) {
		e.newTrail()
		list := ok(e.trails.ListTrails(e.ctx, &cloudtrail.ListTrailsInput{})).Trails
		equal("trails", list, []types.TrailInfo{{Name: aws.String(trailName), TrailARN: aws.String(e.trailARN()), HomeRegion: aws.String(e.region)}})
	}},
	{"trail: is another account's business", func(e *env) {
		e.newTrail()
		other := cloudtrail.NewFromConfig(e.config(Member, e.region))
		equal("trails of the other account", len(ok(other.DescribeTrails(e.ctx, &cloudtrail.DescribeTrailsInput{})).TrailList), 0)
		refuse(other.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(e.trailARN())}))("TrailNotFoundException")
	}},
	{"trail: tags", func(e *env) {
		e.newTrail()
		id := aws.String(e.trailARN())
		tag := func(k, v string) types.Tag { return types.Tag{Key: aws.String(k), Value: aws.String(v)} }
		ok(e.trails.AddTags(e.ctx, &cloudtrail.AddTagsInput{ResourceId: id, TagsList: []types.Tag{tag("a", "1"), tag("b", "2")}}))
		ok(e.trails.RemoveTags(e.ctx, &cloudtrail.RemoveTagsInput{ResourceId: id, TagsList: []types.Tag{tag("a", "1")}}))
		list := ok(e.trails.ListTags(e.ctx, &cloudtrail.ListTagsInput{ResourceIdList: []string{*id}})).ResourceTagList
		equal("resources", len(list), 1)
		equal("tags", list[0].TagsList, []types.Tag{tag("b", "2")})
	}},
}

func (e *env) logging(c *cloudtrail.Client, name string) bool {
	return aws.ToBool(ok(c.GetTrailStatus(e.ctx, &cloudtrail.GetTrailStatusInput{Name: &name})).IsLogging)
}

func (e *env) startAndStop(name string) {
	for range 2 { // both may be repeated
		ok(e.trails.StartLogging(e.ctx, &cloudtrail.StartLoggingInput{Name: &name}))
	}
	got := ok(e.trails.GetTrailStatus(e.ctx, &cloudtrail.GetTrailStatusInput{Name: &name}))
	equal("logging", aws.ToBool(got.IsLogging), true)
	equal("has start time", got.StartLoggingTime != nil, true)
	for range 2 {
		ok(e.trails.StopLogging(e.ctx, &cloudtrail.StopLoggingInput{Name: &name}))
	}
	got = ok(e.trails.GetTrailStatus(e.ctx, &cloudtrail.GetTrailStatusInput{Name: &name}))
	equal("logging", aws.ToBool(got.IsLogging), false)
	equal("has stop time", got.StopLoggingTime != nil, true)
}

var selectorCases = []contract{
	{"selectors: default", func(e *env) {
		e.newTrail()
		got := ok(e.trails.GetEventSelectors(e.ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(trailName)}))
		equal("selectors", got.EventSelectors, []types.EventSelector{{ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true)}})
	}},
	{"selectors: basic", func(e *env) {
		e.newTrail()
		want := []types.EventSelector{{
			ReadWriteType: types.ReadWriteTypeReadOnly, IncludeManagementEvents: aws.Bool(false),
			DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{e.bucketARN() + "/"}}},
		}}
		put := ok(e.trails.PutEventSelectors(e.ctx, &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(trailName), EventSelectors: want}))
		equal("answer", put.EventSelectors, want)
		got := ok(e.trails.GetEventSelectors(e.ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(e.trailARN())}))
		equal("ARN", aws.ToString(got.TrailARN), e.trailARN())
		equal("selectors", got.EventSelectors, want)
	}},
	{"selectors: advanced replace basic", func(e *env) {
		e.newTrail()
		ok(e.trails.PutEventSelectors(e.ctx, &cloudtrail.PutEventSelectorsInput{
			TrailName: aws.String(trailName), EventSelectors: []types.EventSelector{{ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true)}},
		}))
		e.putAdvanced()
		got := ok(e.trails.GetEventSelectors(e.ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(trailName)}))
		equal("basic", len(got.EventSelectors), 0)
		equal("advanced", got.AdvancedEventSelectors, managementOnly)
	}},
	{"selectors: basic replace advanced", func(e *env) {
		e.newTrail()
		e.putAdvanced()
		ok(e.trails.PutEventSelectors(e.ctx, &cloudtrail.PutEventSelectorsInput{
			TrailName: aws.String(trailName), EventSelectors: []types.EventSelector{{ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true)}},
		}))
		got := ok(e.trails.GetEventSelectors(e.ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(trailName)}))
		equal("basic", len(got.EventSelectors), 1)
		equal("advanced", len(got.AdvancedEventSelectors), 0)
	}},
	{"selectors: none, both and odd ones", func(e *env) {
		e.newTrail()
		basic := []types.EventSelector{{ReadWriteType: types.ReadWriteTypeAll}}
		for _, in := range []cloudtrail.PutEventSelectorsInput{
			{},
			{EventSelectors: basic, AdvancedEventSelectors: managementOnly},
			{EventSelectors: []types.EventSelector{{ReadWriteType: "Some"}}},
			{EventSelectors: []types.EventSelector{{ExcludeManagementEventSources: []string{"iam.amazonaws.com"}}}},
		} {
			in.TrailName = aws.String(trailName)
			refuse(e.trails.PutEventSelectors(e.ctx, &in))("InvalidEventSelectorsException", "InvalidParameterCombinationException")
		}
	}},
	{"selectors: the trail says that it has some", func(e *env) {
		e.newTrail()
		e.putAdvanced()
		got := ok(e.trails.GetTrail(e.ctx, &cloudtrail.GetTrailInput{Name: aws.String(trailName)})).Trail
		equal("custom", aws.ToBool(got.HasCustomEventSelectors), true)
	}},
	{"insights: on", func(e *env) {
		e.newTrail()
		want := []types.InsightSelector{{InsightType: types.InsightTypeApiCallRateInsight}, {InsightType: types.InsightTypeApiErrorRateInsight}}
		ok(e.trails.PutInsightSelectors(e.ctx, &cloudtrail.PutInsightSelectorsInput{TrailName: aws.String(trailName), InsightSelectors: want}))
		got := ok(e.trails.GetInsightSelectors(e.ctx, &cloudtrail.GetInsightSelectorsInput{TrailName: aws.String(trailName)}))
		equal("selectors", got.InsightSelectors, want)
	}},
	{"insights: put replaces", func(e *env) {
		e.newTrail()
		one := []types.InsightSelector{{InsightType: types.InsightTypeApiCallRateInsight}}
		for range 2 {
			ok(e.trails.PutInsightSelectors(e.ctx, &cloudtrail.PutInsightSelectorsInput{TrailName: aws.String(trailName), InsightSelectors: one}))
		}
		got := ok(e.trails.GetInsightSelectors(e.ctx, &cloudtrail.GetInsightSelectorsInput{TrailName: aws.String(trailName)}))
		equal("selectors", got.InsightSelectors, one)
	}},
	{"insights: off", func(e *env) {
		e.newTrail()
		refuse(e.trails.GetInsightSelectors(e.ctx, &cloudtrail.GetInsightSelectorsInput{TrailName: aws.String(trailName)}))("InsightNotEnabledException")
	}},
}

var managementOnly = []types.AdvancedEventSelector{{
	Name: aws.String("Management"), FieldSelectors: []types.AdvancedFieldSelector{{Field: aws.String("eventCategory"), Equals: []string{"Management"}}},
}}

func (e *env) putAdvanced() {
	ok(e.trails.PutEventSelectors(e.ctx, &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(trailName), AdvancedEventSelectors: managementOnly}))
}

var historyCases = []contract{
	{"history: by name", func(e *env) {
		e.newTrail()
		ok(e.trails.StartLogging(e.ctx, &cloudtrail.StartLoggingInput{Name: aws.String(trailName)}))
		got := ok(e.trails.LookupEvents(e.ctx, &cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{
			{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("StartLogging")},
		}})).Events
		equal("events", len(got), 1)
		equal("source", aws.ToString(got[0].EventSource), "cloudtrail.amazonaws.com")
	}},
	{"history: pages", func(e *env) {
		for _, name := range []string{"gatetest-1", "gatetest-2", "gatetest-3"} {
			e.newBucket(name)
		}
		by := []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("CreateBucket")}}
		first := ok(e.trails.LookupEvents(e.ctx, &cloudtrail.LookupEventsInput{LookupAttributes: by, MaxResults: aws.Int32(2)}))
		equal("first page", len(first.Events), 2)
		second := ok(e.trails.LookupEvents(e.ctx, &cloudtrail.LookupEventsInput{LookupAttributes: by, MaxResults: aws.Int32(2), NextToken: first.NextToken}))
		equal("second page", len(second.Events), 1)
		equal("end", second.NextToken == nil, true)
	}},
	{"history: odd questions", func(e *env) {
		two := []types.LookupAttribute{
			{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("a")},
			{AttributeKey: types.LookupAttributeKeyUsername, AttributeValue: aws.String("b")},
		}
		refuse(e.trails.LookupEvents(e.ctx, &cloudtrail.LookupEventsInput{LookupAttributes: two}))("InvalidLookupAttributesException")
		refuse(e.trails.LookupEvents(e.ctx, &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(51)}))("InvalidMaxResultsException")
		refuse(e.trails.LookupEvents(e.ctx, &cloudtrail.LookupEventsInput{NextToken: aws.String("nonsense")}))("InvalidNextTokenException")
	}},
}
