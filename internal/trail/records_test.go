// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/thirdparty"
	"github.com/switchback-project/switchback/internal/trail"
)

var start = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

// record is a call on the minute n, with parameters as CloudTrail writes them.
func record(n int, name, request, response string) cloudtrail.Record {
	return cloudtrail.Record{
		EventID: cloudtrail.EventID(fmt.Sprintf("%s-%d", name, n)), EventName: name, EventSource: "cloudtrail.amazonaws.com",
		EventTime: start.Add(time.Duration(n) * time.Minute), AWSRegion: "eu-west-1", RecipientAccountID: "111122223333",
		RequestParameters: json.RawMessage(request), ResponseElements: json.RawMessage(response),
	}
}

func TestTargetOf(t *testing.T) {
	byName := record(1, "StopLogging", `{"name":"main"}`, `null`)
	failedByName := byName
	failedByName.ErrorCode = "InvalidHomeRegionException"
	elsewhere := record(1, "StopLogging", `{"name":"arn:aws-us-gov:cloudtrail:us-gov-west-1:444455556666:trail/org"}`, `null`)
	for _, tc := range []struct {
		name   string
		record cloudtrail.Record
		want   trail.Target
	}{
		{"name", byName, trail.Target{Name: "main", ARN: mainARN, Account: "111122223333", HomeRegion: "eu-west-1", IsCertain: true}},
		{"name, failed", failedByName, trail.Target{Name: "main", ARN: mainARN, Account: "111122223333", HomeRegion: "eu-west-1"}},
		{"ARN of another account and region", elsewhere, trail.Target{Name: "org", ARN: "arn:aws-us-gov:cloudtrail:us-gov-west-1:444455556666:trail/org", Account: "444455556666", HomeRegion: "us-gov-west-1", IsCertain: true}},
		{"response wins", record(1, "PutEventSelectors", `{"trailName":"org"}`, `{"trailARN":"arn:aws-cn:cloudtrail:cn-north-1:444455556666:trail/org"}`),
			trail.Target{Name: "org", ARN: "arn:aws-cn:cloudtrail:cn-north-1:444455556666:trail/org", Account: "444455556666", HomeRegion: "cn-north-1", IsCertain: true}},
		{"suffix of another partition", func() cloudtrail.Record {
			r := record(1, "StopLogging", `{"name":"arn:aws-cn:cloudtrail:cn-north-1:444455556666:trail/org"}`, `null`)
			r.EventSource = "cloudtrail.amazonaws.com.cn"
			return r
		}(), trail.Target{Name: "org", ARN: "arn:aws-cn:cloudtrail:cn-north-1:444455556666:trail/org", Account: "444455556666", HomeRegion: "cn-north-1", IsCertain: true}},
		{"tags", record(1, "AddTags", `{"resourceId":"`+mainARN+`","tagsList":[]}`, `null`), trail.Target{Name: "main", ARN: mainARN, Account: "111122223333", HomeRegion: "eu-west-1", IsCertain: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := trail.TargetOf(tc.record)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("target (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTargetOfRefuses(t *testing.T) {
	other := record(1, "StopLogging", `{"name":"main"}`, `null`)
	other.EventSource = "example.amazonaws.com"
	for name, r := range map[string]cloudtrail.Record{
		"another service":   other,
		"a read":            record(1, "GetTrailStatus", `{"name":"main"}`, `null`),
		"no parameters":     record(1, "StopLogging", `null`, `null`),
		"an event store":    record(1, "AddTags", `{"resourceId":"arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/x"}`, `null`),
		"an ARN of nothing": record(1, "DeleteTrail", `{"name":"arn:aws:s3:::x"}`, `null`),
	} {
		if got, err := trail.TargetOf(r); !errors.Is(err, trail.ErrNotAboutTrail) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	for name, r := range map[string]cloudtrail.Record{
		"omitted":        record(1, "UpdateTrail", `{"omitted":true}`, `null`),
		"of wrong shape": record(1, "UpdateTrail", `{"name":{}}`, `null`),
	} {
		if got, err := trail.TargetOf(r); err == nil || errors.Is(err, trail.ErrNotAboutTrail) {
			t.Errorf("%s: got %+v, %v; want an error that is not ErrNotAboutTrail", name, got, err)
		}
	}
}

const (
	created = `{"name":"main","s3BucketName":"logs-111122223333","isMultiRegionTrail":true,"enableLogFileValidation":true,"tagsList":[{"key":"team","value":"security"}]}`
	answer  = `{"name":"main","s3BucketName":"logs-111122223333","includeGlobalServiceEvents":true,"isMultiRegionTrail":true,"logFileValidationEnabled":true,"isOrganizationTrail":false,"kmsKeyId":"arn:aws:kms:eu-west-1:111122223333:key/1111","trailARN":"` + mainARN + `"}`
)

func TestRebuild(t *testing.T) {
	update := record(2, "UpdateTrail", `{"name":"main","snsTopicName":"ct","enableLogFileValidation":"true"}`, `{"snsTopicARN":"arn:aws:sns:eu-west-1:111122223333:ct","snsTopicName":"ct","trailARN":"`+mainARN+`"}`)
	failed := record(3, "UpdateTrail", `{"name":"main","s3BucketName":"evil"}`, `null`)
	failed.ErrorCode = "AccessDenied"
	foreign := record(3, "UpdateTrail", `{"name":"other","s3BucketName":"evil"}`, `null`)
	records := []cloudtrail.Record{
		record(6, "AddTags", `{"resourceId":"`+mainARN+`","tagsList":[{"key":"env","value":"prod"}]}`, `null`),
		record(5, "PutInsightSelectors", `{"trailName":"main","insightSelectors":[{"insightType":"ApiCallRateInsight"}]}`, `null`),
		record(4, "PutEventSelectors", `{"trailName":"main","advancedEventSelectors":[{"name":"Management","fieldSelectors":[{"field":"eventCategory","equals":["Management"]}]}]}`, `{"trailARN":"`+mainARN+`"}`),
		update, update, failed, foreign,
		record(1, "StartLogging", `{"name":"`+mainARN+`"}`, `null`),
		record(0, "CreateTrail", created, answer),
		record(7, "RemoveTags", `{"resourceId":"`+mainARN+`","tagsList":[{"key":"env"}]}`, `null`),
	}
	got, complete, gaps := trail.Rebuild(mainARN, records, nil)
	want := trail.Trail{
		Name: "main", ARN: mainARN, HomeRegion: "eu-west-1", S3BucketName: "logs-111122223333",
		SnsTopicName: "ct", SnsTopicARN: "arn:aws:sns:eu-west-1:111122223333:ct",
		IncludeGlobalServiceEvents: true, IsMultiRegionTrail: true, LogFileValidationEnabled: true,
		KmsKeyId:               "arn:aws:kms:eu-west-1:111122223333:key/1111",
		AdvancedEventSelectors: []trail.AdvancedEventSelector{{Name: "Management", FieldSelectors: []trail.FieldSelector{{Field: "eventCategory", Equals: []string{"Management"}}}}},
		InsightSelectors:       []trail.InsightSelector{{InsightType: "ApiCallRateInsight"}},
		Tags:                   map[string]string{"team": "security"},
		IsLogging:              true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trail (-want +got):\n%s", diff)
	}
	if !complete || len(gaps) > 0 {
		t.Errorf("complete is %t with gaps %q", complete, gaps)
	}
}

func TestRebuildNeverInvents(t *testing.T) {
	create := record(0, "CreateTrail", created, answer)
	for _, tc := range []struct {
		name    string
		records []cloudtrail.Record
		gap     string
	}{
		{"nothing", nil, "no CreateTrail record"},
		{"only an update", []cloudtrail.Record{record(1, "UpdateTrail", `{"name":"main"}`, answer)}, "no CreateTrail record"},
		{"deleted since", []cloudtrail.Record{create, record(1, "DeleteTrail", `{"name":"main"}`, `null`), record(2, "UpdateTrail", `{"name":"main"}`, answer)}, "no CreateTrail record"},
		{"selectors left out by AWS", []cloudtrail.Record{create, record(1, "PutEventSelectors", `{"omitted":true}`, `null`)}, "left them out"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, complete, gaps := trail.Rebuild(mainARN, tc.records, nil)
			if complete || !strings.Contains(strings.Join(gaps, "|"), tc.gap) {
				t.Errorf("complete is %t with gaps %q, want a gap %q", complete, gaps, tc.gap)
			}
		})
	}
}

func TestRebuildPassesOverSuspects(t *testing.T) {
	weaken := record(5, "UpdateTrail", `{"name":"main","isMultiRegionTrail":false}`, `null`)
	records := []cloudtrail.Record{record(0, "CreateTrail", created, answer), weaken}
	suspect := func(r cloudtrail.Record) bool { return !r.EventTime.Before(weaken.EventTime) }
	got, complete, gaps := trail.Rebuild(mainARN, records, suspect)
	if !got.IsMultiRegionTrail || !complete || len(gaps) != 1 {
		t.Errorf("multi-region %t, complete %t, gaps %q; want the weakening passed over and listed", got.IsMultiRegionTrail, complete, gaps)
	}
	got, _, _ = trail.Rebuild(mainARN, records, nil)
	if got.IsMultiRegionTrail {
		t.Error("without a suspect the update must count")
	}
}

// TestRebuildIsNotToldByTheSuspect: who deletes a trail and makes it anew, with a bucket of its own, does not thereby say
// what is to be restored.
func TestRebuildIsNotToldByTheSuspect(t *testing.T) {
	evil := strings.ReplaceAll(created, "logs-111122223333", "evil")
	gone, remade := record(5, "DeleteTrail", `{"name":"main"}`, `null`), record(6, "CreateTrail", evil, strings.ReplaceAll(answer, "logs-111122223333", "evil"))
	suspect := func(r cloudtrail.Record) bool { return !r.EventTime.Before(gone.EventTime) }
	got, complete, gaps := trail.Rebuild(mainARN, []cloudtrail.Record{record(0, "CreateTrail", created, answer), gone, remade}, suspect)
	if got.S3BucketName != "logs-111122223333" || !complete || len(gaps) != 2 {
		t.Errorf("bucket %q, complete %t, gaps %q; want the trail of before", got.S3BucketName, complete, gaps)
	}
	if _, complete, gaps = trail.Rebuild(mainARN, []cloudtrail.Record{gone, remade}, suspect); complete || len(gaps) == 0 {
		t.Errorf("complete %t, gaps %q; want what only the suspect says to be incomplete", complete, gaps)
	}
}

func TestJudge(t *testing.T) {
	for _, tc := range []struct {
		name, event, request string
		alone, known         trail.Answer
	}{
		{"stop", "StopLogging", `{"name":"main"}`, trail.Yes, trail.Yes},
		{"delete", "DeleteTrail", `{"name":"main"}`, trail.Yes, trail.Yes},
		{"start", "StartLogging", `{"name":"main"}`, trail.No, trail.No},
		{"no management events", "PutEventSelectors", `{"trailName":"main","eventSelectors":[{"includeManagementEvents":false,"readWriteType":"ReadOnly","dataResources":[]}]}`, trail.Yes, trail.Yes},
		{"all management events, data dropped", "PutEventSelectors", `{"trailName":"main","eventSelectors":[{"includeManagementEvents":true,"readWriteType":"All"}]}`, trail.Unclear, trail.Yes},
		{"advanced without management", "PutEventSelectors", `{"trailName":"main","advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Data"]},{"field":"resources.type","equals":["AWS::S3::Object"]}]}]}`, trail.Yes, trail.Yes},
		{"single region", "UpdateTrail", `{"name":"main","isMultiRegionTrail":false}`, trail.Yes, trail.Yes},
		{"validation off as text", "UpdateTrail", `{"name":"main","enableLogFileValidation":"false"}`, trail.Yes, trail.Yes},
		{"same bucket", "UpdateTrail", `{"name":"main","s3BucketName":"logs-111122223333"}`, trail.Unclear, trail.No},
		{"other bucket", "UpdateTrail", `{"name":"main","s3BucketName":"evil"}`, trail.Unclear, trail.Yes},
		{"other bucket, validation on", "UpdateTrail", `{"name":"main","s3BucketName":"evil","enableLogFileValidation":true}`, trail.Unclear, trail.Yes},
		{"key removed", "UpdateTrail", `{"name":"main","kmsKeyId":""}`, trail.Unclear, trail.Yes},
		{"nothing", "UpdateTrail", `{"name":"main"}`, trail.No, trail.No},
		{"insights off", "PutInsightSelectors", `{"trailName":"main","insightSelectors":[]}`, trail.Unclear, trail.Yes},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := record(1, tc.event, tc.request, `null`)
			alone, err := trail.Judge(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			known, err := trail.Judge(r, ptr(good()))
			if err != nil {
				t.Fatal(err)
			}
			if alone.Worse != tc.alone || known.Worse != tc.known {
				t.Errorf("alone %+v, known %+v; want %s and %s", alone, known, tc.alone, tc.known)
			}
		})
	}
}

// TestStratus holds target and judgement against recordings of real attacks.
func TestStratus(t *testing.T) {
	dir := thirdparty.Path(t, "stratus/raw")
	for file, name := range map[string]string{
		"aws.defense-evasion.cloudtrail-stop.json":            "StopLogging",
		"aws.defense-evasion.cloudtrail-delete.json":          "DeleteTrail",
		"aws.defense-evasion.cloudtrail-event-selectors.json": "PutEventSelectors",
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			var raw []json.RawMessage
			if err := json.Unmarshal(data, &raw); err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, one := range raw {
				r, err := cloudtrail.ParseRecord(one)
				if err != nil {
					t.Fatal(err)
				}
				if r.EventName != name {
					continue
				}
				found++
				target, err := trail.TargetOf(r)
				if err != nil || !target.IsCertain || !strings.HasPrefix(target.Name, "stratus-red-team-") || target.Account != r.RecipientAccountID {
					t.Errorf("target %+v, %v", target, err)
				}
				if got, err := trail.Judge(r, nil); err != nil || got.Worse != trail.Yes {
					t.Errorf("judgement %+v, %v", got, err)
				}
			}
			if found == 0 {
				t.Errorf("no %s in %s", name, file)
			}
		})
	}
}

func FuzzRecord(f *testing.F) {
	for _, name := range trail.Changes() {
		f.Add(name, created, answer)
		f.Add(name, `{"trailName":"main","eventSelectors":[{"dataResources":[{"type":"x","values":["arn:aws:s3"]}]}]}`, `null`)
		f.Add(name, `{"name":["main"],"isMultiRegionTrail":"false","omitted":1}`, `[]`)
	}
	f.Fuzz(func(t *testing.T, name, request, response string) {
		if !json.Valid([]byte(request)) || !json.Valid([]byte(response)) {
			t.Skip()
		}
		r := record(1, name, request, response)
		target, err := trail.TargetOf(r)
		if err != nil {
			return
		}
		last := good()
		if _, err := trail.Judge(r, &last); err != nil {
			return
		}
		got, _, _ := trail.Rebuild(target.ARN, []cloudtrail.Record{r}, nil)
		if got.ARN != target.ARN {
			t.Errorf("rebuilt %q of %q", got.ARN, target.ARN)
		}
		if string(got.JSON()) != string(got.Canonical().JSON()) {
			t.Error("canonical form is not stable")
		}
	})
}
