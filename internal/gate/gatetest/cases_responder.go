// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// callPattern is what a rule for CloudTrail events asks for.
const callPattern = `{"detail-type":["AWS API Call via CloudTrail"]}`

// newRule makes a rule with one target.
func (e *env) newRule(name string) {
	ok(e.events.PutRule(e.ctx, &eventbridge.PutRuleInput{Name: &name, EventPattern: aws.String(callPattern)}))
	ok(e.events.PutTargets(e.ctx, &eventbridge.PutTargetsInput{Rule: &name, Targets: []types.Target{e.target("1")}}))
}

func (e *env) target(id string) types.Target {
	return types.Target{Id: &id, Arn: aws.String(e.arn("sqs", "q"+id))}
}

func (e *env) rule(name string) *eventbridge.DescribeRuleOutput {
	return ok(e.events.DescribeRule(e.ctx, &eventbridge.DescribeRuleInput{Name: &name}))
}

func (e *env) targets(rule string) []types.Target {
	return ok(e.events.ListTargetsByRule(e.ctx, &eventbridge.ListTargetsByRuleInput{Rule: &rule})).Targets
}

var ruleCases = []contract{
	{"rule: put, describe, list", func(e *env) {
		made := ok(e.events.PutRule(e.ctx, &eventbridge.PutRuleInput{
			Name: aws.String("r"), EventPattern: aws.String(callPattern), Description: aws.String("events to us"),
			State: types.RuleStateEnabledWithAllCloudtrailManagementEvents,
		}))
		equal("ARN", aws.ToString(made.RuleArn), e.arn("events", "rule/r"))
		got := e.rule("r")
		equal("ARN again", aws.ToString(got.Arn), e.arn("events", "rule/r"))
		equal("pattern", aws.ToString(got.EventPattern), callPattern)
		equal("state", got.State, types.RuleStateEnabledWithAllCloudtrailManagementEvents)
		equal("description", aws.ToString(got.Description), "events to us")
		equal("bus", aws.ToString(got.EventBusName), "default")
		equal("rules", len(ok(e.events.ListRules(e.ctx, &eventbridge.ListRulesInput{NamePrefix: aws.String("r")})).Rules), 1)
	}},
	{"rule: what is put again replaces", func(e *env) {
		e.newRule("r")
		ok(e.events.PutRule(e.ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(callPattern), Description: aws.String("x")}))
		ok(e.events.PutRule(e.ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(callPattern), State: types.RuleStateDisabled}))
		equal("description", aws.ToString(e.rule("r").Description), "")
		equal("state", e.rule("r").State, types.RuleStateDisabled)
		equal("targets", len(e.targets("r")), 1)
	}},
	{"rule: disable and enable", func(e *env) {
		e.newRule("r")
		for range 2 { // may be repeated
			ok(e.events.DisableRule(e.ctx, &eventbridge.DisableRuleInput{Name: aws.String("r")}))
		}
		equal("state", e.rule("r").State, types.RuleStateDisabled)
		ok(e.events.EnableRule(e.ctx, &eventbridge.EnableRuleInput{Name: aws.String("r")}))
		equal("state", e.rule("r").State, types.RuleStateEnabled)
	}},
	{"rule: enabling forgets the state", func(e *env) {
		ok(e.events.PutRule(e.ctx, &eventbridge.PutRuleInput{
			Name: aws.String("r"), EventPattern: aws.String(callPattern), State: types.RuleStateEnabledWithAllCloudtrailManagementEvents,
		}))
		ok(e.events.EnableRule(e.ctx, &eventbridge.EnableRuleInput{Name: aws.String("r")}))
		equal("state", e.rule("r").State, types.RuleStateEnabled)
	}},
	{"rule: targets", func(e *env) {
		e.newRule("r")
		two := e.target("2")
		two.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(3)}
		equal("failed", ok(e.events.PutTargets(e.ctx, &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{two}})).FailedEntryCount, 0)
		equal("targets", e.targets("r"), []types.Target{e.target("1"), two})
		moved := e.target("1")
		moved.Arn = aws.String(e.arn("sqs", "elsewhere"))
		ok(e.events.PutTargets(e.ctx, &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{moved}}))
		equal("moved", e.targets("r"), []types.Target{moved, two})
		equal("failed", ok(e.events.RemoveTargets(e.ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String("r"), Ids: []string{"1"}})).FailedEntryCount, 0)
		equal("left", e.targets("r"), []types.Target{two})
	}},
	{"rule: more targets than five", func(e *env) {
		e.newRule("r")
		var more []types.Target
		for i := range 5 {
			more = append(more, e.target(fmt.Sprint(i+2)))
		}
		refuse(e.events.PutTargets(e.ctx, &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: more}))("LimitExceededException")
	}},
	{"rule: delete", func(e *env) {
		e.newRule("r")
		refuse(e.events.DeleteRule(e.ctx, &eventbridge.DeleteRuleInput{Name: aws.String("r")}))("ValidationException")
		ok(e.events.RemoveTargets(e.ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String("r"), Ids: []string{"1"}}))
		ok(e.events.DeleteRule(e.ctx, &eventbridge.DeleteRuleInput{Name: aws.String("r")}))
		refuse(e.events.DescribeRule(e.ctx, &eventbridge.DescribeRuleInput{Name: aws.String("r")}))("ResourceNotFoundException")
		refuse(e.events.PutTargets(e.ctx, &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{e.target("1")}}))("ResourceNotFoundException")
		refuse(e.events.DisableRule(e.ctx, &eventbridge.DisableRuleInput{Name: aws.String("r")}))("ResourceNotFoundException")
	}},
	{"rule: delete what is not there", func(e *env) {
		ok(e.events.DeleteRule(e.ctx, &eventbridge.DeleteRuleInput{Name: aws.String("nobody")}))
	}},
	{"rule: bad pattern, target, and neither pattern nor schedule", func(e *env) {
		refuse(e.events.PutRule(e.ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"source":"no list"}`)}))("InvalidEventPatternException")
		refuse(e.events.PutRule(e.ctx, &eventbridge.PutRuleInput{Name: aws.String("r")}))("ValidationException")
		e.newRule("r")
		bad := types.Target{Id: aws.String("x"), Arn: aws.String("nonsense")}
		refuse(e.events.PutTargets(e.ctx, &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{bad}}))("ValidationException")
	}},
	{"rule: test a pattern", func(e *env) {
		event := fmt.Sprintf(`{"id":"1","account":%q,"source":"aws.sqs","time":"2026-05-04T10:00:00Z","region":%q,"resources":[],`+
			`"detail-type":"AWS API Call via CloudTrail","detail":{}}`, Account, e.region)
		equal("matches", ok(e.events.TestEventPattern(e.ctx, &eventbridge.TestEventPatternInput{Event: &event, EventPattern: aws.String(callPattern)})).Result, true)
		other := aws.String(`{"source":["aws.s3"]}`)
		equal("matches", ok(e.events.TestEventPattern(e.ctx, &eventbridge.TestEventPatternInput{Event: &event, EventPattern: other})).Result, false)
	}},
}

func (e *env) busPolicy() string {
	policy := aws.ToString(ok(e.events.DescribeEventBus(e.ctx, &eventbridge.DescribeEventBusInput{})).Policy)
	return policy
}

var busCases = []contract{
	{"bus: the default one", func(e *env) {
		got := ok(e.events.DescribeEventBus(e.ctx, &eventbridge.DescribeEventBusInput{}))
		equal("ARN", aws.ToString(got.Arn), e.arn("events", "event-bus/default"))
		equal("policy", aws.ToString(got.Policy), "")
		refuse(e.events.DeleteEventBus(e.ctx, &eventbridge.DeleteEventBusInput{Name: aws.String("default")}))("ValidationException")
	}},
	{"bus: create, use, delete", func(e *env) {
		bus := aws.String("b")
		made := ok(e.events.CreateEventBus(e.ctx, &eventbridge.CreateEventBusInput{Name: bus}))
		equal("ARN", aws.ToString(made.EventBusArn), e.arn("events", "event-bus/b"))
		refuse(e.events.CreateEventBus(e.ctx, &eventbridge.CreateEventBusInput{Name: bus}))("ResourceAlreadyExistsException")
		rule := ok(e.events.PutRule(e.ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventBusName: bus, EventPattern: aws.String(callPattern)}))
		equal("rule's ARN", aws.ToString(rule.RuleArn), e.arn("events", "rule/b/r"))
		refuse(e.events.DescribeRule(e.ctx, &eventbridge.DescribeRuleInput{Name: aws.String("r")}))("ResourceNotFoundException")
		ok(e.events.DeleteRule(e.ctx, &eventbridge.DeleteRuleInput{Name: aws.String("r"), EventBusName: bus}))
		ok(e.events.DeleteEventBus(e.ctx, &eventbridge.DeleteEventBusInput{Name: bus}))
		refuse(e.events.DescribeEventBus(e.ctx, &eventbridge.DescribeEventBusInput{Name: bus}))("ResourceNotFoundException")
	}},
	{"bus: one with rules is not deleted", func(e *env) {
		bus := aws.String("b")
		ok(e.events.CreateEventBus(e.ctx, &eventbridge.CreateEventBusInput{Name: bus}))
		ok(e.events.PutRule(e.ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventBusName: bus, EventPattern: aws.String(callPattern)}))
		refuse(e.events.DeleteEventBus(e.ctx, &eventbridge.DeleteEventBusInput{Name: bus}))("ValidationException")
	}},
	{"bus: permissions", func(e *env) {
		ok(e.events.PutPermission(e.ctx, &eventbridge.PutPermissionInput{
			StatementId: aws.String("s"), Principal: aws.String(Member), Action: aws.String("events:PutEvents"),
		}))
		got := e.busPolicy()
		equal("lets the account in", strings.Contains(got, e.global(Member, "root")), true)
		refuse(e.events.RemovePermission(e.ctx, &eventbridge.RemovePermissionInput{StatementId: aws.String("other")}))("ResourceNotFoundException")
		ok(e.events.RemovePermission(e.ctx, &eventbridge.RemovePermissionInput{RemoveAllPermissions: true}))
		equal("statements", strings.Contains(e.busPolicy(), `"Sid"`), false)
		ok(e.events.PutPermission(e.ctx, &eventbridge.PutPermissionInput{Policy: &got}))
		equal("put as a whole", strings.Contains(e.busPolicy(), e.global(Member, "root")), true)
	}},
	{"bus: no policy without statements", func(e *env) {
		ok(e.events.PutPermission(e.ctx, &eventbridge.PutPermissionInput{
			StatementId: aws.String("s"), Principal: aws.String(Member), Action: aws.String("events:PutEvents"),
		}))
		ok(e.events.RemovePermission(e.ctx, &eventbridge.RemovePermissionInput{RemoveAllPermissions: true}))
		equal("policy", e.busPolicy(), "")
	}},
}

var ownQueueCases = []contract{
	{"queue: its name is blocked for a minute", func(e *env) {
		url := e.newQueue("q", nil)
		ok(e.sqs.DeleteQueue(e.ctx, &sqs.DeleteQueueInput{QueueUrl: url}))
		refuse(e.sqs.CreateQueue(e.ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")}))("AWS.SimpleQueueService.QueueDeletedRecently")
	}},
	{"queue: by the account of its owner", func(e *env) {
		url := e.newQueue("q", nil)
		got := ok(e.sqs.GetQueueUrl(e.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("q"), QueueOwnerAWSAccountId: aws.String(Account)}))
		equal("URL", *got.QueueUrl, *url)
	}},
	{"queue: attributes are taken away", func(e *env) {
		policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":%q}]}`, e.arn("sqs", "q"))
		e.newQueue("dead", nil)
		url := e.newQueue("q", map[string]string{
			"Policy": policy, "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"5"}`, e.arn("sqs", "dead")),
		})
		equal("has the policy", strings.Contains(e.attribute(url, "Policy"), "sqs:SendMessage"), true)
		ok(e.sqs.SetQueueAttributes(e.ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Policy": "", "RedrivePolicy": ""}}))
		equal("policy", e.attribute(url, "Policy"), "")
		equal("redrive", e.attribute(url, "RedrivePolicy"), "")
	}},
	{"queue: encrypted in one way only", func(e *env) {
		url := e.newQueue("q", map[string]string{"KmsMasterKeyId": "alias/aws/sqs"})
		equal("by SQS", e.attribute(url, "SqsManagedSseEnabled"), "false")
	}},
}

func (e *env) newAlarm(name string) {
	ok(e.alarms.PutMetricAlarm(e.ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("Trail"), MetricName: aws.String("StopLogging"), Statistic: cloudwatchtypes.StatisticSum,
		ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, Threshold: aws.Float64(1),
		EvaluationPeriods: aws.Int32(1), Period: aws.Int32(60), AlarmActions: []string{e.arn("sns", "t")},
		Dimensions: []cloudwatchtypes.Dimension{{Name: aws.String("Trail"), Value: aws.String("main")}},
	}))
}

func (e *env) metricAlarms(name string) []cloudwatchtypes.MetricAlarm {
	return ok(e.alarms.DescribeAlarms(e.ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})).MetricAlarms
}

var alarmCases = []contract{
	{"alarm: put, describe, delete", func(e *env) {
		e.newAlarm("a")
		got := e.metricAlarms("a")
		equal("alarms", len(got), 1)
		equal("ARN", aws.ToString(got[0].AlarmArn), e.arn("cloudwatch", "alarm:a"))
		equal("actions", got[0].AlarmActions, []string{e.arn("sns", "t")})
		equal("enabled", aws.ToBool(got[0].ActionsEnabled), true)
		equal("threshold", aws.ToFloat64(got[0].Threshold), 1)
		ok(e.alarms.DeleteAlarms(e.ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"a"}}))
		equal("alarms", len(e.metricAlarms("a")), 0)
	}},
	{"alarm: actions off and on", func(e *env) {
		e.newAlarm("a")
		ok(e.alarms.DisableAlarmActions(e.ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"a"}}))
		equal("enabled", aws.ToBool(e.metricAlarms("a")[0].ActionsEnabled), false)
		ok(e.alarms.EnableAlarmActions(e.ctx, &cloudwatch.EnableAlarmActionsInput{AlarmNames: []string{"a"}}))
		equal("enabled", aws.ToBool(e.metricAlarms("a")[0].ActionsEnabled), true)
	}},
	{"alarm: state", func(e *env) {
		e.newAlarm("a")
		ok(e.alarms.SetAlarmState(e.ctx, &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("a"), StateValue: cloudwatchtypes.StateValueOk, StateReason: aws.String("because"),
		}))
		equal("state", e.metricAlarms("a")[0].StateValue, cloudwatchtypes.StateValueOk)
		refuse(e.alarms.SetAlarmState(e.ctx, &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("nobody"), StateValue: cloudwatchtypes.StateValueOk, StateReason: aws.String("because"),
		}))("ResourceNotFound")
	}},
	{"alarm: a composite one", func(e *env) {
		e.newAlarm("a")
		ok(e.alarms.PutCompositeAlarm(e.ctx, &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String("c"), AlarmRule: aws.String("ALARM(a)")}))
		got := ok(e.alarms.DescribeAlarms(e.ctx, &cloudwatch.DescribeAlarmsInput{
			AlarmTypes: []cloudwatchtypes.AlarmType{cloudwatchtypes.AlarmTypeCompositeAlarm},
		})).CompositeAlarms
		equal("alarms", len(got), 1)
		equal("rule", aws.ToString(got[0].AlarmRule), "ALARM(a)")
	}},
}
