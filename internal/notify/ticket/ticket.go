// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package ticket opens one ticket for an incident, in Jira or ServiceNow. It reaches no human: a ticket waits until
// somebody looks.
//
//	type: jira
//	url: https://example.atlassian.net
//	project: SEC
//	issue_type: Task                             # the default
//	user: switchback@example.com                 # with it the token is Basic, without it Bearer
//	token_file: /etc/switchback/jira-token       # or token
//	api: 3                                       # the default; 2 for Jira Data Center
//	fields: {priority: {name: Highest}, components: [{name: "{{.Region}}"}]}
//
//	type: servicenow
//	url: https://example.service-now.com
//	table: incident                              # the default
//	user: switchback
//	token_file: /etc/switchback/servicenow-password
//	fields: {assignment_group: Security, category: "{{.Runbook}}"}
//
// Fields are added to those that we fill, or replace them. Texts in them are templates of text/template, in which
// .Incident, .Severity, .Account, .Region, .Resource, .Runbook, .EventName, .Principal, .Human and .Subject stand for what
// is known, in one line each.
//
// The ticket carries the incident's id (Jira: the label switchback-ID; ServiceNow: correlation_id), and is looked for
// before one is opened, so that a message that is tried again, by another process too, makes no second one. Jira finds a
// new issue only after it has indexed it: a process that is killed between opening one and noting it, and tries again
// within those seconds, can open a second one.
package ticket

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func init() {
	register("jira", func() maker { return new(JiraOptions) })
	register("servicenow", func() maker { return new(ServiceNowOptions) })
}

// maker are the options of one system.
type maker interface {
	open(s notify.Services) (*Tickets, error)
}

func register(kind string, options func() maker) {
	notify.Register(notify.Kind{Type: kind, PerMinute: perMinute, New: func(c notify.Config, s notify.Services) (notify.Notifier, error) {
		o := options()
		if err := c.Decode(o); err != nil {
			return nil, err
		}
		return o.open(s)
	}})
}

// perMinute is for the people who get them: both systems take more.
const perMinute = 60

// Login is how we log in.
type Login struct {
	URL       string        `yaml:"url"`
	User      string        `yaml:"user"`
	Token     notify.Secret `yaml:"token"`
	TokenFile string        `yaml:"token_file"`
}

// system is one kind of ticket system. Its requests are made of what is safe in them.
type system interface {
	name() string
	// find is the question for the ticket of an incident, and found its answer: "" for none.
	find(id incident.ID) question
	found(answer []byte) (ticket string, err error)
	// open is the request that opens one, and opened its answer.
	open(m incident.Message, d details) (question, error)
	opened(answer []byte) (ticket string, err error)
}

// question is a request: a nil body is none.
type question struct {
	method, path string
	body         any
}

// Tickets is the channel. It is safe for concurrent use.
type Tickets struct {
	system   system
	base     string
	login    notify.Secret // the value of the header Authorization
	services notify.Services
	client   *http.Client

	// turn lets one message at a time look and open, so that two about one incident cannot both find none.
	turn chan struct{}
	mu   sync.Mutex
	made map[incident.ID]string
}

var _ notify.Notifier = (*Tickets)(nil)

func (l Login) tickets(sys system, s notify.Services) (*Tickets, error) {
	if err := notify.CheckURL(l.URL); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	token, err := notify.SecretFrom("token", l.Token, l.TokenFile)
	if err != nil {
		return nil, err
	}
	login := "Bearer " + token.Reveal()
	if l.User != "" {
		login = "Basic " + base64.StdEncoding.EncodeToString([]byte(l.User+":"+token.Reveal()))
	}
	return &Tickets{
		system: sys, base: strings.TrimRight(l.URL, "/"), login: notify.NewSecret(login), services: s, client: notify.HTTPClient(),
		turn: make(chan struct{}, 1), made: map[incident.ID]string{},
	}, nil
}

// ReachesHuman implements notify.Notifier.
func (*Tickets) ReachesHuman() bool { return false }

// Notify implements notify.Notifier.
func (t *Tickets) Notify(ctx context.Context, m incident.Message) ([]string, bool, error) {
	if m.Incident == "" || m.Kind != incident.ToSecurity && m.Kind != incident.ToFallback {
		return nil, false, notify.ErrNotAddressed
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, true, fmt.Errorf("%s: %w: %w", t.system.name(), notify.ErrDown, ctx.Err())
	}
	ticket, retry, err := t.ensure(ctx, m)
	if err != nil {
		return nil, retry, err
	}
	t.note(m.Incident, ticket)
	return []string{ticket}, false, nil
}

// ensure finds the ticket of the incident, or opens it.
func (t *Tickets) ensure(ctx context.Context, m incident.Message) (ticket string, retry bool, err error) {
	if ticket := t.noted(m.Incident); ticket != "" {
		return ticket, false, nil
	}
	ticket, retry, err = t.ask(ctx, t.system.find(m.Incident), t.system.found)
	if err != nil || ticket != "" {
		return ticket, retry, err
	}
	q, err := t.system.open(m, newDetails(t.services.About(ctx, m), m))
	if err != nil {
		return "", false, fmt.Errorf("%s: %w", t.system.name(), err)
	}
	return t.ask(ctx, q, t.system.opened)
}

// errAnswer: it was no answer of this system, or not all of it.
var errAnswer = errors.New("its answer cannot be read")

func (t *Tickets) ask(ctx context.Context, q question, read func([]byte) (string, error)) (string, bool, error) {
	req, _, err := notify.NewRequest(ctx, q.method, notify.NewSecret(t.base+q.path), q.body)
	if err != nil {
		return "", false, fmt.Errorf("%s: %w", t.system.name(), err)
	}
	req.Header.Set("Authorization", t.login.Reveal())
	answer, retry, err := notify.Exchange(t.client, req, t.system.name())
	if err != nil {
		return "", retry, err
	}
	ticket, err := read(answer)
	if err != nil {
		return "", true, fmt.Errorf("%s: %w: %w", t.system.name(), errAnswer, err)
	}
	return notify.Line(ticket, maxName), false, nil
}

// maxNoted bounds what is remembered; what is forgotten is looked for.
const maxNoted = 10_000

func (t *Tickets) noted(id incident.ID) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.made[id]
}

func (t *Tickets) note(id incident.ID, ticket string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.made) >= maxNoted {
		clear(t.made)
	}
	t.made[id] = ticket
}

// errNoName: a ticket was opened, and its answer does not say which.
var errNoName = errors.New("no name of a ticket in it")

// decode reads an answer.
func decode[T any](answer []byte) (T, error) {
	var v T
	err := json.Unmarshal(answer, &v)
	return v, err
}
