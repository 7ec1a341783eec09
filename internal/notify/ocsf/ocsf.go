// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package ocsf writes incidents down as findings of the Open Cybersecurity Schema Framework, class Detection Finding
// (2004), for data lakes and SIEMs. It reaches no human: whoever reads it later was not told.
//
//	type: ocsf
//	path: /var/log/switchback/findings.jsonl   # JSON lines, appended; the file is made with mode 0600
//
// or
//
//	type: ocsf
//	url: https://siem.example.com/ingest       # or url_file; one finding a POST
//	secret_file: /etc/switchback/ocsf-secret   # or secret; optional: signed as the webhook's are
//
// A finding is created when the security team is told, updated when the incident is acknowledged and closed when it is
// closed; finding_info.uid is the incident's id. A repetition has the same metadata.uid. No other message is written.
//
// https://schema.ocsf.io/classes/detection_finding
package ocsf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func init() {
	notify.Register(notify.Kind{Type: "ocsf", New: func(c notify.Config, s notify.Services) (notify.Notifier, error) {
		var o options
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		out, err := o.sink(s)
		if err != nil {
			return nil, err
		}
		return New(out, s), nil
	}})
}

type options struct {
	Path       string        `yaml:"path"`
	URL        notify.Secret `yaml:"url"`
	URLFile    string        `yaml:"url_file"`
	Secret     notify.Secret `yaml:"secret"`
	SecretFile string        `yaml:"secret_file"`
}

var errOneSink = errors.New("want either path or url")

func (o options) sink(s notify.Services) (Sink, error) {
	hasURL := o.URL.Reveal() != "" || o.URLFile != ""
	hasSecret := o.Secret.Reveal() != "" || o.SecretFile != ""
	if hasURL == (o.Path != "") || hasSecret && !hasURL {
		return nil, errOneSink
	}
	if !hasURL {
		return NewFile(o.Path)
	}
	url, err := notify.SecretFrom("url", o.URL, o.URLFile)
	if err != nil {
		return nil, err
	}
	var secret notify.Secret
	if hasSecret {
		if secret, err = notify.SecretFrom("secret", o.Secret, o.SecretFile); err != nil {
			return nil, err
		}
	}
	return NewReceiver(url, secret, s.Clock)
}

// Sink is where findings go.
type Sink interface {
	// Put writes one finding, a line of JSON without its end, and answers as notify.Notifier does. Id is the same for a
	// repetition.
	Put(ctx context.Context, id string, line []byte) (accepted string, retry bool, err error)
}

// Writer is the channel. It is safe for concurrent use.
type Writer struct {
	out      Sink
	services notify.Services
}

var _ notify.Follower = (*Writer)(nil)

// New makes a channel that writes to out.
func New(out Sink, s notify.Services) *Writer { return &Writer{out, s} }

// ReachesHuman implements notify.Notifier.
func (*Writer) ReachesHuman() bool { return false }

// Notify implements notify.Notifier.
func (w *Writer) Notify(ctx context.Context, m incident.Message) ([]string, bool, error) {
	if m.Incident == "" || m.Kind != incident.ToSecurity {
		return nil, false, notify.ErrNotAddressed
	}
	f := newFinding(w.services.About(ctx, m), create, m.At)
	f.Metadata.UID = m.ID
	f.Message, f.Info.Title, f.Info.Desc = notify.Line(m.Subject, maxTitle), notify.Line(m.Subject, maxTitle), notify.Plain(m.Text, maxText)
	return w.put(ctx, f)
}

// Follow implements notify.Follower.
func (w *Writer) Follow(ctx context.Context, inc incident.Incident) ([]string, bool, error) {
	activity := update
	switch inc.Status {
	case incident.Acknowledged:
	case incident.Closed:
		activity = closing
	default:
		return nil, false, notify.ErrNotAddressed
	}
	f := newFinding(inc, activity, w.now())
	f.Metadata.UID = string(inc.ID) + "-" + string(inc.Status)
	f.Message, f.Info.Title, f.Info.Desc = notify.Line(inc.Title, maxTitle), notify.Line(inc.Title, maxTitle), notify.Plain(inc.Summary, maxText)
	return w.put(ctx, f)
}

func (w *Writer) now() time.Time {
	if w.services.Clock == nil {
		return time.Now()
	}
	return w.services.Clock()
}

func (w *Writer) put(ctx context.Context, f finding) ([]string, bool, error) {
	line, err := json.Marshal(f)
	if err != nil {
		return nil, false, fmt.Errorf("encode finding: %w", err)
	}
	accepted, retry, err := w.out.Put(ctx, f.Metadata.UID, line)
	if err != nil {
		return nil, retry, err
	}
	return []string{accepted}, false, nil
}

// Receiver is a Sink that posts. It is safe for concurrent use.
type Receiver struct {
	url, secret notify.Secret
	clock       func() time.Time
	client      *http.Client
}

var _ Sink = (*Receiver)(nil)

// NewReceiver posts to url (https, or http on this computer), signed with secret unless that is empty. A nil clock is
// time.Now.
func NewReceiver(url, secret notify.Secret, clock func() time.Time) (*Receiver, error) {
	if err := notify.CheckURL(url.Reveal()); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if secret.Reveal() != "" {
		if err := notify.CheckSigningKey(secret); err != nil {
			return nil, err
		}
	}
	if clock == nil {
		clock = time.Now
	}
	return &Receiver{url, secret, clock, notify.HTTPClient()}, nil
}

// Put implements Sink.
func (r *Receiver) Put(ctx context.Context, id string, line []byte) (string, bool, error) {
	req, text, err := notify.NewRequest(ctx, http.MethodPost, r.url, json.RawMessage(line))
	if err != nil {
		return "", false, fmt.Errorf("ocsf: %w", err)
	}
	if r.secret.Reveal() != "" {
		notify.Sign(req.Header, r.secret, r.clock(), text)
	}
	req.Header.Set(notify.MessageID, id)
	_, retry, err := notify.Exchange(r.client, req, "ocsf")
	return "receiver", retry, err
}
