// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// user is an IAM user.
type user struct {
	name, path, id, arn string
	created             time.Time
	tags                tags
	policies            policies
}

// role is an IAM role. Its unique id tells it from an earlier one of the same name.
type role struct {
	name, path, id, arn string
	created             time.Time
	description         string
	trust               string
	maxSession          int32
	tags                tags
	policies            policies
	attached            []*managedPolicy // by ARN
	boundary            string           // ARN, "" for none
}

// defaultMaxSession is the least, too: an hour, in seconds.
const defaultMaxSession = 3600

const (
	iamUserType = "AWS::IAM::User"
	iamRoleType = "AWS::IAM::Role"
	iamKeyType  = "AWS::IAM::AccessKey"
)

// iamOperations manages users, roles and keys.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
func iamOperations(t table) {
	handle(t, iamService, "CreateUser", writes, createUser)
	handle(t, iamService, "GetUser", reads, getUser)
	handle(t, iamService, "DeleteUser", writes, deleteUser)
	handle(t, iamService, "TagUser", writes, tagUser)
	handle(t, iamService, "UntagUser", writes, untagUser)
	handle(t, iamService, "ListUserTags", reads, listUserTags)
	handle(t, iamService, "CreateAccessKey", writes.responds(withoutSecret), createAccessKey)
	handle(t, iamService, "UpdateAccessKey", writes, updateAccessKey)
	handle(t, iamService, "DeleteAccessKey", writes, deleteAccessKey)
	handle(t, iamService, "ListAccessKeys", reads, listAccessKeys)
	handle(t, iamService, "CreateRole", writes, createRole)
	handle(t, iamService, "GetRole", reads, getRole)
	handle(t, iamService, "DeleteRole", writes, deleteRole)
	handle(t, iamService, "UpdateAssumeRolePolicy", writes, updateAssumeRolePolicy)
	handle(t, iamService, "UpdateRole", writes, updateRole)
	handle(t, iamService, "TagRole", writes, tagRole)
	handle(t, iamService, "UntagRole", writes, untagRole)
	handle(t, iamService, "ListRoleTags", reads, listRoleTags)
}

// noSuchEntity is recorded under the name of the exception.
func noSuchEntity(format string, args ...any) error {
	return failAs("NoSuchEntityException", http.StatusNotFound, &types.NoSuchEntityException{Message: msg(format, args...)})
}

func alreadyExists(format string, args ...any) error {
	return failAs("EntityAlreadyExistsException", http.StatusConflict, &types.EntityAlreadyExistsException{Message: msg(format, args...)})
}

func iamTarget(c *call) string {
	if name := text(c.in, "RoleName"); name != "" {
		if r, ok := c.account().roles[name]; ok {
			return r.arn
		}
		return c.account().global("iam", "role/"+name)
	}
	if name := text(c.in, "UserName"); name != "" {
		if u, ok := c.account().users[name]; ok {
			return u.arn
		}
		return c.account().global("iam", "user/"+name)
	}
	return "*"
}

// userFor finds the user of a call: the caller where the input names none.
func (c *call) userFor(name *string) (*user, error) {
	u, ok := c.account().users[aws.ToString(name)]
	if name == nil && c.by.user != nil {
		u, ok = c.by.user, true
	}
	if !ok {
		return nil, noSuchEntity("The user with name %s cannot be found.", aws.ToString(name))
	}
	c.touch(iamUserType, u.name)
	return u, nil
}

func (c *call) roleFor(name *string) (*role, error) {
	r, ok := c.account().roles[aws.ToString(name)]
	if !ok {
		return nil, noSuchEntity("The role with name %s cannot be found.", aws.ToString(name))
	}
	c.touch(iamRoleType, r.name)
	return r, nil
}

// ownRole is a role that its account may change: those that services made for themselves only they may.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
func (c *call) ownRole(name *string) (*role, error) {
	r, err := c.roleFor(name)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.path, "/aws-reserved/") || strings.HasPrefix(r.path, "/aws-service-role/") {
		return nil, failAs("UnmodifiableEntityException", http.StatusBadRequest, &types.UnmodifiableEntityException{
			Message: msg("Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.name),
		})
	}
	return r, nil
}

func pathOr(p *string) string {
	if p == nil {
		return "/"
	}
	return *p
}

func iamTags(list []types.Tag) tags {
	var out tags
	for _, t := range list {
		out = out.with(aws.ToString(t.Key), aws.ToString(t.Value))
	}
	return out
}

func shownTags(t tags) []types.Tag {
	out := []types.Tag{}
	for _, k := range t.sorted() {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(t[k])})
	}
	return out
}

func createUser(c *call, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	name := aws.ToString(in.UserName)
	if _, ok := c.account().users[name]; ok {
		return nil, alreadyExists("User with name %s already exists.", name)
	}
	u := &user{name: name, path: pathOr(in.Path), id: c.ids.unique("AIDA"), created: c.now, tags: iamTags(in.Tags)}
	u.arn = c.account().global("iam", "user"+u.path+name)
	c.account().users[name] = u
	c.touch(iamUserType, name)
	return &iam.CreateUserOutput{User: u.describe()}, nil
}

func (u *user) describe() *types.User {
	out := &types.User{
		UserName: aws.String(u.name), Path: aws.String(u.path), UserId: aws.String(u.id), Arn: aws.String(u.arn),
		CreateDate: aws.Time(u.created),
	}
	if len(u.tags) > 0 {
		out.Tags = shownTags(u.tags)
	}
	return out
}

func getUser(c *call, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserOutput{User: u.describe()}, nil
}

func deleteUser(c *call, in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	if len(c.s.keysOf(u)) > 0 || len(u.policies) > 0 {
		return nil, failAs("DeleteConflictException", http.StatusConflict, &types.DeleteConflictException{
			Message: msg("Cannot delete entity, must delete access keys and policies first."),
		})
	}
	delete(c.account().users, u.name)
	return &iam.DeleteUserOutput{}, nil
}

func tagUser(c *call, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	u.tags, c.same = merged(u.tags, in.Tags)
	return &iam.TagUserOutput{}, nil
}

// merged adds tags and reports whether that changes nothing.
func merged(old tags, add []types.Tag) (out tags, same bool) {
	out = old
	for _, t := range add {
		out = out.with(aws.ToString(t.Key), aws.ToString(t.Value))
	}
	return out, out.equal(old)
}

func untagUser(c *call, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	before := u.tags
	for _, k := range in.TagKeys {
		u.tags = u.tags.without(k)
	}
	c.same = before.equal(u.tags)
	return &iam.UntagUserOutput{}, nil
}

func listUserTags(c *call, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserTagsOutput{Tags: shownTags(u.tags)}, nil
}

// keysOf are the long-term keys of a user, in order.
func (s *Sandbox) keysOf(u *user) []*credential {
	var out []*credential
	for _, c := range s.credentials {
		if c.user == u && c.name == "" && c.issued.IsZero() {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *credential) int { return strings.Compare(a.key, b.key) })
	return out
}

func createAccessKey(c *call, in *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	if len(c.s.keysOf(u)) >= 2 {
		return nil, failAs("LimitExceededException", http.StatusConflict, &types.LimitExceededException{Message: msg("Cannot exceed quota for AccessKeysPerUser: 2")})
	}
	k := &credential{key: c.ids.accessKey("AKIA"), account: c.account(), user: u, created: c.now}
	c.s.addKey(k)
	c.touch(iamKeyType, k.key)
	return &iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
		AccessKeyId: aws.String(k.key), SecretAccessKey: aws.String(c.ids.secret()), UserName: aws.String(u.name),
		Status: types.StatusTypeActive, CreateDate: aws.Time(c.now),
	}}, nil
}

// withoutSecret is the response as CloudTrail records it.
func withoutSecret(_ *call, out any) any {
	m := camel.object(out)
	if k, ok := m["accessKey"].(map[string]any); ok {
		delete(k, "secretAccessKey")
	}
	return m
}

// keyOf is a long-term key of the user that the input names, or of the caller.
func (c *call) keyOf(name, id *string) (*credential, error) {
	u, err := c.userFor(name)
	if err != nil {
		return nil, err
	}
	k, ok := c.s.credentials[aws.ToString(id)]
	if !ok || k.user != u || k.name != "" {
		return nil, noSuchEntity("The Access Key with id %s cannot be found.", aws.ToString(id))
	}
	c.touch(iamKeyType, k.key)
	return k, nil
}

func updateAccessKey(c *call, in *iam.UpdateAccessKeyInput) (*iam.UpdateAccessKeyOutput, error) {
	k, err := c.keyOf(in.UserName, in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	inactive := in.Status == types.StatusTypeInactive
	c.same = k.inactive == inactive
	k.inactive = inactive
	return &iam.UpdateAccessKeyOutput{}, nil
}

func deleteAccessKey(c *call, in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	k, err := c.keyOf(in.UserName, in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	delete(c.s.credentials, k.key)
	return &iam.DeleteAccessKeyOutput{}, nil
}

func listAccessKeys(c *call, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	out := &iam.ListAccessKeysOutput{AccessKeyMetadata: []types.AccessKeyMetadata{}}
	for _, k := range c.s.keysOf(u) {
		status := types.StatusTypeActive
		if k.inactive {
			status = types.StatusTypeInactive
		}
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, types.AccessKeyMetadata{
			AccessKeyId: aws.String(k.key), UserName: aws.String(u.name), Status: status, CreateDate: aws.Time(k.created),
		})
	}
	return out, nil
}

// ensureUser is the user of a record, made if it is missing.
func (a *account) ensureUser(c *call, name, userARN, id string) *user {
	if u, ok := a.users[name]; ok {
		return u
	}
	p, _ := arn.Parse(userARN) // checked by the caller
	u := &user{
		name: name, id: id, arn: userARN, created: c.now,
		path: strings.TrimSuffix(strings.TrimPrefix(p.Resource, "user"), name),
	}
	a.users[name] = u
	return u
}

// ensureSession is the role and the session name of a record, the role made if it is missing.
func (a *account) ensureSession(c *call, id cloudtrail.UserIdentity) (*role, string) {
	p, _ := arn.Parse(id.ARN) // checked by the caller
	_, rest, _ := strings.Cut(p.Resource, "/")
	name, session, _ := strings.Cut(rest, "/")
	if r, ok := a.roles[name]; ok {
		return r, session
	}
	unique, _, _ := strings.Cut(id.PrincipalID, ":")
	r := &role{name: name, path: "/", id: unique, created: c.now, trust: a.trustAll(), maxSession: 12 * 3600}
	r.arn = a.global("iam", "role/"+name)
	if x := id.SessionContext; x != nil && x.SessionIssuer.ARN != "" {
		r.arn = x.SessionIssuer.ARN
		if q, err := arn.Parse(r.arn); err == nil {
			r.path = strings.TrimSuffix(strings.TrimPrefix(q.Resource, "role"), name)
		}
	}
	a.roles[name] = r
	return r, session
}
