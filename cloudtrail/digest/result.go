// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"encoding/hex"
	"slices"
	"time"
)

// Severity says what a result means for the verdict.
type Severity string

// Severities, from good to bad.
const (
	SeverityNone    Severity = "none"    // valid
	SeverityNote    Severity = "note"    // worth knowing; changes no exit status
	SeverityWarning Severity = "warning" // not proven, perhaps for a harmless reason; exit status 1
	SeverityError   Severity = "error"   // changed, gone or forged; exit status 1, or 2 for CodeUnreadable
)

// Subject is the kind of thing a result is about.
type Subject string

// Subjects of results.
const (
	SubjectDigest  Subject = "digest file"
	SubjectLogFile Subject = "log file"
	SubjectChain   Subject = "digest chain"
	SubjectKey     Subject = "public key"
)

// Code says what was found. Codes are stable: they are the rule ids of SARIF and stand in every JSON result.
type Code string

// Verdicts on one file. Each digest file and each log file met gets exactly one of them.
const (
	CodeValid          Code = "valid"
	CodeInvalidFormat  Code = "invalid-format"   // not gzip, not JSON, a required field missing
	CodeMoved          Code = "moved"            // a digest file that was written for another place
	CodeUnknownKey     Code = "unknown-key"      // no public key with its fingerprint
	CodeBadKey         Code = "bad-key"          // the public key cannot be decoded
	CodeBadSignature   Code = "bad-signature"    // the digest file is not what CloudTrail signed, or not signed at all
	CodeBadDigest      Code = "bad-digest"       // any other fault; Detail has the AWS CLI's text
	CodeMissingDigest  Code = "missing-digest"   // with a key: not found; without: a hole in the chain. Count counts them
	CodeHashMismatch   Code = "hash-mismatch"    // a log file whose content is not what was delivered
	CodeMissingLogFile Code = "missing-log-file" // listed by a digest file and not found
	CodeTrailingData   Code = "trailing-data"    // bytes after the gzip member
	CodeUnknownHash    Code = "unknown-hash"     // a hash algorithm other than SHA-256
	CodeUnreadable     Code = "unreadable"       // denied, vanished, broken off: neither valid nor invalid
)

// Findings that the AWS CLI lacks. They come beside the verdicts, never instead.
const (
	CodeChainHash        Code = "chain-hash"        // a digest file is not the one that its successor names by hash
	CodeChainSignature   Code = "chain-signature"   // its signature is not the one that its successor holds
	CodeDiscontinuity    Code = "discontinuity"     // windows of linked digest files do not join, or are longer than an hour
	CodeGap              Code = "gap"               // logging or validation was off between From and To
	CodeMissingTail      Code = "missing-tail"      // the newest digest file is older than it must be
	CodeMissingHead      Code = "missing-head"      // the oldest begins after the start that was asked for
	CodeNothingFound     Code = "nothing-found"     // no digest file at all
	CodeUnlistedLogFile  Code = "unlisted-log-file" // a log file that no valid digest file lists
	CodeLoggedWhileOff   Code = "logged-while-off"  // an unlisted log file delivered while logging or validation was off
	CodeUnlinkedDigest   Code = "unlinked-digest"   // a digest file that no other one leads to
	CodeForeignLogFile   Code = "foreign-log-file"  // a digest file lists a log file of another account or region
	CodeWrongAccount     Code = "wrong-account"     // a digest file says another account than its key
	CodeSignatureMissing Code = "signature-missing" // metadata lost; proven by the successor's copy
	CodeSignatureFormat  Code = "signature-format"  // metadata not as CloudTrail writes it; the signature holds
	CodeWrongAlgorithm   Code = "wrong-algorithm"   // metadata or file names another signature algorithm; the signature holds
	CodeTruncated        Code = "truncated"         // a log file's gzip stream lacks its end, not its content
	CodeFingerprint      Code = "wrong-fingerprint" // a public key that is not the one it is named after; not used
	CodeResumed          Code = "resumed"           // From to To was proven before and not read again
	CodeResumeMismatch   Code = "resume-mismatch"   // a digest file is not the one that was proven before
	CodeSearchIncomplete Code = "search-incomplete" // too many log files to search for unlisted ones
)

// Result is one verdict or finding. Results are values: they hold nothing alive.
type Result struct {
	Scope    Scope     `json:"scope"`
	Subject  Subject   `json:"subject"`
	Code     Code      `json:"code"`
	Severity Severity  `json:"severity"`
	Bucket   string    `json:"bucket,omitempty"` // of the file, if it is about one
	Key      string    `json:"key,omitempty"`
	Detail   string    `json:"detail,omitempty"` // one sentence; for INVALID verdicts the AWS CLI's reason
	From     time.Time `json:"from,omitzero"`    // UTC; the exact interval of a gap, a hole, or a valid digest file's window
	To       time.Time `json:"to,omitzero"`
	Count    int       `json:"count,omitempty"`  // files meant, if not one; of a valid digest file: log files it lists
	Bytes    int64     `json:"bytes,omitempty"`  // read from the Fetcher
	SHA256   string    `json:"sha256,omitempty"` // of the inflated content that was read

	err  error    // of CodeUnreadable
	link *link    // of a digest file in a chain, for Progress
	mark Interval // of CodeResumed
}

// link is what Progress keeps of a digest file.
type link struct {
	ref      Ref
	previous Pointer
}

// IsValid reports whether r says that a file is proven.
func (r Result) IsValid() bool { return r.Code == CodeValid }

// Err is the cause of an unreadable file or folder, else nil.
func (r Result) Err() error { return r.err }

// URI is the object's s3:// address, or the empty string.
func (r Result) URI() string {
	if r.Key == "" {
		return ""
	}
	return "s3://" + r.Bucket + "/" + r.Key
}

// cliVerdicts are the codes that the AWS CLI counts as valid or INVALID.
var cliVerdicts = []Code{
	CodeValid, CodeInvalidFormat, CodeMoved, CodeUnknownKey, CodeBadKey, CodeBadSignature, CodeBadDigest, CodeMissingDigest,
	CodeHashMismatch, CodeMissingLogFile, CodeTrailingData,
}

// isCLI reports whether the AWS CLI would print r as a verdict on a file.
func (r Result) isCLI() bool {
	if r.Code == CodeTrailingData && r.Subject == SubjectDigest {
		return false // it reads over them
	}
	return r.Key != "" && (r.Subject == SubjectDigest || r.Subject == SubjectLogFile) && slices.Contains(cliVerdicts, r.Code)
}

func hexSum(sum [32]byte) string { return hex.EncodeToString(sum[:]) }

func display(t time.Time) string { return t.UTC().Format(displayLayout) }
