// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/trail"
)

// change is a resource that was altered, and the fields in which that made it weaker.
type change[T any] struct {
	name string
	to   func(have *T)
	want []string
}

// judge compares what a good one becomes by each change, as JSON, the way it is stored.
func judge[T any](t *testing.T, kind trail.Kind, good func() T, changes []change[T]) {
	t.Helper()
	encode := func(v T) json.RawMessage {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			have := good()
			c.to(&have)
			found, err := trail.WeakenedDependency(kind, encode(good()), encode(have))
			if err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, d := range found {
				fields = append(fields, d.Field)
				if d.Note == "" {
					t.Errorf("%s has no note", d.Field)
				}
			}
			if diff := cmp.Diff(c.want, fields); diff != "" {
				t.Errorf("weaker in (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWeakenedKey(t *testing.T) {
	judge(t, trail.KindKey, func() trail.Key {
		return trail.Key{
			Exists: true, KeyState: trail.KeyEnabled, Origin: "AWS_KMS", Policy: trail.CanonicalPolicy(document(admin, logs)),
			Aliases: []string{"alias/a", "alias/b"}, Grants: []trail.KeyGrant{{GrantID: "1", GranteePrincipal: "reader", Operations: []string{"Decrypt"}}},
		}
	}, []change[trail.Key]{
		{"nothing", func(*trail.Key) {}, nil},
		{"gone", func(k *trail.Key) { *k = trail.Key{} }, []string{"Exists"}},
		{"disabled", func(k *trail.Key) { k.KeyState = trail.KeyDisabled }, []string{"KeyState"}},
		{"pending deletion", func(k *trail.Key) { k.KeyState = trail.KeyPendingDeletion }, []string{"KeyState"}},
		{"updating", func(k *trail.Key) { k.KeyState = "Updating" }, nil},
		{"alias gone", func(k *trail.Key) { k.Aliases = []string{"alias/b"} }, []string{"Aliases"}},
		{"alias more", func(k *trail.Key) { k.Aliases = append(k.Aliases, "alias/c") }, nil},
		{"grant gone", func(k *trail.Key) { k.Grants = nil }, []string{"Grants"}},
		{"grant new", func(k *trail.Key) { k.Grants = append(k.Grants, trail.KeyGrant{GrantID: "2"}) }, []string{"Grants"}},
		{"too many grants to tell", func(k *trail.Key) { k.Grants, k.HasMoreGrants = nil, true }, nil},
		{"stronger and weaker", func(k *trail.Key) {
			k.KeyState, k.Policy = trail.KeyDisabled, trail.CanonicalPolicy(document(admin))
		}, []string{"KeyState", "Policy"}},
	})
}

func TestWeakenedTopic(t *testing.T) {
	queue := trail.TopicSubscription{Protocol: "sqs", Endpoint: "arn:aws:sqs:eu-west-1:111122223333:q", ARN: "x:1", Attributes: map[string]string{"RawMessageDelivery": "true"}}
	judge(t, trail.KindTopic, func() trail.Topic {
		return trail.Topic{Exists: true, Policy: trail.CanonicalPolicy(document(logs)), KmsMasterKeyId: "alias/trail", Subscriptions: []trail.TopicSubscription{queue}}
	}, []change[trail.Topic]{
		{"nothing", func(*trail.Topic) {}, nil},
		{"gone", func(x *trail.Topic) { *x = trail.Topic{} }, []string{"Exists"}},
		{"policy", func(x *trail.Topic) { x.Policy = nil }, []string{"Policy"}},
		{"another key", func(x *trail.Topic) { x.KmsMasterKeyId = "alias/other" }, []string{"KmsMasterKeyId"}},
		{"no key", func(x *trail.Topic) { x.KmsMasterKeyId = "" }, []string{"KmsMasterKeyId"}},
		{"subscribed again", func(x *trail.Topic) { x.Subscriptions[0].ARN = "x:2" }, nil},
		{"unsubscribed", func(x *trail.Topic) { x.Subscriptions = nil }, []string{"Subscriptions." + queue.Protocol + ":" + queue.Endpoint}},
		{"too many to tell", func(x *trail.Topic) { x.Subscriptions, x.HasMoreSubscriptions = nil, true }, nil},
		{"filtered", func(x *trail.Topic) { x.Subscriptions[0].Attributes = map[string]string{"FilterPolicy": "{}"} }, []string{trail.FieldSubscription(queue)}},
		{"a stranger", func(x *trail.Topic) {
			x.Subscriptions = append(x.Subscriptions, trail.TopicSubscription{Protocol: "email", Endpoint: "a@b"})
		}, []string{"Subscriptions.new.email:a@b"}},
	})
}

func TestWeakenedLogGroup(t *testing.T) {
	zero := 0.0
	judge(t, trail.KindLogGroup, func() trail.LogGroup {
		return trail.LogGroup{
			Exists: true, CreationTime: 1, RetentionInDays: 90, KmsKeyId: "arn:aws:kms:eu-west-1:111122223333:key/1",
			MetricFilters:       []trail.MetricFilter{{FilterName: "m", FilterPattern: "p", MetricTransformations: []trail.MetricTransformation{{MetricName: "n", DefaultValue: &zero}}}},
			SubscriptionFilters: []trail.SubscriptionFilter{{FilterName: "s", DestinationArn: "d"}},
		}
	}, []change[trail.LogGroup]{
		{"nothing", func(*trail.LogGroup) {}, nil},
		{"gone", func(g *trail.LogGroup) { *g = trail.LogGroup{} }, []string{"Exists"}},
		{"a day", func(g *trail.LogGroup) { g.RetentionInDays = 1 }, []string{"retentionInDays"}},
		{"longer", func(g *trail.LogGroup) { g.RetentionInDays = 365 }, nil},
		{"for ever", func(g *trail.LogGroup) { g.RetentionInDays = 0 }, nil},
		{"made again, for ever", func(g *trail.LogGroup) { g.RetentionInDays, g.CreationTime = 0, 2 }, []string{"retentionInDays"}},
		{"made again, the same", func(g *trail.LogGroup) { g.CreationTime = 2 }, nil},
		{"the key by its id", func(g *trail.LogGroup) { g.KmsKeyId = "1" }, nil},
		{"another key", func(g *trail.LogGroup) { g.KmsKeyId = "2" }, []string{"kmsKeyId"}},
		{"another class", func(g *trail.LogGroup) { g.LogGroupClass = "INFREQUENT_ACCESS" }, []string{"logGroupClass"}},
		{"masked", func(g *trail.LogGroup) { g.DataProtectionPolicy = json.RawMessage(`{"Name":"x"}`) }, []string{"dataProtectionPolicy"}},
		{"counts something else", func(g *trail.LogGroup) { g.MetricFilters[0].MetricTransformations[0].MetricName = "x" }, []string{"metricFilters.m"}},
		{"counts more", func(g *trail.LogGroup) {
			g.MetricFilters = append(g.MetricFilters, trail.MetricFilter{FilterName: "more"})
		}, nil},
		{"sends elsewhere", func(g *trail.LogGroup) { g.SubscriptionFilters[0].DestinationArn = "x" }, []string{"subscriptionFilters.s"}},
		{"sends to a stranger too", func(g *trail.LogGroup) {
			g.SubscriptionFilters = append(g.SubscriptionFilters, trail.SubscriptionFilter{FilterName: "x"})
		}, []string{"subscriptionFilters.x"}},
	})
}

func TestWeakenedRole(t *testing.T) {
	const policy = "arn:aws:iam::111122223333:policy/p"
	inline := trail.CanonicalPolicy(document(`{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}`))
	judge(t, trail.KindRole, func() trail.Role {
		return trail.Role{
			Exists: true, RoleID: "AROA1", MaxSessionDuration: 7200, Tags: map[string]string{"team": "security"}, AssumeRolePolicyDocument: trail.CanonicalPolicy(document(logs)),
			RolePolicyList:          map[string]json.RawMessage{"a": inline},
			AttachedManagedPolicies: []trail.AttachedPolicy{{PolicyArn: policy, DefaultVersionID: "v1"}},
		}
	}, []change[trail.Role]{
		{"nothing", func(*trail.Role) {}, nil},
		{"gone", func(r *trail.Role) { *r = trail.Role{} }, []string{"Exists"}},
		{"made again", func(r *trail.Role) { r.RoleID = "AROA2" }, nil},
		{"trust", func(r *trail.Role) { r.AssumeRolePolicyDocument = trail.CanonicalPolicy(document(logs, admin)) }, []string{"AssumeRolePolicyDocument"}},
		{"inline gone", func(r *trail.Role) { r.RolePolicyList = nil }, []string{"RolePolicyList.a"}},
		{"inline new", func(r *trail.Role) { r.RolePolicyList["b"] = inline }, []string{"RolePolicyList.b"}},
		{"detached", func(r *trail.Role) { r.AttachedManagedPolicies = nil }, []string{"AttachedManagedPolicies." + policy}},
		{"another version", func(r *trail.Role) { r.AttachedManagedPolicies[0].DefaultVersionID = "v2" }, []string{"AttachedManagedPolicies." + policy}},
		{"attached", func(r *trail.Role) {
			r.AttachedManagedPolicies = append(r.AttachedManagedPolicies, trail.AttachedPolicy{PolicyArn: "x"})
		}, []string{"AttachedManagedPolicies.x"}},
		{"shorter sessions", func(r *trail.Role) { r.MaxSessionDuration = 3600 }, []string{"MaxSessionDuration"}},
		{"longer sessions", func(r *trail.Role) { r.MaxSessionDuration = 43200 }, nil},
		{"tag gone", func(r *trail.Role) { r.Tags = nil }, []string{"Tags.team"}},
		{"tag changed", func(r *trail.Role) { r.Tags["team"] = "lunch" }, []string{"Tags.team"}},
		{"tag new", func(r *trail.Role) { r.Tags["cost"] = "1" }, nil},
		{"bounded", func(r *trail.Role) { r.PermissionsBoundary = policy }, []string{"PermissionsBoundary"}},
	})
}

// TestCanonicalDependencies: equal configurations have equal bytes.
func TestCanonicalDependencies(t *testing.T) {
	for name, pair := range map[string][2]any{
		"key": {
			trail.Key{Aliases: []string{"b", "a"}, Grants: []trail.KeyGrant{{GrantID: "2"}, {GrantID: "1", Operations: []string{"b", "a"}}}}.Canonical(),
			trail.Key{Aliases: []string{"a", "b"}, Grants: []trail.KeyGrant{{GrantID: "1", Operations: []string{"a", "b"}}, {GrantID: "2"}}}.Canonical(),
		},
		"topic": {
			trail.Topic{Subscriptions: []trail.TopicSubscription{{Protocol: "sqs", Endpoint: "b"}, {Protocol: "sqs", Endpoint: "a"}}}.Canonical(),
			trail.Topic{Subscriptions: []trail.TopicSubscription{{Protocol: "sqs", Endpoint: "a"}, {Protocol: "sqs", Endpoint: "b"}}}.Canonical(),
		},
		"log group": {
			trail.LogGroup{LogGroupClass: "STANDARD", SubscriptionFilters: []trail.SubscriptionFilter{{FilterName: "b"}, {FilterName: "a", Distribution: "ByLogStream"}}}.Canonical(),
			trail.LogGroup{SubscriptionFilters: []trail.SubscriptionFilter{{FilterName: "a"}, {FilterName: "b"}}}.Canonical(),
		},
		"role": {
			trail.Role{Tags: map[string]string{}, AttachedManagedPolicies: []trail.AttachedPolicy{{PolicyArn: "b"}, {PolicyArn: "a"}}}.Canonical(),
			trail.Role{AttachedManagedPolicies: []trail.AttachedPolicy{{PolicyArn: "a"}, {PolicyArn: "b"}}}.Canonical(),
		},
	} {
		a, errA := json.Marshal(pair[0])
		b, errB := json.Marshal(pair[1])
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s: %s (%v)\nand %s (%v)", name, a, errA, b, errB)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	if _, err := trail.WeakenedDependency("zoo", nil, nil); err == nil {
		t.Error("an unknown kind is compared")
	}
	if _, err := trail.WeakenedDependency(trail.KindKey, json.RawMessage(`{`), json.RawMessage(`{}`)); err == nil {
		t.Error("what is no JSON is compared")
	}
}
