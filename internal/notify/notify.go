// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package notify tells humans what happened.
//
// It is the port that channels implement, one package each below this one, the [Dispatcher] that sends a message through
// all of them with retries, and the texts of the messages. A message keeps its id over retries and restarts: a channel
// that accepted it is not given it again, so that it is repeated only when the process died between the hand-over and
// the commit, and then with the same id.
//
// Every text may quote the attacker. Here it becomes printable and is escaped for HTML; each channel treats it as plain
// text of its own medium. What is sent to a person holds nothing that would help whoever holds that person's identity.
//
// The package decides neither who is told (internal/contact) nor when (the runbook, and the incident's timers).
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

// Notifier is one channel. It is used from many goroutines at once.
type Notifier interface {
	// Notify hands m over and returns the addresses that were accepted, never secrets. Retry tells whether the same
	// call may succeed later. It MUST end with ctx. A channel through which nobody in m can be reached returns
	// ErrNotAddressed. Accepted addresses beside an error mean that only the others failed.
	Notify(ctx context.Context, m incident.Message) (accepted []string, retry bool, err error)
	// ReachesHuman is false for channels that only write down.
	ReachesHuman() bool
}

// ErrNotAddressed tells that a channel has no address for anybody in the message: it is no failure.
var ErrNotAddressed = errors.New("nobody in the message has an address on this channel")

// Services are what channels share.
type Services struct {
	Clock  func() time.Time
	Logger *slog.Logger
}

// Config is one entry of the configuration's `channels:`.
type Config struct {
	Type string
	// Decode fills v, a pointer to the channel's own options, refusing unknown fields.
	Decode func(v any) error
}

// Kind is a registered type of channel.
type Kind struct {
	// Type is its name in the configuration, "smtp".
	Type string
	// New makes a channel from its configuration. It may read the files that hold its secrets, and connects to nothing.
	New func(c Config, s Services) (Notifier, error)
}

var kinds = map[string]Kind{}

// Register adds a type of channel. It panics on an empty or duplicate type: a programmer's fault at start.
func Register(k Kind) {
	if _, ok := kinds[k.Type]; ok || k.Type == "" || k.New == nil {
		panic("notify: bad or duplicate registration of " + k.Type)
	}
	kinds[k.Type] = k
}

// Types lists the registered types, sorted.
func Types() []string {
	types := make([]string, 0, len(kinds))
	for t := range kinds {
		types = append(types, t)
	}
	sort.Strings(types)
	return types
}

// New makes the channel that c describes.
func New(c Config, s Services) (Notifier, error) {
	k, ok := kinds[c.Type]
	if !ok {
		return nil, fmt.Errorf("no channel of type %q (known: %s)", c.Type, strings.Join(Types(), ", "))
	}
	n, err := k.New(c, s)
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", c.Type, err)
	}
	return n, nil
}

// ErrURL refuses an address that would send in the clear.
var ErrURL = errors.New("want https://HOST/…, or http:// to this computer")

// CheckURL accepts https anywhere and http on this computer. The error does not hold the URL, which may be a secret.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return ErrURL
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	}
	return ErrURL
}

// IsLoopback tells hosts of this computer by their spelling; no name is looked up.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// HTTPClient is for channels that post. It follows no redirect: a message goes where the configuration says. Its
// requests end with their context.
func HTTPClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// IsRetryable tells HTTP statuses that may pass.
func IsRetryable(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// WithoutURL takes the URL, which may be a secret, out of an error of net/http.
func WithoutURL(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// RetryAfter is an error of a channel that says when to try again.
type RetryAfter struct {
	After time.Duration
	Err   error
}

// Error is that of Err.
func (r *RetryAfter) Error() string { return r.Err.Error() }

// Unwrap returns Err.
func (r *RetryAfter) Unwrap() error { return r.Err }
