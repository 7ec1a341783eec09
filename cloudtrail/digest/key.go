// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"regexp"
	"strings"
	"time"
)

// Layouts of times in object keys and in the AWS CLI's output.
const (
	keyLayout     = "20060102T150405Z"
	logKeyLayout  = "20060102T1504Z"
	dayLayout     = "2006/01/02"
	displayLayout = "2006-01-02T15:04:05Z"

	gzipSuffix     = ".json.gz"
	backfillSuffix = "_backfill" + gzipSuffix
)

// Scope says which digest chain, or which part of a bucket, a result is about.
type Scope struct {
	Bucket       string `json:"bucket"`
	Prefix       string `json:"prefix,omitempty"`       // before AWSLogs, without the slash
	Organization string `json:"organization,omitempty"` // o-… of an organization trail's bucket
	Account      string `json:"account,omitempty"`
	Region       string `json:"region,omitempty"`      // whose log files it is about
	Trail        string `json:"trail,omitempty"`       // empty: all trails of the account and region
	HomeRegion   string `json:"home_region,omitempty"` // where the trail was created; differs from Region in shadow trails
	Backfill     bool   `json:"backfill,omitempty"`    // the chain of the digest files that were written later
}

// String names the scope for people: "111122223333 eu-west-1 main".
func (s Scope) String() string {
	parts := make([]string, 0, 4)
	for _, p := range []string{s.Organization, s.Account, s.Region, s.Trail} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return "s3://" + s.Bucket + "/" + s.Prefix
	}
	if s.Backfill {
		parts = append(parts, "(backfill)")
	}
	return strings.Join(parts, " ")
}

func (s Scope) logsRoot() string {
	root := "AWSLogs/"
	if s.Prefix != "" {
		root = s.Prefix + "/" + root
	}
	if s.Organization != "" {
		root += s.Organization + "/"
	}
	return root
}

func (s Scope) digestFolder() string {
	return s.logsRoot() + s.Account + "/CloudTrail-Digest/" + s.Region + "/"
}

func (s Scope) logFolder() string { return s.logsRoot() + s.Account + "/CloudTrail/" + s.Region + "/" }

// ofKey returns the scope of the chain that a digest key under s.digestFolder belongs to, and the key's time.
func (s Scope) ofKey(key string) (Scope, time.Time, bool) {
	rest, ok := strings.CutPrefix(key, s.digestFolder())
	if !ok {
		return s, time.Time{}, false
	}
	m := digestName.FindStringSubmatch(rest)
	if m == nil || m[1] != s.Account || m[2] != s.Region {
		return s, time.Time{}, false
	}
	end, err := time.Parse(keyLayout, m[5])
	s.Trail, s.HomeRegion, s.Backfill = m[3], m[4], m[6] != ""
	return s, end, err == nil
}

// digestName is a key below the region's folder. A region holds no underscore, so the greedy trail name is exact.
var digestName = regexp.MustCompile(
	`^\d+/\d+/\d+/(\d+)_CloudTrail-Digest_([^_/]+)_([^/]+)_([^_/]+)_(\d{8}T\d{6}Z)(_backfill)?\.json\.gz$`)

// relocated returns s with the bucket, prefix and organization of another digest key of the same account and region,
// for chains whose trail was given another bucket or prefix on the way.
func (s Scope) relocated(bucket, key string) Scope {
	moved := s
	moved.Bucket = bucket
	root, _, ok := strings.Cut(key, s.Account+"/CloudTrail-Digest/")
	if !ok {
		return moved
	}
	head, organization, ok := strings.Cut(root, "AWSLogs/")
	if !ok {
		return moved
	}
	moved.Prefix = strings.TrimSuffix(head, "/")
	moved.Organization = strings.TrimSuffix(organization, "/")
	return moved
}

// keyTime is the time at the end of a digest key, zero if there is none.
func keyTime(key string) time.Time {
	name := strings.TrimSuffix(strings.TrimSuffix(key, gzipSuffix), "_backfill")
	t, err := time.Parse(keyLayout, name[max(0, len(name)-len(keyLayout)):])
	if err != nil {
		return time.Time{}
	}
	return t
}

func isBackfillKey(key string) bool { return strings.HasSuffix(key, backfillSuffix) }

// logName is the key of a log file: …/ACCOUNT_CloudTrail_REGION_20060102T1504Z_RANDOM.json.gz.
var logName = regexp.MustCompile(`/\d+_CloudTrail_[^_/]+_(\d{8}T\d{4}Z)_[^/]+$`)

// logTime is when the log file with this key was delivered, to the minute; zero if its name does not say.
func logTime(key string) time.Time {
	m := logName.FindStringSubmatch(key)
	if m == nil {
		return time.Time{}
	}
	t, _ := time.Parse(logKeyLayout, m[1]) // zero if it is no time
	return t
}

// ownsLog reports whether a log file's key lies under the account and region of the chain, whatever the kind of log.
func (s Scope) ownsLog(key string) bool {
	rest := "/" + key
	return strings.Contains(rest, "/AWSLogs/") && strings.Contains(rest, "/"+s.Account+"/") &&
		strings.Contains(rest, "/"+s.Region+"/")
}
