// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// ids is a stream of identifiers that depends on nothing but where it stands: the sandbox's seed, the kind of call and
// its number. A call that is replayed from the journal gets the ids that it had, whatever reads came between.
type ids struct {
	base [32]byte
	n    uint64
}

func newIDs(seed uint64, stream string, numbers ...uint64) *ids {
	b := binary.BigEndian.AppendUint64(nil, seed)
	b = append(b, stream...)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return &ids{base: sha256.Sum256(b)}
}

func (i *ids) next() [32]byte {
	i.n++
	var b [40]byte
	copy(b[:], i.base[:])
	binary.BigEndian.PutUint64(b[32:], i.n)
	return sha256.Sum256(b[:])
}

// uuid is a random GUID of version 4.
func (i *ids) uuid() string {
	b := i.next()
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

const (
	// base32Upper is the alphabet of IAM's unique ids.
	//
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
	base32Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	alnum       = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// text is n characters of alphabet, at most 32.
func (i *ids) text(n int, alphabet string) string {
	b := i.next()
	out := make([]byte, n)
	for k := range out {
		out[k] = alphabet[int(b[k])%len(alphabet)]
	}
	return string(out)
}

// unique is an IAM unique id with its prefix: AIDA, AROA.
func (i *ids) unique(prefix string) string { return prefix + i.text(17, base32Upper) }

// accessKey is an access key id with its prefix: AKIA, ASIA.
func (i *ids) accessKey(prefix string) string { return prefix + i.text(16, base32Upper) }

// secret looks like a secret access key or session token. It opens nothing: the sandbox checks no signatures.
func (i *ids) secret() string {
	b := i.next()
	return hex.EncodeToString(b[:20])
}

// hex is n characters of hexadecimal digits, at most 64.
func (i *ids) hex(n int) string {
	b := i.next()
	return hex.EncodeToString(b[:])[:n]
}
