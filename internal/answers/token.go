// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/switchback-project/switchback/internal/incident"
)

// ErrForged tells that it is no link of ours.
var ErrForged = errors.New("it is no link of ours")

const (
	tokenVersion = 1
	idSize       = 4
	nonceSize    = 16
	macSize      = sha256.Size
	tokenSize    = 1 + idSize + nonceSize + macSize
)

// token is what stands in the URL: version, key id, nonce and signature.
type token struct {
	keyID [idSize]byte
	nonce [nonceSize]byte
	mac   [macSize]byte
}

// parseToken accepts exactly what String gives.
func parseToken(text string) (token, error) {
	var t token
	if len(text) != base64.RawURLEncoding.EncodedLen(tokenSize) {
		return t, ErrForged
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != tokenSize || b[0] != tokenVersion {
		return t, ErrForged
	}
	rest := b[1:]
	rest = rest[copy(t.keyID[:], rest):]
	rest = rest[copy(t.nonce[:], rest):]
	copy(t.mac[:], rest)
	return t, nil
}

// String is the token as URLs carry it.
func (t token) String() string {
	b := make([]byte, 0, tokenSize)
	b = append(b, tokenVersion)
	b = append(b, t.keyID[:]...)
	b = append(b, t.nonce[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, t.mac[:]...))
}

// sign makes the token of a link.
func sign(k key, l incident.Link) (token, error) {
	var t token
	id, err := hex.DecodeString(k.id)
	nonce, err2 := hex.DecodeString(l.Nonce)
	if errors.Join(err, err2) != nil || len(id) != idSize || len(nonce) != nonceSize {
		return t, errors.New("sign link: key id or nonce is not of ours")
	}
	copy(t.keyID[:], id)
	copy(t.nonce[:], nonce)
	copy(t.mac[:], signature(k, l))
	return t, nil
}

// signature covers everything that a link says. Each part goes with its length, so that no two links have one text.
func signature(k key, l incident.Link) []byte {
	stand := "somebody who stands in"
	if l.IsPerson {
		stand = "the person"
	}
	parts := []string{"link", string(l.Incident), l.Message, l.Person, stand, l.ExpiresAt.UTC().Format("20060102T150405.000000000"), l.Nonce, l.KeyID}
	for _, v := range l.Verdicts {
		parts = append(parts, string(v))
	}
	return mac(k, parts...)
}

func mac(k key, parts ...string) []byte {
	h := hmac.New(sha256.New, k.secret)
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}
