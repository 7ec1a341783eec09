// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package iamtags reads how to reach a user from tags on the IAM user. Whoever may tag a user can redirect such an
// answer, the attacker too, so that it is only ever a hint: never the only addressee, and ignored when the tags (or the
// user) were written within the last 30 days. Where that cannot be seen, a note says so.
//
//	type: iam tags
//	email: [email, owner]   # tag keys that hold a mail address, first wins; the default
//	slack: [slack]          # tag keys that hold a Slack member id; the default
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags_users.html
package iamtags

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

func init() {
	contact.Register(contact.Kind{Type: contact.SourceIAMTags, Open: func(c contact.Config, s contact.Services) (contact.Directory, error) {
		var o Options
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		if s.Clock == nil {
			return nil, errors.New("needs a clock")
		}
		return New(o, s), nil
	}})
}

// settled is how long ago a tag must have been written to count as a hint.
const settled = 30 * 24 * time.Hour

// maxTags is the most that a user can have.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxTags = 50

// Options name the tags. The zero value has the defaults.
type Options struct {
	Email []string `yaml:"email"`
	Slack []string `yaml:"slack"`
}

// Directory is the tags of IAM users.
type Directory struct {
	o Options
	s contact.Services
}

var _ contact.Directory = (*Directory)(nil)

// New makes a directory; s.Clock is needed.
func New(o Options, s contact.Services) *Directory {
	if len(o.Email) == 0 {
		o.Email = []string{"email", "owner"}
	}
	if len(o.Slack) == 0 {
		o.Slack = []string{"slack"}
	}
	return &Directory{o, s}
}

// LookUp implements contact.Directory for humans who are IAM users.
func (d *Directory) LookUp(ctx context.Context, door *gate.Door, who incident.Who) (contact.Answer, error) {
	user, err := arn.Parse(who.HumanARN)
	if err != nil || !strings.HasPrefix(user.Resource, "user/") {
		return contact.Answer{}, nil // nobody whom IAM has tags for
	}
	if door == nil {
		return contact.Answer{}, errors.New("no way to AWS")
	}
	partition, ok := arn.PartitionByID(user.Partition)
	if !ok {
		return contact.Answer{}, fmt.Errorf("unknown partition %q", user.Partition)
	}
	name := user.Resource[strings.LastIndexByte(user.Resource, '/')+1:]
	cfg, err := door.Config(ctx, user.AccountID, partition.GlobalRegion)
	if err != nil {
		return contact.Answer{}, fmt.Errorf("open account %s: %w", user.AccountID, err)
	}
	out, err := iam.NewFromConfig(cfg).ListUserTags(ctx, &iam.ListUserTagsInput{UserName: &name, MaxItems: aws.Int32(maxTags)})
	if gone := (*types.NoSuchEntityException)(nil); errors.As(err, &gone) {
		return contact.Answer{Notes: []string{fmt.Sprintf("user %s is gone", name)}}, nil
	}
	if err != nil {
		return contact.Answer{}, fmt.Errorf("list tags of user %s: %w", name, err)
	}
	person, ok := d.person(name, out.Tags)
	if !ok {
		return contact.Answer{}, nil
	}
	note, trust := d.judge(ctx, door, user.AccountID, partition.GlobalRegion, name)
	if !trust {
		return contact.Answer{Notes: []string{note}}, nil
	}
	person.Note = note
	return contact.Answer{People: []incident.Person{person}}, nil
}

// person reads the tags; a value that is no address counts as none.
func (d *Directory) person(user string, tags []types.Tag) (incident.Person, bool) {
	p := incident.Person{
		Name: identity.Printable(user, 100), Source: contact.SourceIAMTags, IsHint: true,
		Email: first(tags, d.o.Email, contact.CheckEmail), Slack: first(tags, d.o.Slack, contact.CheckSlack),
	}
	return p, p.Email != "" || p.Slack != ""
}

func first(tags []types.Tag, keys []string, check func(string) error) string {
	for _, key := range keys {
		for _, tag := range tags {
			if value := aws.ToString(tag.Value); strings.EqualFold(aws.ToString(tag.Key), key) && check(value) == nil {
				return value
			}
		}
	}
	return ""
}

// judge looks for who wrote the tags lately. What cannot be seen stays a hint, with a note; what was written lately is
// no hint at all.
func (d *Directory) judge(ctx context.Context, door *gate.Door, account, region, user string) (note string, trust bool) {
	if d.s.History == nil {
		return "whether the tags changed lately cannot be seen: no event history", true
	}
	now := d.s.Clock()
	records, gaps, err := d.s.History.Lookup(ctx, door, state.Query{
		Account: account, Region: region, From: now.Add(-settled), To: now,
		EventNames: []string{"CreateUser", "TagUser", "UntagUser"}, ResourceName: user,
	})
	if err != nil {
		return "whether the tags changed lately cannot be seen: " + identity.Printable(err.Error(), 300), true
	}
	for i := len(records) - 1; i >= 0; i-- {
		if wrote(records[i], user) {
			return fmt.Sprintf("ignored: %s by %s on %s", records[i].EventName,
				identity.Printable(identity.PrincipalOf(records[i].UserIdentity).String(), 200),
				records[i].EventTime.UTC().Format(time.DateOnly)), false
		}
	}
	if len(gaps) > 0 {
		return "whether the tags changed lately cannot be seen everywhere: " + identity.Printable(strings.Join(gaps, "; "), 300), true
	}
	return "tags unchanged for 30 days", true
}

func wrote(r cloudtrail.Record, user string) bool {
	name, ok := r.RequestParameter("userName")
	return ok && strings.EqualFold(name, user) && !r.Failed()
}
