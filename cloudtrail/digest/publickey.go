// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"crypto/md5" //nolint:gosec // AWS's fingerprint is MD5; it names a key and proves nothing
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// PublicKey is one key of CloudTrail's ListPublicKeys.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PublicKey.html
type PublicKey struct {
	Fingerprint string    // lower-case hexadecimal MD5 of Value
	Value       []byte    // DER: PKCS #1, or SubjectPublicKeyInfo as in one of AWS's samples
	NotBefore   time.Time // ValidityStartTime; zero when not known
	NotAfter    time.Time // ValidityEndTime; zero when not known
	Region      string    // of the region that signs with it; empty when not known
}

// FingerprintOf names a key as AWS does. It is a check against mix-ups, not against an attacker.
func FingerprintOf(value []byte) string {
	sum := md5.Sum(value) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// ValidIn reports whether k may have signed something between from and to. Unknown times are valid.
func (k PublicKey) ValidIn(from, to time.Time) bool {
	return (k.NotBefore.IsZero() || !k.NotBefore.After(to)) && (k.NotAfter.IsZero() || !k.NotAfter.Before(from))
}

var errKeyEncoding = errors.New("neither a PKCS #1 nor a PKIX RSA public key")

// rsaKey decodes k. The AWS CLI reads PKCS #1 only.
func (k PublicKey) rsaKey(pkcs1Only bool) (*rsa.PublicKey, error) {
	if key, err := x509.ParsePKCS1PublicKey(k.Value); err == nil {
		return key, nil
	}
	if pkcs1Only {
		return nil, errKeyEncoding
	}
	if key, err := x509.ParsePKIXPublicKey(k.Value); err == nil {
		if key, ok := key.(*rsa.PublicKey); ok {
			return key, nil
		}
	}
	return nil, errKeyEncoding
}

// keyFile is public-keys.json: ListPublicKeys as the AWS CLI prints it, or only its list.
type keyFile struct {
	PublicKeyList []keyEntry `json:"PublicKeyList"`
}

type keyEntry struct {
	Fingerprint       string   `json:"Fingerprint"`
	Value             string   `json:"Value"`
	ValidityStartTime keyStamp `json:"ValidityStartTime,omitzero"`
	ValidityEndTime   keyStamp `json:"ValidityEndTime,omitzero"`
	Region            string   `json:"Region,omitempty"` // ours: ListPublicKeys answers for one region and does not say which
}

// keyStamp is a time in any of the forms that AWS tools print: RFC 3339, or seconds since 1970 as number or text.
type keyStamp struct{ time.Time }

func (s *keyStamp) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		text = string(b)
	}
	if text == "" || text == "null" {
		return nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		s.Time = time.UnixMilli(int64(seconds * 1000)).UTC()
		return nil
	}
	t, err := time.Parse(time.RFC3339, text)
	s.Time = t.UTC()
	return err
}

func (s keyStamp) MarshalJSON() ([]byte, error) { return json.Marshal(s.UTC().Format(time.RFC3339)) }

// ParsePublicKeys reads what "aws cloudtrail list-public-keys" prints, or only its list. One entry that cannot be read
// fails the whole: a missing key would make good digests look forged.
func ParsePublicKeys(data []byte) ([]PublicKey, error) {
	var entries []keyEntry
	if err := json.Unmarshal(data, &entries); err != nil {
		var file keyFile
		if json.Unmarshal(data, &file) != nil || file.PublicKeyList == nil {
			return nil, fmt.Errorf("parse public keys: %w", err)
		}
		entries = file.PublicKeyList
	}
	keys := make([]PublicKey, 0, len(entries))
	for i, e := range entries {
		value, err := base64.StdEncoding.DecodeString(e.Value)
		if err != nil {
			return nil, fmt.Errorf("parse public keys: entry %d: Value: %w", i, err)
		}
		keys = append(keys, PublicKey{e.Fingerprint, value, e.ValidityStartTime.Time, e.ValidityEndTime.Time, e.Region})
	}
	return keys, nil
}

// FormatPublicKeys writes what ParsePublicKeys reads.
func FormatPublicKeys(keys []PublicKey) ([]byte, error) {
	entries := make([]keyEntry, 0, len(keys))
	for _, k := range keys {
		entries = append(entries, keyEntry{
			k.Fingerprint, base64.StdEncoding.EncodeToString(k.Value), keyStamp{k.NotBefore}, keyStamp{k.NotAfter}, k.Region,
		})
	}
	return json.MarshalIndent(entries, "", " ")
}
