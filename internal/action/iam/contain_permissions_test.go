// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// recorder collects the permissions that calls need.
type recorder struct {
	*sandbox.Sandbox
	used *[]string
}

// Do implements gate.Backend.
func (r recorder) Do(ctx context.Context, q gate.Request) (any, error) {
	// Who we are and how we got there are no calls of the action.
	if name := gate.Permission(q.Service, q.Operation); q.Service != "STS" && !slices.Contains(*r.used, name) {
		*r.used = append(*r.used, name)
	}
	return r.Sandbox.Do(ctx, q)
}

// What each action says that it needs is what it calls, over a role and a user with policies of their own.
func TestContainPermissions(t *testing.T) {
	w := newWalk(t)
	own := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`)
	_, err := w.org.admin(home).PutUserPolicy(t.Context(), &api.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("own"), PolicyDocument: own})
	w.must(err)
	_, err = w.org.admin(second).PutRolePolicy(t.Context(), &api.PutRolePolicyInput{RoleName: aws.String("Jump"), PolicyName: aws.String("own"), PolicyDocument: own})
	w.must(err)
	_, err = sts.NewFromConfig(w.user(home, "alice")).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	w.must(err)
	w.collect("")
	used := map[string]*[]string{}
	run := func(id, params string) (out json.RawMessage) {
		w.as = recorder{w.sandbox, w.used(used, id)}
		w.must(w.run(w.inc, id, id, params, &out))
		return out
	}
	plan := `{"plan":` + string(run("iam:PlanContainment", `{}`)) + `}`
	run("iam:ContainSession", plan)
	run("iam:VerifyContainment", plan)
	w.as = recorder{w.sandbox, w.used(used, "iam:ContainSession")}
	w.must(w.undo(w.inc))
	run("iam:LiftContainment", `{}`)
	for id, want := range used {
		a, _ := action.Get(id)
		slices.Sort(*want)
		said := a.Info().Permissions
		if id == "iam:LiftContainment" { // it found nothing to change: see TestContainExpires
			said = slices.DeleteFunc(slices.Clone(said), func(p string) bool { return p[4:7] == "Put" || p[4:7] == "Del" })
		}
		if diff := cmp.Diff(*want, said); diff != "" {
			t.Errorf("%s (-needed +said):\n%s", id, diff)
		}
	}
}

func (*walk) used(all map[string]*[]string, id string) *[]string {
	if all[id] == nil {
		all[id] = &[]string{}
	}
	return all[id]
}
