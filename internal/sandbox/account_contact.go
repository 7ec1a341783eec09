// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsaccount "github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"
)

// accountOperations keeps the alternate contacts of an account. A management account may ask for those of its members.
//
// https://docs.aws.amazon.com/accounts/latest/reference/API_GetAlternateContact.html
func accountOperations(t table) {
	named := func(s spec) spec { return s.requests(contactType) }
	handle(t, accountService, "PutAlternateContact", named(writes), putAlternateContact)
	handle(t, accountService, "GetAlternateContact", named(reads), getAlternateContact)
	handle(t, accountService, "DeleteAlternateContact", named(writes), deleteAlternateContact)
}

// contactType records which contact, not who: AWS leaves the person out.
func contactType(_ *call, in any) any {
	m := map[string]any{"alternateContactType": text(in, "AlternateContactType")}
	if id := text(in, "AccountId"); id != "" {
		m["accountId"] = id
	}
	return m
}

// contactsOf are the contacts of the account that the input names, the caller's own by default.
func (c *call) contactsOf(id *string, kind types.AlternateContactType) (map[types.AlternateContactType]*types.AlternateContact, error) {
	if !slices.Contains(kind.Values(), kind) {
		return nil, fail(http.StatusBadRequest, &types.ValidationException{Message: msg("AlternateContactType %.40q is unknown.", kind)})
	}
	if id == nil {
		return c.account().contacts, nil
	}
	if o := c.account().organization; o != nil && o.management == c.account() {
		for _, m := range o.members {
			if m.id == *id {
				return m.contacts, nil
			}
		}
	}
	return nil, fail(http.StatusForbidden, &types.AccessDeniedException{Message: msg("You are not authorized to access the contacts of account %.40s.", *id)})
}

func putAlternateContact(c *call, in *awsaccount.PutAlternateContactInput) (*awsaccount.PutAlternateContactOutput, error) {
	contacts, err := c.contactsOf(in.AccountId, in.AlternateContactType)
	if err != nil {
		return nil, err
	}
	next := &types.AlternateContact{
		AlternateContactType: in.AlternateContactType, EmailAddress: in.EmailAddress, Name: in.Name, PhoneNumber: in.PhoneNumber, Title: in.Title,
	}
	c.same = sameJSON(contacts[in.AlternateContactType], next)
	contacts[in.AlternateContactType] = next
	return &awsaccount.PutAlternateContactOutput{}, nil
}

func getAlternateContact(c *call, in *awsaccount.GetAlternateContactInput) (*awsaccount.GetAlternateContactOutput, error) {
	contacts, err := c.contactsOf(in.AccountId, in.AlternateContactType)
	if err != nil {
		return nil, err
	}
	x, ok := contacts[in.AlternateContactType]
	if !ok {
		return nil, fail(http.StatusNotFound, &types.ResourceNotFoundException{Message: aws.String("No contact of the inputted alternate contact type found.")})
	}
	return &awsaccount.GetAlternateContactOutput{AlternateContact: clone(x)}, nil
}

func deleteAlternateContact(c *call, in *awsaccount.DeleteAlternateContactInput) (*awsaccount.DeleteAlternateContactOutput, error) {
	contacts, err := c.contactsOf(in.AccountId, in.AlternateContactType)
	if err != nil {
		return nil, err
	}
	if _, ok := contacts[in.AlternateContactType]; !ok {
		return nil, fail(http.StatusNotFound, &types.ResourceNotFoundException{Message: aws.String("No contact of the inputted alternate contact type found.")})
	}
	delete(contacts, in.AlternateContactType)
	return &awsaccount.DeleteAlternateContactOutput{}, nil
}
