// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package restoretest is what every action made by action.Restore is held to: a table of routes, each of which builds a
// resource, takes its baseline and damages it. Each route passes the contract of actiontest in the sandbox, is put back
// and undone in moto where that can play it, and makes the calls that are needed and no others; and all routes together
// need exactly the permissions that the action says it needs.
package restoretest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/action/actiontest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// The accounts of the scenes; Other is a stranger's.
const (
	Account = "111122223333"
	Other   = "444455556666"
)

var start = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

// Scene is an account and an administrator who acts in it past the gate.
type Scene struct {
	testing.TB
	Region string
	// Admin may do everything.
	Admin aws.Config
	// Sandbox is nil in moto.
	Sandbox  *sandbox.Sandbox
	Seeded   sandbox.Seeded
	endpoint string
	db       *sqlite.DB

	now        time.Time // of the sandbox
	dependency trail.Dependency
	baseline   state.Snapshot
}

// Route is a way to damage a resource.
type Route struct {
	Name string
	// Build makes the resource as it should be.
	Build func(s *Scene) trail.Dependency
	// Damage is what an attacker does to it.
	Damage func(s *Scene)
	// Calls are the changes that put it back, in their order: "EnableKey".
	Calls []string
	// Also is more that the action may alter, beside the resource; nil is nothing.
	Also func(s *Scene) string
	// NotInMoto says why moto cannot play the route, "" where it can.
	NotInMoto string
	// NoUndo: taking it back is refused as a matter for a person.
	NoUndo bool
	// Region is where it plays, in the sandbox only; "" is eu-west-1.
	Region string
}

// Suite is what Run runs.
type Suite struct {
	Action string
	Routes []Route
	// Implied are permissions that calls need beside those of their own names.
	Implied []string
}

// Run runs the suite. The test binary needs gatetest.Main.
func Run(t *testing.T, s Suite) {
	t.Helper()
	db := openDB(t)
	used := &operations{}
	for _, r := range s.Routes {
		t.Run(r.Name, func(t *testing.T) {
			t.Run("sandbox", func(t *testing.T) {
				actiontest.Run(t, actiontest.Contract{Action: s.Action, NoUndo: r.NoUndo, New: func(t testing.TB) actiontest.World {
					return r.play(InSandbox(t, db, r.Region)).world(r, used)
				}})
			})
			t.Run("calls", func(t *testing.T) { r.calls(t, s.Action, r.play(InSandbox(t, db, r.Region))) })
			if r.NotInMoto != "" || r.Region != "" {
				t.Logf("not in moto: %s", r.NotInMoto+r.Region)
				return
			}
			t.Run("moto", func(t *testing.T) { r.thereAndBack(t, s.Action, InMoto(t, db)) })
		})
	}
	used.check(t, s)
}

func openDB(t testing.TB) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "baselines.db"), sqlite.Options{})
	Must(t, err)
	t.Cleanup(func() { Must(t, db.Close()) })
	return db
}

// Must fails the test at an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// OK is the output of a call that must succeed.
func OK[T any](out T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		Must(t, err)
		return out
	}
}

// InSandbox is a seeded sandbox. db holds the baselines; nil is a store of its own.
func InSandbox(t testing.TB, db *sqlite.DB, region string) *Scene {
	t.Helper()
	if region == "" {
		region = "eu-west-1"
	}
	if db == nil {
		db = openDB(t)
	}
	s := &Scene{TB: t, Region: region, db: db, now: start}
	s.Sandbox = OK(sandbox.New(sandbox.Options{Clock: s.clock()}))(t)
	s.Seeded = OK(s.Sandbox.Seed(t.Context(), sandbox.Seed{Region: region}))(t)
	s.Admin = gate.BackendConfig(s.Sandbox, Account, region, OK(s.Sandbox.Root(Account))(t), "admin")
	return s
}

// Later lets a minute pass in the sandbox.
func (s *Scene) Later() {
	if s.Sandbox != nil {
		s.now = s.now.Add(time.Minute)
	}
}

// InMoto is an emptied moto.
func InMoto(t testing.TB, db *sqlite.DB) *Scene {
	t.Helper()
	endpoint := gatetest.StartMoto(t)
	t.Setenv("AWS_CA_BUNDLE", "") // reading it takes longer than the test
	return &Scene{TB: t, Region: "eu-west-1", endpoint: endpoint, db: db, Admin: gatetest.MotoConfig(t, Account, "eu-west-1")}
}

// ARN is one of the scene's account and region.
func (s *Scene) ARN(service, resource string) string {
	return arn.Parts{Partition: arn.PartitionOf(s.Region).ID, Service: service, Region: s.Region, AccountID: Account, Resource: resource}.String()
}

// Global is an ARN of IAM.
func (s *Scene) Global(account, resource string) string {
	return arn.Parts{Partition: arn.PartitionOf(s.Region).ID, Service: "iam", AccountID: account, Resource: resource}.String()
}

// play builds, takes the baseline and damages.
func (r Route) play(s *Scene) *Scene {
	s.Helper()
	s.TakeBaseline(r.Build(s))
	s.Later()
	r.Damage(s)
	return s
}

// TakeBaseline keeps what the resource looks like, as the one to go back to.
func (s *Scene) TakeBaseline(d trail.Dependency) {
	s.Helper()
	s.dependency = d
	content := s.Read()
	at := takenAt(content)
	s.baseline = state.Snapshot{Resource: d.ARN, Kind: string(d.Kind), TakenAt: at, LastSeenAt: at, Source: state.SourceRead, Content: content}
	Must(s, s.db.PutSnapshot(s.Context(), s.baseline))
}

// takenAt is another time for another content: the scenes share a store, and their resources have the same names.
func takenAt(content json.RawMessage) time.Time {
	h := fnv.New32a()
	h.Write(content)
	return start.Add(time.Duration(h.Sum32()) * time.Microsecond)
}

// Read reads the resource.
func (s *Scene) Read() json.RawMessage {
	s.Helper()
	return OK(state.ReadDependency(s.Context(), s.gate().Door(gate.Scope{}), s.dependency))(s)
}

func (s *Scene) accounts() map[string]gate.Access {
	role := s.Seeded.ResponderARN
	if role == "" {
		role = s.Global(Account, "role/responder")
	}
	return map[string]gate.Access{Account: {RoleARN: role}}
}

// clock is nil in moto.
func (s *Scene) clock() func() time.Time {
	if s.now.IsZero() {
		return nil
	}
	return func() time.Time { return s.now }
}

func (s *Scene) gate() *gate.Gate {
	s.Helper()
	o := gate.Options{Region: s.Region, Accounts: s.accounts(), Clock: s.clock(), Pace: gate.PaceNever}
	if s.Sandbox != nil {
		o.Backend = s.Sandbox
	} else {
		o.Endpoint, o.Credentials = s.endpoint, credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "")
	}
	return OK(gate.Open(s.Context(), o))(s)
}

// Params are those of an action that restores the resource.
func (s *Scene) Params() string {
	return fmt.Sprintf(`{"resource":%q,"account":%q,"region":%q,"baseline_at":%q}`,
		s.dependency.ARN, s.dependency.Account, s.dependency.Region, s.baseline.TakenAt.Format(time.RFC3339Nano))
}

func (s *Scene) world(r Route, used *operations) actiontest.World {
	w := actiontest.World{
		Endpoint: s.endpoint, Accounts: s.accounts(), Region: s.Region, Clock: s.clock(), Snapshots: []state.Snapshot{s.baseline}, Params: s.Params(),
		State: func() string { return s.describe(r) },
	}
	if s.Sandbox != nil {
		w.Backend = recorder{s.Sandbox, used}
	}
	return w
}

// volatile are ids that differ whenever something is made.
var volatile = regexp.MustCompile(`AROA[A-Z0-9]+|:[0-9a-f]{8}-[0-9a-f-]{27}|"creationTime":\d+`)

func (s *Scene) describe(r Route) string {
	s.Helper()
	text := string(s.Read())
	if r.Also != nil {
		text += "\n" + r.Also(s)
	}
	return volatile.ReplaceAllString(text, "(new)")
}

// Run runs the action on the resource as an incident's, in the mode act.
func (s *Scene) Run(id, visit string) (action.Output, error) {
	s.Helper()
	a, ok := action.Get(id)
	if !ok {
		s.Fatalf("no action %s", id)
	}
	raw, err := a.Run(s.Context(), s.env(id, visit), json.RawMessage(s.Params()))
	if err != nil {
		return action.Output{}, err
	}
	var out action.Output
	Must(s, json.Unmarshal(raw, &out))
	return out, nil
}

const incidentID incident.ID = "20260504-trail-blinded-1a2b3c4d"

func (s *Scene) env(id, visit string) *action.Env {
	s.Helper()
	return &action.Env{
		Services: action.Services{Clock: s.clock(), Undos: s.db, Snapshots: s.db},
		Door:     s.gate().Door(gate.Scope{Incident: string(incidentID), Action: id, Class: "restore-trail", Mode: gate.Act}),
		Incident: incident.Incident{ID: incident.ID(s.Name())},
		Task:     action.Task{Execution: "x", State: visit, ID: visit, Visit: visit},
	}
}

// Undo takes back what Run did.
func (s *Scene) Undo(id string) error {
	s.Helper()
	open := func(action.Info, incident.Undo) (*action.Env, error) { return s.env(id, "undo"), nil }
	_, err := action.UndoIncident(s.Context(), incident.ID(s.Name()), action.UndoOptions{By: "bob", MayLower: true}, open, s.db)
	return err
}

// Undos are the undo records that Run left.
func (s *Scene) Undos() []incident.Undo {
	s.Helper()
	return OK(s.db.ListUndos(s.Context(), incident.ID(s.Name())))(s)
}

// Weaknesses are the fields in which the resource is weaker than its baseline.
func (s *Scene) Weaknesses() []string {
	s.Helper()
	found := OK(trail.WeakenedDependency(s.dependency.Kind, s.baseline.Content, s.Read()))(s)
	var fields []string
	for _, d := range found {
		fields = append(fields, d.Field)
	}
	return fields
}

// Changes are the names of the mutating calls since the first n.
func (s *Scene) Changes(n int) []string {
	var out []string
	for _, m := range s.Sandbox.Mutations()[n:] {
		if m.Operation != "AssumeRole" {
			out = append(out, m.Operation)
		}
	}
	return out
}

// Named is the name and the cause of an error for a state machine.
func Named(err error) (name, cause string) {
	var named *asl.Error
	if errors.As(err, &named) {
		return named.Name, named.Cause
	}
	return "", fmt.Sprint(err)
}

// thereAndBack puts the resource back, twice, and undoes it, once.
func (r Route) thereAndBack(t *testing.T, id string, s *Scene) {
	s.TakeBaseline(r.Build(s))
	whole := s.describe(r)
	r.Damage(s)
	damaged := s.describe(r)
	out, err := s.Run(id, "first")
	Must(t, err)
	// moto's S3 gives its requests no ids.
	if !out.Changed || out.RequestID == "" && s.dependency.Kind != trail.KindBucket {
		t.Errorf("output is %+v, want a change and the id of a request", out)
	}
	if r.Also == nil {
		// Beside the resource, more may have been made on the way.
		if diff := cmp.Diff(whole, s.describe(r)); diff != "" {
			t.Errorf("put back (-want +got):\n%s", diff)
		}
	}
	again, err := s.Run(id, "second")
	Must(t, err)
	if again.Changed {
		t.Errorf("the second run changed something: %+v", again)
	}
	if r.NoUndo {
		return
	}
	Must(t, s.Undo(id))
	if diff := cmp.Diff(damaged, s.describe(r)); diff != "" {
		t.Errorf("undone (-want +got):\n%s", diff)
	}
}

// calls runs the action twice and holds its calls against those that are needed.
func (r Route) calls(t *testing.T, id string, s *Scene) {
	if len(s.Weaknesses()) == 0 {
		t.Error("the damage is no weakness")
	}
	before := len(s.Sandbox.Mutations())
	out, err := s.Run(id, "first")
	Must(t, err)
	if !out.Changed || out.Advice == nil {
		t.Errorf("output is %+v, want a change with advice", out)
	}
	again, err := s.Run(id, "second")
	Must(t, err)
	if again.Changed {
		t.Errorf("the second run changed something: %+v", again)
	}
	if diff := cmp.Diff(r.Calls, s.Changes(before)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if r.NoUndo {
		if name, cause := Named(s.Undo(id)); name != action.ErrorNeedsPerson || !strings.Contains(cause, "aws ") {
			t.Errorf("undo: %s: %s; want %s with a command", name, cause, action.ErrorNeedsPerson)
		}
	}
}

// operations collects what was called.
type operations struct {
	mu    sync.Mutex
	names []string
}

func (o *operations) add(service, operation string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	// Who we are and how we got there are no calls of the action.
	if name := gate.Permission(service, operation); service != "STS" && !slices.Contains(o.names, name) {
		o.names = append(o.names, name)
	}
}

// check holds the calls against the permissions.
func (o *operations) check(t *testing.T, s Suite) {
	t.Helper()
	a, ok := action.Get(s.Action)
	if !ok {
		t.Fatalf("no action %s", s.Action)
	}
	got := slices.Sorted(slices.Values(slices.Concat(o.names, s.Implied)))
	if diff := cmp.Diff(got, a.Info().Permissions); diff != "" {
		t.Errorf("permissions (-needed +said):\n%s", diff)
	}
}

type recorder struct {
	*sandbox.Sandbox
	used *operations
}

// Do implements gate.Backend.
func (r recorder) Do(ctx context.Context, q gate.Request) (any, error) {
	if r.used != nil {
		r.used.add(q.Service, q.Operation)
	}
	return r.Sandbox.Do(ctx, q)
}

// Snapshots is the store of the baseline.
func (s *Scene) Snapshots() state.Snapshots { return s.db }

// Retarget makes the baseline that of another resource.
func (s *Scene) Retarget(d trail.Dependency) {
	s.Helper()
	s.dependency, s.baseline.Resource = d, d.ARN
	Must(s, s.db.PutSnapshot(s.Context(), s.baseline))
}

// NotElsewhere holds an action to this: a resource that is gone, of an account that our credentials are not those of, is
// not made again in the account that they are.
func NotElsewhere(t *testing.T, id string, build func(s *Scene) trail.Dependency, remove func(s *Scene)) {
	t.Helper()
	s := InSandbox(t, nil, "")
	d := build(s)
	s.TakeBaseline(d)
	remove(s)
	d.ARN = arn.ARN(strings.Replace(string(d.ARN), Account, Other, 1))
	d.Account = Other
	s.Retarget(d)
	before := len(s.Sandbox.Mutations())
	_, err := s.Run(id, "x")
	if name, cause := Named(err); name != action.ErrorNoAccess {
		t.Errorf("error is %s: %s; want %s", name, cause, action.ErrorNoAccess)
	}
	if calls := s.Changes(before); len(calls) > 0 {
		t.Errorf("calls %v, want none", calls)
	}
}
