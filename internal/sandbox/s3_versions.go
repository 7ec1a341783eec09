// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func deleteObject(c *call, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	b, err := c.objectFor(in.Bucket, in.ExpectedBucketOwner, in.Key)
	if err != nil {
		return nil, err
	}
	marker, changed := b.remove(c, aws.ToString(in.Key), in.VersionId)
	c.same = !changed
	if marker != nil {
		return &s3.DeleteObjectOutput{DeleteMarker: aws.Bool(true), VersionId: aws.String(marker.version)}, nil
	}
	return &s3.DeleteObjectOutput{VersionId: in.VersionId}, nil
}

// remove removes a version for good, or puts a delete marker on a bucket that has or had versioning.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
func (b *bucket) remove(c *call, key string, version *string) (marker *object, changed bool) {
	if b.versioning.Status != "" && version == nil {
		return b.put(object{key: key, marker: true, modified: c.now}, c.ids.text(32, alnum)), true
	}
	which := aws.ToString(version)
	before := len(b.objects[key])
	b.objects[key] = slices.DeleteFunc(b.objects[key], func(o object) bool {
		return o.version == which || which == "" && o.version == nullVersion
	})
	changed = len(b.objects[key]) != before
	if len(b.objects[key]) == 0 {
		delete(b.objects, key)
		if i, ok := slices.BinarySearch(b.keys, key); ok {
			b.keys = slices.Delete(b.keys, i, i+1)
		}
	}
	return nil, changed
}

// deleteObjects removes up to a thousand objects; what the bucket's policy refuses is an error of that object alone.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
func deleteObjects(c *call, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	b, err := c.objectFor(in.Bucket, in.ExpectedBucketOwner, nil)
	if err != nil {
		return nil, err
	}
	if in.Delete == nil || len(in.Delete.Objects) == 0 || len(in.Delete.Objects) > maxKeys {
		return nil, s3Error(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	out := &s3.DeleteObjectsOutput{}
	c.same = true
	for _, o := range in.Delete.Objects {
		if err := c.permit(b.policy, b.arn()+"/"+aws.ToString(o.Key), b.owner); err != nil {
			out.Errors = append(out.Errors, types.Error{Key: o.Key, VersionId: o.VersionId, Code: aws.String(accessDenied), Message: aws.String("Access Denied")})
			continue
		}
		marker, changed := b.remove(c, aws.ToString(o.Key), o.VersionId)
		c.same = c.same && !changed
		if aws.ToBool(in.Delete.Quiet) {
			continue
		}
		deleted := types.DeletedObject{Key: o.Key, VersionId: o.VersionId}
		if marker != nil {
			deleted.DeleteMarker, deleted.DeleteMarkerVersionId = aws.Bool(true), aws.String(marker.version)
		}
		out.Deleted = append(out.Deleted, deleted)
	}
	return out, nil
}

// listObjectVersions lists keys in order, of each the newest version first.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
func listObjectVersions(c *call, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	b, err := c.objectFor(in.Bucket, in.ExpectedBucketOwner, nil)
	if err != nil {
		return nil, err
	}
	limit := pageOf(in.MaxKeys)
	out := &s3.ListObjectVersionsOutput{
		Name: in.Bucket, Prefix: in.Prefix, KeyMarker: in.KeyMarker, VersionIdMarker: in.VersionIdMarker,
		MaxKeys: aws.Int32(int32(limit)), IsTruncated: aws.Bool(false),
	}
	n, last := 0, versionEntry{}
	for _, e := range b.versionsAfter(aws.ToString(in.Prefix), aws.ToString(in.KeyMarker), aws.ToString(in.VersionIdMarker)) {
		if n == limit {
			out.IsTruncated, out.NextKeyMarker, out.NextVersionIdMarker = aws.Bool(true), aws.String(last.key), aws.String(last.version)
			break
		}
		n, last = n+1, e
		e.addTo(out)
	}
	return out, nil
}

// versionEntry is one line of a list of versions.
type versionEntry struct {
	*object
	latest bool
}

// versionsAfter are the versions after a key, or after one version of it.
func (b *bucket) versionsAfter(prefix, key, version string) []versionEntry {
	var out []versionEntry
	start, _ := slices.BinarySearch(b.keys, max(prefix, key))
	for _, k := range b.keys[start:] {
		if !strings.HasPrefix(k, prefix) {
			break
		}
		if k == key && version == "" {
			continue
		}
		versions := b.objects[k]
		skip := k == key
		for i := len(versions) - 1; i >= 0; i-- {
			if !skip {
				out = append(out, versionEntry{&versions[i], i == len(versions)-1})
			}
			skip = skip && versions[i].version != version
		}
	}
	return out
}

func (e versionEntry) addTo(out *s3.ListObjectVersionsOutput) {
	modified := e.modified
	if e.marker {
		out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{
			Key: aws.String(e.key), VersionId: aws.String(e.version), IsLatest: aws.Bool(e.latest), LastModified: &modified,
		})
		return
	}
	out.Versions = append(out.Versions, types.ObjectVersion{
		Key: aws.String(e.key), VersionId: aws.String(e.version), IsLatest: aws.Bool(e.latest), LastModified: &modified,
		ETag: aws.String(e.etag), Size: aws.Int64(int64(len(e.body))),
	})
}
