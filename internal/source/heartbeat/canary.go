// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package heartbeat

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/source"
)

// canaryCall is recorded as a read and yet sent to EventBridge by rules in their ordinary state: they leave out what begins
// with Get, List or Describe.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
const canaryCall = "LookupEvents"

// lifetime is how long a canary may be under way. What comes later is none of ours any more.
const lifetime = 2 * time.Hour

// send makes the call whose event is to come back. It asks for an event whose id is the canary's value, which is none.
func (h *Heart) send(ctx context.Context, now time.Time) error {
	if !h.hasStreams() {
		return nil
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return fmt.Errorf("make a canary: %w", err)
	}
	value := source.FindingID(hex.EncodeToString(random))
	h.expect(value, now) // first: its event may be faster than the answer
	cfg, err := h.door.Config(ctx, h.o.Account, h.o.Region)
	if err != nil {
		return fmt.Errorf("send a canary: %w", err)
	}
	_, err = api.NewFromConfig(cfg).LookupEvents(ctx, &api.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventId, AttributeValue: &value}}, MaxResults: aws.Int32(1),
	})
	if err != nil {
		return fmt.Errorf("send a canary: %w", err)
	}
	return nil
}

func (h *Heart) hasStreams() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams) > 0
}

// expect remembers a canary, and forgets those that are too old.
func (h *Heart) expect(value string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for old, at := range h.canaries {
		if now.Sub(at) > lifetime {
			delete(h.canaries, old)
		}
	}
	h.canaries[value] = now
}

// isCanary reports whether a record is of a canary of this process. Several sources may bring it.
func (h *Heart) isCanary(r *cloudtrail.Record) bool {
	if r.EventName != canaryCall || !arn.IsServiceHost(r.EventSource, "cloudtrail") {
		return false
	}
	value, _ := r.RequestParameter("lookupAttributes", "attributeValue")
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.canaries[value]
	return ok
}
