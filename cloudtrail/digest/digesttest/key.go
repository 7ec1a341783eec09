// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digesttest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"sync"

	"github.com/switchback-project/switchback/cloudtrail/digest"
)

// Key is a key pair with which a region signs.
type Key struct {
	private *rsa.PrivateKey
	Public  digest.PublicKey // PKCS #1, as CloudTrail's
}

// Key pairs, made once a process. KeyA signs unless a test says otherwise.
var (
	KeyA    = sync.OnceValue(func() *Key { return newKey(2048) })
	KeyB    = sync.OnceValue(func() *Key { return newKey(2048) })
	Key4096 = sync.OnceValue(func() *Key { return newKey(4096) })
)

func newKey(bits int) *Key {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err) // no randomness: no test makes sense
	}
	value := x509.MarshalPKCS1PublicKey(&private.PublicKey)
	return &Key{private, digest.PublicKey{Fingerprint: digest.FingerprintOf(value), Value: value}}
}

// PKIX is the public key in the other encoding that an AWS sample has, with the fingerprint that goes with it.
func (k *Key) PKIX() digest.PublicKey {
	value, err := x509.MarshalPKIXPublicKey(&k.private.PublicKey)
	if err != nil {
		panic(err) // an RSA key always encodes
	}
	return digest.PublicKey{Fingerprint: digest.FingerprintOf(value), Value: value}
}

// Sign signs text as CloudTrail does, with another hash function if a test wants that.
func (k *Key) Sign(text string, hash crypto.Hash) string {
	h := hash.New()
	h.Write([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, k.private, hash, h.Sum(nil))
	if err != nil {
		panic(err) // the keys are large enough for every hash
	}
	return hex.EncodeToString(signature)
}

func hexSHA256(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
