// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// checkpointEvery is how often the log is copied into the database while there are writes: a page that changes in every
// commit is then copied once for many, and no copy is large.
const checkpointEvery = 200 * time.Millisecond

// checkpointer copies the log into the database on a connection of its own. A passive checkpoint makes no writer wait,
// which one at the end of a commit does, for as long as the copy takes.
//
// https://www.sqlite.org/wal.html#checkpointing
type checkpointer struct {
	conn   *sql.Conn
	writes chan struct{} // a write happened
	stop   context.CancelFunc
	done   chan struct{}
	err    error // of closing, once done is closed
}

func newCheckpointer(ctx context.Context, conn *sql.Conn) *checkpointer {
	ctx, cancel := context.WithCancel(ctx)
	c := &checkpointer{conn: conn, writes: make(chan struct{}, 1), stop: cancel, done: make(chan struct{})}
	go c.run(ctx)
	return c
}

// noteWrite says that there is something to copy.
func (c *checkpointer) noteWrite() {
	select {
	case c.writes <- struct{}{}:
	default:
	}
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.done)
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			c.err = c.conn.Close()
			return
		case <-tick.C:
		}
		select {
		case <-c.writes:
			// A checkpoint that fails, or is kept from finishing by a reader, is made up for by the next one, or by the
			// writer itself once the log is long.
			_, _ = c.conn.ExecContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
		default:
		}
	}
}

// close ends it; closing again is harmless.
func (c *checkpointer) close() error {
	c.stop()
	<-c.done
	return c.err
}
