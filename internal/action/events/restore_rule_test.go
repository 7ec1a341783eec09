// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/events"
	"github.com/switchback-project/switchback/internal/action/restoretest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

const restoreRule = "events:RestoreRule"

const (
	pattern  = `{"detail-type":["AWS API Call via CloudTrail"],"source":["aws.cloudtrail","aws.kms"]}`
	narrowed = `{"detail-type":["AWS API Call via CloudTrail"],"source":["aws.kms"]}`
	widened  = `{"detail-type":["AWS API Call via CloudTrail"]}`
)

// rule is ours while it is attacked.
type rule struct {
	*restoretest.Scene
	*api.Client
	bus *string
}

func of(s *restoretest.Scene, bus string) rule {
	return rule{s, api.NewFromConfig(s.Admin), &bus}
}

func (r rule) put(document string, state types.RuleState) {
	restoretest.OK(r.PutRule(r.Context(), &api.PutRuleInput{
		Name: aws.String("switchback"), EventBusName: r.bus, EventPattern: &document, State: state, Description: aws.String("events to us"),
	}))(r)
}

func (r rule) target(id, queue string) {
	restoretest.OK(r.PutTargets(r.Context(), &api.PutTargetsInput{Rule: aws.String("switchback"), EventBusName: r.bus, Targets: []types.Target{{
		Id: &id, Arn: aws.String(r.ARN("sqs", queue)), RetryPolicy: &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(8), MaximumEventAgeInSeconds: aws.Int32(3600)},
	}}}))(r)
}

func (r rule) untarget(ids ...string) {
	restoretest.OK(r.RemoveTargets(r.Context(), &api.RemoveTargetsInput{Rule: aws.String("switchback"), EventBusName: r.bus, Ids: ids}))(r)
}

func (r rule) disable() {
	restoretest.OK(r.DisableRule(r.Context(), &api.DisableRuleInput{Name: aws.String("switchback"), EventBusName: r.bus}))(r)
}

func (r rule) remove() {
	r.untarget("1")
	restoretest.OK(r.DeleteRule(r.Context(), &api.DeleteRuleInput{Name: aws.String("switchback"), EventBusName: r.bus}))(r)
}

func (r rule) permit(account string) {
	restoretest.OK(r.PutPermission(r.Context(), &api.PutPermissionInput{
		EventBusName: r.bus, StatementId: aws.String("s" + account), Principal: &account, Action: aws.String("events:PutEvents"),
	}))(r)
}

// build makes a rule on the default bus that gets everything.
func build(s *restoretest.Scene) trail.Dependency {
	r := of(s, "default")
	r.put(pattern, types.RuleStateEnabledWithAllCloudtrailManagementEvents)
	r.target("1", "switchback-events")
	return trail.Dependency{Kind: trail.KindRule, ARN: arn.ARN(s.ARN("events", "rule/switchback")), Account: restoretest.Account, Region: s.Region}
}

// buildOnBus makes one on a bus of its own, to which another account may send.
func buildOnBus(s *restoretest.Scene) trail.Dependency {
	r := of(s, "central")
	restoretest.OK(r.CreateEventBus(s.Context(), &api.CreateEventBusInput{Name: r.bus}))(s)
	r.permit(restoretest.Other)
	r.put(pattern, types.RuleStateEnabled)
	r.target("1", "switchback-events")
	return trail.Dependency{Kind: trail.KindRule, ARN: arn.ARN(s.ARN("events", "rule/central/switchback")), Account: restoretest.Account, Region: s.Region}
}

func TestRoutes(t *testing.T) {
	onDefault := func(f func(r rule)) func(*restoretest.Scene) {
		return func(s *restoretest.Scene) { f(of(s, "default")) }
	}
	onCentral := func(f func(r rule)) func(*restoretest.Scene) {
		return func(s *restoretest.Scene) { f(of(s, "central")) }
	}
	const emptyPolicy = "its bus keeps an empty policy, which is another one than none"
	restoretest.Run(t, restoretest.Suite{Action: restoreRule, Implied: []string{"iam:PassRole", "sts:GetCallerIdentity"}, Routes: []restoretest.Route{
		{Name: "disabled", Build: build, Calls: []string{"PutRule"}, Damage: onDefault(rule.disable)},
		{Name: "disabled in China", Region: "cn-north-1", Build: build, Calls: []string{"PutRule"}, Damage: onDefault(rule.disable)},
		{
			Name: "only some events", Build: build, Calls: []string{"PutRule"},
			Damage: onDefault(func(r rule) {
				restoretest.OK(r.EnableRule(r.Context(), &api.EnableRuleInput{Name: aws.String("switchback")}))(r)
			}),
		},
		{
			Name: "pattern narrowed", Build: build, Calls: []string{"PutRule"},
			Damage: onDefault(func(r rule) { r.put(narrowed, types.RuleStateEnabledWithAllCloudtrailManagementEvents) }),
		},
		{Name: "deleted", Build: build, Calls: []string{"PutRule", "PutTargets"}, Damage: onDefault(rule.remove)},
		{Name: "targets removed", Build: build, Calls: []string{"PutTargets"}, Damage: onDefault(func(r rule) { r.untarget("1") })},
		{Name: "target moved", Build: build, Calls: []string{"PutTargets"}, Damage: onDefault(func(r rule) { r.target("1", "attacker") })},
		{Name: "target added", Build: build, Calls: []string{"RemoveTargets"}, Damage: onDefault(func(r rule) { r.target("copy", "attacker") })},
		{
			Name: "disabled, and all targets replaced", Build: build, Calls: []string{"PutRule", "RemoveTargets", "PutTargets"},
			Damage: onDefault(func(r rule) {
				r.disable()
				r.untarget("1")
				for _, id := range []string{"a", "b", "c", "d", "e"} {
					r.target(id, "attacker")
				}
			}),
		},
		{
			Name: "a stranger may send", Build: build, Calls: []string{"RemovePermission"}, NotInMoto: emptyPolicy,
			Damage: onDefault(func(r rule) { r.permit("666677778888") }),
		},
		{
			Name: "permission removed", Build: buildOnBus, Calls: []string{"PutPermission"}, NotInMoto: emptyPolicy,
			Damage: onCentral(func(r rule) {
				restoretest.OK(r.RemovePermission(r.Context(), &api.RemovePermissionInput{EventBusName: r.bus, RemoveAllPermissions: true}))(r)
			}),
		},
		{
			Name: "bus deleted", Build: buildOnBus, Calls: []string{"CreateEventBus", "PutPermission", "PutRule", "PutTargets"},
			Damage: onCentral(func(r rule) {
				r.remove()
				restoretest.OK(r.DeleteEventBus(r.Context(), &api.DeleteEventBusInput{Name: r.bus}))(r)
			}),
		},
	}})
}

// scene is a rule in the sandbox after an attack.
func scene(t *testing.T, attack func(r rule)) rule {
	t.Helper()
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(build(s))
	r := of(s, "default")
	attack(r)
	return r
}

// TestStrengthened: what is harmless, or better than before, is left alone.
func TestStrengthened(t *testing.T) {
	for name, attack := range map[string]func(r rule){
		"nothing": func(rule) {},
		"pattern widened": func(r rule) {
			r.put(widened, types.RuleStateEnabledWithAllCloudtrailManagementEvents)
		},
		"pattern written otherwise": func(r rule) {
			r.put(strings.ReplaceAll(pattern, ",", ", "), types.RuleStateEnabledWithAllCloudtrailManagementEvents)
		},
		"another rule": func(r rule) {
			restoretest.OK(r.PutRule(r.Context(), &api.PutRuleInput{Name: aws.String("other"), EventPattern: aws.String(widened)}))(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := scene(t, attack)
			before := len(r.Sandbox.Mutations())
			out, err := r.Run(restoreRule, "first")
			restoretest.Must(t, err)
			if out.Changed || len(r.Changes(before)) > 0 {
				t.Errorf("changed %+v by %v, want nothing", out, r.Changes(before))
			}
		})
	}
}

// TestDenied: what AWS refuses says who can, and leaves nothing to undo.
func TestDenied(t *testing.T) {
	r := scene(t, rule.disable)
	restoretest.Must(t, r.Sandbox.Deny(restoretest.Account, "events:PutRule"))
	_, err := r.Run(restoreRule, "first")
	if name, cause := restoretest.Named(err); name != "EventBridge.AccessDeniedException" || !strings.Contains(cause, "who can: ") {
		t.Errorf("error is %s: %s; want a refusal that says who can", name, cause)
	}
	if undos := r.Undos(); len(undos) != 0 {
		t.Errorf("%d undo records, want none", len(undos))
	}
}

// TestWrongOwner: a deleted rule is not made again in an account that is not the one of its ARN.
func TestWrongOwner(t *testing.T) {
	r := scene(t, rule.remove)
	r.Retarget(trail.Dependency{
		Kind: trail.KindRule, ARN: arn.ARN(strings.Replace(r.ARN("events", "rule/switchback"), restoretest.Account, restoretest.Other, 1)),
		Account: restoretest.Other, Region: r.Region,
	})
	before := len(r.Sandbox.Mutations())
	if _, err := r.Run(restoreRule, "first"); err == nil {
		t.Error("no error")
	}
	if diff := cmp.Diff([]string(nil), r.Changes(before)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// refusing is a sandbox in which EventBridge takes no targets, and says so in its answer only.
type refusing struct{ *sandbox.Sandbox }

// Do implements gate.Backend.
func (b refusing) Do(ctx context.Context, r gate.Request) (any, error) {
	if r.Operation == "PutTargets" {
		return &api.PutTargetsOutput{FailedEntryCount: 1, FailedEntries: []types.PutTargetsResultEntry{{
			TargetId: aws.String("1"), ErrorCode: aws.String("ConcurrentModificationException"), ErrorMessage: aws.String("try again"),
		}}}, nil
	}
	return b.Sandbox.Do(ctx, r)
}

// TestRefusedEntry: an answer without an error in which entries failed is no success.
func TestRefusedEntry(t *testing.T) {
	r := scene(t, func(r rule) { r.untarget("1") })
	g := restoretest.OK(gate.Open(t.Context(), gate.Options{
		Backend: refusing{r.Sandbox}, Region: r.Region, Pace: gate.PaceNever,
		Accounts: map[string]gate.Access{restoretest.Account: {RoleARN: r.Seeded.ResponderARN}},
	}))(t)
	a, _ := action.Get(restoreRule)
	env := &action.Env{
		Services: action.Services{Snapshots: r.Snapshots()},
		Door:     g.Door(gate.Scope{Incident: "x", Action: restoreRule, Class: "restore-trail", Mode: gate.Act}),
	}
	_, err := a.Run(t.Context(), env, json.RawMessage(r.Params()))
	if _, cause := restoretest.Named(err); !strings.Contains(cause, "AWS refused 1 of 1 targets") || !strings.Contains(cause, "try again") {
		t.Errorf("error is %s, want what AWS refused", cause)
	}
}
