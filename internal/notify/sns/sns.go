// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package sns publishes messages to an Amazon SNS topic: mail, SMS, chat and functions subscribe to it.
//
//	type: sns
//	topic_arn: ...         # its account and region are those in it
//	reaches_human: true    # somebody who reads it has confirmed a subscription; the default is that it only writes down
//
// The topic is one audience, so that what is for the person behind a call is not published. Message attributes hold
// message_id (the same for a repetition), kind, severity and incident, for filter policies of subscriptions; a FIFO topic
// drops a repetition by itself. A topic takes messages also when nobody subscribes to it.
//
// An encrypted topic needs kms:GenerateDataKey and kms:Decrypt on its key beside sns:Publish.
//
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
package sns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

const kind = "sns"

func init() {
	notify.Register(notify.Kind{
		Type: kind, PerMinute: perMinute, Permissions: permissions,
		New: func(c notify.Config, s notify.Services) (notify.Notifier, error) {
			var o Options
			if err := c.Decode(&o); err != nil {
				return nil, err
			}
			return New(o, s)
		},
	})
}

// perMinute is for the people who get them: SNS itself takes thousands a second.
const perMinute = 120

func permissions(c notify.Config) ([]notify.Permission, error) {
	var o Options
	if err := c.Decode(&o); err != nil {
		return nil, err
	}
	return []notify.Permission{{Action: "sns:Publish", Resource: o.TopicARN}}, nil
}

// Options of a Topic.
type Options struct {
	TopicARN     string `yaml:"topic_arn"`
	ReachesHuman bool   `yaml:"reaches_human"`
}

// Topic is the channel. It is safe for concurrent use.
type Topic struct {
	o        Options
	parts    arn.Parts
	services notify.Services
}

var _ notify.Notifier = (*Topic)(nil)

var errTopic = errors.New("topic_arn: want the ARN of an SNS topic")

// New checks the options. It connects to nothing.
func New(o Options, s notify.Services) (*Topic, error) {
	parts, err := arn.Parse(o.TopicARN)
	if err != nil || parts.Service != "sns" || parts.Region == "" || parts.AccountID == "" || strings.ContainsAny(parts.Resource, ":/") {
		return nil, fmt.Errorf("%w, not %.100q", errTopic, o.TopicARN)
	}
	return &Topic{o, parts, s}, nil
}

// ReachesHuman implements notify.Notifier.
func (t *Topic) ReachesHuman() bool { return t.o.ReachesHuman }

// What SNS takes: a subject of less than 100 characters of ASCII, and 256 KB in all.
const (
	maxSubject   = 99
	maxText      = 200 << 10
	maxAttribute = 200
)

// Notify implements notify.Notifier.
func (t *Topic) Notify(ctx context.Context, m incident.Message) ([]string, bool, error) {
	if m.Kind == incident.ToPerson {
		return nil, false, notify.ErrNotAddressed
	}
	door, err := t.services.Door(kind, t.o.TopicARN)
	if err != nil {
		return nil, false, err
	}
	cfg, err := door.Config(ctx, t.parts.AccountID, t.parts.Region)
	if err == nil {
		_, err = sns.NewFromConfig(cfg).Publish(ctx, t.input(m))
	}
	if err != nil {
		retry, err := notify.JudgeAWS(kind, err)
		return nil, retry, err
	}
	return []string{t.parts.Resource}, false, nil
}

func (t *Topic) input(m incident.Message) *sns.PublishInput {
	subject := notify.Line(m.Subject, 2*maxSubject)
	in := &sns.PublishInput{
		TopicArn: aws.String(t.o.TopicARN), Subject: aws.String(ascii(subject)),
		Message: aws.String(notify.Line(m.Subject, maxAttribute) + "\n\n" + notify.Plain(m.Text, maxText)),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"message_id": attribute(m.ID), "kind": attribute(string(m.Kind)),
		},
	}
	if m.Severity != "" {
		in.MessageAttributes["severity"] = attribute(string(m.Severity))
	}
	if m.Incident != "" {
		in.MessageAttributes["incident"] = attribute(string(m.Incident))
	}
	if strings.HasSuffix(t.parts.Resource, ".fifo") {
		in.MessageGroupId = aws.String(cmp.Or(string(m.Incident), "switchback"))
		in.MessageDeduplicationId = aws.String(m.ID)
	}
	return in
}

func attribute(text string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(notify.Line(text, maxAttribute))}
}

// ascii is a subject as SNS takes it: it begins with a letter, number or punctuation mark.
func ascii(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return cmp.Or(strings.TrimSpace(s[:min(len(s), maxSubject)]), "Switchback")
}
