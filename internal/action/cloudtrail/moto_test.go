// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/state"
)

// TestProofsInMoto acts as CloudTrail: moto delivers no log files, so the test puts the one that proves delivery.
func TestProofsInMoto(t *testing.T) {
	w := newMoto(t, "eu-west-1")
	key, err := kms.NewFromConfig(gatetest.MotoConfig(t, account, w.region)).CreateKey(t.Context(), &kms.CreateKeyInput{})
	check(t, err)
	check(t, w.useKey(*key.KeyMetadata.Arn))
	w.snapshot()
	w.stop()
	env := w.env("start")
	got := w.assess(env, w.event("StopLogging", `{"name":"main"}`))
	began := do[action.Output](w, env, "cloudtrail:StartLogging", fmt.Sprintf(`{"trail":%q}`, w.arn))
	if !began.Changed {
		t.Errorf("start is %+v", began)
	}
	if p := do[proof](w, env, "cloudtrail:ProveAccepted", fmt.Sprintf(`{"trail":%q,"want":%s}`, w.arn, got.Want)); !p.Accepted {
		t.Errorf("not accepted: %+v", p)
	}
	params := fmt.Sprintf(`{"trail":%q,"since":%q}`, w.arn, began.At.Truncate(time.Second).Format(time.RFC3339))
	caller, err := state.ReadCaller(t.Context(), env.Door, account, w.region)
	check(t, err)
	w.deliver("arn:aws:iam::111122223333:user/alice", began.At)
	if d := do[delivered](w, env, "cloudtrail:ProveDelivering", params); d.Delivered || d.Checked != 1 {
		t.Errorf("somebody else's record: %+v, want it looked at and no proof", d)
	}
	w.deliver(caller.ARN, began.At)
	if d := do[delivered](w, env, "cloudtrail:ProveDelivering", params); !d.Delivered || d.EventName != "StartLogging" {
		t.Errorf("our own record: %+v, want the proof", d)
	}
}

func (w *world) useKey(key string) error {
	t := w.read()
	_, err := w.admin.UpdateTrail(w.t.Context(), updateKey(t.Name, key))
	return err
}

// deliver puts a log file with one StartLogging by the principal.
func (w *world) deliver(principal string, at time.Time) {
	w.t.Helper()
	record := strings.Replace(w.event("StartLogging", `{"name":"main"}`), "arn:aws:iam::111122223333:user/alice", principal, 1)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := fmt.Fprintf(z, `{"Records":[%s]}`, record)
	check(w.t, err)
	check(w.t, z.Close())
	name := cloudtrail.ObjectKey{
		AccountID: account, Kind: cloudtrail.KindLog, Region: w.region, Time: at, Unique: fmt.Sprintf("Ab12Cd34Ef56%04d", len(principal)),
	}.String()
	client := s3.NewFromConfig(gatetest.MotoConfig(w.t, account, w.region), func(o *s3.Options) { o.UsePathStyle = true })
	_, err = client.PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: &w.bucket, Key: aws.String(name), Body: bytes.NewReader(b.Bytes())})
	check(w.t, err)
}

// TestDryRunInMoto: nothing leaves, and the answer says what would have.
func TestDryRunInMoto(t *testing.T) {
	w := newMoto(t, "eu-west-1")
	w.stop()
	env := w.env("start")
	env.Door = w.gate().Door(gate.Scope{Mode: gate.Observe})
	out := do[action.Output](w, env, "cloudtrail:StartLogging", fmt.Sprintf(`{"trail":%q}`, w.arn))
	if !out.Intended || out.Changed || w.read().IsLogging {
		t.Errorf("output %+v, logging %t; want it intended only", out, w.read().IsLogging)
	}
}
