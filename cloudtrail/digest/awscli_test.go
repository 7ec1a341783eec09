// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// awsCLI names the "aws" to compare with. It is asked for by name because each run of it takes a second.
const awsCLI = "SWITCHBACK_AWSCLI"

// TestBesideTheAWSCLI runs the AWS CLI and ours over every tampering and compares both streams byte for byte.
func TestBesideTheAWSCLI(t *testing.T) {
	aws := os.Getenv(awsCLI)
	if aws == "" {
		t.Skipf("set %s to an aws command to run it beside ours", awsCLI)
	}
	for _, tc := range append(allTamperings(), chainTamperings()...) {
		// CLIs before May 2026 do not look at what follows the gzip member of a log file.
		isNewer := strings.HasPrefix(tc.name, "log file with data") || strings.HasPrefix(tc.name, "log file with a second")
		if tc.deviates != "" || isNewer {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			w, tr := chainOf(6)
			tc.do(w, tr)
			req := requestOf(t, tr)
			got, _ := runText(t, w, req, digest.Options{AWSCompatible: true})
			if diff := cmp.Diff(runAWS(t, aws, w, req), got); diff != "" {
				t.Errorf("(-AWS CLI +ours):\n%s", diff)
			}
		})
	}
}

func runAWS(t *testing.T, aws string, w *digesttest.World, req digest.Request) rendered {
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
	cmd := exec.Command(aws, args...) //nolint:noctx // ends by itself
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+server.URL, "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY=none", "AWS_EC2_METADATA_DISABLED=true")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return rendered{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
