// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package httpjson asks an HTTP service of yours who somebody is: a personnel system, an on-call tool, or a small
// adapter before one.
//
//	type: http
//	url: https://people.example.com/v1/lookup
//	on_call_url: https://people.example.com/v1/on-call   # may be left out
//	token_file: /etc/switchback/people-token             # or token; sent as "Authorization: Bearer …"; may be left out
//	timeout: 5s                                          # the default; 15s at most
//	cache: 1m                                            # the default; 1h at most, 0s for none
//
// The request is a GET with what is known in its query: human (a user name, mail address or id) and arn, or, where the
// human is unknown, each principal of the chain, nearest first. The answer is JSON; unknown fields are ignored:
//
//	{"people": [{"name": "Alice Example", "email": "alice@example.com", "slack": "U012AB3CD", "phone": "+49 30 1234567",
//	             "active": true, "left": "2026-04-01",
//	             "manager": {"name": "Bob Example", "email": "bob@example.com"}}]}
//
// Nobody is an empty list, or status 404. Of several people none is certain. "active": false, or a day of leaving (UTC)
// that has come, is somebody who left. The answer to on_call_url has the same form, and its query is empty; everybody in
// it is on call.
//
// Only https is taken, and http on this computer. Redirects are not followed: names and token go where the configuration
// says. Any other status, an answer of more than 64 KB, and what is no JSON count as down. Answers are kept for the time
// of cache, 256 of them at most; what is down is asked again each time, and no old answer stands in.
package httpjson

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func init() {
	contact.Register(contact.Kind{Type: contact.SourceHTTP, Open: func(c contact.Config, s contact.Services) (contact.Directory, error) {
		var o Options
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		return Open(o, s.Clock)
	}})
}

const (
	maxBody       = 64 << 10
	maxCached     = 256
	maxName       = 2048 // an ARN ends there
	maxPrincipals = 10
	maxTimeout    = 15 * time.Second // the chain's patience is longer
	maxAge        = time.Hour
)

// Options say where the service is.
type Options struct {
	URL       string        `yaml:"url"`
	OnCallURL string        `yaml:"on_call_url"`
	Token     notify.Secret `yaml:"token"`
	TokenFile string        `yaml:"token_file"`
	// Timeout is that of one request; 0 is 5 s.
	Timeout time.Duration `yaml:"timeout"`
	// Cache is how long an answer is good for; nil is a minute.
	Cache *time.Duration `yaml:"cache"`
}

// Directory is the service. It is safe for concurrent use.
type Directory struct {
	lookUp, onCall *url.URL // onCall is nil for none
	token          notify.Secret
	timeout, age   time.Duration
	clock          func() time.Time
	client         *http.Client

	mu    sync.Mutex // guards what follows
	cache map[string]kept
	order []string // keys of cache, oldest first
}

// kept is an answer that was given.
type kept struct {
	people []person
	at     time.Time
}

var (
	_ contact.Directory = (*Directory)(nil)
	_ contact.Managers  = (*Directory)(nil)
	_ contact.Rota      = (*Directory)(nil)
)

// Open makes a directory, and reads the token.
func Open(o Options, clock func() time.Time) (*Directory, error) {
	d := &Directory{clock: clock, timeout: o.Timeout, age: time.Minute, client: notify.HTTPClient(), cache: map[string]kept{}}
	if d.timeout == 0 {
		d.timeout = 5 * time.Second
	}
	if o.Cache != nil {
		d.age = *o.Cache
	}
	switch {
	case clock == nil:
		return nil, errors.New("needs a clock")
	case d.timeout < 0 || d.timeout > maxTimeout:
		return nil, fmt.Errorf("timeout: %s is not from 0s to %s", d.timeout, maxTimeout)
	case d.age < 0 || d.age > maxAge:
		return nil, fmt.Errorf("cache: %s is not from 0s to %s", d.age, maxAge)
	}
	var err error
	if d.lookUp, err = parseURL("url", o.URL); err != nil {
		return nil, err
	}
	if o.OnCallURL != "" {
		if d.onCall, err = parseURL("on_call_url", o.OnCallURL); err != nil {
			return nil, err
		}
	}
	if o.Token.Reveal() != "" || o.TokenFile != "" {
		d.token, err = notify.SecretFrom("token", o.Token, o.TokenFile)
	}
	return d, err
}

func parseURL(field, text string) (*url.URL, error) {
	if err := notify.CheckURL(text); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, notify.ErrURL) // the text may hold a secret
	}
	return u, nil
}

// LookUp implements contact.Directory.
func (d *Directory) LookUp(ctx context.Context, _ *gate.Door, who incident.Who) (contact.Answer, error) {
	query, note := queryOf(who)
	if query == nil {
		return contact.Answer{Notes: []string{note}}, nil
	}
	people, err := d.ask(ctx, d.lookUp, query)
	if err != nil {
		return contact.Answer{}, err
	}
	a := answer(people, d.clock())
	if who.Human != "" {
		return a, nil
	}
	for i := range a.People {
		if !a.People[i].IsHint {
			a.People[i].Note = "the human is not known; this is who owns a principal of the chain"
		}
	}
	return a, nil
}

// ManagersOf implements contact.Managers with the same answer: of several people nobody's manager is told.
func (d *Directory) ManagersOf(ctx context.Context, _ *gate.Door, who incident.Who) (contact.Answer, error) {
	query, _ := queryOf(who)
	if query == nil {
		return contact.Answer{}, nil
	}
	people, err := d.ask(ctx, d.lookUp, query)
	if err != nil || len(people) != 1 {
		return contact.Answer{}, err
	}
	return people[0].manager(d.clock()), nil
}

// OnCall implements contact.Rota.
func (d *Directory) OnCall(ctx context.Context) (contact.Answer, error) {
	if d.onCall == nil {
		return contact.Answer{}, nil
	}
	people, err := d.ask(ctx, d.onCall, url.Values{})
	if err != nil {
		return contact.Answer{}, err
	}
	return onCall(people, d.clock()), nil
}

// queryOf is what the service is asked; nil, and why, where there is nothing to ask.
func queryOf(who incident.Who) (url.Values, string) {
	query := url.Values{}
	add := func(field, name string) {
		if name != "" && len(name) <= maxName && len(query[field]) < maxPrincipals {
			query.Add(field, name)
		}
	}
	add("arn", who.HumanARN)
	add("human", who.Human)
	if who.Human == "" && who.HumanARN == "" {
		add("principal", who.Principal)
		for _, name := range who.Chain {
			if name != who.Principal {
				add("principal", name)
			}
		}
	}
	switch {
	case len(query) > 0:
		return query, ""
	case len(who.Human) > maxName:
		return nil, fmt.Sprintf("not asked: a name of %d bytes", len(who.Human))
	}
	return nil, "not asked: there is no name"
}

// ask returns what the service answers, or answered lately.
func (d *Directory) ask(ctx context.Context, base *url.URL, query url.Values) ([]person, error) {
	target := *base
	for field, values := range base.Query() {
		query[field] = values // the configuration's own win
	}
	target.RawQuery = query.Encode()
	key, now := target.String(), d.clock()
	if people, ok := d.recall(key, now); ok {
		return people, nil
	}
	people, err := d.get(ctx, key)
	if err != nil {
		return nil, err
	}
	d.keep(key, kept{people, now})
	return people, nil
}

func (d *Directory) recall(key string, now time.Time) ([]person, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k, ok := d.cache[key]
	if age := now.Sub(k.at); !ok || age < 0 || age >= d.age {
		return nil, false
	}
	return k.people, true
}

func (d *Directory) keep(key string, k kept) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.cache[key]; !ok {
		d.order = append(d.order, key)
	}
	d.cache[key] = k
	for len(d.order) > maxCached {
		delete(d.cache, d.order[0])
		d.order = d.order[1:]
	}
}

// get makes one request. Errors hold neither the address nor the names.
func (d *Directory) get(ctx context.Context, target string) ([]person, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", notify.WithoutURL(err))
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "switchback")
	if token := d.token.Reveal(); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := d.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", request.URL.Host, notify.WithoutURL(err))
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNotFound:
		return nil, nil
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("ask %s: it answers %d %s", request.URL.Host, response.StatusCode, http.StatusText(response.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", request.URL.Host, notify.WithoutURL(err))
	}
	people, err := parse(body)
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", request.URL.Host, err)
	}
	return people, nil
}
