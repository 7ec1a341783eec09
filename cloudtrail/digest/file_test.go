// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// The sample of AWS's page on ListPublicKeys.
func TestFingerprintOfAWSSample(t *testing.T) {
	value, err := base64.StdEncoding.DecodeString("MIIBCgKCAQEAn11L2YZ9h7onug2ILi1MWyHiMRsTQjfWE+pHVRLk1QjfWhirG+lpOa8NrwQ/r7Ah5bNL6HepznOU9XTDSfmmnP97" +
		"mqyc7z/upfZdS/AHhYcGaz7n6Wc/RRBU6VmiPCrAUojuSk6/GjvA8iOPFsYDuBtviXarvuLPlrT9kAd4Lb+rFfR5peEgBEkhlzc5HuWO7S0y+KunqxX6jQBnXGMtxmPB" +
		"PP0FylgWGNdFtks/4YSKcgqwH0YDcawP9GGGDAeCIqPWIXDLG1jOjRRzWfCmD0iJUkz8vTsn4hq/5ZxRFE7UBAUiVcGbdnDdvVfhF9C3dQiDq3k7adQIziLT0cShgQIDAQAB")
	if err != nil {
		t.Fatal(err)
	}
	if got := digest.FingerprintOf(value); got != "8eba5db5bea9b640d1c96a77256fe7f2" {
		t.Error(got)
	}
}

func TestParsePublicKeys(t *testing.T) {
	want := []digest.PublicKey{{
		Fingerprint: "ab", Value: []byte("key"), NotBefore: time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, 6, 4, 0, 0, 0, 0, time.UTC),
	}}
	for _, text := range []string{
		`[{"Fingerprint":"ab","Value":"a2V5","ValidityStartTime":"2026-05-04T00:00:00Z","ValidityEndTime":"2026-06-04T02:00:00+02:00"}]`,
		`{"PublicKeyList":[{"Fingerprint":"ab","Value":"a2V5","ValidityStartTime":"1777852800.0","ValidityEndTime":1780531200}]}`,
	} {
		got, err := digest.ParsePublicKeys([]byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "{}", "null1", `[{"Value":"?"}]`, `[{"ValidityEndTime":"soon"}]`} {
		if got, err := digest.ParsePublicKeys([]byte(text)); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	if k := want[0]; k.ValidIn(k.NotAfter.Add(1), k.NotAfter.Add(2)) || !k.ValidIn(k.NotBefore.Add(-1), k.NotBefore) || k.ValidIn(time.Time{}, k.NotBefore.Add(-1)) {
		t.Error("validity")
	}
}

func TestParseTrailARN(t *testing.T) {
	got, err := digest.ParseTrailARN("arn:aws-us-gov:cloudtrail:us-gov-west-1:111122223333:trail/main")
	want := digest.Trail{
		ARN: "arn:aws-us-gov:cloudtrail:us-gov-west-1:111122223333:trail/main", Name: "main", HomeRegion: "us-gov-west-1", AccountID: "111122223333",
	}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, arn := range []string{"", "main", "arn:aws:s3:::b", "arn:aws:cloudtrail:eu-west-1:1:trail/x", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/"} {
		_, err := digest.ParseTrailARN(arn)
		if !errors.Is(err, digest.ErrInvalidARN) || err.Error() != "Invalid trail ARN provided: "+arn {
			t.Errorf("%q: %v", arn, err)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string][2]string{ // ours, the AWS CLI's
		"2026-05-04T10:00:00Z":      {"2026-05-04T10:00:00Z", "2026-05-04T10:00:00Z"},
		"2026-05-04T10:00:00+02:00": {"2026-05-04T08:00:00Z", "2026-05-04T10:00:00Z"},
		"2026-05-04 10:00:00":       {"2026-05-04T10:00:00Z", "2026-05-04T10:00:00Z"},
		"2026-05-04":                {"2026-05-04T00:00:00Z", "2026-05-04T00:00:00Z"},
		"20260504T100000Z":          {"2026-05-04T10:00:00Z", "2026-05-04T10:00:00Z"},
	} {
		for i, compatible := range []bool{false, true} {
			if got, err := digest.ParseTime(text, compatible); err != nil || got.Format(time.RFC3339) != want[i] {
				t.Errorf("%s, compatible %v: %v, %v", text, compatible, got, err)
			}
		}
	}
	if _, err := digest.ParseTime("yesterday", true); !errors.Is(err, digest.ErrInvalidTime) {
		t.Error(err)
	}
}

// FuzzParse: whatever is accepted has all required fields, and its string to sign is made of them alone.
func FuzzParse(f *testing.F) {
	w, tr := chainOf(2)
	for _, ref := range tr.Digests {
		f.Add(digesttest.Gunzip(w.Object(ref.Bucket, ref.Key).Body))
	}
	f.Add([]byte(`{"logFiles":[{"s3Bucket":null}],"previousDigestSignature":null}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := digest.Parse(content)
		if err != nil {
			if !errors.Is(err, digest.ErrFormat) {
				t.Errorf("error without its kind: %v", err)
			}
			return
		}
		signed := file.StringToSign([32]byte{})
		if !strings.HasPrefix(signed, file.EndTime+"\n"+file.Bucket+"/"+file.Object+"\n") {
			t.Errorf("string to sign %q", signed)
		}
		if start, end, err := file.Window(); err == nil && (start.Location() != time.UTC || end.Location() != time.UTC) {
			t.Error("times not in UTC")
		}
	})
}

// FuzzMetadata: metadata is accepted only with both of its fields, and their values are taken as they are.
func FuzzMetadata(f *testing.F) {
	f.Add("ab", "SHA256withRSA", "2026-05-04T00:00:00Z", true)
	f.Add("", "", "", false)
	f.Add("zz", "SHA1withRSA", "yesterday", true)
	f.Fuzz(func(t *testing.T, signature, algorithm, generated string, isBackfill bool) {
		meta := map[string]string{"signature": signature, "signature-algorithm": algorithm, "backfill-generation-timestamp": generated}
		got, err := digest.ParseMetadata(meta, isBackfill)
		if got.Signature != signature || got.SignatureAlgorithm != algorithm {
			t.Errorf("%+v", got)
		}
		if err == nil && isBackfill == got.GeneratedAt.IsZero() && generated != "0001-01-01T00:00:00Z" {
			t.Errorf("%+v of %v", got, meta)
		}
		for _, lost := range []string{"signature", "signature-algorithm"} {
			rest := map[string]string{"signature": signature, "signature-algorithm": algorithm}
			delete(rest, lost)
			if _, err := digest.ParseMetadata(rest, false); err == nil {
				t.Errorf("accepted without %s", lost)
			}
		}
	})
}

// FuzzPublicKeys: what is read can be written and read again.
func FuzzPublicKeys(f *testing.F) {
	f.Add([]byte(`{"PublicKeyList":[{"Fingerprint":"ab","Value":"a2V5","ValidityStartTime":"1777852800.0","ValidityEndTime":1780531200}]}`))
	f.Add([]byte(`[{"Fingerprint":"ab","Value":"a2V5","Region":"eu-west-1"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := digest.ParsePublicKeys(data)
		if err != nil {
			return
		}
		text, err := digest.FormatPublicKeys(keys)
		if err != nil {
			return // a year that RFC 3339 cannot write
		}
		again, err := digest.ParsePublicKeys(text)
		if err != nil || len(again) != len(keys) {
			t.Errorf("%v: %d keys became %d", err, len(keys), len(again))
		}
	})
}
