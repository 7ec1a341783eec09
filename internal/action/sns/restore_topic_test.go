// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sns_test

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/switchback-project/switchback/internal/action/restoretest"
	_ "github.com/switchback-project/switchback/internal/action/sns"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

const restoreTopic = "sns:RestoreTopic"

// topic is a trail's topic while it is attacked.
type topic struct {
	*restoretest.Scene
	*api.Client
	arn *string
}

func of(s *restoretest.Scene) topic {
	return topic{s, api.NewFromConfig(s.Admin), aws.String(s.ARN("sns", "trail"))}
}

// policy lets CloudTrail publish; more are further statements.
func (t topic) policy(more ...string) string {
	statements := append([]string{
		`{"Sid":"Trail","Effect":"Allow","Principal":{"Service":"` + arn.ServiceHost("cloudtrail") + `"},"Action":"SNS:Publish","Resource":"` + *t.arn + `"}`,
	}, more...)
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func (t topic) set(name, value string) {
	restoretest.OK(t.SetTopicAttributes(t.Context(), &api.SetTopicAttributesInput{TopicArn: t.arn, AttributeName: &name, AttributeValue: &value}))(t)
}

func (t topic) subscribe(protocol, endpoint string, attributes map[string]string) string {
	return *restoretest.OK(t.Subscribe(t.Context(), &api.SubscribeInput{
		TopicArn: t.arn, Protocol: &protocol, Endpoint: &endpoint, Attributes: attributes, ReturnSubscriptionArn: true,
	}))(t).SubscriptionArn
}

func (t topic) subscriptionOf(endpoint string) *string {
	t.Helper()
	for _, s := range restoretest.OK(t.ListSubscriptionsByTopic(t.Context(), &api.ListSubscriptionsByTopicInput{TopicArn: t.arn}))(t).Subscriptions {
		if *s.Endpoint == endpoint {
			return s.SubscriptionArn
		}
	}
	t.Fatalf("nobody at %s subscribed", endpoint)
	return nil
}

func (t topic) unsubscribe(endpoint string) {
	restoretest.OK(t.Unsubscribe(t.Context(), &api.UnsubscribeInput{SubscriptionArn: t.subscriptionOf(endpoint)}))(t)
}

func (t topic) setSubscription(endpoint, name, value string) {
	restoretest.OK(t.SetSubscriptionAttributes(t.Context(), &api.SetSubscriptionAttributesInput{
		SubscriptionArn: t.subscriptionOf(endpoint), AttributeName: &name, AttributeValue: &value,
	}))(t)
}

func (t topic) delete() {
	restoretest.OK(t.DeleteTopic(t.Context(), &api.DeleteTopicInput{TopicArn: t.arn}))(t)
}

func (t topic) queue() string    { return t.ARN("sqs", "events") }
func (t topic) function() string { return t.ARN("lambda", "function:events") }

// build makes a topic with a queue and a function.
func build(s *restoretest.Scene) trail.Dependency {
	t := of(s)
	restoretest.OK(sqs.NewFromConfig(s.Admin).CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: aws.String("events")}))(s)
	restoretest.OK(t.CreateTopic(s.Context(), &api.CreateTopicInput{Name: aws.String("trail"), Attributes: map[string]string{
		"Policy": t.policy(), "KmsMasterKeyId": "alias/trail",
	}}))(s)
	t.subscribe("sqs", t.queue(), map[string]string{"RawMessageDelivery": "true"})
	t.subscribe("lambda", t.function(), nil)
	return trail.Dependency{Kind: trail.KindTopic, ARN: arn.ARN(*t.arn), Account: restoretest.Account, Region: s.Region}
}

func TestRoutes(t *testing.T) {
	damage := func(f func(t topic)) func(s *restoretest.Scene) { return func(s *restoretest.Scene) { f(of(s)) } }
	restoretest.Run(t, restoretest.Suite{Action: restoreTopic, Implied: []string{"iam:PassRole"}, Routes: []restoretest.Route{
		{Name: "deleted", Build: build, Calls: []string{"CreateTopic", "Subscribe", "Subscribe"}, Damage: damage(topic.delete)},
		{Name: "deleted in GovCloud", Region: "us-gov-west-1", Build: build, Calls: []string{"CreateTopic", "Subscribe", "Subscribe"}, Damage: damage(topic.delete)},
		{
			Name: "policy without CloudTrail", Build: build, Calls: []string{"SetTopicAttributes"},
			Damage: damage(func(t topic) { t.set("Policy", strings.ReplaceAll(t.policy(), "SNS:Publish", "SNS:Subscribe")) }),
		},
		{
			Name: "permission added", Build: build, Calls: []string{"SetTopicAttributes"},
			Damage: damage(func(t topic) {
				restoretest.OK(t.AddPermission(t.Context(), &api.AddPermissionInput{
					TopicArn: t.arn, Label: aws.String("x"), AWSAccountId: []string{restoretest.Other}, ActionName: []string{"Publish"},
				}))(t)
			}),
		},
		{
			Name: "permission removed", Build: func(s *restoretest.Scene) trail.Dependency {
				d := build(s)
				of(s).set("Policy", of(s).policy(`{"Sid":"Reader","Effect":"Allow","Principal":{"AWS":"`+s.Global(restoretest.Other, "root")+`"},"Action":"SNS:Subscribe","Resource":"`+string(d.ARN)+`"}`))
				return d
			},
			Calls: []string{"SetTopicAttributes"},
			Damage: damage(func(t topic) {
				restoretest.OK(t.RemovePermission(t.Context(), &api.RemovePermissionInput{TopicArn: t.arn, Label: aws.String("Trail")}))(t)
			}),
		},
		{Name: "another key", Build: build, Calls: []string{"SetTopicAttributes"}, Damage: damage(func(t topic) { t.set("KmsMasterKeyId", "alias/other") })},
		{Name: "no key", Build: build, Calls: []string{"SetTopicAttributes"}, Damage: damage(func(t topic) { t.set("KmsMasterKeyId", "") })},
		{
			Name: "unsubscribed", Build: build, Calls: []string{"Subscribe"},
			Damage: damage(func(t topic) { t.unsubscribe(t.queue()) }),
		},
		{
			Name: "a filter that fits nothing", Build: build, Calls: []string{"SetSubscriptionAttributes"},
			Damage: damage(func(t topic) { t.setSubscription(t.queue(), "FilterPolicy", `{"x":["y"]}`) }),
		},
		{
			Name: "not raw any more", Build: build, Calls: []string{"SetSubscriptionAttributes"},
			Damage: damage(func(t topic) { t.setSubscription(t.queue(), "RawMessageDelivery", "false") }),
		},
		{
			Name: "everything at once", Build: build, Calls: []string{"SetTopicAttributes", "SetTopicAttributes", "Subscribe", "SetSubscriptionAttributes"},
			Damage: damage(func(t topic) {
				t.set("Policy", strings.ReplaceAll(t.policy(), "SNS:Publish", "SNS:Subscribe"))
				t.set("KmsMasterKeyId", "")
				t.unsubscribe(t.function())
				t.setSubscription(t.queue(), "RawMessageDelivery", "false")
			}),
		},
	}})
}

// TestMailAndStrangers: who must confirm, and who is new, is for a person, and holds nothing up.
func TestMailAndStrangers(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	d := build(s)
	x := of(s)
	x.subscribe("email", "soc@example.com", nil)
	restoretest.Must(t, s.Sandbox.ConfirmSubscription(*x.arn, "soc@example.com"))
	s.TakeBaseline(d)
	x.unsubscribe("soc@example.com")
	x.unsubscribe(x.queue())
	x.subscribe("https", "https://evil.example/';reboot;'", nil)
	restoretest.Must(t, s.Sandbox.ConfirmSubscription(*x.arn, "https://evil.example/';reboot;'"))
	stranger := x.subscriptionOf("https://evil.example/';reboot;'")

	before := len(s.Sandbox.Mutations())
	out, err := s.Run(restoreTopic, "x")
	restoretest.Must(t, err)
	if calls := s.Changes(before); !out.Changed || len(calls) != 1 || calls[0] != "Subscribe" {
		t.Errorf("output is %+v after %v, want the queue subscribed and nothing else", out, calls)
	}
	for _, want := range []string{
		"aws sns subscribe --topic-arn " + *x.arn + " --protocol email --notification-endpoint soc@example.com",
		"aws sns unsubscribe --subscription-arn " + *stranger,
	} {
		if !strings.Contains(out.WhoCan, want) {
			t.Errorf("who can: %s\nwant %s", out.WhoCan, want)
		}
	}
	again, err := s.Run(restoreTopic, "y")
	restoretest.Must(t, err)
	if !again.Already || again.WhoCan == "" {
		t.Errorf("the second run is %+v, want nothing done, and still who can", again)
	}
}

// TestBeyondUs: what keeps us out names who can.
func TestBeyondUs(t *testing.T) {
	for _, tc := range []struct {
		name, cause string
		attack      func(t topic)
	}{
		{"a policy that denies everybody", "AWS Support", func(t topic) {
			t.set("Policy", t.policy(`{"Effect":"Deny","Principal":"*","Action":"SNS:*","Resource":"*"}`))
		}},
		{"denied", "set-topic-attributes", func(t topic) {
			t.set("KmsMasterKeyId", "")
			restoretest.Must(t, t.Sandbox.Deny(restoretest.Account, "sns:SetTopicAttributes"))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := restoretest.InSandbox(t, nil, "")
			s.TakeBaseline(build(s))
			tc.attack(of(s))
			_, err := s.Run(restoreTopic, "x")
			if name, cause := restoretest.Named(err); name != "Sns.AccessDeniedException" || !strings.Contains(cause, tc.cause) {
				t.Errorf("error is %s: %s; want a refusal with %q", name, cause, tc.cause)
			}
		})
	}
}

// TestAnotherAccount: a topic is not made in an account that it did not belong to.
func TestAnotherAccount(t *testing.T) {
	restoretest.NotElsewhere(t, restoreTopic, build, func(s *restoretest.Scene) { of(s).delete() })
}
