// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

// printed is what a command line left behind.
type printed struct {
	Stdout, Stderr string
	Status         int
}

func runMain(args ...string) printed {
	var out, errs bytes.Buffer
	status := Main(args, strings.NewReader(""), &out, &errs)
	return printed{out.String(), errs.String(), status}
}

// The AWS CLI's own output is the measure: byte for byte on both streams, and the exit status.
func TestValidateLogsAgreesWithTheAWSCLI(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(thirdparty.Path(t, "digest-oracle-dev"), "*", "expected.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			data, err := os.ReadFile(file)
			check(t, err)
			var c struct {
				TrailARN   string `json:"trail_arn"`
				Bucket     string `json:"bucket"`
				Prefix     string `json:"prefix"`
				Start      string `json:"start"`
				End        string `json:"end"`
				ExitStatus int    `json:"rc"`
				Stdout     string `json:"stdout"`
				Stderr     string `json:"stderr"`
			}
			check(t, json.Unmarshal(data, &c))
			args := []string{
				"validate-logs", "--aws-compatible", "--verbose", "--local", filepath.Dir(file), "--trail-arn", c.TrailARN,
				"--s3-bucket", c.Bucket, "--start-time", c.Start, "--end-time", c.End,
			}
			if c.Prefix != "" {
				args = append(args, "--s3-prefix", c.Prefix)
			}
			if diff := cmp.Diff(printed{c.Stdout, c.Stderr, c.ExitStatus}, runMain(args...)); diff != "" {
				t.Errorf("(-AWS CLI +ours):\n%s", diff)
			}
		})
	}
}

// evidence is a world and a trail of six hours in it, and the flags that validate just those.
type evidence struct {
	*digesttest.World
	trail *digesttest.Trail
}

func newEvidence() evidence {
	w := digesttest.NewWorld()
	tr := w.Trail(digesttest.Trail{LogFiles: 2}).Hours(6)
	return evidence{w, tr}
}

func (e evidence) flags(more ...string) []string {
	return append([]string{
		"validate-logs", "--trail-arn", e.trail.ARN(), "--s3-bucket", e.trail.Bucket,
		"--start-time", digesttest.Start.Format(time.RFC3339), "--end-time", e.trail.Now.Format(time.RFC3339),
	}, more...)
}

// save writes the world as --local reads it.
func (e evidence) save(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	type entry struct {
		Bucket   string            `json:"bucket"`
		Key      string            `json:"key"`
		Metadata map[string]string `json:"metadata"`
	}
	var entries []entry
	for bucket, objects := range e.Buckets {
		for key, o := range objects {
			path := filepath.Join(dir, "s3", bucket, filepath.FromSlash(key))
			check(t, os.MkdirAll(filepath.Dir(path), 0o700))
			check(t, os.WriteFile(path, o.Body, 0o600))
			if len(o.Metadata) > 0 {
				entries = append(entries, entry{bucket, key, o.Metadata})
			}
		}
	}
	data, err := json.Marshal(entries)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "s3-metadata.json"), data, 0o600))
	keys, err := digest.FormatPublicKeys(e.Keys[e.trail.Region])
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "public-keys.json"), keys, 0o600))
	return dir
}

// serve makes the world the AWS of this process.
func (e evidence) serve(t testing.TB) {
	t.Helper()
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	setAWS(t, map[string]string{"AWS_ENDPOINT_URL": server.URL})
}

// setAWS leaves the process no AWS but the one given.
func setAWS(t testing.TB, env map[string]string) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "XDG_CONFIG_HOME": t.TempDir(),
		"AWS_PROFILE": "", "AWS_SESSION_TOKEN": "", "AWS_ENDPOINT_URL": "",
	} {
		t.Setenv(name, value) // sets it back, too
		if value == "" {
			check(t, os.Unsetenv(name))
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
}

func notGzip([]byte) []byte { return []byte("hello") }

func notJSON([]byte) []byte { return digesttest.Gzip([]byte("hello")) }

func TestValidateLogsVerdicts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		tamper func(e evidence)
		more   []string
		status int
		stderr string // that must be there; "" is: nothing at all
	}{
		{"intact", func(evidence) {}, nil, 0, ""},
		{"log file changed", func(e evidence) {
			e.Edit(e.trail.Logs[3], func(c []byte) []byte { return append(c, ' ') })
		}, nil, 1, "INVALID: hash value doesn't match"},
		{"log file removed", func(e evidence) { e.Delete(e.trail.Logs[3].Bucket, e.trail.Logs[3].Key) }, nil, 1, "INVALID: not found"},
		{"log file is not gzip", func(e evidence) { e.Store(e.trail.Logs[3], notGzip) }, nil, 1, "INVALID: invalid format"},
		{"digest is not gzip", func(e evidence) { e.Store(e.trail.Digests[3], notGzip) }, nil, 1, "INVALID: invalid format"},
		{"digest is not JSON", func(e evidence) { e.Store(e.trail.Digests[3], notJSON) }, nil, 1, "INVALID: invalid format"},
		{"signature in upper case", func(e evidence) {
			e.Meta(e.trail.Digests[3], func(m map[string]string) { m["signature"] = strings.ToUpper(m["signature"]) })
		}, nil, 0, "NOTE: "},
		{"newest digest deleted", func(e evidence) { e.Delete(e.trail.Digests[5].Bucket, e.trail.Digests[5].Key) }, nil, 1, "(missing-tail)"},
		{"oldest digest deleted", func(e evidence) { e.Delete(e.trail.Digests[0].Bucket, e.trail.Digests[0].Key) }, nil, 1, "INVALID: not found"},
		{"log file slipped in", func(e evidence) { e.trail.PutLog(digesttest.Start.Add(90 * time.Minute)) }, nil, 1, "(unlisted-log-file)"},
		{"unknown fingerprint", func(e evidence) { e.Keys[e.trail.Region] = nil; e.AddKey(e.trail.Region, digesttest.KeyB().Public) }, nil, 1,
			"INVALID: public key not found in region eu-west-1 for fingerprint"},
		{"empty range", func(evidence) {}, []string{"--end-time", "2026-05-01T01:00:00Z", "--start-time", "2026-05-01"}, 1, "(nothing-found)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEvidence()
			tc.tamper(e)
			dir := e.save(t)
			got := runMain(e.flags(append(tc.more, "--local", dir)...)...)
			if got.Status != tc.status || !strings.Contains(got.Stderr, tc.stderr) || tc.stderr == "" && got.Stderr != "" {
				t.Errorf("exit status %d, want %d and %q:\n%s%s", got.Status, tc.status, tc.stderr, got.Stdout, got.Stderr)
			}
			e.serve(t)
			live := runMain(e.flags(tc.more...)...)
			if diff := cmp.Diff(got, live); diff != "" {
				t.Errorf("(-saved +live):\n%s", diff)
			}
		})
	}
}

func TestValidateLogsKeysThatAreLong(t *testing.T) {
	w := digesttest.NewWorld()
	e := evidence{w, w.Trail(digesttest.Trail{LogFiles: 1, Key: digesttest.Key4096()}).Hours(2)}
	if got := runMain(e.flags("--local", e.save(t))...); got.Status != 0 {
		t.Errorf("exit status %d:\n%s", got.Status, got.Stderr)
	}
}

// What cannot be read is named, never called valid, and the rest goes on.
func TestValidateLogsUnreadable(t *testing.T) {
	denied := errors.New("denied")
	for _, tc := range []struct {
		name   string
		change func(e evidence)
		stderr []string
		valid  string
	}{
		{"no permission on one prefix", func(e evidence) {
			e.Fail = func(op, _, key string) error {
				if op == "list" && strings.Contains(key, "444455556666/CloudTrail-Digest/") {
					return denied
				}
				return nil
			}
		}, []string{"444455556666", "UNREADABLE", "AccessDenied", "could not be read", "hint: s3:ListBucket"}, "6/6 digest files valid"},
		{"no permission on one object", func(e evidence) {
			e.Fail = func(op, _, key string) error {
				if op == "get" && key == e.trail.Logs[2].Key {
					return denied
				}
				return nil
			}
		}, []string{"UNREADABLE", "1 files or folders could not be read"}, "log files valid"},
		{"no permission for the keys", func(e evidence) {
			e.Fail = func(op, _, _ string) error {
				if op == "keys" {
					return denied
				}
				return nil
			}
		}, []string{"no digest file can be verified", "AccessDeniedException", "hint:"}, "No digests found"},
		{"the bucket vanished", func(e evidence) { delete(e.Buckets, e.trail.Bucket) }, []string{"UNREADABLE", "could not be read"}, "No digests found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEvidence()
			e.World.Trail(digesttest.Trail{Account: "444455556666", LogFiles: 1}).Hours(6)
			tc.change(e)
			e.serve(t)
			got := runMain(e.flags()...)
			for _, want := range tc.stderr {
				if !strings.Contains(got.Stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, got.Stderr)
				}
			}
			if got.Status != 2 || !strings.Contains(got.Stdout, tc.valid) {
				t.Errorf("exit status %d, want 2 and %q:\n%s%s", got.Status, tc.valid, got.Stdout, got.Stderr)
			}
			if got := runMain(e.flags("--aws-compatible")...); strings.HasPrefix(tc.name, "no permission for") && got.Status != 255 {
				t.Errorf("compatible: exit status %d, want 255", got.Status)
			}
		})
	}
}

// Without a trail everything in the bucket is validated; with the AWS CLI's scope only the trail's account and region.
func TestValidateLogsFindsAccountsAndRegions(t *testing.T) {
	e := newEvidence()
	e.World.Trail(digesttest.Trail{Account: "444455556666", LogFiles: 1}).Hours(6)
	e.World.Trail(digesttest.Trail{Region: "ap-southeast-2", HomeRegion: "eu-west-1", LogFiles: 1}).Hours(6)
	e.World.Trail(digesttest.Trail{Organization: "o-abcdefghij", Account: "444455556666", LogFiles: 1}).Hours(6)
	dir := e.save(t)
	flags := []string{"validate-logs", "--local", dir, "--start-time", digesttest.Start.Format(time.RFC3339), "--end-time", e.trail.Now.Format(time.RFC3339)}
	all := runMain(flags...)
	if all.Status != 0 || !strings.Contains(all.Stdout, "24/24 digest files valid") || !strings.Contains(all.Stdout, "Accounts and regions: 4, trails: 4") {
		t.Errorf("exit status %d:\n%s%s", all.Status, all.Stdout, all.Stderr)
	}
	one := runMain(append(flags, "--account-id", "444455556666", "--region", "eu-west-1")...)
	if !strings.Contains(one.Stdout, "12/12 digest files valid") {
		t.Errorf("one account:\n%s%s", one.Stdout, one.Stderr)
	}
	compatible := runMain(e.flags("--local", dir, "--aws-compatible")...)
	if !strings.Contains(compatible.Stdout, "6/6 digest files valid") || strings.Contains(compatible.Stdout, "Accounts") {
		t.Errorf("compatible:\n%s%s", compatible.Stdout, compatible.Stderr)
	}
}

// The formats for programs are well formed and agree about the verdict.
func TestValidateLogsFormats(t *testing.T) {
	e := newEvidence()
	e.Edit(e.trail.Logs[3], func(c []byte) []byte { return append(c, ' ') })
	dir := e.save(t)
	for _, tc := range []struct {
		format string
		parse  func(text string) (string, error)
	}{
		{"json", func(text string) (string, error) {
			var v struct {
				Results []digest.Result
				Summary struct {
					ExitStatus int `json:"exit_status"`
				}
			}
			err := json.Unmarshal([]byte(text), &v)
			if len(v.Results) != 1 || v.Summary.ExitStatus != 1 {
				return "", errors.Join(err, errors.New(text))
			}
			return string(v.Results[0].Code), err
		}},
		{"sarif", func(text string) (string, error) {
			var v struct {
				Runs []struct {
					Results []struct{ RuleID string }
				}
			}
			err := json.Unmarshal([]byte(text), &v)
			if len(v.Runs) != 1 || len(v.Runs[0].Results) != 1 {
				return "", errors.Join(err, errors.New(text))
			}
			return v.Runs[0].Results[0].RuleID, err
		}},
		{"junit", func(text string) (string, error) {
			var v struct {
				Suites []struct {
					Cases []struct {
						Failure *struct {
							Type string `xml:"type,attr"`
						} `xml:"failure"`
					} `xml:"testcase"`
				} `xml:"testsuite"`
			}
			err := xml.Unmarshal([]byte(text), &v)
			for _, suite := range v.Suites {
				for _, c := range suite.Cases {
					if c.Failure != nil {
						return c.Failure.Type, err
					}
				}
			}
			return "", errors.Join(err, errors.New(text))
		}},
	} {
		got := runMain(e.flags("--local", dir, "--output", tc.format)...)
		code, err := tc.parse(got.Stdout)
		if err != nil || code != string(digest.CodeHashMismatch) || got.Status != 1 || got.Stderr != "" {
			t.Errorf("%s: exit status %d, code %q, %v\n%s", tc.format, got.Status, code, err, got.Stderr)
		}
	}
}

// What is saved from live S3 proves the same without a network.
func TestValidateLogsSavesEvidence(t *testing.T) {
	e := newEvidence()
	e.Edit(e.trail.Logs[3], func(c []byte) []byte { return append(c, ' ') })
	e.serve(t)
	dir := filepath.Join(t.TempDir(), "evidence")
	live := runMain(e.flags("--verbose", "--save-evidence", dir)...)
	if live.Status != 1 {
		t.Fatalf("exit status %d:\n%s", live.Status, live.Stderr)
	}
	e.Fail = func(string, string, string) error { return errors.New("the network is gone") }
	if diff := cmp.Diff(live, runMain(e.flags("--verbose", "--local", dir)...)); diff != "" {
		t.Errorf("(-live +saved):\n%s", diff)
	}
	if again := runMain(e.flags("--save-evidence", dir)...); again.Status != 2 || !strings.Contains(again.Stderr, "not empty") {
		t.Errorf("into a full folder: exit status %d\n%s", again.Status, again.Stderr)
	}
}

// A second run with the resume file reads the new log files only.
func TestValidateLogsResumes(t *testing.T) {
	e := newEvidence()
	var read atomic.Int32
	e.Fail = func(op, _, key string) error {
		if op == "get" && strings.Contains(key, "/CloudTrail/") {
			read.Add(1)
		}
		return nil
	}
	e.serve(t)
	file := filepath.Join(t.TempDir(), "proven.json")
	first := runMain(e.flags("--resume", file)...)
	e.trail.Hours(1)
	all := read.Swap(0)
	second := runMain(e.flags("--resume", file, "--verbose")...)
	if first.Status != 0 || second.Status != 0 || all != 12 || read.Load() != 2 {
		t.Errorf("exit statuses %d and %d, %d and %d log files read, want 12 and 2\n%s", first.Status, second.Status, all, read.Load(), second.Stderr)
	}
	if !strings.Contains(second.Stderr, "proven before: 6 digest files, 12 log files") {
		t.Errorf("stderr:\n%s", second.Stderr)
	}
	check(t, os.WriteFile(file, []byte(`{"version":9}`), 0o600))
	if got := runMain(e.flags("--resume", file)...); got.Status != 2 || !strings.Contains(got.Stderr, "version 9") {
		t.Errorf("foreign file: exit status %d\n%s", got.Status, got.Stderr)
	}
}

// An interrupted run says what it proved, and how to go on; going on leads to the same verdict.
func TestValidateLogsInterrupted(t *testing.T) {
	e := newEvidence()
	e.trail.Hours(200)
	dir, stateDir := e.save(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var errs bytes.Buffer
	out := &cancelling{after: 40, cancel: cancel}
	c := validateLogsCommand{
		TrailARN: e.trail.ARN(), S3Bucket: e.trail.Bucket, StartTime: digesttest.Start.Format(time.RFC3339),
		EndTime: e.trail.Now.Format(time.RFC3339), Local: dir, Output: "json", Verbose: true,
	}
	s := &streams{in: strings.NewReader(""), out: out, err: &errs}
	if status := conclude(s, c.Run(ctx, s, &grammar{State: stateDir})); status != 2 {
		t.Errorf("exit status %d", status)
	}
	m := regexp.MustCompile(`hint: to go on: switchback (validate-logs .*)\n`).FindStringSubmatch(errs.String())
	if m == nil {
		t.Fatalf("no command to go on:\n%s", errs.String())
	}
	got := runMain(strings.Fields(m[1])...)
	if got.Status != 0 || !strings.Contains(got.Stdout, `"code":"resumed"`) {
		t.Errorf("going on: exit status %d\n%s%.2000s", got.Status, got.Stderr, got.Stdout)
	}
}

// cancelling is a standard output whose reader presses Ctrl-C.
type cancelling struct {
	bytes.Buffer
	after  int
	cancel func()
}

func (c *cancelling) Write(p []byte) (int, error) {
	c.after -= bytes.Count(p, []byte("\n"))
	if c.after <= 0 {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

func TestDescribeStats(t *testing.T) {
	for _, tc := range []struct {
		stats digest.Stats
		want  string
	}{
		{digest.Stats{Scopes: 1}, "0 of 0 digest files, 0 log files, 0.0 MB/s"},
		{digest.Stats{Scopes: 1, DigestsListed: 100, Digests: 25, LogFiles: 300, Bytes: 50e6}, "25 of 100 digest files, 300 log files, 5.0 MB/s, about 30s left"},
		{digest.Stats{Scopes: 3, ScopesDone: 1, DigestsListed: 20, Digests: 20, LogFiles: 5}, "20 of 20 digest files, 5 log files, 0.0 MB/s, account and region 2 of 3"},
	} {
		if got := describeStats(tc.stats, 10*time.Second); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	for word, want := range map[string]string{"a-b_c/d.e:f": "a-b_c/d.e:f", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'"} {
		if got := shellQuote(word); got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
}

var _ io.Writer = (*cancelling)(nil)
