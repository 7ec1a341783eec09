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
	ownPattern  = `{"detail-type":["AWS API Call via CloudTrail","AWS Console Sign In via CloudTrail"]}`
)

// makeOwn makes the rule, the queue's policy and an alarm.
func (st *stage) makeOwn(ctx context.Context) error {
	queue, rule := st.arnOf("sqs", ownQueue), st.arnOf("events", "rule/"+ownName)
	send := object{
		"Effect": "Allow", "Principal": object{"Service": arn.ServiceHost("events")}, "Action": "sqs:SendMessage", "Resource": queue,
		"Condition": object{"ArnEquals": object{"aws:SourceArn": rule}},
	}
	for _, call := range []struct {
		name  string
		input object
	}{
		{"SQS.SetQueueAttributes", object{"QueueUrl": st.seeded.QueueURL, "Attributes": object{"Policy": policyOf(send)}}},
		{"EventBridge.PutRule", object{
			"Name": ownName, "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
			"EventPattern": ownPattern,
		}},
		{"EventBridge.PutTargets", object{"Rule": ownName, "Targets": []object{{"Id": "queue", "Arn": queue}}}},
		{"CloudWatch.PutMetricAlarm", object{
			"AlarmName": ownName, "Namespace": "Switchback", "MetricName": "Incidents", "Statistic": "Sum", "Threshold": 1, "Period": 60,
			"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "AlarmActions": []string{st.arnOf("sns", "security")},
		}},
	} {
		if err := st.ask(ctx, "admin", call.name, call.input); err != nil {
			return fmt.Errorf("%s: %w", call.name, err)
		}
	}
	var err error
	st.own, err = trail.OwnParts([]arn.ARN{
		arn.ARN(rule), arn.ARN(queue), arn.ARN(st.arnOf("sqs", ownDead)), arn.ARN(st.arnOf("cloudwatch", "alarm:"+ownName)), arn.ARN(st.roleARN(ownRole)),
		arn.ARN(st.arnOf("lambda", "function:"+ownFunction)),
	})
	return err
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
