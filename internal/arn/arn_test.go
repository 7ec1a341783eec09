// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package arn_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/arn"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text string
		want arn.Parts
		name string
	}{
		{"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", arn.Parts{"aws", "cloudtrail", "eu-west-1", "111122223333", "trail/main"}, "main"},
		{"arn:aws-cn:iam::111122223333:role/path/Deploy", arn.Parts{"aws-cn", "iam", "", "111122223333", "role/path/Deploy"}, "path/Deploy"},
		{"arn:aws:s3:::logs", arn.Parts{"aws", "s3", "", "", "logs"}, "logs"},
		{"arn:aws-us-gov:logs:us-gov-west-1:111122223333:log-group:g:*", arn.Parts{"aws-us-gov", "logs", "us-gov-west-1", "111122223333", "log-group:g:*"}, "g:*"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := arn.Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
			if got.Name() != tt.name {
				t.Errorf("Name() = %q, want %q", got.Name(), tt.name)
			}
			if got.String() != tt.text {
				t.Errorf("String() = %q", got.String())
			}
		})
	}
	for _, bad := range []string{"", "main", "arn:aws", "arn::s3:::b", "arn:aws:s3:::"} {
		if _, err := arn.Parse(bad); !errors.Is(err, arn.ErrInvalid) {
			t.Errorf("Parse(%q) = %v, want ErrInvalid", bad, err)
		}
	}
}

func TestIsServiceHost(t *testing.T) {
	for host, want := range map[string]bool{
		"cloudtrail.amazonaws.com": true, "cloudtrail.amazonaws.com.cn": true, "cloudtrail.amazonaws.com.evil.example": false,
		"sts.amazonaws.com": false, "cloudtrail.": false, "": false,
	} {
		if got := arn.IsServiceHost(host, "cloudtrail"); got != want {
			t.Errorf("IsServiceHost(%q) is %t, want %t", host, got, want)
		}
	}
}

func TestPartitionOf(t *testing.T) {
	tests := []struct{ region, id, suffix, global string }{
		{"eu-west-1", "aws", "amazonaws.com", "us-east-1"},
		{"cn-north-1", "aws-cn", "amazonaws.com.cn", "cn-northwest-1"},
		{"us-gov-east-1", "aws-us-gov", "amazonaws.com", "us-gov-west-1"},
		{"eusc-de-east-1", "aws-eusc", "amazonaws.eu", "eusc-de-east-1"},
		{"eu-newtown-9", "aws", "amazonaws.com", "us-east-1"},
		{"nowhere", "aws", "amazonaws.com", "us-east-1"},
	}
	for _, tt := range tests {
		want := arn.Partition{ID: tt.id, DNSSuffix: tt.suffix, GlobalRegion: tt.global}
		if got := arn.PartitionOf(tt.region); got != want {
			t.Errorf("PartitionOf(%s) = %+v, want %+v", tt.region, got, want)
		}
	}
	if got := arn.Trail("cn-north-1", "111122223333", "main"); got != "arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/main" {
		t.Errorf("Trail = %s", got)
	}
	if arn.Place("eu-west-1") != "Europe (Ireland)" || arn.Place("nowhere") != "" {
		t.Error("Place")
	}
}
