// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package securityhub writes incidents into AWS Security Hub as findings. It reaches no human: whoever reads it later was
// not told.
//
//	type: securityhub
//	account: "111122223333"   # where findings are written; default: that of the credentials
//	region: eu-west-1         # default: that of the credentials
//
// An incident is one finding, whose id is the incident's: what is written again updates it. It is made when the security
// team is told, and archived when the incident is closed; no other message changes it. A finding belongs to the account
// that writes it, which is AWS's rule for products of one's own: the resource tells the account that it is about.
//
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
package securityhub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

const kind = "securityhub"

func init() {
	notify.Register(notify.Kind{
		Type: kind, PerMinute: perMinute, Permissions: permissions,
		New: func(c notify.Config, s notify.Services) (notify.Notifier, error) {
			var o Options
			if err := c.Decode(&o); err != nil {
				return nil, err
			}
			return New(o, s), nil
		},
	})
}

// perMinute is half of AWS's ten a second.
const perMinute = 300

// permissions: the resource would be the product's ARN, which is of an account and region that the configuration may leave
// to the credentials.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecurityhub.html
func permissions(c notify.Config) ([]notify.Permission, error) {
	var o Options
	if err := c.Decode(&o); err != nil {
		return nil, err
	}
	p := notify.Permission{Action: "securityhub:BatchImportFindings", Resource: "*"}
	if o.Account != "" && o.Region != "" {
		p.Resource = productARN(o.Account, o.Region)
	}
	return []notify.Permission{p}, nil
}

// productARN is that of an account's own findings.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
func productARN(account, region string) string {
	return arn.Parts{
		Partition: arn.PartitionOf(region).ID, Service: "securityhub", Region: region, AccountID: account,
		Resource: "product/" + account + "/default",
	}.String()
}

// Options of a Hub. The zero value works.
type Options struct {
	Account string `yaml:"account"`
	Region  string `yaml:"region"`
}

// Hub is the channel. It is safe for concurrent use.
type Hub struct {
	o        Options
	services notify.Services
}

var _ notify.Follower = (*Hub)(nil)

// New makes a channel. It connects to nothing.
func New(o Options, s notify.Services) *Hub { return &Hub{o, s} }

// ReachesHuman implements notify.Notifier.
func (*Hub) ReachesHuman() bool { return false }

// Notify implements notify.Notifier.
func (h *Hub) Notify(ctx context.Context, m incident.Message) ([]string, bool, error) {
	if m.Incident == "" || m.Kind != incident.ToSecurity {
		return nil, false, notify.ErrNotAddressed
	}
	inc := h.services.About(ctx, m)
	f := newFinding(inc, m.At)
	f.Title, f.Description = text(m.Subject, maxTitle), text(m.Text, maxDescription)
	return h.write(ctx, f)
}

// Follow implements notify.Follower.
func (h *Hub) Follow(ctx context.Context, inc incident.Incident) ([]string, bool, error) {
	if inc.Status != incident.Closed {
		return nil, false, notify.ErrNotAddressed
	}
	f := newFinding(inc, h.now())
	f.RecordState = types.RecordStateArchived
	f.Title, f.Description = text(inc.Title, maxTitle), text(inc.Summary, maxDescription)
	return h.write(ctx, f)
}

func (h *Hub) now() time.Time {
	if h.services.Clock == nil {
		return time.Now()
	}
	return h.services.Clock()
}

// errNotImported: the call succeeded and the finding was not taken.
var errNotImported = errors.New("the finding was refused")

func (h *Hub) write(ctx context.Context, f types.AwsSecurityFinding) ([]string, bool, error) {
	client, account, region, err := h.client(ctx)
	if err != nil {
		retry, err := notify.JudgeAWS(kind, err)
		return nil, retry, err
	}
	f.AwsAccountId, f.ProductArn = aws.String(account), aws.String(productARN(account, region))
	out, err := client.BatchImportFindings(ctx, &securityhub.BatchImportFindingsInput{Findings: []types.AwsSecurityFinding{f}})
	if err != nil {
		retry, err := notify.JudgeAWS(kind, err)
		return nil, retry, err
	}
	for _, failed := range out.FailedFindings {
		return nil, false, fmt.Errorf("%s: %w: %s %s", kind, errNotImported, aws.ToString(failed.ErrorCode), notify.Line(aws.ToString(failed.ErrorMessage), 300))
	}
	return []string{"securityhub"}, false, nil
}

// client finds out where it writes, since that is part of what may be written.
func (h *Hub) client(ctx context.Context) (client *securityhub.Client, account, region string, err error) {
	look, err := h.services.Door(kind)
	if err != nil {
		return nil, "", "", err
	}
	cfg, err := look.Config(ctx, h.o.Account, h.o.Region)
	if err != nil {
		return nil, "", "", err
	}
	region = cfg.Region
	who, err := h.services.Gate.Caller(ctx, h.o.Account, region)
	if err != nil {
		return nil, "", "", err
	}
	door, err := h.services.Door(kind, productARN(who.Account, region))
	if err != nil {
		return nil, "", "", err
	}
	cfg, err = door.Config(ctx, who.Account, region)
	return securityhub.NewFromConfig(cfg), who.Account, region, err
}
