// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package heartbeat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/source"
)

// DetailType is what the events of this source say that they are.
const DetailType = "Source Silent"

// Silence is the detail of an event: one source that brings nothing.
type Silence struct {
	Source  string `json:"source"` // its name in the configuration, "sqs/1"
	Account string `json:"account"`
	Region  string `json:"region"`
	Reason  string `json:"reason"`
	// LastHeard is when it last brought something; zero: never, as far as is kept.
	LastHeard time.Time `json:"last_heard,omitzero"`
	FoundAt   time.Time `json:"found_at"`
}

// stream is a source that is listened to.
type stream struct {
	name   string
	within time.Duration
	noted  atomic.Int64 // when it was last noted as heard, Unix nanoseconds
	told   string       // the id of the finding that was delivered last; one round at a time uses it
}

// Hear implements source.Hearer. A source whose silence means nothing is not listened to.
func (h *Heart) Hear(name string, silentAfter time.Duration) func(source.Handler) source.Handler {
	if silentAfter <= 0 {
		return func(handle source.Handler) source.Handler { return handle }
	}
	st := &stream{name: name, within: cmp.Or(h.o.SilentAfter, silentAfter)}
	h.mu.Lock()
	h.streams = append(h.streams, st)
	h.mu.Unlock()
	return func(handle source.Handler) source.Handler {
		return func(ctx context.Context, d source.Delivery) error {
			if err := handle(ctx, d); err != nil {
				return err
			}
			return h.heard(ctx, st, d)
		}
	}
}

// noteEvery is how often a source is noted as heard at most: every event would be a write.
const noteEvery = 30 * time.Second

// heard keeps that a source brought something, which the pipeline has taken. A canary that cannot be kept comes again.
func (h *Heart) heard(ctx context.Context, st *stream, d source.Delivery) error {
	now := h.services.Clock().UTC()
	isCanary := h.isCanary(&d.Envelope.Record)
	last := st.noted.Load()
	if !isCanary && (now.UnixNano()-last < int64(noteEvery) || !st.noted.CompareAndSwap(last, now.UnixNano())) {
		return nil
	}
	note := incident.Heard{Source: st.name, At: now}
	if isCanary {
		note.CanaryAt = now
	}
	err := h.services.Hearings.PutHeard(ctx, note)
	if err != nil && !isCanary {
		h.services.Logger.WarnContext(ctx, "keep that a source was heard", slog.String("source", st.name), slog.Any("error", err))
		return nil
	}
	return err
}

// listen tells of every source that has been silent for too long. It is given the same time after each start.
func (h *Heart) listen(ctx context.Context, heard map[string]incident.Heard, now time.Time, handle source.Handler) error {
	h.mu.Lock()
	streams, started := slices.Clone(h.streams), h.started
	h.mu.Unlock()
	var failures []error
	for _, st := range streams {
		last := heard[st.name].Newest()
		if now.Sub(last) <= st.within || now.Sub(started) <= st.within {
			continue
		}
		failures = append(failures, h.tell(ctx, st, last, now, handle))
	}
	return errors.Join(failures...)
}

// tell delivers that a source is silent, once for each time that it falls so.
func (h *Heart) tell(ctx context.Context, st *stream, last, now time.Time, handle source.Handler) error {
	id := source.FindingID(DetailType, h.o.Name, st.name, last.UTC().Format(time.RFC3339Nano))
	if st.told == id {
		return nil
	}
	account, err := h.account(ctx)
	if err != nil {
		return err
	}
	detail := Silence{Source: st.name, Account: account, Region: h.o.Region, LastHeard: last, FoundAt: now}
	detail.Reason = fmt.Sprintf("source %s has brought nothing for %s, not even the event of a call of our own", st.name, st.within)
	at := last
	if at.IsZero() {
		at = now.Add(-st.within)
	}
	event, err := source.Finding{
		ID: id, DetailType: DetailType, Account: account, Region: h.o.Region, At: at, Resources: []string{st.name}, Detail: detail,
	}.Event()
	if err != nil {
		return err
	}
	h.services.Logger.ErrorContext(ctx, "a source is silent", slog.String("source", st.name), slog.Time("last_heard", last))
	err = handle(ctx, source.Delivery{Envelope: event, Via: via, From: st.name, DeliveredAt: now})
	if errors.Is(err, source.ErrPoison) {
		err = h.services.PutAside(ctx, via, st.name, event.Raw, err)
	}
	if err != nil {
		return fmt.Errorf("tell that %s is silent: %w", st.name, err)
	}
	st.told = id
	return nil
}

// account is the one that the canary calls in.
func (h *Heart) account(ctx context.Context) (string, error) {
	if h.o.Account != "" {
		return h.o.Account, nil
	}
	own, err := h.services.Gate.Caller(ctx, "", h.o.Region)
	if err != nil {
		return "", fmt.Errorf("find the account of our credentials: %w", err)
	}
	return own.Account, nil
}
