// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch_test

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	_ "github.com/switchback-project/switchback/internal/action/cloudwatch"
	"github.com/switchback-project/switchback/internal/action/restoretest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

const (
	restoreAlarms = "cloudwatch:RestoreAlarms"
	noProtocol    = "it does not speak the protocol of the current SDK"
)

func client(s *restoretest.Scene) *api.Client { return api.NewFromConfig(s.Admin) }

// put makes an alarm on a metric of the trail.
func put(s *restoretest.Scene, threshold float64, actions ...string) {
	restoretest.OK(client(s).PutMetricAlarm(s.Context(), &api.PutMetricAlarmInput{
		AlarmName: aws.String("stopped"), AlarmDescription: aws.String("a trail was stopped"), Namespace: aws.String("Trail"),
		MetricName: aws.String("StopLogging"), Statistic: types.StatisticSum, Threshold: &threshold, Period: aws.Int32(60),
		ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold, EvaluationPeriods: aws.Int32(1),
		Dimensions:   []types.Dimension{{Name: aws.String("Trail"), Value: aws.String("main")}, {Name: aws.String("Account"), Value: aws.String("x")}},
		AlarmActions: actions, TreatMissingData: aws.String("notBreaching"),
	}))(s)
}

func dependency(s *restoretest.Scene, name string) trail.Dependency {
	return trail.Dependency{Kind: trail.KindAlarm, ARN: arn.ARN(s.ARN("cloudwatch", "alarm:"+name)), Account: restoretest.Account, Region: s.Region}
}

func build(s *restoretest.Scene) trail.Dependency {
	put(s, 1, s.ARN("sns", "security"))
	return dependency(s, "stopped")
}

func buildComposite(s *restoretest.Scene) trail.Dependency {
	build(s)
	composite(s, "ALARM(stopped)")
	return dependency(s, "any")
}

func composite(s *restoretest.Scene, rule string) {
	restoretest.OK(client(s).PutCompositeAlarm(s.Context(), &api.PutCompositeAlarmInput{
		AlarmName: aws.String("any"), AlarmRule: &rule, AlarmActions: []string{s.ARN("sns", "security")},
	}))(s)
}

func remove(name string) func(s *restoretest.Scene) {
	return func(s *restoretest.Scene) {
		restoretest.OK(client(s).DeleteAlarms(s.Context(), &api.DeleteAlarmsInput{AlarmNames: []string{name}}))(s)
	}
}

func disable(s *restoretest.Scene) {
	restoretest.OK(client(s).DisableAlarmActions(s.Context(), &api.DisableAlarmActionsInput{AlarmNames: []string{"stopped"}}))(s)
}

func TestRoutes(t *testing.T) {
	routes := []restoretest.Route{
		{Name: "actions turned off", Build: build, Calls: []string{"EnableAlarmActions"}, Damage: disable},
		{Name: "actions turned off in GovCloud", Region: "us-gov-west-1", Build: build, Calls: []string{"EnableAlarmActions"}, Damage: disable},
		{Name: "deleted", Build: build, Calls: []string{"PutMetricAlarm"}, Damage: remove("stopped")},
		{
			Name: "threshold raised", Build: build, Calls: []string{"PutMetricAlarm"},
			Damage: func(s *restoretest.Scene) { put(s, 1e6, s.ARN("sns", "security")) },
		},
		{
			Name: "actions removed", Build: build, Calls: []string{"PutMetricAlarm"},
			Damage: func(s *restoretest.Scene) { put(s, 1) },
		},
		{
			Name: "tells somebody else too", Build: build, Calls: []string{"PutMetricAlarm"},
			Damage: func(s *restoretest.Scene) { put(s, 1, s.ARN("sns", "security"), s.ARN("sns", "attacker")) },
		},
		{Name: "composite deleted", Build: buildComposite, Calls: []string{"PutCompositeAlarm"}, Damage: remove("any")},
		{
			Name: "composite made silent", Build: buildComposite, Calls: []string{"PutCompositeAlarm"},
			Damage: func(s *restoretest.Scene) { composite(s, "FALSE") },
		},
		{
			Name: "made again as another kind", Build: buildComposite, Calls: []string{"DeleteAlarms", "PutCompositeAlarm"},
			Damage: func(s *restoretest.Scene) {
				remove("any")(s)
				restoretest.OK(client(s).PutMetricAlarm(s.Context(), &api.PutMetricAlarmInput{
					AlarmName: aws.String("any"), Namespace: aws.String("x"), MetricName: aws.String("x"), EvaluationPeriods: aws.Int32(1),
					ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
				}))(s)
			},
		},
	}
	for i := range routes {
		routes[i].NotInMoto = noProtocol
	}
	restoretest.Run(t, restoretest.Suite{Action: restoreAlarms, Routes: routes, Implied: []string{"sts:GetCallerIdentity"}})
}

// TestLeftAlone: the state and the words of an alarm are nothing to put back.
func TestLeftAlone(t *testing.T) {
	for name, change := range map[string]func(s *restoretest.Scene){
		"nothing": func(*restoretest.Scene) {},
		"state set": func(s *restoretest.Scene) {
			restoretest.OK(client(s).SetAlarmState(s.Context(), &api.SetAlarmStateInput{
				AlarmName: aws.String("stopped"), StateValue: types.StateValueOk, StateReason: aws.String("calm down"),
			}))(s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := restoretest.InSandbox(t, nil, "")
			s.TakeBaseline(build(s))
			change(s)
			before := len(s.Sandbox.Mutations())
			out, err := s.Run(restoreAlarms, "first")
			restoretest.Must(t, err)
			if out.Changed || len(s.Changes(before)) > 0 {
				t.Errorf("changed %+v by %v, want nothing", out, s.Changes(before))
			}
		})
	}
}

// TestDenied: what AWS refuses says who can, and leaves nothing to undo.
func TestDenied(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(build(s))
	disable(s)
	restoretest.Must(t, s.Sandbox.Deny(restoretest.Account, "cloudwatch:EnableAlarmActions"))
	_, err := s.Run(restoreAlarms, "first")
	if name, cause := restoretest.Named(err); name != "CloudWatch.AccessDeniedException" || !strings.Contains(cause, "who can: ") {
		t.Errorf("error is %s: %s; want a refusal that says who can", name, cause)
	}
	if undos := s.Undos(); len(undos) != 0 {
		t.Errorf("%d undo records, want none", len(undos))
	}
}
