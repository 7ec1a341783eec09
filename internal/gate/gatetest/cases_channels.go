// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
)

func mailFrom(from string) *sesv2.SendEmailInput {
	text := func(s string) *sestypes.Content {
		return &sestypes.Content{Data: aws.String(s), Charset: aws.String("UTF-8")}
	}
	return &sesv2.SendEmailInput{
		FromEmailAddress: aws.String(from), Destination: &sestypes.Destination{ToAddresses: []string{"security@example.com"}},
		Content: &sestypes.EmailContent{Simple: &sestypes.Message{
			Subject: text("subject"), Body: &sestypes.Body{Text: text("text"), Html: text("<p>text</p>")},
			Headers: []sestypes.MessageHeader{{Name: aws.String("Switchback-Message-Id"), Value: aws.String("m")}},
		}},
	}
}

func (e *env) finding(id, title string) hubtypes.AwsSecurityFinding {
	return hubtypes.AwsSecurityFinding{
		SchemaVersion: aws.String("2018-10-08"), Id: aws.String(id), ProductArn: aws.String(e.arn("securityhub", "product/"+Account+"/default")),
		GeneratorId: aws.String("cloudtrail-off"), AwsAccountId: aws.String(Account), Types: []string{"Unusual Behaviors/User"},
		CreatedAt: aws.String("2026-05-04T10:11:12.000Z"), UpdatedAt: aws.String("2026-05-04T10:11:12.000Z"),
		Severity: &hubtypes.Severity{Label: hubtypes.SeverityLabelCritical}, Title: aws.String(title), Description: aws.String("text"),
		Resources: []hubtypes.Resource{{Type: aws.String("AwsCloudTrailTrail"), Id: aws.String(e.trailARN())}},
	}
}

func (e *env) importFindings(all ...hubtypes.AwsSecurityFinding) (*securityhub.BatchImportFindingsOutput, error) {
	return e.hub.BatchImportFindings(e.ctx, &securityhub.BatchImportFindingsInput{Findings: all})
}

var channelCases = []contract{
	{"mail: from who was verified", func(e *env) {
		refuse(e.mail.SendEmail(e.ctx, mailFrom("switchback@example.com")))("MessageRejected")
		ok(e.mail.CreateEmailIdentity(e.ctx, &sesv2.CreateEmailIdentityInput{EmailIdentity: aws.String("switchback@example.com")}))
		first := ok(e.mail.SendEmail(e.ctx, mailFrom("switchback@example.com")))
		second := ok(e.mail.SendEmail(e.ctx, mailFrom("switchback@example.com")))
		equal("each has an id of its own", aws.ToString(first.MessageId) != "" && *first.MessageId != aws.ToString(second.MessageId), true)
		refuse(e.mail.SendEmail(e.ctx, mailFrom("ceo@example.com")))("MessageRejected")
	}},
	{"mail: from a domain that was verified", func(e *env) {
		ok(e.mail.CreateEmailIdentity(e.ctx, &sesv2.CreateEmailIdentityInput{EmailIdentity: aws.String("example.com")}))
		ok(e.mail.SendEmail(e.ctx, mailFrom("switchback@example.com")))
		refuse(e.mail.SendEmail(e.ctx, mailFrom("switchback@example.net")))("MessageRejected")
	}},
	{"topic: a message with subject and attributes", func(e *env) {
		id := ok(e.sns.CreateTopic(e.ctx, &sns.CreateTopicInput{Name: aws.String("t")})).TopicArn
		queue := e.newQueue("raw", nil)
		ok(e.sns.Subscribe(e.ctx, &sns.SubscribeInput{
			TopicArn: id, Protocol: aws.String("sqs"), Endpoint: aws.String(e.arn("sqs", "raw")), Attributes: map[string]string{"RawMessageDelivery": "true"},
		}))
		out := ok(e.sns.Publish(e.ctx, &sns.PublishInput{
			TopicArn: id, Subject: aws.String("subject"), Message: aws.String("hello"), MessageAttributes: map[string]snstypes.MessageAttributeValue{
				"severity": {DataType: aws.String("String"), StringValue: aws.String("critical")},
			},
		}))
		equal("has an id", aws.ToString(out.MessageId) != "", true)
		equal("arrives", e.drop(*queue), "hello")
		refuse(e.sns.Publish(e.ctx, &sns.PublishInput{TopicArn: aws.String(*id + "2"), Message: aws.String("hello")}))("NotFound", "NotFoundException")
	}},
	{"finding: the same again updates it", func(e *env) {
		ok(e.hub.EnableSecurityHub(e.ctx, &securityhub.EnableSecurityHubInput{}))
		out := ok(e.importFindings(e.finding("i-1", "first"), e.finding("i-2", "other")))
		equal("taken", aws.ToInt32(out.SuccessCount), 2)
		ok(e.importFindings(e.finding("i-1", "second")))
		got := ok(e.hub.GetFindings(e.ctx, &securityhub.GetFindingsInput{})).Findings
		titles := map[string]string{}
		for _, f := range got {
			titles[aws.ToString(f.Id)] = aws.ToString(f.Title)
		}
		equal("titles", titles, map[string]string{"i-1": "second", "i-2": "other"})
	}},
	{"finding: one without a resource", func(e *env) {
		ok(e.hub.EnableSecurityHub(e.ctx, &securityhub.EnableSecurityHubInput{}))
		bad := e.finding("i-1", "title")
		bad.Resources = []hubtypes.Resource{}
		out := ok(e.importFindings(bad, e.finding("i-2", "title")))
		equal("taken", aws.ToInt32(out.SuccessCount), 1)
		equal("refused", aws.ToInt32(out.FailedCount), 1)
		equal("which", aws.ToString(out.FailedFindings[0].Id), "i-1")
	}},
	{"finding: where Security Hub is off", func(e *env) {
		refuse(e.importFindings(e.finding("i-1", "title")))("InvalidAccessException")
	}},
	{"finding: of another's product", func(e *env) {
		ok(e.hub.EnableSecurityHub(e.ctx, &securityhub.EnableSecurityHubInput{}))
		bad := e.finding("i-1", "title")
		bad.ProductArn = aws.String(e.arn("securityhub", "product/"+Member+"/default"))
		refuse(e.importFindings(bad))("AccessDeniedException")
	}},
}
