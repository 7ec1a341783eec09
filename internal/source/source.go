// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package source is the port through which events come in: queues, buckets, files. A source delivers at least once and
// acknowledges only what its handler made durable; what can never be processed is put aside with the reason, and can be
// sent back. Sources say nothing about what an event means.
package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

// ErrPoison marks an input that no retry can help: the source puts it aside.
var ErrPoison = errors.New("cannot be processed")

// ActionPrefix begins the Action of a gate.Scope under which a source reads; its type follows.
const ActionPrefix = "source:"

// Delivery is one event as a source hands it over.
type Delivery struct {
	Envelope cloudtrail.Envelope
	// Via is the type of the source, "sqs"; From the queue, object or file it came from, for errors and evidence.
	Via, From string
	// DeliveredAt is when AWS handed the event to the queue or bucket; zero when nobody says.
	DeliveredAt time.Time
}

// Handler makes one delivery durable. Nil: it may be acknowledged. An error that is ErrPoison: it is put aside with the
// reason. Any other error: it comes again.
type Handler func(ctx context.Context, d Delivery) error

// Source brings events in.
type Source interface {
	// Run delivers until its input ends (nil) or ctx is done (ctx.Err()). It outlives what it can: one unreadable file
	// or an unreachable queue is logged, put aside or tried again, and the rest goes on.
	Run(ctx context.Context, handle Handler) error
}

// Listener is a source that wants to know of the events that the others bring and that no runbook responds to.
type Listener interface {
	// Seen MUST return at once.
	Seen(e cloudtrail.Envelope)
}

// Hearer is a source that hears what the others bring, to notice when one brings nothing any more.
type Hearer interface {
	// Hear is told of a source by its name, and after which time its silence means something, before any source runs. It
	// returns what is to be put around the handler of that source.
	Hear(name string, silentAfter time.Duration) func(Handler) Handler
}

// Around makes a source whose handler has something around it.
func Around(s Source, wrap func(Handler) Handler) Source { return around{s, wrap} }

type around struct {
	Source
	wrap func(Handler) Handler
}

// Run runs the source with the handler inside.
func (a around) Run(ctx context.Context, handle Handler) error {
	return a.Source.Run(ctx, a.wrap(handle))
}

// Dead is an input that could not be processed.
type Dead struct {
	ID     string    `json:"id"` // by the store, from content: the same input is kept once
	Via    string    `json:"via"`
	From   string    `json:"from"`
	Reason string    `json:"reason"`
	Body   []byte    `json:"body"` // capped; empty where From says where to read it again
	At     time.Time `json:"at"`
}

// DeadLetters keeps what could not be processed.
type DeadLetters interface {
	PutDead(ctx context.Context, d Dead) error
}

// Services are what sources share.
type Services struct {
	Gate   *gate.Gate
	Dead   DeadLetters
	Clock  func() time.Time
	Logger *slog.Logger
	// State is the folder in which a source may keep what it knows from one start to the next; "" keeps nothing.
	State string
	// Snapshots are what resources should look like, Hearings when each source was last heard of; nil where nothing is kept.
	Snapshots state.Snapshots
	Hearings  incident.Hearings
}

// PutAside keeps an input that can never be processed, with the reason. When it returns nil the input is safe there, and
// the source may forget it; else it must come again.
func (s Services) PutAside(ctx context.Context, via, from string, body []byte, reason error) error {
	if s.Dead == nil {
		return fmt.Errorf("no place for dead letters: %w", reason)
	}
	d := Dead{Via: via, From: from, Reason: reason.Error(), Body: withoutSecrets(body), At: s.Clock()}
	if err := s.Dead.PutDead(ctx, d); err != nil {
		return fmt.Errorf("%w (it was to be put aside: %w)", err, reason)
	}
	s.Logger.ErrorContext(ctx, "put aside what cannot be processed",
		slog.String("via", via), slog.String("from", from), slog.Any("error", reason))
	return nil
}

// withoutSecrets takes session tokens and the like out of JSON. What holds none stays as it came, byte by byte.
func withoutSecrets(body []byte) []byte {
	clean := cloudtrail.Redacted(body)
	var same bytes.Buffer
	if clean == nil || json.Compact(&same, body) == nil && bytes.Equal(same.Bytes(), clean) {
		return body
	}
	return clean
}

// Config is one entry of the configuration's `sources:`: the type, and the fields that this type of source reads.
type Config struct {
	Type string
	// Decode fills v, a pointer to the source's own options, refusing unknown fields.
	Decode func(v any) error
}

// Kind is a registered type of source.
type Kind struct {
	// Type is its name in the configuration, "sqs".
	Type string
	// Gives lists the names under which manifests may cite it as evidence or mechanism.
	Gives []string
	// SilentAfter is how long a source of this type may bring nothing, where something happens, before that means that it
	// is broken; zero where silence means nothing.
	SilentAfter time.Duration
	// New makes a source from its configuration; it does no I/O.
	New func(c Config, s Services) (Source, error)
}

var kinds = map[string]Kind{}

// Register adds a type of source. It panics on an empty or duplicate type: a programmer's fault at start.
func Register(k Kind) {
	if _, ok := kinds[k.Type]; ok || k.Type == "" || k.New == nil {
		panic("source: bad or duplicate registration of " + k.Type)
	}
	kinds[k.Type] = k
}

// Kinds lists the registered types, sorted.
func Kinds() []Kind {
	var all []Kind
	for _, k := range kinds {
		all = append(all, k)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Type < all[j].Type })
	return all
}

// New makes the source that c describes.
func New(c Config, s Services) (Source, error) {
	k, ok := kinds[c.Type]
	if !ok {
		return nil, fmt.Errorf("no source of type %q (known: %v)", c.Type, types())
	}
	src, err := k.New(c, s)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", c.Type, err)
	}
	return src, nil
}

// Find returns a registered type.
func Find(kind string) (Kind, bool) {
	k, ok := kinds[kind]
	return k, ok
}

// Gives reports whether some registered source brings what a manifest calls name.
func Gives(name string) bool {
	return slices.ContainsFunc(Kinds(), func(k Kind) bool { return slices.Contains(k.Gives, name) })
}

func types() []string {
	var all []string
	for _, k := range Kinds() {
		all = append(all, k.Type)
	}
	return all
}
