// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"
)

// identityStore is the users of IAM Identity Center. An account has at most one: it is made, in the region and under the
// id, by the first CreateUser, since the sandbox has no API to enable Identity Center with.
type identityStore struct {
	id, region string
	users      []*types.User // in the order in which they were made
}

// identityStoreOperations keeps users. It has no groups, and no attribute extensions.
//
// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/welcome.html
func identityStoreOperations(t table) {
	hidden := func(s spec) spec { return s.requests(hiddenUser) }
	handle(t, identityStoreService, "CreateUser", hidden(writes), createUserIn)
	handle(t, identityStoreService, "DeleteUser", hidden(writes), deleteUserIn)
	handle(t, identityStoreService, "GetUserId", hidden(reads), getUserID)
	handle(t, identityStoreService, "DescribeUser", hidden(reads), describeUser)
	handle(t, identityStoreService, "ListUsers", hidden(reads), listUsersIn)
}

// hiddenUser records which store and which id; AWS hides what is personal.
//
// https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
func hiddenUser(_ *call, in any) any {
	m := map[string]any{"identityStoreId": text(in, "IdentityStoreId")}
	if id := text(in, "UserId"); id != "" {
		m["userId"] = id
	}
	if text(in, "UserName") != "" {
		m["userName"] = "HIDDEN_DUE_TO_SECURITY_REASONS"
	}
	return m
}

// identities is the store that the call names. A store of another region or account does not exist here.
func (c *call) identities(id *string) (*identityStore, error) {
	s := c.account().identities
	if s == nil || s.id != aws.ToString(id) || s.region != c.region {
		return nil, noIdentity(types.ResourceTypeIdentityStore, aws.ToString(id))
	}
	return s, nil
}

func noIdentity(kind types.ResourceType, id string) error {
	return fail(http.StatusBadRequest, &types.ResourceNotFoundException{
		Message: msg("%s not found.", kind), ResourceType: kind, ResourceId: aws.String(id),
	})
}

func badUser(format string, args ...any) error {
	return fail(http.StatusBadRequest, &types.ValidationException{Message: msg(format, args...)})
}

// find returns the user of whom is is true, nil for none.
func (s *identityStore) find(is func(*types.User) bool) *types.User {
	if i := slices.IndexFunc(s.users, is); i >= 0 {
		return s.users[i]
	}
	return nil
}

func (s *identityStore) user(id *string) (*types.User, error) {
	if u := s.find(func(u *types.User) bool { return *u.UserId == aws.ToString(id) }); u != nil {
		return u, nil
	}
	return nil, noIdentity(types.ResourceTypeUser, aws.ToString(id))
}

func createUserIn(c *call, in *identitystore.CreateUserInput) (*identitystore.CreateUserOutput, error) {
	switch {
	case aws.ToString(in.UserName) == "":
		return nil, badUser("userName is a required attribute")
	case aws.ToString(in.DisplayName) == "" || in.Name == nil || aws.ToString(in.Name.GivenName) == "" || aws.ToString(in.Name.FamilyName) == "":
		return nil, badUser("displayname, givenname and familyname are required attributes")
	case len(in.Extensions) > 0:
		return nil, badUser("the sandbox has no attribute extensions")
	}
	if c.account().identities == nil {
		c.account().identities = &identityStore{id: aws.ToString(in.IdentityStoreId), region: c.region}
	}
	s, err := c.identities(in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if s.find(func(u *types.User) bool { return *u.UserName == *in.UserName }) != nil {
		return nil, fail(http.StatusBadRequest, &types.ConflictException{
			Message: aws.String("Duplicate UserName"), Reason: types.ConflictExceptionReasonUniquenessConstraintViolation,
		})
	}
	id := strings.TrimPrefix(s.id, "d-") + "-" + c.ids.uuid()
	s.users = append(s.users, &types.User{
		IdentityStoreId: &s.id, UserId: &id, UserName: in.UserName, DisplayName: in.DisplayName, Name: in.Name,
		Emails: in.Emails, PhoneNumbers: in.PhoneNumbers, Timezone: in.Timezone, Title: in.Title, UserStatus: types.UserStatusEnabled,
	})
	return &identitystore.CreateUserOutput{IdentityStoreId: &s.id, UserId: &id}, nil
}

func deleteUserIn(c *call, in *identitystore.DeleteUserInput) (*identitystore.DeleteUserOutput, error) {
	s, err := c.identities(in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	before := len(s.users)
	s.users = slices.DeleteFunc(s.users, func(u *types.User) bool { return *u.UserId == aws.ToString(in.UserId) })
	c.same = len(s.users) == before
	return &identitystore.DeleteUserOutput{}, nil
}

func getUserID(c *call, in *identitystore.GetUserIdInput) (*identitystore.GetUserIdOutput, error) {
	s, err := c.identities(in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	is, err := userIs(in.AlternateIdentifier)
	if err != nil {
		return nil, err
	}
	u := s.find(is)
	if u == nil {
		return nil, noIdentity(types.ResourceTypeUser, "")
	}
	return &identitystore.GetUserIdOutput{IdentityStoreId: &s.id, UserId: clone(u.UserId)}, nil
}

// userIs is what an identifier says of a user.
//
// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_GetUserId.html
func userIs(by types.AlternateIdentifier) (func(*types.User) bool, error) {
	switch by := by.(type) {
	case *types.AlternateIdentifierMemberExternalId:
		return func(u *types.User) bool {
			return slices.ContainsFunc(u.ExternalIds, func(x types.ExternalId) bool {
				return *x.Id == aws.ToString(by.Value.Id) && *x.Issuer == aws.ToString(by.Value.Issuer)
			})
		}, nil
	case *types.AlternateIdentifierMemberUniqueAttribute:
		return attributeIs(aws.ToString(by.Value.AttributePath), by.Value.AttributeValue)
	}
	return nil, badUser("AlternateIdentifier is required")
}

func attributeIs(path string, value any) (func(*types.User) bool, error) {
	want, err := textOf(value)
	if err != nil || want == "" {
		return nil, badUser("attribute value cannot be empty or null for attribute path")
	}
	switch strings.ToLower(path) {
	case "username":
		return func(u *types.User) bool { return *u.UserName == want }, nil
	case "emails.value":
		return func(u *types.User) bool {
			return slices.ContainsFunc(u.Emails, func(e types.Email) bool { return aws.ToString(e.Value) == want })
		}, nil
	}
	return nil, badUser("The attribute %.40s is not a unique attribute", path)
}

// textOf is the string that a document holds.
func textOf(value any) (string, error) {
	document, ok := value.(interface{ MarshalSmithyDocument() ([]byte, error) })
	if !ok {
		return "", badUser("attribute value is required")
	}
	data, err := document.MarshalSmithyDocument()
	if err != nil {
		return "", err
	}
	var text string
	err = json.Unmarshal(data, &text)
	return text, err
}

func describeUser(c *call, in *identitystore.DescribeUserInput) (*identitystore.DescribeUserOutput, error) {
	s, err := c.identities(in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	u, err := s.user(in.UserId)
	if err != nil {
		return nil, err
	}
	own := clone(*u)
	return &identitystore.DescribeUserOutput{
		IdentityStoreId: own.IdentityStoreId, UserId: own.UserId, UserName: own.UserName, DisplayName: own.DisplayName, Name: own.Name,
		Emails: own.Emails, PhoneNumbers: own.PhoneNumbers, Timezone: own.Timezone, Title: own.Title, UserStatus: own.UserStatus,
		ExternalIds: own.ExternalIds,
	}, nil
}

// identityPage is how many users a page lists at most.
const identityPage = 100

func listUsersIn(c *call, in *identitystore.ListUsersInput) (*identitystore.ListUsersOutput, error) {
	s, err := c.identities(in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	first, size := 0, identityPage
	if in.MaxResults != nil {
		size = int(*in.MaxResults)
	}
	if in.NextToken != nil {
		if first, err = strconv.Atoi(*in.NextToken); err != nil {
			return nil, badUser("NextToken is not valid")
		}
	}
	if size < 1 || size > identityPage || first < 0 || first > len(s.users) {
		return nil, badUser("MaxResults or NextToken is not valid")
	}
	//lint:ignore SA1019 who still uses them must not get an answer without them
	if len(in.Filters) > 0 {
		return nil, badUser("the sandbox has no filters: AWS calls them deprecated, and GetUserId finds users")
	}
	out := &identitystore.ListUsersOutput{Users: []types.User{}}
	last := min(first+size, len(s.users))
	for _, u := range s.users[first:last] {
		out.Users = append(out.Users, clone(*u))
	}
	if last < len(s.users) {
		out.NextToken = aws.String(strconv.Itoa(last))
	}
	return out, nil
}

// provisionUserInput is what no API of AWS does: the console disables users, an identity provider names them.
type provisionUserInput struct {
	Account, UserName string
	Disabled          bool
	ExternalIDs       []types.ExternalId
}

// ProvisionUser sets whether a user of the account's identity store is disabled, and the ids that identity providers know
// them by, as the console and a provider that provisions do.
func (s *Sandbox) ProvisionUser(account, userName string, disabled bool, externalIDs ...types.ExternalId) error {
	return s.set("ProvisionUser", &provisionUserInput{account, userName, disabled, externalIDs})
}

func provisionUser(c *call, in *provisionUserInput) (*done, error) {
	a, ok := c.s.accounts[in.Account]
	if !ok || a.identities == nil {
		return nil, invalid("AccountNotFoundException", "account %.40q has no identity store", in.Account)
	}
	u := a.identities.find(func(u *types.User) bool { return *u.UserName == in.UserName })
	if u == nil {
		return nil, noIdentity(types.ResourceTypeUser, in.UserName)
	}
	u.UserStatus, u.ExternalIds = types.UserStatusEnabled, in.ExternalIDs
	if in.Disabled {
		u.UserStatus = types.UserStatusDisabled
	}
	return &done{}, nil
}
