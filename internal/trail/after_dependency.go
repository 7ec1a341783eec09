// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
)

// errNotRead says that what a call set is not taken from its event.
var errNotRead = errors.New("what it set is not read from the event")

// afters is how a successful call changes a configuration of each kind.
var afters = map[Kind]func(content json.RawMessage, r cloudtrail.Record) (json.RawMessage, error){
	KindKey:      afterAs((*Key).after),
	KindBucket:   afterAs((*Bucket).after),
	KindTopic:    afterAs((*Topic).after),
	KindLogGroup: afterAs((*LogGroup).after),
	KindRole:     afterAs((*Role).after),
}

// AfterDependency returns the configuration of a resource of the kind as it is after a successful call on it, by the event
// alone: content is what is known of it before. A call whose event does not say in full what it set is an error, as is one
// that cannot be read.
func AfterDependency(kind Kind, content json.RawMessage, r cloudtrail.Record) (json.RawMessage, error) {
	after, ok := afters[kind]
	if !ok {
		return nil, fmt.Errorf("apply %.60s to a %s: %w", r.EventName, kind, errNotRead)
	}
	next, err := after(content, r)
	if err != nil {
		return nil, fmt.Errorf("apply %.60s to a %s: %w", r.EventName, kind, err)
	}
	return next, nil
}

// afterAs makes it of a method on the kind's own type.
func afterAs[T any](change func(*T, call) error) func(json.RawMessage, cloudtrail.Record) (json.RawMessage, error) {
	return func(content json.RawMessage, r cloudtrail.Record) (json.RawMessage, error) {
		var t T
		if err := json.Unmarshal(content, &t); err != nil {
			return nil, fmt.Errorf("read the configuration before it: %w", err)
		}
		if _, isOmitted := r.RequestParameter("omitted"); isOmitted {
			return nil, errors.New("AWS left its parameters out for their size")
		}
		if err := change(&t, call{r}); err != nil {
			return nil, err
		}
		return mustJSON(t), nil
	}
}

// call is one as its event shows it.
type call struct{ cloudtrail.Record }

// text is a parameter, which must be there.
func (r call) text(path ...string) (string, error) {
	v, ok := r.RequestParameter(path...)
	if !ok {
		return "", fmt.Errorf("the event has no %s", strings.Join(path, "."))
	}
	return v, nil
}

// policy is a policy document among the parameters, in its canonical form.
func (r call) policy(member string) (json.RawMessage, error) {
	document, err := r.text(member)
	return CanonicalPolicy(document), err
}

// object decodes a parameter that is an object.
func (r call) object(member string, into any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(r.RequestParameters, &members); err != nil {
		return err
	}
	if len(members[member]) == 0 {
		return fmt.Errorf("the event has no %s", member)
	}
	return json.Unmarshal(members[member], into)
}

func (k *Key) after(r call) (err error) {
	switch r.EventName {
	case "DisableKey", "CancelKeyDeletion":
		k.KeyState = KeyDisabled
	case "EnableKey":
		k.KeyState = KeyEnabled
	case "ScheduleKeyDeletion":
		k.KeyState = KeyPendingDeletion
	case "DeleteImportedKeyMaterial":
		k.KeyState = KeyPendingImport
	case "PutKeyPolicy":
		k.Policy, err = r.policy("policy")
	case "DeleteAlias":
		var name string
		name, err = r.text("aliasName")
		k.Aliases = slices.DeleteFunc(k.Aliases, func(a string) bool { return a == name })
	case "RevokeGrant":
		var id string
		id, err = r.text("grantId")
		k.Grants = slices.DeleteFunc(k.Grants, func(g KeyGrant) bool { return g.GrantID == id })
	default:
		err = errNotRead
	}
	return err
}

// after leaves to people what S3 takes as lists in XML, which CloudTrail writes in forms of its own.
func (b *Bucket) after(r call) (err error) {
	switch r.EventName {
	case "DeleteBucket":
		*b = Bucket{}
	case "PutBucketPolicy":
		var document json.RawMessage
		if err := r.object("bucketPolicy", &document); err != nil {
			return err
		}
		b.Policy, err = CanonicalBucketPolicy(string(document))
	case "DeleteBucketPolicy":
		b.Policy = nil
	case "PutBucketRequestPayment":
		b.Payer, err = r.text("RequestPaymentConfiguration", "Payer")
	case "PutBucketVersioning":
		b.Versioning.Status, err = r.text("VersioningConfiguration", "Status")
		if mfa, ok := r.RequestParameter("VersioningConfiguration", "MfaDelete"); ok {
			b.Versioning.MFADelete = mfa
		}
	case "PutBucketPublicAccessBlock":
		b.PublicAccessBlock = &PublicAccessBlock{}
		err = r.object("PublicAccessBlockConfiguration", b.PublicAccessBlock)
	case "DeleteBucketPublicAccessBlock":
		b.PublicAccessBlock = nil
	case "DeleteBucketOwnershipControls":
		b.ObjectOwnership = ""
	case "DeleteBucketEncryption":
		b.Encryption = nil
	case "DeleteBucketLifecycle":
		b.Lifecycle = nil
	case "DeleteBucketReplication":
		b.Replication = nil
	default:
		err = errNotRead
	}
	return err
}

func (t *Topic) after(r call) (err error) {
	switch r.EventName {
	case "DeleteTopic":
		*t = Topic{}
	case "SetTopicAttributes":
		var name, value string
		if name, err = r.text("attributeName"); err != nil {
			return err
		}
		value, _ = r.RequestParameter("attributeValue") // none empties it
		switch name {
		case FieldPolicy:
			t.Policy = CanonicalPolicy(value)
		case FieldTopicKey:
			t.KmsMasterKeyId = value
		default:
			err = errNotRead
		}
	case "Unsubscribe":
		var id string
		id, err = r.text("subscriptionArn")
		t.Subscriptions = slices.DeleteFunc(t.Subscriptions, func(s TopicSubscription) bool { return s.ARN == id })
	default:
		err = errNotRead
	}
	return err
}

func (g *LogGroup) after(r call) (err error) {
	var name string
	switch r.EventName {
	case "DeleteLogGroup":
		*g = LogGroup{}
	case "PutRetentionPolicy":
		var text string
		if text, err = r.text("retentionInDays"); err != nil {
			return err
		}
		n, err := strconv.ParseInt(text, 10, 32)
		g.RetentionInDays = int32(n)
		return err
	case "DeleteRetentionPolicy":
		g.RetentionInDays = 0
	case "DeleteMetricFilter":
		name, err = r.text("filterName")
		g.MetricFilters = slices.DeleteFunc(g.MetricFilters, func(f MetricFilter) bool { return f.FilterName == name })
	case "DeleteSubscriptionFilter":
		name, err = r.text("filterName")
		g.SubscriptionFilters = slices.DeleteFunc(g.SubscriptionFilters, func(f SubscriptionFilter) bool { return f.FilterName == name })
	case "AssociateKmsKey":
		g.KmsKeyId, err = r.text("kmsKeyId")
	case "DisassociateKmsKey":
		g.KmsKeyId = ""
	case "PutDataProtectionPolicy":
		g.DataProtectionPolicy, err = r.policy("policyDocument")
	default:
		err = errNotRead
	}
	return err
}

func (r *Role) after(c call) (err error) {
	var name string
	switch c.EventName {
	case "DeleteRole":
		*r = Role{}
	case "UpdateAssumeRolePolicy":
		r.AssumeRolePolicyDocument, err = c.policy("policyDocument")
	case "PutRolePolicy":
		if name, err = c.text("policyName"); err != nil {
			return err
		}
		if r.RolePolicyList == nil {
			r.RolePolicyList = map[string]json.RawMessage{}
		}
		r.RolePolicyList[name], err = c.policy("policyDocument")
	case "DeleteRolePolicy":
		name, err = c.text("policyName")
		delete(r.RolePolicyList, name)
	case "DetachRolePolicy":
		name, err = c.text("policyArn")
		r.AttachedManagedPolicies = slices.DeleteFunc(r.AttachedManagedPolicies, func(p AttachedPolicy) bool { return p.PolicyArn == name })
	case "PutRolePermissionsBoundary":
		r.PermissionsBoundary, err = c.text("permissionsBoundary")
	case "DeleteRolePermissionsBoundary":
		r.PermissionsBoundary = ""
	default:
		err = errNotRead
	}
	return err
}

// ChangedDependency lists the fields in which b differs from a in either direction, as differences name them, in a fixed
// order.
func ChangedDependency(kind Kind, a, b json.RawMessage) ([]string, error) {
	there, err := WeakenedDependency(kind, a, b)
	if err != nil {
		return nil, err
	}
	back, err := WeakenedDependency(kind, b, a)
	if err != nil {
		return nil, err
	}
	return fieldsOf(append(there, back...)), nil
}

// members are the members of a configuration that differences do not name as they are spelt.
var members = map[Kind]map[string]string{KindBucket: {
	FieldBucketLifecycle: "Lifecycle", FieldBucketMFADelete: "Versioning", FieldBucketObjectLock: "ObjectLock",
	FieldBucketEncryption: "Encryption", FieldBucketACL: "ACL", FieldBucketNotification: "Notification",
	FieldBucketReplication: "Replication", FieldBucketLogging: "Logging",
}}

// WithField returns a configuration with one field, named as differences name it, as it is in from. Whether there is a
// resource at all is all of it; of a list whose members are fields, the whole list is taken.
func WithField(kind Kind, content json.RawMessage, field string, from json.RawMessage) (json.RawMessage, error) {
	if field == FieldExists {
		return from, nil
	}
	var into, source map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(content, &into), json.Unmarshal(from, &source)); err != nil || into == nil {
		return nil, fmt.Errorf("take over %.60s of a %s: %w", field, kind, err)
	}
	member, _, _ := strings.Cut(field, ".")
	if m, ok := members[kind][field]; ok {
		member = m
	}
	if v, ok := source[member]; ok {
		into[member] = v
	} else {
		delete(into, member)
	}
	return mustJSON(into), nil
}
