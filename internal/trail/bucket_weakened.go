// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Fields of a bucket in differences: which part of it is weaker.
const (
	FieldBucketExists       = "Exists"
	FieldBucketOwner        = "Owner"
	FieldBucketRegion       = "Region"
	FieldBucketPolicy       = "Policy"
	FieldBucketLifecycle    = "LifecycleConfiguration"
	FieldBucketVersioning   = "Versioning"
	FieldBucketMFADelete    = "MFADelete"
	FieldBucketObjectLock   = "ObjectLockConfiguration"
	FieldBucketEncryption   = "ServerSideEncryptionConfiguration"
	FieldBucketPublicAccess = "PublicAccessBlock"
	FieldBucketOwnership    = "ObjectOwnership"
	FieldBucketACL          = "AccessControlPolicy"
	FieldBucketNotification = "NotificationConfiguration"
	FieldBucketReplication  = "ReplicationConfiguration"
	FieldBucketPayer        = "Payer"
	FieldBucketLogging      = "LoggingEnabled"
)

// AWS's words for states of a bucket.
const (
	enabled         = "Enabled"
	compliance      = "COMPLIANCE"
	bucketOwnerPays = "BucketOwner"
)

// WeakenedBucket compares field by field and returns, in a fixed order, everything in which have is weaker than want. A
// part may be weaker in several ways, each with a difference of its own. A bucket that is not there, is somebody else's or
// lies elsewhere is weaker in that alone: nothing else about it counts.
//
// What makes log files harder to remove or to read by strangers is never weaker; a change of the policy that cannot be
// proven to be so always is. Another key or place of copies is a difference in both directions.
func WeakenedBucket(want, have Bucket) []Difference {
	w := weakening{}
	switch {
	case !want.Exists:
		return nil
	case !have.Exists:
		w.add(FieldBucketExists, "true", "false", "the bucket is gone, and with it its log files")
		return w.found
	case want.Owner != have.Owner:
		w.add(FieldBucketOwner, want.Owner, have.Owner, "the bucket's name belongs to another account now")
		return w.found
	case want.Region != "" && have.Region != want.Region:
		w.add(FieldBucketRegion, want.Region, have.Region, "it is another bucket, in another region")
		return w.found
	}
	w.access(want, have)
	w.keeping(want, have)
	w.bucketPolicy(want, have)
	w.lifecycle(want.Lifecycle, have.Lifecycle)
	w.telling(want, have)
	return w.found
}

// access compares who may reach the bucket beside its policy.
func (w *weakening) access(want, have Bucket) {
	var grants []string
	for _, g := range have.ACL.Grants {
		if !slices.ContainsFunc(want.ACL.Grants, g.within) && !have.ACL.isOwners(g) {
			grants = append(grants, g.describe())
		}
	}
	if len(grants) > 0 {
		w.add(FieldBucketACL, string(mustJSON(want.ACL.Grants)), string(mustJSON(have.ACL.Grants)), "new grants: "+joinSome(grants))
	}
	if ownershipRank[have.ObjectOwnership] < ownershipRank[want.ObjectOwnership] {
		w.add(FieldBucketOwnership, want.ObjectOwnership, have.ObjectOwnership, "access control lists count again")
	}
	if want.PublicAccessBlock == nil {
		return
	}
	blocks, still := want.PublicAccessBlock, given(have.PublicAccessBlock)
	for _, f := range []struct {
		name       string
		want, have bool
	}{
		{"BlockPublicAcls", blocks.BlockPublicAcls, still.BlockPublicAcls},
		{"IgnorePublicAcls", blocks.IgnorePublicAcls, still.IgnorePublicAcls},
		{"BlockPublicPolicy", blocks.BlockPublicPolicy, still.BlockPublicPolicy},
		{"RestrictPublicBuckets", blocks.RestrictPublicBuckets, still.RestrictPublicBuckets},
	} {
		w.flag(FieldBucketPublicAccess, f.want, f.have, f.name+" is off")
	}
}

// ownershipRank orders object ownership by how little access control lists count. No controls are ObjectWriter.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
var ownershipRank = map[string]int{"BucketOwnerPreferred": 1, "BucketOwnerEnforced": 2}

// fullControl contains every other permission.
const fullControl = "FULL_CONTROL"

// within reports whether other gives at least what g gives.
func (g Grant) within(other Grant) bool {
	return (g.Permission == other.Permission || other.Permission == fullControl) && string(mustJSON(g.Grantee)) == string(mustJSON(other.Grantee))
}

// isOwners reports whether the grant is the owner's own: he can always give himself everything.
func (a ACL) isOwners(g Grant) bool {
	return a.Owner != "" && g.Grantee != nil && given(g.Grantee.ID) == a.Owner
}

func (g Grant) describe() string {
	to := given(g.Grantee)
	switch uri := given(to.URI); {
	case strings.HasSuffix(uri, "/AllUsers"):
		return g.Permission + " to everybody"
	case strings.HasSuffix(uri, "/AuthenticatedUsers"):
		return g.Permission + " to every AWS account"
	case uri != "":
		return brief(g.Permission + " to the group " + uri)
	}
	return brief(g.Permission + " to the foreign account " + given(to.ID) + given(to.EmailAddress))
}

// keeping compares how log files are kept.
func (w *weakening) keeping(want, have Bucket) {
	w.flagged(FieldBucketVersioning, want.Versioning.Status, have.Versioning.Status, "what is deleted or overwritten is lost")
	w.flagged(FieldBucketMFADelete, want.Versioning.MFADelete, have.Versioning.MFADelete, "versions can be deleted without MFA")
	w.objectLock(want.ObjectLock, have.ObjectLock)
	if a, b := encryptionOf(want.Encryption), encryptionOf(have.Encryption); a.algorithm != b.algorithm || !sameKey(a.key, b.key) {
		w.add(FieldBucketEncryption, a.String(), b.String(), "new objects are encrypted otherwise")
	}
	if want.Payer == bucketOwnerPays && have.Payer != bucketOwnerPays {
		w.add(FieldBucketPayer, want.Payer, have.Payer, "CloudTrail does not deliver where the requester pays")
	}
}

// flagged compares two of AWS's states of which only "Enabled" protects.
func (w *weakening) flagged(field, want, have, note string) {
	if want == enabled && have != enabled {
		w.add(field, want, have, note)
	}
}

func (w *weakening) objectLock(want, have *ObjectLock) {
	if want == nil {
		return
	}
	old, now := want.retention(), have.retention()
	note := ""
	switch {
	case have == nil:
		note = "the bucket has no Object Lock"
	case have.days() < want.days():
		note = "log files are locked for " + strconv.FormatInt(have.days(), 10) + " days instead of " + strconv.FormatInt(want.days(), 10)
	case old.Mode == compliance && now.Mode != compliance:
		note = "the lock can be overridden"
	case old.DefaultEventHold != nil && string(mustJSON(old.DefaultEventHold)) != string(mustJSON(now.DefaultEventHold)):
		note = "the hold after events is another"
	default:
		return
	}
	w.add(FieldBucketObjectLock, string(mustJSON(want)), string(mustJSON(have)), note)
}

// encryption is how new objects are encrypted where nothing else is asked for.
type encryption struct{ algorithm, key string }

func (e encryption) String() string { return strings.TrimSpace(e.algorithm + " " + e.key) }

// encryptionOf is SSE-S3 where a bucket has no rule: what every bucket has had at least since 2023.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
func encryptionOf(rules []EncryptionRule) encryption {
	for _, r := range rules {
		if d := r.ApplyServerSideEncryptionByDefault; d != nil {
			return encryption{d.SSEAlgorithm, given(d.KMSMasterKeyID)}
		}
	}
	return encryption{algorithm: "AES256"}
}

// telling compares who learns of log files, and where copies go.
func (w *weakening) telling(want, have Bucket) {
	if lost := want.Notification.lost(have.Notification); len(lost) > 0 {
		w.add(FieldBucketNotification, string(mustJSON(want.Notification)), string(mustJSON(have.Notification)), "no longer told of new objects: "+joinSome(lost))
	}
	w.replication(want.Replication, have.Replication)
	if want.Logging != nil && string(mustJSON(want.Logging)) != string(mustJSON(have.Logging)) {
		w.add(FieldBucketLogging, string(mustJSON(want.Logging)), string(mustJSON(have.Logging)), "access to the bucket is logged elsewhere, or nowhere")
	}
}

// replication: every copy that was made must be made, and none that was not.
func (w *weakening) replication(want, have *Replication) {
	old, now := given(want), given(have)
	before, after := old.copies(), now.copies()
	say := func(note string) { w.add(FieldBucketReplication, string(mustJSON(want)), string(mustJSON(have)), note) }
	if gone := without(before, after); len(gone) > 0 {
		say("log files are no longer copied by " + brief(joinSome(gone)))
	}
	if added := without(after, before); len(added) > 0 {
		say("log files are copied elsewhere by " + brief(joinSome(added)))
	}
	if len(before) > 0 && len(after) > 0 && old.Role != now.Role {
		say("log files are copied by another role")
	}
}

// without lists what is in a and not in b, sorted.
func without(a, b map[string]bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(a)), func(k string) bool { return b[k] })
}

// copies are the enabled rules, without what does not say what is copied and where to.
func (r Replication) copies() map[string]bool {
	out := map[string]bool{}
	for _, rule := range r.Rules {
		var members map[string]any
		// A rule that is no object cannot be told from others like it, and is taken as it stands.
		if json.Unmarshal(rule, &members) != nil {
			out[string(rule)] = true
			continue
		}
		if members["Status"] != enabled {
			continue
		}
		delete(members, "ID")
		delete(members, "Priority")
		out[string(mustJSON(members))] = true
	}
	return out
}
