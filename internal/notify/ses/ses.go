// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package ses sends messages by mail through Amazon SES.
//
//	type: ses
//	from: switchback@example.com     # a verified identity
//	account: "111122223333"          # its account; default: that of the credentials
//	region: eu-west-1                # its region; default: that of the credentials
//	configuration_set: switchback    # optional
//
// Each addressee gets a mail of their own. Mails carry the header Switchback-Message-Id, the same for a repetition: SES
// replaces Message-ID by its own. What SES takes and cannot deliver later is not known here; a configuration set with an
// event destination tells it.
//
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
package ses

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

const kind = "ses"

func init() {
	notify.Register(notify.Kind{
		Type: kind, PerMinute: perMinute, Permissions: permissions,
		New: func(c notify.Config, s notify.Services) (notify.Notifier, error) {
			var o Options
			if err := c.Decode(&o); err != nil {
				return nil, err
			}
			return New(o, s)
		},
	})
}

// perMinute is what an account in the sandbox of SES may send, one a second; others may send more.
//
// https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html
const perMinute = 60

// permissions: sending as the one address.
//
// https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html
func permissions(c notify.Config) ([]notify.Permission, error) {
	var o Options
	if err := c.Decode(&o); err != nil {
		return nil, err
	}
	return []notify.Permission{{
		Action: "ses:SendEmail", Resource: "*",
		Condition: map[string]map[string][]string{"StringEquals": {"ses:FromAddress": {o.From}}},
	}}, nil
}

// Options of a Mail.
type Options struct {
	From             string `yaml:"from"`
	Account          string `yaml:"account"`
	Region           string `yaml:"region"`
	ConfigurationSet string `yaml:"configuration_set"`
}

// Mail is the channel. It is safe for concurrent use.
type Mail struct {
	o        Options
	services notify.Services
}

var _ notify.Notifier = (*Mail)(nil)

// New checks the options. It connects to nothing.
func New(o Options, s notify.Services) (*Mail, error) {
	if err := contact.CheckEmail(o.From); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	return &Mail{o, s}, nil
}

// ReachesHuman implements notify.Notifier.
func (*Mail) ReachesHuman() bool { return true }

// Notify implements notify.Notifier. Where some addresses were accepted, the error names the others.
func (m *Mail) Notify(ctx context.Context, msg incident.Message) (accepted []string, retry bool, err error) {
	var to []string
	for _, p := range msg.To {
		if p.Email != "" {
			to = append(to, p.Email)
		}
	}
	if len(to) == 0 {
		return nil, false, notify.ErrNotAddressed
	}
	client, retry, err := m.client(ctx)
	if err != nil {
		return nil, retry, err
	}
	retry = true
	var failures []error
	for _, address := range to {
		again, err := m.send(ctx, client, msg, address)
		if err == nil {
			accepted = append(accepted, address)
			continue
		}
		retry = retry && again
		failures = append(failures, fmt.Errorf("mail to %s: %w", notify.Line(address, maxAddress), err))
	}
	err = errors.Join(failures...)
	return accepted, retry && err != nil, err
}

func (m *Mail) client(ctx context.Context) (*sesv2.Client, bool, error) {
	door, err := m.services.Door(kind, m.o.From)
	if err != nil {
		return nil, false, err
	}
	cfg, err := door.Config(ctx, m.o.Account, m.o.Region)
	if err != nil {
		retry, err := notify.JudgeAWS(kind, err)
		return nil, retry, err
	}
	return sesv2.NewFromConfig(cfg), false, nil
}

// What bounds a mail, in bytes. SES takes 40 MB, and 870 of a header.
//
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html
const (
	maxAddress = 254
	maxSubject = 200
	maxText    = 1 << 20
	maxHeader  = 200
)

// send mails one addressee.
func (m *Mail) send(ctx context.Context, client *sesv2.Client, msg incident.Message, to string) (retry bool, err error) {
	if err := contact.CheckEmail(to); err != nil {
		return false, err
	}
	body := &types.Body{Text: text(notify.Plain(msg.Text, maxText))}
	if msg.HTML != "" && len(msg.HTML) <= maxText {
		body.Html = text(msg.HTML)
	}
	in := &sesv2.SendEmailInput{
		FromEmailAddress: aws.String(m.o.From), Destination: &types.Destination{ToAddresses: []string{to}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: text(notify.Line(msg.Subject, maxSubject)), Body: body,
			Headers: []types.MessageHeader{
				{Name: aws.String(notify.MessageID), Value: aws.String(notify.Line(msg.ID, maxHeader))},
				// No out-of-office answers: https://www.rfc-editor.org/rfc/rfc3834#section-5
				{Name: aws.String("Auto-Submitted"), Value: aws.String("auto-generated")},
			},
		}},
	}
	if m.o.ConfigurationSet != "" {
		in.ConfigurationSetName = aws.String(m.o.ConfigurationSet)
	}
	if _, err := client.SendEmail(ctx, in); err != nil {
		return notify.JudgeAWS(kind, err)
	}
	return false, nil
}

func text(s string) *types.Content {
	if s == "" {
		s = " " // SES refuses empty texts
	}
	return &types.Content{Data: aws.String(s), Charset: aws.String("UTF-8")}
}
