// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package guide_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/switchback-project/switchback/internal/action/guide"
	_ "github.com/switchback-project/switchback/internal/action/notify"
	_ "github.com/switchback-project/switchback/internal/action/report"
	"github.com/switchback-project/switchback/internal/action/tellingtest"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/report"
	"github.com/switchback-project/switchback/internal/route"
)

// event is a call as it was recorded.
func event(source, name, parameters, rest string) string {
	return `{"eventVersion":"1.11","eventID":"0a6c6a43-0000-4000-8000-00000000000a","eventName":"` + name + `","eventSource":"` + source +
		`.amazonaws.com","eventTime":"2026-05-04T10:11:12Z","awsRegion":"eu-west-1","recipientAccountId":"111122223333","requestParameters":` +
		parameters + rest + `,"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/mallory","userName":"mallory"}}`
}

// world has an incident of the event.
func world(t *testing.T, text string, outcome incident.Outcome) *tellingtest.World {
	t.Helper()
	w := tellingtest.New(t)
	w.Reporter = &report.Writer{
		Builder: report.Builder{Store: w.DB, Timeline: w.DB, Undos: w.DB, Outbox: w.DB}, Dir: t.TempDir(),
	}
	inc, _, err := w.DB.Admit(t.Context(), incident.Candidate{
		Key: incident.Key{
			Runbook: "detector-off", Account: "111122223333", EventName: "x", Outcome: outcome, Resource: "r",
		},
		Title: "x on r", Trigger: "x", Severity: incident.High, Region: "eu-west-1", Event: "0a6c6a43-0000-4000-8000-00000000000a",
		Envelope: json.RawMessage(text), OccurredAt: tellingtest.Occurred, ReceivedAt: tellingtest.Occurred.Add(4 * time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.ID = inc.ID
	return w
}

func TestWrite(t *testing.T) {
	t.Parallel()
	const detector = `{"detectorId":"12abc"}`
	for name, test := range map[string]struct {
		event     string
		outcome   incident.Outcome
		class     route.Class
		whoCan    bool
		commands  int
		contained bool
	}{
		"guide":         {event("guardduty", "DeleteDetector", detector, ""), incident.Succeeded, route.ClassGuide, true, 2, false},
		"alert":         {event("cloudtrail", "CreateTrail", `{"name":"backup"}`, ""), incident.Succeeded, route.ClassAlert, false, 2, true},
		"attempt":       {event("guardduty", "DeleteDetector", detector, `,"errorCode":"AccessDenied"`), incident.Attempted, route.ClassGuide, false, 0, false},
		"alert refused": {event("cloudtrail", "CreateTrail", `{"name":"backup"}`, `,"errorCode":"AccessDenied"`), incident.Attempted, route.ClassAlert, false, 0, false},
		"unknown":       {event("guardduty", "GetDetector", detector, ""), incident.Succeeded, route.ClassAlert, false, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world(t, test.event, test.outcome)
			var out route.Guide
			for range 2 { // again, as after a kill
				if err := w.Run(t, "guide:Write", "v", `{}`, &out); err != nil {
					t.Fatal(err)
				}
			}
			if out.Class != test.class || (out.WhoCan != "") != test.whoCan || len(out.Commands) != test.commands {
				t.Errorf("got %+v", out)
			}
			inc := w.Incident(t)
			if kept, ok := route.GuideOf(inc.Facts); !ok || kept.What != out.What {
				t.Errorf("the incident keeps %+v", kept)
			}
			if got := !inc.Times.Contained.IsZero(); got != test.contained {
				t.Errorf("contained: %t", got)
			}
			if n := strings.Count(strings.Join(w.Entries(t), "\n"), "commands for a person"); n != 1 {
				t.Errorf("%d entries on the timeline", n)
			}
		})
	}
}

// Security is told what to run, and so is the report; the person behind the call is not.
func TestWhoIsToldTheCommands(t *testing.T) {
	t.Parallel()
	w := world(t, event("guardduty", "UpdateDetector", `{"detectorId":"x'; echo <b>","enable":false}`, ""), incident.Succeeded)
	var ignored any
	for _, step := range [][2]string{
		{"guide:Write", `{}`},
		{"notify:Send", `{"to":"security"}`},
		{"notify:Send", `{"to":"person","people":[{"name":"Mallory","email":"mallory@example.com","source":"file"}]}`},
	} {
		if err := w.Run(t, step[0], step[0]+step[1], step[1], &ignored); err != nil {
			t.Fatal(err)
		}
	}
	const command = `aws guardduty get-detector --detector-id 'x'\''; echo <b>' --region 'eu-west-1'`
	messages := w.Channel.Messages()
	if len(messages) != 2 {
		t.Fatalf("%d messages", len(messages))
	}
	for _, m := range messages {
		if got, want := strings.Contains(m.Text, command), m.Kind == incident.ToSecurity; got != want {
			t.Errorf("%s is told the command: %t\n%s", m.Kind, got, m.Text)
		}
		if strings.Contains(m.HTML, "<b>") {
			t.Errorf("%s: markup of the event in %s", m.Kind, m.HTML)
		}
	}
	var written struct{ Artefacts []incident.Artefact }
	if err := w.Run(t, "report:Write", "r", `{"stage":"final"}`, &written); err != nil {
		t.Fatal(err)
	}
	for _, a := range written.Artefacts {
		text, err := os.ReadFile(a.Path)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"report.md": "\n    " + command + "\n", "report.html": "aws guardduty get-detector", "report.json": `"guide": {`}[a.Name]
		if want == "" || !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q", a.Name, want)
		}
		if strings.HasSuffix(a.Name, ".html") && strings.Contains(string(text), "<b>") {
			t.Errorf("%s holds markup of the event", a.Name)
		}
	}
}
