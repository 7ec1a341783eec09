// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
)

// ErrUnknown is returned for an account, principal or queue that the sandbox does not have.
var ErrUnknown = errors.New("not in the sandbox")

// The settings of the sandbox are operations of their own service, so that the journal holds them too.
type (
	addAccountInput      struct{ ID, Partition, Alias string }
	addOrganizationInput struct {
		ID, Management string
		Members        []string
	}
	addPrincipalInput struct{ Identity cloudtrail.UserIdentity }
	denyInput         struct{ Target, Action string }
	setSourceInput    struct {
		AccessKeyID string
		From        Source
	}
	subscribeInput struct {
		Account, Region, QueueURL string
		All                       bool
	}
	markInput struct{ Account string }
	done      struct{}
)

func controlOperations(t table) {
	handle(t, control, "AddAccount", writes, addAccount)
	handle(t, control, "AddOrganization", writes, addOrganization)
	handle(t, control, "AddPrincipal", writes, addPrincipal)
	handle(t, control, "Deny", writes, deny)
	handle(t, control, "Allow", writes, allow)
	handle(t, control, "ProvisionUser", writes, provisionUser)
	handle(t, control, "SetSource", writes, setSource)
	handle(t, control, "Subscribe", writes, subscribe)
	handle(t, control, "Seeded", writes, markSeeded)
}

// set runs one of the operations above.
func (s *Sandbox) set(name string, in any) error {
	op := operations()[key(control.id, name)]
	own, err := ownInput(in)
	if err != nil {
		return err
	}
	_, _, err = s.once(op, gate.Request{Service: control.id, Operation: name, Input: own}, s.clock())
	return err
}

// AddAccount adds an account of a partition ("aws", "aws-cn", …) and an access key of its root. alias may be empty.
// Adding an account that is there changes nothing.
func (s *Sandbox) AddAccount(id, partition, alias string) error {
	return s.set("AddAccount", &addAccountInput{ID: id, Partition: partition, Alias: alias})
}

func addAccount(c *call, in *addAccountInput) (*done, error) {
	if _, ok := c.s.accounts[in.ID]; ok {
		c.same = true
		return &done{}, nil
	}
	if !accountID.MatchString(in.ID) {
		return nil, invalid("ValidationException", "account id %.40q is not 12 digits", in.ID)
	}
	if _, ok := arn.PartitionByID(in.Partition); !ok {
		return nil, invalid("ValidationException", "partition %.40q is unknown", in.Partition)
	}
	a := newAccount(in.ID, in.Partition, in.Alias)
	a.root = &credential{key: c.ids.accessKey("AKIA"), account: a, root: true}
	c.s.accounts[in.ID] = a
	c.s.addKey(a.root)
	return &done{}, nil
}

// addKey makes a key work. A key of the same id is replaced.
func (s *Sandbox) addKey(c *credential) { s.credentials[c.key] = c }

// AddOrganization joins accounts to an organization with all features; management is one more account.
func (s *Sandbox) AddOrganization(id, management string, members ...string) error {
	return s.set("AddOrganization", &addOrganizationInput{ID: id, Management: management, Members: members})
}

func addOrganization(c *call, in *addOrganizationInput) (*done, error) {
	all := append([]string{in.Management}, in.Members...)
	for _, id := range all {
		a, ok := c.s.accounts[id]
		if !ok {
			return nil, invalid("AccountNotFoundException", "account %.40q is not there", id)
		}
		if a.organization != nil {
			return nil, invalid("ConstraintViolationException", "account %s is in %s", id, a.organization.id)
		}
	}
	o := &organization{id: in.ID, management: c.s.accounts[in.Management]}
	c.s.organizations[in.ID] = o
	for _, id := range all {
		c.s.accounts[id].organization = o
		if id != in.Management {
			o.members = append(o.members, c.s.accounts[id])
		}
	}
	return &done{}, nil
}

// AddPrincipal adds the principal of a record, with the access key, the unique ids and the session that the record
// names, and its account if it is missing: how a replay puts the caller in place. It returns the key, made up where the
// record names none. Types that make no calls of their own (AWSService, AWSAccount, SAMLUser) are ErrUnknown.
func (s *Sandbox) AddPrincipal(id cloudtrail.UserIdentity) (accessKeyID string, err error) {
	switch id.Type {
	case cloudtrail.IdentityRoot, cloudtrail.IdentityIAMUser, cloudtrail.IdentityAssumedRole, cloudtrail.IdentityFederatedUser:
	default:
		return "", fmt.Errorf("add principal of type %.40q: %w", id.Type, ErrUnknown)
	}
	p, err := arn.Parse(id.ARN)
	if err != nil {
		return "", fmt.Errorf("add principal: %w", err)
	}
	if err := s.AddAccount(p.AccountID, p.Partition, ""); err != nil {
		return "", fmt.Errorf("add principal: %w", err)
	}
	if id.AccessKeyID == "" {
		id.AccessKeyID = newIDs(s.seed, "principal "+id.ARN+" "+id.PrincipalID).accessKey("ASIA")
	}
	return id.AccessKeyID, s.set("AddPrincipal", &addPrincipalInput{Identity: id})
}

func addPrincipal(c *call, in *addPrincipalInput) (*done, error) {
	id := in.Identity
	p, err := arn.Parse(id.ARN)
	if err != nil {
		return nil, invalid("ValidationException", "%v", err)
	}
	a, ok := c.s.accounts[p.AccountID]
	if !ok {
		return nil, invalid("AccountNotFoundException", "account %.40q is not there", p.AccountID)
	}
	if old, ok := c.s.credentials[id.AccessKeyID]; ok && old.account == a && old.principalID() == id.PrincipalID {
		c.same = true
		return &done{}, nil
	}
	cred := &credential{key: id.AccessKeyID, account: a, created: c.now, inScopeOf: id.InScopeOf, onBehalfOf: id.OnBehalfOf}
	switch id.Type {
	case cloudtrail.IdentityRoot:
		cred.root = true
	case cloudtrail.IdentityIAMUser:
		cred.user = a.ensureUser(c, id.UserName, id.ARN, id.PrincipalID)
	case cloudtrail.IdentityFederatedUser:
		cred.name, cred.root = p.Name(), true
	case cloudtrail.IdentityAssumedRole:
		cred.role, cred.name = a.ensureSession(c, id)
	}
	if x := id.SessionContext; x != nil {
		cred.issued, cred.sourceIdentity, cred.web = x.CreationDate, x.SourceIdentity, x.WebIDFederationData
		cred.mfa = x.MFAAuthenticated != nil && *x.MFAAuthenticated
	}
	c.s.addKey(cred)
	return &done{}, nil
}

// Deny takes an action away, "cloudtrail:StopLogging" or with wildcards: from an account (12 digits) as a service control
// policy does, root included, or from the user or role of an ARN. The refused calls are recorded as failed.
func (s *Sandbox) Deny(target, action string) error {
	return s.set("Deny", &denyInput{target, action})
}

func deny(c *call, in *denyInput) (*done, error) {
	before := len(c.s.denials)
	c.s.denials = c.s.denials.with(denial{in.Target, in.Action})
	c.same = len(c.s.denials) == before
	return &done{}, nil
}

// Allow takes a Deny back.
func (s *Sandbox) Allow(target, action string) error {
	return s.set("Allow", &denyInput{target, action})
}

func allow(c *call, in *denyInput) (*done, error) {
	before := len(c.s.denials)
	c.s.denials = c.s.denials.without(denial{in.Target, in.Action})
	c.same = len(c.s.denials) == before
	return &done{}, nil
}

// SetSource says where calls with an access key come from; sessions issued to it inherit that.
func (s *Sandbox) SetSource(accessKeyID string, from Source) error {
	return s.set("SetSource", &setSourceInput{accessKeyID, from})
}

func setSource(c *call, in *setSourceInput) (*done, error) {
	cred, ok := c.s.credentials[in.AccessKeyID]
	if !ok {
		return nil, invalid(invalidClientToken, "access key %.40q is not there", in.AccessKeyID)
	}
	cred.from = in.From
	return &done{}, nil
}

// Subscribe sends the CloudTrail events of an account to an SQS queue, as an EventBridge rule with that target does. A
// region of "" is every region. With all it sends read-only management events too, as a rule in the state
// ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS; without, the names that begin with Get, List or Describe are left out.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
func (s *Sandbox) Subscribe(account, region, queueURL string, all bool) error {
	return s.set("Subscribe", &subscribeInput{account, region, queueURL, all})
}

func subscribe(c *call, in *subscribeInput) (*done, error) {
	if _, ok := c.s.accounts[in.Account]; !ok {
		return nil, invalid("AccountNotFoundException", "account %.40q is not there", in.Account)
	}
	if c.s.queueByURL(in.QueueURL) == nil {
		return nil, invalid("ResourceNotFoundException", "queue %.200q is not there", in.QueueURL)
	}
	sub := subscription{account: in.Account, region: in.Region, queue: in.QueueURL, all: in.All}
	for _, x := range c.s.subscriptions {
		if x == sub {
			c.same = true
			return &done{}, nil
		}
	}
	c.s.subscriptions = append(c.s.subscriptions, sub)
	return &done{}, nil
}

// Credentials are those of an access key, to be used with [gate.BackendConfig].
func (s *Sandbox) Credentials(accessKeyID string) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.credentials[accessKeyID]
	if !ok {
		return aws.Credentials{}, fmt.Errorf("credentials of %.40q: %w", accessKeyID, ErrUnknown)
	}
	return c.aws(), nil
}

// Root is the account's root, to set a scene with.
func (s *Sandbox) Root(account string) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[account]
	if !ok {
		return aws.Credentials{}, fmt.Errorf("root of account %.40q: %w", account, ErrUnknown)
	}
	return a.root.aws(), nil
}

func (c *credential) aws() aws.Credentials {
	out := aws.Credentials{AccessKeyID: c.key, SecretAccessKey: "sandbox", Source: "sandbox", AccountID: c.account.id}
	if !c.issued.IsZero() {
		out.SessionToken = "sandbox"
		out.CanExpire, out.Expires = !c.expires.IsZero(), c.expires
	}
	return out
}
