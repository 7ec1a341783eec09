// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam_test

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/iam"
	"github.com/switchback-project/switchback/internal/action/restoretest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

const restoreRole = "iam:RestoreRole"

var (
	name   = aws.String("CloudTrail_CloudWatchLogs_Role")
	path   = aws.String("/service-role/")
	inline = aws.String("deliver")
	trust  = aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + arn.ServiceHost("cloudtrail") + `"},"Action":"sts:AssumeRole"}]}`)
	// delivering is the policy of AWS's page, with a space and a plus that IAM's encoding has to survive.
	delivering = aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["logs:PutLogEvents","logs:CreateLogStream"],"Resource":"arn:aws:logs:eu-west-1:111122223333:log-group:/switchback/a+b c:log-stream:*"}]}`)
	nothing    = aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`)
)

// role is a trail's role while it is attacked.
type role struct {
	*restoretest.Scene
	*api.Client
}

func of(s *restoretest.Scene) role { return role{s, api.NewFromConfig(s.Admin)} }

func (r role) managed() *string { return aws.String(r.Global(restoretest.Account, "policy/Deliver")) }
func (r role) bound() *string   { return aws.String(r.Global(restoretest.Account, "policy/Bound")) }

func (r role) makePolicy(name string) {
	restoretest.OK(r.CreatePolicy(r.Context(), &api.CreatePolicyInput{PolicyName: &name, PolicyDocument: delivering}))(r)
}

func (r role) make(boundary *string) {
	restoretest.OK(r.CreateRole(r.Context(), &api.CreateRoleInput{
		RoleName: name, Path: path, AssumeRolePolicyDocument: trust, PermissionsBoundary: boundary, Description: aws.String("of the trail"),
		MaxSessionDuration: aws.Int32(7200), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("security")}},
	}))(r)
}

func (r role) put(policy, document *string) {
	restoretest.OK(r.PutRolePolicy(r.Context(), &api.PutRolePolicyInput{RoleName: name, PolicyName: policy, PolicyDocument: document}))(r)
}

func (r role) unput() {
	restoretest.OK(r.DeleteRolePolicy(r.Context(), &api.DeleteRolePolicyInput{RoleName: name, PolicyName: inline}))(r)
}

func (r role) attach(policy *string) {
	restoretest.OK(r.AttachRolePolicy(r.Context(), &api.AttachRolePolicyInput{RoleName: name, PolicyArn: policy}))(r)
}

func (r role) detach() {
	restoretest.OK(r.DetachRolePolicy(r.Context(), &api.DetachRolePolicyInput{RoleName: name, PolicyArn: r.managed()}))(r)
}

func (r role) unbound() {
	restoretest.OK(r.DeleteRolePermissionsBoundary(r.Context(), &api.DeleteRolePermissionsBoundaryInput{RoleName: name}))(r)
}

// shorten leaves the description alone, as AWS does.
func (r role) shorten() {
	restoretest.OK(r.UpdateRole(r.Context(), &api.UpdateRoleInput{RoleName: name, MaxSessionDuration: aws.Int32(3600), Description: aws.String("of the trail")}))(r)
}

func (r role) bind() {
	restoretest.OK(r.PutRolePermissionsBoundary(r.Context(), &api.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: r.bound()}))(r)
}

func (r role) delete() {
	r.unput()
	r.detach()
	restoretest.OK(r.DeleteRole(r.Context(), &api.DeleteRoleInput{RoleName: name}))(r)
}

// version makes another version of the managed policy hold.
func (r role) version() {
	restoretest.OK(r.CreatePolicyVersion(r.Context(), &api.CreatePolicyVersionInput{PolicyArn: r.managed(), PolicyDocument: nothing, SetAsDefault: true}))(r)
}

func dependency(s *restoretest.Scene) trail.Dependency {
	return trail.Dependency{Kind: trail.KindRole, ARN: arn.ARN(s.Global(restoretest.Account, "role"+*path+*name)), Account: restoretest.Account, Region: s.Region}
}

// build makes a role with an inline and a managed policy.
func build(s *restoretest.Scene) trail.Dependency { return buildBound(nil)(s) }

func buildBound(boundary func(r role) *string) func(s *restoretest.Scene) trail.Dependency {
	return func(s *restoretest.Scene) trail.Dependency {
		r := of(s)
		r.makePolicy("Deliver")
		r.makePolicy("Bound")
		var b *string
		if boundary != nil {
			b = boundary(r)
		}
		r.make(b)
		r.put(inline, delivering)
		r.attach(r.managed())
		return dependency(s)
	}
}

func TestRoutes(t *testing.T) {
	damage := func(f func(r role)) func(s *restoretest.Scene) { return func(s *restoretest.Scene) { f(of(s)) } }
	versions := func(s *restoretest.Scene) string {
		return *restoretest.OK(of(s).GetPolicy(s.Context(), &api.GetPolicyInput{PolicyArn: of(s).managed()}))(s).Policy.DefaultVersionId
	}
	remade := []string{"CreateRole", "PutRolePolicy", "AttachRolePolicy"}
	restoretest.Run(t, restoretest.Suite{Action: restoreRole, Routes: []restoretest.Route{
		{Name: "deleted", Build: build, Calls: remade, Damage: damage(role.delete)},
		{Name: "deleted, with a boundary", Region: "cn-north-1", Build: buildBound(role.bound), Calls: remade, Damage: damage(role.delete)},
		{
			Name: "policy changed, role deleted", Build: build, Also: versions, Calls: append(remade, "SetDefaultPolicyVersion"),
			Damage: damage(func(r role) { r.version(); r.delete() }),
		},
		{
			Name: "made again and empty", Build: build, Calls: []string{"PutRolePolicy", "AttachRolePolicy"},
			Damage: damage(func(r role) { r.delete(); r.make(nil) }),
		},
		{
			Name: "trust of a stranger", Build: build, Calls: []string{"UpdateAssumeRolePolicy"}, Damage: damage(func(r role) {
				document := strings.Replace(*trust, `[{`, `[{"Effect":"Allow","Principal":{"AWS":"`+r.Global(restoretest.Other, "root")+`"},"Action":"sts:AssumeRole"},{`, 1)
				restoretest.OK(r.UpdateAssumeRolePolicy(r.Context(), &api.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: &document}))(r)
			}),
		},
		{Name: "inline policy deleted", Build: build, Calls: []string{"PutRolePolicy"}, Damage: damage(role.unput)},
		{Name: "inline policy changed", Build: build, Calls: []string{"PutRolePolicy"}, Damage: damage(func(r role) { r.put(inline, nothing) })},
		{
			Name: "inline policy added", Build: build, Calls: []string{"DeleteRolePolicy"},
			Damage: damage(func(r role) { r.put(aws.String("x"), nothing) }),
		},
		{Name: "policy detached", Build: build, Calls: []string{"AttachRolePolicy"}, Damage: damage(role.detach)},
		{Name: "policy attached", Build: build, Calls: []string{"DetachRolePolicy"}, Damage: damage(func(r role) { r.attach(r.bound()) })},
		{Name: "policy changed", Build: build, Also: versions, Calls: []string{"SetDefaultPolicyVersion"}, Damage: damage(role.version)},
		{
			Name: "policy changed and detached", Build: build, Also: versions, Calls: []string{"AttachRolePolicy", "SetDefaultPolicyVersion"},
			Damage: damage(func(r role) { r.version(); r.detach() }),
		},
		{Name: "boundary put", Build: build, Calls: []string{"DeleteRolePermissionsBoundary"}, Damage: damage(role.bind)},
		{Name: "boundary taken away", Build: buildBound(role.bound), Calls: []string{"PutRolePermissionsBoundary"}, Damage: damage(role.unbound)},
		{Name: "sessions shortened", Build: build, Calls: []string{"UpdateRole"}, Damage: damage(role.shorten)},
		{
			Name: "tag changed", Build: build, Calls: []string{"TagRole"},
			Damage: damage(func(r role) {
				restoretest.OK(r.TagRole(r.Context(), &api.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("lunch")}}}))(r)
			}),
		},
		{Name: "tag taken away", Build: build, Calls: []string{"TagRole"}, Damage: damage(func(r role) {
			restoretest.OK(r.UntagRole(r.Context(), &api.UntagRoleInput{RoleName: name, TagKeys: []string{"team"}}))(r)
		})},
		{Name: "sessions shortened, trust taken away", Build: build, Calls: []string{"UpdateAssumeRolePolicy", "UpdateRole"}, Damage: damage(func(r role) {
			restoretest.OK(r.UpdateAssumeRolePolicy(r.Context(), &api.UpdateAssumeRolePolicyInput{
				RoleName: name, PolicyDocument: aws.String(strings.Replace(*trust, "Allow", "Deny", 1)),
			}))(r)
			r.shorten()
		})},
	}})
}

// TestMadeAgain: a role that was made again is another one, and that is said.
func TestMadeAgain(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(build(s))
	idOf := func() string {
		return *restoretest.OK(of(s).GetRole(t.Context(), &api.GetRoleInput{RoleName: name}))(t).Role.RoleId
	}
	before := idOf()
	of(s).delete()
	out, err := s.Run(restoreRole, "x")
	restoretest.Must(t, err)
	if !out.RevalidateTrail || !strings.Contains(out.Note, before) || !strings.Contains(out.Note, idOf()) {
		t.Errorf("advice is %+v, want both ids and that the trail is to be told", out.Advice)
	}
	made := restoretest.OK(of(s).GetRole(t.Context(), &api.GetRoleInput{RoleName: name}))(t).Role
	if got := []any{*made.Path, *made.Description, *made.MaxSessionDuration, *made.Tags[0].Value}; !cmp.Equal(got, []any{*path, "of the trail", int32(7200), "security"}) {
		t.Errorf("the role that was made is %v", got)
	}
}

// TestBeyondUs: what no call of ours mends names who can.
func TestBeyondUs(t *testing.T) {
	for _, tc := range []struct {
		name, want, cause string
		attack            func(r role)
	}{
		{"the policy deleted", action.ErrorNeedsPerson, "aws iam create-policy --policy-name Deliver", func(r role) {
			r.detach()
			restoretest.OK(r.DeletePolicy(r.Context(), &api.DeletePolicyInput{PolicyArn: r.managed()}))(r)
		}},
		{"the version deleted", action.ErrorNeedsPerson, "create-policy-version", func(r role) {
			r.version()
			restoretest.OK(r.DeletePolicyVersion(r.Context(), &api.DeletePolicyVersionInput{PolicyArn: r.managed(), VersionId: aws.String("v1")}))(r)
		}},
		{"the name taken under another path", action.ErrorNeedsPerson, "aws iam delete-role", func(r role) {
			r.delete()
			restoretest.OK(r.CreateRole(r.Context(), &api.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: trust}))(r)
		}},
		{"denied", "Iam.AccessDeniedException", "administrator", func(r role) {
			r.unput()
			restoretest.Must(r, r.Sandbox.Deny(restoretest.Account, "iam:PutRolePolicy"))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := restoretest.InSandbox(t, nil, "")
			s.TakeBaseline(build(s))
			tc.attack(of(s))
			_, err := s.Run(restoreRole, "x")
			if got, cause := restoretest.Named(err); got != tc.want || !strings.Contains(cause, tc.cause) {
				t.Errorf("error is %s: %s; want %s with %q", got, cause, tc.want, tc.cause)
			}
		})
	}
}

// TestUndoOnAnotherRole: what was taken from a role is not put on one that was made since.
func TestUndoOnAnotherRole(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(build(s))
	r := of(s)
	r.unput()
	restoretest.OK(s.Run(restoreRole, "x"))(t)
	r.delete()
	r.make(nil)
	if got, cause := restoretest.Named(s.Undo(restoreRole)); got != action.ErrorNeedsPerson {
		t.Errorf("undo: %s: %s; want %s", got, cause, action.ErrorNeedsPerson)
	}
}

func TestAnotherAccount(t *testing.T) {
	restoretest.NotElsewhere(t, restoreRole, build, func(s *restoretest.Scene) { of(s).delete() })
}
