// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package kms_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/kms"
	"github.com/switchback-project/switchback/internal/action/restoretest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

const restoreKey = "kms:RestoreKey"

// key is a trail's key while it is attacked.
type key struct {
	*restoretest.Scene
	*api.Client
	id *string
}

// policy lets the account and CloudTrail use a key; more are further statements.
func policy(s *restoretest.Scene, more ...string) *string {
	statements := append([]string{
		`{"Sid":"Admin","Effect":"Allow","Principal":{"AWS":"` + s.Global(restoretest.Account, "root") + `"},"Action":"kms:*","Resource":"*"}`,
		`{"Sid":"Trail","Effect":"Allow","Principal":{"Service":"` + arn.ServiceHost("cloudtrail") + `"},"Action":["kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"}`,
	}, more...)
	return aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

// build makes a key with an alias.
func build(s *restoretest.Scene) trail.Dependency {
	client := api.NewFromConfig(s.Admin)
	made := restoretest.OK(client.CreateKey(s.Context(), &api.CreateKeyInput{Policy: policy(s)}))(s).KeyMetadata
	restoretest.OK(client.CreateAlias(s.Context(), &api.CreateAliasInput{AliasName: aws.String("alias/logs"), TargetKeyId: made.KeyId}))(s)
	return trail.Dependency{Kind: trail.KindKey, ARN: arn.ARN(*made.Arn), Account: restoretest.Account, Region: s.Region}
}

// of is the key that build made last.
func of(s *restoretest.Scene) key {
	var now trail.Key
	restoretest.Must(s, json.Unmarshal(s.Read(), &now))
	p := restoretest.OK(now.ARN.Parse())(s)
	return key{s, api.NewFromConfig(s.Admin), aws.String(p.Name())}
}

func (k key) disable() {
	restoretest.OK(k.DisableKey(k.Context(), &api.DisableKeyInput{KeyId: k.id}))(k)
}

func (k key) schedule() {
	restoretest.OK(k.ScheduleKeyDeletion(k.Context(), &api.ScheduleKeyDeletionInput{KeyId: k.id, PendingWindowInDays: aws.Int32(7)}))(k)
}

func (k key) putPolicy(document *string) {
	restoretest.OK(k.PutKeyPolicy(k.Context(), &api.PutKeyPolicyInput{KeyId: k.id, Policy: document, PolicyName: aws.String("default")}))(k)
}

// aliases are those of all keys: where an alias was moved to matters to the undo.
func aliases(s *restoretest.Scene) string {
	list := restoretest.OK(api.NewFromConfig(s.Admin).ListAliases(s.Context(), &api.ListAliasesInput{}))(s).Aliases
	var out []string
	for _, a := range list {
		if *a.AliasName == "alias/logs" {
			out = append(out, *a.AliasName+" of "+*a.TargetKeyId)
		}
	}
	return strings.Join(out, "\n")
}

const denyEnable = `{"Effect":"Deny","Principal":"*","Action":"kms:EnableKey","Resource":"*"}`

func TestRoutes(t *testing.T) {
	restoretest.Run(t, restoretest.Suite{Action: restoreKey, Routes: []restoretest.Route{
		{Name: "disabled", Build: build, Calls: []string{"EnableKey"}, Damage: func(s *restoretest.Scene) { of(s).disable() }},
		{Name: "disabled in China", Region: "cn-north-1", Build: build, Calls: []string{"EnableKey"}, Damage: func(s *restoretest.Scene) { of(s).disable() }},
		{
			Name: "deletion scheduled", Build: build, Calls: []string{"CancelKeyDeletion", "EnableKey"}, NoUndo: true,
			Damage: func(s *restoretest.Scene) { of(s).schedule() },
		},
		{
			Name: "policy without CloudTrail", Build: build, Calls: []string{"PutKeyPolicy"},
			Damage: func(s *restoretest.Scene) {
				of(s).putPolicy(aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + s.Global(restoretest.Account, "root") + `"},"Action":"kms:*","Resource":"*"}]}`))
			},
		},
		{
			Name: "policy with a stranger", Build: build, Calls: []string{"PutKeyPolicy"},
			Damage: func(s *restoretest.Scene) {
				of(s).putPolicy(policy(s, `{"Effect":"Allow","Principal":{"AWS":"`+s.Global(restoretest.Other, "root")+`"},"Action":"kms:Decrypt","Resource":"*"}`))
			},
		},
		{
			Name: "disabled, and a policy that denies enabling", Build: build, Calls: []string{"PutKeyPolicy", "EnableKey"},
			Damage: func(s *restoretest.Scene) {
				of(s).disable()
				of(s).putPolicy(policy(s, denyEnable))
			},
		},
		{
			Name: "alias deleted", Build: build, Calls: []string{"CreateAlias"}, Also: aliases,
			Damage: func(s *restoretest.Scene) {
				restoretest.OK(of(s).DeleteAlias(s.Context(), &api.DeleteAliasInput{AliasName: aws.String("alias/logs")}))(s)
			},
		},
		{
			Name: "alias moved", Build: build, Calls: []string{"UpdateAlias"}, Also: aliases,
			Damage: func(s *restoretest.Scene) {
				k := of(s)
				other := restoretest.OK(k.CreateKey(s.Context(), &api.CreateKeyInput{}))(s).KeyMetadata.KeyId
				restoretest.OK(k.UpdateAlias(s.Context(), &api.UpdateAliasInput{AliasName: aws.String("alias/logs"), TargetKeyId: other}))(s)
			},
		},
	}})
}

// scene is a key in the sandbox after an attack.
func scene(t *testing.T, attack func(k key)) key {
	t.Helper()
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(build(s))
	k := of(s)
	attack(k)
	return k
}

// TestStrengthened: what is harmless, or better than before, is left alone.
func TestStrengthened(t *testing.T) {
	for name, attack := range map[string]func(k key){
		"nothing": func(key) {},
		"TLS only": func(k key) {
			k.putPolicy(policy(k.Scene, `{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`))
		},
		"written otherwise": func(k key) {
			k.putPolicy(policy(k.Scene, `{"Effect":"Allow","Principal":{"Service":["`+arn.ServiceHost("cloudtrail")+`"]},"Action":"kms:DescribeKey","Resource":["*"]}`))
		},
		"another alias": func(k key) {
			restoretest.OK(k.CreateAlias(k.Context(), &api.CreateAliasInput{AliasName: aws.String("alias/more"), TargetKeyId: k.id}))(k)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := scene(t, attack)
			before := len(k.Sandbox.Mutations())
			out, err := k.Run(restoreKey, "x")
			restoretest.Must(t, err)
			if calls := k.Changes(before); !out.Already || len(calls) > 0 {
				t.Errorf("output is %+v after %v, want it left alone", out, calls)
			}
		})
	}
}

// TestGrants: those that are gone or new are for a person, and hold nothing up.
func TestGrants(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	d := build(s)
	client := api.NewFromConfig(s.Admin)
	id := aws.String(string(d.ARN))
	grant := func(principal string) *string {
		return restoretest.OK(client.CreateGrant(t.Context(), &api.CreateGrantInput{
			KeyId: id, GranteePrincipal: &principal, Operations: []types.GrantOperation{types.GrantOperationDecrypt},
		}))(t).GrantId
	}
	reader := grant(s.Global(restoretest.Account, "role/reader"))
	s.TakeBaseline(d)
	restoretest.OK(client.RevokeGrant(t.Context(), &api.RevokeGrantInput{KeyId: id, GrantId: reader}))(t)
	stranger := grant("arn:aws:iam::" + restoretest.Other + ":role/$(reboot)")
	of(s).disable()

	out, err := s.Run(restoreKey, "x")
	restoretest.Must(t, err)
	if !out.Changed {
		t.Errorf("output is %+v, want the key enabled", out)
	}
	for _, want := range []string{
		"aws kms create-grant --key-id " + *id + " --grantee-principal " + s.Global(restoretest.Account, "role/reader") + " --operations Decrypt",
		"aws kms revoke-grant --key-id " + *id + " --grant-id " + *stranger,
	} {
		if !strings.Contains(out.WhoCan, want) {
			t.Errorf("who can: %s\nwant %s", out.WhoCan, want)
		}
	}
	if diff := cmp.Diff([]string{trail.FieldGrants}, s.Weaknesses()); diff != "" {
		t.Errorf("still weaker (-want +got):\n%s", diff)
	}
}

// TestBeyondUs: what no call of ours mends names who can.
func TestBeyondUs(t *testing.T) {
	for _, tc := range []struct {
		name, want, cause string
		build             func(s *restoretest.Scene) trail.Dependency
		attack            func(k key)
	}{
		{
			name: "imported material deleted", want: action.ErrorNeedsPerson, cause: "aws kms import-key-material", build: buildImported,
			attack: func(k key) {
				restoretest.OK(k.DeleteImportedKeyMaterial(k.Context(), &api.DeleteImportedKeyMaterialInput{KeyId: k.id}))(k)
			},
		},
		{
			name: "a policy that knows only the attacker", want: "Kms.AccessDeniedException", cause: "AWS Support", build: build,
			attack: func(k key) {
				k.putPolicy(policy(k.Scene, `{"Effect":"Deny","NotPrincipal":{"AWS":"`+k.Global(restoretest.Account, "root")+`"},"Action":"kms:*","Resource":"*"}`,
					`{"Effect":"Deny","Principal":{"AWS":"`+k.Seeded.ResponderARN+`"},"Action":"kms:*","Resource":"*"}`))
			},
		},
		{
			name: "a former policy that KMS does not take", want: action.ErrorNeedsPerson, cause: "aws kms put-key-policy", build: buildLocked,
			attack: func(k key) { k.putPolicy(policy(k.Scene)) },
		},
		{
			name: "denied", want: "Kms.AccessDeniedException", cause: "put-key-policy", build: build,
			attack: func(k key) {
				k.disable()
				restoretest.Must(k, k.Sandbox.Deny(restoretest.Account, "kms:EnableKey"))
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := restoretest.InSandbox(t, nil, "")
			s.TakeBaseline(tc.build(s))
			tc.attack(of(s))
			_, err := s.Run(restoreKey, "x")
			if name, cause := restoretest.Named(err); name != tc.want || !strings.Contains(cause, tc.cause) {
				t.Errorf("error is %s: %s; want %s with %q", name, cause, tc.want, tc.cause)
			}
		})
	}
}

// buildLocked makes a key whose policy knows only one user, as whoever bypasses the safety check can.
func buildLocked(s *restoretest.Scene) trail.Dependency {
	document := strings.ReplaceAll(*policy(s), ":root", ":user/alice")
	made := restoretest.OK(api.NewFromConfig(s.Admin).CreateKey(s.Context(), &api.CreateKeyInput{Policy: &document, BypassPolicyLockoutSafetyCheck: true}))(s).KeyMetadata
	return trail.Dependency{Kind: trail.KindKey, ARN: arn.ARN(*made.Arn), Account: restoretest.Account, Region: s.Region}
}

// buildImported makes a key of imported material.
func buildImported(s *restoretest.Scene) trail.Dependency {
	client := api.NewFromConfig(s.Admin)
	made := restoretest.OK(client.CreateKey(s.Context(), &api.CreateKeyInput{Policy: policy(s), Origin: types.OriginTypeExternal}))(s).KeyMetadata
	p := restoretest.OK(client.GetParametersForImport(s.Context(), &api.GetParametersForImportInput{
		KeyId: made.KeyId, WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048,
	}))(s)
	restoretest.OK(client.ImportKeyMaterial(s.Context(), &api.ImportKeyMaterialInput{KeyId: made.KeyId, ImportToken: p.ImportToken, EncryptedKeyMaterial: []byte("x")}))(s)
	return trail.Dependency{Kind: trail.KindKey, ARN: arn.ARN(*made.Arn), Account: restoretest.Account, Region: s.Region}
}

// TestPartly: a call that is refused does not keep the others from being made, and what was done can be undone.
func TestPartly(t *testing.T) {
	k := scene(t, func(k key) {
		k.disable()
		restoretest.OK(k.DeleteAlias(k.Context(), &api.DeleteAliasInput{AliasName: aws.String("alias/logs")}))(k)
		restoretest.Must(k, k.Sandbox.Deny(restoretest.Account, "kms:CreateAlias"))
	})
	_, err := k.Run(restoreKey, "x")
	if name, _ := restoretest.Named(err); name != "Kms.AccessDeniedException" {
		t.Errorf("error is %v, want a refusal", err)
	}
	if diff := cmp.Diff([]string{trail.FieldAliases}, k.Weaknesses()); diff != "" {
		t.Errorf("still weaker (-want +got):\n%s", diff)
	}
	if n := len(k.Undos()); n != 1 {
		t.Fatalf("%d undo records, want that of the key that was enabled", n)
	}
	restoretest.Must(t, k.Undo(restoreKey))
	if diff := cmp.Diff([]string{trail.FieldKeyState, trail.FieldAliases}, k.Weaknesses()); diff != "" {
		t.Errorf("after the undo (-want +got):\n%s", diff)
	}
}

// TestGone: a key whose waiting period is over, or that never was ours, is not made up.
func TestGone(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	d := build(s)
	s.TakeBaseline(d)
	var want trail.Key
	restoretest.Must(t, json.Unmarshal(s.Read(), &want))
	d.ARN = arn.ARN(s.ARN("kms", "key/00000000-0000-4000-8000-000000000000"))
	s.Retarget(d)
	_, err := s.Run(restoreKey, "x")
	if name, cause := restoretest.Named(err); name != action.ErrorNeedsPerson || !strings.Contains(cause, "aws cloudtrail update-trail") {
		t.Errorf("error is %s: %s; want %s with another key", name, cause, action.ErrorNeedsPerson)
	}
}
