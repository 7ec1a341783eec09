// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/trail"
)

// Names of our own parts in a story. The queue is that of the seeded account, which gets its events in another way as well:
// where the rule brings nothing there are the log files.
const (
	ownName     = "switchback"
	ownFunction = "switchback-actions"
	ownQueue    = "switchback-events"
	ownDead     = "switchback-events-dead"
	ownRole     = "SwitchbackResponder"
	ownPolicy   = "SwitchbackLook"
	ownPattern  = `{"detail-type":["AWS API Call via CloudTrail","AWS Console Sign In via CloudTrail"]}`
)

// makeOwn makes the rule, on an event bus of its own where one is named, the queue's policy, an alarm, and what the role may.
func (st *stage) makeOwn(ctx context.Context, bus string) error {
	rule := st.arnOf("events", "rule/"+ownName)
	if bus != "" {
		rule = st.arnOf("events", "rule/"+bus+"/"+ownName)
	}
	for _, call := range append(st.ownCalls(rule, bus), st.ownRoleCalls()...) {
		if err := st.ask(ctx, "admin", call.name, call.input); err != nil {
			return fmt.Errorf("%s: %w", call.name, err)
		}
	}
	var err error
	st.own, err = trail.OwnParts([]arn.ARN{
		arn.ARN(rule), arn.ARN(st.arnOf("sqs", ownQueue)), arn.ARN(st.arnOf("sqs", ownDead)), arn.ARN(st.arnOf("cloudwatch", "alarm:"+ownName)),
		arn.ARN(st.roleARN(ownRole)), arn.ARN(st.arnOf("lambda", "function:"+ownFunction)), arn.ARN(st.arnOf("lambda", "layer:"+ownName)),
		arn.ARN(st.arnOf("states", "stateMachine:"+ownName)),
	})
	return err
}

// made is a call that makes something.
type made struct {
	name  string
	input object
}

func (st *stage) ownCalls(rule, bus string) []made {
	queue := st.arnOf("sqs", ownQueue)
	send := object{
		"Effect": "Allow", "Principal": object{"Service": arn.ServiceHost("events")}, "Action": "sqs:SendMessage", "Resource": queue,
		"Condition": object{"ArnEquals": object{"aws:SourceArn": rule}},
	}
	put := object{
		"Name": ownName, "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
		"EventPattern": ownPattern,
	}
	targets := object{"Rule": ownName, "Targets": []object{{"Id": "queue", "Arn": queue}}}
	calls := []made{
		{"SQS.SetQueueAttributes", object{"QueueUrl": st.seeded.QueueURL, "Attributes": object{"Policy": policyOf(send)}}},
		{"EventBridge.PutRule", put},
		{"EventBridge.PutTargets", targets},
		{"CloudWatch.PutMetricAlarm", object{
			"AlarmName": ownName, "Namespace": "Switchback", "MetricName": "Incidents", "Statistic": "Sum", "Threshold": 1, "Period": 60,
			"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "AlarmActions": []string{st.arnOf("sns", "security")},
		}},
	}
	if bus == "" {
		return calls
	}
	put["EventBusName"], targets["EventBusName"] = bus, bus
	return append([]made{
		{"EventBridge.CreateEventBus", object{"Name": bus}},
		{"EventBridge.PutPermission", object{"EventBusName": bus, "StatementId": "member", "Principal": otherAccount, "Action": "events:PutEvents"}},
	}, calls...)
}

// ownRoleCalls give the role policies of both kinds, a tag, and sessions that last as long as they can.
func (st *stage) ownRoleCalls() []made {
	respond := policyOf(object{"Effect": "Allow", "Action": []string{"cloudtrail:StartLogging", "cloudtrail:UpdateTrail"}, "Resource": "*"})
	look := policyOf(object{"Effect": "Allow", "Action": []string{"cloudtrail:GetTrailStatus", "cloudtrail:DescribeTrails"}, "Resource": "*"})
	policy := arn.Parts{Partition: st.place.Partition, Service: "iam", AccountID: st.place.Account, Resource: "policy/" + ownPolicy}
	return []made{
		{"IAM.CreatePolicy", object{"PolicyName": ownPolicy, "PolicyDocument": look}},
		{"IAM.AttachRolePolicy", object{"RoleName": ownRole, "PolicyArn": policy.String()}},
		{"IAM.PutRolePolicy", object{"RoleName": ownRole, "PolicyName": "respond", "PolicyDocument": respond}},
		{"IAM.UpdateRole", object{"RoleName": ownRole, "MaxSessionDuration": 43200}},
		{"IAM.TagRole", object{"RoleName": ownRole, "Tags": []object{{"Key": "team", "Value": "security"}}}},
	}
}

// writeOwn says of each of our own parts whether it is as it was before the story.
func (st *stage) writeOwn(ctx context.Context, b *strings.Builder) error {
	b.WriteString("our own parts:\n")
	for _, d := range st.own {
		text, err := st.standing(ctx, d)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "  %s %s: %s\n", d.Kind, d.ARN, text)
	}
	b.WriteString("\n")
	return nil
}
