// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// orders is what is read first: what the intruder did matters most, and changes more than reads.
var orders = []string{"session's keys", "write events", "rest"}

const (
	orderSession = iota
	orderWrite
	orderRest
)

// maxKeys bounds the session's keys that are followed; each costs a request a region.
const maxKeys = 10

// cursorFact is where an incident keeps how far its backfill is.
const cursorFact = "backfill"

// cursor is how far a backfill is. It is durable after each visit; what a killed visit read is read again.
type cursor struct {
	Account  string    `json:"account"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	Orders   []int     `json:"orders"`
	Order    int       `json:"order"` // of orders, the one that is read
	Keys     []string  `json:"keys,omitempty"`
	Key      int       `json:"key"` // of Keys, the one that is read
	Places   []place   `json:"places"`
	File     string    `json:"file"`
	Size     int64     `json:"size"` // bytes of File that are certain
	Requests int       `json:"requests"`
	Events   int       `json:"events"`
	Counts   [3]int    `json:"counts"` // events by order
	Estimate int       `json:"estimate_seconds"`
	Gaps     []string  `json:"gaps,omitempty"`
	IsTold   bool      `json:"told"`
	Began    time.Time `json:"began,omitzero"`
	IsDone   bool      `json:"done"`
}

// place is one region.
type place struct {
	Region string `json:"region"`
	Token  string `json:"token,omitempty"`
	// Oldest is the time of the last event that was read. When AWS has forgotten the token, it becomes the End.
	Oldest time.Time `json:"oldest,omitzero"`
	End    time.Time `json:"end,omitzero"`
	IsDone bool      `json:"done"`
	Events int       `json:"events"`
	// Outcome says why the region was not read to the end; IsOff: it is not enabled, so nothing can have happened there.
	Outcome  string `json:"outcome,omitempty"`
	IsOff    bool   `json:"off,omitempty"`
	Refusals int    `json:"refusals,omitempty"`
}

func newCursor(pending []incident.BlindWindow, keys, only []string, now time.Time) cursor {
	c := cursor{Account: pending[0].Account, From: pending[0].Lost, Keys: keys}
	c.File = "backfill-" + c.From.UTC().Format("20060102T150405Z") + ".jsonl.gz"
	reads, writes := false, false
	for _, w := range pending {
		reads, writes = reads || !w.IsWriteOnly(), writes || !w.IsReadOnly()
		if end := cmp.Or(w.Found, w.Proven, now); end.After(c.Until) {
			c.Until = end
		}
	}
	for order, isWanted := range []bool{len(keys) > 0, writes, reads} {
		if isWanted {
			c.Orders = append(c.Orders, order)
		}
	}
	c.Order = c.Orders[0]
	for _, region := range regionsInOrder(pending, only) {
		c.Places = append(c.Places, place{Region: region})
	}
	return c
}

// regionsInOrder are the regions of the windows: the trail's own first, then that of the global services.
func regionsInOrder(pending []incident.BlindWindow, only []string) []string {
	var all []string
	for _, w := range pending {
		all = append(all, regionsOf(w, only)...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	home := homeOf(pending[0])
	first := []string{home, arn.PartitionOf(home).GlobalRegion}
	slices.SortStableFunc(all, func(a, b string) int { return rank(first, a) - rank(first, b) })
	return all
}

func rank(first []string, region string) int {
	if i := slices.Index(first, region); i >= 0 {
		return i
	}
	return len(first)
}

func homeOf(w incident.BlindWindow) string {
	p, err := w.Trail.Parse()
	if err != nil {
		return w.Region
	}
	return p.Region
}

// regionsOf are the regions whose Event history may have what the window lacks.
func regionsOf(w incident.BlindWindow, only []string) []string {
	home := homeOf(w)
	partition := arn.PartitionOf(home)
	switch w.Region {
	case trail.AllRegions, trail.OtherRegions:
		if len(only) > 0 {
			return only
		}
		return append(partition.Regions(), home) // which may be newer than the SDK
	case trail.GlobalServices:
		return []string{partition.GlobalRegion}
	}
	return []string{w.Region}
}

// sessionKeys are the access keys of the incident's events.
func (b *backfiller) sessionKeys(ctx context.Context) ([]string, error) {
	var keys []string
	for _, id := range b.env.Incident.Events {
		raw, err := b.env.Timeline.Evidence(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read event %.60q: %w", id, err)
		}
		r, err := identity.ParseEvidence(raw)
		if key := r.UserIdentity.AccessKeyID; err == nil && key != "" && !slices.Contains(keys, key) && len(keys) < maxKeys {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// isOrderRead reports whether every region was read in the current order, for the current key.
func (c *cursor) isOrderRead() bool {
	return !slices.ContainsFunc(c.Places, func(p place) bool { return !p.IsDone })
}

func (c *cursor) isRead() bool { return c.isLast() && c.isOrderRead() }

func (c *cursor) isLast() bool {
	return c.Order == c.Orders[len(c.Orders)-1] && (c.Order != orderSession || c.Key+1 >= len(c.Keys))
}

// next goes on to the next key or order. A region that cannot be read is not asked again.
func (c *cursor) next() {
	if c.isLast() {
		return
	}
	if c.Order == orderSession && c.Key+1 < len(c.Keys) {
		c.Key++
	} else {
		c.Order = c.Orders[slices.Index(c.Orders, c.Order)+1]
	}
	for i := range c.Places {
		p := &c.Places[i]
		p.Token, p.Oldest, p.End, p.IsDone, p.Refusals = "", time.Time{}, time.Time{}, p.Outcome != "", 0
	}
}

// giveUp ends the backfill with what is not read yet left out.
func (c *cursor) giveUp(why string) {
	for i := range c.Places {
		if p := &c.Places[i]; p.Outcome == "" && !(c.isLast() && p.IsDone) {
			p.Outcome = why
		}
		c.Places[i].IsDone = true
	}
	c.Order, c.Key = c.Orders[len(c.Orders)-1], max(len(c.Keys)-1, 0)
}

// attributes are what AWS is asked by.
func (c *cursor) attributes() []types.LookupAttribute {
	by, value := types.LookupAttributeKeyReadOnly, "true"
	switch c.Order {
	case orderSession:
		by, value = types.LookupAttributeKeyAccessKeyId, c.Keys[c.Key]
	case orderWrite:
		value = "false"
	}
	return []types.LookupAttribute{{AttributeKey: by, AttributeValue: aws.String(value)}}
}

// follow adds a key that the session issued, once.
func (c *cursor) follow(key string) {
	switch {
	case key == "" || slices.Contains(c.Keys, key):
	case len(c.Keys) == maxKeys:
		c.gap(fmt.Sprintf("the session issued more than %d keys; what later ones did is among the rest", maxKeys-1))
	default:
		c.Keys = append(c.Keys, key)
	}
}

func (c *cursor) gap(text string) {
	if !slices.Contains(c.Gaps, text) && len(c.Gaps) < 2*maxList {
		c.Gaps = append(c.Gaps, brief(text))
	}
}

// isMissing reports whether a region may hold events that were not read.
func (c *cursor) isMissing(region string) bool {
	return slices.ContainsFunc(c.Places, func(p place) bool { return p.Region == region && p.Outcome != "" && !p.IsOff })
}

func loadCursor(ctx context.Context, env *action.Env) (cursor, error) {
	inc, err := env.Store.Get(ctx, env.Incident.ID)
	if err != nil {
		return cursor{}, fmt.Errorf("load incident %s: %w", env.Incident.ID, err)
	}
	var c cursor
	if raw := inc.Facts[cursorFact]; raw != nil {
		if err := json.Unmarshal(raw, &c); err != nil {
			return cursor{}, fmt.Errorf("read how far the backfill of %s is: %w", inc.ID, err)
		}
	}
	return c, nil
}

func (c *cursor) save(ctx context.Context, env *action.Env) error {
	raw, err := json.Marshal(c)
	if err == nil {
		_, err = env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
			if i.Facts == nil {
				i.Facts = map[string]json.RawMessage{}
			}
			i.Facts[cursorFact] = raw
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("keep how far the backfill is: %w", err)
	}
	return nil
}
