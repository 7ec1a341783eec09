// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/action/evidence"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// bucket has one digest file and two log files.
const bucket = "logs-111122223333"

type world struct {
	*testing.T
	*digesttest.World
	trail *digesttest.Trail
	db    *sqlite.DB
	env   *action.Env
	id    incident.ID
	count int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	base := digesttest.NewWorld()
	w := &world{T: t, World: base, trail: base.Trail(digesttest.Trail{LogFiles: 2}).Hours(1)}
	server := httptest.NewServer(base.Handler())
	t.Cleanup(server.Close)
	g, err := gate.Open(t.Context(), gate.Options{
		Endpoint: server.URL, Region: "eu-west-1", MaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.db, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	w.env = &action.Env{
		Services: action.Services{
			Clock: func() time.Time { return w.trail.Now }, Store: w.db, Timeline: w.db, EvidenceDir: t.TempDir(),
		},
		Door: g.Door(gate.Scope{Action: "evidence:Copy"}),
	}
	return w
}

// find makes an event about an object.
func (w *world) find(key string) {
	w.Helper()
	w.count++
	id := fmt.Sprintf("1b0c7c3e-0000-4000-8000-%012d", w.count)
	event, err := json.Marshal(map[string]any{
		"id": id, "source": "switchback", "detail-type": "Log File Integrity",
		"detail": map[string]any{"bucket": bucket, "key": key, "region": "eu-west-1", "code": "hash-mismatch", "message": "hash value doesn't match"},
	})
	if err != nil {
		w.Fatal(err)
	}
	inc, _, err := w.db.Admit(w.Context(), incident.Candidate{
		Key:   incident.Key{Runbook: "log-integrity", Account: "111122223333", Resource: "arn:aws:s3:::" + bucket, EventName: "Log File Integrity", Outcome: incident.Succeeded},
		Event: cloudtrail.EventID(id), Envelope: event, OccurredAt: w.trail.Now, ReceivedAt: w.trail.Now, Severity: incident.Critical,
	})
	if err != nil {
		w.Fatal(err)
	}
	w.id, w.env.Incident = inc.ID, inc
	w.env.Task = action.Task{Execution: string(inc.ID), State: "KeepEvidence", Visit: "v"}
}

type output struct {
	Folder     string
	Copied     int
	Objects    []evidence.Kept
	Missing    []evidence.Lost
	Unreadable []evidence.Lost
}

func (w *world) run() (output, error) {
	w.Helper()
	act, ok := action.Get("evidence:Copy")
	if !ok {
		w.Fatal("not registered")
	}
	raw, err := act.Run(w.Context(), w.env, json.RawMessage(`{}`))
	if err != nil {
		return output{}, err
	}
	var out output
	if err := json.Unmarshal(raw, &out); err != nil {
		w.Fatal(err)
	}
	return out, nil
}

func (w *world) incident() incident.Incident {
	w.Helper()
	inc, err := w.db.Get(w.Context(), w.id)
	if err != nil {
		w.Fatal(err)
	}
	return inc
}

// The copies are what is in the bucket, with metadata, and are read by validate-logs as evidence.
func TestCopy(t *testing.T) {
	w := newWorld(t)
	log, chain := w.trail.Logs[0], w.trail.Digests[0]
	for _, key := range []string{log.Key, chain.Key, log.Key, "AWSLogs/gone.json.gz", ""} {
		w.find(key)
	}
	out, err := w.run()
	if err != nil {
		t.Fatal(err)
	}
	var want []evidence.Kept
	for _, ref := range []digesttest.Ref{log, chain} {
		o := w.Object(ref.Bucket, ref.Key)
		sum := sha256.Sum256(o.Body)
		want = append(want, evidence.Kept{Bucket: bucket, Key: ref.Key, Size: int64(len(o.Body)), SHA256: hex.EncodeToString(sum[:]), Metadata: o.Metadata})
	}
	if diff := cmp.Diff(want, out.Objects); diff != "" {
		t.Errorf("copies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]evidence.Lost{{Bucket: bucket, Key: "AWSLogs/gone.json.gz", Reason: "not there"}}, out.Missing); diff != "" || out.Copied != 2 {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	saved, err := digest.OpenEvidence(os.DirFS(out.Folder), []digest.PublicKey{})
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	object, err := saved.Get(t.Context(), bucket, chain.Key)
	if err != nil || object.Metadata["signature"] != w.Object(bucket, chain.Key).Metadata["signature"] {
		t.Errorf("%+v, %v", object, err)
	}
	inc := w.incident()
	if inc.Times.Contained.IsZero() || inc.Standing != "evidence kept" || !strings.Contains(inc.Summary, log.Key) || !strings.Contains(inc.Summary, "hash-mismatch") {
		t.Errorf("contained %s, summary %q", inc.Times.Contained, inc.Summary)
	}
	entries, err := w.db.Entries(t.Context(), w.id)
	if err != nil || len(entries) == 0 || entries[len(entries)-1].Text != "evidence: 2 objects copied, 1 are not there, 0 could not be read" {
		t.Errorf("timeline %+v, %v", entries, err)
	}
}

// What is there and cannot be copied is an error, and the incident is not contained; the rest is kept.
func TestUnreadable(t *testing.T) {
	w := newWorld(t)
	w.find(w.trail.Logs[0].Key)
	w.find(w.trail.Logs[1].Key)
	w.Fail = func(op, _, key string) error {
		if op == "get" && key == w.trail.Logs[0].Key {
			return os.ErrPermission
		}
		return nil
	}
	_, err := w.run()
	if err == nil || !strings.Contains(err.Error(), w.trail.Logs[0].Key) || !strings.Contains(err.Error(), evidence.ErrorNotKept) {
		t.Errorf("error %v", err)
	}
	if inc := w.incident(); !inc.Times.Contained.IsZero() {
		t.Error("contained")
	}
	if found, err := filepath.Glob(filepath.Join(w.env.EvidenceDir, "*", "*", "s3", bucket, "AWSLogs", "*", "*", "*", "*", "*", "*", "*.json.gz")); err != nil || len(found) != 1 {
		t.Errorf("kept %v, %v", found, err)
	}
}

// Keys are chosen by attackers: none leads out of the folder or over what is ours in it.
func TestHostileKeys(t *testing.T) {
	for _, key := range []string{"../../../evidence.json", "a/../../../../x", "/etc/passwd", "a//b", `..\..\x`, "."} {
		w := newWorld(t)
		w.Put(bucket, key, &digesttest.Object{Body: []byte("hostile")})
		w.find(key)
		if _, err := w.run(); err == nil {
			t.Errorf("%q was kept", key)
		}
		err := filepath.Walk(filepath.Dir(w.env.EvidenceDir), func(path string, info os.FileInfo, err error) error {
			if err != nil || info.IsDir() {
				return err
			}
			if text, err := os.ReadFile(path); err != nil || string(text) == "hostile" {
				t.Errorf("%q is in %s, %v", key, path, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
