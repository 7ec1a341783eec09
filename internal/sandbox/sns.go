// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// topic is an SNS topic.
type topic struct {
	arn           string
	account       *account
	attributes    map[string]string
	subscriptions []*topicSubscription
}

// snsOperations manages topics and publishes to queues.
//
// https://docs.aws.amazon.com/sns/latest/api/API_Operations.html
func snsOperations(t table) {
	handle(t, snsService, "CreateTopic", writes, createTopic)
	handle(t, snsService, "DeleteTopic", writes, deleteTopic)
	handle(t, snsService, "ListTopics", reads, listTopics)
	handle(t, snsService, "GetTopicAttributes", reads, getTopicAttributes)
	handle(t, snsService, "SetTopicAttributes", writes, setTopicAttributes)
	handle(t, snsService, "Publish", writes.dataEvent().requests(publishParameters), publish)
}

func (t *topic) policy() string { return t.attributes["Policy"] }

// topicByARN finds a topic of any account.
func (s *Sandbox) topicByARN(topicARN string) *topic {
	p, err := arn.Parse(topicARN)
	if err != nil {
		return nil
	}
	a, ok := s.accounts[p.AccountID]
	if !ok {
		return nil
	}
	return a.topics[topicARN]
}

func (c *call) topicFor(id *string) (*topic, error) {
	t := c.s.topicByARN(aws.ToString(id))
	if t == nil {
		return nil, noTopic()
	}
	c.touch("AWS::SNS::Topic", t.arn)
	c.owner = t.account
	return t, c.permit(t.policy(), t.arn, t.account)
}

func noTopic() error {
	return failAs("NotFoundException", http.StatusNotFound, &types.NotFoundException{Message: msg("Topic does not exist")})
}

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}(\.fifo)?$`)

// createTopic answers with the topic that is there, if it is.
func createTopic(c *call, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
	name := aws.ToString(in.Name)
	if !topicName.MatchString(name) {
		return nil, failAs("InvalidParameterException", http.StatusBadRequest, &types.InvalidParameterException{Message: msg("Invalid parameter: Topic Name")})
	}
	id := c.arnOf("sns", name)
	c.touch("AWS::SNS::Topic", id)
	if _, ok := c.account().topics[id]; ok {
		c.same = true
		return &sns.CreateTopicOutput{TopicArn: aws.String(id)}, nil
	}
	t := &topic{arn: id, account: c.account(), attributes: map[string]string{
		"TopicArn": id, "Owner": c.account().id, "DisplayName": "", "Policy": c.account().defaultTopicPolicy(id),
	}}
	maps.Copy(t.attributes, in.Attributes)
	c.account().topics[id] = t
	return &sns.CreateTopicOutput{TopicArn: aws.String(id)}, nil
}

// defaultTopicPolicy lets the owner do everything.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
func (a *account) defaultTopicPolicy(topicARN string) string {
	type m = map[string]any
	p, _ := json.Marshal(m{"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": []m{{ // strings only
		"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": m{"AWS": "*"},
		"Action": []string{
			"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
			"SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
		},
		"Resource": topicARN, "Condition": m{"StringEquals": m{"AWS:SourceOwner": a.id}},
	}}})
	return string(p)
}

func deleteTopic(c *call, in *sns.DeleteTopicInput) (*sns.DeleteTopicOutput, error) {
	if c.s.topicByARN(aws.ToString(in.TopicArn)) == nil {
		c.same = true // deleting a topic that is not there is no error
		return &sns.DeleteTopicOutput{}, nil
	}
	t, err := c.topicFor(in.TopicArn)
	if err != nil {
		return nil, err
	}
	delete(t.account.topics, t.arn)
	return &sns.DeleteTopicOutput{}, nil
}

func listTopics(c *call, _ *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
	out := &sns.ListTopicsOutput{Topics: []types.Topic{}}
	for _, id := range slices.Sorted(maps.Keys(c.account().topics)) {
		if p, err := arn.Parse(id); err == nil && p.Region == c.region {
			out.Topics = append(out.Topics, types.Topic{TopicArn: aws.String(id)})
		}
	}
	return out, nil
}

func getTopicAttributes(c *call, in *sns.GetTopicAttributesInput) (*sns.GetTopicAttributesOutput, error) {
	t, err := c.topicFor(in.TopicArn)
	if err != nil {
		return nil, err
	}
	return &sns.GetTopicAttributesOutput{Attributes: maps.Clone(t.attributes)}, nil
}

func setTopicAttributes(c *call, in *sns.SetTopicAttributesInput) (*sns.SetTopicAttributesOutput, error) {
	t, err := c.topicFor(in.TopicArn)
	if err != nil {
		return nil, err
	}
	name, value := aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)
	if name == "Policy" {
		if _, err := parsePolicy(value); err != nil {
			return nil, failAs("InvalidParameterException", http.StatusBadRequest, &types.InvalidParameterException{Message: msg("Invalid parameter: Policy Error: null")})
		}
	}
	c.same = t.attributes[name] == value
	t.attributes[name] = value
	return &sns.SetTopicAttributesOutput{}, nil
}

// publishParameters hides the message, as AWS does.
func publishParameters(_ *call, in any) any {
	m := camel.object(in)
	if _, ok := m["message"]; ok {
		m["message"] = hiddenText
	}
	return m
}

// hiddenText is what CloudTrail writes in place of a value that is nobody's business.
const hiddenText = "HIDDEN_DUE_TO_SECURITY_REASONS"

func publish(c *call, in *sns.PublishInput) (*sns.PublishOutput, error) {
	t, err := c.topicFor(in.TopicArn)
	if err != nil {
		return nil, err
	}
	c.resource("AWS::SNS::Topic", t.arn, t.account)
	return &sns.PublishOutput{MessageId: aws.String(c.s.fanOut(t, aws.ToString(in.Message), c.now, c.ids))}, nil
}

// fanOut sends a message to the queues that subscribed to the topic, wrapped unless they want it raw. Nothing else gets
// it: there are no mailboxes or functions here.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
func (s *Sandbox) fanOut(t *topic, message string, now time.Time, ids *ids) (id string) {
	id = ids.uuid()
	for _, x := range t.subscriptions {
		q := s.queueByARN(x.endpoint)
		if q == nil || !x.takesAll() {
			continue
		}
		body := message
		if x.attributes[rawDelivery] != "true" {
			wrapped, _ := json.Marshal(map[string]string{ // strings only
				"Type": "Notification", "MessageId": id, "TopicArn": t.arn, "Message": message,
				"Timestamp": now.UTC().Format("2006-01-02T15:04:05.000Z"), "SignatureVersion": "1",
				"Signature": "sandbox", "SigningCertURL": "", "UnsubscribeURL": "",
			})
			body = string(wrapped)
		}
		q.send(ids.uuid(), body, now, now)
	}
	return id
}
