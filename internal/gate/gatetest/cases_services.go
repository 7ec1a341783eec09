// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// defaultPolicy is the only name that a key policy may have.
var defaultPolicy = aws.String("default")

var keyCases = []contract{
	{"key: create and describe", func(e *env) {
		made := ok(e.kms.CreateKey(e.ctx, &kms.CreateKeyInput{Description: aws.String("logs")})).KeyMetadata
		equal("ARN", aws.ToString(made.Arn), e.arn("kms", "key/"+*made.KeyId))
		for _, id := range []*string{made.Arn, made.KeyId} {
			got := ok(e.kms.DescribeKey(e.ctx, &kms.DescribeKeyInput{KeyId: id})).KeyMetadata
			equal("state", got.KeyState, kmstypes.KeyStateEnabled)
			equal("enabled", got.Enabled, true)
		}
		equal("keys", len(ok(e.kms.ListKeys(e.ctx, &kms.ListKeysInput{})).Keys), 1)
	}},
	{"key: disable and enable", func(e *env) {
		id := e.newKey()
		for range 2 { // may be repeated
			ok(e.kms.DisableKey(e.ctx, &kms.DisableKeyInput{KeyId: id}))
		}
		equal("state", e.keyState(id), kmstypes.KeyStateDisabled)
		ok(e.kms.EnableKey(e.ctx, &kms.EnableKeyInput{KeyId: id}))
		equal("state", e.keyState(id), kmstypes.KeyStateEnabled)
	}},
	{"key: deletion scheduled and cancelled", func(e *env) {
		id := e.newKey()
		got := ok(e.kms.ScheduleKeyDeletion(e.ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)}))
		equal("has a date", got.DeletionDate != nil, true)
		equal("state", e.keyState(id), kmstypes.KeyStatePendingDeletion)
		ok(e.kms.CancelKeyDeletion(e.ctx, &kms.CancelKeyDeletionInput{KeyId: id}))
		equal("state", e.keyState(id), kmstypes.KeyStateDisabled)
		ok(e.kms.EnableKey(e.ctx, &kms.EnableKeyInput{KeyId: id}))
		equal("state", e.keyState(id), kmstypes.KeyStateEnabled)
	}},
	{"key: pending deletion stops changes", func(e *env) {
		id := e.newKey()
		ok(e.kms.ScheduleKeyDeletion(e.ctx, &kms.ScheduleKeyDeletionInput{KeyId: id}))
		refuse(e.kms.EnableKey(e.ctx, &kms.EnableKeyInput{KeyId: id}))("KMSInvalidStateException")
		refuse(e.kms.DisableKey(e.ctx, &kms.DisableKeyInput{KeyId: id}))("KMSInvalidStateException")
	}},
	{"key: cancel what is not scheduled", func(e *env) {
		refuse(e.kms.CancelKeyDeletion(e.ctx, &kms.CancelKeyDeletionInput{KeyId: e.newKey()}))("KMSInvalidStateException")
	}},
	{"key: window too short", func(e *env) {
		refuse(e.kms.ScheduleKeyDeletion(e.ctx, &kms.ScheduleKeyDeletionInput{KeyId: e.newKey(), PendingWindowInDays: aws.Int32(6)}))("ValidationException")
	}},
	{"key: policy", func(e *env) {
		id := e.newKey()
		got := ok(e.kms.GetKeyPolicy(e.ctx, &kms.GetKeyPolicyInput{KeyId: id, PolicyName: defaultPolicy}))
		equal("lets the account decide", strings.Contains(*got.Policy, e.global(Account, "root")), true)
		want := aws.String(e.trailKeyPolicy())
		ok(e.kms.PutKeyPolicy(e.ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: want, PolicyName: defaultPolicy}))
		equal("policy", aws.ToString(ok(e.kms.GetKeyPolicy(e.ctx, &kms.GetKeyPolicyInput{KeyId: id, PolicyName: defaultPolicy})).Policy), *want)
	}},
	{"key: policy without a name", func(e *env) {
		id := e.newKey()
		ok(e.kms.PutKeyPolicy(e.ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: aws.String(e.trailKeyPolicy())}))
		equal("name", aws.ToString(ok(e.kms.GetKeyPolicy(e.ctx, &kms.GetKeyPolicyInput{KeyId: id})).PolicyName), "default")
	}},
	{"key: policy that is none", func(e *env) {
		refuse(e.kms.PutKeyPolicy(e.ctx, &kms.PutKeyPolicyInput{KeyId: e.newKey(), Policy: aws.String("{"), PolicyName: defaultPolicy}))("MalformedPolicyDocumentException")
	}},
	{"key: unknown", func(e *env) {
		id := aws.String("00000000-0000-4000-8000-000000000000")
		refuse(e.kms.DescribeKey(e.ctx, &kms.DescribeKeyInput{KeyId: id}))("NotFoundException")
		refuse(e.kms.EnableKey(e.ctx, &kms.EnableKeyInput{KeyId: id}))("NotFoundException")
		refuse(e.kms.GetKeyPolicy(e.ctx, &kms.GetKeyPolicyInput{KeyId: id}))("NotFoundException")
	}},
	{"key: alias", func(e *env) {
		id, alias := e.newKey(), aws.String("alias/logs")
		ok(e.kms.CreateAlias(e.ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: id}))
		refuse(e.kms.CreateAlias(e.ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: id}))("AlreadyExistsException")
		got := ok(e.kms.DescribeKey(e.ctx, &kms.DescribeKeyInput{KeyId: alias})).KeyMetadata
		equal("key", aws.ToString(got.KeyId), *id)
		list := ok(e.kms.ListAliases(e.ctx, &kms.ListAliasesInput{KeyId: id})).Aliases
		equal("aliases", len(list), 1)
		ok(e.kms.DeleteAlias(e.ctx, &kms.DeleteAliasInput{AliasName: alias}))
		refuse(e.kms.DescribeKey(e.ctx, &kms.DescribeKeyInput{KeyId: alias}))("NotFoundException")
	}},
}

func (e *env) newKey() *string {
	return ok(e.kms.CreateKey(e.ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
}

func (e *env) keyState(id *string) kmstypes.KeyState {
	return ok(e.kms.DescribeKey(e.ctx, &kms.DescribeKeyInput{KeyId: id})).KeyMetadata.KeyState
}

func (e *env) newQueue(name string, attributes map[string]string) *string {
	return ok(e.sqs.CreateQueue(e.ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})).QueueUrl
}

func (e *env) receive(url *string, visibility int32) []sqstypes.Message {
	return ok(e.sqs.ReceiveMessage(e.ctx, &sqs.ReceiveMessageInput{
		QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: visibility,
		MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameApproximateReceiveCount},
	})).Messages
}

func (e *env) send(url *string, body string) {
	ok(e.sqs.SendMessage(e.ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: &body}))
}

// drop receives and deletes what is in a queue and returns the last body.
func (e *env) drop(url string) string {
	body := ""
	for _, m := range e.receive(&url, 30) {
		body = *m.Body
		ok(e.sqs.DeleteMessage(e.ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}))
	}
	return body
}

var queueCases = []contract{
	{"queue: send, receive, delete", func(e *env) {
		url := e.newQueue("q", nil)
		e.send(url, "hello")
		got := e.receive(url, 30)
		equal("messages", len(got), 1)
		equal("body", *got[0].Body, "hello")
		equal("received", got[0].Attributes["ApproximateReceiveCount"], "1")
		equal("hidden", len(e.receive(url, 30)), 0)
		ok(e.sqs.ChangeMessageVisibility(e.ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0}))
		got = e.receive(url, 30)
		equal("received again", got[0].Attributes["ApproximateReceiveCount"], "2")
		ok(e.sqs.DeleteMessage(e.ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: got[0].ReceiptHandle}))
		equal("gone", e.attribute(url, "ApproximateNumberOfMessages")+e.attribute(url, "ApproximateNumberOfMessagesNotVisible"), "00")
	}},
	{"queue: find and create again", func(e *env) {
		url := e.newQueue("q", map[string]string{"VisibilityTimeout": "60"})
		equal("same", *e.newQueue("q", map[string]string{"VisibilityTimeout": "60"}), *url)
		refuse(e.sqs.CreateQueue(e.ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"VisibilityTimeout": "61"}}))("QueueAlreadyExists")
		equal("URL", *ok(e.sqs.GetQueueUrl(e.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("q")})).QueueUrl, *url)
		equal("list", ok(e.sqs.ListQueues(e.ctx, &sqs.ListQueuesInput{})).QueueUrls, []string{*url})
		equal("ARN", e.attribute(url, "QueueArn"), e.arn("sqs", "q"))
		equal("timeout", e.attribute(url, "VisibilityTimeout"), "60")
		ok(e.sqs.SetQueueAttributes(e.ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"VisibilityTimeout": "61"}}))
		equal("new timeout", e.attribute(url, "VisibilityTimeout"), "61")
		ok(e.sqs.DeleteQueue(e.ctx, &sqs.DeleteQueueInput{QueueUrl: url}))
		refuse(e.sqs.GetQueueUrl(e.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("q")}))("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
	}},
	{"queue: dead letters", func(e *env) {
		dead := e.newQueue("dead", nil)
		url := e.newQueue("q", map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"1"}`, e.arn("sqs", "dead"))})
		e.send(url, "poison")
		got := e.receive(url, 30)
		ok(e.sqs.ChangeMessageVisibility(e.ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0}))
		equal("left", len(e.receive(url, 30)), 0)
		equal("buried", e.drop(*dead), "poison")
	}},
	{"queue: purge", func(e *env) {
		url := e.newQueue("q", nil)
		e.send(url, "a")
		ok(e.sqs.PurgeQueue(e.ctx, &sqs.PurgeQueueInput{QueueUrl: url}))
		equal("left", len(e.receive(url, 30)), 0)
	}},
	{"queue: long poll ends empty", func(e *env) {
		url := e.newQueue("q", nil)
		got := ok(e.sqs.ReceiveMessage(e.ctx, &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 1}))
		equal("messages", len(got.Messages), 0)
	}},
	{"queue: bad numbers", func(e *env) {
		url := e.newQueue("q", nil)
		refuse(e.sqs.ReceiveMessage(e.ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 11}))("InvalidParameterValue")
		refuse(e.sqs.DeleteMessage(e.ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: aws.String("nonsense")}))("ReceiptHandleIsInvalid")
	}},
	{"queue: not there", func(e *env) {
		e.newQueue("q", nil)
		url := aws.String(strings.Replace(*e.newQueue("r", nil), "/r", "/nobody", 1))
		for _, err := range []error{
			second(e.sqs.SendMessage(e.ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")})),
			second(e.sqs.ReceiveMessage(e.ctx, &sqs.ReceiveMessageInput{QueueUrl: url})),
			second(e.sqs.GetQueueAttributes(e.ctx, &sqs.GetQueueAttributesInput{QueueUrl: url})),
		} {
			refuse(0, err)("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
		}
	}},
}

func second[T any](_ T, err error) error { return err }

func (e *env) attribute(url *string, name string) string {
	return ok(e.sqs.GetQueueAttributes(e.ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: url, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeName(name)},
	})).Attributes[name]
}

var topicCases = []contract{
	{"topic: create, read, change, delete", func(e *env) {
		id := ok(e.sns.CreateTopic(e.ctx, &sns.CreateTopicInput{Name: aws.String("t")})).TopicArn
		equal("ARN", *id, e.arn("sns", "t"))
		equal("again", *ok(e.sns.CreateTopic(e.ctx, &sns.CreateTopicInput{Name: aws.String("t")})).TopicArn, *id)
		equal("list", len(ok(e.sns.ListTopics(e.ctx, &sns.ListTopicsInput{})).Topics), 1)
		want := e.topicPolicy(*id)
		ok(e.sns.SetTopicAttributes(e.ctx, &sns.SetTopicAttributesInput{TopicArn: id, AttributeName: aws.String("Policy"), AttributeValue: &want}))
		got := ok(e.sns.GetTopicAttributes(e.ctx, &sns.GetTopicAttributesInput{TopicArn: id})).Attributes
		equal("policy", got["Policy"], want)
		equal("owner", got["Owner"], Account)
		ok(e.sns.DeleteTopic(e.ctx, &sns.DeleteTopicInput{TopicArn: id}))
		refuse(e.sns.GetTopicAttributes(e.ctx, &sns.GetTopicAttributesInput{TopicArn: id}))("NotFound")
	}},
	{"topic: to a queue", func(e *env) {
		id := ok(e.sns.CreateTopic(e.ctx, &sns.CreateTopicInput{Name: aws.String("t")})).TopicArn
		wrapped, raw := e.newQueue("wrapped", nil), e.newQueue("raw", nil)
		ok(e.sns.Subscribe(e.ctx, &sns.SubscribeInput{TopicArn: id, Protocol: aws.String("sqs"), Endpoint: aws.String(e.arn("sqs", "wrapped"))}))
		sub := ok(e.sns.Subscribe(e.ctx, &sns.SubscribeInput{
			TopicArn: id, Protocol: aws.String("sqs"), Endpoint: aws.String(e.arn("sqs", "raw")), Attributes: map[string]string{"RawMessageDelivery": "true"},
		})).SubscriptionArn
		ok(e.sns.Publish(e.ctx, &sns.PublishInput{TopicArn: id, Message: aws.String("hello")}))
		equal("raw", e.drop(*raw), "hello")
		body := e.drop(*wrapped)
		equal("wrapped", strings.Contains(body, `"Notification"`) && strings.Contains(body, `"hello"`), true)
		ok(e.sns.Unsubscribe(e.ctx, &sns.UnsubscribeInput{SubscriptionArn: sub}))
		ok(e.sns.Publish(e.ctx, &sns.PublishInput{TopicArn: id, Message: aws.String("again")}))
		equal("after unsubscribing", e.drop(*raw), "")
	}},
}

var logGroupCases = []contract{
	{"log group: create, retain, delete", func(e *env) {
		name := aws.String("/switchback/trail")
		ok(e.logs.CreateLogGroup(e.ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name}))
		refuse(e.logs.CreateLogGroup(e.ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name}))("ResourceAlreadyExistsException")
		ok(e.logs.PutRetentionPolicy(e.ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: name, RetentionInDays: aws.Int32(30)}))
		got := ok(e.logs.DescribeLogGroups(e.ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: name})).LogGroups
		equal("groups", len(got), 1)
		equal("ARN", aws.ToString(got[0].Arn), e.arn("logs", "log-group:/switchback/trail:*"))
		equal("days", aws.ToInt32(got[0].RetentionInDays), 30)
		ok(e.logs.DeleteLogGroup(e.ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name}))
		refuse(e.logs.DeleteLogGroup(e.ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name}))("ResourceNotFoundException")
	}},
}
