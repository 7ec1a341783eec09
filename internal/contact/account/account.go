// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package account asks an AWS account for its security contact: the person its owner named for such cases, where our own
// directory knows nobody. It is the account of the human, or of the principal where the human is unknown.
//
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html
package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsaccount "github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

func init() {
	contact.Register(contact.Kind{Type: contact.SourceAccount, Open: func(c contact.Config, _ contact.Services) (contact.Directory, error) {
		return Directory{}, c.Decode(&struct{}{})
	}})
}

// Directory is the alternate contacts of accounts.
type Directory struct{}

var _ contact.Directory = Directory{}

// LookUp implements contact.Directory with one call of account:GetAlternateContact, in the partition's global region.
func (Directory) LookUp(ctx context.Context, door *gate.Door, who incident.Who) ([]incident.Person, []string, error) {
	owner, ok := owner(who)
	if !ok {
		return nil, []string{"the principal's account is not known"}, nil
	}
	if door == nil {
		return nil, nil, errors.New("no way to AWS")
	}
	partition, ok := arn.PartitionByID(owner.Partition)
	if !ok {
		return nil, nil, fmt.Errorf("unknown partition %q", owner.Partition)
	}
	cfg, err := door.Config(ctx, owner.AccountID, partition.GlobalRegion)
	if err != nil {
		return nil, nil, fmt.Errorf("open account %s: %w", owner.AccountID, err)
	}
	out, err := awsaccount.NewFromConfig(cfg).GetAlternateContact(ctx, &awsaccount.GetAlternateContactInput{
		AlternateContactType: types.AlternateContactTypeSecurity,
	})
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		return nil, []string{fmt.Sprintf("account %s names no security contact", owner.AccountID)}, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("get security contact of account %s: %w", owner.AccountID, err)
	}
	return person(owner.AccountID, out.AlternateContact)
}

// owner is where the human, or else the principal, lives.
func owner(who incident.Who) (arn.Parts, bool) {
	for _, name := range []string{who.HumanARN, who.Principal} {
		if p, err := arn.Parse(name); err == nil && p.AccountID != "" {
			return p, true
		}
	}
	return arn.Parts{}, false
}

func person(account string, c *types.AlternateContact) ([]incident.Person, []string, error) {
	if c == nil {
		return nil, nil, nil
	}
	p := incident.Person{
		Name: identity.Printable(aws.ToString(c.Name), 100), Email: aws.ToString(c.EmailAddress),
		Phone: identity.Printable(aws.ToString(c.PhoneNumber), 30), Source: contact.SourceAccount,
		Note: "security contact of account " + account,
	}
	if err := contact.CheckEmail(p.Email); err != nil {
		return nil, []string{fmt.Sprintf("security contact of account %s: %v", account, err)}, nil
	}
	return []incident.Person{p}, nil, nil
}
