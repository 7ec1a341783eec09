// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Algorithms that digest files name; no others are accepted.
const (
	SignatureAlgorithm = "SHA256withRSA"
	HashAlgorithm      = "SHA-256"
)

// ErrFormat is wrapped when a digest file is not one.
var ErrFormat = errors.New("invalid digest file")

// File is a digest file: the log files that CloudTrail delivered in an hour for one trail, account and region. It keeps
// texts exactly as written, for they are signed.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
type File struct {
	AccountID          string
	StartTime, EndTime string // of delivery, not of the events; "2006-01-02T15:04:05Z"
	Bucket, Object     string // where CloudTrail put this file; may differ from where it is now
	Fingerprint        string // of the public key
	SignatureAlgorithm string
	Previous           Pointer
	LogFiles           []LogFile
}

// Pointer leads to the digest file before. In a starting digest, where validation or logging was turned on, it is empty.
type Pointer struct {
	Bucket, Object string
	Hash           string // of the content, not of the gzip file
	HashAlgorithm  string
	Signature      string
}

// IsZero reports whether nothing comes before.
func (p Pointer) IsZero() bool { return p.Bucket == "" || p.Object == "" }

// LogFile is one entry of a digest file.
type LogFile struct {
	Bucket          string `json:"s3Bucket"`
	Object          string `json:"s3Object"`
	Hash            string `json:"hashValue"` // of the content, not of the gzip file
	HashAlgorithm   string `json:"hashAlgorithm"`
	NewestEventTime string `json:"newestEventTime"` // empty when null
	OldestEventTime string `json:"oldestEventTime"`
}

// Parse reads the inflated content of a digest file. Errors wrap ErrFormat and name the field.
func Parse(content []byte) (*File, error) {
	fields, err := parseFields(content)
	if err != nil {
		return nil, err
	}
	return newFile(fields)
}

// parseFields is the first half of Parse. Names are matched exactly, as every other JSON reader of digest files does,
// whereas decoding into a struct would accept "DigestS3Bucket" too.
func parseFields(content []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(content) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrFormat)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(content, &fields); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err) //nolint:errorlint // one sentinel is enough for a caller
	}
	if fields == nil {
		return nil, fmt.Errorf("%w: not a JSON object", ErrFormat)
	}
	return fields, nil
}

func newFile(fields map[string]json.RawMessage) (*File, error) {
	f := new(File)
	for _, field := range []struct {
		name     string
		into     *string
		required bool // present; null is allowed
	}{
		{"awsAccountId", &f.AccountID, false},
		{"digestStartTime", &f.StartTime, true},
		{"digestEndTime", &f.EndTime, true},
		{"digestS3Bucket", &f.Bucket, true},
		{"digestS3Object", &f.Object, true},
		{"digestPublicKeyFingerprint", &f.Fingerprint, true},
		{"digestSignatureAlgorithm", &f.SignatureAlgorithm, false},
		{"previousDigestS3Bucket", &f.Previous.Bucket, false},
		{"previousDigestS3Object", &f.Previous.Object, false},
		{"previousDigestHashValue", &f.Previous.Hash, false},
		{"previousDigestHashAlgorithm", &f.Previous.HashAlgorithm, false},
		{"previousDigestSignature", &f.Previous.Signature, true},
	} {
		value, ok := fields[field.name]
		if !ok && field.required {
			return nil, fmt.Errorf("%w: no %s", ErrFormat, field.name)
		}
		if err := decodeField(value, field.into); err != nil {
			return nil, fmt.Errorf("%w: %s: not a string", ErrFormat, field.name)
		}
	}
	if err := decodeField(fields["logFiles"], &f.LogFiles); err != nil {
		return nil, fmt.Errorf("%w: logFiles: %v", ErrFormat, err) //nolint:errorlint // as above
	}
	return f, nil
}

func decodeField(value json.RawMessage, into any) error {
	if len(value) == 0 {
		return nil
	}
	return json.Unmarshal(value, into)
}

// Window returns the hour of deliveries that the file covers.
func (f *File) Window() (start, end time.Time, err error) {
	if start, err = parseStamp(f.StartTime); err != nil {
		return start, end, err
	}
	end, err = parseStamp(f.EndTime)
	return start, end, err
}

func parseStamp(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%w: %s", ErrInvalidTime, text)
	}
	return t.UTC(), nil
}

// StringToSign returns what CloudTrail signed for f, whose content has the given SHA-256 hash.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
func (f *File) StringToSign(hash [32]byte) string {
	previous := f.Previous.Signature
	if previous == "" {
		previous = "null"
	}
	return strings.Join([]string{f.EndTime, f.Bucket + "/" + f.Object, hex.EncodeToString(hash[:]), previous}, "\n")
}

// Metadata is the object metadata of a digest file, without which it cannot be verified.
type Metadata struct {
	Signature          string    // hexadecimal, lower case as CloudTrail writes it
	SignatureAlgorithm string    // SignatureAlgorithm
	GeneratedAt        time.Time // of a backfill digest file: when it was written and signed; else zero
}

const (
	metaSignature = "signature"
	metaAlgorithm = "signature-algorithm"
	metaGenerated = "backfill-generation-timestamp"
)

var (
	errNoSignature  = errors.New("object metadata lacks the signature")
	errNoGeneration = errors.New("object metadata lacks backfill-generation-timestamp")
)

// ParseMetadata reads the metadata of a digest object (names without x-amz-meta-, lower case). A backfill digest file
// must say when it was generated.
func ParseMetadata(meta map[string]string, isBackfill bool) (Metadata, error) {
	m := Metadata{Signature: meta[metaSignature], SignatureAlgorithm: meta[metaAlgorithm]}
	_, signed := meta[metaSignature]
	if _, named := meta[metaAlgorithm]; !signed || !named {
		return m, errNoSignature
	}
	generated, ok := meta[metaGenerated]
	if !isBackfill {
		return m, nil
	}
	if !ok {
		return m, errNoGeneration
	}
	var err error
	m.GeneratedAt, err = parseStamp(generated)
	return m, err
}
