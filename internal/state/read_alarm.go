// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// AlarmName is the name in an alarm's ARN.
func AlarmName(a arn.ARN) (string, error) {
	p, err := a.Parse()
	name, isAlarm := strings.CutPrefix(p.Resource, "alarm:")
	if err != nil || !isAlarm {
		return "", fmt.Errorf("%q is not the ARN of an alarm", a)
	}
	return name, nil
}

// readAlarm asks once.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
func readAlarm(ctx context.Context, door *gate.Door, d trail.Dependency) (any, error) {
	name, err := AlarmName(d.ARN)
	if err != nil {
		return nil, err
	}
	cfg, err := HomeConfig(ctx, door, d)
	if err != nil {
		return nil, err
	}
	out, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
		AlarmNames: []string{name}, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
	})
	if err != nil {
		return nil, err
	}
	var a trail.Alarm
	switch {
	case len(out.MetricAlarms) > 0:
		a, err = metricAlarm(out.MetricAlarms[0])
	case len(out.CompositeAlarms) > 0:
		a, err = compositeAlarm(out.CompositeAlarms[0])
	default:
		return a, nil
	}
	if err != nil {
		return nil, err
	}
	if err := sameOwner(a.ARN, d.ARN); err != nil {
		return nil, err
	}
	return a.Canonical(), nil
}

func metricAlarm(m types.MetricAlarm) (trail.Alarm, error) {
	slices.SortFunc(m.Dimensions, func(a, b types.Dimension) int { return strings.Compare(aws.ToString(a.Name), aws.ToString(b.Name)) })
	definition, err := alarmDefinition(m, cloudwatch.PutMetricAlarmInput{})
	return trail.Alarm{
		Exists: true, ARN: arn.ARN(aws.ToString(m.AlarmArn)), Type: trail.MetricAlarm, ActionsEnabled: aws.ToBool(m.ActionsEnabled),
		AlarmActions: m.AlarmActions, OKActions: m.OKActions, InsufficientDataActions: m.InsufficientDataActions, Definition: definition,
	}, err
}

func compositeAlarm(c types.CompositeAlarm) (trail.Alarm, error) {
	definition, err := alarmDefinition(c, cloudwatch.PutCompositeAlarmInput{})
	return trail.Alarm{
		Exists: true, ARN: arn.ARN(aws.ToString(c.AlarmArn)), Type: trail.CompositeAlarm, ActionsEnabled: aws.ToBool(c.ActionsEnabled),
		AlarmActions: c.AlarmActions, OKActions: c.OKActions, InsufficientDataActions: c.InsufficientDataActions, Definition: definition,
	}, err
}

// apart are the members of an alarm that trail.Alarm has fields for.
var apart = []string{"AlarmName", "ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions"}

// alarmDefinition is what of an alarm the call takes that puts it, apart from those.
func alarmDefinition(alarm, input any) (map[string]json.RawMessage, error) {
	text, err := definitionOf(alarm)
	if err != nil {
		return nil, err
	}
	var all, taken map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	if text, err = json.Marshal(input); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &taken); err != nil {
		return nil, err
	}
	for name := range all {
		if _, ok := taken[name]; !ok || slices.Contains(apart, name) {
			delete(all, name)
		}
	}
	return all, nil
}
