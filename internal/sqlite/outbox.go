// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"fmt"

	"github.com/switchback-project/switchback/internal/incident"
)

var _ incident.Outbox = (*DB)(nil)

// Sent returns the first accepted delivery of a message on each channel, in the order of acceptance.
func (db *DB) Sent(ctx context.Context, message string) ([]incident.Delivery, error) {
	return list(ctx, db, "read deliveries of "+message,
		`SELECT doc FROM deliveries d WHERE message = ? AND accepted AND NOT EXISTS (
			SELECT 1 FROM deliveries e WHERE e.message = d.message AND e.channel = d.channel AND e.accepted AND e.id < d.id)
		ORDER BY id`, []any{message}, document[incident.Delivery])
}

// RecordDelivery keeps the outcome of one attempt on one channel.
func (db *DB) RecordDelivery(ctx context.Context, id incident.ID, d incident.Delivery) error {
	d.At = d.At.UTC()
	doc, err := encode(d)
	if err != nil {
		return fmt.Errorf("record delivery: %w", err)
	}
	return db.write(ctx, "record delivery", func(t *tx) error {
		_, err := t.exec(`INSERT INTO deliveries (incident, message, channel, accepted, doc) VALUES (?, ?, ?, ?, ?)`,
			string(id), d.Message, d.Channel, d.Accepted, doc)
		return err
	})
}

// Deliveries returns every outcome of the messages of an incident, in order.
func (db *DB) Deliveries(ctx context.Context, id incident.ID) ([]incident.Delivery, error) {
	return list(ctx, db, "read deliveries of "+string(id), `SELECT doc FROM deliveries WHERE incident = ? ORDER BY id`,
		[]any{string(id)}, document[incident.Delivery])
}
