// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/switchback-project/switchback/internal/sandbox"
)

// FuzzWildcards compares what a policy's pattern denies with a regular expression that says the same slowly.
func FuzzWildcards(f *testing.F) {
	for _, s := range [][2]string{{"*", "s3:x"}, {"s3:Get*", "s3:GetBucketPolicy"}, {"s3:?et*y", "s3:GetBucketPolicy"}, {"**t*P*", "s3:GetBucketPolicy"}, {"s3:Put*", ""}} {
		f.Add(s[0])
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		if len(pattern) > 100 || strings.ContainsFunc(pattern, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Skip()
		}
		w := newWorld(t, sandbox.Seed{})
		must(0, w.Deny(account, pattern))(t)
		_, err := w.buckets().GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &w.Bucket})
		slow := "(?i)^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern)) + "$"
		if want := regexp.MustCompile(slow).MatchString("s3:GetBucketPolicy"); (code(err) == "AccessDenied") != want {
			t.Errorf("pattern %q: %v, want denied %t", pattern, err, want)
		}
	})
}

// FuzzBucketPolicy: whatever is put as a policy is refused as malformed or reads back, and can be taken away by root.
func FuzzBucketPolicy(f *testing.F) {
	for _, s := range []string{
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}`,
		`{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333"]},"NotAction":"s3:*","NotResource":"x","Condition":{"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"a":[1,"2"]},"Null":{"b":"true"}}}]}`,
		`{"Statement":[]}`, `{"Statement":[{"Effect":"Maybe"}]}`, `[]`, `null`, `{`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, document string) {
		w := newWorld(t, sandbox.Seed{})
		must(w.buckets().DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: &w.Bucket}))(t)
		_, err := w.buckets().PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &w.Bucket, Policy: &document})
		switch code(err) {
		case "MalformedPolicy", "PolicyTooLarge":
			return
		case "":
		default:
			t.Fatalf("policy %q: %v", document, err)
		}
		w.clock.Advance(delay)
		if got := must(w.buckets().GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &w.Bucket}))(t); *got.Policy != document {
			t.Errorf("policy reads back as %q, want %q", *got.Policy, document)
		}
		must(w.buckets().DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &w.Bucket}))(t)
	})
}

// FuzzStateFile: a journal opens, and then opens again to the same, or it is corrupt; nothing panics.
func FuzzStateFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed.jsonl")
	s := must(sandbox.Open(sandbox.Options{StateFile: path, Clock: (&clock{now: start}).Now}))(f)
	must(0, s.AddAccount(account, "aws", ""))(f)
	must(0, s.Deny(account, "s3:*"))(f)
	must(0, s.Close())(f)
	whole := must(os.ReadFile(path))(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(append(whole, '{'))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "sandbox.jsonl")
		must(0, os.WriteFile(path, text, 0o600))(t)
		first, err := sandbox.Open(sandbox.Options{StateFile: path})
		if err != nil {
			if !errors.Is(err, sandbox.ErrCorrupt) {
				t.Errorf("error is %v, want ErrCorrupt", err)
			}
			return
		}
		must(0, first.Close())(t)
		again := must(sandbox.Open(sandbox.Options{StateFile: path}))(t)
		if a, b := len(first.Mutations()), len(again.Mutations()); a != b {
			t.Errorf("%d mutations, then %d", a, b)
		}
		must(0, again.Close())(t)
	})
}
