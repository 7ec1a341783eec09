// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// HomeOf is where calls about a resource have to go: to the account and region in its ARN, and only where that names none
// (a bucket, the region of a role) to those that are said beside it. A global service is called in the global region of
// its partition.
func HomeOf(d trail.Dependency) (Place, error) {
	p, err := d.ARN.Parse()
	if err != nil {
		return Place{}, err
	}
	home := Place{cmp.Or(p.AccountID, d.Account), cmp.Or(p.Region, d.Region)}
	if partition, ok := arn.PartitionByID(p.Partition); ok {
		home.Region = cmp.Or(home.Region, partition.GlobalRegion)
	}
	return home, nil
}

// CheckOwner makes sure that our credentials for a resource's home are those of the account in its ARN: whoever makes a
// deleted resource again by its name must not make it somewhere else.
func CheckOwner(ctx context.Context, door *gate.Door, d trail.Dependency) error {
	home, err := HomeOf(d)
	if err != nil {
		return err
	}
	caller, err := ReadCaller(ctx, door, home.Account, home.Region)
	if err != nil {
		return err
	}
	if caller.Account != home.Account {
		return fmt.Errorf("%w %s: our credentials belong to %s", gate.ErrNoAccess, home.Account, caller.Account)
	}
	return nil
}

// HomeConfig is for clients that call there.
func HomeConfig(ctx context.Context, door *gate.Door, d trail.Dependency) (aws.Config, error) {
	home, err := HomeOf(d)
	if err != nil {
		return aws.Config{}, err
	}
	return door.Config(ctx, home.Account, home.Region)
}

// readKeyDependency asks four times.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
func readKeyDependency(ctx context.Context, door *gate.Door, d trail.Dependency) (any, error) {
	cfg, err := HomeConfig(ctx, door, d)
	if err != nil {
		return nil, err
	}
	client, id := kms.NewFromConfig(cfg), aws.String(string(d.ARN))
	described, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
	var gone *types.NotFoundException
	if errors.As(err, &gone) {
		return trail.Key{}, nil
	}
	if err != nil {
		return nil, err
	}
	m := described.KeyMetadata
	k := trail.Key{Exists: true, ARN: arn.ARN(aws.ToString(m.Arn)), KeyState: string(m.KeyState), Origin: string(m.Origin)}
	policy, err := client.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id, PolicyName: aws.String("default")})
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	k.Policy = trail.CanonicalPolicy(aws.ToString(policy.Policy))
	if k.Aliases, err = keyAliases(ctx, client, id); err != nil {
		return nil, fmt.Errorf("read the aliases: %w", err)
	}
	if k.Grants, k.HasMoreGrants, err = keyGrants(ctx, client, id); err != nil {
		return nil, fmt.Errorf("read the grants: %w", err)
	}
	return k.Canonical(), nil
}

func keyAliases(ctx context.Context, client *kms.Client, id *string) ([]string, error) {
	var names []string
	for pages := kms.NewListAliasesPaginator(client, &kms.ListAliasesInput{KeyId: id}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Aliases {
			names = append(names, aws.ToString(a.AliasName))
		}
	}
	return names, nil
}

// maxListPages bounds what is read of lists that anybody who may add to them can make as long as AWS allows.
const maxListPages = 10

func keyGrants(ctx context.Context, client *kms.Client, id *string) (grants []trail.KeyGrant, hasMore bool, err error) {
	pages := kms.NewListGrantsPaginator(client, &kms.ListGrantsInput{KeyId: id, Limit: aws.Int32(100)})
	for n := 0; pages.HasMorePages(); n++ {
		if n == maxListPages {
			return grants, true, nil
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, false, err
		}
		for _, g := range page.Grants {
			one, err := keyGrant(g)
			if err != nil {
				return nil, false, err
			}
			grants = append(grants, one)
		}
	}
	return grants, false, nil
}

func keyGrant(g types.GrantListEntry) (trail.KeyGrant, error) {
	out := trail.KeyGrant{
		GrantID: aws.ToString(g.GrantId), GranteePrincipal: aws.ToString(g.GranteePrincipal), RetiringPrincipal: aws.ToString(g.RetiringPrincipal),
	}
	for _, o := range g.Operations {
		out.Operations = append(out.Operations, string(o))
	}
	if g.Constraints == nil {
		return out, nil
	}
	var err error
	out.Constraints, err = json.Marshal(map[string]map[string]string{
		"EncryptionContextEquals": g.Constraints.EncryptionContextEquals, "EncryptionContextSubset": g.Constraints.EncryptionContextSubset,
	})
	return out, err
}
