// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"fmt"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// tellLostCalls puts the changes on the timeline that an earlier attempt of the task was killed in: they are journalled and
// a report must show them. One whose outcome is not known may have had its effect. The engine gives a task to one process
// at a time, so nobody is waiting for its answer any more. What is on the timeline already is not written there again.
func (r *Responder) tellLostCalls(ctx context.Context, inc incident.Incident, info action.Info, t engine.Task) error {
	if !info.IsChange || r.o.Calls == nil {
		return nil
	}
	calls, err := r.o.Calls.Calls(ctx, inc.ID)
	if err != nil {
		return fmt.Errorf("look for calls of an earlier attempt: %w", err)
	}
	for _, c := range calls {
		if c.Execution != t.ExecutionName || c.Action != info.ID {
			continue
		}
		if c.Outcome == gate.Pending {
			c.Reason = "the process ended before the answer came: it may have had its effect"
		}
		e, err := callEntry(c)
		if err != nil {
			return err
		}
		if err := r.o.Services.Timeline.Append(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
