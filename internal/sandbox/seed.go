// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsaccount "github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
)

// Seed says what [Sandbox.Seed] builds. The zero value works.
type Seed struct {
	// Account is 12 digits; "" is 111122223333.
	Account string
	// Region is the home of everything and decides the partition; "" is the first partition's global region.
	Region string
	// Alias names the account; it may stay empty.
	Alias string
	// Trail is the trail's name; "" is "main".
	Trail string
	// Users get an access key each; the first may assume Role. None is alice and bob.
	Users []string
	// Mail is the domain of the e-mail tags and of the security contact; "" is example.com.
	Mail string
	// Role is the name of the role that the first user may assume; "" is "Deploy".
	Role string
}

// Seeded is what is there after [Sandbox.Seed].
type Seeded struct {
	Account, Partition, Region string
	// TrailARN is a multi-region trail that logs, with log file validation, into Bucket with the key of KeyARN.
	TrailARN, Bucket, KeyARN string
	// QueueURL receives the account's CloudTrail events of all regions; what fails five times goes to DeadLetterURL.
	QueueURL, DeadLetterURL string
	// AccessKeys are the users' keys by name.
	AccessKeys map[string]string
	// RoleARN is the role that the first user may assume.
	RoleARN string
	// ResponderARN is a role that trusts the gate's own principal (gate.BackendAccessKeyID), for accounts that the
	// gate reaches by role.
	ResponderARN string
	// SecurityContact is the address of the account's security contact.
	SecurityContact string
}

const (
	seedAccount     = "111122223333"
	responderUser   = "switchback"
	responderRole   = "SwitchbackResponder"
	eventQueue      = "switchback-events"
	deadLetterQueue = "switchback-events-dead"
	trailKeyAlias   = "alias/switchback-trail"
)

func (x Seed) withDefaults() Seed {
	x.Account = cmp.Or(x.Account, seedAccount)
	x.Region = cmp.Or(x.Region, arn.Partitions()[0].GlobalRegion)
	x.Trail = cmp.Or(x.Trail, "main")
	x.Mail = cmp.Or(x.Mail, "example.com")
	x.Role = cmp.Or(x.Role, "Deploy")
	if len(x.Users) == 0 {
		x.Users = []string{"alice", "bob"}
	}
	return x
}

// Seed builds an account to play in: users, a role that the first of them may assume, a multi-region trail that logs
// into a bucket of its own with a key of its own, a queue that gets the events, a security contact, and the principal
// that the gate acts as. An account that was seeded before, in this process or in the state file, is left as it is.
func (s *Sandbox) Seed(ctx context.Context, x Seed) (Seeded, error) {
	x = x.withDefaults()
	partition := arn.PartitionOf(x.Region).ID
	if err := s.AddAccount(x.Account, partition, x.Alias); err != nil {
		return Seeded{}, fmt.Errorf("seed account %s: %w", x.Account, err)
	}
	g, err := s.gardener(x.Account, x.Region)
	if err != nil {
		return Seeded{}, err
	}
	out := g.plan(x, partition)
	steps := []func(context.Context, Seed, *Seeded) error{g.people, g.role, g.responder, g.contact, g.trail, g.queue}
	if g.finished() {
		steps = []func(context.Context, Seed, *Seeded) error{g.findKey}
	}
	for _, step := range steps {
		if err := step(ctx, x, &out); err != nil {
			return Seeded{}, fmt.Errorf("seed account %s: %w", x.Account, err)
		}
	}
	return out, s.set("Seeded", &markInput{x.Account})
}

// SeedTrail puts one trail in the recommended state, by its ARN: it logs in all regions, with log file validation, into
// a bucket of its own with a key of its own. The account is added if it is missing. A trail that is there is left alone.
func (s *Sandbox) SeedTrail(ctx context.Context, trailARN string) error {
	p, err := arn.Parse(trailARN)
	if err != nil || p.Service != "cloudtrail" {
		return fmt.Errorf("seed trail %.200q: not the ARN of a trail", trailARN)
	}
	if err := s.AddAccount(p.AccountID, p.Partition, ""); err != nil {
		return fmt.Errorf("seed trail: %w", err)
	}
	g, err := s.gardener(p.AccountID, p.Region)
	if err != nil {
		return err
	}
	if g.hasTrail(trailARN) {
		return nil
	}
	x := Seed{Account: p.AccountID, Region: p.Region, Trail: p.Name()}.withDefaults()
	out := g.plan(x, p.Partition)
	if err := g.trail(ctx, x, &out); err != nil {
		return fmt.Errorf("seed trail %s: %w", trailARN, err)
	}
	return nil
}

func markSeeded(c *call, in *markInput) (*done, error) {
	a, ok := c.s.accounts[in.Account]
	if !ok {
		return nil, invalid("AccountNotFoundException", "account %.40q is not there", in.Account)
	}
	c.same = a.seeded
	a.seeded = true
	return &done{}, nil
}

// gardener builds accounts as their root, by calls like anybody's.
type gardener struct {
	s               *Sandbox
	account, region string
	key             string
}

func (s *Sandbox) gardener(account, region string) (gardener, error) {
	root, err := s.Root(account)
	if err != nil {
		return gardener{}, err
	}
	return gardener{s, account, region, root.AccessKeyID}, nil
}

// ask makes a call. An error whose code is in fine counts as success, without an output.
func ask[O any](ctx context.Context, g gardener, svc *service, operation string, in any, fine ...string) (*O, error) {
	out, err := g.s.Do(ctx, gate.Request{
		Account: g.account, Region: g.region, Service: svc.id, Operation: operation, Input: in,
		AccessKeyID: g.key, UserAgent: "switchback-sandbox",
	})
	var known smithy.APIError
	if errors.As(err, &known) {
		for _, code := range fine {
			if known.ErrorCode() == code {
				return nil, nil // there already
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", svc.id, operation, err)
	}
	return out.(*O), nil
}

// plan names everything that is going to be.
func (g gardener) plan(x Seed, partition string) Seeded {
	global := func(resource string) string {
		return arn.Parts{Partition: partition, Service: "iam", AccountID: x.Account, Resource: resource}.String()
	}
	out := Seeded{
		Account: x.Account, Partition: partition, Region: x.Region,
		TrailARN: string(arn.Trail(x.Region, x.Account, x.Trail)), Bucket: "switchback-trail-" + x.Account + "-" + x.Region,
		QueueURL: queueURL(x.Region, x.Account, eventQueue), DeadLetterURL: queueURL(x.Region, x.Account, deadLetterQueue),
		AccessKeys: map[string]string{}, RoleARN: global("role/" + x.Role), ResponderARN: global("role/" + responderRole),
		SecurityContact: "security@" + x.Mail,
	}
	for _, name := range x.Users {
		out.AccessKeys[name] = g.ids("user/" + name).accessKey("AKIA")
	}
	return out
}

// ids are those of a seeded thing: they do not depend on what was called before.
func (g gardener) ids(thing string) *ids { return newIDs(g.s.seed, "seed "+g.account+" "+thing) }

func (g gardener) finished() bool {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	return g.s.accounts[g.account].seeded
}

func (g gardener) hasTrail(trailARN string) bool {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	for _, t := range g.s.accounts[g.account].trails {
		if t.arn == trailARN {
			return true
		}
	}
	return false
}

// person adds a user with a key of a known id.
func (g gardener) person(partition, name, key string) error {
	_, err := g.s.AddPrincipal(cloudtrail.UserIdentity{
		Type: cloudtrail.IdentityIAMUser, UserName: name, AccountID: g.account, AccessKeyID: key,
		PrincipalID: g.ids("id of user/" + name).unique("AIDA"),
		ARN:         arn.Parts{Partition: partition, Service: "iam", AccountID: g.account, Resource: "user/" + name}.String(),
	})
	return err
}

func (g gardener) people(ctx context.Context, x Seed, out *Seeded) error {
	for _, name := range x.Users {
		if err := g.person(out.Partition, name, out.AccessKeys[name]); err != nil {
			return err
		}
		_, err := ask[iam.TagUserOutput](ctx, g, iamService, "TagUser", &iam.TagUserInput{
			UserName: aws.String(name), Tags: []iamtypes.Tag{{Key: aws.String("email"), Value: aws.String(name + "@" + x.Mail)}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (g gardener) role(ctx context.Context, x Seed, out *Seeded) error {
	first := arn.Parts{Partition: out.Partition, Service: "iam", AccountID: g.account, Resource: "user/" + x.Users[0]}.String()
	_, err := ask[iam.CreateRoleOutput](ctx, g, iamService, "CreateRole", &iam.CreateRoleInput{
		RoleName: aws.String(x.Role), AssumeRolePolicyDocument: aws.String(trustPolicy(first)),
	}, "EntityAlreadyExists")
	return err
}

// responder adds the gate's principal to the first account and a role that trusts it to each.
func (g gardener) responder(ctx context.Context, _ Seed, out *Seeded) error {
	creds, err := g.s.Credentials(gate.BackendAccessKeyID)
	if err != nil {
		if err := g.person(out.Partition, responderUser, gate.BackendAccessKeyID); err != nil {
			return err
		}
		creds.AccountID = g.account
	}
	user := arn.Parts{Partition: out.Partition, Service: "iam", AccountID: creds.AccountID, Resource: "user/" + responderUser}.String()
	_, err = ask[iam.CreateRoleOutput](ctx, g, iamService, "CreateRole", &iam.CreateRoleInput{
		RoleName: aws.String(responderRole), AssumeRolePolicyDocument: aws.String(trustPolicy(user)),
	}, "EntityAlreadyExists")
	return err
}

func (g gardener) contact(ctx context.Context, _ Seed, out *Seeded) error {
	_, err := ask[awsaccount.PutAlternateContactOutput](ctx, g, accountService, "PutAlternateContact", &awsaccount.PutAlternateContactInput{
		AlternateContactType: accounttypes.AlternateContactTypeSecurity, Name: aws.String("Security Team"), Title: aws.String("On call"),
		EmailAddress: aws.String(out.SecurityContact), PhoneNumber: aws.String("+1-555-0100"),
	})
	return err
}

// trail makes key, bucket, policy and trail, and starts it.
func (g gardener) trail(ctx context.Context, x Seed, out *Seeded) error {
	if err := g.trailKey(ctx, out); err != nil {
		return err
	}
	if err := g.trailBucket(ctx, out); err != nil {
		return err
	}
	_, err := ask[cloudtrailapi.CreateTrailOutput](ctx, g, cloudtrailService, "CreateTrail", &cloudtrailapi.CreateTrailInput{
		Name: aws.String(x.Trail), S3BucketName: aws.String(out.Bucket), KmsKeyId: aws.String(out.KeyARN),
		IsMultiRegionTrail: aws.Bool(true), IncludeGlobalServiceEvents: aws.Bool(true), EnableLogFileValidation: aws.Bool(true),
	}, "TrailAlreadyExistsException")
	if err != nil {
		return err
	}
	_, err = ask[cloudtrailapi.StartLoggingOutput](ctx, g, cloudtrailService, "StartLogging", &cloudtrailapi.StartLoggingInput{Name: aws.String(out.TrailARN)})
	return err
}

// trailKey finds or makes the key of the account's trails in the region.
func (g gardener) trailKey(ctx context.Context, out *Seeded) error {
	if err := g.findKey(ctx, Seed{}, out); err != nil || out.KeyARN != "" {
		return err
	}
	made, err := ask[kms.CreateKeyOutput](ctx, g, kmsService, "CreateKey", &kms.CreateKeyInput{
		Description: aws.String("CloudTrail log files"), Policy: aws.String(keyPolicy(out)),
	})
	if err != nil {
		return err
	}
	out.KeyARN = *made.KeyMetadata.Arn
	_, err = ask[kms.CreateAliasOutput](ctx, g, kmsService, "CreateAlias", &kms.CreateAliasInput{
		AliasName: aws.String(trailKeyAlias), TargetKeyId: made.KeyMetadata.KeyId,
	})
	return err
}

func (g gardener) findKey(ctx context.Context, _ Seed, out *Seeded) error {
	found, err := ask[kms.DescribeKeyOutput](ctx, g, kmsService, "DescribeKey", &kms.DescribeKeyInput{KeyId: aws.String(trailKeyAlias)}, "NotFoundException")
	if err != nil || found == nil {
		return err
	}
	out.KeyARN = *found.KeyMetadata.Arn
	return nil
}

func (g gardener) trailBucket(ctx context.Context, out *Seeded) error {
	in := &s3.CreateBucketInput{Bucket: aws.String(out.Bucket)}
	if g.region != arn.Partitions()[0].GlobalRegion {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(g.region)}
	}
	if _, err := ask[s3.CreateBucketOutput](ctx, g, s3Service, "CreateBucket", in, "BucketAlreadyOwnedByYou"); err != nil {
		return err
	}
	_, err := ask[s3.PutBucketPolicyOutput](ctx, g, s3Service, "PutBucketPolicy", &s3.PutBucketPolicyInput{
		Bucket: aws.String(out.Bucket), Policy: aws.String(bucketPolicy(out)), ExpectedBucketOwner: aws.String(g.account),
	})
	return err
}

// queue makes the queue of the events and its dead-letter queue, and subscribes it.
func (g gardener) queue(ctx context.Context, _ Seed, out *Seeded) error {
	_, err := ask[sqs.CreateQueueOutput](ctx, g, sqsService, "CreateQueue", &sqs.CreateQueueInput{QueueName: aws.String(deadLetterQueue)})
	if err != nil {
		return err
	}
	dead := arn.Parts{Partition: out.Partition, Service: "sqs", Region: g.region, AccountID: g.account, Resource: deadLetterQueue}
	_, err = ask[sqs.CreateQueueOutput](ctx, g, sqsService, "CreateQueue", &sqs.CreateQueueInput{
		QueueName: aws.String(eventQueue),
		Attributes: map[string]string{
			"VisibilityTimeout": "60",
			"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"5"}`, dead.String()),
		},
	})
	if err != nil {
		return err
	}
	return g.s.Subscribe(g.account, "", out.QueueURL, false)
}
