// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/state"
)

func init() { action.Register(action.Change(restoreObjects{})) }

// Bounds of one restore. Reading versions costs a call a thousand.
const (
	maxGivenKeys = 1000
	maxVersions  = 50_000
	maxRestored  = 5000
	// pageOfObjects is what S3 lists, and takes in one DeleteObjects.
	pageOfObjects = 1000
)

// restoreObjects takes away the delete markers of log files.
type restoreObjects struct{}

// objectsParams are its parameters.
type objectsParams struct {
	Resource arn.ARN `json:"resource"`
	Account  string  `json:"account"`
	Region   string  `json:"region,omitempty"`
	// Since bounds the markers that count: those from then on.
	Since  time.Time `json:"since"`
	Keys   []string  `json:"keys,omitempty"`
	Prefix string    `json:"prefix,omitempty"`

	bucket string
}

// deletedObjects is what the action alters.
type deletedObjects struct {
	// Deleted are the keys that have a delete marker on top, Lost those given that have no version left. Both are sorted.
	Deleted []string `json:"deleted"`
	Lost    []string `json:"lost"`
	// IsMore: there are more than the action looks at, or restores at once.
	IsMore bool `json:"is_more"`

	markers []types.ObjectIdentifier
	client  *api.Client
}

// Info implements action.Changer. AWS has no permission for delete markers alone.
func (restoreObjects) Info() action.Info {
	return action.Info{
		ID: "s3:RestoreObjects", Summary: "take away the delete markers of log files", Class: "restore-bucket",
		Permissions: []string{"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucket", "s3:ListBucketVersions"},
	}
}

// Prepare implements action.Changer.
func (restoreObjects) Prepare(_ context.Context, _ *action.Env, p objectsParams) (objectsParams, action.Target, error) {
	name, err := p.Resource.Parse()
	switch {
	case err != nil:
		return p, action.Target{}, err
	case name.Service != "s3":
		return p, action.Target{}, fmt.Errorf("%.200q is not the ARN of a bucket", p.Resource)
	case len(p.Keys) > 0 && p.Prefix != "":
		return p, action.Target{}, errors.New("give keys or a prefix, not both")
	case len(p.Keys) > maxGivenKeys:
		return p, action.Target{}, fmt.Errorf("%d keys, more than %d: give a prefix", len(p.Keys), maxGivenKeys)
	}
	for _, k := range p.Keys {
		if _, ok := cloudtrail.ParseObjectKey(k); !ok {
			return p, action.Target{}, fmt.Errorf("%.200q is not the key of a log file", k)
		}
	}
	p.bucket = name.Resource
	return p, action.Target{Account: p.Account, Region: p.Region, ARN: string(p.Resource)}, nil
}

// Read implements action.Changer.
func (restoreObjects) Read(ctx context.Context, env *action.Env, p objectsParams) (deletedObjects, error) {
	b, err := state.ReadBucket(ctx, env.Door, p.bucket, p.Account, state.Place{Account: p.Account, Region: p.Region})
	if err != nil {
		return deletedObjects{}, err
	}
	cfg, err := env.Door.Config(ctx, p.Account, cmp.Or(b.Region, p.Region))
	if err != nil {
		return deletedObjects{}, err
	}
	s := search{p: p, room: maxVersions, out: deletedObjects{client: api.NewFromConfig(cfg), Deleted: []string{}, Lost: []string{}}}
	if len(p.Keys) == 0 {
		err = s.below(ctx, p.Prefix, nil)
	}
	for _, k := range p.Keys {
		if err == nil {
			err = s.key(ctx, k)
		}
	}
	if err != nil {
		return deletedObjects{}, fmt.Errorf("look for deleted log files in %s: %w", p.bucket, err)
	}
	return s.out, nil
}

// search goes through versions.
type search struct {
	p    objectsParams
	room int // versions that it may still look at
	out  deletedObjects
}

// key looks at one object. One that has neither a version nor a marker is lost.
func (s *search) key(ctx context.Context, key string) error {
	isThere := false
	err := s.below(ctx, key, func(k string) bool {
		isThere = isThere || k == key
		return k == key
	})
	if err == nil && !isThere && !s.out.IsMore {
		s.out.Lost = append(s.out.Lost, key)
	}
	return err
}

// below looks at the objects whose keys begin so, and that wanted takes; nil takes all. It stops after the first key that
// wanted does not take: keys come in order.
func (s *search) below(ctx context.Context, prefix string, wanted func(key string) bool) error {
	in := &api.ListObjectVersionsInput{Bucket: &s.p.bucket, ExpectedBucketOwner: &s.p.Account, Prefix: &prefix, MaxKeys: aws.Int32(pageOfObjects)}
	if wanted != nil {
		in.MaxKeys = aws.Int32(10) // one object, with a few versions
	}
	for pages := api.NewListObjectVersionsPaginator(s.out.client, in); pages.HasMorePages(); {
		if s.room <= 0 {
			s.out.IsMore = true
			return nil
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		s.room -= len(page.Versions) + len(page.DeleteMarkers)
		isOver := false
		for _, v := range page.Versions {
			isOver = isOver || wanted != nil && !wanted(aws.ToString(v.Key))
		}
		for _, m := range page.DeleteMarkers {
			if wanted != nil && !wanted(aws.ToString(m.Key)) {
				isOver = true
				continue
			}
			s.marker(m)
		}
		if isOver {
			return nil
		}
	}
	return nil
}

// marker notes a marker that hides a log file since the incident.
func (s *search) marker(m types.DeleteMarkerEntry) {
	key := aws.ToString(m.Key)
	if _, isLog := cloudtrail.ParseObjectKey(key); !isLog || !aws.ToBool(m.IsLatest) || aws.ToTime(m.LastModified).Before(s.p.Since.Truncate(time.Second)) {
		return
	}
	if len(s.out.Deleted) == maxRestored {
		s.out.IsMore = true
		return
	}
	s.out.Deleted = append(s.out.Deleted, key)
	s.out.markers = append(s.out.markers, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
}

// IsInPlace implements action.Changer.
func (restoreObjects) IsInPlace(p objectsParams, now deletedObjects) (bool, string) {
	if len(now.Deleted) == 0 && len(now.Lost) == 0 && !now.IsMore {
		return true, fmt.Sprintf("no log file of bucket %s that was looked for is deleted", p.bucket)
	}
	return false, fmt.Sprintf("bucket %s: %d log files are deleted, %d are lost", p.bucket, len(now.Deleted), len(now.Lost))
}

// Do implements action.Changer. What cannot be restored is for a person, after the rest was.
func (restoreObjects) Do(ctx context.Context, _ *action.Env, p objectsParams, now deletedObjects) (string, error) {
	var steps action.Steps
	remove(ctx, &steps, p, now, now.markers)
	if now.IsMore {
		steps.Fail(action.NeedsPerson("bucket %s has more deleted log files than are restored at once: run this again, or with a narrower prefix; "+
			"for very many, an administrator of account %s runs an S3 Batch Operations job", p.bucket, p.Account))
	}
	if n := len(now.Lost); n > 0 {
		steps.Fail(action.NeedsPerson("%d log files of bucket %s have no version left. Whoever has a copy, as in the bucket's replica, copies them: %s",
			n, p.bucket, action.ShellCommand("aws", "s3", "cp", "s3://REPLICA/"+now.Lost[0], "s3://"+p.bucket+"/"+now.Lost[0])))
	}
	return steps.Result(ctx)
}

// remove deletes versions, or puts markers where no version is named.
func remove(ctx context.Context, steps *action.Steps, p objectsParams, now deletedObjects, objects []types.ObjectIdentifier) {
	for batch := range slices.Chunk(objects, pageOfObjects) {
		var refused error
		action.Call(ctx, steps, func(ctx context.Context, in *api.DeleteObjectsInput, o ...func(*api.Options)) (*api.DeleteObjectsOutput, error) {
			out, err := now.client.DeleteObjects(ctx, in, o...)
			if err == nil && len(out.Errors) > 0 {
				first := out.Errors[0]
				refused = fmt.Errorf("%d of %d objects, the first of them %.200q: %s: %s", len(out.Errors), len(batch),
					aws.ToString(first.Key), aws.ToString(first.Code), aws.ToString(first.Message))
			}
			return out, err
		}, &api.DeleteObjectsInput{Bucket: &p.bucket, ExpectedBucketOwner: &p.Account, Delete: &types.Delete{Objects: batch, Quiet: aws.Bool(true)}})
		if refused != nil {
			steps.Fail(refused)
		}
	}
}

// Undo implements action.Changer.
func (a restoreObjects) Undo(ctx context.Context, env *action.Env, p objectsParams, before deletedObjects) error {
	now, err := a.Read(ctx, env, p)
	if err != nil {
		return err
	}
	isDeleted := map[string]bool{}
	for _, k := range now.Deleted {
		isDeleted[k] = true
	}
	var objects []types.ObjectIdentifier
	for _, k := range before.Deleted {
		if !isDeleted[k] {
			objects = append(objects, types.ObjectIdentifier{Key: &k})
		}
	}
	var steps action.Steps
	remove(ctx, &steps, p, now, objects)
	_, err = steps.Result(ctx)
	return err
}

// Lowers implements action.Changer.
func (restoreObjects) Lowers(deletedObjects) bool { return true }
