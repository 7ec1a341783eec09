// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

// following is a Follower told of one incident, in the shape of a Notifier.
type following struct {
	Follower
	inc incident.Incident
}

// Notify follows.
func (f following) Notify(ctx context.Context, _ incident.Message) ([]string, bool, error) {
	return f.Follow(ctx, f.inc)
}

// ReachesHuman is false: an alert that ends calls nobody.
func (following) ReachesHuman() bool { return false }

// followable is how many incidents, the newest, are looked at: an older one that is closed is closed by hand there too.
const followable = 200

// Follow brings what channels keep of their own about incidents to where the incidents are, every so often, until ctx is
// done: an alert is acknowledged and resolved, a finding archived. What was told is in the outbox, so that it is told
// once, whichever process changed the incident. It returns at once where no channel follows.
func (d *Dispatcher) Follow(ctx context.Context, incidents incident.Store, every time.Duration) error {
	if !d.follows() {
		return nil
	}
	looks := map[string]*look{}
	for {
		if err := d.follow(ctx, incidents, looks, every); err != nil && ctx.Err() == nil {
			d.o.Logger.ErrorContext(ctx, "alerts and findings elsewhere do not follow", slog.Any("error", err))
		}
		if err := d.o.Sleep(ctx, every); err != nil {
			return err
		}
	}
}

func (d *Dispatcher) follows() bool {
	for _, c := range d.channels {
		if _, ok := c.Notifier.(Follower); ok {
			return true
		}
	}
	return false
}

// look is when to look at an incident again, after which wait. One that is done needs no second look.
type look struct {
	isDone bool
	due    time.Time
	wait   time.Duration
}

// maxLook is the longest wait after failures.
const maxLook = time.Hour

// follow tells of what has changed once, and of what failed again after ever longer waits.
func (d *Dispatcher) follow(ctx context.Context, incidents incident.Store, looks map[string]*look, every time.Duration) error {
	changed, err := incidents.List(ctx, incident.Filter{
		Statuses: []incident.Status{incident.Acknowledged, incident.Closed}, Limit: followable,
	})
	if err != nil {
		return fmt.Errorf("list incidents: %w", err)
	}
	var failures []error
	listed := map[string]bool{}
	for _, inc := range changed {
		key := string(inc.ID) + "-" + string(inc.Status)
		listed[key] = true
		l := looks[key]
		if l == nil {
			l = &look{wait: every}
			looks[key] = l
		}
		if l.isDone || d.o.Clock().Before(l.due) {
			continue
		}
		if l.isDone, err = d.followOne(ctx, inc, key); err != nil {
			failures = append(failures, err)
		}
		l.due, l.wait = d.o.Clock().Add(l.wait), min(2*l.wait, maxLook)
	}
	maps.DeleteFunc(looks, func(key string, _ *look) bool { return !listed[key] })
	return errors.Join(failures...)
}

// followOne tells every channel that has a case of its own of the incident. It is not done while one of them fails, or none
// was told of the incident: that may come.
func (d *Dispatcher) followOne(ctx context.Context, inc incident.Incident, key string) (isDone bool, err error) {
	told, err := d.outbox.Deliveries(ctx, inc.ID)
	if err != nil {
		return false, fmt.Errorf("read outbox of incident %s: %w", inc.ID, err)
	}
	sent, err := d.outbox.Sent(ctx, key)
	if err != nil {
		return false, fmt.Errorf("read outbox of message %s: %w", key, err)
	}
	isDone, isKnown := true, false
	m := incident.Message{ID: key, Incident: inc.ID, Kind: incident.Notice, Severity: inc.Severity, At: d.o.Clock()}
	for _, c := range d.channels {
		f, ok := c.Notifier.(Follower)
		if _, knows := accepted(told, c.Name); !ok || !knows {
			continue
		}
		isKnown = true
		if _, has := accepted(sent, c.Name); has {
			continue
		}
		c.Notifier = following{f, inc}
		out := d.deliver(ctx, c, m)
		isDone = isDone && (out == nil || out.Accepted)
	}
	return isDone && isKnown, nil
}
