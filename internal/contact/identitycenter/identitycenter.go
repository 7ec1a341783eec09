// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package identitycenter asks the identity store of IAM Identity Center for people: by the user id that CloudTrail
// recorded, by user name, mail address, or the id that an identity provider knows them by.
//
//	type: identity center
//	identity_store: d-1234567890
//	account: "111122223333"        # where Identity Center is: the management account, or its delegated administrator
//	region: eu-west-1
//	issuer: https://idp.example.com # of the identity provider that provisions users, where subjects are its ids
//
// A disabled user has left. An IAM user of the same name is somebody else until proven: what is found for one is only a
// hint, as is a display name, since those are not unique. Identity Center tells no managers here: keep them in a directory
// file, by mail address.
//
// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/welcome.html
package identitycenter

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

func init() {
	contact.Register(contact.Kind{Type: contact.SourceIdentityCenter, Open: func(c contact.Config, s contact.Services) (contact.Directory, error) {
		var o Options
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		return New(o, s.Clock)
	}})
}

// Options say where the identity store is.
type Options struct {
	IdentityStore string `yaml:"identity_store"`
	Account       string `yaml:"account"`
	Region        string `yaml:"region"`
	// Issuer is that of external ids; "" asks for none.
	Issuer string `yaml:"issuer"`
}

// https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_User.html
var (
	storeID = regexp.MustCompile(`^(d-[0-9a-f]{10}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)
	userID  = regexp.MustCompile(`^([0-9a-f]{10}-)?[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}$`)
)

const (
	// maxName is the longest name that is asked for: a mail address; user names end at 128.
	maxName = 254
	// maxPages bounds what is looked through where no unique attribute finds the name.
	maxPages = 20
	// fresh is how long a listing is good for: names that an attacker makes up must not use up the API's quota.
	fresh = time.Minute
	// maxNamesakes is how many of one name are told of.
	maxNamesakes = 5
)

// Directory is the users of an identity store. It is safe for concurrent use.
type Directory struct {
	o     Options
	clock func() time.Time

	turn chan struct{} // who holds it may use what follows: one lists, the others wait for that
	all  listing
}

// listing is the first users of the store.
type listing struct {
	at    time.Time
	users []types.User
	isCut bool // there are more
}

var _ contact.Directory = (*Directory)(nil)

// New makes a directory.
func New(o Options, clock func() time.Time) (*Directory, error) {
	switch {
	case !storeID.MatchString(o.IdentityStore):
		return nil, fmt.Errorf("identity_store: %.60q is none (want d-1234567890)", o.IdentityStore)
	case o.Region == "":
		return nil, errors.New("region is missing: that in which Identity Center was enabled")
	case clock == nil:
		return nil, errors.New("needs a clock")
	}
	if err := contact.CheckAccount("account", o.Account); err != nil {
		return nil, err
	}
	return &Directory{o: o, clock: clock, turn: make(chan struct{}, 1)}, nil
}

// LookUp implements contact.Directory.
func (d *Directory) LookUp(ctx context.Context, door *gate.Door, who incident.Who) (contact.Answer, error) {
	if who.Human == "" {
		return contact.Answer{}, nil // roles have no user
	}
	if len(who.Human) > maxName || identity.Printable(who.Human, maxName) != who.Human {
		return contact.Answer{Notes: []string{fmt.Sprintf("no user can be called %.60q (%d bytes)", who.Human, len(who.Human))}}, nil
	}
	if door == nil {
		return contact.Answer{}, errors.New("no way to AWS")
	}
	cfg, err := door.Config(ctx, d.o.Account, d.o.Region)
	if err != nil {
		return contact.Answer{}, fmt.Errorf("open account %s: %w", d.o.Account, err)
	}
	client := identitystore.NewFromConfig(cfg)
	m, err := d.find(ctx, client, who)
	if err != nil {
		return contact.Answer{}, d.explain(err)
	}
	a, err := d.describe(ctx, client, who, m)
	if err != nil {
		return contact.Answer{}, d.explain(err)
	}
	return a, nil
}

// explain says of errors what to do about them.
func (d *Directory) explain(err error) error {
	if x := (*types.ResourceNotFoundException)(nil); errors.As(err, &x) && x.ResourceType == types.ResourceTypeIdentityStore {
		return fmt.Errorf("identity store %s is not in account %s, region %s (sso-admin list-instances tells): %w",
			d.o.IdentityStore, d.o.Account, d.o.Region, err)
	}
	return fmt.Errorf("ask identity store %s: %w", d.o.IdentityStore, err)
}

// matches are the users that may be the human.
type matches struct {
	ids []string
	// isCertain: the id, or something that only one user can have, says so.
	isCertain bool
	note      string
}

// find asks for the human from the surest name to the least. It does not look at who's chain: source identities in it are
// free text.
func (d *Directory) find(ctx context.Context, client *identitystore.Client, who incident.Who) (matches, error) {
	if userID.MatchString(who.Human) {
		return matches{ids: []string{who.Human}, isCertain: !isIAM(who.HumanARN)}, nil
	}
	for _, by := range d.identifiers(who.Human) {
		out, err := client.GetUserId(ctx, &identitystore.GetUserIdInput{IdentityStoreId: &d.o.IdentityStore, AlternateIdentifier: by})
		if isNobody(err) {
			continue
		}
		if err != nil {
			return matches{}, fmt.Errorf("get user id: %w", err)
		}
		return matches{ids: []string{aws.ToString(out.UserId)}, isCertain: !isIAM(who.HumanARN)}, nil
	}
	all, err := d.list(ctx, client)
	if err != nil {
		return matches{}, fmt.Errorf("list users: %w", err)
	}
	return all.named(who), nil
}

// identifiers are the unique attributes that name may be.
func (d *Directory) identifiers(name string) []types.AlternateIdentifier {
	attribute := func(path string) types.AlternateIdentifier {
		return &types.AlternateIdentifierMemberUniqueAttribute{
			Value: types.UniqueAttribute{AttributePath: aws.String(path), AttributeValue: document.NewLazyDocument(name)},
		}
	}
	all := []types.AlternateIdentifier{attribute("userName")}
	if contact.CheckEmail(name) == nil {
		all = append(all, attribute("emails.value"))
	}
	if d.o.Issuer != "" {
		all = append(all, &types.AlternateIdentifierMemberExternalId{Value: types.ExternalId{Issuer: &d.o.Issuer, Id: &name}})
	}
	return all
}

// isNobody tells that there is no such user, or can be none.
func isNobody(err error) bool {
	if x := (*types.ResourceNotFoundException)(nil); errors.As(err, &x) {
		return x.ResourceType != types.ResourceTypeIdentityStore
	}
	x := (*types.ValidationException)(nil)
	return errors.As(err, &x)
}

// isIAM reports whether the human is an IAM user or a root: their names say nothing about Identity Center's.
func isIAM(human string) bool {
	p, err := arn.Parse(human)
	return err == nil && p.Service == "iam"
}

// list returns the first users of the store.
func (d *Directory) list(ctx context.Context, client *identitystore.Client) (listing, error) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return listing{}, ctx.Err()
	}
	now := d.clock()
	if age := now.Sub(d.all.at); !d.all.at.IsZero() && age >= 0 && age < fresh {
		return d.all, nil
	}
	next := listing{at: now}
	p := identitystore.NewListUsersPaginator(client, &identitystore.ListUsersInput{IdentityStoreId: &d.o.IdentityStore})
	for page := 0; p.HasMorePages(); page++ {
		if page == maxPages {
			next.isCut = true
			break
		}
		out, err := p.NextPage(ctx)
		if err != nil {
			return listing{}, err
		}
		next.users = append(next.users, out.Users...)
	}
	d.all = next
	return next, nil
}

// named are the users of a name in another spelling, or else those who are shown by it.
func (l listing) named(who incident.Who) matches {
	var own, shown matches
	for _, u := range l.users {
		switch {
		case isCalled(u, who.Human):
			own.ids = append(own.ids, aws.ToString(u.UserId))
		case strings.EqualFold(aws.ToString(u.DisplayName), who.Human):
			shown.ids = append(shown.ids, aws.ToString(u.UserId))
		}
	}
	m := own
	m.isCertain = len(own.ids) == 1 && !isIAM(who.HumanARN)
	if len(own.ids) == 0 {
		m = shown
	}
	if l.isCut {
		m.note = fmt.Sprintf("only the first %d users were looked through", len(l.users))
	}
	return m
}

func isCalled(u types.User, name string) bool {
	return strings.EqualFold(aws.ToString(u.UserName), name) ||
		slices.ContainsFunc(u.Emails, func(e types.Email) bool { return strings.EqualFold(aws.ToString(e.Value), name) })
}

// describe reads the users and says how to reach them.
func (d *Directory) describe(ctx context.Context, client *identitystore.Client, who incident.Who, m matches) (contact.Answer, error) {
	var a contact.Answer
	if m.note != "" {
		a.Notes = append(a.Notes, m.note)
	}
	for _, id := range m.ids[:min(len(m.ids), maxNamesakes)] {
		u, err := client.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: &d.o.IdentityStore, UserId: &id})
		if isNobody(err) {
			a.Notes = append(a.Notes, fmt.Sprintf("user %s is gone", id))
			continue
		}
		if err != nil {
			return contact.Answer{}, fmt.Errorf("describe user %s: %w", id, err)
		}
		p := person(u)
		switch {
		case u.UserStatus == types.UserStatusDisabled:
			p.Note = "disabled in Identity Center"
			a.Left = append(a.Left, p)
			continue
		case p.Email == "" && p.Phone == "":
			a.Notes = append(a.Notes, p.Name+" has no address")
			continue
		case !m.isCertain:
			p.IsHint, p.Note = true, uncertain(who, len(m.ids))
		}
		a.People = append(a.People, p)
	}
	if len(m.ids) == 0 {
		a.Notes = append(a.Notes, "knows nobody of that name")
	}
	if len(m.ids) > 1 {
		a.Notes = append(a.Notes, fmt.Sprintf("%d users are called %.100q: none of them is certain", len(m.ids), who.Human))
	}
	return a, nil
}

// uncertain says why somebody is only a hint.
func uncertain(who incident.Who, users int) string {
	switch {
	case users > 1:
		return fmt.Sprintf("one of %d users called %.100q", users, who.Human)
	case isIAM(who.HumanARN):
		return "has the same name in Identity Center as the IAM user"
	}
	return "is shown by that name in Identity Center; it is not unique"
}

func person(u *identitystore.DescribeUserOutput) incident.Person {
	name := aws.ToString(u.DisplayName)
	if name == "" {
		name = aws.ToString(u.UserName)
	}
	p := incident.Person{Name: identity.Printable(name, 100), Source: contact.SourceIdentityCenter}
	for _, e := range u.Emails {
		if address := aws.ToString(e.Value); contact.CheckEmail(address) == nil && (p.Email == "" || e.Primary) {
			p.Email = address
		}
	}
	for _, n := range u.PhoneNumbers {
		if p.Phone == "" || n.Primary {
			p.Phone = identity.Printable(aws.ToString(n.Value), 30)
		}
	}
	return p
}
