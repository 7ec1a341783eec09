// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
)

// identityStoreID is where the cases keep users: targets take the first that is named.
const identityStoreID = "d-1234567890"

// newIdentity makes a user of the identity store.
func (e *env) newIdentity(name, email string) string {
	return *ok(e.identities.CreateUser(e.ctx, &identitystore.CreateUserInput{
		IdentityStoreId: aws.String(identityStoreID), UserName: &name, DisplayName: aws.String("Carol " + name),
		Name:   &identitytypes.Name{GivenName: aws.String("Carol"), FamilyName: &name},
		Emails: []identitytypes.Email{{Value: &email, Primary: true, Type: aws.String("work")}},
	})).UserId
}

// userID asks for a user by a unique attribute.
func (e *env) userID(store, path, value string) (*identitystore.GetUserIdOutput, error) {
	return e.identities.GetUserId(e.ctx, &identitystore.GetUserIdInput{
		IdentityStoreId: &store, AlternateIdentifier: &identitytypes.AlternateIdentifierMemberUniqueAttribute{
			Value: identitytypes.UniqueAttribute{AttributePath: &path, AttributeValue: document.NewLazyDocument(value)},
		},
	})
}

var identityStoreCases = []contract{
	{"identity store: a user is found by name and mail", func(e *env) {
		id := e.newIdentity("carol", "carol@example.com")
		e.newIdentity("dave", "dave@example.com")
		equal("by name", *ok(e.userID(identityStoreID, "userName", "carol")).UserId, id)
		equal("by mail", *ok(e.userID(identityStoreID, "emails.value", "carol@example.com")).UserId, id)
		got := ok(e.identities.DescribeUser(e.ctx, &identitystore.DescribeUserInput{IdentityStoreId: aws.String(identityStoreID), UserId: &id}))
		equal("name", []string{*got.UserName, *got.DisplayName, *got.Emails[0].Value}, []string{"carol", "Carol carol", "carol@example.com"})
	}},
	{"identity store: nobody, and what is not unique", func(e *env) {
		id := e.newIdentity("carol", "carol@example.com")
		refuse(e.userID(identityStoreID, "userName", "mallory"))("ResourceNotFoundException")
		refuse(e.userID(identityStoreID, "displayName", "Carol carol"))("ValidationException")
		refuse(e.userID(identityStoreID, "userName", ""))("ValidationException")
		ok(e.identities.DeleteUser(e.ctx, &identitystore.DeleteUserInput{IdentityStoreId: aws.String(identityStoreID), UserId: &id}))
		refuse(e.identities.DescribeUser(e.ctx, &identitystore.DescribeUserInput{IdentityStoreId: aws.String(identityStoreID), UserId: &id}))("ResourceNotFoundException")
	}},
	{"identity store: twice and incomplete", func(e *env) {
		e.newIdentity("carol", "carol@example.com")
		again := &identitystore.CreateUserInput{
			IdentityStoreId: aws.String(identityStoreID), UserName: aws.String("carol"), DisplayName: aws.String("C"),
			Name: &identitytypes.Name{GivenName: aws.String("C"), FamilyName: aws.String("C")},
		}
		refuse(e.identities.CreateUser(e.ctx, again))("ConflictException")
		again.UserName, again.DisplayName = aws.String("dave"), nil
		refuse(e.identities.CreateUser(e.ctx, again))("ValidationException")
	}},
	{"identity store: pages", func(e *env) {
		for i := range 5 {
			e.newIdentity(fmt.Sprintf("user%d", i), fmt.Sprintf("user%d@example.com", i))
		}
		var names []string
		pages := 0
		for p := identitystore.NewListUsersPaginator(e.identities, &identitystore.ListUsersInput{
			IdentityStoreId: aws.String(identityStoreID), MaxResults: aws.Int32(2),
		}); p.HasMorePages(); pages++ {
			for _, u := range ok(p.NextPage(e.ctx)).Users {
				names = append(names, *u.UserName)
			}
		}
		slices.Sort(names)
		equal("names", names, []string{"user0", "user1", "user2", "user3", "user4"})
		equal("pages", pages, 3)
	}},
	{"identity store: another one is not there", func(e *env) {
		e.newIdentity("carol", "carol@example.com")
		_, err := e.userID("d-0987654321", "userName", "carol")
		var missing *identitytypes.ResourceNotFoundException
		equal("is missing", errors.As(err, &missing) && missing.ResourceType == identitytypes.ResourceTypeIdentityStore, true)
	}},
	{"identity store: a user is enabled", func(e *env) {
		id := e.newIdentity("carol", "carol@example.com")
		got := ok(e.identities.DescribeUser(e.ctx, &identitystore.DescribeUserInput{IdentityStoreId: aws.String(identityStoreID), UserId: &id}))
		equal("status", got.UserStatus, identitytypes.UserStatusEnabled)
	}},
	{"identity store: by the id of another issuer", func(e *env) {
		e.newIdentity("carol", "carol@example.com")
		refuse(e.identities.GetUserId(e.ctx, &identitystore.GetUserIdInput{
			IdentityStoreId: aws.String(identityStoreID), AlternateIdentifier: &identitytypes.AlternateIdentifierMemberExternalId{
				Value: identitytypes.ExternalId{Issuer: aws.String("https://idp.example.com"), Id: aws.String("00u1")},
			},
		}))("ResourceNotFoundException")
	}},
}
