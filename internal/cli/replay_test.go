// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

// TestReplayStratus: the recordings of attacks on a real account. Every call that turns a trail off, or a log or policy
// beside it, is an incident with who, when, from where; nothing else is; and a line has the documented fields.
func TestReplayStratus(t *testing.T) {
	t.Parallel()
	dir := thirdparty.Path(t, "stratus/raw")
	status, out, errOut := switchback("replay", "--output", "json", dir)
	if status != exitFound || errOut != "" {
		t.Fatalf("exit status %d: %s", status, errOut)
	}
	got := map[string]replayed{}
	for line := range strings.Lines(out) {
		checkFields(t, line)
		var r replayed
		check(t, json.Unmarshal([]byte(line), &r))
		got[string(r.EventID)] = r
	}
	want := turnedOff(t, dir)
	if len(want) < 6 {
		t.Fatalf("only %d calls that turn something off were recorded", len(want))
	}
	for id, record := range want {
		r, ok := got[id]
		outcome := "succeeded"
		if record.Failed() {
			outcome = "attempted"
		}
		if !ok || r.EventName != record.EventName || !r.EventTime.Equal(record.EventTime) || r.SourceIP != record.SourceIPAddress ||
			r.Principal != record.UserIdentity.ARN || string(r.Outcome) != outcome || r.Runbook != blinding[r.EventName] || r.Human != "christophe" {
			t.Errorf("%s %s: incident is %+v", record.EventName, id, r)
		}
		delete(got, id)
	}
	for id, r := range got {
		t.Errorf("an incident for what is none: %s %+v", id, r)
	}
}

// checkFields compares the fields of a line with those of the documentation, in its order.
func checkFields(t *testing.T, line string) {
	t.Helper()
	want := []string{
		"runbook", "trigger", "severity", "outcome", "event_id", "event_name", "event_time", "account", "region", "principal", "human",
		"source_ip", "count", "actions",
	}
	d := json.NewDecoder(strings.NewReader(line))
	_, err := d.Token() // {
	check(t, err)
	var got []string
	for d.More() {
		name, err := d.Token()
		check(t, err)
		got = append(got, name.(string))
		var skip any
		check(t, d.Decode(&skip))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// blinding are the calls of the recordings that turn something off, and the runbook that answers.
var blinding = map[string]string{
	"StopLogging": "cloudtrail-off", "DeleteTrail": "cloudtrail-off", "UpdateTrail": "cloudtrail-off", "PutEventSelectors": "cloudtrail-off",
	"DeleteFlowLogs": "detector-off", "DeleteResolverQueryLogConfig": "detector-off", "LeaveOrganization": "detector-off",
}

// turnedOff are the recorded calls that turn something off, found without any pattern of ours.
func turnedOff(t *testing.T, dir string) map[string]cloudtrail.Record {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	check(t, err)
	all := map[string]cloudtrail.Record{}
	for _, file := range files {
		f, err := os.Open(file)
		check(t, err)
		for d := cloudtrail.NewDecoder(f, cloudtrail.Limits{}); ; {
			item, err := d.Next()
			if err != nil {
				break
			}
			if blinding[item.Record.EventName] != "" {
				all[string(item.Record.EventID)] = item.Record
			}
		}
		check(t, f.Close())
	}
	return all
}

// TestReplayIsHarmless: what an attacker wrote into an event does not reach the terminal as it is.
func TestReplayIsHarmless(t *testing.T) {
	t.Parallel()
	evil := "\x1b[2J\u202e"
	quoted, err := json.Marshal(evil)
	check(t, err)
	inside := strings.Trim(string(quoted), `"`)
	file := writeFile(t, t.TempDir(), "evil.json", `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/`+inside+`","accountId":"111122223333","userName":"`+inside+`"},
		"eventTime":"2026-05-04T10:11:12Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"`+inside+`","sourceIPAddress":"`+inside+`","userAgent":"`+inside+`",
		"requestParameters":{"name":"`+inside+`"},"requestID":"r","eventID":"event-`+inside+`","eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`)
	status, out, errOut := switchback("replay", file)
	if status == exitFine {
		t.Errorf("exit status %d", status)
	}
	if text := out + errOut; strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("printed as it was written: %s", identity.Printable(text, 4000))
	}
}
