// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action/restoretest"
	_ "github.com/switchback-project/switchback/internal/action/s3"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

const (
	restoreBucket = "s3:RestoreBucket"
	account       = restoretest.Account
	logs          = "logs-111122223333"
	copies        = "copies-111122223333"
)

// bucket is a trail's bucket while it is attacked.
type bucket struct {
	*restoretest.Scene
	*api.Client
	name, owner *string
}

func of(s *restoretest.Scene) bucket { return named(s, logs) }

func named(s *restoretest.Scene, name string) bucket {
	client := api.NewFromConfig(s.Admin, func(o *api.Options) { o.UsePathStyle = true })
	return bucket{s, client, aws.String(name), aws.String(account)}
}

func (b bucket) arn() string { return string(arn.Bucket(b.Region, *b.name)) }

func (b bucket) make(withLock bool) {
	in := &api.CreateBucketInput{Bucket: b.name, ObjectLockEnabledForBucket: aws.Bool(withLock)}
	if b.Region != arn.Partitions()[0].GlobalRegion {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(b.Region)}
	}
	restoretest.OK(b.CreateBucket(b.Context(), in))(b)
}

// policy lets CloudTrail deliver and forbids what is not encrypted on its way; more are further statements.
func (b bucket) policy(more ...string) string {
	service := `{"Service":"` + arn.ServiceHost("cloudtrail") + `"}`
	statements := append([]string{
		`{"Sid":"Check","Effect":"Allow","Principal":` + service + `,"Action":"s3:GetBucketAcl","Resource":"` + b.arn() + `"}`,
		`{"Sid":"Write","Effect":"Allow","Principal":` + service + `,"Action":"s3:PutObject","Resource":"` + b.arn() + `/AWSLogs/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}`,
	}, more...)
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func (b bucket) deny(actions string) string {
	return `{"Effect":"Deny","Principal":"*","Action":[` + actions + `],"Resource":["` + b.arn() + `","` + b.arn() + `/*"]}`
}

func (b bucket) putPolicy(document string) {
	restoretest.OK(b.PutBucketPolicy(b.Context(), &api.PutBucketPolicyInput{Bucket: b.name, Policy: &document}))(b)
}

func (b bucket) putVersioning(status types.BucketVersioningStatus) {
	restoretest.OK(b.PutBucketVersioning(b.Context(), &api.PutBucketVersioningInput{Bucket: b.name, VersioningConfiguration: &types.VersioningConfiguration{Status: status}}))(b)
}

func (b bucket) putOwnership(o types.ObjectOwnership) {
	restoretest.OK(b.PutBucketOwnershipControls(b.Context(), &api.PutBucketOwnershipControlsInput{
		Bucket: b.name, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: o}}},
	}))(b)
}

func (b bucket) putBlock(on bool) { b.putBlocks(on, on) }

func (b bucket) putBlocks(lists, policies bool) {
	restoretest.OK(b.PutPublicAccessBlock(b.Context(), &api.PutPublicAccessBlockInput{Bucket: b.name, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
		BlockPublicAcls: &lists, IgnorePublicAcls: &lists, BlockPublicPolicy: &policies, RestrictPublicBuckets: &policies,
	}}))(b)
}

func (b bucket) putEncryption(key string) {
	restoretest.OK(b.PutBucketEncryption(b.Context(), &api.PutBucketEncryptionInput{Bucket: b.name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String(b.ARN("kms", "key/"+key))},
			BucketKeyEnabled:                   aws.Bool(true),
		}},
	}}))(b)
}

func (b bucket) putLifecycle(days int32) {
	restoretest.OK(b.PutBucketLifecycleConfiguration(b.Context(), &api.PutBucketLifecycleConfigurationInput{Bucket: b.name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
		Rules: []types.LifecycleRule{{
			ID: aws.String("expire"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
			Expiration: &types.LifecycleExpiration{Days: &days}, AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)},
		}},
	}}))(b)
}

func (b bucket) putLock(rule *types.ObjectLockRule) {
	restoretest.OK(b.PutObjectLockConfiguration(b.Context(), &api.PutObjectLockConfigurationInput{Bucket: b.name, ObjectLockConfiguration: &types.ObjectLockConfiguration{
		ObjectLockEnabled: types.ObjectLockEnabledEnabled, Rule: rule,
	}}))(b)
}

func lockFor(days int32) *types.ObjectLockRule {
	return &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: &days}}
}

func (b bucket) queue(name string) string {
	restoretest.OK(sqs.NewFromConfig(b.Admin).CreateQueue(b.Context(), &sqs.CreateQueueInput{QueueName: &name}))(b)
	return b.ARN("sqs", name)
}

func (b bucket) putNotifications(queues ...types.QueueConfiguration) {
	restoretest.OK(b.PutBucketNotificationConfiguration(b.Context(), &api.PutBucketNotificationConfigurationInput{
		Bucket: b.name, NotificationConfiguration: &types.NotificationConfiguration{QueueConfigurations: queues},
	}))(b)
}

func created(id, queue string) types.QueueConfiguration {
	return types.QueueConfiguration{Id: &id, QueueArn: &queue, Events: []types.Event{"s3:ObjectCreated:*"}}
}

func removed(id, queue string) types.QueueConfiguration {
	return types.QueueConfiguration{Id: &id, QueueArn: &queue, Events: []types.Event{"s3:ObjectRemoved:*"}}
}

func (b bucket) replicate(to string) {
	restoretest.OK(b.PutBucketReplication(b.Context(), &api.PutBucketReplicationInput{Bucket: b.name, ReplicationConfiguration: &types.ReplicationConfiguration{
		Role: aws.String(b.Global(account, "role/copy")),
		Rules: []types.ReplicationRule{{
			ID: aws.String("copy"), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled, Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")},
			DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled},
			Destination:             &types.Destination{Bucket: aws.String(named(b.Scene, to).arn())},
		}},
	}}))(b)
}

func (b bucket) putLogging(to *types.LoggingEnabled) {
	restoretest.OK(b.PutBucketLogging(b.Context(), &api.PutBucketLoggingInput{Bucket: b.name, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: to}}))(b)
}

func (b bucket) putACL(acl types.BucketCannedACL) {
	restoretest.OK(b.PutBucketAcl(b.Context(), &api.PutBucketAclInput{Bucket: b.name, ACL: acl}))(b)
}

func (b bucket) delete() {
	restoretest.OK(b.DeleteBucket(b.Context(), &api.DeleteBucketInput{Bucket: b.name}))(b)
}

func dependency(s *restoretest.Scene) trail.Dependency {
	return trail.Dependency{Kind: trail.KindBucket, ARN: arn.Bucket(s.Region, logs), Account: account, Region: s.Region}
}

// plain is a bucket as AWS's guide for trails has it, versioned, with more.
func plain(more ...func(b bucket)) func(*restoretest.Scene) trail.Dependency {
	return func(s *restoretest.Scene) trail.Dependency {
		b := of(s)
		b.make(false)
		b.furnish(more)
		return dependency(s)
	}
}

func (b bucket) furnish(more []func(b bucket)) {
	b.putBlock(true)
	b.putOwnership(types.ObjectOwnershipBucketOwnerEnforced)
	b.putVersioning(types.BucketVersioningStatusEnabled)
	b.putPolicy(b.policy())
	for _, f := range more {
		f(b)
	}
}

// locked is such a bucket with Object Lock.
func locked(more ...func(b bucket)) func(*restoretest.Scene) trail.Dependency {
	return func(s *restoretest.Scene) trail.Dependency {
		b := of(s)
		b.make(true)
		b.furnish(append([]func(b bucket){func(b bucket) { b.putLock(lockFor(30)) }}, more...))
		return dependency(s)
	}
}

func withKey(b bucket)          { b.putEncryption("ours") }
func withLifecycle(b bucket)    { b.putLifecycle(400) }
func withNotification(b bucket) { b.putNotifications(created("ours", b.queue("ours"))) }
func withAccessLog(b bucket) {
	b.putLogging(&types.LoggingEnabled{TargetBucket: aws.String(copies), TargetPrefix: aws.String("access/")})
}
func withoutReplicas(b bucket) {
	restoretest.OK(b.DeleteBucketReplication(b.Context(), &api.DeleteBucketReplicationInput{Bucket: b.name}))(b)
}
func withoutPolicy(b bucket) {
	restoretest.OK(b.DeleteBucketPolicy(b.Context(), &api.DeleteBucketPolicyInput{Bucket: b.name}))(b)
}
func withoutBlock(b bucket) {
	restoretest.OK(b.DeletePublicAccessBlock(b.Context(), &api.DeletePublicAccessBlockInput{Bucket: b.name}))(b)
}
func withoutVersioning(b bucket) { b.putVersioning(types.BucketVersioningStatusSuspended) }

func withoutOwnership(b bucket) {
	restoretest.OK(b.DeleteBucketOwnershipControls(b.Context(), &api.DeleteBucketOwnershipControlsInput{Bucket: b.name}))(b)
}

func withRequester(b bucket) {
	restoretest.OK(b.PutBucketRequestPayment(b.Context(), &api.PutBucketRequestPaymentInput{
		Bucket: b.name, RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: types.PayerRequester},
	}))(b)
}

// withCopies makes a bucket that copies and access logs go to.
func withCopies(b bucket) {
	c := named(b.Scene, copies)
	c.make(false)
	c.putVersioning(types.BucketVersioningStatusEnabled)
	c.putPolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"` + c.arn() + `/*"}]}`)
}

func withReplicas(b bucket) { b.replicate(copies) }

func withPublicACL(b bucket) {
	b.putBlock(false)
	b.putOwnership(types.ObjectOwnershipObjectWriter)
	b.putACL(types.BucketCannedACLPublicReadWrite)
}

// attack does several things to the bucket.
func attack(all ...func(b bucket)) func(*restoretest.Scene) {
	return func(s *restoretest.Scene) {
		for _, f := range all {
			f(of(s))
		}
	}
}

// fortress has something of everything.
var fortress = []func(b bucket){withKey, withLifecycle, withNotification, withCopies, withReplicas, withAccessLog}

// routes are those of the reference that need several calls, or are special, and all parts at once. Each is killed at every
// step.
var routes = []restoretest.Route{
	{
		Name: "policy that keeps us from the rest", Build: plain(), Calls: []string{"PutBucketPolicy", "PutBucketVersioning", "PutBucketRequestPayment"},
		NotInMoto: "does not evaluate policies",
		Damage: attack(withoutVersioning, withRequester, func(b bucket) {
			b.putPolicy(b.policy(b.deny(`"s3:PutBucketVersioning","s3:PutBucketRequestPayment","s3:PutObject"`)))
		}),
	},
	{
		Name: "fortress deleted", Build: locked(fortress...), NoUndo: true, Region: "us-east-1",
		Calls: []string{
			"CreateBucket", "PutObjectLockConfiguration", "PutBucketEncryption", "PutBucketPolicy", "PutBucketNotificationConfiguration",
			"PutBucketReplication", "PutBucketLogging",
		},
		Damage: attack(func(b bucket) { b.delete() }),
	},
	{
		Name: "everything weaker", Build: locked(fortress...),
		Calls: []string{
			"PutBucketAcl", "PutBucketOwnershipControls", "PutPublicAccessBlock", "PutObjectLockConfiguration", "PutBucketEncryption", "PutBucketPolicy",
			"PutBucketLifecycleConfiguration", "PutBucketNotificationConfiguration", "PutBucketReplication", "PutBucketLogging",
		},
		Damage: attack(withPublicACL, withoutPolicy, withoutReplicas, func(b bucket) {
			b.putLock(lockFor(1))
			b.putEncryption("evil")
			b.putLifecycle(1)
			b.putNotifications()
			b.putLogging(nil)
		}),
	},
	{
		Name: "what a plain bucket has not", Build: plain(withCopies),
		Calls:  []string{"DeleteBucketLifecycle", "DeleteBucketReplication"},
		Damage: attack(withLifecycle, withReplicas),
	},
	{
		Name: "what a plain bucket has", Build: plain(), Calls: []string{"PutBucketOwnershipControls", "PutPublicAccessBlock", "PutBucketVersioning", "PutBucketPolicy"},
		Damage: attack(withoutOwnership, withoutBlock, withoutVersioning, withoutPolicy),
	},
}

// leavesMore begins the names of routes after which the bucket is better than before.
const leavesMore = "better: "

// partRoutes weaken one part alone, or leave something that is more than before.
var partRoutes = []restoretest.Route{
	{
		Name: "policy replaced", Build: plain(), Calls: []string{"PutBucketPolicy"}, Region: "us-gov-west-1",
		Damage: attack(func(b bucket) {
			b.putPolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:*","Resource":"` + b.arn() + `/*"}]}`)
		}),
	},
	{
		Name: "access control list made public", Build: plain(), Calls: []string{"PutBucketAcl", "PutBucketOwnershipControls", "PutPublicAccessBlock"},
		Damage: attack(withPublicACL),
	},
	{
		Name: leavesMore + "one part up, one down", Build: locked(withKey), Calls: []string{"PutBucketEncryption"},
		Damage: attack(func(b bucket) {
			b.putLock(lockFor(60))
			b.putEncryption("evil")
		}),
	},
	{
		Name: leavesMore + "one block up, one down", Calls: []string{"PutPublicAccessBlock"},
		Build:  plain(func(b bucket) { b.putBlocks(true, false) }),
		Damage: attack(func(b bucket) { b.putBlocks(false, true) }),
	},
	{Name: "policy deleted", Build: plain(), Calls: []string{"PutBucketPolicy"}, Region: "cn-north-1", Damage: attack(withoutPolicy)},
	{
		Name: "policy made public", Build: plain(), Calls: []string{"PutPublicAccessBlock", "PutBucketPolicy"},
		Damage: attack(withoutBlock, func(b bucket) {
			b.putPolicy(b.policy(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"` + b.arn() + `/*"}`))
		}),
	},
	{
		Name: "expiry sooner", Build: plain(withLifecycle), Calls: []string{"PutBucketLifecycleConfiguration"},
		Damage: attack(func(b bucket) { b.putLifecycle(1) }),
	},
	{
		Name: "expiry where there was none", Build: plain(), Calls: []string{"DeleteBucketLifecycle"},
		Damage: attack(func(b bucket) { b.putLifecycle(1) }),
	},
	{Name: "versioning suspended", Build: plain(), Calls: []string{"PutBucketVersioning"}, Damage: attack(withoutVersioning)},
	{
		Name: "lock shortened", Build: locked(), Calls: []string{"PutObjectLockConfiguration"},
		Damage: attack(func(b bucket) { b.putLock(lockFor(1)) }),
	},
	{
		Name: "lock's retention gone", Build: locked(), Calls: []string{"PutObjectLockConfiguration"},
		Damage: attack(func(b bucket) { b.putLock(nil) }),
	},
	{
		Name: "other key", Build: plain(withKey), Calls: []string{"PutBucketEncryption"},
		Damage: attack(func(b bucket) { b.putEncryption("evil") }),
	},
	{
		Name: "encryption put on", Build: plain(), Calls: []string{"PutBucketEncryption"},
		Damage: attack(func(b bucket) { b.putEncryption("evil") }),
	},
	{
		Name: "block of public access off", Build: plain(), Calls: []string{"PutPublicAccessBlock"},
		Damage: attack(func(b bucket) { b.putBlock(false) }),
	},
	{Name: "block of public access gone", Build: plain(), Calls: []string{"PutPublicAccessBlock"}, Damage: attack(withoutBlock)},
	{Name: "ownership controls gone", Build: plain(), Calls: []string{"PutBucketOwnershipControls"}, Damage: attack(withoutOwnership)},
	{
		Name: "notifications gone", Build: plain(withNotification), Calls: []string{"PutBucketNotificationConfiguration"},
		Damage: attack(func(b bucket) { b.putNotifications() }),
	},
	{
		Name: leavesMore + "notifications to others instead", Build: plain(withNotification), Calls: []string{"PutBucketNotificationConfiguration"},
		Damage: attack(func(b bucket) {
			b.putNotifications(created("evil", b.queue("evil")), removed("theirs", b.queue("theirs")))
		}),
	},
	{
		Name: "replication gone", Build: plain(withCopies, withReplicas), Calls: []string{"PutBucketReplication"},
		Damage: attack(withoutReplicas),
	},
	{
		Name: "replication to another bucket", Build: plain(), Calls: []string{"DeleteBucketReplication"},
		Damage: attack(withCopies, withReplicas),
	},
	{
		Name: "access log off", Build: plain(withCopies, withAccessLog), Calls: []string{"PutBucketLogging"},
		Damage: attack(func(b bucket) { b.putLogging(nil) }),
	},
}

func TestRestoreBucket(t *testing.T) {
	restoretest.Run(t, restoretest.Suite{
		Action: restoreBucket, Routes: routes,
		// To replicate is to pass a role; whose a bucket is that does not answer is found in the account's list.
		Implied: []string{"iam:PassRole", "s3:ListAllMyBuckets"},
	})
}

// TestRestoreEachPart puts back, reads back, repeats and undoes.
func TestRestoreEachPart(t *testing.T) {
	for _, r := range partRoutes {
		t.Run(r.Name, func(t *testing.T) {
			s := restoretest.InSandbox(t, nil, r.Region)
			s.TakeBaseline(r.Build(s))
			good := string(s.Read())
			r.Damage(s)
			damaged := string(s.Read())
			if len(s.Weaknesses()) == 0 {
				t.Fatal("the damage is no weakness")
			}
			before := len(s.Sandbox.Mutations())
			for i, want := range []bool{true, false} {
				out, err := s.Run(restoreBucket, fmt.Sprint(i))
				restoretest.Must(t, err)
				if out.Changed != want {
					t.Errorf("run %d is %+v", i+1, out)
				}
			}
			if diff := cmp.Diff(r.Calls, s.Changes(before)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if w := s.Weaknesses(); len(w) > 0 || !strings.HasPrefix(r.Name, leavesMore) && string(s.Read()) != good {
				t.Errorf("still weaker in %q:\n%s\nwant\n%s", w, s.Read(), good)
			}
			restoretest.Must(t, s.Undo(restoreBucket))
			if diff := cmp.Diff(damaged, string(s.Read())); diff != "" {
				t.Errorf("undone (-want +got):\n%s", diff)
			}
		})
	}
}
