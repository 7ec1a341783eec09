// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

const (
	// awsCLI names a Python that has the AWS CLI to compare with, as .venv/bin/python. Where it is not set, the goldens of
	// the tampering tests and of the oracle still say what the AWS CLI says.
	awsCLI = "SWITCHBACK_AWSCLI"
	// awsCLIs run at once.
	awsCLIs = 2
)

// TestBesideTheAWSCLI runs the AWS CLI and ours over every tampering and compares both streams byte for byte.
func TestBesideTheAWSCLI(t *testing.T) {
	python := os.Getenv(awsCLI)
	if python == "" {
		t.Skipf("set %s to a Python with the AWS CLI to run it beside ours", awsCLI)
	}
	free := make(chan *awsRunner, awsCLIs)
	for range awsCLIs {
		free <- startAWS(t, python)
	}
	for _, tc := range append(allTamperings(), chainTamperings()...) {
		// CLIs before May 2026 do not look at what follows the gzip member of a log file.
		isNewer := strings.HasPrefix(tc.name, "log file with data") || strings.HasPrefix(tc.name, "log file with a second")
		if tc.deviates != "" || isNewer {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			aws := <-free
			defer func() { free <- aws }()
			w, tr := chainOf(6)
			tc.do(w, tr)
			req := requestOf(t, tr)
			got, _ := runText(t, w, req, digest.Options{AWSCompatible: true})
			if diff := cmp.Diff(aws.validate(t, w, req), got); diff != "" {
				t.Errorf("(-AWS CLI +ours):\n%s", diff)
			}
		})
	}
}

// awsRunner runs one command line of the AWS CLI after the other, each in a process of its own. They are forked from one
// that has loaded the AWS CLI, for loading takes longer than running.
type awsRunner struct {
	in      io.Writer
	answers *bufio.Scanner
}

const awsProgram = `
import json, os, sys
from awscli.clidriver import create_clidriver
aws = create_clidriver()
for line in sys.stdin:
    run = json.loads(line)
    child = os.fork()
    if child == 0:
        for stream, path in enumerate(run["Streams"], 1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), stream)
        os.environ["AWS_ENDPOINT_URL"] = run["Endpoint"]
        sys.exit(aws.main(run["Args"]))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
`

func startAWS(t *testing.T, python string) *awsRunner {
	t.Helper()
	cmd := exec.Command(python, "-c", awsProgram) //nolint:noctx // ends with its input
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=none", "AWS_EC2_METADATA_DISABLED=true")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", python, err)
		}
	})
	return &awsRunner{in, bufio.NewScanner(out)}
}

func (a *awsRunner) validate(t *testing.T, w *digesttest.World, req digest.Request) rendered {
	t.Helper()
	server := httptest.NewServer(w.Handler())
	defer server.Close()
	args := []string{
		"cloudtrail", "validate-logs", "--verbose", "--trail-arn", req.Trail.ARN, "--s3-bucket", req.Bucket,
		"--region", req.Trail.HomeRegion, "--start-time", req.Start.Format(time.RFC3339), "--end-time", req.End.Format(time.RFC3339),
	}
	if req.Prefix != "" {
		args = append(args, "--s3-prefix", req.Prefix)
	}
	stdout, stderr := filepath.Join(t.TempDir(), "stdout"), filepath.Join(t.TempDir(), "stderr")
	line, err := json.Marshal(struct {
		Endpoint      string
		Args, Streams []string
	}{server.URL, args, []string{stdout, stderr}})
	check(t, err)
	_, err = fmt.Fprintf(a.in, "%s\n", line)
	check(t, err)
	if !a.answers.Scan() {
		t.Fatalf("the AWS CLI does not answer: %v", a.answers.Err())
	}
	status, err := strconv.Atoi(a.answers.Text())
	check(t, err)
	return rendered{content(t, stdout), content(t, stderr), status}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	return string(data)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
