// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/identity"
)

func TestAgent(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0":                                        "Firefox on macOS",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36":             "Chrome on Windows",
		"[Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36]":     "Chrome on macOS",
		"aws-cli/2.17.60 md/awscrt#0.21.2 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.11.9 md/command#cloudtrail.stop-logging": "AWS CLI 2.17 on Linux",
		"aws-cli/2.13.5 Python/3.11.4 Linux/4.14.255 exec-env/CloudShell exe/x86_64.amzn.2":                                           "AWS CLI 2.13 on Linux",
		"aws-cli/1.15.42 Python/3.6.1 Darwin/17.7.0 botocore/1.10.42":                                                                 "AWS CLI 1.15 on macOS",
		"aws-cli/2.15.0": "AWS CLI 2.15",
		"aws-sdk-go-v2/1.32.3 os/macos lang/go#1.23.1 md/GOOS#darwin": "AWS SDK for Go 1.32 on macOS",
		"aws-sdk-go/1.15.12 (go1.12.6; linux; amd64)":                 "AWS SDK for Go 1.15 on Linux",
		"APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) terraform-provider-aws/3.76.1 aws-sdk-go/1.44.157 (go1.19.3; darwin; arm64)": "Terraform 1.1 on macOS",
		"CloudCustodian(net-change-encryption)/0.9.2 Python/3.8.3 Linux/4.14.165 Botocore/1.15.49":                                                      "Cloud Custodian 0.9 on Linux",
		"Boto3/1.26.0":                 "Boto3 1.26",
		"[S3Console/0.4]":              "the S3 console 0.4",
		"console.amazonaws.com":        "the AWS console",
		"signin.amazonaws.com":         "the AWS console",
		"cloudformation.amazonaws.com": "service cloudformation",
		"AWS Internal":                 "AWS itself",
		"":                             "",
		"stratus-red-team_5c59eb79-6dac-405c-a4c4-e19aec03c666": `"stratus-red-team_5c59eb79-6dac-405c-a4c4-e19aec03c666"`,
		"Mozilla":            `"Mozilla"`,
		"evil\u202e\nBcc: x": `"evil[U+202E][U+000A]Bcc:"`,
		"aws-cli/<script>":   "AWS CLI",
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			if got := identity.Agent(in); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func FuzzAgent(f *testing.F) {
	f.Add("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0")
	f.Add("aws-cli/2.17.60 os/linux")
	f.Add(strings.Repeat("(", 2000))
	f.Fuzz(func(t *testing.T, in string) {
		if out := identity.Agent(in); len(out) > 200 || strings.ContainsAny(out, "\r\n\u202e") {
			t.Fatalf("%q became %q", in, out)
		}
	})
}
