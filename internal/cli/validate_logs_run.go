// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/internal/objects"
)

// validation is one run of the command.
type validation struct {
	command *validateLogsCommand
	streams *streams
	grammar *grammar
	request digest.Request
	fetcher digest.Fetcher
	before  *digest.Progress
	closers []func() error // the last first
}

// openRecords reads the resume file and makes the evidence folder.
func (v *validation) openRecords() error {
	if path := v.command.Resume; path != "" {
		data, err := os.ReadFile(path)
		if err == nil {
			v.before, err = digest.ParseProgress(data)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return withHint(fmt.Errorf("resume from %s: %w", path, err), "without the file, everything is validated again")
		}
	}
	if v.command.SaveEvidence == "" {
		return nil
	}
	folder, err := objects.CreateEvidence(v.command.SaveEvidence)
	if err != nil {
		return withHint(err, "--save-evidence wants a new or empty folder")
	}
	recorder := digest.NewRecorder(v.fetcher, folder)
	v.fetcher = recorder
	v.closers = append(v.closers, folder.Close, recorder.Close)
	return nil
}

func (v *validation) close() error {
	var failures []error
	for len(v.closers) > 0 {
		last := len(v.closers) - 1
		failures = append(failures, v.closers[last]())
		v.closers = v.closers[:last]
	}
	return errors.Join(failures...)
}

// validate runs, prints as results come, keeps what was proven, and says what it means.
func (v *validation) validate(ctx context.Context) error {
	line := newProgress(v.streams)
	line.isOn = line.isOn && !(v.command.Verbose && v.command.Output == "text")
	renderer := v.renderer()
	began := time.Now()
	options := digest.Options{
		Now: began, AWSCompatible: v.command.AWSCompatible, Resume: v.before,
		OnStats: func(s digest.Stats) { line.say("%s", describeStats(s, time.Since(began))) },
	}
	summary, err := digest.Validate(ctx, v.fetcher, v.request, options, func(r digest.Result) error {
		if !r.IsValid() {
			line.done()
		}
		return renderer.Result(r)
	})
	line.done()
	if renderErr := renderer.Close(summary, err); renderErr != nil {
		return errors.Join(fmt.Errorf("print results: %w", renderErr), err)
	}
	return v.conclude(ctx, summary, err)
}

func (v *validation) renderer() digest.Renderer {
	header := digest.Header{Request: v.request, AWSCompatible: v.command.AWSCompatible, Verbose: v.command.Verbose}
	switch v.command.Output {
	case "json":
		return digest.NewJSON(v.streams.out, header)
	case "sarif":
		return digest.NewSARIF(v.streams.out, header)
	case "junit":
		return digest.NewJUnit(v.streams.out, header)
	}
	return digest.NewText(v.streams.out, v.streams.err, header)
}

// describeStats is the line of progress. The time left goes by the digest files known so far, for they are listed well
// ahead of being read.
func describeStats(s digest.Stats, elapsed time.Duration) string {
	text := fmt.Sprintf("%d of %d digest files, %d log files, %.1f MB/s", s.Digests, max(s.DigestsListed, s.Digests), s.LogFiles,
		float64(s.Bytes)/1e6/max(elapsed.Seconds(), 0.001))
	if s.Scopes > 1 {
		text += fmt.Sprintf(", account and region %d of %d", min(s.ScopesDone+1, s.Scopes), s.Scopes)
	}
	if s.Digests == 0 || s.DigestsListed <= s.Digests || s.Scopes == 0 {
		return text
	}
	left := time.Duration(float64(elapsed) * float64(s.DigestsListed-s.Digests) / float64(s.Digests))
	return text + fmt.Sprintf(", about %s left", left.Round(time.Second))
}

// conclude keeps the progress and maps the outcome to an error.
func (v *validation) conclude(ctx context.Context, summary digest.Summary, err error) error {
	isInterrupted := err != nil && ctx.Err() != nil
	file, saveErr := v.saveProgress(summary.Progress, isInterrupted)
	switch {
	case saveErr != nil:
		return errors.Join(fmt.Errorf("keep what was proven: %w", saveErr), err)
	case isInterrupted && file != "":
		return withHint(errors.New("interrupted; what was proven is kept"), "to go on: %s", v.resumeCommand(file))
	case isInterrupted:
		return errors.New("interrupted")
	case err != nil:
		return withHint(err, "validate-logs needs s3:ListBucket, s3:GetObject, cloudtrail:ListPublicKeys, and kms:Decrypt where files are encrypted")
	}
	return v.verdict(summary)
}

func (v *validation) verdict(summary digest.Summary) error {
	status := summary.ExitStatus()
	if v.command.AWSCompatible {
		status = summary.CompatibleExitStatus()
	}
	switch {
	case status == exitFine:
		return nil
	case status == exitFound:
		return errFound
	case v.command.Local != "":
		return withHint(fmt.Errorf("%d files or folders could not be read; they are not proven", summary.Unreadable),
			"--local proves only what was saved: each UNREADABLE line says what is missing")
	}
	return withHint(fmt.Errorf("%d files or folders could not be read; they are not proven", summary.Unreadable),
		"s3:ListBucket, s3:GetObject, cloudtrail:ListPublicKeys, and kms:Decrypt where files are encrypted; --resume FILE spares what is proven")
}

// saveProgress writes the resume file: the named one, or, after an interruption, one among our state. It returns its
// path, "" when none was written.
func (v *validation) saveProgress(p *digest.Progress, isInterrupted bool) (string, error) {
	path := v.command.Resume
	if path == "" && (!isInterrupted || v.command.AWSCompatible) || p == nil {
		return "", nil
	}
	if path == "" {
		path = v.defaultResumeFile()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return "", err
		}
	}
	data, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return "", err
	}
	return path, objects.WriteFile(path, append(data, '\n'))
}

// defaultResumeFile is one for each bucket, prefix and trail.
func (v *validation) defaultResumeFile() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{v.command.Local, v.request.Bucket, v.request.Prefix, v.request.Trail.ARN}, "\n")))
	dir := firstText(v.grammar.State, filepath.Join(stateHome(), "switchback"))
	return filepath.Join(dir, "validate-logs", hex.EncodeToString(sum[:6])+".json")
}

// resumeCommand is the command line that goes on, ready to be pasted into a shell.
func (v *validation) resumeCommand(file string) string {
	c := v.command
	words := []string{"switchback", "validate-logs"}
	add := func(flag string, values ...string) {
		for _, value := range values {
			if value != "" {
				words = append(words, flag, shellQuote(value))
			}
		}
	}
	add("--trail-arn", c.TrailARN)
	add("--start-time", c.StartTime)
	add("--end-time", c.EndTime)
	add("--s3-bucket", c.S3Bucket)
	add("--s3-prefix", c.S3Prefix)
	add("--account-id", c.AccountID...)
	add("--region", c.Region...)
	add("--local", c.Local)
	add("--public-keys", c.PublicKeys)
	add("--bucket-owner", c.BucketOwner)
	if c.Output != "text" {
		add("--output", c.Output)
	}
	if c.Verbose {
		words = append(words, "--verbose")
	}
	add("--resume", file)
	return strings.Join(words, " ")
}

// shellQuote quotes where a shell would see more than letters.
func shellQuote(word string) string {
	isPlain := !strings.ContainsFunc(word, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,+@%=", r)
	})
	if isPlain {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
