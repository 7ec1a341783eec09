// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// fault is why a digest file proves nothing.
type fault struct {
	code   Code
	detail string // the AWS CLI's text where it has one
	err    error  // of CodeUnreadable
}

// judge verifies a digest file, in the order of the AWS CLI.
func (c *chain) judge(ctx context.Context, key string, d *loaded) (*File, *fault) {
	switch {
	case errors.Is(d.readErr, ErrNotFound):
		return nil, &fault{CodeMissingDigest, "not found", nil}
	case d.readErr != nil:
		return nil, &fault{CodeUnreadable, "cannot be read: " + d.readErr.Error(), d.readErr}
	case d.formatErr != nil:
		return nil, &fault{CodeInvalidFormat, "invalid format", nil}
	}
	meta, metaErr := ParseMetadata(d.meta, isBackfillKey(key))
	if errors.Is(metaErr, errNoSignature) {
		copied, ok := c.copiedSignature()
		if !ok {
			return nil, badSignature
		}
		meta.Signature = copied
	}
	if errors.Is(metaErr, errNoGeneration) {
		return nil, &fault{CodeInvalidFormat, "invalid format", nil}
	}
	file, err := newFile(d.fields)
	if err != nil {
		return nil, &fault{CodeInvalidFormat, "invalid format", nil}
	}
	if file.Bucket != c.place.Bucket || file.Object != key {
		return nil, &fault{CodeMoved, "has been moved from its original location", nil}
	}
	if f := c.verify(ctx, file, d, meta, metaErr); f != nil {
		return nil, f
	}
	if _, _, err := file.Window(); err != nil {
		return nil, &fault{CodeBadDigest, err.Error(), nil}
	}
	return file, nil
}

var badSignature = &fault{CodeBadSignature, errSignature.Error(), nil}

// copiedSignature is the signature that the successor keeps of the digest file before it. Objects that were copied or
// downloaded lost their metadata; with this copy, only the newest one needs them.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
func (c *chain) copiedSignature() (string, bool) {
	if c.run.opts.AWSCompatible || c.successor == nil || c.successor.previous.Signature == "" {
		return "", false
	}
	return c.successor.previous.Signature, true
}

func (c *chain) verify(ctx context.Context, file *File, d *loaded, meta Metadata, metaErr error) *fault {
	key, ok := c.ring.find(file.Fingerprint)
	if !ok && c.scope.Backfill {
		if f := c.loadBackfillKeys(ctx, meta.GeneratedAt, metaErr); f != nil {
			return f
		}
		key, ok = c.ring.find(file.Fingerprint)
	}
	if !ok {
		// The home region, although the keys are those of the region validated: scripts look for the AWS CLI's text.
		return &fault{CodeUnknownKey, fmt.Sprintf("public key not found in region %s for fingerprint %.64s", c.scope.HomeRegion, file.Fingerprint), nil}
	}
	if key.err != nil {
		return &fault{CodeBadKey, fmt.Sprintf("Unable to load PKCS #1 key with fingerprint %.64s", file.Fingerprint), nil}
	}
	err := verify(key.rsa, file, d.sum, meta.Signature)
	switch {
	case errors.Is(err, errSignature):
		return badSignature
	case err != nil:
		return &fault{CodeBadDigest, err.Error(), nil}
	}
	return nil
}

// loadBackfillKeys gets the keys of the time at which a backfill digest file was written, long after its hour.
func (c *chain) loadBackfillKeys(ctx context.Context, generated time.Time, metaErr error) *fault {
	if generated.IsZero() {
		if metaErr == nil {
			return nil
		}
		return &fault{CodeBadDigest, metaErr.Error(), nil}
	}
	from, to := generated.Add(-digestHour), generated.Add(digestHour)
	n, err := c.ring.load(ctx, c.run.access, from, to)
	if err != nil {
		return &fault{CodeUnreadable, "cannot be verified: " + err.Error(), err}
	}
	if n == 0 && c.run.opts.AWSCompatible {
		return &fault{CodeBadDigest, noKeysError(from, to).Error(), nil}
	}
	return nil
}

// oddities are the findings about a digest file whose signature holds.
func (c *chain) oddities(key string, d *loaded, file *File, start, end time.Time) []Result {
	var found []Result
	add := func(code Code, severity Severity, format string, args ...any) {
		found = append(found, c.finding(key, code, severity, fmt.Sprintf(format, args...)))
	}
	signature, isSigned := d.meta[metaSignature]
	algorithm, isNamed := d.meta[metaAlgorithm]
	switch {
	case !isSigned || !isNamed:
		add(CodeSignatureMissing, SeverityWarning, "the object's metadata lost its signature; the copy in the next digest file proves it")
	case algorithm != SignatureAlgorithm:
		add(CodeWrongAlgorithm, SeverityWarning, "metadata says signature-algorithm %.64q, want %s", algorithm, SignatureAlgorithm)
	case signature != strings.ToLower(signature):
		add(CodeSignatureFormat, SeverityNote, "the signature in the metadata is in upper case: CloudTrail did not write it so")
	}
	if file.SignatureAlgorithm != "" && file.SignatureAlgorithm != SignatureAlgorithm {
		add(CodeWrongAlgorithm, SeverityWarning, "the file says digestSignatureAlgorithm %.64q, want %s", file.SignatureAlgorithm, SignatureAlgorithm)
	}
	if d.trailing {
		add(CodeTrailingData, SeverityError, "unexpected data after end of compressed stream")
	}
	if file.AccountID != "" && file.AccountID != c.scope.Account {
		add(CodeWrongAccount, SeverityError, "the file says account %.64q, its key says %s", file.AccountID, c.scope.Account)
	}
	if length := end.Sub(start); length > digestHour+time.Minute || length < 0 {
		add(CodeDiscontinuity, SeverityWarning, "it covers %s, want an hour at most", length)
	}
	c.compareWithSuccessor(d, end, add)
	return found
}

// compareWithSuccessor checks the links that the AWS CLI does not: by hash, by signature, by time.
func (c *chain) compareWithSuccessor(d *loaded, end time.Time, add func(Code, Severity, string, ...any)) {
	s := c.successor
	if s == nil {
		return
	}
	if !strings.EqualFold(s.previous.Hash, hexSum(d.sum)) {
		add(CodeChainHash, SeverityError, "its content has the SHA-256 hash %s, the next digest file says %.64q", hexSum(d.sum), s.previous.Hash)
	}
	signature, ok := d.meta[metaSignature]
	if ok && !strings.EqualFold(s.previous.Signature, signature) {
		add(CodeChainSignature, SeverityError, "its signature is not the one that the next digest file holds")
	}
	if !end.Equal(s.start) && !c.scope.Backfill {
		add(CodeDiscontinuity, SeverityWarning, "it ends at %s, the next digest file starts at %s", display(end), display(s.start))
	}
}

// checkEnds reports what is missing before and after the chain.
func (c *chain) checkEnds(ctx context.Context) error {
	if c.newestEnd.IsZero() {
		r := nothingFound(c.scope, fmt.Sprintf("no valid digest file between %s and %s", display(c.run.req.Start), display(c.run.req.End)))
		r.From, r.To = c.run.req.Start, c.run.req.End
		return c.report(ctx, r)
	}
	if until := c.run.expectedEnd(); c.newestEnd.Before(until) {
		r := c.finding("", CodeMissingTail, SeverityError, fmt.Sprintf(
			"the newest valid digest file ends at %s: nothing is proven until %s", display(c.newestEnd), display(until)))
		r.From, r.To, r.Count = c.newestEnd, until, holeCount(c.newestEnd, until)
		if err := c.report(ctx, r); err != nil {
			return err
		}
	}
	if !c.isExhausted || !c.lastStart.After(c.run.req.Start) {
		return nil
	}
	return c.report(ctx, c.missingHead())
}

// expectedEnd is the time that the newest digest file must reach.
func (r *run) expectedEnd() time.Time {
	until := r.req.End
	if now := r.opts.Now; !now.IsZero() && now.Add(-settleTime).Before(until) {
		until = now.Add(-settleTime).UTC()
	}
	return until
}

func (c *chain) missingHead() Result {
	from := c.run.req.Start
	r := c.finding("", CodeMissingHead, SeverityError, fmt.Sprintf(
		"the digest files between %s and %s are gone: the oldest one left names one before it", display(from), display(c.lastStart)))
	if c.isStarting {
		r.Severity = SeverityWarning
		r.Detail = fmt.Sprintf("the chain starts at %s: nothing proves what was delivered from %s until then", display(c.lastStart), display(from))
		c.group.spans = append(c.group.spans, span{from, c.lastStart, true})
	}
	r.From, r.To, r.Count = from, c.lastStart, holeCount(from, c.lastStart)
	return r
}
