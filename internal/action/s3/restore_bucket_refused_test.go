// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/action/restoretest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
)

// stranger is the administrator of another account, who may make buckets of any name.
func stranger(s *restoretest.Scene) bucket {
	restoretest.Must(s, s.Sandbox.AddAccount(restoretest.Other, arn.PartitionOf(s.Region).ID, ""))
	root := restoretest.OK(s.Sandbox.Root(restoretest.Other))(s)
	b := of(s)
	b.Client = api.NewFromConfig(gate.BackendConfig(s.Sandbox, restoretest.Other, s.Region, root, "evil"))
	return b
}

// TestBucketThatIsNotOurs: where the name belongs to somebody else nothing is sent, and there is nothing to undo.
func TestBucketThatIsNotOurs(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(plain()(s))
	of(s).delete()
	stranger(s).make(false)
	before := len(s.Sandbox.Mutations())
	_, err := s.Run(restoreBucket, "x")
	if name, cause := restoretest.Named(err); name != "Switchback.ForeignBucket" || !strings.Contains(cause, "nothing was sent") {
		t.Errorf("error is %s: %s", name, cause)
	}
	if calls, undos := s.Changes(before), s.Undos(); len(calls) > 0 || len(undos) > 0 {
		t.Errorf("calls %q, undo records %+v; want neither", calls, undos)
	}
}

// hasty does something just before an operation of ours arrives; an error of that is the answer.
type hasty struct {
	*sandbox.Sandbox
	operation string
	first     func() error
}

// Do implements gate.Backend.
func (h *hasty) Do(ctx context.Context, r gate.Request) (any, error) {
	if r.Operation == h.operation && h.first != nil {
		first := h.first
		h.first = nil
		if err := first(); err != nil {
			return nil, err
		}
	}
	return h.Sandbox.Do(ctx, r)
}

// runBehind runs the action through a backend of its own.
func runBehind(s *restoretest.Scene, b gate.Backend, baseline state.Snapshot) (action.Output, []incident.Undo, error) {
	s.Helper()
	ctx := s.Context()
	db := restoretest.OK(sqlite.Open(ctx, filepath.Join(s.TempDir(), "own.db"), sqlite.Options{}))(s)
	s.Cleanup(func() { restoretest.Must(s, db.Close()) })
	restoretest.Must(s, db.PutSnapshot(ctx, baseline))
	g := restoretest.OK(gate.Open(ctx, gate.Options{
		Backend: b, Region: s.Region, Accounts: map[string]gate.Access{account: {RoleARN: s.Seeded.ResponderARN}}, Pace: gate.PaceNever,
	}))(s)
	a, _ := action.Get(restoreBucket)
	params := restoretest.OK(json.Marshal(map[string]any{"resource": baseline.Resource, "account": account, "baseline_at": baseline.TakenAt}))(s)
	raw, err := a.Run(ctx, &action.Env{
		Services: action.Services{Undos: db, Snapshots: db}, Incident: incident.Incident{ID: "x"}, Task: action.Task{ID: "x", Visit: "x"},
		Door: g.Door(gate.Scope{Mode: gate.Act}),
	}, params)
	var out action.Output
	if err == nil {
		restoretest.Must(s, json.Unmarshal(raw, &out))
	}
	return out, restoretest.OK(db.ListUndos(ctx, "x"))(s), err
}

func baselineOf(s *restoretest.Scene) state.Snapshot {
	d := dependency(s)
	s.TakeBaseline(d)
	return state.Snapshot{Resource: d.ARN, Kind: string(d.Kind), TakenAt: s.Sandbox.Mutations()[0].Time, Source: state.SourceRead, Content: s.Read()}
}

// TestRaceForTheName: between our reading that the bucket is gone and our making it, somebody else makes it.
func TestRaceForTheName(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rival func(s *restoretest.Scene) bucket
		want  string // name of the error
	}{
		{"a stranger", stranger, "Switchback.ForeignBucket"},
		{"one of us", of, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := restoretest.InSandbox(t, nil, "")
			plain()(s)
			baseline := baselineOf(s)
			of(s).delete()
			out, undos, err := runBehind(s, &hasty{s.Sandbox, "CreateBucket", func() error {
				tc.rival(s).make(false)
				return nil
			}}, baseline)
			if name, cause := restoretest.Named(err); name != tc.want && (err != nil || tc.want != "") {
				t.Errorf("error is %s: %s, want %q", name, cause, tc.want)
			}
			if isDone := err == nil; out.Changed != isDone || len(undos) > 0 != isDone {
				t.Errorf("output %+v, undo records %+v", out, undos)
			}
		})
	}
}

// TestPolicyThatIsNotTaken: S3 refuses a policy that names a principal who is gone.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
func TestPolicyThatIsNotTaken(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	plain()(s)
	baseline := baselineOf(s)
	withoutPolicy(of(s))
	_, _, err := runBehind(s, &hasty{s.Sandbox, "PutBucketPolicy", func() error {
		return &smithy.GenericAPIError{Code: "MalformedPolicy", Message: "Invalid principal in policy"}
	}}, baseline)
	if name, cause := restoretest.Named(err); name != action.ErrorNeedsPerson || !strings.Contains(cause, "Invalid principal") || !strings.Contains(cause, "aws s3api put-bucket-policy") {
		t.Errorf("error is %s: %s", name, cause)
	}
}

// TestBucketInAnotherRegion was made again by somebody of ours, elsewhere.
func TestBucketInAnotherRegion(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(plain()(s))
	of(s).delete()
	root := restoretest.OK(s.Sandbox.Root(account))(t)
	away := api.NewFromConfig(gate.BackendConfig(s.Sandbox, account, "eu-central-1", root, "admin"))
	restoretest.OK(away.CreateBucket(t.Context(), &api.CreateBucketInput{
		Bucket: aws.String(logs), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"},
	}))(t)
	before := len(s.Sandbox.Mutations())
	_, err := s.Run(restoreBucket, "x")
	if name, cause := restoretest.Named(err); name != action.ErrorNeedsPerson || !strings.Contains(cause, "aws s3api delete-bucket --bucket logs-111122223333 --expected-bucket-owner 111122223333 --region eu-central-1") {
		t.Errorf("error is %s: %s", name, cause)
	}
	if calls := s.Changes(before); len(calls) > 0 {
		t.Errorf("calls %q, want none", calls)
	}
}

// TestRootNeeded: past a policy that denies us only the root gets, and is told how.
func TestRootNeeded(t *testing.T) {
	for name, actions := range map[string]string{
		"everything":       `"s3:*"`,
		"reading":          `"s3:GetBucketPolicy"`,
		"putting a policy": `"s3:PutBucketPolicy","s3:DeleteBucketPolicy"`,
	} {
		t.Run(name, func(t *testing.T) {
			s := restoretest.InSandbox(t, nil, "us-gov-west-1")
			s.TakeBaseline(plain()(s))
			b := of(s)
			b.putPolicy(`{"Version":"2012-10-17","Statement":[` + b.deny(actions) + `]}`)
			before := len(s.Sandbox.Mutations())
			_, err := s.Run(restoreBucket, "x")
			code, cause := restoretest.Named(err)
			if code != "S3.AccessDeniedException" {
				t.Errorf("error is %s", code)
			}
			const command = "aws s3api delete-bucket-policy --bucket logs-111122223333 --expected-bucket-owner 111122223333"
			for _, want := range []string{"root needed", "arn=arn:aws-us-gov:iam::aws:policy/root-task/S3UnlockBucketPolicy", command} {
				if i := strings.Index(cause, want); i < 0 || i+len(want) > 500 {
					t.Errorf("%q is not in the first 500 bytes of the cause: %s", want, cause)
				}
			}
			// A denied attempt is in the sandbox's list too, but has no effect.
			for _, m := range s.Sandbox.Mutations()[before:] {
				if m.Effect && m.Operation != "AssumeRole" {
					t.Errorf("%s had an effect", m.Operation)
				}
			}
			if undos := s.Undos(); len(undos) > 0 {
				t.Errorf("undo records %+v, want none: nothing was done", undos)
			}
			restoretest.OK(b.DeleteBucketPolicy(t.Context(), &api.DeleteBucketPolicyInput{Bucket: b.name}))(t) // as root
			if out, err := s.Run(restoreBucket, "again"); err != nil || !out.Changed {
				t.Errorf("after the root: %+v, %v", out, err)
			}
		})
	}
}

// TestRefusedInPart: what AWS refuses does not keep the rest from being put back, nor that from being undone.
func TestRefusedInPart(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(locked(fortress...)(s))
	b := of(s)
	b.putEncryption("evil")
	b.putLifecycle(1)
	b.putLogging(nil)
	damaged := string(s.Read())
	restoretest.Must(t, s.Sandbox.Deny(account, "s3:PutLifecycleConfiguration"))
	_, err := s.Run(restoreBucket, "x")
	if name, cause := restoretest.Named(err); name != "S3.AccessDeniedException" || !strings.Contains(cause, "service control policy") {
		t.Errorf("error is %s: %s", name, cause)
	}
	if left := s.Weaknesses(); len(left) != 1 || left[0] != "LifecycleConfiguration" {
		t.Errorf("weaker in %q, want the lifecycle alone", left)
	}
	restoretest.Must(t, s.Sandbox.Allow(account, "s3:PutLifecycleConfiguration"))
	restoretest.Must(t, s.Undo(restoreBucket))
	if got := string(s.Read()); got != damaged {
		t.Errorf("undone:\n%s\nwant\n%s", got, damaged)
	}
}

// TestMFADelete is the root's to put back, and keeps nothing from being put back.
func TestMFADelete(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	b := of(s)
	set := func(status types.BucketVersioningStatus, mfa types.MFADelete) {
		t.Helper()
		restoretest.OK(b.PutBucketVersioning(t.Context(), &api.PutBucketVersioningInput{
			Bucket: b.name, MFA: aws.String("arn:aws:iam::111122223333:mfa/root 123456"),
			VersioningConfiguration: &types.VersioningConfiguration{Status: status, MFADelete: mfa},
		}))(t)
	}
	plain()(s)
	set(types.BucketVersioningStatusEnabled, types.MFADeleteEnabled)
	s.TakeBaseline(dependency(s))
	set(types.BucketVersioningStatusSuspended, types.MFADeleteDisabled)
	for i, visit := range []string{"first", "second"} {
		out, err := s.Run(restoreBucket, visit)
		restoretest.Must(t, err)
		if out.Changed != (i == 0) || out.Advice == nil || !strings.Contains(out.WhoCan, "Status=Enabled,MFADelete=Enabled --mfa 'DEVICE-ARN CODE'") {
			t.Errorf("%s run: %+v, advice %+v", visit, out, out.Advice)
		}
	}
	if left := s.Weaknesses(); len(left) != 1 || left[0] != "MFADelete" {
		t.Errorf("weaker in %q", left)
	}
}

// TestMadeAgainKeepsForever: a bucket that was made again says what is not as it was.
func TestMadeAgainKeepsForever(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(plain(withLifecycle)(s))
	of(s).delete()
	out, err := s.Run(restoreBucket, "x")
	if err != nil || out.Advice == nil || !strings.Contains(out.Note, "no lifecycle rules") {
		t.Errorf("output %+v, advice %+v, %v", out, out.Advice, err)
	}
}
