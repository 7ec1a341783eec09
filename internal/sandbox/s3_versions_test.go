// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestBucketSurvives: copies, access log and delete markers are there after a restart, with the ids that they had.
func TestBucketSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	c := &clock{now: start}
	w := reopen(t, path, c)
	ctx, b := t.Context(), w.buckets()
	copies := "copies-111122223333"
	must(b.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &copies, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: region}}))(t)
	for _, name := range []*string{&w.Bucket, &copies} {
		must(b.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}))(t)
	}
	must(b.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: &w.Bucket, ReplicationConfiguration: &types.ReplicationConfiguration{
		Role:  aws.String(w.RoleARN),
		Rules: []types.ReplicationRule{{Status: types.ReplicationRuleStatusEnabled, Destination: &types.Destination{Bucket: aws.String("arn:aws:s3:::" + copies)}}},
	}}))(t)
	must(b.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: &w.Bucket, BucketLoggingStatus: &types.BucketLoggingStatus{
		LoggingEnabled: &types.LoggingEnabled{TargetBucket: &copies, TargetPrefix: aws.String("access/")},
	}}))(t)
	var objects []types.ObjectIdentifier
	for _, key := range []string{"a", "b"} {
		must(b.PutObject(ctx, &s3.PutObjectInput{Bucket: &w.Bucket, Key: &key, Body: strings.NewReader(key)}))(t)
		objects = append(objects, types.ObjectIdentifier{Key: &key})
	}
	must(b.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &w.Bucket, Delete: &types.Delete{Objects: objects}}))(t)
	read := func(w *world) []any {
		b := w.buckets()
		versions := must(b.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &w.Bucket}))(t)
		return []any{
			must(b.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: &w.Bucket}))(t).ReplicationConfiguration,
			must(b.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: &w.Bucket}))(t).LoggingEnabled,
			versions.Versions, versions.DeleteMarkers,
		}
	}
	want := read(w)
	if n := len(want[3].([]types.DeleteMarkerEntry)); n != 2 {
		t.Fatalf("%d delete markers, want 2", n)
	}
	unexported := cmpopts.IgnoreUnexported(types.ReplicationConfiguration{}, types.ReplicationRule{}, types.Destination{}, types.LoggingEnabled{},
		types.ObjectVersion{}, types.DeleteMarkerEntry{})
	if diff := cmp.Diff(want, read(reopen(t, path, c, w)), unexported); diff != "" {
		t.Errorf("after the restart (-want +got):\n%s", diff)
	}
}
