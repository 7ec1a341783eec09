// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/switchback-project/switchback/internal/arn"
)

//go:embed launcher.py
var launcher string

// moto is the one server of this test binary.
var moto struct {
	sync.Once
	endpoint string
	err      error
	process  *exec.Cmd
	stdin    io.Closer
}

// errNoMoto means that there is no Python that could run moto.
var errNoMoto = errors.New(`moto is not there: "make .venv" installs moto[server] 5.x`)

// StartMoto starts moto, once for the whole test binary, empties it, and returns its endpoint. Without moto the test is
// skipped with the reason, and fails where CI=true.
//
// The tests of one binary share the server, so tests that use it MUST NOT run in parallel. It ends with the binary, even
// if that is killed; call [Main] from TestMain to end it in order. The environment's MOTO_LAMBDA_URL, when the first test
// starts it, says where Lambda functions are really invoked: POST URL/2015-03-31/functions/NAME/invocations.
func StartMoto(t testing.TB) (endpoint string) {
	t.Helper()
	moto.Do(func() { moto.endpoint, moto.err = launch() })
	switch {
	case errors.Is(moto.err, errNoMoto) && os.Getenv("CI") != "true":
		t.Skipf("skipped: %v", moto.err)
	case moto.err != nil:
		t.Fatalf("start moto: %v", moto.err)
	}
	if err := post(t.Context(), "/moto-api/reset", ""); err != nil {
		t.Fatalf("reset moto: %v", err)
	}
	return moto.endpoint
}

// Main runs the tests and ends the moto that they started: func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }.
func Main(m *testing.M) int {
	code := m.Run()
	if moto.process == nil {
		return code
	}
	if err := errors.Join(moto.stdin.Close(), moto.process.Wait()); err != nil {
		fmt.Fprintf(os.Stderr, "end moto: %v\n", err)
		return max(code, 1)
	}
	return code
}

// python is the interpreter of the project's virtual environment, else the machine's; it must have moto.
func python() (string, error) {
	candidates := []string{"python3"}
	if dir, err := os.Getwd(); err == nil {
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				candidates = []string{filepath.Join(dir, ".venv", "bin", "python"), "python3"}
				break
			}
		}
	}
	for _, c := range candidates {
		path, err := exec.LookPath(c)
		if err == nil && exec.Command(path, "-c", "import moto.moto_server.werkzeug_app").Run() == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w (looked at %s)", errNoMoto, strings.Join(candidates, ", "))
}

// launch starts the server and waits until it answers.
func launch() (string, error) {
	path, err := python()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, "-c", launcher)
	// Only what a process needs: no MOTO_ACCOUNT_ID, which would put all accounts into one, and no credentials.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "MOTO_LAMBDA_URL=" + os.Getenv("MOTO_LAMBDA_URL")}
	if moto.stdin, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		return "", err
	}
	moto.process = cmd
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%w; it said: %.2000s", err, complaints.String())
	}
	moto.endpoint = strings.TrimSpace(line)
	return moto.endpoint, configure()
}

// configure makes Step Functions run its machines, and Lambda without containers.
func configure() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return post(ctx, "/moto-api/config", `{"stepfunctions":{"execute_state_machine":true},"lambda":{"use_docker":false}}`)
}

func post(ctx context.Context, path, body string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, moto.endpoint+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000)) // only for the message
		return fmt.Errorf("POST %s: %s: %s", path, answer.Status, text)
	}
	return nil
}

// Moto is the target of the server that [StartMoto] started.
func Moto() Target {
	return Target{
		Name: "moto", Lacks: MotoLacks, As: motoAs, Config: MotoConfig,
		Reset: func(t testing.TB) { StartMoto(t) },
	}
}

// MotoConfig acts in an account of moto. moto tells accounts by the access key, so it assumes a role there first: moto
// makes up the account, the role and an administrator's rights.
//
// https://docs.getmoto.org/en/latest/docs/multi_account.html
func MotoConfig(t testing.TB, account, region string) aws.Config {
	t.Helper()
	cfg := motoAs(t, aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret"}, region)
	role := arn.Parts{Partition: arn.PartitionOf(region).ID, Service: "iam", AccountID: account, Resource: "role/gatetest"}
	out, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(role.String()), RoleSessionName: aws.String("gatetest"),
	})
	if err != nil {
		t.Fatalf("assume role in account %s of moto: %v", account, err)
	}
	c := out.Credentials
	return motoAs(t, aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}, region)
}

// motoAs tries again what moto's server breaks off: it closes every connection, now and then before the answer is read.
func motoAs(_ testing.TB, c aws.Credentials, region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &moto.endpoint, Credentials: credentials.StaticCredentialsProvider{Value: c}, RetryMaxAttempts: 3,
	}
}
