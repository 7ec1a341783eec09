// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/route"
)

// record is the event record of a call.
func record(t testing.TB, service, name string, fields map[string]any) cloudtrail.Record {
	t.Helper()
	all := map[string]any{
		"eventVersion": "1.11", "eventID": "00000000-0000-4000-8000-000000000001", "eventSource": service + ".amazonaws.com", "eventName": name,
		"awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "eventType": "AwsApiCall", "eventTime": "2026-05-04T09:00:00Z",
	}
	for k, v := range fields {
		all[k] = v
	}
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	r, err := cloudtrail.ParseRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func example(t testing.TB, r *route.Route) cloudtrail.Record {
	t.Helper()
	return record(t, r.Service, r.Event, map[string]any{"requestParameters": r.Example})
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range route.Sections() {
		if s.Title == "" || s.Runbook == "" || len(s.Routes) == 0 {
			t.Errorf("section %q lacks a title, a runbook or routes", s.Title)
		}
		for _, r := range s.Routes {
			checkRoute(t, r)
			if seen[r.ID()] {
				t.Errorf("%s stands there twice", r.ID())
			}
			seen[r.ID()] = true
		}
	}
	if len(seen) < 130 {
		t.Errorf("only %d routes", len(seen))
	}
}

func checkRoute(t *testing.T, r *route.Route) {
	t.Helper()
	switch r.Class {
	case route.ClassRestore, route.ClassSubstitute:
		if len(r.Commands) > 0 || r.Who != "" {
			t.Errorf("%s is put back by itself: nobody has to run commands", r.ID())
		}
	case route.ClassGuide, route.ClassAlert:
		if len(r.Commands) == 0 || r.Who == "" || r.What == "" {
			t.Errorf("%s lacks commands, who may run them, or what is so", r.ID())
		}
	default:
		t.Errorf("%s: %q is no class", r.ID(), r.Class)
	}
	event := example(t, r)
	if !slices.Contains(route.Match(r.Runbook, event), r) {
		t.Errorf("the example of %s does not take it", r.ID())
	}
	if r.Resource != "" && route.Resource(event) == "" {
		t.Errorf("the example of %s does not say what it is about", r.ID())
	}
	for _, command := range r.Guide(event).Commands {
		if strings.Contains(command, "${") || len(command) > 500 {
			t.Errorf("%s: %s", r.ID(), command)
		}
	}
}

func TestMatchGoesByWhatTheCallSays(t *testing.T) {
	parameters := func(v any) map[string]any { return map[string]any{"requestParameters": v} }
	off := parameters(map[string]any{"detectorId": "1", "enable": false})
	for name, test := range map[string]struct {
		event cloudtrail.Record
		want  []string
	}{
		"turned off":           {record(t, "guardduty", "UpdateDetector", off), []string{"detector-off: guardduty UpdateDetector"}},
		"still on":             {record(t, "guardduty", "UpdateDetector", parameters(map[string]any{"enable": true})), nil},
		"another service":      {record(t, "waf", "UpdateDetector", off), nil},
		"no parameters":        {record(t, "guardduty", "UpdateDetector", nil), nil},
		"former name":          {record(t, "macie", "DisableMacie", nil), []string{"detector-off: macie2 DisableMacie"}},
		"not about a detector": {record(t, "organizations", "DisableAWSServiceAccess", parameters(map[string]any{"servicePrincipal": "ram.amazonaws.com"})), nil},
		"of Lambda":            {record(t, "lambda", "UpdateFunctionCode20150331v2", nil), []string{"responder-tampered: lambda UpdateFunctionCode20150331v2"}},
		"another version":      {record(t, "lambda", "UpdateFunctionCode20300101v11", nil), []string{"responder-tampered: lambda UpdateFunctionCode20150331v2"}},
		"without one":          {record(t, "lambda", "UpdateFunctionCode", nil), []string{"responder-tampered: lambda UpdateFunctionCode20150331v2"}},
		"a longer name":        {record(t, "lambda", "UpdateFunctionCodeSigning20150331", nil), nil},
		"a number, no date":    {record(t, "guardduty", "DeleteDetector2", nil), nil},
		"two routes at once": {record(t, "cloudtrail", "UpdateTrail", parameters(map[string]any{"name": "main", "isMultiRegionTrail": false, "kmsKeyId": ""})), []string{
			"cloudtrail-off: cloudtrail UpdateTrail (one region only)", "cloudtrail-off: cloudtrail UpdateTrail (another key)",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range route.Match("", test.event) {
				got = append(got, r.ID())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("routes (-want +got):\n%s", diff)
			}
		})
	}
}

func guide(t testing.TB, event cloudtrail.Record) route.Guide {
	t.Helper()
	routes := route.Match("", event)
	if len(routes) == 0 {
		t.Fatalf("%s took no route", event.EventName)
	}
	return routes[0].Guide(event)
}

func TestGuide(t *testing.T) {
	got := guide(t, record(t, "guardduty", "StopMonitoringMembers", map[string]any{
		"requestParameters": map[string]any{"DetectorID": "12abc", "accountIds": []string{"444455556666", "it's"}},
	}))
	want := route.Guide{
		Route: "detector-off: guardduty StopMonitoringMembers", Class: route.ClassGuide, What: "accounts are no longer watched by GuardDuty",
		WhoCan:   "an administrator of the account that administers the detector for the organization",
		Commands: []string{`aws guardduty start-monitoring-members --detector-id '12abc' --account-ids '444455556666' 'it'\''s' --region 'eu-west-1'`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("guide (-want +got):\n%s", diff)
	}
}

func TestGuideOfAnAttemptHasNothingToRun(t *testing.T) {
	got := guide(t, record(t, "guardduty", "DeleteDetector", map[string]any{
		"requestParameters": map[string]any{"detectorId": "1"}, "errorCode": "AccessDenied",
	}))
	if len(got.Commands) > 0 || got.WhoCan != "" || !strings.Contains(got.What, "refused") || len(got.Notes) != 1 {
		t.Errorf("got %+v", got)
	}
}

// What an attacker may want to be taken for something else than a value is left to people, saying so.
func TestValuesThatAreNotUsed(t *testing.T) {
	for name, value := range map[string]any{
		"option":       "--endpoint-url=https://198.51.100.7",
		"file":         "file:///etc/passwd",
		"binary file":  "FILEB:///etc/passwd",
		"page":         "https://198.51.100.7/x",
		"JSON":         `{"a":1}`,
		"line break":   "a\nrm -rf ~",
		"escape":       "\x1b[2J",
		"bidi":         "a\u202eb",
		"long":         strings.Repeat("a", 257),
		"empty":        "",
		"object":       map[string]any{"a": 1},
		"missing":      nil,
		"two of one":   []string{"a", "--b"},
		"far too many": slices.Repeat([]string{"a"}, 21),
	} {
		t.Run(name, func(t *testing.T) {
			got := guide(t, record(t, "config", "StopConfigurationRecorder", map[string]any{
				"requestParameters": map[string]any{"configurationRecorderName": value},
			}))
			const want = "aws configservice start-configuration-recorder --configuration-recorder-name CONFIGURATION_RECORDER_NAME --region 'eu-west-1'"
			if got.Commands[1] != want || len(got.Notes) != 1 || !strings.HasPrefix(got.Notes[0], "CONFIGURATION_RECORDER_NAME: ") {
				t.Errorf("got %q, %q", got.Commands[1], got.Notes)
			}
		})
	}
}

// A value may not break out of the member of a shorthand list that it stands in.
func TestValuesInsideAWord(t *testing.T) {
	for value, want := range map[string]string{
		"default":             `'name=default,roleARN=ROLE_ARN'`,
		"x,roleARN=attackers": `'name=CONFIGURATION_RECORDER_NAME,roleARN=ROLE_ARN'`,
	} {
		got := guide(t, record(t, "config", "DeleteConfigurationRecorder", map[string]any{
			"requestParameters": map[string]any{"configurationRecorderName": value},
		}))
		if !strings.Contains(got.Commands[0], want) {
			t.Errorf("%q: got %s", value, got.Commands[0])
		}
	}
}

func TestLongCommandsAreLeftToPeople(t *testing.T) {
	got := guide(t, record(t, "guardduty", "StopMonitoringMembers", map[string]any{
		"requestParameters": map[string]any{"detectorId": "12abc", "accountIds": slices.Repeat([]string{strings.Repeat("'", 100)}, 10)},
	}))
	if want := "aws guardduty start-monitoring-members --detector-id DETECTOR_ID --account-ids ACCOUNT_IDS --region REGION"; got.Commands[0] != want {
		t.Errorf("got %s", got.Commands[0])
	}
}

// A shell sees exactly the words that were meant, whatever the event says.
func TestAShellSeesOneWord(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no POSIX shell here")
	}
	for _, value := range []string{
		"12abc", "x'; echo pwned #", "$(echo pwned)", "`echo pwned`", `\'; echo pwned`, `a" b`, "*", "~", "a&&b|c>d", "!!", "'", "''", `x'"'"'`, "${HOME}", "%s%n",
	} {
		command := guide(t, record(t, "guardduty", "UpdateIPSet", map[string]any{
			"requestParameters": map[string]any{"detectorId": value, "ipSetId": "1"},
		})).Commands[0]
		arguments, ok := strings.CutPrefix(command, "aws ")
		if !ok {
			t.Fatal(command)
		}
		out, err := exec.CommandContext(t.Context(), shell, "-c", `printf '%s\n' `+arguments).CombinedOutput()
		want := strings.Join([]string{"guardduty", "get-ip-set", "--detector-id", value, "--ip-set-id", "1", "--region", "eu-west-1", ""}, "\n")
		if err != nil || string(out) != want {
			t.Errorf("%q: %v:\n%s", value, err, out)
		}
	}
}

func TestResource(t *testing.T) {
	for name, test := range map[string]struct {
		event cloudtrail.Record
		want  string
	}{
		"ARN":           {record(t, "guardduty", "DeleteDetector", map[string]any{"requestParameters": map[string]any{"detectorId": "1a"}}), "arn:aws:guardduty:eu-west-1:111122223333:detector/1a"},
		"partition":     {record(t, "guardduty", "DeleteDetector", map[string]any{"awsRegion": "cn-north-1", "requestParameters": map[string]any{"detectorId": "1a"}}), "arn:aws-cn:guardduty:cn-north-1:111122223333:detector/1a"},
		"invisible":     {record(t, "guardduty", "DeleteDetector", map[string]any{"requestParameters": map[string]any{"detectorId": "1\u202ea"}}), "arn:aws:guardduty:eu-west-1:111122223333:detector/1[U+202E]a"},
		"ARN for name":  {record(t, "cloudtrail", "PutEventConfiguration", map[string]any{"requestParameters": map[string]any{"trailName": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}}), "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"},
		"foreign ARN":   {record(t, "guardduty", "DeleteDetector", map[string]any{"requestParameters": map[string]any{"detectorId": "arn:aws:cloudtrail:eu-west-1:444455556666:trail/x"}}), "arn:aws:guardduty:eu-west-1:111122223333:detector/arn:aws:cloudtrail:eu-west-1:444455556666:trail/x"},
		"not said":      {record(t, "guardduty", "DeleteDetector", nil), ""},
		"not a route":   {record(t, "ec2", "RunInstances", nil), ""},
		"nothing there": {record(t, "s3", "PutBucketPolicy", map[string]any{"requestParameters": map[string]any{"bucketName": "b"}}), ""},
	} {
		if got := route.Resource(test.event); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// Whatever stands in an event, a command has as many words as its template, or as the lists that it names.
func FuzzGuide(f *testing.F) {
	for _, seed := range []string{`"12abc"`, `"'"`, `"x'; y"`, `["a","b c"]`, `{"a":1}`, `1e9`, `null`, `"\\"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !json.Valid([]byte(value)) {
			t.Skip()
		}
		for _, s := range route.Sections() {
			for _, r := range s.Routes {
				if r.Event != "StopMonitoringMembers" && r.Event != "DeleteConfigurationRecorder" {
					continue
				}
				event := example(t, r)
				event.RequestParameters = json.RawMessage(`{"detectorId":` + value + `,"accountIds":` + value + `,"configurationRecorderName":` + value + `}`)
				for _, command := range r.Guide(event).Commands {
					checkWords(t, command)
				}
			}
		}
	})
}

// checkWords parses as a shell does where only single quotes and \' are special, and lets nothing else special pass.
func checkWords(t *testing.T, command string) {
	t.Helper()
	quoted := false
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case c == '\'':
			quoted = !quoted
		case c < ' ' || c > '~':
			t.Fatalf("%q holds %q", command, c)
		case quoted:
		case c == '\\' && strings.HasPrefix(command[i:], `\''`):
			i++
		case strings.IndexByte("\\$`\"|&;<>(){}*?!~#", c) >= 0:
			t.Fatalf("%q: %q is outside of quotes", command, c)
		}
	}
	if quoted {
		t.Fatalf("%q ends inside quotes", command)
	}
}
