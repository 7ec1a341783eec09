// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	events "github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/trail"
)

const (
	home    = "111122223333"
	second  = "444455556666"
	third   = "777788889999"
	foreign = "999900001111" // we have no role there
	region  = "eu-west-1"
)

var began = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

// org is an organization of three accounts in which somebody goes from role to role.
type org struct {
	testing.TB
	sandbox *sandbox.Sandbox
	now     time.Time
	seeded  map[string]sandbox.Seeded
	db      *sqlite.DB
	own     []trail.Dependency
	as      gate.Backend // of the actions; nil is the sandbox
	seen    map[events.EventID]bool
}

func newOrg(t testing.TB) *org {
	t.Helper()
	o := &org{TB: t, now: began, seeded: map[string]sandbox.Seeded{}, seen: map[events.EventID]bool{}}
	var err error
	o.sandbox, err = sandbox.New(sandbox.Options{Clock: func() time.Time { return o.now }})
	o.must(err)
	for _, account := range []string{home, second, third, foreign} {
		o.seeded[account], err = o.sandbox.Seed(t.Context(), sandbox.Seed{Account: account, Region: region})
		o.must(err)
	}
	o.db, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	o.must(err)
	t.Cleanup(func() { o.must(o.db.Close()) })
	return o
}

func (o *org) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// root is the administrator of an account, as the sandbox has one.
func (o *org) root(account string) aws.Config {
	o.Helper()
	c, err := o.sandbox.Root(account)
	o.must(err)
	return gate.BackendConfig(o.sandbox, account, region, c, "admin")
}

func (o *org) admin(account string) *api.Client { return api.NewFromConfig(o.root(account)) }

// user is a configuration with the key of a seeded user.
func (o *org) user(account, name string) aws.Config {
	o.Helper()
	c, err := o.sandbox.Credentials(o.seeded[account].AccessKeys[name])
	o.must(err)
	return gate.BackendConfig(o.sandbox, account, region, c, "cli")
}

// role makes a role that everybody may assume whom its trust names.
func (o *org) role(account, path, name string, trusts ...string) string {
	o.Helper()
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["%s"]},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`, strings.Join(trusts, `","`))
	out, err := o.admin(account).CreateRole(o.Context(), &api.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: &trust, MaxSessionDuration: aws.Int32(12 * 3600)})
	o.must(err)
	return *out.Role.Arn
}

// login is a session and the credentials of it.
type login struct {
	aws.Config
	id, key string
}

// assume opens a session, half a minute after whatever was before.
func (o *org) assume(by aws.Config, account, role, name string) login {
	o.Helper()
	o.now = o.now.Add(30 * time.Second)
	out, err := sts.NewFromConfig(by).AssumeRole(o.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &name})
	o.must(err)
	c := out.Credentials
	return login{
		gate.BackendConfig(o.sandbox, account, region, aws.Credentials{
			AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken,
		}, "cli"), *out.AssumedRoleUser.AssumedRoleId, *c.AccessKeyId,
	}
}

// can reports whether whoever has the credentials can do anything.
func (o *org) can(as aws.Config) bool {
	o.Helper()
	_, err := cloudtrail.NewFromConfig(as).DescribeTrails(o.Context(), &cloudtrail.DescribeTrailsInput{})
	if err != nil && !action.IsDenied(err) && !strings.Contains(err.Error(), "UnrecognizedClient") {
		o.Fatal(err)
	}
	return err == nil
}

// collect puts what the accounts recorded into the index, as deployed rules do, and returns the record of a call that
// was made with the key.
func (o *org) collect(key string) events.Record {
	o.Helper()
	o.now = o.now.Add(time.Minute)
	var of events.Record
	for _, account := range []string{home, second, third} {
		client := cloudtrail.NewFromConfig(o.root(account))
		for page := cloudtrail.NewLookupEventsPaginator(client, &cloudtrail.LookupEventsInput{}); page.HasMorePages(); {
			out, err := page.NextPage(o.Context())
			o.must(err)
			of = cmpRecord(o.index(out.Events, key), of)
		}
	}
	if key != "" && of.EventID == "" {
		o.Fatalf("no call with %s was recorded", key)
	}
	return of
}

func cmpRecord(a, b events.Record) events.Record {
	if a.EventID != "" {
		return a
	}
	return b
}

func (o *org) index(list []cloudtrailtypes.Event, key string) (of events.Record) {
	o.Helper()
	for _, e := range list {
		r, err := events.ParseRecord([]byte(*e.CloudTrailEvent))
		o.must(err)
		o.must(o.db.SessionIndex().Put(o.Context(), r))
		if key != "" && r.UserIdentity.AccessKeyID == key && r.EventName == "DescribeTrails" {
			of = r
		}
	}
	return of
}

func (o *org) accounts() map[string]gate.Access {
	all := map[string]gate.Access{}
	for _, account := range []string{home, second, third} {
		all[account] = gate.Access{RoleARN: o.seeded[account].ResponderARN}
	}
	return all
}

func (o *org) clock() func() time.Time { return func() time.Time { return o.now } }

// open is an incident of a call.
func (o *org) open(r events.Record) incident.Incident {
	o.Helper()
	raw, err := r.MarshalJSON()
	o.must(err)
	inc, _, err := o.db.Admit(o.Context(), incident.Candidate{
		Key:   incident.Key{Runbook: "cloudtrail-off", Account: home, EventName: "StopLogging", Outcome: incident.Succeeded, Resource: o.Name()},
		Title: "x", Trigger: "x", Severity: incident.High, Region: region, Event: r.EventID, Envelope: raw, OccurredAt: o.now, ReceivedAt: o.now,
	})
	o.must(err)
	return inc
}

func (o *org) env(inc incident.Incident, id, visit string, mode gate.Mode, isApproved bool) *action.Env {
	o.Helper()
	backend := o.as
	if backend == nil {
		backend = o.sandbox
	}
	g, err := gate.Open(o.Context(), gate.Options{Backend: backend, Region: region, Accounts: o.accounts(), Clock: o.clock(), Pace: gate.PaceNever})
	o.must(err)
	return &action.Env{
		Services: action.Services{Clock: o.clock(), Undos: o.db, Store: o.db, Timeline: o.db, Timers: o.db, Sessions: o.db, Own: o.own},
		Door:     g.Door(gate.Scope{Incident: string(inc.ID), Action: id, Class: "revoke-identity", Mode: mode, Approved: isApproved}),
		Incident: inc, Task: action.Task{Execution: "x", State: visit, ID: visit, Visit: visit},
	}
}

// run runs an action into out, approved.
func (o *org) run(inc incident.Incident, id, visit, params string, out any) error {
	o.Helper()
	a, ok := action.Get(id)
	if !ok {
		o.Fatalf("no action %s", id)
	}
	raw, err := a.Run(o.Context(), o.env(inc, id, visit, gate.Ask, true), json.RawMessage(params))
	if err == nil {
		o.must(json.Unmarshal(raw, out))
	}
	return err
}

// planned is a plan as its readers see it.
type planned struct {
	Subject string
	Until   time.Time
	Targets []struct {
		ARN      string
		Sessions []struct {
			ID   string
			Open bool
		}
		Keys []string
	}
	Others []struct{ Who, Why string }
	Steps  []struct {
		Outcome, Who, Why, Command, Left string
		WhoCan                           string `json:"who_can"`
	}
	Gaps    []string
	Summary string
	text    string
}

// plan plans to contain who made the call of inc.
func (o *org) plan(inc incident.Incident, params string) planned {
	o.Helper()
	var raw json.RawMessage
	o.must(o.run(inc, "iam:PlanContainment", "plan", params, &raw))
	p := planned{text: string(raw)}
	o.must(json.Unmarshal(raw, &p))
	return p
}

// ids are what a plan contains, sorted: sessions ("+" where open) and keys.
func (p planned) ids() []string {
	var all []string
	for _, t := range p.Targets {
		all = append(all, t.Keys...)
		for _, s := range t.Sessions {
			all = append(all, s.ID+map[bool]string{true: "+"}[s.Open])
		}
	}
	slices.Sort(all)
	return all
}

func (p planned) outcomes() []string {
	all := map[string]bool{}
	for _, s := range p.Steps {
		all[s.Outcome] = true
	}
	return slices.Sorted(maps.Keys(all))
}

func (p planned) params() string { return `{"plan":` + p.text + `}` }

func (o *org) contain(inc incident.Incident, p planned) (out action.Output) {
	o.Helper()
	o.must(o.run(inc, "iam:ContainSession", "contain", p.params(), &out))
	return out
}

func (o *org) undo(inc incident.Incident) error {
	o.Helper()
	open := func(info action.Info, _ incident.Undo) (*action.Env, error) {
		return o.env(inc, info.ID, "undo", gate.Ask, true), nil
	}
	_, err := action.UndoIncident(o.Context(), inc.ID, action.UndoOptions{By: "bob", MayLower: true}, open, o.db)
	return err
}
