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

	"github.com/switchback-project/switchback/internal/arn"
)

func showPublicAccess(b *bucket) any { return b.publicAccess }

func putPublicAccessBlock(c *call, in *s3.PutPublicAccessBlockInput) (*s3.PutPublicAccessBlockOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showPublicAccess, func(b *bucket) error {
		x := *in.PublicAccessBlockConfiguration
		if x.BlockPublicAcls == nil && x.BlockPublicPolicy == nil && x.IgnorePublicAcls == nil && x.RestrictPublicBuckets == nil {
			return s3Error(http.StatusBadRequest, "InvalidRequest", "Must specify at least one configuration.")
		}
		for _, f := range []**bool{&x.BlockPublicAcls, &x.BlockPublicPolicy, &x.IgnorePublicAcls, &x.RestrictPublicBuckets} {
			*f = aws.Bool(aws.ToBool(*f))
		}
		b.publicAccess = &x
		return nil
	})
	return &s3.PutPublicAccessBlockOutput{}, err
}

func getPublicAccessBlock(c *call, in *s3.GetPublicAccessBlockInput) (*s3.GetPublicAccessBlockOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.publicAccess == nil {
		return nil, s3Error(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: clone(b.publicAccess)}, nil
}

func deletePublicAccessBlock(c *call, in *s3.DeletePublicAccessBlockInput) (*s3.DeletePublicAccessBlockOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showPublicAccess, func(b *bucket) error {
		b.publicAccess = nil
		return nil
	})
	return &s3.DeletePublicAccessBlockOutput{}, err
}

func showOwnership(b *bucket) any { return b.ownership }

func putOwnershipControls(c *call, in *s3.PutBucketOwnershipControlsInput) (*s3.PutBucketOwnershipControlsOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showOwnership, func(b *bucket) error {
		if ownershipEnforced(in.OwnershipControls) && !sameJSON(b.acl, b.owner.ownerGrant()) {
			return s3Error(http.StatusBadRequest, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
		}
		b.ownership = in.OwnershipControls
		return nil
	})
	return &s3.PutBucketOwnershipControlsOutput{}, err
}

func getOwnershipControls(c *call, in *s3.GetBucketOwnershipControlsInput) (*s3.GetBucketOwnershipControlsOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.ownership == nil {
		return nil, s3Error(http.StatusNotFound, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	return &s3.GetBucketOwnershipControlsOutput{OwnershipControls: clone(b.ownership)}, nil
}

func deleteOwnershipControls(c *call, in *s3.DeleteBucketOwnershipControlsInput) (*s3.DeleteBucketOwnershipControlsOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showOwnership, func(b *bucket) error {
		b.ownership = nil
		return nil
	})
	return &s3.DeleteBucketOwnershipControlsOutput{}, err
}

// enforced reports whether the bucket has no ACLs at all.
func (b *bucket) enforced() bool { return ownershipEnforced(b.ownership) }

func ownershipEnforced(o *types.OwnershipControls) bool {
	return o != nil && len(o.Rules) > 0 && o.Rules[0].ObjectOwnership == types.ObjectOwnershipBucketOwnerEnforced
}

func putBucketACL(c *call, in *s3.PutBucketAclInput) (*s3.PutBucketAclOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, func(b *bucket) any { return b.acl }, func(b *bucket) error {
		grants, err := b.grants(in)
		if err != nil {
			return err
		}
		public := publicGrants(grants)
		switch {
		case b.enforced() && !sameJSON(grants, b.owner.ownerGrant()):
			return s3Error(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
		case public && b.publicAccess != nil && aws.ToBool(b.publicAccess.BlockPublicAcls):
			return s3Error(http.StatusForbidden, accessDenied, "Access Denied")
		}
		b.acl = grants
		return nil
	})
	return &s3.PutBucketAclOutput{}, err
}

// grants is the list that the input means, canned or explicit.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
func (b *bucket) grants(in *s3.PutBucketAclInput) ([]types.Grant, error) {
	if in.AccessControlPolicy != nil {
		return in.AccessControlPolicy.Grants, nil
	}
	group := func(name string, permissions ...types.Permission) []types.Grant {
		out := b.owner.ownerGrant()
		for _, p := range permissions {
			out = append(out, types.Grant{Permission: p, Grantee: &types.Grantee{Type: types.TypeGroup, URI: aws.String(groupURI(name))}})
		}
		return out
	}
	switch in.ACL {
	case types.BucketCannedACLPrivate:
		return b.owner.ownerGrant(), nil
	case types.BucketCannedACLPublicRead:
		return group("AllUsers", types.PermissionRead), nil
	case types.BucketCannedACLPublicReadWrite:
		return group("AllUsers", types.PermissionRead, types.PermissionWrite), nil
	case types.BucketCannedACLAuthenticatedRead:
		return group("AuthenticatedUsers", types.PermissionRead), nil
	default:
		return nil, s3Error(http.StatusBadRequest, "InvalidArgument", "The sandbox takes a canned ACL or an AccessControlPolicy.")
	}
}

func groupURI(name string) string {
	return "http://acs." + arn.Partitions()[0].DNSSuffix + "/groups/global/" + name
}

func publicGrants(grants []types.Grant) bool {
	for _, g := range grants {
		if g.Grantee != nil && (aws.ToString(g.Grantee.URI) == groupURI("AllUsers") || aws.ToString(g.Grantee.URI) == groupURI("AuthenticatedUsers")) {
			return true
		}
	}
	return false
}

func getBucketACL(c *call, in *s3.GetBucketAclInput) (*s3.GetBucketAclOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketAclOutput{Owner: b.owner.canonical(), Grants: clone(b.acl)}, nil
}

func putNotification(c *call, in *s3.PutBucketNotificationConfigurationInput) (*s3.PutBucketNotificationConfigurationOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, func(b *bucket) any { return b.notifying }, func(b *bucket) error {
		if err := c.checkNotification(in.NotificationConfiguration, aws.ToBool(in.SkipDestinationValidation)); err != nil {
			return err
		}
		b.notifying = in.NotificationConfiguration
		return nil
	})
	return &s3.PutBucketNotificationConfigurationOutput{}, err
}

// checkNotification: queues must be there, unless nobody is to look, and no two of them get the same event.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func (c *call) checkNotification(n *types.NotificationConfiguration, unseen bool) error {
	for i, q := range n.QueueConfigurations {
		if !unseen && c.s.queueByARN(aws.ToString(q.QueueArn)) == nil {
			return s3Error(http.StatusBadRequest, "InvalidArgument", "Unable to validate the following destination configurations")
		}
		if slices.ContainsFunc(n.QueueConfigurations[:i], func(o types.QueueConfiguration) bool { return overlap(q, o) }) {
			return s3Error(http.StatusBadRequest, "InvalidArgument",
				"Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.")
		}
	}
	return nil
}

// overlap reports whether two configurations share an event by name or by wildcard, and an object by its key.
func overlap(q, o types.QueueConfiguration) bool {
	share := slices.ContainsFunc(q.Events, func(e types.Event) bool {
		return slices.ContainsFunc(o.Events, func(f types.Event) bool { return glob(string(e), string(f)) || glob(string(f), string(e)) })
	})
	a, b := filterValues(q.Filter), filterValues(o.Filter)
	return share && (strings.HasPrefix(a["prefix"], b["prefix"]) || strings.HasPrefix(b["prefix"], a["prefix"])) &&
		(strings.HasSuffix(a["suffix"], b["suffix"]) || strings.HasSuffix(b["suffix"], a["suffix"]))
}

func filterValues(f *types.NotificationConfigurationFilter) map[string]string {
	out := map[string]string{}
	if f == nil || f.Key == nil {
		return out
	}
	for _, r := range f.Key.FilterRules {
		out[strings.ToLower(string(r.Name))] = aws.ToString(r.Value)
	}
	return out
}

func getNotification(c *call, in *s3.GetBucketNotificationConfigurationInput) (*s3.GetBucketNotificationConfigurationOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	out := &s3.GetBucketNotificationConfigurationOutput{}
	if n := clone(b.notifying); n != nil {
		out.QueueConfigurations, out.TopicConfigurations = n.QueueConfigurations, n.TopicConfigurations
		out.LambdaFunctionConfigurations, out.EventBridgeConfiguration = n.LambdaFunctionConfigurations, n.EventBridgeConfiguration
	}
	return out, nil
}

func putBucketTagging(c *call, in *s3.PutBucketTaggingInput) (*s3.PutBucketTaggingOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, func(b *bucket) any { return b.tagging }, func(b *bucket) error {
		b.tagging = in.Tagging.TagSet
		return nil
	})
	return &s3.PutBucketTaggingOutput{}, err
}

func getBucketTagging(c *call, in *s3.GetBucketTaggingInput) (*s3.GetBucketTaggingOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(b.tagging) == 0 {
		return nil, s3Error(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")
	}
	return &s3.GetBucketTaggingOutput{TagSet: clone(b.tagging)}, nil
}

func putRequestPayment(c *call, in *s3.PutBucketRequestPaymentInput) (*s3.PutBucketRequestPaymentOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, func(b *bucket) any { return b.requesterPays }, func(b *bucket) error {
		b.requesterPays = in.RequestPaymentConfiguration.Payer == types.PayerRequester
		return nil
	})
	return &s3.PutBucketRequestPaymentOutput{}, err
}

func getRequestPayment(c *call, in *s3.GetBucketRequestPaymentInput) (*s3.GetBucketRequestPaymentOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	out := &s3.GetBucketRequestPaymentOutput{Payer: types.PayerBucketOwner}
	if b.requesterPays {
		out.Payer = types.PayerRequester
	}
	return out, nil
}

func putObjectLock(c *call, in *s3.PutObjectLockConfigurationInput) (*s3.PutObjectLockConfigurationOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, func(b *bucket) any { return b.lock }, func(b *bucket) error {
		if b.versioning.Status != types.BucketVersioningStatusEnabled {
			return s3Error(http.StatusConflict, "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		b.lock = in.ObjectLockConfiguration
		return nil
	})
	return &s3.PutObjectLockConfigurationOutput{}, err
}

func getObjectLock(c *call, in *s3.GetObjectLockConfigurationInput) (*s3.GetObjectLockConfigurationOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.lock == nil {
		return nil, s3Error(http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	}
	return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: clone(b.lock)}, nil
}
