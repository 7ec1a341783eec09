// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// keyUseOperations manages grants and imported key material.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
func keyUseOperations(t table) {
	handle(t, kmsService, "CreateGrant", writes, createGrant)
	handle(t, kmsService, "ListGrants", reads, listGrants)
	handle(t, kmsService, "RevokeGrant", writes, revokeGrant)
	handle(t, kmsService, "RetireGrant", writes, retireGrant)
	handle(t, kmsService, "GetParametersForImport", reads, getParametersForImport)
	handle(t, kmsService, "ImportKeyMaterial", writes, importKeyMaterial)
	handle(t, kmsService, "DeleteImportedKeyMaterial", writes, deleteImportedKeyMaterial)
}

// createGrant answers with the grant that is there where one of the same name and content is.
func createGrant(c *call, in *kms.CreateGrantInput) (*kms.CreateGrantOutput, error) {
	k, err := c.changeable(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.disabled {
		return nil, fail(http.StatusBadRequest, &types.DisabledException{Message: msg("%s is disabled.", k.arn)})
	}
	for _, g := range k.grants {
		if in.Name != nil && aws.ToString(g.Name) == *in.Name && aws.ToString(g.GranteePrincipal) == aws.ToString(in.GranteePrincipal) &&
			slices.Equal(g.Operations, in.Operations) {
			c.same = true
			return &kms.CreateGrantOutput{GrantId: g.GrantId, GrantToken: g.GrantId}, nil
		}
	}
	g := types.GrantListEntry{
		GrantId: aws.String(c.ids.hex(64)), KeyId: aws.String(k.arn), Name: in.Name, GranteePrincipal: in.GranteePrincipal,
		RetiringPrincipal: in.RetiringPrincipal, Operations: in.Operations, Constraints: in.Constraints,
		CreationDate: aws.Time(c.now), IssuingAccount: aws.String(c.account().global("iam", "root")),
	}
	k.grants = append(k.grants, g)
	return &kms.CreateGrantOutput{GrantId: g.GrantId, GrantToken: g.GrantId}, nil
}

func listGrants(c *call, in *kms.ListGrantsInput) (*kms.ListGrantsOutput, error) {
	k, err := c.keyFor(in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &kms.ListGrantsOutput{Grants: []types.GrantListEntry{}}
	limit := int(aws.ToInt32(in.Limit))
	if limit == 0 {
		limit = 50
	}
	for _, g := range k.grants {
		if aws.ToString(in.Marker) > *g.GrantId || in.GrantId != nil && *in.GrantId != *g.GrantId {
			continue
		}
		out.Grants = append(out.Grants, clone(g))
	}
	slices.SortFunc(out.Grants, func(x, y types.GrantListEntry) int { return strings.Compare(*x.GrantId, *y.GrantId) })
	if len(out.Grants) > limit {
		out.Truncated, out.NextMarker = true, out.Grants[limit].GrantId
		out.Grants = out.Grants[:limit]
	}
	return out, nil
}

func revokeGrant(c *call, in *kms.RevokeGrantInput) (*kms.RevokeGrantOutput, error) {
	return &kms.RevokeGrantOutput{}, c.dropGrant(in.KeyId, in.GrantId)
}

// retireGrant takes the key and the id; the sandbox's token of a grant is its id.
func retireGrant(c *call, in *kms.RetireGrantInput) (*kms.RetireGrantOutput, error) {
	if in.GrantId == nil {
		return nil, invalid("ValidationException", "the sandbox retires grants by their id")
	}
	return &kms.RetireGrantOutput{}, c.dropGrant(in.KeyId, in.GrantId)
}

func (c *call) dropGrant(keyID, id *string) error {
	k, err := c.keyFor(keyID)
	if err != nil {
		return err
	}
	before := len(k.grants)
	k.grants = slices.DeleteFunc(slices.Clone(k.grants), func(g types.GrantListEntry) bool { return *g.GrantId == aws.ToString(id) })
	if len(k.grants) == before {
		return fail(http.StatusBadRequest, &types.NotFoundException{Message: msg("Grant ID %s not found", aws.ToString(id))})
	}
	return nil
}

// externalKey is the key of a call about imported material.
func (c *call) externalKey(id *string) (*kmsKey, error) {
	k, err := c.changeable(id)
	if err != nil {
		return nil, err
	}
	if k.origin != types.OriginTypeExternal {
		return nil, fail(http.StatusBadRequest, &types.UnsupportedOperationException{Message: msg("%s origin is %s which is not valid for this operation.", k.arn, k.origin)})
	}
	return k, nil
}

func importToken(k *kmsKey) []byte {
	sum := sha256.Sum256([]byte("import token of " + k.arn))
	return sum[:]
}

// getParametersForImport gives a token; the wrapping key wraps nothing, for nothing is really encrypted here.
func getParametersForImport(c *call, in *kms.GetParametersForImportInput) (*kms.GetParametersForImportOutput, error) {
	k, err := c.externalKey(in.KeyId)
	if err != nil {
		return nil, err
	}
	return &kms.GetParametersForImportOutput{
		KeyId: aws.String(k.arn), ImportToken: importToken(k), PublicKey: []byte("sandbox"), ParametersValidTo: aws.Time(c.now.AddDate(0, 0, 1)),
	}, nil
}

func importKeyMaterial(c *call, in *kms.ImportKeyMaterialInput) (*kms.ImportKeyMaterialOutput, error) {
	k, err := c.externalKey(in.KeyId)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(in.ImportToken, importToken(k)) {
		return nil, fail(http.StatusBadRequest, &types.InvalidImportTokenException{Message: msg("the import token is not that of %s", k.arn)})
	}
	c.same = k.material
	k.material = true
	return &kms.ImportKeyMaterialOutput{KeyId: aws.String(k.arn)}, nil
}

func deleteImportedKeyMaterial(c *call, in *kms.DeleteImportedKeyMaterialInput) (*kms.DeleteImportedKeyMaterialOutput, error) {
	k, err := c.externalKey(in.KeyId)
	if err != nil {
		return nil, err
	}
	c.same = !k.material
	k.material = false
	return &kms.DeleteImportedKeyMaterialOutput{KeyId: aws.String(k.arn)}, nil
}
