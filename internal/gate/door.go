// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Errors of Door.Config.
var (
	// ErrNoRegion: neither the caller nor the configuration names a region.
	ErrNoRegion = errors.New("no region is configured (set AWS_REGION)")
	// ErrNoAccess: no role is configured for the account, and the process's credentials belong to another.
	ErrNoAccess = errors.New("no access to the account")
)

// Scope is what calls are made for. The zero value can only read.
type Scope struct {
	// Incident, Execution, Runbook and Action go into each Call; the incident also into the user agent, the role's
	// session name and its source identity.
	Incident, Execution, Runbook, Action string
	// Class is the action's class, for the policy and the budgets: ClassRestore, "contain", …
	Class string
	// Actor is the principal whose doing is being undone, for budgets per actor; "" when nobody is known.
	Actor string
	// Mode is the most that is allowed; Options.Policy and Options.DryRun may lower it.
	Mode Mode
	// Approved: a person who may has approved these mutations; only Ask looks at it.
	Approved bool
	// Own lists our own queues by URL: receiving, deleting and extending messages there is plumbing, allowed in every
	// mode and no mutation. So is to tell people through our own channels: topics by ARN, senders of mail by address,
	// Security Hub by the product's ARN. Only sources and channels set it; an action's scope leaves it empty.
	Own []string
	// Rate is the share of AWS's quota to use, 0.5 for half; 0 is all.
	Rate float64
}

// Door makes configurations whose calls are made for one Scope.
type Door struct {
	gate  *Gate
	scope Scope
}

// Door opens the gate for one purpose.
func (g *Gate) Door(s Scope) *Door { return &Door{gate: g, scope: s} }

// AtRate is the same door for calls that leave AWS's quota to others but for a share, 0.5 for half.
func (d *Door) AtRate(share float64) *Door {
	slower := *d
	slower.scope.Rate = share
	return &slower
}

// Config is the door's only product. Clients made from it (cloudtrail.NewFromConfig) pass the gate with every call. An
// account of "" is that of the process's credentials; a region of "" is the default one. It may ask STS once who we are.
func (d *Door) Config(ctx context.Context, account, region string) (aws.Config, error) {
	region = cmp.Or(region, d.gate.base.Region)
	if region == "" {
		return aws.Config{}, ErrNoRegion
	}
	account, err := d.gate.verify(ctx, account, region)
	if err != nil {
		return aws.Config{}, err
	}
	return d.config(account, region), nil
}

// ReadConfig makes a configuration of the process's own credentials that can only read. Unlike Config it asks nobody who
// we are, so it works where STS cannot be reached.
func (d *Door) ReadConfig(region string) (aws.Config, error) {
	region = cmp.Or(region, d.gate.base.Region)
	if region == "" {
		return aws.Config{}, ErrNoRegion
	}
	reader := *d
	reader.scope.Mode = Observe
	return reader.config("", region), nil
}

// verify makes sure that calls for account reach account: names such as a trail's mean another resource elsewhere.
func (g *Gate) verify(ctx context.Context, account, region string) (string, error) {
	if _, hasRole := g.o.Accounts[account]; hasRole || account != "" && g.o.Backend != nil {
		return account, nil
	}
	own, err := g.Caller(ctx, "", region)
	if err != nil {
		return "", fmt.Errorf("find the account of our credentials: %w", err)
	}
	if account != "" && account != own.Account {
		return "", fmt.Errorf("%w %s: no role is configured for it and our credentials belong to %s", ErrNoAccess, account, own.Account)
	}
	return own.Account, nil
}

// config assembles the configuration without looking whether the account is right.
func (d *Door) config(account, region string) aws.Config {
	g := d.gate
	access := g.o.Accounts[account]
	e := entrance{
		gate: g, scope: d.scope, account: account, region: region, role: access.RoleARN,
		credentials: g.credentials(d.scope.Incident, account, region),
		userAgent:   userAgent(g.o.Version, d.scope.Incident),
	}
	e.mode, e.modeReason = g.mode(d.scope, account)
	cfg := g.base.Copy()
	cfg.Region = region
	cfg.Credentials = guardedCredentials{e.credentials}
	cfg.HTTPClient = g.transport
	cfg.Retryer = func() aws.Retryer { return newRetryer(g.o.MaxAttempts, nil) }
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], e.install)
	cfg.ServiceOptions = append(cfg.ServiceOptions[:len(cfg.ServiceOptions):len(cfg.ServiceOptions)], adaptCustomEndpoint)
	return cfg
}

// mode is the least of what the options, the policy and the scope allow.
func (g *Gate) mode(s Scope, account string) (Mode, string) {
	if g.o.DryRun {
		return Observe, "dry-run"
	}
	if g.o.Policy == nil {
		return s.Mode, ""
	}
	subject := Subject{Runbook: s.Runbook, Account: account, Class: s.Class}
	if g.o.OUs != nil {
		subject.OUs = g.o.OUs(account)
	}
	mode, reason := g.o.Policy.Decide(subject)
	if s.Mode < mode {
		return s.Mode, ""
	}
	return mode, reason
}

// install puts the gate into one operation's stack; the SDK calls it for every call, after the operation's own
// middlewares, so that ours is the last of the Initialize step and sees the input as it will be sent.
func (e entrance) install(stack *middleware.Stack) error {
	_, e.presign = stack.Initialize.Get(presignID)
	if err := stack.Initialize.Add(&e, middleware.After); err != nil {
		return err
	}
	if e.gate.o.Backend != nil || e.presign {
		return nil // nothing is sent
	}
	if err := stack.Finalize.Insert(attempt{e.gate}, "Retry", middleware.After); err != nil {
		return err
	}
	if err := stack.Deserialize.Add(readable{custom: !isAWS(e.gate.base.BaseEndpoint)}, middleware.After); err != nil {
		return err
	}
	if err := awsmiddleware.AddUserAgentKeyValue(product, e.gate.o.Version)(stack); err != nil {
		return err
	}
	if e.scope.Incident == "" {
		return nil
	}
	return awsmiddleware.AddUserAgentKeyValue("incident", e.scope.Incident)(stack)
}

const product = "switchback"

// userAgent is what a Backend sees; the SDK builds the same for AWS, with more about the system.
func userAgent(version, incident string) string {
	ua := aws.SDKName + "/" + aws.SDKVersion + " " + product + "/" + agentToken(version)
	if incident != "" {
		ua += " incident/" + agentToken(incident)
	}
	return ua
}

// agentToken replaces what a user agent's token may not hold, as the SDK does.
func agentToken(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', strings.ContainsRune("!#$%&'*+-.^_`|~", r):
			return r
		}
		return '-'
	}, s)
}
