// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"
)

// keyring holds the public keys of one region by fingerprint.
type keyring struct {
	region     string
	compatible bool

	mu   sync.Mutex
	keys map[string]ringKey
	bad  []PublicKey // whose fingerprint is not theirs; left out unless compatible
}

type ringKey struct {
	rsa *rsa.PublicKey
	err error // why it cannot be used
}

func newKeyring(region string, compatible bool) *keyring {
	return &keyring{region: region, compatible: compatible, keys: make(map[string]ringKey)}
}

// load adds the keys of a span of time and returns how many there were.
func (k *keyring) load(ctx context.Context, a *access, from, to time.Time) (int, error) {
	list, err := a.publicKeys(ctx, k.region, from, to)
	if err != nil {
		return 0, fmt.Errorf("list public keys of %s: %w", k.region, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range list {
		if !k.compatible && FingerprintOf(key.Value) != key.Fingerprint {
			k.bad = append(k.bad, key)
			continue
		}
		parsed, err := key.rsaKey(k.compatible)
		k.keys[key.Fingerprint] = ringKey{parsed, err}
	}
	return len(list), nil
}

func (k *keyring) find(fingerprint string) (ringKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[fingerprint]
	return key, ok
}

// clone returns a ring that can grow without k.
func (k *keyring) clone() *keyring {
	c := newKeyring(k.region, k.compatible)
	k.mu.Lock()
	defer k.mu.Unlock()
	for fingerprint, key := range k.keys {
		c.keys[fingerprint] = key
	}
	return c
}

var errSignature = errors.New("signature verification failed")

// decodeSignature words the errors as Python does, since the AWS CLI prints them.
func decodeSignature(text string) ([]byte, error) {
	for _, c := range text {
		if c > 127 {
			return nil, errors.New("string argument should contain only ASCII characters")
		}
	}
	signature, err := hex.DecodeString(text)
	var invalid hex.InvalidByteError
	switch {
	case len(text)%2 == 1:
		return nil, cliError("Odd-length string")
	case errors.As(err, &invalid):
		return nil, cliError("Non-hexadecimal digit found")
	}
	return signature, err
}

// verify checks a signature in hexadecimal over f, whose content has the given hash. Only RSASSA-PKCS1-v1_5 with SHA-256
// is accepted, whatever hash the signature block names.
func verify(key *rsa.PublicKey, f *File, hash [32]byte, signature string) error {
	raw, err := decodeSignature(signature)
	if err != nil {
		return err
	}
	signed := sha256.Sum256([]byte(f.StringToSign(hash)))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, signed[:], raw) != nil {
		return errSignature
	}
	return nil
}
