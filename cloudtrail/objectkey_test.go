// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
)

func TestParseObjectKey(t *testing.T) {
	minute := time.Date(2026, 5, 4, 10, 15, 0, 0, time.UTC)
	second := time.Date(2026, 5, 4, 10, 15, 22, 0, time.UTC)
	for key, want := range map[string]cloudtrail.ObjectKey{
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/111122223333_CloudTrail_eu-west-1_20260504T1015Z_Ab12Cd34Ef56Gh78.json.gz": {
			AccountID: "111122223333", Kind: cloudtrail.KindLog, Region: "eu-west-1", Time: minute, Unique: "Ab12Cd34Ef56Gh78",
		},
		"a/AWSLogs/b/AWSLogs/o-abcdefghij/444455556666/CloudTrail-Insight/apiso-centralnorth-2r/2026/05/04/444455556666_CloudTrail-Insight_apiso-centralnorth-2r_20260504T1015Z_x.json.gz": {
			Prefix: "a/AWSLogs/b", OrganizationID: "o-abcdefghij", AccountID: "444455556666", Kind: cloudtrail.KindInsight,
			Region: "apiso-centralnorth-2r", Time: minute, Unique: "x",
		},
		"p/AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/05/04/111122223333_CloudTrail-Digest_eu-west-1_my_odd_trail_eu-central-1_20260504T101522Z_backfill.json.gz": {
			Prefix: "p", AccountID: "111122223333", Kind: cloudtrail.KindDigest, Region: "eu-west-1", Time: second,
			Trail: "my_odd_trail", HomeRegion: "eu-central-1", Backfill: true,
		},
		"AWSLogs/111122223333/CloudTrail-NetworkActivity/eu-west-1/2026/05/04/111122223333_CloudTrail-NetworkActivity_eu-west-1_20260504T1015Z_x.json.gz": {
			AccountID: "111122223333", Kind: "CloudTrail-NetworkActivity", Region: "eu-west-1", Time: minute, Unique: "x",
		},
	} {
		got, ok := cloudtrail.ParseObjectKey(key)
		if !ok {
			t.Errorf("ParseObjectKey(%s) = false", key)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseObjectKey(%s) (-want +got):\n%s", key, diff)
		}
		if got.String() != key {
			t.Errorf("String() = %s, want %s", got, key)
		}
	}
}

func TestParseObjectKeyOfDownloads(t *testing.T) {
	const name = "111122223333_CloudTrail_eu-west-1_20260504T1015Z_Ab12Cd34Ef56Gh78.json.gz"
	for _, key := range []string{name, "evidence/2026/" + name, "/tmp/" + name} {
		if got, ok := cloudtrail.ParseObjectKey(key); !ok || got.AccountID != "111122223333" || got.Prefix != "" {
			t.Errorf("ParseObjectKey(%s) = %+v, %v", key, got, ok)
		}
	}
	// The folder's date is that of the delivery and may be the next day's.
	if _, ok := cloudtrail.ParseObjectKey("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/05/" + name); !ok {
		t.Error("a late file is refused")
	}
}

func TestParseObjectKeyRefuses(t *testing.T) {
	for _, key := range []string{
		"", "AWSLogs/", "AWSLogs/111122223333/CloudTrail/", "x.json.gz",
		"AWSLogs/111122223333/Config/eu-west-1/2026/5/4/ConfigHistory/111122223333_Config_eu-west-1_ConfigHistory_x.json.gz",
		"AWSLogs/111122223333/elasticloadbalancing/eu-west-1/2026/05/04/111122223333_elasticloadbalancing_eu-west-1_x_20260504T1015Z_x.log.gz",
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/444455556666_CloudTrail_eu-west-1_20260504T1015Z_x.json.gz",
		"AWSLogs/111122223333/CloudTrail/eu-west-2/2026/05/04/111122223333_CloudTrail_eu-west-1_20260504T1015Z_x.json.gz",
		"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/05/04/111122223333_CloudTrail_eu-west-1_20260504T1015Z_x.json.gz",
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/deeper/111122223333_CloudTrail_eu-west-1_20260504T1015Z_x.json.gz",
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/13/04/111122223333_CloudTrail_eu-west-1_20260504T1015Z_x.json.gz",
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/111122223333_CloudTrail_eu-west-1_20269904T1015Z_x.json.gz",
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/111122223333_CloudTrail_eu-west-1_20260504T1015Z_x.json",
		"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/05/04/111122223333_CloudTrail-Digest_eu-west-1_eu-west-1_20260504T101522Z.json.gz",
	} {
		if got, ok := cloudtrail.ParseObjectKey(key); ok {
			t.Errorf("ParseObjectKey(%q) = %+v, want a refusal", key, got)
		}
	}
}
