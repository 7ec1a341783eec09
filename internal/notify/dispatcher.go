// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// ErrNotDelivered tells that no channel accepted a message.
var ErrNotDelivered = errors.New("no channel accepted the message")

// Channel is a configured Notifier.
type Channel struct {
	// Name is unique among the channels: deliveries and the outbox go by it.
	Name     string
	Notifier Notifier
	// Kinds are the kinds of messages it carries; empty means all.
	Kinds []incident.MessageKind
	// PerMinute is how many messages it takes in a minute; 0 is no limit. What is beyond waits for its turn, but for what
	// is urgent: high and critical incidents, and the fallback.
	PerMinute int

	pace *pace
}

// Options of a Dispatcher. The zero value works.
type Options struct {
	// Attempts on one channel, the first included; 0 is 4.
	Attempts int
	// Backoff before the second attempt, doubled before each further one; 0 is 1 s. No wait is longer than
	// MaxBackoff, 0 is 30 s, also where a channel asks for more.
	Backoff, MaxBackoff time.Duration
	// Timeout of one attempt; 0 is 15 s.
	Timeout time.Duration
	// Clock is time.Now by default.
	Clock func() time.Time
	// Sleep waits for d or until ctx ends; nil waits in real time. Simulated time gives its own.
	Sleep func(ctx context.Context, d time.Duration) error
	// Logger gets what has no caller to tell; nil discards.
	Logger *slog.Logger
	// Security is who gets messages that name nobody: those to security, reminders, notices.
	Security []incident.Person
	// Call is whom a person shall call: name and number of the security team.
	Call string
}

// Dispatcher sends messages through every channel. It is safe for concurrent use.
type Dispatcher struct {
	outbox   incident.Outbox
	channels []Channel
	o        Options
}

// NewDispatcher makes a Dispatcher. Two channels of one name are a fault.
func NewDispatcher(outbox incident.Outbox, channels []Channel, o Options) (*Dispatcher, error) {
	names := map[string]bool{}
	channels = slices.Clone(channels)
	for i, c := range channels {
		if c.Name == "" || c.Notifier == nil || names[c.Name] {
			return nil, fmt.Errorf("channel %q: empty, or twice", c.Name)
		}
		names[c.Name] = true
		channels[i].pace = newPace(c.PerMinute)
	}
	return &Dispatcher{outbox: outbox, channels: channels, o: o.withDefaults()}, nil
}

func (o Options) withDefaults() Options {
	if o.Attempts <= 0 {
		o.Attempts = 4
	}
	if o.Backoff <= 0 {
		o.Backoff = time.Second
	}
	if o.MaxBackoff <= 0 {
		o.MaxBackoff = 30 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Call is whom a person shall call, "" when it is not configured.
func (d *Dispatcher) Call() string { return d.o.Call }

// Send gives m to every channel of its kind at once and returns the outcomes in the order of the channels; one that has
// m already is not given it again, and its first outcome returned. Channels that have no address for anybody in m are
// left out. An error wraps ErrNotDelivered, or says that the outbox cannot be read; then nothing was sent.
func (d *Dispatcher) Send(ctx context.Context, m incident.Message) ([]incident.Delivery, error) {
	if m.ID == "" {
		return nil, errors.New("send message: it has no id")
	}
	sent, err := d.outbox.Sent(ctx, m.ID)
	if err != nil {
		return nil, fmt.Errorf("read outbox of message %s: %w", m.ID, err)
	}
	if len(m.To) == 0 {
		m.To = d.o.Security
	}
	outcomes := make([]*incident.Delivery, len(d.channels))
	var wait sync.WaitGroup
	for i, c := range d.channels {
		if len(c.Kinds) > 0 && !slices.Contains(c.Kinds, m.Kind) {
			continue
		}
		if before, ok := accepted(sent, c.Name); ok {
			outcomes[i] = &before
			continue
		}
		wait.Go(func() { outcomes[i] = d.deliver(ctx, c, m) })
	}
	wait.Wait()
	return conclude(m, outcomes)
}

func accepted(sent []incident.Delivery, channel string) (incident.Delivery, bool) {
	for _, s := range sent {
		if s.Channel == channel && s.Accepted {
			return s, true
		}
	}
	return incident.Delivery{}, false
}

func conclude(m incident.Message, outcomes []*incident.Delivery) ([]incident.Delivery, error) {
	var all []incident.Delivery
	var failures []string
	ok := false
	for _, d := range outcomes {
		if d == nil {
			continue
		}
		all = append(all, *d)
		ok = ok || d.Accepted
		if !d.Accepted {
			failures = append(failures, d.Channel+": "+d.Error)
		}
	}
	switch {
	case ok:
		return all, nil
	case len(failures) == 0:
		failures = []string{"no channel carries messages of this kind to these people"}
	}
	return all, fmt.Errorf("send message %s: %w: %s", m.ID, ErrNotDelivered, strings.Join(failures, "; "))
}

// deliver tries one channel and records the outcome; nil when the channel has no address for anybody in m.
func (d *Dispatcher) deliver(ctx context.Context, c Channel, m incident.Message) *incident.Delivery {
	out := incident.Delivery{Message: m.ID, Kind: m.Kind, Channel: c.Name, ReachesHuman: c.Notifier.ReachesHuman()}
	to, err := d.attempt(ctx, c, m, &out.Attempts)
	if errors.Is(err, ErrNotAddressed) {
		return nil
	}
	out.At = d.o.Clock().UTC()
	out.To, out.Accepted = to, err == nil || len(to) > 0
	if err != nil {
		out.Error = identity.Printable(err.Error(), 500)
	}
	// The hand-over has happened: the record of it must not be lost because the caller gave up meanwhile.
	if err := d.outbox.RecordDelivery(context.WithoutCancel(ctx), m.Incident, out); err != nil {
		d.o.Logger.ErrorContext(ctx, "delivery not recorded, the message may be sent again",
			slog.String("message_id", m.ID), slog.String("channel", c.Name), slog.Any("error", err))
	}
	return &out
}

// attempt tries until the channel accepts, refuses for good, or has been tried often enough.
func (d *Dispatcher) attempt(ctx context.Context, c Channel, m incident.Message, attempts *int) ([]string, error) {
	if err := d.await(ctx, c, m); err != nil {
		return nil, err
	}
	for wait := d.o.Backoff; ; wait *= 2 {
		*attempts++
		to, retry, err := d.once(ctx, c.Notifier, m)
		if err == nil || !retry || len(to) > 0 || *attempts >= d.o.Attempts {
			return to, err
		}
		pause := wait
		if asked := (*RetryAfter)(nil); errors.As(err, &asked) {
			pause = max(pause, asked.After)
		}
		if e := d.o.Sleep(ctx, min(pause, d.o.MaxBackoff)); e != nil {
			return nil, fmt.Errorf("%w (gave up: %w)", err, e)
		}
	}
}

// await waits for the message's turn.
func (d *Dispatcher) await(ctx context.Context, c Channel, m incident.Message) error {
	wait := c.pace.take(d.o.Clock(), isUrgent(m))
	if wait <= 0 {
		return nil
	}
	if err := d.o.Sleep(ctx, wait); err != nil {
		c.pace.giveBack()
		return fmt.Errorf("more than %d messages a minute wait already (gave up: %w)", c.PerMinute, err)
	}
	return nil
}

func (d *Dispatcher) once(ctx context.Context, n Notifier, m incident.Message) ([]string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	return n.Notify(ctx, m)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
