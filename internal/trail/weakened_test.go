// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/trail"
)

const mainARN = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"

// good is a trail as it should be.
func good() trail.Trail {
	return trail.Trail{
		Name: "main", ARN: mainARN, HomeRegion: "eu-west-1",
		S3BucketName: "logs-111122223333", S3KeyPrefix: "ct",
		SnsTopicARN:                "arn:aws:sns:eu-west-1:111122223333:ct",
		IncludeGlobalServiceEvents: true, IsMultiRegionTrail: true, LogFileValidationEnabled: true,
		CloudWatchLogsLogGroupArn: "arn:aws:logs:eu-west-1:111122223333:log-group:ct:*",
		CloudWatchLogsRoleArn:     "arn:aws:iam::111122223333:role/ct",
		KmsKeyId:                  "arn:aws:kms:eu-west-1:111122223333:key/1111",
		EventSelectors: []trail.EventSelector{{
			ReadWriteType: "All", IncludeManagementEvents: true,
			DataResources: []trail.DataResource{{Type: "AWS::S3::Object", Values: []string{"arn:aws:s3:::crown/", "arn:aws:s3:::b2/x"}}},
		}},
		InsightSelectors: []trail.InsightSelector{{InsightType: "ApiCallRateInsight"}},
		Tags:             map[string]string{"team": "security"},
		IsLogging:        true,
	}
}

func fields(ds []trail.Difference) string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Field)
	}
	return strings.Join(out, " ")
}

func TestWeakened(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*trail.Trail)
		want   string // fields
	}{
		{"nothing", func(*trail.Trail) {}, ""},
		{"stopped", func(h *trail.Trail) { h.IsLogging = false }, "IsLogging"},
		{"single region", func(h *trail.Trail) { h.IsMultiRegionTrail = false }, "IsMultiRegionTrail"},
		{"every flag", func(h *trail.Trail) {
			h.IncludeGlobalServiceEvents, h.LogFileValidationEnabled = false, false
		}, "IncludeGlobalServiceEvents LogFileValidationEnabled"},
		{"other bucket", func(h *trail.Trail) { h.S3BucketName = "evil" }, "S3BucketName"},
		{"same bucket of another owner", func(h *trail.Trail) { h.S3BucketOwner = "444455556666" }, "S3BucketOwner"},
		{"other prefix", func(h *trail.Trail) { h.S3KeyPrefix = "" }, "S3KeyPrefix"},
		{"key removed", func(h *trail.Trail) { h.KmsKeyId = "" }, "KmsKeyId"},
		{"other key", func(h *trail.Trail) { h.KmsKeyId = "arn:aws:kms:eu-west-1:444455556666:key/2222" }, "KmsKeyId"},
		{"same key by id", func(h *trail.Trail) { h.KmsKeyId = "1111" }, ""},
		{"same topic by name", func(h *trail.Trail) { h.SnsTopicARN, h.SnsTopicName = "", "ct" }, ""},
		{"topic removed", func(h *trail.Trail) { h.SnsTopicARN = "" }, "SnsTopicName"},
		{"same group without star", func(h *trail.Trail) {
			h.CloudWatchLogsLogGroupArn = "arn:aws:logs:eu-west-1:111122223333:log-group:ct"
		}, ""},
		{"log group removed", func(h *trail.Trail) {
			h.CloudWatchLogsLogGroupArn, h.CloudWatchLogsRoleArn = "", ""
		}, "CloudWatchLogsLogGroupArn CloudWatchLogsRoleArn"},
		{"insights off", func(h *trail.Trail) { h.InsightSelectors = nil }, "InsightSelectors"},
		{"tag removed and one added", func(h *trail.Trail) { h.Tags = map[string]string{"other": "x"} }, "Tags.team"},
		{"tag changed", func(h *trail.Trail) { h.Tags = map[string]string{"team": "attack"} }, "Tags.team"},
		{"one up, one down", func(h *trail.Trail) {
			h.EventSelectors[0].DataResources[0].Values = []string{"arn:aws:s3"}
			h.EventSelectors[0].IncludeManagementEvents = false
		}, "EventSelectors"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want, have := good(), good()
			want.S3BucketOwner, have.S3BucketOwner = "111122223333", "111122223333"
			tc.change(&have)
			if diff := cmp.Diff(tc.want, fields(trail.Weakened(want, have))); diff != "" {
				t.Errorf("weakened fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWeakenedNeverTakesNewDestinationForBetter(t *testing.T) {
	want := trail.Trail{Name: "main", S3BucketName: "logs"}
	have := want
	have.KmsKeyId = "arn:aws:kms:eu-west-1:444455556666:key/2222"
	have.SnsTopicARN = "arn:aws:sns:eu-west-1:444455556666:x"
	have.CloudWatchLogsLogGroupArn = "arn:aws:logs:eu-west-1:111122223333:log-group:x"
	have.IsMultiRegionTrail = true
	if got := fields(trail.Weakened(want, have)); got != "KmsKeyId SnsTopicName CloudWatchLogsLogGroupArn" {
		t.Errorf("weakened fields are %q", got)
	}
}

func selectors(t *testing.T, text string) trail.Trail {
	t.Helper()
	var out trail.Trail
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	out.IsLogging = true
	return out
}

const (
	classicAll   = `{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true}]}`
	advancedAll  = `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]}`
	advancedNoKM = `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventSource","NotEquals":["kms.amazonaws.com"]}]}]}`
	s3Writes     = `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]},{"Field":"readOnly","Equals":["false"]},{"Field":"resources.ARN","StartsWith":["arn:aws:s3:::a/","arn:aws:s3:::b/"]}]}]}`
	networkS3    = `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},{"Field":"eventSource","Equals":["s3.amazonaws.com"]}]}]}`
)

func TestWeakenedSelectors(t *testing.T) {
	for _, tc := range []struct {
		name, want, have string
		lost             string // in the note, "" for covered
	}{
		{"none set is the default", `{}`, classicAll, ""},
		{"default dropped", `{}`, `{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":false,"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}]}]}`, "management read; management write"},
		{"classic as advanced", classicAll, advancedAll, ""},
		{"advanced as classic", advancedAll, classicAll, ""},
		{"read only", classicAll, `{"EventSelectors":[{"ReadWriteType":"ReadOnly","IncludeManagementEvents":true}]}`, "management write"},
		{"read and write apart", classicAll, `{"EventSelectors":[{"ReadWriteType":"ReadOnly","IncludeManagementEvents":true},{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true}]}`, ""},
		{"source excluded", classicAll, `{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"ExcludeManagementEventSources":["kms.amazonaws.com"]}]}`, "management read from kms.amazonaws.com; management write from kms.amazonaws.com"},
		{"source excluded before too", advancedNoKM, `{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"ExcludeManagementEventSources":["kms.amazonaws.com"]}]}`, ""},
		{"another source excluded", advancedNoKM, `{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"ExcludeManagementEventSources":["kms.amazonaws.com","rdsdata.amazonaws.com"]}]}`, "management read from rdsdata.amazonaws.com; management write from rdsdata.amazonaws.com"},
		{"exclusion lifted", advancedNoKM, advancedAll, ""},
		{"data resources kept in a wider selector", s3Writes, `{"EventSelectors":[{"ReadWriteType":"All","DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}]}]}`, ""},
		{"data resources by parts", s3Writes, `{"EventSelectors":[{"ReadWriteType":"All","DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::a/"]}]},{"ReadWriteType":"WriteOnly","DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::b/"]}]}]}`, ""},
		{"one prefix gone", s3Writes, `{"EventSelectors":[{"ReadWriteType":"All","DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::a/"]}]}]}`, "data write AWS::S3::Object of arn:aws:s3:::b/*"},
		{"prefix narrowed", s3Writes, `{"EventSelectors":[{"ReadWriteType":"All","DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::a/x","arn:aws:s3:::b/"]}]}]}`, "data write AWS::S3::Object of arn:aws:s3:::a/*"},
		{"all values emptied", s3Writes, `{"EventSelectors":[{"ReadWriteType":"All","DataResources":[{"Type":"AWS::S3::Object","Values":[]}]}]}`, "data write AWS::S3::Object of arn:aws:s3:::a/*; data write AWS::S3::Object of arn:aws:s3:::b/*"},
		{"a part excluded", s3Writes, `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]},{"Field":"resources.ARN","NotStartsWith":["arn:aws:s3:::b/secret"]}]}]}`, "data write AWS::S3::Object of arn:aws:s3:::b/*"},
		{"an event name excluded", networkS3, `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},{"Field":"eventSource","Equals":["s3.amazonaws.com"]},{"Field":"eventName","NotEquals":["PutObject"]}]}]}`, "networkactivity read from s3.amazonaws.com; networkactivity write from s3.amazonaws.com"},
		{"another service", networkS3, `{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},{"Field":"eventSource","Equals":["s3.amazonaws.com","kms.amazonaws.com"]}]}]}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := trail.Weakened(selectors(t, tc.want), selectors(t, tc.have))
			var note string
			for _, d := range got {
				note += d.Note
			}
			if want := tc.lost; want != "" {
				want = "not recorded any more: " + want
				if note != want {
					t.Errorf("note is %q, want %q", note, want)
				}
			} else if len(got) > 0 {
				t.Errorf("got %+v, want nothing", got)
			}
		})
	}
}

// TestHugeSelectors: what an attacker writes must not cost more than a moment.
func TestHugeSelectors(t *testing.T) {
	var s trail.FieldSelector
	var names trail.FieldSelector
	for i := range 3000 {
		s.StartsWith = append(s.StartsWith, strings.Repeat("x", i%50)+"y")
		names.Equals = append(names.Equals, strings.Repeat("z", i%60))
	}
	s.Field, names.Field = "resources.ARN", "eventName"
	huge := trail.Trail{AdvancedEventSelectors: []trail.AdvancedEventSelector{{FieldSelectors: []trail.FieldSelector{s, names}}}}
	got := trail.Weakened(huge, trail.Trail{})
	if len(got) != 1 || len(got[0].Note) > 20<<10 {
		t.Errorf("got %d differences, the first with a note of %d bytes", len(got), len(got[0].Note))
	}
}

func TestCanonical(t *testing.T) {
	a, b := good(), good()
	b.EventSelectors[0].DataResources[0].Values = []string{"arn:aws:s3:::b2/x", "arn:aws:s3:::crown/", "arn:aws:s3:::b2/x"}
	b.EventSelectors[0].ExcludeManagementEventSources = []string{}
	b.AdvancedEventSelectors = []trail.AdvancedEventSelector{}
	if got, want := string(b.JSON()), string(a.JSON()); got != want {
		t.Errorf("equal trails differ:\n%s\n%s", got, want)
	}
	var back trail.Trail
	if err := json.Unmarshal(a.JSON(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.Canonical(), back); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
}

func TestDesired(t *testing.T) {
	for name, last := range map[string]*trail.Trail{
		"nothing known":         nil,
		"a good one":            ptr(good()),
		"read only, classic":    {EventSelectors: []trail.EventSelector{{ReadWriteType: "ReadOnly", IncludeManagementEvents: true}}},
		"data only, classic":    {EventSelectors: []trail.EventSelector{{ReadWriteType: "ReadOnly", DataResources: []trail.DataResource{{Type: "AWS::S3::Object", Values: []string{"arn:aws:s3:::a/"}}}}}},
		"network only":          ptr(selectors(t, networkS3)),
		"advanced, without kms": ptr(selectors(t, advancedNoKM)),
	} {
		t.Run(name, func(t *testing.T) {
			got := trail.Desired(last)
			base := trail.Trail{IsLogging: true, IsMultiRegionTrail: true, IncludeGlobalServiceEvents: true, LogFileValidationEnabled: true}
			base.S3BucketName, base.S3KeyPrefix, base.KmsKeyId, base.SnsTopicARN = got.S3BucketName, got.S3KeyPrefix, got.KmsKeyId, got.SnsTopicARN
			base.CloudWatchLogsLogGroupArn, base.CloudWatchLogsRoleArn = got.CloudWatchLogsLogGroupArn, got.CloudWatchLogsRoleArn
			if d := trail.Weakened(base, got); len(d) > 0 {
				t.Errorf("falls short of the baseline: %+v", d)
			}
			if last != nil {
				last.IsLogging = false
				if d := trail.Weakened(*last, got); len(d) > 0 {
					t.Errorf("takes away: %+v", d)
				}
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestSeverityOverAllTrails(t *testing.T) {
	stopped := good()
	stopped.IsLogging = false
	second := good()
	second.Name, second.ARN = "second", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/second"
	singleRegion := second
	singleRegion.IsMultiRegionTrail = false
	managementOnly := second
	managementOnly.EventSelectors, managementOnly.InsightSelectors = nil, nil
	for _, tc := range []struct {
		name          string
		before, after []trail.Trail
		want          trail.Severity
		lost          string // one of the cells
	}{
		{"last one stopped", []trail.Trail{good()}, []trail.Trail{stopped}, trail.Critical, "management write, all regions"},
		{"last one deleted", []trail.Trail{good()}, nil, trail.Critical, "management read, global services"},
		{"an equal one is left", []trail.Trail{good(), second}, []trail.Trail{stopped, second}, trail.Medium, ""},
		{"a regional one is left", []trail.Trail{good(), singleRegion}, []trail.Trail{stopped, singleRegion}, trail.Critical, "management write, all regions"},
		{"one without data events is left", []trail.Trail{good(), managementOnly}, []trail.Trail{stopped, managementOnly}, trail.High, "data write AWS::S3::Object of arn:aws:s3:::crown/*, all regions"},
		{"a stopped one does not count", []trail.Trail{good(), stopped}, []trail.Trail{stopped, stopped}, trail.Critical, "management write, all regions"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lost := trail.Lost(tc.before, tc.after)
			var names []string
			for _, c := range lost {
				names = append(names, c.String())
			}
			if got := trail.SeverityOf(trail.Weakened(good(), stopped), lost); got != tc.want {
				t.Errorf("severity is %s, want %s; lost %q", got, tc.want, names)
			}
			if tc.lost == "" && len(names) > 0 || tc.lost != "" && !strings.Contains(strings.Join(names, "|"), tc.lost) {
				t.Errorf("lost %q, want %q", names, tc.lost)
			}
		})
	}
}

func TestCoverage(t *testing.T) {
	regional := trail.Trail{Name: "r", ARN: "arn:aws-cn:cloudtrail:cn-northwest-1:111122223333:trail/r", HomeRegion: "cn-northwest-1", IncludeGlobalServiceEvents: true, IsLogging: true}
	var got []string
	for _, c := range trail.Coverage([]trail.Trail{regional, {Name: "off"}}) {
		got = append(got, c.String())
	}
	want := []string{
		"management read, cn-northwest-1", "management read, global services",
		"management write, cn-northwest-1", "management write, global services",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("coverage (-want +got):\n%s", diff)
	}
}

func TestSeverityOfDifferences(t *testing.T) {
	for field, want := range map[string]trail.Severity{
		"LogFileValidationEnabled": trail.Medium, "KmsKeyId": trail.High, "S3BucketName": trail.High, "Tags.team": trail.Low, "IsOrganizationTrail": trail.Critical,
	} {
		if got := trail.SeverityOf([]trail.Difference{{Field: field}}, nil); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
	if got := trail.SeverityOf(nil, nil); got != trail.Low {
		t.Errorf("nothing is %s, want low", got)
	}
}
