// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package arn holds Amazon Resource Names and the partitions they live in. It is the one place that knows where a
// partition ends: names of partitions, DNS suffixes and global regions come from the SDK's own partition data (see
// partitions_gen.go) and are never written as literals elsewhere, so that the same code runs in aws, aws-cn,
// aws-us-gov and aws-eusc.
//
// It validates no region name: new regions and anonymised records must pass.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
package arn

import (
	"errors"
	"fmt"
	"strings"
)

//go:generate go run ./gen

// ErrInvalid is returned for text that is not an ARN.
var ErrInvalid = errors.New("not an ARN (want arn:partition:service:region:account:resource)")

// ARN is an Amazon Resource Name as AWS spells it.
type ARN string

// Parts are the six fields of an ARN. Region and AccountID may be empty (S3 buckets have neither).
type Parts struct {
	Partition, Service, Region, AccountID, Resource string
}

// Parse splits s. Errors wrap ErrInvalid.
func Parse(s string) (Parts, error) {
	f := strings.SplitN(s, ":", 6)
	if len(f) != 6 || f[0] != "arn" || f[1] == "" || f[2] == "" || f[5] == "" {
		return Parts{}, fmt.Errorf("parse %.200q: %w", s, ErrInvalid)
	}
	return Parts{Partition: f[1], Service: f[2], Region: f[3], AccountID: f[4], Resource: f[5]}, nil
}

// Parse splits a.
func (a ARN) Parse() (Parts, error) { return Parse(string(a)) }

// String spells p as AWS does.
func (p Parts) String() string {
	return strings.Join([]string{"arn", p.Partition, p.Service, p.Region, p.AccountID, p.Resource}, ":")
}

// ARN is String with its type.
func (p Parts) ARN() ARN { return ARN(p.String()) }

// Name is the resource without its type: "main" of "trail/main", "path/Deploy" of "role/path/Deploy".
func (p Parts) Name() string {
	if _, name, ok := strings.Cut(p.Resource, "/"); ok {
		return name
	}
	if _, name, ok := strings.Cut(p.Resource, ":"); ok {
		return name
	}
	return p.Resource
}

// IsARN reports whether s looks like an ARN at all: the many AWS fields that hold "name or ARN" need to know.
func IsARN(s string) bool {
	_, err := Parse(s)
	return err == nil
}

// Trail is the ARN of a trail by its home region.
func Trail(region, account, name string) ARN {
	return Parts{PartitionOf(region).ID, "cloudtrail", region, account, "trail/" + name}.ARN()
}

// Bucket is the ARN of an S3 bucket in the partition of region.
func Bucket(region, name string) ARN {
	return Parts{Partition: PartitionOf(region).ID, Service: "s3", Resource: name}.ARN()
}
