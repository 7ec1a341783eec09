// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"regexp"
	"strings"
	"time"
)

// Kind is the folder under an account that an object lies in, which tells what it holds.
type Kind string

// The kinds with a documented format. CloudTrail adds others from time to time, all beginning with "CloudTrail".
const (
	KindLog     Kind = "CloudTrail"
	KindDigest  Kind = "CloudTrail-Digest"
	KindInsight Kind = "CloudTrail-Insight"
)

// ObjectKey is the key of an object that a trail delivered to S3.
//
// See https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
type ObjectKey struct {
	// Prefix is what stands before "AWSLogs/", without the slash between; it may have slashes itself.
	Prefix string
	// OrganizationID is set for the objects of an organization trail: "o-…".
	OrganizationID string
	// AccountID is the account whose events these are.
	AccountID string
	Kind      Kind
	// Region is where the events happened.
	Region string
	// Time is the file's time stamp in UTC: minutes for log files, seconds for digest files, which end there.
	Time time.Time
	// Unique is the random part of a log file's name.
	Unique string
	// Trail and HomeRegion name a digest file's trail and its home region.
	Trail, HomeRegion string
	// Backfill marks a digest file that CloudTrail made later.
	Backfill bool
}

const (
	keyMinute  = "20060102T1504Z"
	keySecond  = "20060102T150405Z"
	keyFolder  = "2006/01/02"
	logSuffix  = ".json.gz"
	awsLogs    = "AWSLogs/"
	backfilled = "_backfill"
)

var (
	accountForm      = regexp.MustCompile(`^[0-9]{12}$`)
	organizationForm = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	regionForm       = regexp.MustCompile(`^[a-z0-9-]+$`)
	uniqueForm       = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	kindForm         = regexp.MustCompile(`^CloudTrail(-[A-Za-z]+)?$`)
)

// ParseObjectKey reads the key of an object in a trail's bucket, or the bare name of a downloaded one. It reports false
// for everything that a trail did not deliver: folder markers, other services' logs, foreign names in the trail's
// folders, and keys whose folders and name contradict each other.
func ParseObjectKey(key string) (ObjectKey, bool) {
	folder, name := "", key
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		folder, name = key[:i], key[i+1:]
	}
	k, ok := parseName(name)
	if !ok {
		return ObjectKey{}, false
	}
	// The prefix may hold "AWSLogs/" too, so the folders are read from the right.
	i := strings.LastIndex("/"+folder, "/"+awsLogs)
	if i < 0 {
		return k, true // downloaded: the folders are the user's
	}
	k.Prefix = strings.TrimSuffix(folder[:i], "/")
	rest := folder[i+len(awsLogs):]
	if id, after, found := strings.Cut(rest, "/"); found && organizationForm.MatchString(id) {
		k.OrganizationID, rest = id, after
	}
	wantFolder := strings.Join([]string{k.AccountID, string(k.Kind), k.Region}, "/") + "/"
	date, found := strings.CutPrefix(rest, wantFolder)
	if !found {
		return ObjectKey{}, false
	}
	if _, err := time.Parse(keyFolder, date); err != nil {
		return ObjectKey{}, false // the folder's date is the delivery's; it may differ from the name's
	}
	return k, true
}

// parseName reads account_kind_region_time_unique.json.gz, or for digests account_kind_region_trail_home_time.json.gz.
// Names of trails may contain underscores.
func parseName(name string) (ObjectKey, bool) {
	name, found := strings.CutSuffix(name, logSuffix)
	parts := strings.Split(name, "_")
	if !found || len(parts) < 5 {
		return ObjectKey{}, false
	}
	k := ObjectKey{AccountID: parts[0], Kind: Kind(parts[1]), Region: parts[2]}
	if !accountForm.MatchString(k.AccountID) || !kindForm.MatchString(parts[1]) || !regionForm.MatchString(k.Region) {
		return ObjectKey{}, false
	}
	if k.Kind == KindDigest {
		name, k.Backfill = strings.CutSuffix(name, backfilled)
		return k.digestName(name)
	}
	if len(parts) != 5 || !uniqueForm.MatchString(parts[4]) {
		return ObjectKey{}, false
	}
	var err error
	k.Time, err = time.Parse(keyMinute, parts[3])
	k.Unique = parts[4]
	return k, err == nil
}

func (k ObjectKey) digestName(name string) (ObjectKey, bool) {
	parts := strings.Split(name, "_")
	n := len(parts)
	if n < 6 || !regionForm.MatchString(parts[n-2]) {
		return ObjectKey{}, false
	}
	k.Trail = strings.Join(parts[3:n-2], "_")
	k.HomeRegion = parts[n-2]
	var err error
	k.Time, err = time.Parse(keySecond, parts[n-1])
	return k, err == nil
}

// String returns the key, with the date of Time for its folders. It is the inverse of [ParseObjectKey].
func (k ObjectKey) String() string {
	var b strings.Builder
	if k.Prefix != "" {
		b.WriteString(k.Prefix + "/")
	}
	b.WriteString(awsLogs)
	if k.OrganizationID != "" {
		b.WriteString(k.OrganizationID + "/")
	}
	b.WriteString(k.AccountID + "/" + string(k.Kind) + "/" + k.Region + "/" + k.Time.UTC().Format(keyFolder) + "/")
	b.WriteString(k.AccountID + "_" + string(k.Kind) + "_" + k.Region + "_")
	if k.Kind != KindDigest {
		b.WriteString(k.Time.UTC().Format(keyMinute) + "_" + k.Unique + logSuffix)
		return b.String()
	}
	b.WriteString(k.Trail + "_" + k.HomeRegion + "_" + k.Time.UTC().Format(keySecond))
	if k.Backfill {
		b.WriteString(backfilled)
	}
	b.WriteString(logSuffix)
	return b.String()
}
