// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// bucketConfigOperations reads and writes what hangs on a bucket. Names in CloudTrail and in policies are not always the
// API's.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
func bucketConfigOperations(t table) {
	put := func(sub, element, field string) spec {
		return writes.requests(s3Put(sub, element, field)).responds(nothing)
	}
	drop := func(sub string) spec { return writes.requests(s3Call(sub)).responds(nothing) }
	get := func(sub string) spec { return reads.requests(s3Call(sub)) }

	handle(t, s3Service, "PutBucketPolicy", writes.requests(s3PolicyParameters).responds(nothing), putBucketPolicy)
	handle(t, s3Service, "GetBucketPolicy", get("policy"), getBucketPolicy)
	handle(t, s3Service, "DeleteBucketPolicy", drop("policy"), deleteBucketPolicy)
	handle(t, s3Service, "PutBucketVersioning", put("versioning", "VersioningConfiguration", "VersioningConfiguration"), putBucketVersioning)
	handle(t, s3Service, "GetBucketVersioning", get("versioning"), getBucketVersioning)
	handle(t, s3Service, "PutBucketEncryption", put("encryption", "ServerSideEncryptionConfiguration", "ServerSideEncryptionConfiguration").needs("s3:PutEncryptionConfiguration"), putBucketEncryption)
	handle(t, s3Service, "GetBucketEncryption", get("encryption").needs("s3:GetEncryptionConfiguration"), getBucketEncryption)
	handle(t, s3Service, "DeleteBucketEncryption", drop("encryption").needs("s3:PutEncryptionConfiguration"), deleteBucketEncryption)
	handle(t, s3Service, "PutBucketLifecycleConfiguration", put("lifecycle", "LifecycleConfiguration", "LifecycleConfiguration").recorded("PutBucketLifecycle").needs("s3:PutLifecycleConfiguration"), putBucketLifecycle)
	handle(t, s3Service, "GetBucketLifecycleConfiguration", get("lifecycle").recorded("GetBucketLifecycle").needs("s3:GetLifecycleConfiguration"), getBucketLifecycle)
	handle(t, s3Service, "DeleteBucketLifecycle", drop("lifecycle").needs("s3:PutLifecycleConfiguration"), deleteBucketLifecycle)
	handle(t, s3Service, "PutPublicAccessBlock", put("publicAccessBlock", "PublicAccessBlockConfiguration", "PublicAccessBlockConfiguration").recorded("PutBucketPublicAccessBlock").needs("s3:PutBucketPublicAccessBlock"), putPublicAccessBlock)
	handle(t, s3Service, "GetPublicAccessBlock", get("publicAccessBlock").recorded("GetBucketPublicAccessBlock").needs("s3:GetBucketPublicAccessBlock"), getPublicAccessBlock)
	handle(t, s3Service, "DeletePublicAccessBlock", drop("publicAccessBlock").recorded("DeleteBucketPublicAccessBlock").needs("s3:PutBucketPublicAccessBlock"), deletePublicAccessBlock)
	handle(t, s3Service, "PutBucketOwnershipControls", put("ownershipControls", "OwnershipControls", "OwnershipControls"), putOwnershipControls)
	handle(t, s3Service, "GetBucketOwnershipControls", get("ownershipControls"), getOwnershipControls)
	handle(t, s3Service, "DeleteBucketOwnershipControls", drop("ownershipControls").needs("s3:PutBucketOwnershipControls"), deleteOwnershipControls)
	handle(t, s3Service, "PutBucketAcl", put("acl", "AccessControlPolicy", "AccessControlPolicy"), putBucketACL)
	handle(t, s3Service, "GetBucketAcl", get("acl"), getBucketACL)
	handle(t, s3Service, "PutBucketNotificationConfiguration", put("notification", "NotificationConfiguration", "NotificationConfiguration").recorded("PutBucketNotification").needs("s3:PutBucketNotification"), putNotification)
	handle(t, s3Service, "GetBucketNotificationConfiguration", get("notification").recorded("GetBucketNotification").needs("s3:GetBucketNotification"), getNotification)
	handle(t, s3Service, "PutBucketTagging", put("tagging", "Tagging", "Tagging"), putBucketTagging)
	handle(t, s3Service, "GetBucketTagging", get("tagging"), getBucketTagging)
	handle(t, s3Service, "PutBucketRequestPayment", put("requestPayment", "RequestPaymentConfiguration", "RequestPaymentConfiguration"), putRequestPayment)
	handle(t, s3Service, "GetBucketRequestPayment", get("requestPayment"), getRequestPayment)
	handle(t, s3Service, "PutBucketReplication", put("replication", "ReplicationConfiguration", "ReplicationConfiguration").needs("s3:PutReplicationConfiguration"), putReplication)
	handle(t, s3Service, "GetBucketReplication", get("replication").needs("s3:GetReplicationConfiguration"), getReplication)
	handle(t, s3Service, "DeleteBucketReplication", drop("replication").needs("s3:PutReplicationConfiguration"), deleteReplication)
	handle(t, s3Service, "PutBucketLogging", put("logging", "BucketLoggingStatus", "BucketLoggingStatus"), putLogging)
	handle(t, s3Service, "GetBucketLogging", get("logging"), getLogging)
	handle(t, s3Service, "PutObjectLockConfiguration", put("object-lock", "ObjectLockConfiguration", "ObjectLockConfiguration").recorded("PutBucketObjectLockConfiguration").needs("s3:PutBucketObjectLockConfiguration"), putObjectLock)
	handle(t, s3Service, "GetObjectLockConfiguration", get("object-lock").recorded("GetBucketObjectLockConfiguration").needs("s3:GetBucketObjectLockConfiguration"), getObjectLock)
}

// s3Namespace is the XML name space of S3, the same in all partitions.
var s3Namespace = "http://" + hostOf("s3") + "/doc/2006-03-01/"

// s3Put adds the body of the request, as XML reads: the field of the input under the name of its element.
func s3Put(subresource, element, field string) func(*call, any) any {
	base := s3Call(subresource)
	return func(c *call, in any) any {
		m := base(c, in).(map[string]any)
		if body := fromXML.object(fieldOf(in, field)); body != nil {
			body["xmlns"] = s3Namespace
			m[element] = body
		}
		if acl := text(in, "ACL"); acl != "" {
			m["x-amz-acl"] = acl
		}
		return m
	}
}

// s3PolicyParameters shows the policy as an object; the member policy is only the sub-resource.
func s3PolicyParameters(c *call, in any) any {
	m := s3Call("policy")(c, in).(map[string]any)
	if p := json.RawMessage(text(in, "Policy")); json.Valid(p) {
		m["bucketPolicy"] = p
	}
	return m
}

// configure runs f on the bucket and finds out whether it changed anything, by what before and after it shows.
func (c *call) configure(name, owner *string, show func(*bucket) any, f func(*bucket) error) error {
	b, err := c.bucketFor(name, owner)
	if err != nil {
		return err
	}
	before, err := json.Marshal(show(b))
	if err != nil {
		return err
	}
	if err := f(b); err != nil {
		return err
	}
	after, err := json.Marshal(show(b))
	if err != nil {
		return err
	}
	c.same = string(before) == string(after)
	return nil
}

func putBucketPolicy(c *call, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
	document := aws.ToString(in.Policy)
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, func(b *bucket) any { return b.policy }, func(b *bucket) error {
		if err := b.checkPolicy(document); err != nil {
			return err
		}
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
		if b.publicAccess != nil && aws.ToBool(b.publicAccess.BlockPublicPolicy) && isPublic(document) {
			return s3Error(http.StatusForbidden, accessDenied, "Access Denied")
		}
		b.policy = document
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutBucketPolicyOutput{}, nil
}

// maxBucketPolicy is S3's limit in bytes.
const maxBucketPolicy = 20 << 10

func (b *bucket) checkPolicy(document string) error {
	malformed := func(why string) error { return s3Error(http.StatusBadRequest, "MalformedPolicy", why) }
	if len(document) > maxBucketPolicy {
		return s3Error(http.StatusBadRequest, "PolicyTooLarge", "Bucket policies are limited to 20 KB in size")
	}
	p, err := parsePolicy(document)
	if err != nil {
		return malformed("Policies must be valid JSON and the first byte must be '{'")
	}
	for _, s := range p.Statement {
		if s.Principal == nil && s.NotPrincipal == nil {
			return malformed("Missing required field Principal")
		}
		for _, r := range append(s.Resource, s.NotResource...) {
			if r != "*" && !strings.HasPrefix(r, b.arn()) && !strings.Contains(r, "*") {
				return malformed("Policy has invalid resource")
			}
		}
	}
	return nil
}

// isPublic reports whether a policy that was checked lets everybody in, as far as the sandbox tells: without a condition.
func isPublic(document string) bool {
	p, err := parsePolicy(document)
	return err == nil && slices.ContainsFunc(p.Statement, func(s statement) bool {
		return s.Effect == "Allow" && (s.Principal["*"] != nil || slices.Contains(s.Principal["AWS"], "*")) && len(s.Condition) == 0
	})
}

func getBucketPolicy(c *call, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.policy == "" {
		return nil, s3Error(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return &s3.GetBucketPolicyOutput{Policy: aws.String(b.policy)}, nil
}

func deleteBucketPolicy(c *call, in *s3.DeleteBucketPolicyInput) (*s3.DeleteBucketPolicyOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, func(b *bucket) any { return b.policy }, func(b *bucket) error {
		b.policy = ""
		return nil
	})
	return &s3.DeleteBucketPolicyOutput{}, err
}

func putBucketVersioning(c *call, in *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, func(b *bucket) any { return b.versioning }, func(b *bucket) error {
		to := *in.VersioningConfiguration
		if err := b.checkVersioning(to, in.MFA != nil && c.by.root); err != nil {
			return err
		}
		if to.MFADelete == "" {
			to.MFADelete = b.versioning.MFADelete
		}
		b.versioning = to
		return nil
	})
	return &s3.PutBucketVersioningOutput{}, err
}

// checkVersioning: Object Lock and replication need versioning, and MFA delete is the root's with its device.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html
func (b *bucket) checkVersioning(to types.VersioningConfiguration, withMFA bool) error {
	isChanging := to.Status != b.versioning.Status
	switch {
	case !withMFA && (to.MFADelete != "" || isChanging && b.versioning.MFADelete == types.MFADeleteEnabled):
		return s3Error(http.StatusForbidden, accessDenied, "Mfa Authentication must be used for this request")
	case to.Status != types.BucketVersioningStatusSuspended:
		return nil
	case b.lock != nil:
		return s3Error(http.StatusConflict, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
	case b.replication != nil:
		return s3Error(http.StatusConflict, "InvalidBucketState", "A replication configuration is present on this bucket, so the versioning state cannot be changed.")
	}
	return nil
}

func getBucketVersioning(c *call, in *s3.GetBucketVersioningInput) (*s3.GetBucketVersioningOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketVersioningOutput{Status: b.versioning.Status, MFADelete: types.MFADeleteStatus(b.versioning.MFADelete)}, nil
}

func ownershipOf(o types.ObjectOwnership) *types.OwnershipControls {
	return &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: o}}}
}

func defaultEncryption() *types.ServerSideEncryptionConfiguration {
	return &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
		ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256},
		BucketKeyEnabled:                   aws.Bool(false),
	}}}
}

// defaultEncryption is what objects get that do not say.
func (b *bucket) defaultEncryption() encrypted {
	for _, r := range b.encrypts.Rules {
		if d := r.ApplyServerSideEncryptionByDefault; d != nil {
			return encrypted{string(d.SSEAlgorithm), aws.ToString(d.KMSMasterKeyID)}
		}
	}
	return encrypted{algorithm: string(types.ServerSideEncryptionAes256)}
}

func showEncryption(b *bucket) any { return b.encrypts }

func putBucketEncryption(c *call, in *s3.PutBucketEncryptionInput) (*s3.PutBucketEncryptionOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showEncryption, func(b *bucket) error {
		b.encrypts = in.ServerSideEncryptionConfiguration
		return nil
	})
	return &s3.PutBucketEncryptionOutput{}, err
}

func getBucketEncryption(c *call, in *s3.GetBucketEncryptionInput) (*s3.GetBucketEncryptionOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: clone(b.encrypts)}, nil
}

// deleteBucketEncryption goes back to the default: since 2023 every bucket encrypts.
func deleteBucketEncryption(c *call, in *s3.DeleteBucketEncryptionInput) (*s3.DeleteBucketEncryptionOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showEncryption, func(b *bucket) error {
		b.encrypts = defaultEncryption()
		return nil
	})
	return &s3.DeleteBucketEncryptionOutput{}, err
}

func showLifecycle(b *bucket) any { return b.lifecycle }

func putBucketLifecycle(c *call, in *s3.PutBucketLifecycleConfigurationInput) (*s3.PutBucketLifecycleConfigurationOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showLifecycle, func(b *bucket) error {
		if in.LifecycleConfiguration == nil || len(in.LifecycleConfiguration.Rules) == 0 {
			return s3Error(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		}
		b.lifecycle = in.LifecycleConfiguration
		return nil
	})
	return &s3.PutBucketLifecycleConfigurationOutput{}, err
}

func getBucketLifecycle(c *call, in *s3.GetBucketLifecycleConfigurationInput) (*s3.GetBucketLifecycleConfigurationOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.lifecycle == nil {
		return nil, s3Error(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
	}
	return &s3.GetBucketLifecycleConfigurationOutput{Rules: clone(b.lifecycle.Rules)}, nil
}

func deleteBucketLifecycle(c *call, in *s3.DeleteBucketLifecycleInput) (*s3.DeleteBucketLifecycleOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showLifecycle, func(b *bucket) error {
		b.lifecycle = nil
		return nil
	})
	return &s3.DeleteBucketLifecycleOutput{}, err
}
