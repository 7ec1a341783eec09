// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/switchback-project/switchback/eventpattern"
	"github.com/switchback-project/switchback/internal/arn"
)

// eventRule is an EventBridge rule. Only queues get events as its targets.
type eventRule struct {
	name, arn, bus, region string // bus is an ARN
	account                *account
	pattern                string
	compiled               *eventpattern.Pattern // nil for a rule with only a schedule
	schedule               string
	state                  types.RuleState
	role, description      string
	targets                []types.Target
}

// maxTargets is how many targets a rule may have.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const maxTargets = 5

// eventRuleOperations manages rules and their targets.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
func eventRuleOperations(t table) {
	handle(t, eventsService, "PutRule", writes, putRule)
	handle(t, eventsService, "DescribeRule", reads, describeRule)
	handle(t, eventsService, "ListRules", reads, listRules)
	handle(t, eventsService, "EnableRule", writes, enableRule)
	handle(t, eventsService, "DisableRule", writes, disableRule)
	handle(t, eventsService, "DeleteRule", writes, deleteRule)
	handle(t, eventsService, "PutTargets", writes, putTargets)
	handle(t, eventsService, "RemoveTargets", writes, removeTargets)
	handle(t, eventsService, "ListTargetsByRule", reads, listTargetsByRule)
	handle(t, eventsService, "TestEventPattern", reads, testEventPattern)
}

// ruleTarget is the ARN of the rule of a call, as policies name it.
func ruleTarget(c *call) string {
	name := cmp.Or(text(c.in, "Rule"), text(c.in, "Name"))
	if name == "" || strings.HasSuffix(c.op.name, "EventBus") {
		return "*"
	}
	return c.ruleARN(text(c.in, "EventBusName"), name)
}

func (c *call) ruleARN(bus, name string) string {
	if bus == "" || bus == defaultBus {
		return c.arnOf("events", "rule/"+name)
	}
	return c.arnOf("events", "rule/"+bus+"/"+name)
}

func (c *call) ruleFor(bus, name *string) (*eventRule, error) {
	b, err := c.bus(bus)
	if err != nil {
		return nil, err
	}
	r, ok := c.account().rules[c.ruleARN(b.name, aws.ToString(name))]
	if !ok {
		return nil, noEvents("Rule %s does not exist on EventBus %s.", aws.ToString(name), b.name)
	}
	c.touch("AWS::Events::Rule", r.name)
	return r, nil
}

var ruleName = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)

// putRule makes a rule, or replaces what one is apart from its targets: what is left out is not kept.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
func putRule(c *call, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	b, err := c.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.Name)
	r := &eventRule{
		name: name, arn: c.ruleARN(b.name, name), bus: b.arn, region: c.region, account: c.account(),
		pattern: aws.ToString(in.EventPattern), schedule: aws.ToString(in.ScheduleExpression),
		state: cmp.Or(in.State, types.RuleStateEnabled), role: aws.ToString(in.RoleArn), description: aws.ToString(in.Description),
	}
	switch {
	case !ruleName.MatchString(name):
		return nil, invalid("ValidationException", "Value %.100q at 'name' failed to satisfy constraint", name)
	case !slices.Contains(r.state.Values(), r.state):
		return nil, invalid("ValidationException", "Value %.100q at 'state' failed to satisfy constraint", r.state)
	case r.pattern == "" && r.schedule == "":
		return nil, invalid("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case r.schedule != "" && b.name != defaultBus:
		return nil, invalid("ValidationException", "ScheduleExpression is supported only on the default event bus.")
	}
	if r.pattern != "" {
		if r.compiled, err = eventpattern.Compile([]byte(r.pattern)); err != nil {
			return nil, badPattern(err)
		}
	}
	c.touch("AWS::Events::Rule", name)
	if old, ok := c.account().rules[r.arn]; ok {
		r.targets = old.targets
		x, y := *old, *r
		x.compiled, y.compiled = nil, nil
		c.same = reflect.DeepEqual(x, y)
	}
	c.account().rules[r.arn] = r
	return &eventbridge.PutRuleOutput{RuleArn: aws.String(r.arn)}, nil
}

func badPattern(err error) error {
	return fail(http.StatusBadRequest, &types.InvalidEventPatternException{Message: msg("%v", err)})
}

func describeRule(c *call, in *eventbridge.DescribeRuleInput) (*eventbridge.DescribeRuleOutput, error) {
	r, err := c.ruleFor(in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeRuleOutput{
		Name: aws.String(r.name), Arn: aws.String(r.arn), EventBusName: aws.String(r.busName()), State: r.state,
		EventPattern: optional(r.pattern), ScheduleExpression: optional(r.schedule), RoleArn: optional(r.role),
		Description: optional(r.description), CreatedBy: aws.String(r.account.id),
	}, nil
}

func (r *eventRule) busName() string {
	p, err := arn.Parse(r.bus)
	if err != nil {
		return "" // it is our own
	}
	return strings.TrimPrefix(p.Resource, "event-bus/")
}

func listRules(c *call, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
	b, err := c.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListRulesOutput{Rules: []types.Rule{}}
	for _, r := range c.account().rulesOn(b.arn) {
		if strings.HasPrefix(r.name, aws.ToString(in.NamePrefix)) {
			out.Rules = append(out.Rules, types.Rule{
				Name: aws.String(r.name), Arn: aws.String(r.arn), EventBusName: aws.String(b.name), State: r.state,
				EventPattern: optional(r.pattern), ScheduleExpression: optional(r.schedule),
			})
		}
	}
	return out, nil
}

func enableRule(c *call, in *eventbridge.EnableRuleInput) (*eventbridge.EnableRuleOutput, error) {
	return &eventbridge.EnableRuleOutput{}, c.setRule(in.EventBusName, in.Name, types.RuleStateEnabled)
}

func disableRule(c *call, in *eventbridge.DisableRuleInput) (*eventbridge.DisableRuleOutput, error) {
	return &eventbridge.DisableRuleOutput{}, c.setRule(in.EventBusName, in.Name, types.RuleStateDisabled)
}

func (c *call) setRule(bus, name *string, state types.RuleState) error {
	r, err := c.ruleFor(bus, name)
	if err != nil {
		return err
	}
	c.same = r.state == state
	r.state = state
	return nil
}

// deleteRule of what is not there is no error.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
func deleteRule(c *call, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
	r, err := c.ruleFor(in.EventBusName, in.Name)
	if err != nil {
		c.same = true
		return &eventbridge.DeleteRuleOutput{}, nil
	}
	if len(r.targets) > 0 {
		return nil, invalid("ValidationException", "Rule can't be deleted since it has targets.")
	}
	delete(c.account().rules, r.arn)
	return &eventbridge.DeleteRuleOutput{}, nil
}

func putTargets(c *call, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	r, err := c.ruleFor(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	next := slices.Clone(r.targets)
	for _, t := range in.Targets {
		if !arn.IsARN(aws.ToString(t.Arn)) {
			return nil, invalid("ValidationException", "Parameter %.100s is not valid. Reason: Provided Arn is not in correct format.", aws.ToString(t.Arn))
		}
		i := slices.IndexFunc(next, hasTargetID(aws.ToString(t.Id)))
		if i < 0 {
			next = append(next, t)
			continue
		}
		next[i] = t
	}
	if len(next) > maxTargets {
		return nil, fail(http.StatusBadRequest, &types.LimitExceededException{Message: msg("The requested resource exceeds the maximum number allowed.")})
	}
	c.same = reflect.DeepEqual(next, r.targets)
	r.targets = next
	return &eventbridge.PutTargetsOutput{FailedEntries: []types.PutTargetsResultEntry{}}, nil
}

func hasTargetID(id string) func(types.Target) bool {
	return func(t types.Target) bool { return aws.ToString(t.Id) == id }
}

func removeTargets(c *call, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	r, err := c.ruleFor(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	next := slices.DeleteFunc(slices.Clone(r.targets), func(t types.Target) bool { return slices.Contains(in.Ids, aws.ToString(t.Id)) })
	c.same = len(next) == len(r.targets)
	r.targets = next
	return &eventbridge.RemoveTargetsOutput{FailedEntries: []types.RemoveTargetsResultEntry{}}, nil
}

func listTargetsByRule(c *call, in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	r, err := c.ruleFor(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	return &eventbridge.ListTargetsByRuleOutput{Targets: clone(r.targets)}, nil
}

func testEventPattern(_ *call, in *eventbridge.TestEventPatternInput) (*eventbridge.TestEventPatternOutput, error) {
	p, err := eventpattern.Compile([]byte(aws.ToString(in.EventPattern)))
	if err != nil {
		return nil, badPattern(err)
	}
	ok, err := p.Match([]byte(aws.ToString(in.Event)))
	if err != nil {
		return nil, invalid("ValidationException", "Parameter Event is not valid.")
	}
	return &eventbridge.TestEventPatternOutput{Result: ok}, nil
}
