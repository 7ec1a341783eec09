// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// Names that the cases of what a trail depends on use.
var (
	groupName   = aws.String("/switchback/trail")
	filterName  = aws.String("stops")
	aliasName   = aws.String("alias/gatetest")
	policyName  = aws.String("Delivery")
	stopPattern = aws.String("{ $.eventName = StopLogging }")
)

// aliases are those of a key.
func (e *env) aliases(id *string) []string {
	var out []string
	for _, a := range ok(e.kms.ListAliases(e.ctx, &kms.ListAliasesInput{KeyId: id})).Aliases {
		out = append(out, *a.AliasName)
	}
	return out
}

// grants are the ids of a key's grants.
func (e *env) grants(id *string) []string {
	var out []string
	for _, g := range ok(e.kms.ListGrants(e.ctx, &kms.ListGrantsInput{KeyId: id})).Grants {
		out = append(out, *g.GrantId)
	}
	return out
}

// newGrant lets the account decrypt.
func (e *env) newGrant(id *string) *string {
	return ok(e.kms.CreateGrant(e.ctx, &kms.CreateGrantInput{
		KeyId: id, GranteePrincipal: aws.String(e.global(Account, "role/reader")), Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt},
	})).GrantId
}

var keyUseCases = []contract{
	{"key: alias moved", func(e *env) {
		id, other := e.newKey(), e.newKey()
		ok(e.kms.CreateAlias(e.ctx, &kms.CreateAliasInput{AliasName: aliasName, TargetKeyId: id}))
		refuse(e.kms.CreateAlias(e.ctx, &kms.CreateAliasInput{AliasName: aliasName, TargetKeyId: other}))("AlreadyExistsException")
		ok(e.kms.UpdateAlias(e.ctx, &kms.UpdateAliasInput{AliasName: aliasName, TargetKeyId: other}))
		equal("of the first", e.aliases(id), nil)
		equal("of the second", e.aliases(other), []string{*aliasName})
	}},
	{"key: unknown alias moved", func(e *env) {
		refuse(e.kms.UpdateAlias(e.ctx, &kms.UpdateAliasInput{AliasName: aliasName, TargetKeyId: e.newKey()}))("NotFoundException")
	}},
	{"key: grants", func(e *env) {
		id := e.newKey()
		first, second := e.newGrant(id), e.newGrant(id)
		equal("both are listed", len(e.grants(id)), 2)
		ok(e.kms.RevokeGrant(e.ctx, &kms.RevokeGrantInput{KeyId: id, GrantId: first}))
		equal("the other is left", e.grants(id), []string{*second})
		refuse(e.kms.RevokeGrant(e.ctx, &kms.RevokeGrantInput{KeyId: id, GrantId: first}))("NotFoundException")
		ok(e.kms.RetireGrant(e.ctx, &kms.RetireGrantInput{KeyId: id, GrantId: second}))
		equal("none is left", e.grants(id), nil)
	}},
	{"key: imported material", func(e *env) {
		id := ok(e.kms.CreateKey(e.ctx, &kms.CreateKeyInput{Origin: kmstypes.OriginTypeExternal})).KeyMetadata.KeyId
		equal("before", e.keyState(id), kmstypes.KeyStatePendingImport)
		p := ok(e.kms.GetParametersForImport(e.ctx, &kms.GetParametersForImportInput{
			KeyId: id, WrappingAlgorithm: kmstypes.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: kmstypes.WrappingKeySpecRsa2048,
		}))
		ok(e.kms.ImportKeyMaterial(e.ctx, &kms.ImportKeyMaterialInput{
			KeyId: id, ImportToken: p.ImportToken, EncryptedKeyMaterial: []byte("wrapped"), ExpirationModel: kmstypes.ExpirationModelTypeKeyMaterialDoesNotExpire,
		}))
		equal("with it", e.keyState(id), kmstypes.KeyStateEnabled)
		ok(e.kms.DeleteImportedKeyMaterial(e.ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: id}))
		equal("without it", e.keyState(id), kmstypes.KeyStatePendingImport)
		refuse(e.kms.EnableKey(e.ctx, &kms.EnableKeyInput{KeyId: id}))("KMSInvalidStateException")
	}},
}

// newTopic makes a topic.
func (e *env) newTopic() *string {
	return ok(e.sns.CreateTopic(e.ctx, &sns.CreateTopicInput{Name: aws.String("t")})).TopicArn
}

// subscribers are the endpoints of a topic's subscriptions and their ARNs.
func (e *env) subscribers(id *string) map[string]string {
	out := map[string]string{}
	for _, s := range ok(e.sns.ListSubscriptionsByTopic(e.ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: id})).Subscriptions {
		out[*s.Endpoint] = *s.SubscriptionArn
	}
	return out
}

var subscriptionCases = []contract{
	{"topic: created with attributes", func(e *env) {
		policy := e.topicPolicy(e.arn("sns", "t"))
		id := ok(e.sns.CreateTopic(e.ctx, &sns.CreateTopicInput{
			Name: aws.String("t"), Attributes: map[string]string{"Policy": policy, "KmsMasterKeyId": "alias/trail"},
		})).TopicArn
		got := ok(e.sns.GetTopicAttributes(e.ctx, &sns.GetTopicAttributesInput{TopicArn: id})).Attributes
		equal("policy", got["Policy"], policy)
		equal("key", got["KmsMasterKeyId"], "alias/trail")
		ok(e.sns.SetTopicAttributes(e.ctx, &sns.SetTopicAttributesInput{TopicArn: id, AttributeName: aws.String("KmsMasterKeyId"), AttributeValue: aws.String("")}))
		equal("no key", ok(e.sns.GetTopicAttributes(e.ctx, &sns.GetTopicAttributesInput{TopicArn: id})).Attributes["KmsMasterKeyId"], "")
	}},
	{"subscription: list, read, change", func(e *env) {
		id := e.newTopic()
		e.newQueue("q", nil)
		queue := e.arn("sqs", "q")
		in := &sns.SubscribeInput{TopicArn: id, Protocol: aws.String("sqs"), Endpoint: &queue}
		sub := ok(e.sns.Subscribe(e.ctx, in)).SubscriptionArn
		equal("again", *ok(e.sns.Subscribe(e.ctx, in)).SubscriptionArn, *sub)
		equal("list", e.subscribers(id), map[string]string{queue: *sub})
		set := func(name, value string) {
			ok(e.sns.SetSubscriptionAttributes(e.ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: sub, AttributeName: &name, AttributeValue: &value}))
		}
		set("RawMessageDelivery", "true")
		set("FilterPolicy", `{"team":["a"]}`)
		got := ok(e.sns.GetSubscriptionAttributes(e.ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: sub})).Attributes
		equal("raw", got["RawMessageDelivery"], "true")
		equal("filter", got["FilterPolicy"], `{"team":["a"]}`)
		equal("endpoint", got["Endpoint"], queue)
		ok(e.sns.Unsubscribe(e.ctx, &sns.UnsubscribeInput{SubscriptionArn: sub}))
		refuse(e.sns.GetSubscriptionAttributes(e.ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: sub}))("NotFound")
		equal("none is left", len(e.subscribers(id)), 0)
	}},
	{"subscription: a filter that fits nothing", func(e *env) {
		id := e.newTopic()
		url := e.newQueue("q", nil)
		ok(e.sns.Subscribe(e.ctx, &sns.SubscribeInput{
			TopicArn: id, Protocol: aws.String("sqs"), Endpoint: aws.String(e.arn("sqs", "q")), Attributes: map[string]string{"FilterPolicy": `{"team":["a"]}`},
		}))
		ok(e.sns.Publish(e.ctx, &sns.PublishInput{TopicArn: id, Message: aws.String("hello")}))
		equal("received", e.drop(*url), "")
	}},
	{"subscription: mail has to be confirmed", func(e *env) {
		id := e.newTopic()
		ok(e.sns.Subscribe(e.ctx, &sns.SubscribeInput{TopicArn: id, Protocol: aws.String("email"), Endpoint: aws.String("security@example.com")}))
		equal("list", e.subscribers(id), map[string]string{"security@example.com": "PendingConfirmation"})
	}},
	{"topic: permission added and removed", func(e *env) {
		id := e.newTopic()
		before := ok(e.sns.GetTopicAttributes(e.ctx, &sns.GetTopicAttributesInput{TopicArn: id})).Attributes["Policy"]
		ok(e.sns.AddPermission(e.ctx, &sns.AddPermissionInput{TopicArn: id, Label: aws.String("l"), AWSAccountId: []string{Member}, ActionName: []string{"Publish"}}))
		refuse(e.sns.AddPermission(e.ctx, &sns.AddPermissionInput{TopicArn: id, Label: aws.String("l"), AWSAccountId: []string{Member}, ActionName: []string{"Publish"}}))("InvalidParameter")
		during := ok(e.sns.GetTopicAttributes(e.ctx, &sns.GetTopicAttributesInput{TopicArn: id})).Attributes["Policy"]
		equal("the policy says more", len(during) > len(before), true)
		ok(e.sns.RemovePermission(e.ctx, &sns.RemovePermissionInput{TopicArn: id, Label: aws.String("l")}))
		after := ok(e.sns.GetTopicAttributes(e.ctx, &sns.GetTopicAttributesInput{TopicArn: id})).Attributes["Policy"]
		equal("the policy says less", len(after) < len(during), true)
	}},
}

// newGroup makes a log group.
func (e *env) newGroup(in *cloudwatchlogs.CreateLogGroupInput) {
	in.LogGroupName = groupName
	ok(e.logs.CreateLogGroup(e.ctx, in))
}

func (e *env) group() logstypes.LogGroup {
	return ok(e.logs.DescribeLogGroups(e.ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: groupName})).LogGroups[0]
}

// subscriptionFilter sends to a destination, which is a log group of that name in moto.
func (e *env) subscriptionFilter(name string) *cloudwatchlogs.PutSubscriptionFilterInput {
	return &cloudwatchlogs.PutSubscriptionFilterInput{
		LogGroupName: groupName, FilterName: &name, FilterPattern: aws.String(""), DestinationArn: aws.String(e.arn("logs", "destination:siem")),
	}
}

var logFilterCases = []contract{
	{"log group: kept for ever", func(e *env) {
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{})
		ok(e.logs.PutRetentionPolicy(e.ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: groupName, RetentionInDays: aws.Int32(1)}))
		ok(e.logs.DeleteRetentionPolicy(e.ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: groupName}))
		equal("days", e.group().RetentionInDays, nil)
	}},
	{"log group: odd retention", func(e *env) {
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{})
		refuse(e.logs.PutRetentionPolicy(e.ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: groupName, RetentionInDays: aws.Int32(2)}))("InvalidParameterException")
	}},
	{"log group: key", func(e *env) {
		key := ok(e.kms.CreateKey(e.ctx, &kms.CreateKeyInput{})).KeyMetadata.Arn
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{KmsKeyId: key})
		equal("key", e.group().KmsKeyId, key)
	}},
	{"log group: key taken away and given", func(e *env) {
		key := ok(e.kms.CreateKey(e.ctx, &kms.CreateKeyInput{})).KeyMetadata.Arn
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{KmsKeyId: key})
		ok(e.logs.DisassociateKmsKey(e.ctx, &cloudwatchlogs.DisassociateKmsKeyInput{LogGroupName: groupName}))
		equal("key", e.group().KmsKeyId, nil)
		ok(e.logs.AssociateKmsKey(e.ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: groupName, KmsKeyId: key}))
		equal("key", e.group().KmsKeyId, key)
		refuse(e.logs.AssociateKmsKey(e.ctx, &cloudwatchlogs.AssociateKmsKeyInput{
			LogGroupName: groupName, KmsKeyId: aws.String(e.arn("kms", "key/00000000-0000-4000-8000-000000000000")),
		}))("InvalidParameterException")
	}},
	{"log group: streams", func(e *env) {
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{})
		stream := aws.String("111122223333_CloudTrail_eu-west-1")
		in := &cloudwatchlogs.CreateLogStreamInput{LogGroupName: groupName, LogStreamName: stream}
		ok(e.logs.CreateLogStream(e.ctx, in))
		refuse(e.logs.CreateLogStream(e.ctx, in))("ResourceAlreadyExistsException")
		list := func(prefix string) []logstypes.LogStream {
			return ok(e.logs.DescribeLogStreams(e.ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: groupName, LogStreamNamePrefix: &prefix})).LogStreams
		}
		equal("streams", len(list("1111")), 1)
		equal("name", list("1111")[0].LogStreamName, stream)
		equal("ARN", list("1111")[0].Arn, aws.String(e.arn("logs", "log-group:"+*groupName+":log-stream:"+*stream)))
		equal("streams of another name", len(list("2")), 0)
		drop := &cloudwatchlogs.DeleteLogStreamInput{LogGroupName: groupName, LogStreamName: stream}
		ok(e.logs.DeleteLogStream(e.ctx, drop))
		refuse(e.logs.DeleteLogStream(e.ctx, drop))("ResourceNotFoundException")
		refuse(e.logs.DescribeLogStreams(e.ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("no-such-group")}))("ResourceNotFoundException")
	}},
	{"log group: metric filters", func(e *env) {
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{})
		want := []logstypes.MetricTransformation{{MetricName: aws.String("Stops"), MetricNamespace: aws.String("Trail"), MetricValue: aws.String("1"), DefaultValue: aws.Float64(0)}}
		in := &cloudwatchlogs.PutMetricFilterInput{LogGroupName: groupName, FilterName: filterName, FilterPattern: stopPattern, MetricTransformations: want}
		ok(e.logs.PutMetricFilter(e.ctx, in))
		got := ok(e.logs.DescribeMetricFilters(e.ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: groupName})).MetricFilters
		equal("filters", len(got), 1)
		equal("pattern", *got[0].FilterPattern, *stopPattern)
		equal("counts", got[0].MetricTransformations, want)
		ok(e.logs.DeleteMetricFilter(e.ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: groupName, FilterName: filterName}))
		equal("filters", len(ok(e.logs.DescribeMetricFilters(e.ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: groupName})).MetricFilters), 0)
	}},
	{"log group: a metric filter is replaced", func(e *env) {
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{})
		for _, pattern := range []*string{aws.String("nothing"), stopPattern} {
			ok(e.logs.PutMetricFilter(e.ctx, &cloudwatchlogs.PutMetricFilterInput{
				LogGroupName: groupName, FilterName: filterName, FilterPattern: pattern,
				MetricTransformations: []logstypes.MetricTransformation{{MetricName: aws.String("Stops"), MetricNamespace: aws.String("Trail"), MetricValue: aws.String("1")}},
			}))
		}
		got := ok(e.logs.DescribeMetricFilters(e.ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: groupName})).MetricFilters
		equal("filters", len(got), 1)
		equal("pattern", *got[0].FilterPattern, *stopPattern)
	}},
	{"log group: subscription filters", func(e *env) {
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{})
		ok(e.logs.CreateLogGroup(e.ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("siem")}))
		ok(e.logs.PutSubscriptionFilter(e.ctx, e.subscriptionFilter("a")))
		again := e.subscriptionFilter("a")
		again.FilterPattern = stopPattern
		ok(e.logs.PutSubscriptionFilter(e.ctx, again))
		ok(e.logs.PutSubscriptionFilter(e.ctx, e.subscriptionFilter("b")))
		refuse(e.logs.PutSubscriptionFilter(e.ctx, e.subscriptionFilter("c")))("LimitExceededException")
		got := ok(e.logs.DescribeSubscriptionFilters(e.ctx, &cloudwatchlogs.DescribeSubscriptionFiltersInput{LogGroupName: groupName})).SubscriptionFilters
		equal("filters", len(got), 2)
		i := slices.IndexFunc(got, func(f logstypes.SubscriptionFilter) bool { return *f.FilterName == "a" })
		equal("pattern", *got[i].FilterPattern, *stopPattern)
		ok(e.logs.DeleteSubscriptionFilter(e.ctx, &cloudwatchlogs.DeleteSubscriptionFilterInput{LogGroupName: groupName, FilterName: aws.String("a")}))
		refuse(e.logs.DeleteSubscriptionFilter(e.ctx, &cloudwatchlogs.DeleteSubscriptionFilterInput{LogGroupName: groupName, FilterName: aws.String("a")}))("ResourceNotFoundException")
	}},
	{"log group: parts are masked", func(e *env) {
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{})
		document := aws.String(`{"Name":"mask","Version":"2021-06-01","Statement":[{"DataIdentifier":["arn:aws:dataprotection::aws:data-identifier/EmailAddress"],"Operation":{"Deidentify":{"MaskConfig":{}}}}]}`)
		ok(e.logs.PutDataProtectionPolicy(e.ctx, &cloudwatchlogs.PutDataProtectionPolicyInput{LogGroupIdentifier: groupName, PolicyDocument: document}))
		equal("status", e.group().DataProtectionStatus, logstypes.DataProtectionStatusActivated)
		equal("document", *ok(e.logs.GetDataProtectionPolicy(e.ctx, &cloudwatchlogs.GetDataProtectionPolicyInput{LogGroupIdentifier: groupName})).PolicyDocument, *document)
		ok(e.logs.DeleteDataProtectionPolicy(e.ctx, &cloudwatchlogs.DeleteDataProtectionPolicyInput{LogGroupIdentifier: groupName}))
		equal("status", e.group().DataProtectionStatus != logstypes.DataProtectionStatusActivated, true)
	}},
	{"log group: no filters for infrequent access", func(e *env) {
		e.newGroup(&cloudwatchlogs.CreateLogGroupInput{LogGroupClass: logstypes.LogGroupClassInfrequentAccess})
		equal("class", e.group().LogGroupClass, logstypes.LogGroupClassInfrequentAccess)
		refuse(e.logs.PutMetricFilter(e.ctx, &cloudwatchlogs.PutMetricFilterInput{
			LogGroupName: groupName, FilterName: filterName, FilterPattern: stopPattern,
			MetricTransformations: []logstypes.MetricTransformation{{MetricName: aws.String("Stops"), MetricNamespace: aws.String("Trail"), MetricValue: aws.String("1")}},
		}))("InvalidOperationException")
	}},
}

// newPolicy makes a managed policy.
func (e *env) newPolicy() *string {
	return ok(e.iam.CreatePolicy(e.ctx, &iam.CreatePolicyInput{PolicyName: policyName, PolicyDocument: denyAll})).Policy.Arn
}

var managedPolicyCases = []contract{
	{"policy: create and delete", func(e *env) {
		id := e.newPolicy()
		equal("ARN", *id, e.global(Account, "policy/Delivery"))
		refuse(e.iam.CreatePolicy(e.ctx, &iam.CreatePolicyInput{PolicyName: policyName, PolicyDocument: denyAll}))("EntityAlreadyExists")
		ok(e.iam.DeletePolicy(e.ctx, &iam.DeletePolicyInput{PolicyArn: id}))
		refuse(e.iam.GetPolicy(e.ctx, &iam.GetPolicyInput{PolicyArn: id}))("NoSuchEntity")
	}},
	{"policy: versions", func(e *env) {
		id := e.newPolicy()
		version := ok(e.iam.CreatePolicyVersion(e.ctx, &iam.CreatePolicyVersionInput{PolicyArn: id, PolicyDocument: denyAll, SetAsDefault: true})).PolicyVersion
		equal("default", *ok(e.iam.GetPolicy(e.ctx, &iam.GetPolicyInput{PolicyArn: id})).Policy.DefaultVersionId, *version.VersionId)
		ok(e.iam.SetDefaultPolicyVersion(e.ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: id, VersionId: aws.String("v1")}))
		equal("default", *ok(e.iam.GetPolicy(e.ctx, &iam.GetPolicyInput{PolicyArn: id})).Policy.DefaultVersionId, "v1")
		ok(e.iam.DeletePolicyVersion(e.ctx, &iam.DeletePolicyVersionInput{PolicyArn: id, VersionId: version.VersionId}))
		refuse(e.iam.SetDefaultPolicyVersion(e.ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: id, VersionId: version.VersionId}))("NoSuchEntity")
	}},
	{"policy: attach and detach", func(e *env) {
		e.newRole()
		id := e.newPolicy()
		for range 2 { // may be repeated
			ok(e.iam.AttachRolePolicy(e.ctx, &iam.AttachRolePolicyInput{RoleName: roleName, PolicyArn: id}))
		}
		equal("attached", ok(e.iam.ListAttachedRolePolicies(e.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: roleName})).AttachedPolicies,
			[]iamtypes.AttachedPolicy{{PolicyArn: id, PolicyName: policyName}})
		refuse(e.iam.DeleteRole(e.ctx, &iam.DeleteRoleInput{RoleName: roleName}))("DeleteConflict")
		ok(e.iam.DetachRolePolicy(e.ctx, &iam.DetachRolePolicyInput{RoleName: roleName, PolicyArn: id}))
		refuse(e.iam.DetachRolePolicy(e.ctx, &iam.DetachRolePolicyInput{RoleName: roleName, PolicyArn: id}))("NoSuchEntity")
		refuse(e.iam.AttachRolePolicy(e.ctx, &iam.AttachRolePolicyInput{RoleName: roleName, PolicyArn: aws.String(e.global(Account, "policy/Nobody"))}))("NoSuchEntity")
	}},
	{"policy: attached, it stays", func(e *env) {
		e.newRole()
		id := e.newPolicy()
		ok(e.iam.AttachRolePolicy(e.ctx, &iam.AttachRolePolicyInput{RoleName: roleName, PolicyArn: id}))
		refuse(e.iam.DeletePolicy(e.ctx, &iam.DeletePolicyInput{PolicyArn: id}))("DeleteConflict")
	}},
	{"role: permissions boundary", func(e *env) {
		id := e.newPolicy()
		ok(e.iam.CreateRole(e.ctx, &iam.CreateRoleInput{RoleName: roleName, AssumeRolePolicyDocument: aws.String(e.trust(Account)), PermissionsBoundary: id}))
		boundary := func() string {
			b := ok(e.iam.GetRole(e.ctx, &iam.GetRoleInput{RoleName: roleName})).Role.PermissionsBoundary
			if b == nil {
				return ""
			}
			return *b.PermissionsBoundaryArn
		}
		equal("boundary", boundary(), *id)
		ok(e.iam.DeleteRolePermissionsBoundary(e.ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: roleName}))
		equal("boundary", boundary(), "")
		ok(e.iam.PutRolePermissionsBoundary(e.ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: roleName, PermissionsBoundary: id}))
		equal("boundary", boundary(), *id)
	}},
}
