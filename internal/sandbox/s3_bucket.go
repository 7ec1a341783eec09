// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// bucket is an S3 bucket. Configurations are kept as the API takes them.
type bucket struct {
	name, region string
	owner        *account
	created      time.Time
	policy       string
	// requesterPays stops CloudTrail.
	requesterPays bool

	versioning   types.VersioningConfiguration
	acl          []types.Grant
	lifecycle    *types.BucketLifecycleConfiguration
	encrypts     *types.ServerSideEncryptionConfiguration
	publicAccess *types.PublicAccessBlockConfiguration
	ownership    *types.OwnershipControls
	lock         *types.ObjectLockConfiguration
	notifying    *types.NotificationConfiguration
	replication  *types.ReplicationConfiguration
	logging      *types.LoggingEnabled
	tagging      []types.Tag

	objects map[string][]object // by key, the newest version last
	keys    []string            // sorted
}

// bucketOperations makes, finds and removes buckets.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
func bucketOperations(t table) {
	handle(t, s3Service, "CreateBucket", writes.requests(s3Call("")).responds(nothing), createBucket)
	handle(t, s3Service, "DeleteBucket", writes.requests(s3Call("")).responds(nothing), deleteBucket)
	handle(t, s3Service, "HeadBucket", reads.needs("s3:ListBucket").requests(s3Call("")), headBucket)
	handle(t, s3Service, "GetBucketLocation", reads.requests(s3Call("location")), getBucketLocation)
	handle(t, s3Service, "ListBuckets", reads.needs("s3:ListAllMyBuckets").requests(s3Call("")), listBuckets)
}

func bucketKey(partition, name string) string { return partition + "/" + name }

// bucketIn finds a bucket of a partition, whoever owns it.
func (s *Sandbox) bucketIn(partition, name string) *bucket {
	return s.buckets[bucketKey(partition, name)]
}

func (b *bucket) arn() string { return string(arn.Bucket(b.region, b.name)) }

// bucketTarget is the ARN of the bucket or object that a call names.
func bucketTarget(c *call) string {
	name := text(c.in, "Bucket")
	if name == "" {
		return "*"
	}
	if key := text(c.in, "Key"); key != "" {
		name += "/" + key
	}
	return string(arn.Bucket(c.region, name))
}

// s3Error is an S3 error that the SDK has no type for.
func s3Error(status int, code, message string) error { return fail(status, apiError(code, message)) }

// bucketFor finds the bucket of a call and asks its policy. S3 answers 301 in the wrong region and 403 to the wrong owner.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
func (c *call) bucketFor(name, expectedOwner *string) (*bucket, error) {
	b := c.s.bucketIn(c.account().partition, aws.ToString(name))
	if b == nil {
		return nil, fail(http.StatusNotFound, &types.NoSuchBucket{Message: msg("The specified bucket does not exist")})
	}
	c.place = b.region
	if !c.op.data {
		c.resource("AWS::S3::Bucket", b.arn(), b.owner)
	}
	c.owner = b.owner
	if b.region != c.region && c.op.name != "GetBucketLocation" {
		return nil, s3Error(http.StatusMovedPermanently, "PermanentRedirect",
			"The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	}
	if expectedOwner != nil && *expectedOwner != b.owner.id {
		return nil, s3Error(http.StatusForbidden, accessDenied, "Access Denied")
	}
	resource := b.arn()
	if key := text(c.in, "Key"); key != "" {
		resource += "/" + key
	}
	if err := c.permit(b.policy, resource, b.owner); err != nil {
		return nil, err
	}
	return b, nil
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func createBucket(c *call, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	name := aws.ToString(in.Bucket)
	if !bucketName.MatchString(name) {
		return nil, s3Error(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	}
	first := arn.PartitionOf(c.region).GlobalRegion == c.region && c.account().partition == arn.Partitions()[0].ID
	location := ""
	if in.CreateBucketConfiguration != nil {
		location = string(in.CreateBucketConfiguration.LocationConstraint)
	}
	if location != c.region && !(first && location == "") {
		return nil, s3Error(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The "+orUnspecified(location)+" location constraint is incompatible for the region specific endpoint this request was sent to.")
	}
	if b := c.s.bucketIn(c.account().partition, name); b != nil {
		return c.bucketExists(b, first)
	}
	b := &bucket{
		name: name, region: c.region, owner: c.account(), created: c.now, acl: c.account().ownerGrant(),
		objects: map[string][]object{},
		// New buckets block public access, have no ACLs and are encrypted since 2023.
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
		publicAccess: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true),
			BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
		},
		ownership: ownershipOf(types.ObjectOwnershipBucketOwnerEnforced),
		encrypts:  defaultEncryption(),
	}
	if in.ObjectOwnership != "" {
		b.ownership = ownershipOf(in.ObjectOwnership)
	}
	if aws.ToBool(in.ObjectLockEnabledForBucket) {
		b.lock = &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}
		b.versioning.Status = types.BucketVersioningStatusEnabled
	}
	c.s.buckets[bucketKey(c.account().partition, name)] = b
	c.resource("AWS::S3::Bucket", b.arn(), b.owner)
	return &s3.CreateBucketOutput{Location: aws.String("/" + name)}, nil
}

func orUnspecified(location string) string {
	if location == "" {
		return "unspecified"
	}
	return location
}

// bucketExists answers for a name that is taken. Only the first region answers its owner with success.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func (c *call) bucketExists(b *bucket, first bool) (*s3.CreateBucketOutput, error) {
	switch {
	case b.owner != c.account():
		return nil, fail(http.StatusConflict, &types.BucketAlreadyExists{Message: msg("The requested bucket name is not available.")})
	case first && b.region == c.region:
		c.same = true
		return &s3.CreateBucketOutput{Location: aws.String("/" + b.name)}, nil
	default:
		return nil, fail(http.StatusConflict, &types.BucketAlreadyOwnedByYou{Message: msg("Your previous request to create the named bucket succeeded and you already own it.")})
	}
}

func deleteBucket(c *call, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(b.keys) > 0 {
		return nil, s3Error(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	delete(c.s.buckets, bucketKey(c.account().partition, b.name))
	return &s3.DeleteBucketOutput{}, nil
}

// headBucket has no body in its answers: a missing bucket is NotFound.
func headBucket(c *call, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	if c.s.bucketIn(c.account().partition, aws.ToString(in.Bucket)) == nil {
		return nil, fail(http.StatusNotFound, &types.NotFound{Message: msg("Not Found")})
	}
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, s3Error(http.StatusForbidden, "Forbidden", "Forbidden")
	}
	return &s3.HeadBucketOutput{BucketRegion: aws.String(b.region), BucketArn: aws.String(b.arn())}, nil
}

func getBucketLocation(c *call, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	out := &s3.GetBucketLocationOutput{LocationConstraint: types.BucketLocationConstraint(b.region)}
	if b.region == arn.Partitions()[0].GlobalRegion {
		out.LocationConstraint = "" // the first region has none
	}
	return out, nil
}

func listBuckets(c *call, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	out := &s3.ListBucketsOutput{Buckets: []types.Bucket{}, Owner: c.account().canonical()}
	for _, b := range c.s.buckets {
		if b.owner == c.account() && strings.HasPrefix(b.name, aws.ToString(in.Prefix)) {
			created := b.created
			out.Buckets = append(out.Buckets, types.Bucket{Name: aws.String(b.name), BucketRegion: aws.String(b.region), CreationDate: &created})
		}
	}
	slices.SortFunc(out.Buckets, func(x, y types.Bucket) int { return strings.Compare(*x.Name, *y.Name) })
	return out, nil
}

// canonical is the account as S3 names it.
func (a *account) canonical() *types.Owner {
	return &types.Owner{ID: aws.String(newIDs(0, "canonical "+a.id).hex(64))}
}

func (a *account) ownerGrant() []types.Grant {
	return []types.Grant{{
		Grantee:    &types.Grantee{ID: a.canonical().ID, Type: types.TypeCanonicalUser},
		Permission: types.PermissionFullControl,
	}}
}

// s3Call makes the requestParameters of S3 calls: names as S3 has them, and the sub-resource as an empty member.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
func s3Call(subresource string) func(*call, any) any {
	return func(c *call, in any) any {
		m := map[string]any{"Host": c.host()}
		if b := text(in, "Bucket"); b != "" {
			m["bucketName"] = b
		}
		if k := text(in, "Key"); k != "" {
			m["key"] = k
		}
		if subresource != "" {
			m[subresource] = ""
		}
		return m
	}
}

// additional is the additionalEventData of S3 records.
func (c *call) additional() json.RawMessage {
	if c.op.service != s3Service {
		return nil
	}
	return json.RawMessage(`{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","AuthenticationMethod":"AuthHeader"}`)
}

// notifies lists the queues that want to know of a new object.
func (b *bucket) notifies(key string) []string {
	if b.notifying == nil {
		return nil
	}
	var out []string
	for _, q := range b.notifying.QueueConfigurations {
		wanted := slices.ContainsFunc(q.Events, func(e types.Event) bool { return glob(string(e), "s3:ObjectCreated:Put") })
		if wanted && filterTakes(q.Filter, key) {
			out = append(out, aws.ToString(q.QueueArn))
		}
	}
	return out
}

func filterTakes(f *types.NotificationConfigurationFilter, key string) bool {
	v := filterValues(f)
	return strings.HasPrefix(key, v["prefix"]) && strings.HasSuffix(key, v["suffix"])
}

// notification is the message of an S3 event notification. Its key is URL-encoded.
func (b *bucket) notification(key string, size int64, at time.Time) string {
	type m = map[string]any
	body, _ := json.Marshal(m{"Records": []m{{ // strings and numbers only
		"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": b.region, "eventName": "ObjectCreated:Put",
		"eventTime": at.UTC().Format("2006-01-02T15:04:05.000Z"),
		"s3": m{
			"s3SchemaVersion": "1.0", "bucket": m{"name": b.name, "arn": b.arn()},
			"object": m{"key": url.QueryEscape(key), "size": size},
		},
	}}})
	return string(body)
}
