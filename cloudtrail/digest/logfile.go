// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"errors"
	"fmt"
)

// logFiles has the log files of a valid digest file checked in parallel; their results come in the order of the list.
func (c *chain) logFiles(ctx context.Context, key string, files []LogFile) error {
	for _, file := range files {
		if !c.run.opts.AWSCompatible {
			c.group.listed.add(file)
		}
		if c.isQuiet {
			continue
		}
		if !c.scope.ownsLog(file.Object) {
			detail := "a digest file of " + c.scope.String() + " lists it: " + key
			r := Result{
				Scope: c.scope, Subject: SubjectLogFile, Code: CodeForeignLogFile, Severity: SeverityWarning,
				Bucket: file.Bucket, Key: file.Object, Detail: detail,
			}
			if err := c.report(ctx, r); err != nil {
				return err
			}
		}
		stream := make(chan Result, 2) // a verdict and one finding: the check never waits for the reader
		if err := c.group.putItem(ctx, item{stream: stream}); err != nil {
			return err
		}
		err := c.run.check(ctx, func() {
			defer close(stream)
			c.run.checkLogFile(ctx, c.scope, file, stream)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checkLogFile reads one log file and sends the verdict.
func (r *run) checkLogFile(ctx context.Context, s Scope, file LogFile, results chan<- Result) {
	result := Result{
		Scope: s, Subject: SubjectLogFile, Code: CodeValid, Severity: SeverityNone, Bucket: file.Bucket, Key: file.Object,
	}
	fail := func(code Code, detail string) {
		result.Code, result.Severity, result.Detail = code, SeverityError, detail
	}
	if file.HashAlgorithm != HashAlgorithm && !r.opts.AWSCompatible {
		fail(CodeUnknownHash, fmt.Sprintf("the digest file names the hash algorithm %.64q, want %s", file.HashAlgorithm, HashAlgorithm))
		results <- result
		return
	}
	var got inflated
	err := r.access.get(ctx, file.Bucket, file.Object, func(o *Object) (err error) {
		got, err = inflate(o.Body, nil, r.opts.MaxInflated)
		return err
	})
	result.Bytes = got.stored
	isIntact := hexSum(got.sum) == file.Hash
	switch {
	case errors.Is(err, ErrNotFound):
		fail(CodeMissingLogFile, "not found")
	case errors.Is(err, errFormat):
		fail(CodeInvalidFormat, "invalid format")
	case err != nil:
		fail(CodeUnreadable, "cannot be read: "+err.Error())
		result.err = err
	case !isIntact:
		fail(CodeHashMismatch, "hash value doesn't match")
		result.SHA256 = hexSum(got.sum)
	case got.trailing:
		fail(CodeTrailingData, "unexpected data after end of compressed stream")
	default:
		result.SHA256 = file.Hash
	}
	results <- result
	if result.IsValid() && got.truncated && !r.opts.AWSCompatible {
		result.Code, result.Severity, result.Bytes = CodeTruncated, SeverityWarning, 0
		result.Detail = "the gzip stream lacks its end; the content is complete and matches"
		results <- result
	}
}
