// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
)

// Finding is an event of our own: what a source found itself, instead of being told.
type Finding struct {
	// ID makes it one event however often it is found; see FindingID.
	ID, DetailType  string
	Account, Region string // whose it is about
	At              time.Time
	Resources       []string // ARNs; the first is what its incident is about
	Detail          any
}

// Event is the finding in EventBridge's form.
//
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
func (f Finding) Event() (cloudtrail.Envelope, error) {
	data, err := json.Marshal(struct {
		Version    string    `json:"version"`
		ID         string    `json:"id"`
		DetailType string    `json:"detail-type"`
		Source     string    `json:"source"`
		Account    string    `json:"account"`
		Time       time.Time `json:"time"`
		Region     string    `json:"region"`
		Resources  []string  `json:"resources"`
		Detail     any       `json:"detail"`
	}{"0", f.ID, f.DetailType, incident.EventSource, f.Account, f.At.UTC().Truncate(time.Second), f.Region, f.Resources, f.Detail})
	if err != nil {
		return cloudtrail.Envelope{}, fmt.Errorf("encode event: %w", err)
	}
	return cloudtrail.ParseEnvelope(data)
}

// FindingID is an id in the form of AWS's, the same for the same parts.
func FindingID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	id := hex.EncodeToString(sum[:16])
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}
