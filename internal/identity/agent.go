// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"regexp"
	"strings"

	"github.com/mileusna/useragent"

	"github.com/switchback-project/switchback/internal/arn"
)

// product is a tool that names itself in the user agent.
type product struct {
	token string // before the slash, lower case
	words string
}

// products, most telling first: Terraform's user agent also names the SDK, boto's the tool that uses it.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
var products = []product{
	{"terraform", "Terraform"},
	{"opentofu", "OpenTofu"},
	{"pulumi", "Pulumi"},
	{"cloudcustodian", "Cloud Custodian"},
	{"ansible", "Ansible"},
	{"aws-cdk", "AWS CDK"},
	{"aws-cli", "AWS CLI"},
	{"aws-sdk-go-v2", "AWS SDK for Go"},
	{"aws-sdk-go", "AWS SDK for Go"},
	{"aws-sdk-java", "AWS SDK for Java"},
	{"aws-sdk-js", "AWS SDK for JavaScript"},
	{"aws-sdk-nodejs", "AWS SDK for JavaScript"},
	{"aws-sdk-ruby3", "AWS SDK for Ruby"},
	{"aws-sdk-ruby2", "AWS SDK for Ruby"},
	{"aws-sdk-php", "AWS SDK for PHP"},
	{"aws-sdk-dotnet-coreclr", "AWS SDK for .NET"},
	{"aws-sdk-dotnet-45", "AWS SDK for .NET"},
	{"aws-sdk-rust", "AWS SDK for Rust"},
	{"aws-sdk-kotlin", "AWS SDK for Kotlin"},
	{"aws-sdk-swift", "AWS SDK for Swift"},
	{"aws-sdk-cpp", "AWS SDK for C++"},
	{"awspowershell", "AWS Tools for PowerShell"},
	{"awspowershell.netcore", "AWS Tools for PowerShell"},
	{"boto3", "Boto3"},
	{"botocore", "botocore"},
	{"s3console", "the S3 console"},
}

// systems are the words for an operating system in the user agents of AWS's tools.
var systems = []product{
	{"darwin", "macOS"}, {"macos", "macOS"}, {"mac os x", "macOS"}, {"windows", "Windows"}, {"android", "Android"}, {"linux", "Linux"},
}

var hostName = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)

// maxParsed bounds what is parsed: CloudTrail records at most 1 KB.
const maxParsed = 1024

// Agent puts a user agent into words: "Firefox on macOS", "AWS CLI 2.17 on Linux", "the AWS console", "service
// cloudformation". It is a claim of the caller's. What is not known comes back quoted and cut; "" for none.
func Agent(userAgent string) string {
	text := userAgent
	if len(text) > maxParsed {
		text = text[:maxParsed]
	}
	text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "["), "]")
	switch {
	case text == "":
		return ""
	case strings.HasPrefix(text, "AWS Internal"):
		return "AWS itself"
	case hostName.MatchString(text):
		return hostWords(text)
	}
	for _, words := range []string{tool(text), browser(text)} {
		if words != "" {
			return words
		}
	}
	first, _, _ := strings.Cut(text, " ")
	return `"` + Printable(first, 60) + `"`
}

// hostWords reads a service's host name, which AWS puts there when a service or its console calls.
func hostWords(host string) string {
	suffix := arn.ServiceHost("")
	name, ok := strings.CutSuffix(host, suffix)
	switch {
	case !ok:
		return `"` + Printable(host, 60) + `"`
	case name == "console" || name == "signin" || strings.HasPrefix(name, "console."):
		return "the AWS console"
	}
	return "service " + name
}

// tool finds the most telling product in text.
func tool(text string) string {
	versions := map[string]string{}
	for _, field := range strings.Fields(text) {
		name, version, _ := strings.Cut(strings.Trim(field, "(),;"), "/")
		name, _, _ = strings.Cut(strings.ToLower(name), "(")
		if _, ok := versions[name]; !ok {
			versions[name] = version
		}
	}
	for _, p := range products {
		if version, ok := versions[p.token]; ok {
			return on(strings.TrimSpace(p.words+" "+minor(version)), system(text))
		}
	}
	return ""
}

func on(words, system string) string {
	if system == "" {
		return words
	}
	return words + " on " + system
}

// minor cuts a version after its second number; "" for what does not begin like one.
func minor(version string) string {
	end, dots := 0, 0
	for end < len(version) && end < 12 {
		c := version[end]
		if c == '.' {
			if dots++; dots == 2 {
				break
			}
		} else if c < '0' || c > '9' {
			break
		}
		end++
	}
	return strings.TrimSuffix(version[:end], ".")
}

func system(text string) string {
	lower := strings.ToLower(text)
	for _, s := range systems {
		if strings.Contains(lower, s.token) {
			return s.words
		}
	}
	return ""
}

// browser asks the library for what calls itself Mozilla, as all browsers do.
func browser(text string) string {
	if !strings.HasPrefix(text, "Mozilla/") {
		return ""
	}
	ua := useragent.Parse(text)
	if ua.Name == "" || ua.OS == "" {
		return ""
	}
	return on(Printable(ua.Name, 40), Printable(ua.OS, 40))
}
