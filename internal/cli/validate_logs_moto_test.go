// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
)

var errNoAWSCLI = errors.New(`no AWS CLI: "make .venv/ready" installs it`)

// findAWSCLI is the command line of the AWS CLI of the project's virtual environment, else of the machine's. Where the
// machine had it first, the virtual environment has the package only, and no script.
func findAWSCLI() ([]string, error) {
	bin := filepath.Join("..", "..", ".venv", "bin")
	for _, command := range [][]string{{filepath.Join(bin, "aws")}, {filepath.Join(bin, "python"), "-m", "awscli"}, {"aws"}} {
		path, err := exec.LookPath(command[0])
		if err == nil && exec.Command(path, append(command[1:], "--version")...).Run() == nil { //nolint:noctx // ends by itself
			return append([]string{path}, command[1:]...), nil
		}
	}
	return nil, errNoAWSCLI
}

func awsCLI(t testing.TB) []string {
	t.Helper()
	command, err := findAWSCLI()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal(err)
	case err != nil:
		t.Skip("skipped: " + err.Error())
	}
	return command
}

// runAWS runs the AWS CLI in the environment that setAWS made.
func runAWS(t testing.TB, command []string, args ...string) printed {
	t.Helper()
	cmd := awsCommand(t, command, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return printed{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// awsCommand is a subcommand of "aws cloudtrail".
func awsCommand(t testing.TB, command []string, args ...string) *exec.Cmd {
	return exec.CommandContext(t.Context(), command[0], slices.Concat(command[1:], []string{"cloudtrail"}, args)...)
}

// upload puts the world's objects into moto's S3.
func (e evidence) upload(t *testing.T, client *s3.Client) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(8)
	for bucket, objects := range e.Buckets {
		_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{
			Bucket: &bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: motoRegion},
		})
		check(t, err)
		for key, o := range objects {
			group.Go(func() error {
				_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(o.Body), Metadata: o.Metadata})
				return err
			})
		}
	}
	check(t, group.Wait())
}

// The AWS CLI and ours run beside each other on moto's S3 and a local endpoint for the keys, which moto lacks: both find
// them by AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL_CLOUDTRAIL. Streams and exit status are equal byte for byte.
func TestValidateLogsBesideTheAWSCLI(t *testing.T) {
	if testing.Short() {
		t.Skip("each run of the AWS CLI takes more than a second")
	}
	command := awsCLI(t)
	for _, tc := range []struct {
		name   string
		tamper func(e evidence)
		status int
	}{
		{"intact", func(evidence) {}, 0},
		{"one log file changed", func(e evidence) {
			e.Edit(e.trail.Logs[3], func(c []byte) []byte { return append(c, ' ') })
		}, 1},
		{"one digest deleted", func(e evidence) { e.Delete(e.trail.Digests[3].Bucket, e.trail.Digests[3].Key) }, 1},
		{"wrong key", func(e evidence) { e.Forge(e.trail.Digests[5], digesttest.KeyB(), nil) }, 1},
		{"key that nobody knows", func(e evidence) {
			e.Keys[e.trail.Region] = nil
			e.AddKey(e.trail.Region, digesttest.KeyB().Public)
		}, 1},
		{"no keys at all", func(e evidence) { e.Keys[e.trail.Region] = nil }, 255},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEvidence()
			tc.tamper(e)
			keys := httptest.NewServer(e.Handler())
			defer keys.Close()
			endpoint := gatetest.StartMoto(t)
			setAWS(t, map[string]string{"AWS_ENDPOINT_URL_S3": endpoint, "AWS_ENDPOINT_URL_CLOUDTRAIL": keys.URL})
			cfg := gatetest.MotoConfig(t, motoAccount, motoRegion)
			creds, err := cfg.Credentials.Retrieve(t.Context())
			check(t, err)
			for name, value := range map[string]string{
				"AWS_ACCESS_KEY_ID": creds.AccessKeyID, "AWS_SECRET_ACCESS_KEY": creds.SecretAccessKey, "AWS_SESSION_TOKEN": creds.SessionToken,
			} {
				t.Setenv(name, value)
			}
			e.upload(t, s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }))
			flags := e.flags("--verbose")
			theirs := runAWS(t, command, append(flags, "--region", e.trail.Region)...)
			ours := runMain(append(flags, "--aws-compatible")...)
			if ours.Status == exitAWSError {
				theirs.Stderr, ours.Stderr = "", "" // what could not be done is said in our words
			}
			if diff := cmp.Diff(theirs, ours); diff != "" || ours.Status != tc.status {
				t.Errorf("exit status %d, want %d (-AWS CLI +ours):\n%s", ours.Status, tc.status, diff)
			}
		})
	}
}
