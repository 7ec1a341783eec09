// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
)

// approve trusts everything that the daemon has seen, as a person does with trail baseline approve.
func (w *motoWorld) approve() {
	w.t.Helper()
	db, err := sqlite.Open(w.t.Context(), filepath.Join(w.state(), databaseFile), sqlite.Options{})
	check(w.t, err)
	defer db.Close()
	var all []state.Baseline
	until(w.t, "the baseline of all", func() bool {
		all, err = state.Baselines(w.t.Context(), db)
		check(w.t, err)
		return len(all) == 3
	})
	for _, b := range all {
		_, newest := b.Newest()
		check(w.t, db.TrustSnapshot(w.t.Context(), newest.Trusted("carol", "approved", time.Now())))
	}
}

// TestServeMotoBlinded: what the trail depends on is weakened in an AWS that is not ours, and comes back.
func TestServeMotoBlinded(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: starts a daemon and an account in moto for each case")
	}
	for name, tt := range map[string]struct {
		source  string
		request func(w *motoWorld) map[string]any
		do      func(w *motoWorld)
		isBack  func(w *motoWorld) bool
		call    string
	}{
		"DisableKey": {
			"kms", func(w *motoWorld) map[string]any { return map[string]any{"keyId": w.key} },
			func(w *motoWorld) {
				_, id, _ := strings.Cut(w.key, "/") // moto fails at an ARN
				_, err := w.keys().DisableKey(w.t.Context(), &kms.DisableKeyInput{KeyId: &id})
				check(w.t, err)
			},
			func(w *motoWorld) bool {
				out, err := w.keys().DescribeKey(w.t.Context(), &kms.DescribeKeyInput{KeyId: &w.key})
				check(w.t, err)
				return out.KeyMetadata.Enabled
			}, "EnableKey",
		},
		"DeleteBucketPolicy": {
			"s3", func(*motoWorld) map[string]any { return map[string]any{"bucketName": motoBucket} },
			func(w *motoWorld) {
				_, err := w.s3.DeleteBucketPolicy(w.t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String(motoBucket)})
				check(w.t, err)
			},
			func(w *motoWorld) bool {
				_, err := w.s3.GetBucketPolicy(w.t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String(motoBucket)})
				return err == nil
			}, "PutBucketPolicy",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newMotoWorld(t)
			w.serve()
			w.approve()
			tt.do(w)
			if tt.isBack(w) {
				t.Fatal("the attack changed nothing")
			}
			w.deliverFrom(tt.source, w.record(name, tt.source+".amazonaws.com", "attack-1", sessionIdentity("Deploy", "maintenance", attackerKey), tt.request(w), nil))
			until(t, "the first proof", func() bool { return w.is(func(i incident.Incident) bool { return !i.Times.Contained.IsZero() }) })
			if !tt.isBack(w) {
				t.Error("it was not put back")
			}
			one := showIncident(t, w.config, incidents(t, w.config)[0].ID)
			var made []string
			for _, c := range calls(t, one) {
				made = append(made, c.Operation)
			}
			if one.Key.Runbook != "trail-blinded" || !slices.Equal(made, []string{tt.call}) {
				t.Errorf("incident of %s, calls %q, want %s alone", one.Key.Runbook, made, tt.call)
			}
			if status := w.daemon.end(); status != exitFine {
				t.Errorf("serve ended with exit status %d: %s", status, w.daemon.err.String())
			}
		})
	}
}

func (w *motoWorld) keys() *kms.Client {
	return kms.NewFromConfig(gatetest.MotoConfig(w.t, motoAccount, motoRegion))
}

// deliverFrom sends the record as EventBridge does from a service.
func (w *motoWorld) deliverFrom(service string, record map[string]any) {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": record["eventID"], "detail-type": "AWS API Call via CloudTrail", "source": "aws." + service,
		"account": motoAccount, "time": record["eventTime"], "region": motoRegion, "resources": []string{}, "detail": record,
	})
	check(w.t, err)
	_, err = w.sqs.SendMessage(w.t.Context(), &sqs.SendMessageInput{QueueUrl: &w.queue, MessageBody: aws.String(string(body))})
	check(w.t, err)
}
