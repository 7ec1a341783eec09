// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// renderedResults are one of each shape, with keys as an attacker would choose them.
func renderedResults() []digest.Result {
	at := func(hour int) time.Time { return time.Date(2026, 5, 4, hour, 17, 28, 0, time.UTC) }
	scope := digest.Scope{Bucket: "logs", Account: "111122223333", Region: "eu-west-1", Trail: "main", HomeRegion: "eu-west-1"}
	group := digest.Scope{Bucket: "logs", Account: "111122223333", Region: "eu-west-1"}
	backfill := scope
	backfill.Backfill = true
	const evil = "AWSLogs/111122223333/CloudTrail/eu-west-1/\x1b[2J\u202e<script>\tx&y.json.gz"
	return []digest.Result{
		{Scope: scope, Subject: digest.SubjectDigest, Code: digest.CodeValid, Severity: digest.SeverityNone, Bucket: "logs", Key: "d5", From: at(4), To: at(5), Count: 1, Bytes: 900, SHA256: "ab"},
		{Scope: scope, Subject: digest.SubjectLogFile, Code: digest.CodeValid, Severity: digest.SeverityNone, Bucket: "logs", Key: "l1", Bytes: 100, SHA256: "cd"},
		{Scope: scope, Subject: digest.SubjectLogFile, Code: digest.CodeHashMismatch, Severity: digest.SeverityError, Bucket: "logs", Key: evil, Detail: "hash value doesn't match"},
		{Scope: scope, Subject: digest.SubjectDigest, Code: digest.CodeMissingDigest, Severity: digest.SeverityError, Bucket: "logs", Key: "d4", Detail: "not found", From: at(1), To: at(4), Count: 3},
		{Scope: scope, Subject: digest.SubjectChain, Code: digest.CodeGap, Severity: digest.SeverityWarning, Detail: "off", From: at(0), To: at(1)},
		{Scope: backfill, Subject: digest.SubjectDigest, Code: digest.CodeInvalidFormat, Severity: digest.SeverityError, Bucket: "logs", Key: "d3_backfill.json.gz", Detail: "invalid format"},
		{Scope: group, Subject: digest.SubjectLogFile, Code: digest.CodeUnlistedLogFile, Severity: digest.SeverityError, Bucket: "logs", Key: "l9", Detail: "no digest file lists it"},
		{Scope: group, Subject: digest.SubjectChain, Code: digest.CodeUnreadable, Severity: digest.SeverityError, Detail: "list s3://logs/: access denied"},
		{Scope: scope, Subject: digest.SubjectChain, Code: digest.CodeResumed, Severity: digest.SeverityNote, Detail: "proven before", From: at(0), To: at(1), Count: 1},
	}
}

func renderedSummary() digest.Summary {
	at := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	return digest.Summary{
		Start: at, End: at.Add(6 * time.Hour), From: at.Add(time.Hour), To: at.Add(5 * time.Hour), Scopes: 1, Trails: 1,
		Digests: digest.Ratio{Valid: 1, Invalid: 1}, Backfill: digest.Ratio{Invalid: 1}, LogFiles: digest.Ratio{Valid: 1, Invalid: 1},
		MissingDigests: 3, Unlisted: 1, Notes: 1, Warnings: 1, Errors: 1, Unreadable: 1, Bytes: 1000,
	}
}

var renderers = map[string]func(out io.Writer, h digest.Header) digest.Renderer{
	"text":  func(out io.Writer, h digest.Header) digest.Renderer { return digest.NewText(out, out, h) },
	"json":  func(out io.Writer, h digest.Header) digest.Renderer { return digest.NewJSON(out, h) },
	"sarif": func(out io.Writer, h digest.Header) digest.Renderer { return digest.NewSARIF(out, h) },
	"junit": func(out io.Writer, h digest.Header) digest.Renderer { return digest.NewJUnit(out, h) },
}

func TestRenderers(t *testing.T) {
	req := digest.Request{Bucket: "logs", Start: renderedSummary().Start, End: renderedSummary().End}
	for name, open := range renderers {
		var terse, verbose bytes.Buffer
		for out, isVerbose := range map[*bytes.Buffer]bool{&terse: false, &verbose: true} {
			r := open(out, digest.Header{Request: req, Verbose: isVerbose})
			for _, result := range renderedResults() {
				if err := r.Result(result); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Close(renderedSummary(), nil); err != nil {
				t.Fatal(err)
			}
		}
		golden(t, name+".golden", verbose.Bytes())
		if terse.Len() > verbose.Len() || name != "junit" && terse.Len() == verbose.Len() {
			t.Errorf("%s: verbose output adds nothing", name)
		}
		switch {
		case name == "junit" && xml.Unmarshal(verbose.Bytes(), new(struct{})) != nil:
			t.Errorf("%s is not XML", name)
		case (name == "json" || name == "sarif") && !json.Valid(verbose.Bytes()):
			t.Errorf("%s is not JSON", name)
		}
		if bytes.ContainsAny(verbose.Bytes(), "\x1b") || name == "text" && bytes.ContainsRune(verbose.Bytes(), '\u202e') {
			t.Errorf("%s: a key's control characters reach the terminal", name)
		}
	}
}

// Every code that a test provokes is a rule of the SARIF log.
func TestSARIFKnowsEveryCode(t *testing.T) {
	var out bytes.Buffer
	if err := digest.NewSARIF(&out, digest.Header{}).Close(digest.Summary{}, nil); err != nil {
		t.Fatal(err)
	}
	for _, tc := range append(allTamperings(), chainTamperings()...) {
		for _, code := range tc.found {
			if !bytes.Contains(out.Bytes(), []byte(`{"id":"`+code+`"`)) {
				t.Errorf("%s is no rule", code)
			}
		}
	}
}

// A run without results renders too.
func TestRenderersOfNothing(t *testing.T) {
	var out bytes.Buffer
	text := digest.NewText(&out, &out, digest.Header{AWSCompatible: true, Request: digest.Request{
		Bucket: "logs", Trail: digest.Trail{ARN: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"},
		Start: renderedSummary().Start, End: renderedSummary().End,
	}})
	if err := text.Close(digest.Summary{Start: renderedSummary().Start, End: renderedSummary().End}, nil); err != nil {
		t.Fatal(err)
	}
	want := "Validating log files for trail arn:aws:cloudtrail:eu-west-1:111122223333:trail/main between 2026-05-04T00:00:00Z and 2026-05-04T06:00:00Z\n\n" +
		"Results requested for 2026-05-04T00:00:00Z to 2026-05-04T06:00:00Z\nNo digests found\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	for _, r := range []digest.Renderer{digest.NewJSON(&out, digest.Header{}), digest.NewSARIF(&out, digest.Header{})} {
		out.Reset()
		if err := r.Close(digest.Summary{}, nil); err != nil || !json.Valid(out.Bytes()) {
			t.Errorf("%T: %v, %s", r, err, out.Bytes())
		}
	}
}

// An interrupted run says so, and what was reported before stands.
func TestRenderersOfAnInterruptedRun(t *testing.T) {
	for name, open := range renderers {
		var out bytes.Buffer
		r := open(&out, digest.Header{})
		if err := r.Result(renderedResults()[2]); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(renderedSummary(), context.Canceled); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(out.Bytes(), []byte("hash value doesn")) || name != "text" && !bytes.Contains(out.Bytes(), []byte(context.Canceled.Error())) {
			t.Errorf("%s:\n%s", name, out.Bytes())
		}
	}
	var out bytes.Buffer
	text := digest.NewText(&out, &out, digest.Header{AWSCompatible: true})
	if err := text.Close(renderedSummary(), context.Canceled); err != nil || bytes.Contains(out.Bytes(), []byte("Results")) {
		t.Errorf("the AWS CLI prints no summary then: %v\n%s", err, out.Bytes())
	}
}

// full is a disk without room.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestRenderersReportFailedWrites(t *testing.T) {
	for _, r := range []digest.Renderer{
		digest.NewText(full{}, full{}, digest.Header{}), digest.NewJSON(full{}, digest.Header{}),
		digest.NewSARIF(full{}, digest.Header{}), digest.NewJUnit(full{}, digest.Header{}),
	} {
		if err := r.Close(digest.Summary{}, nil); !errors.Is(err, errFull) {
			t.Errorf("%T: %v", r, err)
		}
	}
}
