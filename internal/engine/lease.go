// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// keepHouse does what is to be done from time to time.
func (e *Engine) keepHouse(ctx context.Context) {
	err := errors.Join(e.renew(ctx), e.Recover(ctx))
	if _, pruneErr := e.store.Prune(ctx, e.o.Clock().Add(-e.o.Retention)); pruneErr != nil {
		err = errors.Join(err, fmt.Errorf("prune executions: %w", pruneErr))
	}
	if err != nil && ctx.Err() == nil {
		e.o.Logger.ErrorContext(ctx, "housekeeping", slog.Any("error", err))
	}
}

// renew shows that this engine lives.
func (e *Engine) renew(ctx context.Context) error {
	now := e.o.Clock()
	if err := e.store.RenewLease(ctx, e.o.Owner, now.Add(e.o.Lease)); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.renewed = now
	return nil
}

// renewInTime renews when a third of the lease is over.
func (e *Engine) renewInTime(ctx context.Context) error {
	e.mu.Lock()
	isFresh := e.o.Clock().Before(e.renewed.Add(e.o.Lease / 3))
	e.mu.Unlock()
	if isFresh {
		return nil
	}
	return e.renew(ctx)
}

// Recover frees the executions of engines that died, for whoever takes them up first. Open and Run call it.
func (e *Engine) Recover(ctx context.Context) error {
	leases, err := e.store.Owners(ctx)
	if err != nil {
		return fmt.Errorf("list engines: %w", err)
	}
	now := e.o.Clock()
	for _, l := range leases {
		if l.Owner == e.o.Owner || !l.IsDead && now.Before(l.Until) {
			continue
		}
		isDone, err := e.store.Abandon(ctx, l, now)
		if err != nil {
			return fmt.Errorf("take over from %s: %w", l.Owner, err)
		}
		if isDone {
			e.o.Logger.InfoContext(ctx, "took over from an engine that died", slog.String("owner", l.Owner))
		}
	}
	return nil
}

// abandon frees the executions of an owner, whether it lives or not.
func (e *Engine) abandon(ctx context.Context, owner string) error {
	leases, err := e.store.Owners(ctx)
	if err != nil {
		return fmt.Errorf("list engines: %w", err)
	}
	for _, l := range leases {
		if l.Owner != owner {
			continue
		}
		if _, err := e.store.Abandon(ctx, l, e.o.Clock()); err != nil {
			return fmt.Errorf("give up executions of %s: %w", owner, err)
		}
	}
	return nil
}
