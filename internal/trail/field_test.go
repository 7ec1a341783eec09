// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"testing"

	"github.com/switchback-project/switchback/internal/trail"
)

func parsed(t *testing.T, text string) trail.Trail {
	t.Helper()
	var out trail.Trail
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Every field that a comparison can name can be taken over, and then makes no difference any more.
func TestWith(t *testing.T) {
	all := parsed(t, `{"Name":"main","S3BucketName":"logs","S3BucketOwner":"111122223333","S3KeyPrefix":"p","SnsTopicName":"t",
		"IncludeGlobalServiceEvents":true,"IsMultiRegionTrail":true,"LogFileValidationEnabled":true,"IsOrganizationTrail":true,"KmsKeyId":"k",
		"CloudWatchLogsLogGroupArn":"g","CloudWatchLogsRoleArn":"r","IsLogging":true,"InsightSelectors":[{"InsightType":"ApiCallRateInsight"}],
		"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true}],"Tags":{"team":"security","env":"prod"}}`)
	weak := parsed(t, `{"Name":"main","S3BucketName":"other","S3BucketOwner":"444455556666","Tags":{"env":"test"},
		"EventSelectors":[{"ReadWriteType":"ReadOnly","IncludeManagementEvents":true}]}`)
	fields := trail.Changed(all, weak)
	if len(fields) != 16 {
		t.Errorf("%d fields differ: %q, want every field of a trail", len(fields), fields)
	}
	got := all
	for i, f := range fields {
		if now := trail.Changed(got, weak); len(now) > len(fields)-i {
			t.Errorf("before %s these differ: %q", f, now)
		}
		got = got.With(f, weak)
	}
	if left := trail.Changed(got, weak); len(left) > 0 {
		t.Errorf("%q still differ", left)
	}
	if all.Tags["team"] != "security" || all.Tags["env"] != "prod" {
		t.Errorf("taking over changed the original's tags: %v", all.Tags)
	}
	if one := all.With("KmsKeyId", weak); len(trail.Changed(all, one)) != 1 || one.KmsKeyId != "" {
		t.Errorf("with one field: %q differ", trail.Changed(all, one))
	}
	if same := all.With("<script>", weak); len(trail.Changed(all, same)) != 0 {
		t.Error("a name that is none changed something")
	}
}

func TestIsSoft(t *testing.T) {
	for field, want := range map[string]bool{
		"Tags.team": true, "SnsTopicName": true, "CloudWatchLogsLogGroupArn": true, "CloudWatchLogsRoleArn": true,
		trail.FieldIsLogging: false, trail.FieldS3BucketName: false, trail.FieldKmsKeyID: false, trail.FieldEventSelectors: false,
		trail.FieldInsightSelectors: false, "LogFileValidationEnabled": false, trail.FieldExists: false, "": false,
	} {
		if got := trail.IsSoft(field); got != want {
			t.Errorf("IsSoft(%q) is %t, want %t", field, got, want)
		}
	}
}
