// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package arn

import (
	"regexp"
	"slices"
	"strings"
)

// Partition is a set of regions with one account space, one DNS suffix and one region for its global services.
type Partition struct {
	// ID is the second field of every ARN in it: "aws", "aws-cn", "aws-us-gov", "aws-eusc".
	ID string
	// DNSSuffix ends the host names of its endpoints, "amazonaws.com.cn".
	DNSSuffix string
	// GlobalRegion is where IAM, STS (global) and Organizations events are recorded and signed for.
	GlobalRegion string
}

// Partitions lists every partition that the SDK knows, the commercial one first.
func Partitions() []Partition {
	out := make([]Partition, len(partitions))
	for i, p := range partitions {
		out[i] = p.Partition
	}
	return out
}

// PartitionOf returns the partition of a region: by the SDK's list, then by its pattern of region names. A region that
// fits none (an anonymised one, or one newer than the SDK) is in the commercial partition, as the SDK itself decides.
func PartitionOf(region string) Partition {
	for _, p := range partitions {
		if _, ok := p.regions[region]; ok || p.pattern.MatchString(region) {
			return p.Partition
		}
	}
	return partitions[0].Partition
}

// Regions are those of the partition that the SDK knows, sorted; which of them an account has enabled is not known here.
func (p Partition) Regions() []string {
	var out []string
	for _, known := range partitions {
		if known.ID != p.ID {
			continue
		}
		for region := range known.regions {
			if !strings.HasSuffix(region, "-global") {
				out = append(out, region)
			}
		}
	}
	slices.Sort(out)
	return out
}

// PartitionByID returns the partition that an ARN names.
func PartitionByID(id string) (Partition, bool) {
	for _, p := range partitions {
		if p.ID == id {
			return p.Partition, true
		}
	}
	return Partition{}, false
}

// Place is the human name of a region, "Europe (Ireland)", or "" when the SDK does not know it.
func Place(region string) string {
	for _, p := range partitions {
		if place, ok := p.regions[region]; ok {
			return place
		}
	}
	return ""
}

// ServiceHost is the host name under which a service principal or an eventSource stands: "s3.amazonaws.com". AWS uses
// the commercial suffix for these in every partition, so it takes none.
func ServiceHost(service string) string { return service + "." + partitions[0].DNSSuffix }

// IsServiceHost reports whether host stands for the service: under the commercial suffix, or under that of another
// partition, which some services of it write. To take a real event for a foreign one would be to ignore it.
func IsServiceHost(host, service string) bool {
	suffix, ok := strings.CutPrefix(host, service+".")
	return ok && slices.ContainsFunc(partitions, func(p partition) bool { return suffix == p.DNSSuffix })
}

type partition struct {
	Partition
	pattern *regexp.Regexp
	regions map[string]string
}
