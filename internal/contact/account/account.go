// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package account asks an AWS account for its security contact: the person its owner named for such cases, where our own
// directory knows nobody. It is the account of the human, or of the principal where the human is unknown.
//
//	type: account contact
//	management: "111122223333"   # ask the organization's management account (or the delegated administrator for Account
//	                             # Management) instead of each account itself; default: each account itself
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
		var d Directory
		if err := c.Decode(&d); err != nil {
			return nil, err
		}
		if d.Management == "" {
			return d, nil
		}
		return d, contact.CheckAccount("management", d.Management)
	}})
}

// Directory is the alternate contacts of accounts. The zero value asks each account itself.
type Directory struct {
	// Management is the account that may ask for those of all others in the organization.
	Management string `yaml:"management"`
}

var _ contact.Directory = Directory{}

// LookUp implements contact.Directory with one call of account:GetAlternateContact, in the partition's global region.
func (d Directory) LookUp(ctx context.Context, door *gate.Door, who incident.Who) (contact.Answer, error) {
	owner, ok := owner(who)
	if !ok {
		return contact.Answer{Notes: []string{"the principal's account is not known"}}, nil
	}
	if door == nil {
		return contact.Answer{}, errors.New("no way to AWS")
	}
	partition, ok := arn.PartitionByID(owner.Partition)
	if !ok {
		return contact.Answer{}, fmt.Errorf("unknown partition %.40q", owner.Partition)
	}
	in := &awsaccount.GetAlternateContactInput{AlternateContactType: types.AlternateContactTypeSecurity}
	caller := owner.AccountID
	// AWS refuses the id of the caller's own account: leaving it out is how that is asked for.
	if d.Management != "" && d.Management != owner.AccountID {
		caller, in.AccountId = d.Management, &owner.AccountID
	}
	cfg, err := door.Config(ctx, caller, partition.GlobalRegion)
	if err != nil {
		return contact.Answer{}, fmt.Errorf("open account %s: %w", caller, err)
	}
	out, err := awsaccount.NewFromConfig(cfg).GetAlternateContact(ctx, in)
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		return contact.Answer{Notes: []string{fmt.Sprintf("account %s names no security contact", owner.AccountID)}}, nil
	}
	if err != nil {
		return contact.Answer{}, fmt.Errorf("get security contact of account %s: %w", owner.AccountID, err)
	}
	return person(owner.AccountID, out.AlternateContact), nil
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

func person(account string, c *types.AlternateContact) contact.Answer {
	if c == nil {
		return contact.Answer{}
	}
	p := incident.Person{
		Name: identity.Printable(aws.ToString(c.Name), 100), Email: aws.ToString(c.EmailAddress),
		Phone: identity.Printable(aws.ToString(c.PhoneNumber), 30), Source: contact.SourceAccount,
		Note: "security contact of account " + account,
	}
	if err := contact.CheckEmail(p.Email); err != nil {
		return contact.Answer{Notes: []string{fmt.Sprintf("security contact of account %s: %v", account, err)}}
	}
	return contact.Answer{People: []incident.Person{p}}
}
