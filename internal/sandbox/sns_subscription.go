// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// topicSubscription is a subscriber. One that is pending gets nothing.
type topicSubscription struct {
	arn, protocol, endpoint string
	attributes              map[string]string
	pending                 bool
}

const (
	rawDelivery  = "RawMessageDelivery"
	filterPolicy = "FilterPolicy"
)

// takesAll: messages here have no attributes, so that a filter policy, which is one of attributes, takes none of them.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
func (x *topicSubscription) takesAll() bool {
	f := x.attributes[filterPolicy]
	return !x.pending && (f == "" || f == "{}")
}

// subscriptionOperations manages subscriptions, and statements of topic policies.
//
// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
func subscriptionOperations(t table) {
	handle(t, snsService, "Subscribe", writes, subscribeTopic)
	handle(t, snsService, "Unsubscribe", writes, unsubscribe)
	handle(t, snsService, "ListSubscriptionsByTopic", reads, listSubscriptionsByTopic)
	handle(t, snsService, "GetSubscriptionAttributes", reads, getSubscriptionAttributes)
	handle(t, snsService, "SetSubscriptionAttributes", writes, setSubscriptionAttributes)
	handle(t, snsService, "AddPermission", writes, addTopicPermission)
	handle(t, snsService, "RemovePermission", writes, removeTopicPermission)
	handle(t, control, "ConfirmSubscription", writes, confirmSubscription)
}

func badParameter(format string, args ...any) error {
	return failAs("InvalidParameterException", http.StatusBadRequest, &types.InvalidParameterException{Message: msg("Invalid parameter: "+format, args...)})
}

const pendingSubscription = "pending confirmation"

func subscribeTopic(c *call, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	t, err := c.topicFor(in.TopicArn)
	if err != nil {
		return nil, err
	}
	x := &topicSubscription{protocol: aws.ToString(in.Protocol), endpoint: aws.ToString(in.Endpoint), attributes: map[string]string{}}
	if x.pending, err = c.checkEndpoint(t, x); err != nil {
		return nil, err
	}
	for name, value := range in.Attributes {
		if err := x.set(name, value); err != nil {
			return nil, err
		}
	}
	old := t.find(func(o *topicSubscription) bool { return o.protocol == x.protocol && o.endpoint == x.endpoint })
	if old == nil {
		x.arn = t.arn + ":" + c.ids.uuid()
		t.subscriptions = append(t.subscriptions, x)
		old = x
	} else {
		c.same = true
		if len(in.Attributes) > 0 && !maps.Equal(old.attributes, x.attributes) {
			return nil, badParameter("Attributes Reason: Subscription already exists with different attributes")
		}
	}
	if old.pending {
		return &sns.SubscribeOutput{SubscriptionArn: aws.String(pendingSubscription)}, nil
	}
	return &sns.SubscribeOutput{SubscriptionArn: aws.String(old.arn)}, nil
}

// checkEndpoint reports whether the endpoint has to confirm: everything does that is not of the topic's account.
//
// https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
func (c *call) checkEndpoint(t *topic, x *topicSubscription) (pending bool, err error) {
	switch x.protocol {
	case "email", "email-json", "http", "https":
		return true, nil
	case "sqs":
		if c.s.queueByARN(x.endpoint) == nil {
			return false, badParameter("SQS endpoint ARN")
		}
	case "lambda", "firehose":
		if !arn.IsARN(x.endpoint) {
			return false, badParameter("%s endpoint ARN", x.protocol)
		}
	default:
		return false, badParameter("the sandbox knows no protocol %.40q", x.protocol)
	}
	p, err := arn.Parse(x.endpoint)
	return p.AccountID != t.account.id, err
}

// set puts an attribute; what takes one away is not kept.
func (x *topicSubscription) set(name, value string) error {
	switch name {
	case rawDelivery:
		if value != "true" && value != "false" {
			return badParameter("%s", name)
		}
	case "FilterPolicyScope":
		if value != "MessageAttributes" {
			return badParameter("the sandbox filters by attributes only")
		}
	case filterPolicy, "DeliveryPolicy", "RedrivePolicy", "SubscriptionRoleArn":
	default:
		return badParameter("AttributeName")
	}
	if value == "" {
		delete(x.attributes, name)
		return nil
	}
	x.attributes[name] = value
	return nil
}

func (t *topic) find(is func(*topicSubscription) bool) *topicSubscription {
	i := slices.IndexFunc(t.subscriptions, is)
	if i < 0 {
		return nil
	}
	return t.subscriptions[i]
}

// subscriptionFor finds a confirmed subscription by its ARN, which is its topic's and an id.
func (c *call) subscriptionFor(id *string) (*topic, *topicSubscription, error) {
	s := aws.ToString(id)
	t := c.s.topicByARN(s[:max(0, strings.LastIndexByte(s, ':'))])
	if t != nil {
		if x := t.find(func(x *topicSubscription) bool { return x.arn == s && !x.pending }); x != nil {
			c.touch("AWS::SNS::Topic", t.arn)
			return t, x, nil
		}
	}
	return nil, nil, failAs("NotFoundException", http.StatusNotFound, &types.NotFoundException{Message: msg("Subscription does not exist")})
}

// unsubscribe of what is not there is no error.
func unsubscribe(c *call, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
	t, x, err := c.subscriptionFor(in.SubscriptionArn)
	c.same = err != nil
	if err == nil {
		t.subscriptions = slices.DeleteFunc(slices.Clone(t.subscriptions), func(o *topicSubscription) bool { return o == x })
	}
	return &sns.UnsubscribeOutput{}, nil
}

// subscriptionPage is how many subscriptions a page lists.
const subscriptionPage = 100

func listSubscriptionsByTopic(c *call, in *sns.ListSubscriptionsByTopicInput) (*sns.ListSubscriptionsByTopicOutput, error) {
	t, err := c.topicFor(in.TopicArn)
	if err != nil {
		return nil, err
	}
	first := 0
	if in.NextToken != nil {
		if first, err = strconv.Atoi(*in.NextToken); err != nil || first < 0 || first > len(t.subscriptions) {
			return nil, badParameter("NextToken")
		}
	}
	out := &sns.ListSubscriptionsByTopicOutput{Subscriptions: []types.Subscription{}}
	last := min(first+subscriptionPage, len(t.subscriptions))
	for _, x := range t.subscriptions[first:last] {
		id := x.arn
		if x.pending {
			id = "PendingConfirmation"
		}
		out.Subscriptions = append(out.Subscriptions, types.Subscription{
			SubscriptionArn: aws.String(id), Owner: aws.String(t.account.id), Protocol: aws.String(x.protocol),
			Endpoint: aws.String(x.endpoint), TopicArn: aws.String(t.arn),
		})
	}
	if last < len(t.subscriptions) {
		out.NextToken = aws.String(strconv.Itoa(last))
	}
	return out, nil
}

func getSubscriptionAttributes(c *call, in *sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
	t, x, err := c.subscriptionFor(in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	all := map[string]string{
		"SubscriptionArn": x.arn, "TopicArn": t.arn, "Owner": t.account.id, "Protocol": x.protocol, "Endpoint": x.endpoint,
		"PendingConfirmation": boolText(x.pending), rawDelivery: "false",
	}
	maps.Copy(all, x.attributes)
	return &sns.GetSubscriptionAttributesOutput{Attributes: all}, nil
}

func setSubscriptionAttributes(c *call, in *sns.SetSubscriptionAttributesInput) (*sns.SetSubscriptionAttributesOutput, error) {
	_, x, err := c.subscriptionFor(in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	before := maps.Clone(x.attributes)
	if err := x.set(aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)); err != nil {
		return nil, err
	}
	c.same = maps.Equal(before, x.attributes)
	return &sns.SetSubscriptionAttributesOutput{}, nil
}

// addTopicPermission adds a statement to the topic's policy.
//
// https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
func addTopicPermission(c *call, in *sns.AddPermissionInput) (*sns.AddPermissionOutput, error) {
	var who, what []string
	for _, id := range in.AWSAccountId {
		who = append(who, arn.Parts{Partition: c.account().partition, Service: "iam", AccountID: id, Resource: "root"}.String())
	}
	for _, name := range in.ActionName {
		what = append(what, "SNS:"+name)
	}
	return &sns.AddPermissionOutput{}, c.editTopicPolicy(in.TopicArn, func(statements []any) ([]any, error) {
		if slices.ContainsFunc(statements, hasSid(in.Label)) {
			return nil, badParameter("Statement already exists")
		}
		return append(statements, members{
			"Sid": aws.ToString(in.Label), "Effect": "Allow", "Principal": members{"AWS": who}, "Action": what, "Resource": aws.ToString(in.TopicArn),
		}), nil
	})
}

func removeTopicPermission(c *call, in *sns.RemovePermissionInput) (*sns.RemovePermissionOutput, error) {
	return &sns.RemovePermissionOutput{}, c.editTopicPolicy(in.TopicArn, func(statements []any) ([]any, error) {
		return slices.DeleteFunc(statements, hasSid(in.Label)), nil
	})
}

func hasSid(label *string) func(statement any) bool {
	return func(statement any) bool {
		m, _ := statement.(members)
		return m["Sid"] == aws.ToString(label)
	}
}

func (c *call) editTopicPolicy(topicARN *string, edit func([]any) ([]any, error)) error {
	t, err := c.topicFor(topicARN)
	if err != nil {
		return err
	}
	document := members{}
	if err := json.Unmarshal([]byte(t.policy()), &document); err != nil {
		return err // it was checked when it was put
	}
	statements, isList := document["Statement"].([]any)
	if !isList {
		statements = []any{document["Statement"]}
	}
	if statements, err = edit(statements); err != nil {
		return err
	}
	document["Statement"] = statements
	if len(statements) == 0 {
		return badParameter("Policy Reason: a policy has at least one statement")
	}
	next, err := json.Marshal(document)
	if err != nil {
		return err
	}
	c.same = string(next) == t.policy()
	t.attributes["Policy"] = string(next)
	return nil
}

// confirmInput is a subscriber who follows the link that he was sent.
type confirmInput struct{ Topic, Endpoint string }

// ConfirmSubscription lets whoever reads what is sent to an endpoint confirm that he wants what the topic sends.
func (s *Sandbox) ConfirmSubscription(topicARN, endpoint string) error {
	return s.set("ConfirmSubscription", &confirmInput{topicARN, endpoint})
}

func confirmSubscription(c *call, in *confirmInput) (*done, error) {
	t := c.s.topicByARN(in.Topic)
	if t == nil {
		return nil, noTopic()
	}
	x := t.find(func(x *topicSubscription) bool { return x.endpoint == in.Endpoint })
	if x == nil {
		return nil, invalid("NotFound", "nobody at %.200q subscribed", in.Endpoint)
	}
	c.same = !x.pending
	x.pending = false
	return &done{}, nil
}
