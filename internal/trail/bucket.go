// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"time"
)

// Bucket is the configuration of an S3 bucket, as far as log files and whoever reads them depend on it. Names of members
// are AWS's, so that its parts decode into the SDK's types and back without loss.
type Bucket struct {
	// Exists is false for a name that no bucket has; nothing else is set then.
	Exists bool
	Name   string
	// Owner is the account that it was looked for in and that owns it, or "not " and that account.
	Owner  string `json:",omitempty"`
	Region string `json:",omitempty"`
	// Policy is the bucket policy as CanonicalBucketPolicy spells it, empty for none.
	Policy            json.RawMessage    `json:",omitempty"`
	Lifecycle         *Lifecycle         `json:",omitempty"`
	Versioning        Versioning         `json:",omitzero"`
	ObjectLock        *ObjectLock        `json:",omitempty"`
	Encryption        []EncryptionRule   `json:",omitempty"`
	PublicAccessBlock *PublicAccessBlock `json:",omitempty"`
	// ObjectOwnership is "" where the bucket has no ownership controls, which means ObjectWriter.
	ObjectOwnership string       `json:",omitempty"`
	ACL             ACL          `json:",omitzero"`
	Notification    Notification `json:",omitzero"`
	Replication     *Replication `json:",omitempty"`
	// Payer is "BucketOwner" or "Requester". https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html
	Payer   string   `json:",omitempty"`
	Logging *Logging `json:",omitempty"`
}

// Versioning is a bucket's versioning. Both are "Enabled", or "Suspended" and "Disabled", or "" when they never were.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_VersioningConfiguration.html
type Versioning struct {
	Status    string `json:",omitempty"`
	MFADelete string `json:",omitempty"`
}

// ObjectLock is the Object Lock configuration; a bucket that has one cannot lose it, only its default retention.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ObjectLockConfiguration.html
type ObjectLock struct {
	ObjectLockEnabled string          `json:",omitempty"`
	Rule              *ObjectLockRule `json:",omitempty"`
}

// ObjectLockRule holds the default retention of new objects.
type ObjectLockRule struct {
	DefaultRetention *DefaultRetention `json:",omitempty"`
}

// DefaultRetention is how long new objects cannot be removed: in days or in years.
type DefaultRetention struct {
	Mode             string     `json:",omitempty"`
	Days             *int32     `json:",omitempty"`
	Years            *int32     `json:",omitempty"`
	DefaultEventHold *EventHold `json:",omitempty"`
}

// EventHold is how long objects cannot be removed after an event: in days or in years.
type EventHold struct {
	Days  *int32 `json:",omitempty"`
	Years *int32 `json:",omitempty"`
}

// EncryptionRule is the default encryption of new objects.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionRule.html
type EncryptionRule struct {
	ApplyServerSideEncryptionByDefault *EncryptionDefault      `json:",omitempty"`
	BucketKeyEnabled                   *bool                   `json:",omitempty"`
	BlockedEncryptionTypes             *BlockedEncryptionTypes `json:",omitempty"`
}

// EncryptionDefault is the algorithm, and the key for SSE-KMS.
type EncryptionDefault struct {
	SSEAlgorithm   string  `json:",omitempty"`
	KMSMasterKeyID *string `json:",omitempty"`
}

// BlockedEncryptionTypes are the kinds of encryption that uploads cannot ask for.
type BlockedEncryptionTypes struct {
	EncryptionType []string `json:",omitempty"`
}

// PublicAccessBlock blocks public access in four ways.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html
type PublicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

// ACL is the bucket's access control list. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
type ACL struct {
	// Owner is the canonical user id of the owner.
	Owner  string  `json:",omitempty"`
	Grants []Grant `json:",omitempty"`
}

// Grant gives a permission to a grantee.
type Grant struct {
	Grantee    *Grantee `json:",omitempty"`
	Permission string   `json:",omitempty"`
}

// Grantee is an account by its canonical user id, or a group by its URI. Names for display are left out: AWS takes them
// away.
type Grantee struct {
	Type         string  `json:",omitempty"`
	ID           *string `json:",omitempty"`
	URI          *string `json:",omitempty"`
	EmailAddress *string `json:",omitempty"`
}

// Replication says where objects are copied to. Rules are AWS's, as JSON: they are compared as a whole.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationConfiguration.html
type Replication struct {
	Role  string            `json:",omitempty"`
	Rules []json.RawMessage `json:",omitempty"`
}

// Logging says where S3 writes its own access log of the bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_LoggingEnabled.html
type Logging struct {
	TargetBucket          string          `json:",omitempty"`
	TargetPrefix          string          `json:",omitempty"`
	TargetGrants          json.RawMessage `json:",omitempty"`
	TargetObjectKeyFormat json.RawMessage `json:",omitempty"`
}

// Lifecycle are the rules by which S3 removes and archives objects.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
type Lifecycle struct {
	Rules                              []LifecycleRule
	TransitionDefaultMinimumObjectSize string `json:",omitempty"`
}

// LifecycleRule is one of them, for the objects that its filter (or, in old rules, its prefix) takes.
type LifecycleRule struct {
	ID                             *string                    `json:",omitempty"`
	Status                         string                     `json:",omitempty"`
	Prefix                         *string                    `json:",omitempty"`
	Filter                         *LifecycleFilter           `json:",omitempty"`
	Expiration                     *Expiration                `json:",omitempty"`
	NoncurrentVersionExpiration    *NoncurrentExpiration      `json:",omitempty"`
	Transitions                    []Transition               `json:",omitempty"`
	NoncurrentVersionTransitions   []NoncurrentTransition     `json:",omitempty"`
	AbortIncompleteMultipartUpload *AbortIncompleteMultiparts `json:",omitempty"`
}

// LifecycleFilter takes objects by one thing, or by several at once.
type LifecycleFilter struct {
	Prefix                *string       `json:",omitempty"`
	Tag                   *ObjectTag    `json:",omitempty"`
	ObjectSizeGreaterThan *int64        `json:",omitempty"`
	ObjectSizeLessThan    *int64        `json:",omitempty"`
	And                   *LifecycleAnd `json:",omitempty"`
}

// LifecycleAnd takes the objects that meet all of it.
type LifecycleAnd struct {
	Prefix                *string     `json:",omitempty"`
	Tags                  []ObjectTag `json:",omitempty"`
	ObjectSizeGreaterThan *int64      `json:",omitempty"`
	ObjectSizeLessThan    *int64      `json:",omitempty"`
}

// ObjectTag is a tag of an object.
type ObjectTag struct{ Key, Value string }

// Expiration removes current versions.
type Expiration struct {
	Days                      *int32     `json:",omitempty"`
	Date                      *time.Time `json:",omitempty"`
	ExpiredObjectDeleteMarker *bool      `json:",omitempty"`
}

// NoncurrentExpiration removes versions that are no longer current.
type NoncurrentExpiration struct {
	NoncurrentDays          *int32 `json:",omitempty"`
	NewerNoncurrentVersions *int32 `json:",omitempty"`
}

// Transition moves current versions to another storage class.
type Transition struct {
	Days         *int32     `json:",omitempty"`
	Date         *time.Time `json:",omitempty"`
	StorageClass string     `json:",omitempty"`
}

// NoncurrentTransition moves versions that are no longer current.
type NoncurrentTransition struct {
	NoncurrentDays          *int32 `json:",omitempty"`
	NewerNoncurrentVersions *int32 `json:",omitempty"`
	StorageClass            string `json:",omitempty"`
}

// AbortIncompleteMultiparts gives up uploads.
type AbortIncompleteMultiparts struct {
	DaysAfterInitiation *int32 `json:",omitempty"`
}

// Canonical returns b in the one form in which equal configurations have the same JSON: lists whose order means nothing
// are sorted.
func (b Bucket) Canonical() Bucket {
	b.ACL.Grants = canonicalList(b.ACL.Grants, func(g Grant) Grant { return g })
	b.Notification = b.Notification.canonical()
	if b.Lifecycle != nil {
		l := *b.Lifecycle
		l.Rules = canonicalList(l.Rules, func(r LifecycleRule) LifecycleRule { return r })
		b.Lifecycle = &l
	}
	if b.Replication != nil {
		r := *b.Replication
		r.Rules = canonicalList(r.Rules, func(rule json.RawMessage) json.RawMessage { return rule })
		b.Replication = &r
	}
	return b
}

// days is how long the default retention holds an object; a year has 365 days.
func (l *ObjectLock) days() int64 {
	r := l.retention()
	return int64(given(r.Days)) + 365*int64(given(r.Years))
}

func (l *ObjectLock) retention() DefaultRetention {
	if l == nil || l.Rule == nil || l.Rule.DefaultRetention == nil {
		return DefaultRetention{}
	}
	return *l.Rule.DefaultRetention
}

// given is what p points to, or the zero value.
func given[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
