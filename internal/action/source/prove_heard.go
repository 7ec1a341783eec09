// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "source:ProveHeard", Class: "read", Summary: "has a source that fell silent brought something since",
	}, proveHeard))
}

type params struct {
	EventID cloudtrail.EventID `json:"event_id,omitempty"`
}

// result is the output; see the package comment.
type result struct {
	Source     string    `json:"source"`
	Heard      bool      `json:"heard"`
	Proven     bool      `json:"proven"`
	At         time.Time `json:"at"`
	Reason     string    `json:"reason"`
	LastHeard  time.Time `json:"last_heard,omitzero"`
	LastCanary time.Time `json:"last_canary,omitzero"`
}

// maxName bounds the name of a source; ours are short, but the event may be anybody's.
const maxName = 100

func proveHeard(ctx context.Context, env *action.Env, p params) (result, error) {
	name, err := silent(ctx, env, p.EventID)
	if err != nil {
		return result{}, err
	}
	if env.Hearings == nil {
		return result{}, errors.New("ask when a source was heard: nothing of that is kept here")
	}
	list, err := env.Hearings.Heard(ctx)
	if err != nil {
		return result{}, fmt.Errorf("ask when %s was last heard: %w", name, err)
	}
	out := result{Source: name, At: env.Now()}
	for _, h := range list {
		if h.Source == name {
			out.LastHeard, out.LastCanary = h.Newest(), h.CanaryAt
		}
	}
	return out, out.conclude(ctx, env)
}

// silent is the source that the event is about.
func silent(ctx context.Context, env *action.Env, id cloudtrail.EventID) (string, error) {
	raw, err := env.Timeline.Evidence(ctx, env.Incident.Telling(id))
	if err != nil {
		return "", fmt.Errorf("read event %s: %w", identity.Printable(string(id), maxName), err)
	}
	e, err := cloudtrail.ParseEnvelope(raw)
	if err != nil {
		return "", err
	}
	name, ok := cloudtrail.Lookup(e.Detail, "source")
	if !ok || name == "" || len(name) > maxName {
		return "", &asl.Error{Name: action.ErrorInvalidParameters, Cause: "the event names no source"}
	}
	return identity.Printable(name, maxName), nil
}

// conclude compares with when the silence was told, and notes what is proven.
func (r *result) conclude(ctx context.Context, env *action.Env) error {
	since := env.Incident.Times.Received
	if again := env.Incident.Times.AgainReceived; again.After(since) {
		since = again
	}
	if !r.LastHeard.After(since) {
		r.Reason = fmt.Sprintf("%s has brought nothing since %s", r.Source, since.UTC().Format(time.RFC3339))
		return nil
	}
	r.Heard, r.Reason = true, fmt.Sprintf("%s was heard again at %s", r.Source, r.LastHeard.UTC().Format(time.RFC3339))
	err := action.Note(ctx, env, action.Milestone{
		Name: "heard", Text: r.Reason, Data: r, At: r.At, Standing: "heard again", Of: func(t *incident.Times) *time.Time { return &t.Contained },
	})
	if r.Proven = r.LastCanary.After(since); err != nil || !r.Proven {
		return err
	}
	return action.Note(ctx, env, action.Milestone{
		Name: "canary", Text: fmt.Sprintf("a call of our own came back through %s", r.Source), Data: r, At: r.At,
		Of: func(t *incident.Times) *time.Time { return &t.Proven },
	})
}
