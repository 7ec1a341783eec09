// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// alarm is a CloudWatch alarm: one of the two is set. There are no metrics, so that nothing sets its state but calls.
type alarm struct {
	metric    *cloudwatch.PutMetricAlarmInput
	composite *cloudwatch.PutCompositeAlarmInput
	state     types.StateValue
	reason    string
}

// alarmOperations manages alarms.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
func alarmOperations(t table) {
	handle(t, cloudwatchService, "PutMetricAlarm", writes.needs("cloudwatch:PutMetricAlarm"), putMetricAlarm)
	handle(t, cloudwatchService, "PutCompositeAlarm", writes.needs("cloudwatch:PutCompositeAlarm"), putCompositeAlarm)
	handle(t, cloudwatchService, "DeleteAlarms", writes.needs("cloudwatch:DeleteAlarms"), deleteAlarms)
	handle(t, cloudwatchService, "EnableAlarmActions", writes.needs("cloudwatch:EnableAlarmActions"), enableAlarmActions)
	handle(t, cloudwatchService, "DisableAlarmActions", writes.needs("cloudwatch:DisableAlarmActions"), disableAlarmActions)
	handle(t, cloudwatchService, "SetAlarmState", writes.needs("cloudwatch:SetAlarmState"), setAlarmState)
	handle(t, cloudwatchService, "DescribeAlarms", reads.needs("cloudwatch:DescribeAlarms"), describeAlarms)
}

func (c *call) alarmARN(name *string) string {
	return c.arnOf("cloudwatch", "alarm:"+aws.ToString(name))
}

// alarmsNamed finds alarms by name; those that are not there are left out.
func (c *call) alarmsNamed(names []string) []*alarm {
	var out []*alarm
	for _, name := range names {
		if a, ok := c.account().alarms[c.alarmARN(&name)]; ok {
			c.touch("AWS::CloudWatch::Alarm", name)
			out = append(out, a)
		}
	}
	return out
}

// putAlarm makes an alarm, or replaces one: what is left out is not kept, the state is.
func (c *call) putAlarm(name *string, a *alarm) {
	id := c.alarmARN(name)
	a.state, a.reason = types.StateValueInsufficientData, "Unchecked: Initial alarm creation"
	if old, ok := c.account().alarms[id]; ok {
		a.state, a.reason = old.state, old.reason
		c.same = reflect.DeepEqual(old, a)
	}
	c.touch("AWS::CloudWatch::Alarm", aws.ToString(name))
	c.account().alarms[id] = a
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func putMetricAlarm(c *call, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	switch {
	case aws.ToString(in.AlarmName) == "":
		return nil, invalid("ValidationError", "AlarmName must not be empty")
	case in.MetricName == nil && len(in.Metrics) == 0:
		return nil, invalid("ValidationError", "MetricName or Metrics must be specified")
	case in.ComparisonOperator == "" || aws.ToInt32(in.EvaluationPeriods) < 1:
		return nil, invalid("ValidationError", "ComparisonOperator and EvaluationPeriods must be specified")
	}
	in.Tags = nil
	if in.ActionsEnabled == nil {
		in.ActionsEnabled = aws.Bool(true)
	}
	c.putAlarm(in.AlarmName, &alarm{metric: in})
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
func putCompositeAlarm(c *call, in *cloudwatch.PutCompositeAlarmInput) (*cloudwatch.PutCompositeAlarmOutput, error) {
	if aws.ToString(in.AlarmName) == "" || aws.ToString(in.AlarmRule) == "" {
		return nil, invalid("ValidationError", "AlarmName and AlarmRule must not be empty")
	}
	in.Tags = nil
	if in.ActionsEnabled == nil {
		in.ActionsEnabled = aws.Bool(true)
	}
	c.putAlarm(in.AlarmName, &alarm{composite: in})
	return &cloudwatch.PutCompositeAlarmOutput{}, nil
}

// deleteAlarms deletes none where one is not there.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
func deleteAlarms(c *call, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	if len(c.alarmsNamed(in.AlarmNames)) != len(in.AlarmNames) {
		return nil, noAlarm()
	}
	for _, name := range in.AlarmNames {
		delete(c.account().alarms, c.alarmARN(&name))
	}
	return &cloudwatch.DeleteAlarmsOutput{}, nil
}

func noAlarm() error {
	return failAs("ResourceNotFoundException", http.StatusNotFound, &types.ResourceNotFound{Message: msg("Unknown alarm")})
}

func enableAlarmActions(c *call, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	c.setActions(in.AlarmNames, true)
	return &cloudwatch.EnableAlarmActionsOutput{}, nil
}

func disableAlarmActions(c *call, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	c.setActions(in.AlarmNames, false)
	return &cloudwatch.DisableAlarmActionsOutput{}, nil
}

func (c *call) setActions(names []string, enabled bool) {
	c.same = true
	for _, a := range c.alarmsNamed(names) {
		flag := a.actionsEnabled()
		c.same = c.same && **flag == enabled
		*flag = aws.Bool(enabled)
	}
}

func (a *alarm) actionsEnabled() **bool {
	if a.composite != nil {
		return &a.composite.ActionsEnabled
	}
	return &a.metric.ActionsEnabled
}

func setAlarmState(c *call, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	found := c.alarmsNamed([]string{aws.ToString(in.AlarmName)})
	if len(found) == 0 {
		return nil, noAlarm()
	}
	found[0].state, found[0].reason = in.StateValue, aws.ToString(in.StateReason)
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

// describeAlarms shows metric alarms where nobody says which type.
func describeAlarms(c *call, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	out := &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}}
	wanted := in.AlarmTypes
	if len(wanted) == 0 {
		wanted = []types.AlarmType{types.AlarmTypeMetricAlarm}
	}
	prefix := c.alarmARN(in.AlarmNamePrefix)
	for _, id := range slices.Sorted(maps.Keys(c.account().alarms)) {
		a := c.account().alarms[id]
		name := strings.TrimPrefix(id, c.alarmARN(nil))
		if !strings.HasPrefix(id, prefix) || len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, name) {
			continue
		}
		switch {
		case a.metric != nil && slices.Contains(wanted, types.AlarmTypeMetricAlarm):
			out.MetricAlarms = append(out.MetricAlarms, a.showMetric(id))
		case a.composite != nil && slices.Contains(wanted, types.AlarmTypeCompositeAlarm):
			out.CompositeAlarms = append(out.CompositeAlarms, a.showComposite(id))
		}
	}
	return out, nil
}

func (a *alarm) showMetric(id string) types.MetricAlarm {
	m := clone(*a.metric)
	return types.MetricAlarm{
		AlarmArn: aws.String(id), AlarmName: m.AlarmName, AlarmDescription: m.AlarmDescription, ActionsEnabled: m.ActionsEnabled,
		AlarmActions: m.AlarmActions, OKActions: m.OKActions, InsufficientDataActions: m.InsufficientDataActions,
		ActionConfiguration: m.ActionConfiguration, ComparisonOperator: m.ComparisonOperator, DatapointsToAlarm: m.DatapointsToAlarm,
		Dimensions: m.Dimensions, EvaluateLowSampleCountPercentile: m.EvaluateLowSampleCountPercentile,
		EvaluationCriteria: m.EvaluationCriteria, EvaluationInterval: m.EvaluationInterval, EvaluationPeriods: m.EvaluationPeriods,
		EvaluationWindow: m.EvaluationWindow, ExtendedStatistic: m.ExtendedStatistic, MetricName: m.MetricName, Metrics: m.Metrics,
		Namespace: m.Namespace, Period: m.Period, Statistic: m.Statistic, Threshold: m.Threshold, ThresholdMetricId: m.ThresholdMetricId,
		TreatMissingData: m.TreatMissingData, Unit: m.Unit, WarmUpConfiguration: m.WarmUpConfiguration,
		StateValue: a.state, StateReason: aws.String(a.reason),
	}
}

func (a *alarm) showComposite(id string) types.CompositeAlarm {
	m := clone(*a.composite)
	return types.CompositeAlarm{
		AlarmArn: aws.String(id), AlarmName: m.AlarmName, AlarmDescription: m.AlarmDescription, AlarmRule: m.AlarmRule,
		ActionsEnabled: m.ActionsEnabled, AlarmActions: m.AlarmActions, OKActions: m.OKActions,
		InsufficientDataActions: m.InsufficientDataActions, ActionConfiguration: m.ActionConfiguration,
		ActionsSuppressor: m.ActionsSuppressor, ActionsSuppressorExtensionPeriod: m.ActionsSuppressorExtensionPeriod,
		ActionsSuppressorWaitPeriod: m.ActionsSuppressorWaitPeriod, StateValue: a.state, StateReason: aws.String(a.reason),
	}
}
