// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
)

// Links makes links and opens them.
type Links struct {
	store incident.Answers
	keys  *Keys
	base  *url.URL
	valid time.Duration
	clock func() time.Time
}

var _ action.Links = (*Links)(nil)

// NewLinks makes Links that lead to public, and count for valid.
func NewLinks(store incident.Answers, keys *Keys, public *url.URL, valid time.Duration, clock func() time.Time) *Links {
	return &Links{store: store, keys: keys, base: public, valid: valid, clock: clock}
}

// Link implements action.Links.
func (s *Links) Link(ctx context.Context, l incident.Link) (string, error) {
	k, err := s.keys.current()
	if err != nil {
		return "", err
	}
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	l.Nonce, l.KeyID, l.ExpiresAt = hex.EncodeToString(nonce), k.id, s.clock().UTC().Add(s.valid)
	if l, err = s.store.KeepLink(ctx, l); err != nil {
		return "", err
	}
	if l.KeyID != k.id { // the message had one before, by an older key
		if k, err = s.keys.find(l.KeyID); err != nil {
			return "", err
		}
	}
	t, err := sign(k, l)
	if err != nil {
		return "", err
	}
	return s.base.JoinPath(route, t.String()).String(), nil
}

// open returns the link that a token stands for, and the key that signed it; ErrForged or ErrUnknownKey where it is none.
func (s *Links) open(ctx context.Context, text string) (incident.Link, key, error) {
	t, err := parseToken(text)
	if err != nil {
		return incident.Link{}, key{}, err
	}
	k, err := s.keys.find(hex.EncodeToString(t.keyID[:]))
	if err != nil {
		return incident.Link{}, key{}, err
	}
	l, err := s.store.GetLink(ctx, hex.EncodeToString(t.nonce[:]))
	if err != nil && !errors.Is(err, incident.ErrNotFound) {
		return l, key{}, err
	}
	// A nonce that is not there takes as long as a signature that is wrong.
	isOurs := hmac.Equal(signature(k, l), t.mac[:])
	if err != nil || !isOurs || l.KeyID != k.id {
		return incident.Link{}, key{}, ErrForged
	}
	return l, k, nil
}
