// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/ocsf"
)

var now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func services(about func(*incident.Incident)) notify.Services {
	s := notify.Services{Clock: func() time.Time { return now }}
	if about != nil {
		s.Incident = func(context.Context, incident.ID) (incident.Incident, error) {
			inc := notifytest.Incident()
			about(&inc)
			return inc, nil
		}
	}
	return s
}

// finding is what a reader of the schema finds in a line.
type finding struct {
	ActivityID int   `json:"activity_id"`
	Category   int   `json:"category_uid"`
	Class      int   `json:"class_uid"`
	TypeUID    int   `json:"type_uid"`
	Time       int64 `json:"time"`
	SeverityID int   `json:"severity_id"`
	StatusID   int   `json:"status_id"`
	IsAlert    bool  `json:"is_alert"`
	Metadata   struct {
		Version, UID string
		Product      struct {
			Name   string
			Vendor string `json:"vendor_name"`
		}
	}
	Info struct {
		UID, Title, Desc string
		Created          int64 `json:"created_time"`
		Analytic         struct {
			TypeID int `json:"type_id"`
		}
	} `json:"finding_info"`
	Cloud struct {
		Provider, Region string
		Account          struct{ UID string }
	}
	Resources []struct{ UID, Name string }
	Evidences []struct {
		API   struct{ Operation string }
		Actor struct {
			User struct{ UID, Name string }
		}
	}
}

// read fails on what the schema does not allow.
func read(t *testing.T, text []byte) finding {
	t.Helper()
	var f finding
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
	if f.Class != 2004 || f.Category != 2 || f.TypeUID != 200400+f.ActivityID || f.Time == 0 || f.Metadata.Version == "" ||
		f.Metadata.Product.Vendor == "" || f.Info.UID == "" || f.Info.Title == "" || f.Cloud.Provider != "AWS" || f.StatusID == 0 {
		t.Errorf("got %+v", f)
	}
	return f
}

func TestContract(t *testing.T) {
	t.Parallel()
	notifytest.Run(t, func(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
		url, posts := notifytest.HTTP(t, b)
		out, err := ocsf.NewReceiver(notify.NewSecret(url+"/SECRET"), notify.NewSecret("0123456789abcdef"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return ocsf.New(out, services(nil)), func() []notifytest.Received {
			var all []notifytest.Received
			for _, p := range posts() {
				f := read(t, p.Body)
				if !strings.HasPrefix(p.Header.Get("Switchback-Signature"), "v1=") || p.Header.Get("Switchback-Message-Id") != f.Metadata.UID {
					t.Errorf("headers %v", p.Header)
				}
				all = append(all, notifytest.Received{ID: f.Metadata.UID, Text: f.Info.Title + "\n" + f.Info.Desc})
			}
			return all
		}
	})
}

func file(t *testing.T, s notify.Services) (*ocsf.Writer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "findings.jsonl")
	out, err := ocsf.NewFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return ocsf.New(out, s), path
}

func lines(t *testing.T, path string) [][]byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

func TestAFindingOverItsLife(t *testing.T) {
	t.Parallel()
	n, path := file(t, services(func(*incident.Incident) {}))
	if to, _, err := n.Notify(t.Context(), notifytest.Message()); err != nil || len(to) != 1 || to[0] != path {
		t.Fatal(to, err)
	}
	inc := notifytest.Incident()
	if _, _, err := n.Follow(t.Context(), inc); !errors.Is(err, notify.ErrNotAddressed) {
		t.Errorf("open: %v", err)
	}
	for _, inc.Status = range []incident.Status{incident.Acknowledged, incident.Closed} {
		if _, _, err := n.Follow(t.Context(), inc); err != nil {
			t.Fatal(err)
		}
	}
	type life struct {
		Activity, Status int
		Alert            bool
		Finding, Event   string
		Time             int64
	}
	var got []life
	for _, line := range lines(t, path) {
		f := read(t, line)
		got = append(got, life{f.ActivityID, f.StatusID, f.IsAlert, f.Info.UID, f.Metadata.UID, f.Time})
	}
	m, id := notifytest.Message(), string(inc.ID)
	want := []life{
		{1, 1, true, id, m.ID, m.At.UnixMilli()}, {2, 2, false, id, id + "-acknowledged", now.UnixMilli()}, {3, 4, false, id, id + "-closed", now.UnixMilli()},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
}

func TestWhatAFindingTells(t *testing.T) {
	t.Parallel()
	n, path := file(t, services(func(inc *incident.Incident) { inc.Who.Principal = strings.Repeat("s", 100_000) + notifytest.Evil }))
	if _, _, err := n.Notify(t.Context(), notifytest.Message()); err != nil {
		t.Fatal(err)
	}
	line := lines(t, path)[0]
	f := read(t, line)
	if f.SeverityID != 5 || f.Cloud.Account.UID != "444455556666" || f.Cloud.Region != "eu-west-1" || f.Info.Analytic.TypeID != 1 ||
		len(f.Resources) != 1 || f.Resources[0].Name != "main" || len(f.Evidences) != 1 || f.Evidences[0].API.Operation != "StopLogging" {
		t.Errorf("got %+v", f)
	}
	if len(line) > 8<<10 || len(f.Evidences[0].Actor.User.UID) > 1000 {
		t.Errorf("a line of %d bytes", len(line))
	}
}

func TestLinesStayWhole(t *testing.T) {
	t.Parallel()
	n, path := file(t, services(nil))
	if err := os.WriteFile(path, []byte(`{"torn":`), 0o600); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			m := notifytest.Message()
			m.Text = notifytest.Evil
			if _, _, err := n.Notify(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := lines(t, path)
	if len(got) != 21 {
		t.Fatalf("%d lines", len(got))
	}
	for _, line := range got[1:] {
		read(t, line)
	}
}

func TestAFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		path  string
		retry bool
		want  error
	}{
		"no folder":     {filepath.Join(dir, "gone", "f.jsonl"), false, notify.ErrGone},
		"a folder":      {dir, true, nil},
		"not a regular": {"/dev/full", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := ocsf.NewFile(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			to, retry, err := ocsf.New(out, services(nil)).Notify(t.Context(), notifytest.Message())
			if err == nil || len(to) > 0 || retry != tt.retry || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, retry %t, %v", to, retry, err)
			}
		})
	}
}

func TestOnlyWhatSecurityIsToldIsAFinding(t *testing.T) {
	t.Parallel()
	n, path := file(t, services(nil))
	for _, kind := range []incident.MessageKind{incident.ToPerson, incident.Reminder, incident.ToFallback, incident.Notice} {
		m := notifytest.Message()
		m.Kind = kind
		if _, _, err := n.Notify(t.Context(), m); !errors.Is(err, notify.ErrNotAddressed) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made")
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	from := func(text string) error {
		n, err := notify.New(notify.Config{Type: "ocsf", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, notify.Services{})
		if err == nil && n.ReachesHuman() {
			t.Error("a finding reaches nobody")
		}
		return err
	}
	for _, text := range []string{"path: /var/log/f.jsonl", "url: https://siem.example.com", "url: https://siem.example.com\nsecret: 0123456789abcdef"} {
		if err := from(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{
		"{}", "path: findings.jsonl", "path: /f\nurl: https://siem.example.com", "path: /f\nsecret: 0123456789abcdef", "url: http://siem.example.com",
		"url: https://siem.example.com\nsecret: short", "path: /f\nformat: parquet",
	} {
		if err := from(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}
