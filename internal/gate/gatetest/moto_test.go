// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/switchback-project/switchback/internal/gate/gatetest"
)

// childEnv makes the test binary start moto, say where, and wait to be killed.
const childEnv = "GATETEST_CHILD"

func TestMain(m *testing.M) {
	lambda := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // the test compares
		fmt.Fprintf(w, `{"path":%q,"body":%s}`, r.URL.Path, body)
	}))
	if err := os.Setenv("MOTO_LAMBDA_URL", lambda.URL); err != nil {
		panic(err)
	}
	code := gatetest.Main(m)
	lambda.Close()
	os.Exit(code)
}

func TestMoto(t *testing.T) {
	r := gatetest.Run(t, gatetest.Moto())
	if r.Passed < 65 {
		t.Errorf("moto passes %d cases, want at least 65: is it moto at all?", r.Passed)
	}
}

// call makes a call of an API that this module has no client for.
func call(t *testing.T, endpoint, service, path, target, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260504/eu-west-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s: %.500s", service, target, answer.Status, text)
	}
	return string(text)
}

// TestMotoRunsStateMachines starts two executions: unpatched, moto answers 500 to the second.
func TestMotoRunsStateMachines(t *testing.T) {
	endpoint := gatetest.StartMoto(t)
	definition := `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":{"n":1},"End":true}}}`
	made := call(t, endpoint, "states", "/", "AWSStepFunctions.CreateStateMachine",
		fmt.Sprintf(`{"name":"m","definition":%q,"roleArn":"arn:aws:iam::123456789012:role/r"}`, definition))
	var machine struct {
		ARN string `json:"stateMachineArn"`
	}
	if err := json.Unmarshal([]byte(made), &machine); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		call(t, endpoint, "states", "/", "AWSStepFunctions.StartExecution", fmt.Sprintf(`{"stateMachineArn":%q,"name":%q,"input":"{}"}`, machine.ARN, name))
	}
}

// TestMotoInvokesFunctions sends an invocation to our server instead of a container.
func TestMotoInvokesFunctions(t *testing.T) {
	endpoint := gatetest.StartMoto(t)
	// The account of keys that moto did not issue.
	roles := iam.NewFromConfig(gatetest.MotoConfig(t, "123456789012", "eu-west-1"))
	if _, err := roles.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String("{}")}); err != nil {
		t.Fatal(err)
	}
	const emptyZIP = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="
	call(t, endpoint, "lambda", "/2015-03-31/functions", "",
		`{"FunctionName":"f","Runtime":"provided.al2023","Handler":"h","Role":"arn:aws:iam::123456789012:role/r","Code":{"ZipFile":"`+emptyZIP+`"}}`)
	got := call(t, endpoint, "lambda", "/2015-03-31/functions/f/invocations", "", `{"x":1}`)
	if want := `{"path":"/2015-03-31/functions/f/invocations","body":{"x":1}}`; got != want {
		t.Errorf("answer is %s, want %s", got, want)
	}
}

// TestMotoEndsWithItsParent kills a test binary that has started moto.
func TestMotoEndsWithItsParent(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		fmt.Println("endpoint", gatetest.StartMoto(t))
		select {}
	}
	gatetest.StartMoto(t) // skips where there is none
	child := exec.Command(os.Args[0], "-test.run=^TestMotoEndsWithItsParent$")
	child.Env = append(os.Environ(), childEnv+"=1")
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	address := endpointOf(t, stdout)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	for end := time.Now().Add(20 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return
		}
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, conn) // returns when the server is gone
		_ = conn.Close()
		if time.Now().After(end) {
			t.Fatalf("moto still listens on %s after its parent was killed", address)
		}
	}
}

func endpointOf(t *testing.T, r io.Reader) string {
	t.Helper()
	for s := bufio.NewScanner(r); s.Scan(); {
		if url, ok := strings.CutPrefix(s.Text(), "endpoint "); ok {
			return strings.TrimPrefix(url, "http://")
		}
	}
	t.Fatal("the child said no endpoint")
	return ""
}
