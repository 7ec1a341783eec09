// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/report"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/trail"
)

var update = flag.Bool("update", false, "write the golden files")

var occurred = time.Date(2026, 5, 4, 10, 11, 12, 0, time.UTC)

const evil = "<script>alert(1)</script>|[x](javascript:alert(1))\n# heading `code` ![i](http://evil.example.com/i.png) www.evil.example.com \u202e"

// story fills a store with one incident; text is what an attacker could choose.
type story struct {
	text    string
	outcome incident.Outcome
	// until is how far it went: "opened", "contained", "proven".
	until string
}

func (s story) tell(t *testing.T) (*sqlite.DB, incident.ID) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	inc, _, err := db.Admit(t.Context(), s.candidate(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.until != "opened" {
		s.goOn(t, db, inc.ID)
	}
	return db, inc.ID
}

func (s story) candidate(t *testing.T) incident.Candidate {
	t.Helper()
	record := map[string]any{
		"eventVersion": "1.11", "eventID": "0a6c6a43-0000-4000-8000-000000000002", "eventName": "StopLogging",
		"eventSource": "cloudtrail.amazonaws.com", "eventTime": "2026-05-04T10:11:12Z", "awsRegion": "eu-west-1",
		"sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.17.60 os/linux" + s.text, "recipientAccountId": "111122223333",
		"userIdentity": map[string]any{
			"type": "AssumedRole", "principalId": "AROAEXAMPLE:s" + s.text, "accountId": "111122223333", "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
			"arn":            "arn:aws:sts::111122223333:assumed-role/Admin/s" + s.text,
			"sessionContext": map[string]any{"attributes": map[string]any{"creationDate": "2026-05-04T10:00:00Z", "mfaAuthenticated": "true"}},
		},
		"requestParameters": map[string]any{"name": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main" + s.text},
	}
	if s.outcome == incident.Attempted {
		record["errorCode"], record["errorMessage"] = "AccessDenied", "not you"+s.text
	}
	raw, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return incident.Candidate{
		Key: incident.Key{
			Runbook: "cloudtrail-off", Account: "111122223333", EventName: "StopLogging", Outcome: s.outcome,
			Resource: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main" + s.text,
		},
		Title: "StopLogging on main" + s.text, Trigger: "logging stopped", Severity: incident.Critical, Region: "eu-west-1",
		Event: "0a6c6a43-0000-4000-8000-000000000002", Envelope: raw,
		OccurredAt: occurred, Delivered: occurred.Add(3 * time.Second), ReceivedAt: occurred.Add(4 * time.Second),
	}
}

// blind are windows of every outcome.
func (s story) blind(id incident.ID) []incident.BlindWindow {
	window := func(class string) incident.BlindWindow {
		return incident.BlindWindow{Incident: id, Trail: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", BlindWindow: trail.BlindWindow{
			Account: "111122223333", Region: "all regions", Class: class + s.text, Lost: occurred,
			Found: occurred.Add(5200 * time.Millisecond), Proven: occurred.Add(6 * time.Minute),
		}}
	}
	write := window("management write")
	write.Backfilled = occurred.Add(7 * time.Minute)
	data := window("data write AWS::S3::Object")
	data.Found, data.Proven = time.Time{}, time.Time{}
	return []incident.BlindWindow{write, window("management read"), data}
}

// goOn contains, tells, and, where the story goes so far, proves.
func (s story) goOn(t *testing.T, db *sqlite.DB, id incident.ID) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := db.Update(ctx, id, func(i *incident.Incident) error {
		i.Times.HumanReached, i.Times.Reported = occurred.Add(10*time.Second), occurred.Add(20*time.Second)
		i.Who = incident.Who{
			Principal: "arn:aws:sts::111122223333:assumed-role/Admin/s" + s.text, SessionKey: "ASIAIOSFODNN7EXAMPLE", Status: "resolved",
			Human: "alice" + s.text, HumanARN: "arn:aws:iam::111122223333:user/alice",
			Chain: []string{"arn:aws:sts::111122223333:assumed-role/Admin/s" + s.text, "arn:aws:iam::111122223333:user/alice", "alice" + s.text},
		}
		i.Summary = "alice" + s.text + " through role session Admin/s called StopLogging on main"
		i.Facts = map[string]json.RawMessage{"report": json.RawMessage(`{"stage":"provisional"}`)}
		i.Open = []string{"delivery is not proven yet" + s.text}
		if s.outcome == incident.Succeeded {
			i.Times.Contained = occurred.Add(5200 * time.Millisecond)
		}
		if s.until == "proven" {
			i.Times.Proven, i.Open, i.Status, i.AcknowledgedBy = occurred.Add(6*time.Minute), nil, incident.Closed, "bob"+s.text
			i.Facts["report"] = json.RawMessage(`{"stage":"final"}`)
		}
		return nil
	})
	must(err)
	for state, output := range map[string]string{
		"Gather": `{"earlier_attempts":0,"note":` + quoted(t, s.text) + `}`, "Assess": `{"verdict":"stopped"}`,
		"TooLarge": `"` + strings.Repeat("x", 20_000) + `"`,
	} {
		must(db.PutFinding(ctx, id, state, json.RawMessage(output)))
	}
	call, err := json.Marshal(gate.Call{
		ID: "c1", Action: "cloudtrail:StartLogging", Service: "CloudTrail", Operation: "StartLogging", Account: "111122223333",
		Target: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main" + s.text, Region: "eu-west-1", IsMutation: true,
		Outcome: gate.Sent, RequestID: "5d1c0e6a", StartedAt: occurred.Add(5 * time.Second), Reason: s.text,
	})
	must(err)
	must(db.Append(ctx,
		incident.Entry{Incident: id, At: occurred.Add(4 * time.Second), Kind: incident.EntryEvent, Text: "StopLogging arrived" + s.text},
		incident.Entry{Incident: id, At: occurred.Add(5 * time.Second), Kind: incident.EntryCall, Text: "CloudTrail.StartLogging: sent", Data: call},
		incident.Entry{Incident: id, At: occurred.Add(5200 * time.Millisecond), Kind: incident.EntryProof, Text: "the trail is logging again"},
	))
	if s.until == "proven" {
		must(db.PutBlindWindows(ctx, s.blind(id)...))
	}
	_, err = db.RecordUndo(ctx, incident.Undo{
		Incident: id, Key: "x/StartLogging/1", Action: "cloudtrail:StartLogging", Account: "111122223333", Region: "eu-west-1", Lowers: true,
		Target: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main" + s.text, Params: json.RawMessage(`{}`), Before: json.RawMessage(`{}`),
		CreatedAt: occurred.Add(5 * time.Second),
	})
	must(err)
	must(db.MarkDone(ctx, id, "x/StartLogging/1"))
	must(db.RecordDelivery(ctx, id, incident.Delivery{
		Message: "m1", Kind: incident.ToSecurity, Channel: "smtp", To: []string{"security@example.com"}, Accepted: true,
		ReachesHuman: true, Attempts: 1, At: occurred.Add(10 * time.Second),
	}))
	must(db.RecordDelivery(ctx, id, incident.Delivery{
		Message: "m2", Kind: incident.ToPerson, Channel: "slack", Attempts: 4, Error: "slack answered 500" + s.text, At: occurred.Add(15 * time.Second),
	}))
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	out, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func builder(db *sqlite.DB) report.Builder {
	return report.Builder{Store: db, Timeline: db, Findings: db, Blind: db, Undos: db, Outbox: db, Objectives: func(string) report.Objectives {
		return report.Objectives{Contained: 30 * time.Second, HumanReached: 5 * time.Second, Report: 10 * time.Minute}
	}}
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]story{
		"opened":    {"", incident.Succeeded, "opened"},
		"contained": {"", incident.Succeeded, "contained"},
		"proven":    {"", incident.Succeeded, "proven"},
		"attempted": {"", incident.Attempted, "contained"},
		"hostile":   {evil, incident.Succeeded, "proven"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, id := s.tell(t)
			first, err := builder(db).Build(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			again, err := builder(db).Build(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for form, write := range forms {
				text := render(t, write, first)
				golden(t, name+"."+form, text)
				if !bytes.Equal(text, render(t, write, again)) {
					t.Errorf("%s differs when it is written twice", form)
				}
			}
		})
	}
}

var forms = map[string]func(report.Report) ([]byte, error){"md": report.Markdown, "html": report.HTML, "json": report.JSON}

func render(t *testing.T, write func(report.Report) ([]byte, error), r report.Report) []byte {
	t.Helper()
	text, err := write(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// The page must need nothing from outside, run nothing, and be shown under its own policy.
func TestHTMLIsSelfContained(t *testing.T) {
	t.Parallel()
	db, id := story{evil, incident.Succeeded, "proven"}.tell(t)
	r, err := builder(db).Build(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	page := string(render(t, report.HTML, r))
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	if want := "sha256-" + base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(strings.ReplaceAll(page, "&#43;", "+"), want) {
		t.Errorf("the policy does not allow the style: want %s", want)
	}
	for _, tag := range regexp.MustCompile(`<[a-zA-Z!/][^>]*>`).FindAllString(page, -1) {
		if regexp.MustCompile(`(?i)\s(src|href|style|on\w+|action)=|<(script|img|iframe|link|object|a|form)\b`).MatchString(tag) {
			t.Errorf("tag %s", tag)
		}
	}
	if strings.ContainsAny(page, "\u202e") || strings.Contains(page, "<script") {
		t.Error("the attacker's text went through")
	}
}

// What an attacker wrote must stay text in Markdown.
func TestMarkdownIsText(t *testing.T) {
	t.Parallel()
	db, id := story{evil, incident.Succeeded, "proven"}.tell(t)
	r, err := builder(db).Build(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	text := string(render(t, report.Markdown, r))
	markup := regexp.MustCompile("[^\\\\](<script|\\]\\(|!\\[|`code)|://|www\\.e")
	cell := regexp.MustCompile(`[^\\]\|`)
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "    ") {
			continue // a code block
		}
		if found := markup.FindString(line); found != "" {
			t.Errorf("%q in %q", found, line)
		}
		if cells := len(cell.FindAllString(line, -1)); strings.HasPrefix(line, "| Who |") && cells != 2 {
			t.Errorf("%d cells in %q", cells, line)
		}
	}
	if strings.Contains(text, "\u202e") || strings.Contains(text, "\n# heading") {
		t.Error("the attacker's text went through")
	}
}

func TestReportHoldsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	db, id := story{"", incident.Succeeded, "proven"}.tell(t)
	r, err := builder(db).Build(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for form, write := range forms {
		text := string(render(t, write, r))
		for _, want := range []string{
			"arn:aws:sts::111122223333:assumed-role/Admin/s", "2026-05-04", "10:11:12", "198.51.100.7", "alice", "6m0s", "5.2s", "StartLogging",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not hold %s", form, want)
			}
		}
	}
}

func TestBuildUnknown(t *testing.T) {
	t.Parallel()
	db, _ := story{"", incident.Succeeded, "opened"}.tell(t)
	if _, err := builder(db).Build(t.Context(), "20260504-none-00000000"); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	db, id := story{"", incident.Succeeded, "proven"}.tell(t)
	w := &report.Writer{Builder: builder(db), Dir: filepath.Join(t.TempDir(), "reports")}
	var all []incident.Artefact
	for range 2 { // the second replaces the first
		var err error
		if all, err = w.Write(t.Context(), id); err != nil || len(all) != 3 {
			t.Fatalf("got %+v, %v", all, err)
		}
	}
	for _, a := range all {
		text, err := os.ReadFile(a.Path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(a.Path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		if a.SHA256 != hex.EncodeToString(sum[:]) || a.Size != int64(len(text)) || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %+v, mode %s", a.Path, a, info.Mode())
		}
	}
	files, err := os.ReadDir(filepath.Join(w.Dir, string(id)))
	if err != nil || len(files) != 3 {
		t.Errorf("%d files in the folder, %v", len(files), err)
	}
	for _, bad := range []incident.ID{"", "..", "../x", "a/b", ".hidden", "a\x00b"} {
		if _, err := w.Write(t.Context(), bad); !errors.Is(err, report.ErrID) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
