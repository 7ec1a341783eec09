// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

// oracleCase is expected.json: a run of the AWS CLI, with its output unedited.
type oracleCase struct {
	TrailARN     string   `json:"trail_arn"`
	Bucket       string   `json:"bucket"`
	Prefix       string   `json:"prefix"`
	Start        string   `json:"start"`
	End          string   `json:"end"`
	ExitStatus   int      `json:"rc"`
	Stdout       string   `json:"stdout"`
	Stderr       string   `json:"stderr"`
	DigestsValid []string `json:"digests_valid"`
	LogsValid    []string `json:"logs_valid"`
	Invalid      []string `json:"invalid"`
}

func (c oracleCase) request(t *testing.T) digest.Request {
	t.Helper()
	trail, err := digest.ParseTrailARN(c.TrailARN)
	if err != nil {
		t.Fatal(err)
	}
	return digest.Request{Bucket: c.Bucket, Prefix: c.Prefix, Trail: trail, Start: mustTime(t, c.Start), End: mustTime(t, c.End)}
}

func mustTime(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := digest.ParseTime(text, true)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func oracleCases(t *testing.T) map[string]oracleCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(thirdparty.Path(t, "digest-oracle-dev"), "*", "expected.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no oracle cases: %v", err)
	}
	cases := make(map[string]oracleCase)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c oracleCase
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		cases[filepath.Dir(file)] = c
	}
	return cases
}

// rendered is what a run printed and concluded.
type rendered struct {
	Stdout, Stderr string
	ExitStatus     int
}

func runText(t *testing.T, f digest.Fetcher, req digest.Request, opts digest.Options) (rendered, []digest.Result) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	text := digest.NewText(&stdout, &stderr, digest.Header{Request: req, AWSCompatible: opts.AWSCompatible, Verbose: true})
	var results []digest.Result
	summary, err := digest.Validate(context.Background(), f, req, opts, func(r digest.Result) error {
		results = append(results, r)
		return text.Result(r)
	})
	if closeErr := text.Close(summary, err); closeErr != nil {
		t.Fatal(closeErr)
	}
	if err != nil {
		return rendered{stdout.String(), stderr.String(), 255}, results
	}
	status := summary.ExitStatus()
	if opts.AWSCompatible {
		status = summary.CompatibleExitStatus()
	}
	return rendered{stdout.String(), stderr.String(), status}, results
}

// The AWS CLI's own output is the measure: byte for byte on both streams, and the exit status.
func TestAgreesWithTheAWSCLI(t *testing.T) {
	for dir, c := range oracleCases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			evidence, err := digest.OpenEvidence(os.DirFS(dir), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer evidence.Close()
			got, results := runText(t, evidence, c.request(t), digest.Options{AWSCompatible: true})
			if diff := cmp.Diff(rendered{c.Stdout, c.Stderr, c.ExitStatus}, got); diff != "" {
				t.Errorf("output (-AWS CLI +ours):\n%s", diff)
			}
			var digests, logs []string
			for _, r := range results {
				switch {
				case r.IsValid() && r.Subject == digest.SubjectDigest:
					digests = append(digests, r.URI())
				case r.IsValid():
					logs = append(logs, r.URI())
				}
			}
			if diff := cmp.Diff(c.DigestsValid, digests); diff != "" {
				t.Errorf("valid digest files:\n%s", diff)
			}
			if diff := cmp.Diff(c.LogsValid, logs); diff != "" {
				t.Errorf("valid log files:\n%s", diff)
			}
		})
	}
}

// In our own mode each case keeps the AWS CLI's verdicts on files and adds what is not proven: here every chain starts
// after and ends before the requested range.
func TestFindsMoreThanTheAWSCLI(t *testing.T) {
	for dir, c := range oracleCases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			evidence, err := digest.OpenEvidence(os.DirFS(dir), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer evidence.Close()
			req := c.request(t)
			req.Trail = digest.Trail{}
			got, results := runText(t, evidence, req, digest.Options{Now: req.End.Add(24 * time.Hour)})
			codes := make(map[digest.Code]int)
			for _, r := range results {
				codes[r.Code]++
			}
			if codes[digest.CodeMissingTail] != 1 || codes[digest.CodeMissingHead] != 1 || got.ExitStatus != 1 {
				t.Errorf("exit status %d, results %v\n%s", got.ExitStatus, codes, got.Stderr)
			}
		})
	}
}
