// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Entry is one record. The caller sets At, Kind, Incident and Body; the ledger sets the rest.
type Entry struct {
	// Seq counts from 1 without gaps over all segments.
	Seq int64
	// At is when it happened; required, kept in UTC.
	At   time.Time
	Kind Kind
	// Incident is the incident's id; empty for what belongs to none.
	Incident string
	// Body is one JSON value of at most MaxBodyBytes; nil stands for null. White space is removed, nothing else changes.
	Body json.RawMessage
	// Prev is the Hash of the entry before, empty for the first; Hash is the SHA-256 of this one, in hexadecimal.
	Prev, Hash string
	// Signature is the Ed25519 signature of Hash in base64.
	Signature string
}

// Kind sorts entries.
type Kind string

// The kinds of entries. Repair is the ledger's own: it explains bytes that a killed process left behind.
const (
	Event    Kind = "event"    // received
	Decision Kind = "decision" // taken by Switchback or a person
	Call     Kind = "call"     // to AWS
	Message  Kind = "message"  // to people
	Artefact Kind = "artefact" // written: a report, an evidence file
	Repair   Kind = "repair"
)

// MaxBodyBytes is the largest body of an entry, four times the largest CloudTrail record.
const MaxBodyBytes = 1 << 20

const (
	maxNameBytes = 256 // of Kind and Incident
	maxLineBytes = MaxBodyBytes + 8<<10
)

// ErrInvalid says that an entry cannot be recorded: no time, no kind, a body that is not one JSON value or is too large.
var ErrInvalid = errors.New("invalid ledger entry")

// check makes e ready to be chained.
func (e *Entry) check() error {
	switch {
	case e.At.IsZero():
		return fmt.Errorf("%w: no time", ErrInvalid)
	case e.Kind == "" || len(e.Kind) > maxNameBytes:
		return fmt.Errorf("%w: kind of %d bytes, want 1 to %d", ErrInvalid, len(e.Kind), maxNameBytes)
	case len(e.Incident) > maxNameBytes:
		return fmt.Errorf("%w: incident of %d bytes, at most %d", ErrInvalid, len(e.Incident), maxNameBytes)
	case len(e.Body) > MaxBodyBytes:
		return fmt.Errorf("%w: body of %d bytes, at most %d", ErrInvalid, len(e.Body), MaxBodyBytes)
	}
	e.At = e.At.UTC().Round(0)
	if len(e.Body) == 0 {
		e.Body = json.RawMessage("null")
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, e.Body); err != nil {
		return fmt.Errorf("%w: body: %w", ErrInvalid, err)
	}
	e.Body = compact.Bytes()
	return nil
}

// head is the part of a line that the hash covers, in the order of the line.
type head struct {
	Seq      int64           `json:"seq"`
	At       time.Time       `json:"at"`
	Kind     Kind            `json:"kind"`
	Incident string          `json:"incident"`
	Body     json.RawMessage `json:"body"`
	Prev     string          `json:"prev"`
}

// A line ends in hash and signature, which have a fixed length: the hash covers every byte before them as it stands in
// the file, so that not even a change of spelling goes unnoticed.
const (
	hashMark     = `,"hash":"`
	sigMark      = `","sig":"`
	endMark      = `"}`
	hashChars    = 2 * sha256.Size
	sigChars     = 86 // 64 bytes in base64 without padding
	suffixLength = len(hashMark) + hashChars + len(sigMark) + sigChars + len(endMark)
	sigContext   = "switchback ledger entry v1\n"
)

var signatureEncoding = base64.RawStdEncoding.Strict()

// appendLine hashes and signs e, whose Seq and Prev are set, and adds its line to b.
func appendLine(b *bytes.Buffer, e *Entry, key ed25519.PrivateKey) error {
	start := b.Len()
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(head{e.Seq, e.At, e.Kind, e.Incident, e.Body, e.Prev}); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	b.Truncate(b.Len() - len("}\n"))
	sum := sha256.Sum256(b.Bytes()[start:])
	e.Hash = hex.EncodeToString(sum[:])
	e.Signature = signatureEncoding.EncodeToString(ed25519.Sign(key, signed(sum)))
	for _, part := range []string{hashMark, e.Hash, sigMark, e.Signature, endMark, "\n"} {
		b.WriteString(part)
	}
	return nil
}

// signed returns what is signed for an entry.
func signed(sum [sha256.Size]byte) []byte {
	return append([]byte(sigContext), sum[:]...)
}

// What can be wrong with one line by itself.
var (
	errShape     = errors.New("is not an entry")
	errHash      = errors.New("does not match its hash")
	errSignature = errors.New("is not signed by the key of this ledger")
)

// marksOf counts how many of the three marks stand where the end of an entry has them.
func marksOf(line []byte) int {
	at := len(line) - suffixLength
	if at < 0 {
		return 0
	}
	count := 0
	for _, mark := range []struct {
		at   int
		text string
	}{
		{at, hashMark},
		{at + len(hashMark) + hashChars, sigMark},
		{len(line) - len(endMark), endMark},
	} {
		if bytes.HasPrefix(line[mark.at:], []byte(mark.text)) {
			count++
		}
	}
	return count
}

func hasShape(line []byte) bool { return marksOf(line) == 3 }

// looksWhole reports whether line ends as an entry does, give or take one mark.
func looksWhole(line []byte) bool { return marksOf(line) >= 2 }

// parseLine reads a line without its newline and checks its hash. An error wraps errShape or errHash; after errHash the
// entry is what the line claims.
func parseLine(line []byte) (Entry, error) {
	if !hasShape(line) {
		return Entry{}, errShape
	}
	at := len(line) - suffixLength
	covered, suffix := line[:at], line[at:]
	h, err := parseHead(covered)
	if err != nil {
		return Entry{}, err
	}
	sig := len(hashMark) + hashChars + len(sigMark)
	e := Entry{
		Seq: h.Seq, At: h.At, Kind: h.Kind, Incident: h.Incident, Body: h.Body, Prev: h.Prev,
		Hash:      string(suffix[len(hashMark) : len(hashMark)+hashChars]),
		Signature: string(suffix[sig : sig+sigChars]),
	}
	sum := sha256.Sum256(covered)
	if hex.EncodeToString(sum[:]) != e.Hash {
		return e, errHash
	}
	return e, nil
}

func parseHead(covered []byte) (head, error) {
	object := make([]byte, 0, len(covered)+1)
	object = append(append(object, covered...), '}')
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.DisallowUnknownFields()
	var h head
	if err := decoder.Decode(&h); err != nil {
		return head{}, fmt.Errorf("%w: %w", errShape, err)
	}
	return h, nil
}

// verifySignature checks the signature of an entry that parseLine accepted.
func (e Entry) verifySignature(key ed25519.PublicKey) error {
	sig, err := signatureEncoding.DecodeString(e.Signature)
	if err != nil {
		return fmt.Errorf("%w: %w", errSignature, err)
	}
	sum, err := hex.DecodeString(e.Hash)
	if err != nil {
		return fmt.Errorf("%w: %w", errHash, err)
	}
	if !ed25519.Verify(key, signed([sha256.Size]byte(sum)), sig) {
		return errSignature
	}
	return nil
}
