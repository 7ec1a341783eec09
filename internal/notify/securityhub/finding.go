// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package securityhub

import (
	"cmp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

// What the format takes, in characters.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html
const (
	schema         = "2018-10-08"
	maxTitle       = 256
	maxDescription = 1024
	maxID          = 512
	maxField       = 1024
)

// newFinding is the finding of an incident but for its title, its text and whose it is.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html
func newFinding(inc incident.Incident, now time.Time) types.AwsSecurityFinding {
	created := inc.Times.Received
	if created.IsZero() {
		created = now
	}
	f := types.AwsSecurityFinding{
		SchemaVersion: aws.String(schema), Id: aws.String(notify.Line(string(inc.ID), maxID)), ProductName: aws.String("Switchback"),
		GeneratorId: aws.String(notify.Line(cmp.Or(inc.Key.Runbook, "switchback"), maxID)),
		// A principal did what he hardly ever does; more is not known of a runbook that somebody else wrote.
		Types:     []string{"Unusual Behaviors/User"},
		CreatedAt: moment(created), UpdatedAt: moment(now),
		Severity:  &types.Severity{Label: label(inc.Severity), Original: aws.String(cmp.Or(string(inc.Severity), "unknown"))},
		Resources: []types.Resource{resource(inc)}, RecordState: types.RecordStateActive, ProductFields: map[string]string{},
	}
	if !inc.Times.Occurred.IsZero() {
		f.FirstObservedAt = moment(inc.Times.Occurred)
	}
	for name, value := range map[string]string{
		"switchback/account": inc.Key.Account, "switchback/eventName": inc.Key.EventName, "switchback/outcome": string(inc.Key.Outcome),
		"switchback/principal": inc.Who.Principal, "switchback/human": inc.Who.Human,
	} {
		if value != "" {
			f.ProductFields[name] = notify.Line(value, maxField)
		}
	}
	return f
}

// resourceTypes are the format's names by service and kind of resource.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html
var resourceTypes = map[string]string{
	"cloudtrail:trail": "AwsCloudTrailTrail", "ec2:instance": "AwsEc2Instance", "iam:role": "AwsIamRole",
	"iam:user": "AwsIamUser", "kms:key": "AwsKmsKey", "lambda:function": "AwsLambdaFunction", "s3:": "AwsS3Bucket", "sns:": "AwsSnsTopic",
	"sqs:": "AwsSqsQueue",
}

// resource is what the incident is about, or the incident where that is nothing of AWS.
func resource(inc incident.Incident) types.Resource {
	r := types.Resource{Type: aws.String("Other"), Id: aws.String(notify.Line(cmp.Or(inc.Key.Resource, string(inc.ID)), maxID))}
	if inc.Region != "" {
		r.Region = aws.String(notify.Line(inc.Region, 16))
	}
	p, err := arn.Parse(inc.Key.Resource)
	if err != nil {
		return r
	}
	r.Partition = types.Partition(p.Partition)
	what := ""
	if i := strings.IndexAny(p.Resource, "/:"); i > 0 && p.Service != "s3" {
		what = p.Resource[:i]
	}
	if t, ok := resourceTypes[p.Service+":"+what]; ok {
		r.Type = aws.String(t)
	}
	return r
}

func label(s incident.Severity) types.SeverityLabel {
	switch s {
	case incident.Critical:
		return types.SeverityLabelCritical
	case incident.High:
		return types.SeverityLabelHigh
	case incident.Medium:
		return types.SeverityLabelMedium
	case incident.Low:
		return types.SeverityLabelLow
	}
	return types.SeverityLabelInformational
}

func moment(t time.Time) *string { return aws.String(t.UTC().Format("2006-01-02T15:04:05.000Z")) }

// text is what the format takes for a text: never empty.
func text(s string, limit int) *string { return aws.String(cmp.Or(notify.Plain(s, limit), "-")) }
