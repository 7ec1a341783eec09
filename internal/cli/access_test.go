// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// commandsThatCallAWS, with what their error must name.
func commandsThatCallAWS(dir string) []struct {
	args []string
	say  string
} {
	return []struct {
		args []string
		say  string
	}{
		{[]string{"--state", dir, "serve"}, "no account can be read"},
		{[]string{"replay", "aws:"}, "read Event history"},
		{[]string{"replay", "s3://logs/AWSLogs/"}, "read s3://logs/AWSLogs/"},
	}
}

// awsAt makes endpoint the whole of AWS.
func awsAt(t *testing.T, endpoint string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"), "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// TestUnreachable: the endpoint does not answer. That is told in one line with a hint, soon, and as "could not do it".
func TestUnreachable(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	address := closed.Addr().String()
	check(t, closed.Close())
	awsAt(t, "http://"+address)
	for _, tt := range commandsThatCallAWS(t.TempDir()) {
		status, out, errOut := switchback(tt.args...)
		if status != exitError || out != "" || !strings.Contains(errOut, tt.say) || !strings.Contains(errOut, address) || !strings.Contains(errOut, "\nhint: check credentials") {
			t.Errorf("%v: exit status %d, want 2 with %q, the address and a hint: %s%s", tt.args, status, tt.say, out, errOut)
		}
	}
	// Before that the daemon said what it would have been allowed to do, and who would have heard of it.
	_, _, said := switchback("--state", t.TempDir(), "serve")
	for _, want := range []string{"\nmode: observe (dry-run): nothing is changed", "\nwarning: security: names nobody", "\nwarning: sources: none"} {
		if strings.Count(said, want) != 1 {
			t.Errorf("serve does not say %q once: %s", want, said)
		}
	}
	// What could be read is looked at all the same.
	file := writeFile(t, t.TempDir(), "one.json", `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","userName":"alice"},"eventTime":"2026-05-04T10:11:12Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","requestParameters":{"name":"main"},"eventID":"one","eventType":"AwsApiCall","recipientAccountId":"111122223333","eventCategory":"Management"}`)
	status, out, errOut := switchback("replay", "s3://logs/", file, "-o", "json")
	if status != exitError || !strings.Contains(out, `"event_id":"one"`) || !strings.Contains(errOut, "read s3://logs/") {
		t.Errorf("beside a file: exit status %d: %s%s", status, out, errOut)
	}
}

// TestWrongCredentials: AWS refuses them. The error says whose word that is, and quotes no secret.
func TestWrongCredentials(t *testing.T) {
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the answer is the same
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>`)
	}))
	defer aws.Close()
	awsAt(t, aws.URL)
	for _, tt := range commandsThatCallAWS(t.TempDir()) {
		status, out, errOut := switchback(tt.args...)
		if status != exitError || out != "" || !strings.Contains(errOut, tt.say) || !strings.Contains(errOut, "InvalidClientTokenId") || !strings.Contains(errOut, "\nhint: check credentials") {
			t.Errorf("%v: exit status %d, want 2 with %q, AWS's reason and a hint: %s%s", tt.args, status, tt.say, out, errOut)
		}
		if strings.Contains(errOut, "secret") {
			t.Errorf("%v: the secret is printed: %s", tt.args, errOut)
		}
	}
}

// TestNoRegion: nothing says which region.
func TestNoRegion(t *testing.T) {
	awsAt(t, "http://127.0.0.1:9")
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	status, _, errOut := switchback("--state", t.TempDir(), "serve")
	if status != exitError || !strings.Contains(errOut, "set AWS_REGION") {
		t.Errorf("exit status %d: %s", status, errOut)
	}
}
