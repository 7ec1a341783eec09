// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package standard_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/sandbox"
)

const topic = "arn:aws:sns:eu-west-1:111122223333:security"

// TestChannelsOfAWS sends through the gate, in dry-run, into a sandbox, first where nothing is set up and then where it is.
func TestChannelsOfAWS(t *testing.T) {
	t.Parallel()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := box.AddAccount(notifytest.Account, arn.PartitionOf(notifytest.Region).ID, ""); err != nil {
		t.Fatal(err)
	}
	root, err := box.Root(notifytest.Account)
	if err != nil {
		t.Fatal(err)
	}
	own := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return root, nil })
	g, err := gate.Open(t.Context(), gate.Options{Backend: box, Region: notifytest.Region, DryRun: true, Credentials: own})
	if err != nil {
		t.Fatal(err)
	}
	channels := map[string]notify.Notifier{}
	for kind, text := range map[string]string{"ses": "from: switchback@example.com", "sns": "topic_arn: " + topic, "securityhub": "{}"} {
		channels[kind], err = notify.New(notify.Config{Type: kind, Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, notify.Services{Gate: g})
		if err != nil {
			t.Fatal(err)
		}
	}
	for kind, want := range map[string]error{"ses": nil, "sns": notify.ErrGone, "securityhub": notify.ErrGone} {
		if _, retry, err := channels[kind].Notify(t.Context(), notifytest.Message()); err == nil || retry || want != nil && !errors.Is(err, want) {
			t.Errorf("%s before it is set up: retry %t, %v", kind, retry, err)
		}
	}
	admin := gate.BackendConfig(box, notifytest.Account, notifytest.Region, root, "")
	arrived := setUp(t, admin)
	for range 2 {
		for kind, n := range channels {
			if to, _, err := n.Notify(t.Context(), notifytest.Message()); err != nil || len(to) != 1 {
				t.Errorf("%s: %v, %v", kind, to, err)
			}
		}
	}
	if published, findings := arrived(); published != 2 || findings != 1 {
		t.Errorf("%d messages and %d findings, want 2 and 1", published, findings)
	}
}

// setUp makes a topic with a queue, a verified sender and a Security Hub, and returns what has arrived there.
func setUp(t *testing.T, admin aws.Config) func() (published, findings int) {
	t.Helper()
	ctx, topics, queues, hub := t.Context(), sns.NewFromConfig(admin), sqs.NewFromConfig(admin), securityhub.NewFromConfig(admin)
	_, errTopic := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("security")})
	queue, errQueue := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")})
	_, errSubscribe := topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: aws.String(topic), Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:eu-west-1:111122223333:q"),
	})
	_, errSender := sesv2.NewFromConfig(admin).CreateEmailIdentity(ctx, &sesv2.CreateEmailIdentityInput{EmailIdentity: aws.String("example.com")})
	_, errHub := hub.EnableSecurityHub(ctx, &securityhub.EnableSecurityHubInput{})
	if err := errors.Join(errTopic, errQueue, errSubscribe, errSender, errHub); err != nil {
		t.Fatal(err)
	}
	return func() (published, findings int) {
		messages, errReceive := queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
		found, errFind := hub.GetFindings(ctx, &securityhub.GetFindingsInput{})
		if err := errors.Join(errReceive, errFind); err != nil {
			t.Fatal(err)
		}
		return len(messages.Messages), len(found.Findings)
	}
}
