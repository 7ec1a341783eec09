// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// TestRulesAndAlarmsSurviveARestart: what was put is read from the state file as it was.
func TestRulesAndAlarmsSurviveARestart(t *testing.T) {
	o := sandbox.Options{StateFile: filepath.Join(t.TempDir(), "sandbox.jsonl"), Clock: (&clock{now: start}).Now}
	s := must(sandbox.Open(o))(t)
	must(0, s.AddAccount(account, "aws", ""))(t)
	ask := func(name, input string) string {
		t.Helper()
		root := must(s.Root(account))(t)
		out := must(s.Invoke(t.Context(), name, json.RawMessage(input), gate.Request{Account: account, Region: region, AccessKeyID: root.AccessKeyID}))(t)
		return string(out)
	}
	ask("EventBridge.CreateEventBus", `{"Name":"b"}`)
	ask("EventBridge.PutRule", `{"Name":"r","EventBusName":"b","EventPattern":"{\"source\":[\"aws.sqs\"]}","State":"DISABLED"}`)
	ask("EventBridge.PutTargets", `{"Rule":"r","EventBusName":"b","Targets":[{"Id":"1","Arn":"arn:aws:sqs:eu-west-1:111122223333:q","RetryPolicy":{"MaximumRetryAttempts":3}}]}`)
	ask("EventBridge.PutPermission", `{"EventBusName":"b","StatementId":"s","Principal":"444455556666","Action":"events:PutEvents"}`)
	ask("CloudWatch.PutMetricAlarm", `{"AlarmName":"a","Namespace":"n","MetricName":"m","ComparisonOperator":"GreaterThanThreshold","EvaluationPeriods":1,"Threshold":0.5}`)
	ask("CloudWatch.DisableAlarmActions", `{"AlarmNames":["a"]}`)
	read := func() []string {
		return []string{
			ask("EventBridge.DescribeRule", `{"Name":"r","EventBusName":"b"}`), ask("EventBridge.ListTargetsByRule", `{"Rule":"r","EventBusName":"b"}`),
			ask("EventBridge.DescribeEventBus", `{"Name":"b"}`), ask("CloudWatch.DescribeAlarms", `{}`),
		}
	}
	want := read()
	must(0, s.Close())(t)
	s = must(sandbox.Open(o))(t)
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	must(0, s.Close())(t)
}
