// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/switchback-project/switchback/internal/action/actiontest"
	"github.com/switchback-project/switchback/internal/action/restoretest"
	_ "github.com/switchback-project/switchback/internal/action/sqs"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

const (
	restoreQueue = "sqs:RestoreQueue"
	queueName    = "events"
)

// policy lets EventBridge send; more are further statements.
func policy(s *restoretest.Scene, more ...string) string {
	statements := append([]string{fmt.Sprintf(
		`{"Sid":"Events","Effect":"Allow","Principal":{"Service":%q},"Action":"sqs:SendMessage","Resource":%q}`,
		arn.ServiceHost("events"), s.ARN("sqs", queueName))}, more...)
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func redrive(s *restoretest.Scene, queue, count string) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%s}`, s.ARN("sqs", queue), count)
}

func build(s *restoretest.Scene) trail.Dependency {
	client := api.NewFromConfig(s.Admin)
	for _, name := range []string{"dead", "nowhere"} {
		restoretest.OK(client.CreateQueue(s.Context(), &api.CreateQueueInput{QueueName: &name}))(s)
	}
	restoretest.OK(client.CreateQueue(s.Context(), &api.CreateQueueInput{QueueName: aws.String(queueName), Attributes: map[string]string{
		"VisibilityTimeout": "120", "MessageRetentionPeriod": "1209600", "Policy": policy(s), "RedrivePolicy": redrive(s, "dead", `"5"`),
	}}))(s)
	return trail.Dependency{Kind: trail.KindQueue, ARN: arn.ARN(s.ARN("sqs", queueName)), Account: restoretest.Account, Region: s.Region}
}

func url(s *restoretest.Scene) *string {
	return restoretest.OK(api.NewFromConfig(s.Admin).GetQueueUrl(s.Context(), &api.GetQueueUrlInput{QueueName: aws.String(queueName)}))(s).QueueUrl
}

// set is an attack by one call.
func set(attributes func(s *restoretest.Scene) map[string]string) func(s *restoretest.Scene) {
	return func(s *restoretest.Scene) {
		restoretest.OK(api.NewFromConfig(s.Admin).SetQueueAttributes(s.Context(), &api.SetQueueAttributesInput{
			QueueUrl: url(s), Attributes: attributes(s),
		}))(s)
	}
}

func plain(attributes map[string]string) func(s *restoretest.Scene) {
	return set(func(*restoretest.Scene) map[string]string { return attributes })
}

func route(name string, damage func(s *restoretest.Scene)) restoretest.Route {
	return restoretest.Route{Name: name, Build: build, Calls: []string{"SetQueueAttributes"}, Damage: damage}
}

func TestRoutes(t *testing.T) {
	china := route("policy taken away in China", plain(map[string]string{"Policy": ""}))
	china.Region = "cn-north-1"
	encrypted := route("encrypted with a stranger's key", plain(map[string]string{"KmsMasterKeyId": "arn:aws:kms:eu-west-1:444455556666:key/00000000-0000-4000-8000-000000000000"}))
	encrypted.NotInMoto = "it says that SQS encrypts as well"
	// Making and deleting a queue is in TestDeleted: it takes a minute.
	implied := []string{"sqs:CreateQueue", "sqs:DeleteQueue", "sts:GetCallerIdentity"}
	restoretest.Run(t, restoretest.Suite{Action: restoreQueue, Implied: implied, Routes: []restoretest.Route{
		china, encrypted,
		route("policy taken away", plain(map[string]string{"Policy": ""})),
		route("policy denies EventBridge", set(func(s *restoretest.Scene) map[string]string {
			return map[string]string{"Policy": policy(s, `{"Effect":"Deny","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}`)}
		})),
		route("a stranger may read", set(func(s *restoretest.Scene) map[string]string {
			return map[string]string{"Policy": policy(s, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sqs:ReceiveMessage","Resource":"*"}`)}
		})),
		route("forgets after a minute", plain(map[string]string{"MessageRetentionPeriod": "60"})),
		route("refuses what is large", plain(map[string]string{"MaximumMessageSize": "1024"})),
		route("holds back", plain(map[string]string{"DelaySeconds": "900"})),
		route("hides for hours", plain(map[string]string{"VisibilityTimeout": "43200"})),
		route("failures go nowhere", plain(map[string]string{"RedrivePolicy": ""})),
		route("failures go elsewhere at once", set(func(s *restoretest.Scene) map[string]string {
			return map[string]string{"RedrivePolicy": redrive(s, "nowhere", `"1"`)}
		})),
		route("several at once", plain(map[string]string{"Policy": "", "DelaySeconds": "900", "MessageRetentionPeriod": "60", "RedrivePolicy": ""})),
	}})
}

// TestStrengthened: what is harmless, or better than before, is left alone.
func TestStrengthened(t *testing.T) {
	for name, attack := range map[string]func(s *restoretest.Scene){
		"nothing":    func(*restoretest.Scene) {},
		"long polls": plain(map[string]string{"ReceiveMessageWaitTimeSeconds": "20"}),
		"the number as a number": set(func(s *restoretest.Scene) map[string]string {
			return map[string]string{"RedrivePolicy": redrive(s, "dead", "5")}
		}),
		"TLS only": set(func(s *restoretest.Scene) map[string]string {
			return map[string]string{"Policy": policy(s, `{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)}
		}),
		"purged": func(s *restoretest.Scene) {
			restoretest.OK(api.NewFromConfig(s.Admin).PurgeQueue(s.Context(), &api.PurgeQueueInput{QueueUrl: url(s)}))(s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := restoretest.InSandbox(t, nil, "")
			s.TakeBaseline(build(s))
			attack(s)
			before := len(s.Sandbox.Mutations())
			out, err := s.Run(restoreQueue, "first")
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
	plain(map[string]string{"Policy": ""})(s)
	restoretest.Must(t, s.Sandbox.Deny(restoretest.Account, "sqs:SetQueueAttributes"))
	_, err := s.Run(restoreQueue, "first")
	if name, cause := restoretest.Named(err); name != "Sqs.AccessDeniedException" || !strings.Contains(cause, "who can: ") {
		t.Errorf("error is %s: %s; want a refusal that says who can", name, cause)
	}
	if undos := s.Undos(); len(undos) != 0 {
		t.Errorf("%d undo records, want none", len(undos))
	}
}

// TestBlockedName: a name that AWS does not give yet is an error that a state machine can wait for.
func TestBlockedName(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(build(s))
	restoretest.OK(api.NewFromConfig(s.Admin).DeleteQueue(t.Context(), &api.DeleteQueueInput{QueueUrl: url(s)}))(t)
	_, err := s.Run(restoreQueue, "first")
	if name, cause := restoretest.Named(err); name != "Sqs.QueueDeletedRecentlyException" {
		t.Errorf("error is %s: %s", name, cause)
	}
}

// TestDeleted: a minute after it was deleted the queue is made again.
func TestDeleted(t *testing.T) {
	actiontest.Run(t, actiontest.Contract{Action: restoreQueue, New: deletedQueue})
}

func deletedQueue(t testing.TB) actiontest.World {
	now := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	box := restoretest.OK(sandbox.New(sandbox.Options{Clock: clock}))(t)
	seeded := restoretest.OK(box.Seed(t.Context(), sandbox.Seed{Region: "eu-west-1"}))(t)
	root := restoretest.OK(box.Root(restoretest.Account))(t)
	s := &restoretest.Scene{TB: t, Region: seeded.Region, Sandbox: box, Seeded: seeded, Admin: gate.BackendConfig(box, restoretest.Account, seeded.Region, root, "admin")}
	d := build(s)
	accounts := map[string]gate.Access{restoretest.Account: {RoleARN: seeded.ResponderARN}}
	read := func() json.RawMessage {
		g := restoretest.OK(gate.Open(t.Context(), gate.Options{Backend: box, Region: seeded.Region, Accounts: accounts, Clock: clock, Pace: gate.PaceNever}))(t)
		return restoretest.OK(state.ReadDependency(t.Context(), g.Door(gate.Scope{}), d))(t)
	}
	base := state.Snapshot{Resource: d.ARN, Kind: string(d.Kind), TakenAt: now, LastSeenAt: now, Source: state.SourceRead, Content: read()}
	restoretest.OK(api.NewFromConfig(s.Admin).DeleteQueue(t.Context(), &api.DeleteQueueInput{QueueUrl: url(s)}))(t)
	now = now.Add(time.Minute)
	return actiontest.World{
		Backend: box, Accounts: accounts, Region: seeded.Region, Clock: clock, Snapshots: []state.Snapshot{base},
		Params: fmt.Sprintf(`{"resource":%q,"account":%q,"region":%q,"baseline_at":%q}`, d.ARN, d.Account, d.Region, base.TakenAt.Format(time.RFC3339Nano)),
		State:  func() string { return string(read()) },
	}
}
