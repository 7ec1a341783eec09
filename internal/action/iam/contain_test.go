// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/action/actiontest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// walk is who goes from account to account, and who else uses the same roles.
type walk struct {
	*org
	deploy, jump, admin2 login // the chain: alice > home > second > third
	sibling              login // of the same key
	bob, namesake        login // of others
	inc                  incident.Incident
}

// newWalk lets alice go through three accounts; the call of the middle session is the one that is responded to.
func newWalk(t testing.TB) *walk {
	t.Helper()
	o := newOrg(t)
	w := &walk{org: o}
	jump := o.role(second, "/team/", "Jump", arn.Parts{Partition: "aws", Service: "iam", AccountID: home, Resource: "root"}.String())
	last := o.role(third, "/", "Admin", arn.Parts{Partition: "aws", Service: "iam", AccountID: second, Resource: "root"}.String())
	w.bob = o.assume(o.user(home, "bob"), second, jump, "bob")
	w.deploy = o.assume(o.user(home, "alice"), home, o.seeded[home].RoleARN, "ci")
	w.sibling = o.assume(o.user(home, "alice"), home, o.seeded[home].RoleARN, "ci-2")
	w.jump = o.assume(w.deploy.Config, second, jump, "hop")
	w.admin2 = o.assume(w.jump.Config, third, last, "deep")
	w.namesake = o.assume(o.user(home, "bob"), second, jump, "hop")
	for _, s := range []login{w.deploy, w.sibling, w.jump, w.admin2, w.bob, w.namesake} {
		if !o.can(s.Config) {
			t.Fatalf("%s can do nothing to begin with", s.id)
		}
	}
	w.inc = o.open(o.collect(w.jump.key))
	return w
}

func (w *walk) whoCan() string {
	var can []string
	for name, s := range map[string]aws.Config{
		"alice": w.user(home, "alice"), "bob's key": w.user(home, "bob"), "deploy": w.deploy.Config, "sibling": w.sibling.Config, "jump": w.jump.Config,
		"admin": w.admin2.Config, "bob": w.bob.Config, "namesake": w.namesake.Config,
	} {
		if w.can(s) {
			can = append(can, name)
		}
	}
	slices.Sort(can)
	return strings.Join(can, " ")
}

const everybody = "admin alice bob bob's key deploy jump namesake sibling"

func TestContainATreeOverThreeAccounts(t *testing.T) {
	w := newWalk(t)
	p := w.plan(w.inc, `{}`)
	want := []string{w.seeded[home].AccessKeys["alice"], w.admin2.id, w.deploy.id, w.jump.id, w.sibling.id}
	slices.Sort(want)
	if diff := cmp.Diff(want, p.ids()); diff != "" {
		t.Errorf("contained (-want +got):\n%s", diff)
	}
	// The namesake was opened by bob, later, and under the same name: nothing in AWS tells the two apart after that.
	if !slices.ContainsFunc(p.Others, func(o struct{ Who, Why string }) bool {
		return o.Who == w.jump.id && strings.Contains(o.Why, "user/bob")
	}) {
		t.Errorf("who else is hit: %+v, want bob's session of the same name", p.Others)
	}
	if !strings.Contains(fmt.Sprint(p.Others), "last used") {
		t.Errorf("the others of the key: %+v", p.Others)
	}
	if got := w.whoCan(); got != everybody {
		t.Errorf("after planning can act: %s", got)
	}
	out := w.contain(w.inc, p)
	if !out.Changed || !strings.Contains(out.Note, "stay inactive") {
		t.Errorf("output %+v", out)
	}
	if got := w.whoCan(); got != "bob bob's key" {
		t.Errorf("contained, can act: %s", got)
	}
	var v struct {
		Refused       []string
		OthersRefused []string `json:"others_refused"`
		IsContained   bool     `json:"is_contained"`
	}
	w.must(w.run(w.inc, "iam:VerifyContainment", "verify", p.params(), &v))
	if !v.IsContained || len(v.Refused) != 5 || len(v.OthersRefused) != 0 {
		t.Errorf("the simulator says %+v", v)
	}
	// A new session of bob's under the name is not denied once IAM has settled.
	w.now = w.now.Add(5 * time.Minute)
	if again := w.assume(w.user(home, "bob"), second, arn.Parts{Partition: "aws", Service: "iam", AccountID: second, Resource: "role/team/Jump"}.String(), "hop"); !w.can(again.Config) {
		t.Error("a later session of the same name is denied")
	}
	again := w.contain(w.inc, p)
	if again.Already { // the same visit: an earlier attempt did it
		t.Errorf("again: %+v", again)
	}
	w.must(w.undo(w.inc))
	if got := w.whoCan(); got != everybody {
		t.Errorf("undone, can act: %s", got)
	}
	w.must(w.run(w.inc, "iam:VerifyContainment", "verify again", p.params(), &v))
	if v.IsContained || len(v.Refused) != 0 {
		t.Errorf("undone, the simulator says %+v", v)
	}
}

// Whatever is said not to be touched is not, and what it may open anew is denied under its name.
func TestContainSparesWhatIsAskedFor(t *testing.T) {
	w := newWalk(t)
	p := w.plan(w.inc, fmt.Sprintf(`{"spare":[%q,%q]}`, w.sibling.id, w.deploy.id))
	want := []string{w.seeded[home].AccessKeys["alice"], w.admin2.id, w.jump.id + "+"}
	slices.Sort(want)
	if diff := cmp.Diff(want, p.ids()); diff != "" {
		t.Errorf("contained (-want +got):\n%s", diff)
	}
	w.contain(w.inc, p)
	if got := w.whoCan(); got != "bob bob's key deploy sibling" {
		t.Errorf("contained, can act: %s", got)
	}
	w.now = w.now.Add(10 * time.Minute)
	again := w.assume(w.deploy.Config, second, arn.Parts{Partition: "aws", Service: "iam", AccountID: second, Resource: "role/team/Jump"}.String(), "hop")
	if w.can(again.Config) {
		t.Error("the session was opened anew, and can act")
	}
}

func TestContainExpires(t *testing.T) {
	w := newWalk(t)
	long := w.assume(w.user(home, "alice"), home, w.seeded[home].RoleARN, "long") // of an hour: it is over before the deny is
	w.collect("")
	p := w.plan(w.inc, `{}`)
	w.contain(w.inc, p)
	due, _, err := w.db.Due(t.Context(), w.now.Add(24*time.Hour), 10)
	w.must(err)
	if len(due) != 1 || due[0].Kind != incident.TimerLift || !due[0].DueAt.After(p.Until) {
		t.Fatalf("timers %+v, want one that lifts after %s", due, p.Until)
	}
	w.must(w.db.CancelTimers(t.Context(), w.inc.ID))
	if due, _, err = w.db.Due(t.Context(), w.now.Add(24*time.Hour), 10); err != nil || len(due) != 1 {
		t.Errorf("an answer cancels the lifting: %v, %v", due, err)
	}
	var out struct {
		Removed []string
		Left    []struct{ Who, Why string }
	}
	w.must(w.run(w.inc, "iam:LiftContainment", "early", `{}`, &out))
	if len(out.Removed) != 0 || len(out.Left) != 3 {
		t.Errorf("lifted before its end: %+v", out)
	}
	if w.can(long.Config) {
		t.Error("a session of the tree can act")
	}
	w.now = due[0].DueAt
	for i, want := range []int{3, 0} {
		w.must(w.run(w.inc, "iam:LiftContainment", "lift", `{}`, &out))
		if len(out.Removed) != want {
			t.Errorf("lifting %d: %+v, want %d removed", i+1, out, want)
		}
	}
	if policies := w.policies(); policies != "" {
		t.Errorf("left behind: %s", policies)
	}
	if w.can(w.user(home, "alice")) {
		t.Error("the key is active again by itself")
	}
	w.must(w.undo(w.inc))
	if !w.can(w.user(home, "alice")) {
		t.Error("undone, and the key is not active")
	}
}

// policies are all inline policies of the walk's roles and users.
func (w *walk) policies() string {
	w.Helper()
	var all []string
	for account, roles := range map[string][]string{home: {"Deploy"}, second: {"Jump"}, third: {"Admin"}} {
		for _, r := range roles {
			out, err := w.org.admin(account).ListRolePolicies(w.Context(), &api.ListRolePoliciesInput{RoleName: &r})
			w.must(err)
			for _, name := range out.PolicyNames {
				one, err := w.org.admin(account).GetRolePolicy(w.Context(), &api.GetRolePolicyInput{RoleName: &r, PolicyName: &name})
				w.must(err)
				all = append(all, r+" "+name+" "+*one.PolicyDocument)
			}
		}
	}
	keys, err := w.org.admin(home).ListAccessKeys(w.Context(), &api.ListAccessKeysInput{UserName: aws.String("alice")})
	w.must(err)
	for _, k := range keys.AccessKeyMetadata {
		if k.Status != "Active" && len(all) > 0 {
			all = append(all, *k.AccessKeyId+" "+string(k.Status))
		}
	}
	slices.Sort(all)
	return incidentOf.ReplaceAllString(strings.Join(all, "\n"), "actiontest")
}

// incidentOf is what differs from world to world in the names of policies.
var incidentOf = regexp.MustCompile(`actiontest-[0-9a-f]+`)

// The contract of every change: once, undone, dry, unapproved, killed at every call.
func TestContainContract(t *testing.T) {
	actiontest.Run(t, actiontest.Contract{Action: "iam:ContainSession", New: func(t testing.TB) actiontest.World {
		w := newWalk(t)
		return actiontest.World{
			Backend: w.sandbox, Accounts: w.accounts(), Region: region, Clock: w.clock(), Params: w.plan(w.inc, `{}`).params(), State: w.policies,
		}
	}})
}

func TestContainNeedsApproval(t *testing.T) {
	a, _ := action.Get("iam:ContainSession")
	if !a.Info().NeedsApproval || !a.Info().IsChange {
		t.Errorf("%+v", a.Info())
	}
}

// What we may not do is said, with who can and how; the rest is done.
func TestContainDenied(t *testing.T) {
	w := newWalk(t)
	p := w.plan(w.inc, `{}`)
	w.must(w.sandbox.Deny(w.seeded[second].ResponderARN, "iam:PutRolePolicy"))
	var out action.Output
	err := w.run(w.inc, "iam:ContainSession", "contain", p.params(), &out)
	if err == nil || !strings.Contains(err.Error(), "who can: an administrator") || !strings.Contains(err.Error(), "aws iam put-role-policy --role-name Jump") {
		t.Errorf("error %v", err)
	}
	if got := w.whoCan(); got != "bob bob's key jump namesake" {
		t.Errorf("can act: %s", got)
	}
	w.must(w.undo(w.inc))
	if got := w.whoCan(); got != everybody {
		t.Errorf("undone, can act: %s", got)
	}
}

func TestContainDryRunShowsWhom(t *testing.T) {
	w := newWalk(t)
	p := w.plan(w.inc, `{}`)
	a, _ := action.Get("iam:ContainSession")
	raw, err := a.Run(t.Context(), w.env(w.inc, "iam:ContainSession", "dry", gate.Observe, false), json.RawMessage(p.params()))
	w.must(err)
	var out action.Output
	w.must(json.Unmarshal(raw, &out))
	if !out.Intended || !strings.Contains(out.Reason, "4 sessions and 1 long-term keys in 3 accounts") || !strings.Contains(out.Reason, "others would be hit") {
		t.Errorf("dry run: %+v", out)
	}
	entries, err := w.db.Entries(t.Context(), w.inc.ID)
	w.must(err)
	if !slices.ContainsFunc(entries, func(e incident.Entry) bool {
		return strings.Contains(e.Text, "needs approval") && strings.Contains(e.Text, "would be hit, too: "+w.jump.id)
	}) {
		t.Errorf("the timeline does not say who would be hit: %+v", entries)
	}
	if got := w.whoCan(); got != everybody {
		t.Errorf("can act: %s", got)
	}
}

// A plan is only what was planned: a name that an attacker chose gets into no policy.
func TestContainRefusesHostilePlans(t *testing.T) {
	w := newWalk(t)
	p := w.plan(w.inc, `{}`)
	var out action.Output
	for name, edit := range map[string][2]string{
		"variable":     {w.jump.id, w.jump.id[:strings.IndexByte(w.jump.id, ':')] + ":${aws:username}"},
		"star":         {w.jump.id, w.jump.id[:strings.IndexByte(w.jump.id, ':')] + ":*"},
		"another role": {w.jump.id, "AROAOTHER:hop"},
		"quotes":       {w.jump.id, w.jump.id + `\"`},
		"unicode":      {w.jump.id, w.jump.id + "\u202e"},
		"100 KB":       {w.jump.id, w.jump.id + strings.Repeat("a", 100_000)},
		"for ever":     {`"until":"2026`, `"until":"2099`},
		"no role":      {"role/team/Jump", "group/Jump"},
		"a field":      {`"summary":`, `"surprise":1,"summary":`},
	} {
		text := strings.ReplaceAll(p.text, edit[0], edit[1])
		if text == p.text {
			t.Fatalf("%s: nothing edited", name)
		}
		err := w.run(w.inc, "iam:ContainSession", name, `{"plan":`+text+`}`, &out)
		if err == nil || !strings.Contains(err.Error(), action.ErrorInvalidParameters) {
			t.Errorf("%s: error %v", name, err)
		}
		if err != nil && len(err.Error()) > 2000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
	w.own = []trail.Dependency{{ARN: arn.ARN("arn:aws:iam::" + second + ":role/team/Jump")}}
	if err := w.run(w.inc, "iam:ContainSession", "own", p.params(), &out); err == nil || !strings.Contains(err.Error(), "part of Switchback") {
		t.Errorf("our own role: %v", err)
	}
	if got := w.plan(w.inc, `{}`); !slices.Contains(got.outcomes(), "own-part") {
		t.Errorf("outcomes %v", got.outcomes())
	}
	if got := w.whoCan(); got != everybody {
		t.Errorf("can act: %s", got)
	}
}
