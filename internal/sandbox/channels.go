// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

// channelOperations are those through which people are told and findings written. There are no mailboxes: mail that SES
// takes is gone.
//
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Operations.html
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Operations.html
func channelOperations(t table) {
	handle(t, sesService, "CreateEmailIdentity", writes, createEmailIdentity)
	handle(t, sesService, "SendEmail", writes.dataEvent().requests(sendParameters), sendEmail)
	handle(t, hubService, "EnableSecurityHub", writes, enableSecurityHub)
	handle(t, hubService, "BatchImportFindings", writes.requests(importParameters), batchImportFindings)
	handle(t, hubService, "GetFindings", reads, getFindings)
}

// senderTarget is the identity that mail is from.
func senderTarget(c *call) string {
	name := text(c.in, "FromEmailAddress") + text(c.in, "EmailIdentity")
	if name == "" {
		return "*"
	}
	return c.arnOf("ses", "identity/"+name)
}

// sendParameters leave out what was written and to whom.
func sendParameters(_ *call, in any) any {
	return map[string]any{"fromEmailAddress": text(in, "FromEmailAddress"), "destination": hiddenText, "content": hiddenText}
}

// importParameters leave the findings out: they are too many for a record.
func importParameters(*call, any) any { return nil }

// createEmailIdentity makes an identity that is verified at once: nobody is there to follow the link.
func createEmailIdentity(c *call, in *sesv2.CreateEmailIdentityInput) (*sesv2.CreateEmailIdentityOutput, error) {
	id, name := c.region+"/"+aws.ToString(in.EmailIdentity), aws.ToString(in.EmailIdentity)
	if c.account().senders[id] {
		return nil, fail(http.StatusBadRequest, &sestypes.AlreadyExistsException{Message: msg("Email identity %.100s already exist.", name)})
	}
	c.account().senders[id] = true
	kind := sestypes.IdentityTypeDomain
	if strings.Contains(name, "@") {
		kind = sestypes.IdentityTypeEmailAddress
	}
	return &sesv2.CreateEmailIdentityOutput{IdentityType: kind, VerifiedForSendingStatus: true}, nil
}

// sendEmail takes mail from a verified address, or an address of a verified domain.
//
// https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
func sendEmail(c *call, in *sesv2.SendEmailInput) (*sesv2.SendEmailOutput, error) {
	from := aws.ToString(in.FromEmailAddress)
	domain := from[strings.LastIndexByte(from, '@')+1:]
	if !c.account().senders[c.region+"/"+from] && !c.account().senders[c.region+"/"+domain] {
		return nil, fail(http.StatusBadRequest, &sestypes.MessageRejected{
			Message: msg("Email address is not verified. The following identities failed the check in region %s: %.100s", strings.ToUpper(c.region), from),
		})
	}
	if d := in.Destination; d == nil || len(d.ToAddresses)+len(d.CcAddresses)+len(d.BccAddresses) == 0 {
		return nil, fail(http.StatusBadRequest, &sestypes.BadRequestException{Message: msg("Destination is required.")})
	}
	return &sesv2.SendEmailOutput{MessageId: aws.String(c.ids.uuid())}, nil
}

// hub is Security Hub in one region: findings by product and id.
type hub struct {
	findings map[string]hubtypes.AwsSecurityFinding
}

func enableSecurityHub(c *call, _ *securityhub.EnableSecurityHubInput) (*securityhub.EnableSecurityHubOutput, error) {
	if c.account().hubs[c.region] != nil {
		return nil, fail(http.StatusConflict, &hubtypes.ResourceConflictException{Message: msg("Account is already subscribed to Security Hub")})
	}
	c.account().hubs[c.region] = &hub{map[string]hubtypes.AwsSecurityFinding{}}
	return &securityhub.EnableSecurityHubOutput{}, nil
}

func (c *call) hub() (*hub, error) {
	if h := c.account().hubs[c.region]; h != nil {
		return h, nil
	}
	return nil, fail(http.StatusUnauthorized, &hubtypes.InvalidAccessException{Message: msg("Account %s is not subscribed to AWS Security Hub", c.account().id)})
}

// batchImportFindings adds findings, or updates those whose product and id are known. An account may write findings of its
// own product and about itself.
//
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
func batchImportFindings(c *call, in *securityhub.BatchImportFindingsInput) (*securityhub.BatchImportFindingsOutput, error) {
	h, err := c.hub()
	if err != nil {
		return nil, err
	}
	own := c.arnOf("securityhub", "product/"+c.account().id+"/default")
	out := &securityhub.BatchImportFindingsOutput{SuccessCount: aws.Int32(0), FailedCount: aws.Int32(0)}
	for _, f := range in.Findings {
		if aws.ToString(f.ProductArn) != own || aws.ToString(f.AwsAccountId) != c.account().id {
			return nil, failAs("AccessDeniedException", http.StatusForbidden, &hubtypes.AccessDeniedException{
				Message: msg("not allowed to import findings of %.200s for account %.20s", aws.ToString(f.ProductArn), aws.ToString(f.AwsAccountId)),
			})
		}
		if len(f.Resources) == 0 || len(aws.ToString(f.Title)) > 256 || len(aws.ToString(f.Description)) > 1024 {
			*out.FailedCount++
			out.FailedFindings = append(out.FailedFindings, hubtypes.ImportFindingsError{
				Id: f.Id, ErrorCode: aws.String("InvalidInput"), ErrorMessage: msg("Finding does not adhere to Amazon Finding Format."),
			})
			continue
		}
		h.findings[own+"/"+aws.ToString(f.Id)] = f
		*out.SuccessCount++
	}
	return out, nil
}

// getFindings lists all: the sandbox knows no filters.
func getFindings(c *call, in *securityhub.GetFindingsInput) (*securityhub.GetFindingsOutput, error) {
	h, err := c.hub()
	if err != nil {
		return nil, err
	}
	if in.Filters != nil {
		return nil, invalid("InvalidInputException", "the sandbox knows no filters of findings")
	}
	out := &securityhub.GetFindingsOutput{Findings: []hubtypes.AwsSecurityFinding{}}
	for _, id := range slices.Sorted(maps.Keys(h.findings)) {
		f := h.findings[id]
		out.Findings = append(out.Findings, *clone(&f))
	}
	return out, nil
}
