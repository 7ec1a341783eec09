// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// managedPolicy is a policy that roles can have in common. AWS's own have no versions here. Deny statements of attached
// ones are enforced; boundaries bound nothing.
type managedPolicy struct {
	name, path, id, arn string
	created             time.Time
	versions            []policyVersion // oldest first
	preferred           string          // the id of the default version
	made                int             // versions so far
}

type policyVersion struct {
	id string
	inline
}

const iamPolicyType = "AWS::IAM::Policy"

// managedPolicyOperations manages policies and the roles that they are attached to.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
func managedPolicyOperations(t table) {
	handle(t, iamService, "CreatePolicy", writes, createPolicy)
	handle(t, iamService, "GetPolicy", reads, getPolicy)
	handle(t, iamService, "DeletePolicy", writes, deletePolicy)
	handle(t, iamService, "CreatePolicyVersion", writes, createPolicyVersion)
	handle(t, iamService, "DeletePolicyVersion", writes, deletePolicyVersion)
	handle(t, iamService, "SetDefaultPolicyVersion", writes, setDefaultPolicyVersion)
	handle(t, iamService, "AttachRolePolicy", writes, attachRolePolicy)
	handle(t, iamService, "DetachRolePolicy", writes, detachRolePolicy)
	handle(t, iamService, "ListAttachedRolePolicies", reads, listAttachedRolePolicies)
	handle(t, iamService, "PutRolePermissionsBoundary", writes, putRolePermissionsBoundary)
	handle(t, iamService, "DeleteRolePermissionsBoundary", writes, deleteRolePermissionsBoundary)
}

// managedPolicy finds a policy of the account, or one of AWS's, of which every name is taken for one that exists.
func (c *call) managedPolicy(policyARN *string) (*managedPolicy, error) {
	id := aws.ToString(policyARN)
	if p, ok := c.account().managed[id]; ok {
		c.touch(iamPolicyType, p.arn)
		return p, nil
	}
	p, err := arn.Parse(id)
	name, isPolicy := strings.CutPrefix(p.Resource, "policy/")
	if err == nil && isPolicy && p.AccountID == "aws" && p.Partition == c.account().partition {
		return &managedPolicy{name: name[strings.LastIndexByte(name, '/')+1:], path: "/", arn: id}, nil
	}
	return nil, noSuchEntity("Policy %s does not exist or is not attachable.", id)
}

// attachedPolicies are the documents of the attached policies that are known.
func (r *role) attachedPolicies() []*policy {
	var out []*policy
	for _, p := range r.attached {
		if v := p.version(p.preferred); v != nil {
			out = append(out, v.parsed)
		}
	}
	return out
}

func (p *managedPolicy) version(id string) *policyVersion {
	i := slices.IndexFunc(p.versions, func(v policyVersion) bool { return v.id == id })
	if i < 0 {
		return nil
	}
	return &p.versions[i]
}

// maxManaged is the size of a managed policy, maxVersions how many of it are kept.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxManaged  = 6144
	maxVersions = 5
)

// add adds a version and returns its id.
func (p *managedPolicy) add(document string) (string, error) {
	one, err := policies(nil).with(p.name, document, maxManaged)
	if err != nil {
		return "", err
	}
	p.made++
	id := "v" + strconv.Itoa(p.made)
	p.versions = append(slices.Clone(p.versions), policyVersion{id, one[p.name]})
	return id, nil
}

func createPolicy(c *call, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	p := &managedPolicy{name: aws.ToString(in.PolicyName), path: pathOr(in.Path), id: c.ids.unique("ANPA"), created: c.now}
	p.arn = c.account().global("iam", "policy"+p.path+p.name)
	if _, ok := c.account().managed[p.arn]; ok {
		return nil, alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", p.name)
	}
	var err error
	if p.preferred, err = p.add(aws.ToString(in.PolicyDocument)); err != nil {
		return nil, err
	}
	c.account().managed[p.arn] = p
	c.touch(iamPolicyType, p.arn)
	return &iam.CreatePolicyOutput{Policy: p.describe()}, nil
}

func (p *managedPolicy) describe() *types.Policy {
	return &types.Policy{
		PolicyName: aws.String(p.name), PolicyId: aws.String(p.id), Arn: aws.String(p.arn), Path: aws.String(p.path),
		DefaultVersionId: aws.String(p.preferred), CreateDate: aws.Time(p.created), IsAttachable: true,
	}
}

// ownPolicy is a policy of the account itself.
func (c *call) ownPolicy(policyARN *string) (*managedPolicy, error) {
	p, err := c.managedPolicy(policyARN)
	if err == nil && len(p.versions) == 0 {
		return nil, noSuchEntity("the sandbox does not know what policy %s of AWS says", p.arn)
	}
	return p, err
}

func getPolicy(c *call, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	p, err := c.ownPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: p.describe()}, nil
}

func deletePolicy(c *call, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	p, err := c.ownPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	for _, r := range c.account().roles {
		if slices.Contains(r.attached, p) || r.boundary == p.arn {
			return nil, conflict("Cannot delete a policy attached to entities.")
		}
	}
	if len(p.versions) > 1 {
		return nil, conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions.")
	}
	delete(c.account().managed, p.arn)
	return &iam.DeletePolicyOutput{}, nil
}

func conflict(format string, args ...any) error {
	return failAs("DeleteConflictException", http.StatusConflict, &types.DeleteConflictException{Message: msg(format, args...)})
}

func createPolicyVersion(c *call, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	p, err := c.ownPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if len(p.versions) >= maxVersions {
		return nil, failAs("LimitExceededException", http.StatusConflict, &types.LimitExceededException{Message: msg("A managed policy can have up to %d versions.", maxVersions)})
	}
	id, err := p.add(aws.ToString(in.PolicyDocument))
	if err != nil {
		return nil, err
	}
	if in.SetAsDefault {
		p.preferred = id
	}
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &types.PolicyVersion{
		VersionId: aws.String(id), IsDefaultVersion: in.SetAsDefault, CreateDate: aws.Time(c.now),
	}}, nil
}

// ownVersion is a policy of the account that has the version.
func (c *call) ownVersion(policyARN, version *string) (*managedPolicy, error) {
	p, err := c.ownPolicy(policyARN)
	if err == nil && p.version(aws.ToString(version)) == nil {
		return nil, noSuchEntity("Policy %s version %s does not exist or is not attachable.", p.arn, aws.ToString(version))
	}
	return p, err
}

func deletePolicyVersion(c *call, in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	p, err := c.ownVersion(in.PolicyArn, in.VersionId)
	if err != nil {
		return nil, err
	}
	if p.preferred == *in.VersionId {
		return nil, conflict("Cannot delete the default version of a policy.")
	}
	p.versions = slices.DeleteFunc(slices.Clone(p.versions), func(v policyVersion) bool { return v.id == *in.VersionId })
	return &iam.DeletePolicyVersionOutput{}, nil
}

func setDefaultPolicyVersion(c *call, in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	p, err := c.ownVersion(in.PolicyArn, in.VersionId)
	if err != nil {
		return nil, err
	}
	c.same = p.preferred == *in.VersionId
	p.preferred = *in.VersionId
	return &iam.SetDefaultPolicyVersionOutput{}, nil
}

func isPolicy(policyARN *string) func(*managedPolicy) bool {
	return func(p *managedPolicy) bool { return p.arn == aws.ToString(policyARN) }
}

func attachRolePolicy(c *call, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	p, err := c.managedPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(r.attached, isPolicy(in.PolicyArn)) {
		c.same = true
		return &iam.AttachRolePolicyOutput{}, nil
	}
	r.attached = append(slices.Clone(r.attached), p)
	slices.SortFunc(r.attached, func(a, b *managedPolicy) int { return strings.Compare(a.arn, b.arn) })
	return &iam.AttachRolePolicyOutput{}, nil
}

func detachRolePolicy(c *call, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(r.attached, isPolicy(in.PolicyArn)) {
		return nil, noSuchEntity("Policy %s was not found.", aws.ToString(in.PolicyArn))
	}
	r.attached = slices.DeleteFunc(slices.Clone(r.attached), isPolicy(in.PolicyArn))
	return &iam.DetachRolePolicyOutput{}, nil
}

func listAttachedRolePolicies(c *call, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	out := &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: []types.AttachedPolicy{}}
	for _, p := range r.attached {
		out.AttachedPolicies = append(out.AttachedPolicies, types.AttachedPolicy{PolicyArn: aws.String(p.arn), PolicyName: aws.String(p.name)})
	}
	return out, nil
}

func putRolePermissionsBoundary(c *call, in *iam.PutRolePermissionsBoundaryInput) (*iam.PutRolePermissionsBoundaryOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	p, err := c.managedPolicy(in.PermissionsBoundary)
	if err != nil {
		return nil, err
	}
	c.same = r.boundary == p.arn
	r.boundary = p.arn
	return &iam.PutRolePermissionsBoundaryOutput{}, nil
}

func deleteRolePermissionsBoundary(c *call, in *iam.DeleteRolePermissionsBoundaryInput) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.boundary == "" {
		return nil, noSuchEntity("The role with name %s has no permissions boundary.", r.name)
	}
	r.boundary = ""
	return &iam.DeleteRolePermissionsBoundaryOutput{}, nil
}
