// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/eventpattern"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/trail"
)

const (
	ruleARN    = arn.ARN("arn:aws:events:eu-west-1:111122223333:rule/switchback")
	busRuleARN = arn.ARN("arn:aws:events:eu-west-1:111122223333:rule/central/switchback")
	queueARN   = arn.ARN("arn:aws:sqs:eu-west-1:111122223333:events")
	alarmARN   = arn.ARN("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:stopped")
	codeARN    = arn.ARN("arn:aws:lambda:eu-west-1:111122223333:function:actions")
	layerARN   = arn.ARN("arn:aws:lambda:eu-west-1:111122223333:layer:libraries")
	machineARN = arn.ARN("arn:aws:states:eu-west-1:111122223333:stateMachine:switchback")
)

func baseRule() trail.Rule {
	return trail.Rule{
		Exists: true, ARN: ruleARN, State: "ENABLED", Bus: trail.EventBus{Exists: true},
		EventPattern: trail.CanonicalPattern(`{"source":["aws.kms","aws.s3"],"detail":{"errorCode":[{"exists":false}]}}`),
		Targets:      []trail.RuleTarget{{ID: "1", ARN: string(queueARN), Definition: json.RawMessage(`{"Arn":"q","Id":"1"}`)}},
	}
}

func fieldsOf(list []trail.Difference) []string {
	var out []string
	for _, d := range list {
		out = append(out, d.Field)
	}
	return out
}

func TestWeakenedRule(t *testing.T) {
	pattern := func(text string) func(*trail.Rule) {
		return func(r *trail.Rule) { r.EventPattern = trail.CanonicalPattern(text) }
	}
	for name, c := range map[string]struct {
		change func(*trail.Rule)
		want   []string
	}{
		"nothing":                   {func(*trail.Rule) {}, nil},
		"gone":                      {func(r *trail.Rule) { *r = trail.Rule{Bus: r.Bus} }, []string{"Exists"}},
		"gone with its bus":         {func(r *trail.Rule) { *r = trail.Rule{} }, []string{"EventBus.Exists", "Exists"}},
		"disabled":                  {func(r *trail.Rule) { r.State = "DISABLED" }, []string{"State"}},
		"an unknown state":          {func(r *trail.Rule) { r.State = "SLEEPING" }, []string{"State"}},
		"all events":                {func(r *trail.Rule) { r.State = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" }, nil},
		"fewer sources":             {pattern(`{"source":["aws.s3"],"detail":{"errorCode":[{"exists":false}]}}`), []string{"EventPattern"}},
		"more sources":              {pattern(`{"source":["aws.s3","aws.kms","aws.ec2"],"detail":{"errorCode":[{"exists":false}]}}`), nil},
		"other order":               {pattern(`{"detail":{"errorCode":[{"exists":false}]},"source":["aws.s3","aws.kms"]}`), nil},
		"one condition less":        {pattern(`{"source":["aws.kms","aws.s3"]}`), nil},
		"one condition more":        {pattern(`{"source":["aws.kms","aws.s3"],"detail":{"errorCode":[{"exists":false}]},"account":["1"]}`), []string{"EventPattern"}},
		"widened and narrowed":      {pattern(`{"source":["aws.s3","aws.ec2"]}`), []string{"EventPattern"}},
		"a key twice":               {pattern(`{"source":["aws.kms","aws.s3"],"source":["aws.ec2"],"detail":{"errorCode":[{"exists":false}]}}`), []string{"EventPattern"}},
		"no pattern":                {func(r *trail.Rule) { r.EventPattern, r.ScheduleExpression = nil, "rate(1 day)" }, []string{"EventPattern", "ScheduleExpression"}},
		"target removed":            {func(r *trail.Rule) { r.Targets = nil }, []string{"Targets.1"}},
		"target changed":            {func(r *trail.Rule) { r.Targets[0].Definition = json.RawMessage(`{"Arn":"x","Id":"1"}`) }, []string{"Targets.1"}},
		"target added":              {func(r *trail.Rule) { r.Targets = append(r.Targets, trail.RuleTarget{ID: "2"}) }, []string{"Targets.2"}},
		"a role":                    {func(r *trail.Rule) { r.RoleArn = "arn:aws:iam::111122223333:role/x" }, []string{"RoleArn"}},
		"stronger state, no target": {func(r *trail.Rule) { r.State, r.Targets = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", nil }, []string{"Targets.1"}},
		"a stranger on the bus": {func(r *trail.Rule) {
			r.Bus.Policy = trail.CanonicalPolicy(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"*"}}`)
		}, []string{"EventBus.Policy"}},
	} {
		t.Run(name, func(t *testing.T) {
			have := baseRule()
			c.change(&have)
			if diff := cmp.Diff(c.want, fieldsOf(trail.WeakenedRule(baseRule(), have))); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWeakenedRuleHidesNothing: where a pattern is called no weaker, no event that matched before is lost.
func TestWeakenedRuleHidesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	value := func() string {
		return []string{`"a"`, `"b"`, `{"prefix":"a"}`, `{"anything-but":"a"}`, `{"exists":true}`, `{"exists":false}`}[random.IntN(6)]
	}
	pattern := func() string {
		var members []string
		for _, name := range []string{"x", "y"} {
			if random.IntN(3) > 0 {
				members = append(members, fmt.Sprintf("%q:[%s,%s]", name, value(), value()))
			}
		}
		inner := fmt.Sprintf(`"d":{"z":[%s]}`, value())
		return "{" + strings.Join(append(members, inner), ",") + "}"
	}
	judged := 0
	for range 20000 {
		before, after := pattern(), pattern()
		want, have := trail.Rule{Exists: true, EventPattern: trail.CanonicalPattern(before)}, trail.Rule{Exists: true, EventPattern: trail.CanonicalPattern(after)}
		if len(trail.WeakenedRule(want, have)) > 0 {
			continue
		}
		judged++
		old, err := eventpattern.Compile([]byte(before))
		if err != nil {
			t.Fatal(err)
		}
		now, err := eventpattern.Compile([]byte(after))
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range []string{`{}`, `{"x":"a"}`, `{"x":"b","y":"a"}`, `{"x":"ab","y":"b","d":{"z":"a"}}`, `{"y":"c","d":{"z":"b"}}`, `{"x":"a","d":{"z":"ac"}}`} {
			was, _ := old.Match([]byte(event))
			is, _ := now.Match([]byte(event))
			if was && !is {
				t.Fatalf("%s is called no weaker than %s, and loses %s", after, before, event)
			}
		}
	}
	if judged < 100 {
		t.Errorf("only %d pairs were judged", judged)
	}
}

func TestWeakenedQueue(t *testing.T) {
	base := func() trail.Queue {
		return trail.Queue{
			Exists: true, ARN: queueARN, CreatedTimestamp: "1", RedrivePolicy: trail.CanonicalRedrive(`{"maxReceiveCount":5,"deadLetterTargetArn":"d"}`),
			Policy:     trail.CanonicalPolicy(`{"Statement":{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}}`),
			Attributes: map[string]string{"MessageRetentionPeriod": "345600", "DelaySeconds": "0", "VisibilityTimeout": "60", "SqsManagedSseEnabled": "true", "MaximumMessageSize": "262144"},
		}
	}
	set := func(name, value string) func(*trail.Queue) {
		return func(q *trail.Queue) { q.Attributes[name] = value }
	}
	for name, c := range map[string]struct {
		change func(*trail.Queue)
		want   []string
	}{
		"nothing":               {func(*trail.Queue) {}, nil},
		"gone":                  {func(q *trail.Queue) { *q = trail.Queue{} }, []string{"Exists"}},
		"made again":            {func(q *trail.Queue) { q.CreatedTimestamp = "2" }, nil},
		"keeps longer":          {set("MessageRetentionPeriod", "1209600"), nil},
		"keeps shorter":         {set("MessageRetentionPeriod", "60"), []string{"MessageRetentionPeriod"}},
		"nine is less than ten": {set("MaximumMessageSize", "99999"), []string{"MaximumMessageSize"}},
		"delays":                {set("DelaySeconds", "1"), []string{"DelaySeconds"}},
		"no number":             {set("DelaySeconds", "x"), []string{"DelaySeconds"}},
		"a key":                 {set("KmsMasterKeyId", "alias/theirs"), []string{"KmsMasterKeyId"}},
		"no encryption":         {set("SqsManagedSseEnabled", "false"), []string{"SqsManagedSseEnabled"}},
		"polls longer":          {set("ReceiveMessageWaitTimeSeconds", "20"), nil},
		"no policy":             {func(q *trail.Queue) { q.Policy = nil }, []string{"Policy"}},
		"redrive as text": {func(q *trail.Queue) {
			q.RedrivePolicy = trail.CanonicalRedrive(`{"deadLetterTargetArn":"d","maxReceiveCount":"5"}`)
		}, nil},
		"no redrive": {func(q *trail.Queue) { q.RedrivePolicy = nil }, []string{"RedrivePolicy"}},
		"stronger and weaker": {func(q *trail.Queue) {
			q.Attributes["MessageRetentionPeriod"], q.Attributes["DelaySeconds"] = "1209600", "900"
		}, []string{"DelaySeconds"}},
	} {
		t.Run(name, func(t *testing.T) {
			have := base()
			c.change(&have)
			if diff := cmp.Diff(c.want, fieldsOf(trail.WeakenedQueue(base(), have))); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWeakenedAlarm(t *testing.T) {
	base := func() trail.Alarm {
		return trail.Alarm{
			Exists: true, ARN: alarmARN, Type: trail.MetricAlarm, ActionsEnabled: true, AlarmActions: []string{"a"},
			Definition: map[string]json.RawMessage{"Threshold": json.RawMessage("1"), "AlarmDescription": json.RawMessage(`"x"`)},
		}
	}
	for name, c := range map[string]struct {
		change func(*trail.Alarm)
		want   []string
	}{
		"nothing":       {func(*trail.Alarm) {}, nil},
		"gone":          {func(a *trail.Alarm) { *a = trail.Alarm{} }, []string{"Exists"}},
		"silenced":      {func(a *trail.Alarm) { a.ActionsEnabled = false }, []string{"ActionsEnabled"}},
		"tells nobody":  {func(a *trail.Alarm) { a.AlarmActions = nil }, []string{"AlarmActions"}},
		"tells another": {func(a *trail.Alarm) { a.AlarmActions = []string{"a", "b"} }, []string{"AlarmActions"}},
		"threshold":     {func(a *trail.Alarm) { a.Definition["Threshold"] = json.RawMessage("1e9") }, []string{"Threshold"}},
		"words":         {func(a *trail.Alarm) { a.Definition["AlarmDescription"] = json.RawMessage(`"y"`) }, nil},
		"new member":    {func(a *trail.Alarm) { a.Definition["Unit"] = json.RawMessage(`"Count"`) }, []string{"Unit"}},
	} {
		t.Run(name, func(t *testing.T) {
			have := base()
			c.change(&have)
			if diff := cmp.Diff(c.want, fieldsOf(trail.WeakenedAlarm(base(), have))); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwnParts(t *testing.T) {
	role := arn.ARN("arn:aws-cn:iam::111122223333:role/path/Responder")
	got, err := trail.OwnParts([]arn.ARN{codeARN, layerARN, machineARN, alarmARN, queueARN, ruleARN, role, queueARN})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, d := range got {
		kinds = append(kinds, string(d.Kind)+" in "+d.Region)
	}
	want := []string{"role in cn-northwest-1", "rule in eu-west-1", "queue in eu-west-1", "alarm in eu-west-1", "function in eu-west-1", "layer in eu-west-1", "state-machine in eu-west-1"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	for _, bad := range []arn.ARN{"", "queue", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "arn:aws:s3:::bucket", "arn:aws:iam::111122223333:user/x"} {
		if _, err := trail.OwnParts([]arn.ARN{bad}); err == nil {
			t.Errorf("%q is taken for a part", bad)
		}
	}
}

// TestTouchedOwn: a call names our parts in many ways, and others nearly so.
func TestTouchedOwn(t *testing.T) {
	parts := []trail.Dependency{}
	for _, a := range []arn.ARN{ruleARN, busRuleARN, queueARN, alarmARN, codeARN, layerARN, machineARN} {
		list, err := trail.OwnParts([]arn.ARN{a})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, list...)
	}
	for name, c := range map[string]struct {
		source, event, parameters string
		want                      []arn.ARN
	}{
		"rule":                {"events", "DisableRule", `{"name":"switchback"}`, []arn.ARN{ruleARN, busRuleARN}},
		"targets":             {"events", "PutTargets", `{"rule":"switchback"}`, []arn.ARN{ruleARN, busRuleARN}},
		"another rule":        {"events", "DisableRule", `{"name":"lunch"}`, nil},
		"the default bus":     {"events", "PutPermission", `{"principal":"*"}`, []arn.ARN{ruleARN}},
		"a bus by name":       {"events", "DeleteEventBus", `{"name":"central"}`, []arn.ARN{busRuleARN}},
		"a bus by ARN":        {"events", "RemovePermission", `{"eventBusName":"arn:aws:events:eu-west-1:111122223333:event-bus/central"}`, []arn.ARN{busRuleARN}},
		"queue":               {"sqs", "DeleteQueue", `{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/111122223333/events"}`, []arn.ARN{queueARN}},
		"queue made":          {"sqs", "CreateQueue", `{"queueName":"events"}`, []arn.ARN{queueARN}},
		"a stranger's queue":  {"sqs", "DeleteQueue", `{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/444455556666/events"}`, nil},
		"a longer queue":      {"sqs", "DeleteQueue", `{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/111122223333/my-events"}`, nil},
		"alarms":              {"monitoring", "DeleteAlarms", `{"alarmNames":["lunch","stopped"]}`, []arn.ARN{alarmARN}},
		"alarm":               {"monitoring", "PutMetricAlarm", `{"alarmName":"stopped"}`, []arn.ARN{alarmARN}},
		"function":            {"lambda", "UpdateFunctionCode20150331v2", `{"functionName":"actions"}`, []arn.ARN{codeARN}},
		"function by ARN":     {"lambda", "UpdateFunctionCode20150331v2", `{"functionName":"` + string(codeARN) + `:live"}`, []arn.ARN{codeARN}},
		"function, partly":    {"lambda", "DeleteFunction20150331", `{"functionName":"111122223333:function:actions"}`, []arn.ARN{codeARN}},
		"another function":    {"lambda", "DeleteFunction20150331", `{"functionName":"actions-2"}`, nil},
		"hostile parameters":  {"monitoring", "DeleteAlarms", `{"alarmNames":{"a":1}}`, nil},
		"another service":     {"ec2", "DisableRule", `{"name":"switchback"}`, nil},
		"no parameters":       {"sqs", "PurgeQueue", `null`, nil},
		"URL of another host": {"sqs", "PurgeQueue", `{"queueUrl":"/111122223333/events"}`, []arn.ARN{queueARN}},
	} {
		t.Run(name, func(t *testing.T) {
			r := cloudtrail.Record{
				EventSource: arn.ServiceHost(c.source), EventName: c.event, AWSRegion: "eu-west-1", RecipientAccountID: "111122223333",
				RequestParameters: json.RawMessage(c.parameters),
			}
			touched := trail.Touched(r)
			var got []arn.ARN
			for _, d := range parts {
				if slices.ContainsFunc(touched, func(x trail.Touch) bool { return x.Is(d) }) {
					got = append(got, d.ARN)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTouchedByWhatAWSAnswers: some calls name only the id of something that joins two parts.
func TestTouchedByWhatAWSAnswers(t *testing.T) {
	parts, err := trail.OwnParts([]arn.ARN{queueARN, codeARN, layerARN, machineARN})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		event, request, response string
		want                     []arn.ARN
	}{
		"mapping":               {"DeleteEventSourceMapping20150331", `{"uUID":"1"}`, `{"functionArn":"` + string(codeARN) + `","eventSourceArn":"` + string(queueARN) + `"}`, []arn.ARN{queueARN, codeARN}},
		"mapping of an alias":   {"UpdateEventSourceMapping20150331", `{"uUID":"1"}`, `{"functionArn":"` + string(codeARN) + `:live"}`, []arn.ARN{codeARN}},
		"somebody else's":       {"DeleteEventSourceMapping20150331", `{"uUID":"1"}`, `{"functionArn":"` + string(codeARN) + `-2","eventSourceArn":"` + string(queueARN) + `-2"}`, nil},
		"refused":               {"DeleteEventSourceMapping20150331", `{"uUID":"1"}`, `null`, nil},
		"hostile answer":        {"DeleteEventSourceMapping20150331", `{"uUID":"1"}`, `{"functionArn":{"a":1}}`, nil},
		"layer":                 {"PublishLayerVersion20181031", `{"layerName":"libraries"}`, `null`, []arn.ARN{layerARN}},
		"layer by ARN":          {"PublishLayerVersion20181031", `{"layerName":"` + string(layerARN) + `"}`, `null`, []arn.ARN{layerARN}},
		"version of a layer":    {"DeleteLayerVersion20181031", `{"layerName":"` + string(layerARN) + `:3"}`, `null`, []arn.ARN{layerARN}},
		"another layer":         {"PublishLayerVersion20181031", `{"layerName":"libraries-2"}`, `null`, nil},
		"state machine":         {"UpdateStateMachine", `{"stateMachineArn":"` + string(machineARN) + `"}`, `null`, []arn.ARN{machineARN}},
		"alias of one":          {"UpdateStateMachine", `{"stateMachineArn":"` + string(machineARN) + `:live"}`, `null`, []arn.ARN{machineARN}},
		"execution":             {"StopExecution", `{"executionArn":"arn:aws:states:eu-west-1:111122223333:execution:switchback:1"}`, `null`, []arn.ARN{machineARN}},
		"another's execution":   {"StopExecution", `{"executionArn":"arn:aws:states:eu-west-1:111122223333:execution:switchback-2:1"}`, `null`, nil},
		"a stranger's":          {"StopExecution", `{"executionArn":"arn:aws:states:eu-west-1:444455556666:execution:switchback:1"}`, `null`, nil},
		"an activity's ARN":     {"StopExecution", `{"executionArn":"arn:aws:states:eu-west-1:111122223333:activity:switchback"}`, `null`, nil},
		"an ARN without a name": {"StopExecution", `{"executionArn":"arn:aws:states:eu-west-1:111122223333:execution:"}`, `null`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			source := "lambda"
			if strings.Contains(c.request, ":states:") {
				source = "states"
			}
			touched := trail.Touched(cloudtrail.Record{
				EventSource: arn.ServiceHost(source), EventName: c.event, AWSRegion: "eu-west-1", RecipientAccountID: "111122223333",
				RequestParameters: json.RawMessage(c.request), ResponseElements: json.RawMessage(c.response),
			})
			var got []arn.ARN
			for _, d := range parts {
				if slices.ContainsFunc(touched, func(x trail.Touch) bool { return x.Is(d) }) {
					got = append(got, d.ARN)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzCanonicalPattern: what comes out is JSON, stays as it is, and still says what went in.
func FuzzCanonicalPattern(f *testing.F) {
	for _, s := range []string{`{"a":["b"]}`, `{"a":1,"a":2}`, `[`, `"x"`, ``, `{"n":[{"numeric":[">",1e400]}]}`, `{"a":["<&>\u2028"]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, document string) {
		one := trail.CanonicalPattern(document)
		if document == "" {
			return
		}
		if !json.Valid(one) {
			t.Fatalf("%q becomes %q", document, one)
		}
		if again := trail.CanonicalPattern(trail.PolicyText(one)); string(again) != string(one) && strings.ToValidUTF8(document, "") == document {
			t.Errorf("%q becomes %s, then %s", document, one, again)
		}
		if redrive := trail.CanonicalRedrive(document); !json.Valid(redrive) {
			t.Errorf("%q becomes the redrive policy %q", document, redrive)
		}
	})
}
