// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"bytes"
	"crypto/md5" // the ETag of S3 is an MD5
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/switchback-project/switchback/cloudtrail"
)

// object is one version of an S3 object, or a delete marker.
type object struct {
	key, version, etag           string
	body                         []byte
	modified                     time.Time
	contentType, contentEncoding string
	encryption, kmsKey           string
	metadata                     map[string]string
	marker                       bool
}

// objectOperations reads and writes objects. Their records are data events.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
func objectOperations(t table) {
	read, write := reads.dataEvent().requests(s3Call("")), writes.dataEvent().requests(s3Call("")).responds(nothing)
	handle(t, s3Service, "PutObject", write, putObject)
	handle(t, s3Service, "GetObject", read, getObject)
	handle(t, s3Service, "HeadObject", read.needs("s3:GetObject"), headObject)
	handle(t, s3Service, "DeleteObject", write, deleteObject)
	handle(t, s3Service, "DeleteObjects", writes.dataEvent().requests(s3Call("delete")).responds(nothing).needs("s3:DeleteObject"), deleteObjects)
	handle(t, s3Service, "ListObjectsV2", read.recorded("ListObjects").needs("s3:ListBucket"), listObjects)
	handle(t, s3Service, "ListObjectVersions", read.needs("s3:ListBucketVersions"), listObjectVersions)
}

// nullVersion is the version id of objects in a bucket without versioning.
const nullVersion = "null"

func (b *bucket) versioned() bool { return b.versioning.Status == types.BucketVersioningStatusEnabled }

// put stores a version. Without versioning it replaces what is there.
func (b *bucket) put(o object, version string) *object {
	sum := md5.Sum(o.body)
	o.etag = `"` + hex.EncodeToString(sum[:]) + `"`
	if o.version = version; !b.versioned() {
		o.version = nullVersion
	}
	versions, there := b.objects[o.key]
	if !there {
		i, _ := slices.BinarySearch(b.keys, o.key)
		b.keys = slices.Insert(b.keys, i, o.key)
	}
	if !b.versioned() {
		versions = slices.DeleteFunc(versions, func(v object) bool { return v.version == nullVersion })
	}
	b.objects[o.key] = append(versions, o)
	return &b.objects[o.key][len(b.objects[o.key])-1]
}

// current is the newest version, nil when there is none or it is a delete marker.
func (b *bucket) current(key string) *object {
	v := b.objects[key]
	if len(v) == 0 || v[len(v)-1].marker {
		return nil
	}
	return &v[len(v)-1]
}

// find is a version by id, the current one for nil.
func (b *bucket) find(key string, version *string) *object {
	if version == nil {
		return b.current(key)
	}
	for i := range b.objects[key] {
		if o := &b.objects[key][i]; o.version == *version && !o.marker {
			return o
		}
	}
	return nil
}

// objectFor finds the bucket and names the object in the record; a call about several names what they begin with.
func (c *call) objectFor(name, owner, key *string) (*bucket, error) {
	b, err := c.bucketFor(name, owner)
	if err != nil {
		return nil, err
	}
	if key != nil {
		c.resource("AWS::S3::Object", b.arn()+"/"+*key, b.owner)
	} else {
		c.resources = append(c.resources, cloudtrail.Resource{ARNPrefix: b.arn() + "/", Type: "AWS::S3::Object"})
	}
	c.resource("AWS::S3::Bucket", b.arn(), b.owner)
	return b, nil
}

func putObject(c *call, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	b, err := c.objectFor(in.Bucket, in.ExpectedBucketOwner, in.Key)
	if err != nil {
		return nil, err
	}
	key := aws.ToString(in.Key)
	if len(key) == 0 || len(key) > 1024 {
		return nil, s3Error(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	}
	if aws.ToString(in.IfNoneMatch) == "*" && b.current(key) != nil {
		return nil, s3Error(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	}
	e := b.defaultEncryption()
	if in.ServerSideEncryption != "" {
		e = encrypted{string(in.ServerSideEncryption), aws.ToString(in.SSEKMSKeyId)}
	}
	body := bodyOf(in)
	o := b.put(object{
		key: key, body: body, modified: c.now, contentType: aws.ToString(in.ContentType),
		contentEncoding: aws.ToString(in.ContentEncoding), encryption: e.algorithm, kmsKey: e.key, metadata: in.Metadata,
	}, c.ids.text(32, alnum))
	c.s.notifyBucket(b, key, int64(len(body)), c.now, c.ids)
	out := &s3.PutObjectOutput{
		ETag: aws.String(o.etag), ServerSideEncryption: types.ServerSideEncryption(e.algorithm), SSEKMSKeyId: filled(e.key),
	}
	if b.versioned() {
		out.VersionId = aws.String(o.version)
	}
	return out, nil
}

func getObject(c *call, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	b, err := c.objectFor(in.Bucket, in.ExpectedBucketOwner, in.Key)
	if err != nil {
		return nil, err
	}
	o := b.find(aws.ToString(in.Key), in.VersionId)
	if o == nil {
		return nil, fail(http.StatusNotFound, &types.NoSuchKey{Message: msg("The specified key does not exist.")})
	}
	body, contentRange, err := o.part(aws.ToString(in.Range))
	if err != nil {
		return nil, err
	}
	modified := o.modified
	return &s3.GetObjectOutput{
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: aws.Int64(int64(len(body))), ContentRange: filled(contentRange),
		ETag: aws.String(o.etag), LastModified: &modified, ContentType: filled(o.contentType), ContentEncoding: filled(o.contentEncoding),
		VersionId: o.shownVersion(), ServerSideEncryption: types.ServerSideEncryption(o.encryption), SSEKMSKeyId: filled(o.kmsKey),
		Metadata: clone(o.metadata),
	}, nil
}

func (o *object) shownVersion() *string {
	if o.version == nullVersion {
		return nil
	}
	return aws.String(o.version)
}

// part is the range of bytes that a Range header asks for.
func (o *object) part(header string) (body []byte, contentRange string, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	if !ok {
		return o.body, "", nil
	}
	from, to, _ := strings.Cut(spec, "-")
	size := len(o.body)
	first, last := 0, size-1
	if n, err := strconv.Atoi(from); err == nil {
		first = n
		if n, err := strconv.Atoi(to); err == nil {
			last = min(n, last)
		}
	} else if n, err := strconv.Atoi(to); err == nil {
		first = max(0, size-n)
	}
	if first > last {
		return nil, "", s3Error(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	}
	return o.body[first : last+1], fmt.Sprintf("bytes %d-%d/%d", first, last, size), nil
}

// headObject has no body in its answers: a missing object is NotFound.
func headObject(c *call, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	if c.s.bucketIn(c.account().partition, aws.ToString(in.Bucket)) == nil {
		return nil, fail(http.StatusNotFound, &types.NotFound{Message: msg("Not Found")})
	}
	b, err := c.objectFor(in.Bucket, in.ExpectedBucketOwner, in.Key)
	if err != nil {
		return nil, s3Error(http.StatusForbidden, "Forbidden", "Forbidden")
	}
	o := b.find(aws.ToString(in.Key), in.VersionId)
	if o == nil {
		return nil, fail(http.StatusNotFound, &types.NotFound{Message: msg("Not Found")})
	}
	modified := o.modified
	return &s3.HeadObjectOutput{
		ContentLength: aws.Int64(int64(len(o.body))), ETag: aws.String(o.etag), LastModified: &modified,
		ContentType: filled(o.contentType), ContentEncoding: filled(o.contentEncoding), VersionId: o.shownVersion(),
		ServerSideEncryption: types.ServerSideEncryption(o.encryption), SSEKMSKeyId: filled(o.kmsKey), Metadata: clone(o.metadata),
	}, nil
}

func listObjects(c *call, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	b, err := c.objectFor(in.Bucket, in.ExpectedBucketOwner, nil)
	if err != nil {
		return nil, err
	}
	limit := pageOf(in.MaxKeys)
	after := aws.ToString(in.StartAfter)
	if in.ContinuationToken != nil {
		after = *in.ContinuationToken
	}
	out := &s3.ListObjectsV2Output{
		Name: in.Bucket, Prefix: in.Prefix, Delimiter: in.Delimiter, MaxKeys: aws.Int32(int32(limit)), IsTruncated: aws.Bool(false),
		ContinuationToken: in.ContinuationToken, StartAfter: in.StartAfter,
	}
	n, last := 0, ""
	for _, e := range b.list(aws.ToString(in.Prefix), aws.ToString(in.Delimiter), after) {
		if n == limit {
			out.IsTruncated, out.NextContinuationToken = aws.Bool(true), aws.String(last)
			break
		}
		n, last = n+1, e.name
		if e.common {
			out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: aws.String(e.name)})
			continue
		}
		o := b.current(e.name)
		modified := o.modified
		out.Contents = append(out.Contents, types.Object{
			Key: aws.String(o.key), ETag: aws.String(o.etag), Size: aws.Int64(int64(len(o.body))), LastModified: &modified,
			StorageClass: types.ObjectStorageClassStandard,
		})
	}
	out.KeyCount = aws.Int32(int32(n))
	return out, nil
}

// maxKeys is the largest page of a listing.
const maxKeys = 1000

func pageOf(asked *int32) int {
	if asked == nil || *asked > maxKeys || *asked < 0 {
		return maxKeys
	}
	return int(*asked)
}

// entry is a key or a common prefix.
type entry struct {
	name   string
	common bool
}

// list is at most one page and one entry more, in the order of names.
func (b *bucket) list(prefix, delimiter, after string) []entry {
	var out []entry
	start, _ := slices.BinarySearch(b.keys, max(prefix, after))
	for _, key := range b.keys[start:] {
		if !strings.HasPrefix(key, prefix) || len(out) > maxKeys {
			break
		}
		if key <= after || b.current(key) == nil {
			continue
		}
		e := entry{name: key}
		if i := strings.Index(key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			e = entry{key[:len(prefix)+i+len(delimiter)], true}
			if e.name <= after || len(out) > 0 && out[len(out)-1] == e {
				continue
			}
		}
		out = append(out, e)
	}
	return out
}
