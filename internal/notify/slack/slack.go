// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package slack posts messages to a Slack channel through an incoming webhook.
//
//	type: slack
//	webhook_url_file: /etc/switchback/slack-webhook   # or webhook_url; whoever has it can post
//
// The text goes out as plain_text blocks, in which Slack reads neither mentions nor links nor formatting, so that a
// session named "<!channel>" stays those characters. A message to a person is posted only where the person's member id is
// known from a directory; the mention of that id is the one piece of markup.
//
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackutilsx"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func init() {
	notify.Register(notify.Kind{Type: "slack", PerMinute: perMinute, New: func(c notify.Config, _ notify.Services) (notify.Notifier, error) {
		var o struct {
			URL     notify.Secret `yaml:"webhook_url"`
			URLFile string        `yaml:"webhook_url_file"`
		}
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		url, err := notify.SecretFrom("webhook_url", o.URL, o.URLFile)
		if err != nil {
			return nil, err
		}
		return New(url)
	}})
}

// perMinute is what an incoming webhook takes: one a second.
//
// https://docs.slack.dev/apis/web-api/rate-limits
const perMinute = 60

// Slack's limits, in characters and blocks.
//
// https://docs.slack.dev/reference/block-kit/blocks
const (
	maxHeader  = 150
	maxSection = 3000
	maxBlocks  = 45 // of 50: header and mentions need some
	maxSummary = 500
	maxText    = 256 << 10 // in bytes: more than all sections hold
)

// Slack is the channel. It is safe for concurrent use.
type Slack struct {
	url    notify.Secret
	client *http.Client
}

var _ notify.Notifier = (*Slack)(nil)

// New makes a channel that posts to url (https, or http on this computer).
func New(url notify.Secret) (*Slack, error) {
	if err := notify.CheckURL(url.Reveal()); err != nil {
		return nil, fmt.Errorf("webhook_url: %w", err)
	}
	return &Slack{url, notify.HTTPClient()}, nil
}

// Notify implements notify.Notifier.
func (s *Slack) Notify(ctx context.Context, m incident.Message) ([]string, bool, error) {
	mentions := mentions(m.To)
	if m.Kind == incident.ToPerson && len(mentions) == 0 {
		return nil, false, notify.ErrNotAddressed
	}
	off := false
	err := slack.PostWebhookCustomHTTPContext(ctx, s.url.Reveal(), s.client, &slack.WebhookMessage{
		Text:        slackutilsx.EscapeMessage(cut(notify.Line(m.Subject, maxSummary), maxSummary)), // what a notification shows
		Blocks:      &slack.Blocks{BlockSet: blocks(m, mentions)},
		Parse:       "none",
		UnfurlLinks: &off,
		UnfurlMedia: &off,
	})
	if err != nil {
		retry, err := judge(err)
		return nil, retry, err
	}
	if len(mentions) > 0 {
		return mentions, false, nil
	}
	return []string{"channel"}, false, nil
}

// mentions are the member ids of people, only those that look like one.
func mentions(people []incident.Person) []string {
	var ids []string
	for _, p := range people {
		if contact.CheckSlack(p.Slack) == nil {
			ids = append(ids, p.Slack)
		}
	}
	return ids
}

func blocks(m incident.Message, mentions []string) []slack.Block {
	all := []slack.Block{slack.NewHeaderBlock(plain(cut(identity.Printable(m.Subject, maxHeader), maxHeader)))}
	if len(mentions) > 0 {
		text := "<@" + strings.Join(mentions, "> <@") + ">"
		all = append(all, slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, text, false, true), nil, nil))
	}
	for _, part := range parts(notify.Plain(m.Text, maxText)) {
		all = append(all, slack.NewSectionBlock(plain(part), nil, nil))
	}
	return all
}

func plain(text string) *slack.TextBlockObject {
	if text == "" {
		text = " " // Slack refuses empty texts
	}
	off := false
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: text, Emoji: &off}
}

// parts cuts a text into sections, between lines where it can.
func parts(text string) []string {
	var all []string
	for text != "" && len(all) < maxBlocks {
		part := cut(text, maxSection)
		if len(part) < len(text) {
			if i := strings.LastIndexByte(part, '\n'); i > 0 {
				part = part[:i+1]
			}
		}
		all, text = append(all, part), text[len(part):]
	}
	if text != "" {
		all = append(all, fmt.Sprintf("(%d more bytes)", len(text)))
	}
	return all
}

// cut returns at most n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// judge tells whether trying again may help. The error does not hold the URL.
func judge(err error) (retry bool, cleaned error) {
	if limited := (*slack.RateLimitedError)(nil); errors.As(err, &limited) {
		return true, &notify.RetryAfter{After: limited.RetryAfter, Err: errors.New("slack limits the rate")}
	}
	if status := (slack.StatusCodeError{}); errors.As(err, &status) {
		return notify.IsRetryable(status.Code), notify.StatusError("slack", status.Code)
	}
	return true, fmt.Errorf("slack: %w: %w", notify.ErrDown, notify.WithoutURL(err))
}

// ReachesHuman implements notify.Notifier.
func (*Slack) ReachesHuman() bool { return true }
