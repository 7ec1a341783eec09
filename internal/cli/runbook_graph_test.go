// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// TestGraphOfExecution runs two machines on the store of a state folder, then draws them from there: with the definition
// that they began with, which is not the runbook's of today.
func TestGraphOfExecution(t *testing.T) {
	dir := t.TempDir()
	runExecutions(t, filepath.Join(dir, "switchback.db"), map[string]string{
		"cloudtrail-off": `{"StartAt":"Old","States":{"Old":{"Type":"Task","Resource":"switchback:test:Do","Parameters":{},
			"Retry":[{"ErrorEquals":["Busy"],"IntervalSeconds":60}],"End":true}}}`,
		"other": `{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}`,
	})
	for name, test := range map[string]struct {
		args   []string
		status int
		want   []string
	}{
		"svg": {[]string{"--execution", "run-of-cloudtrail-off"}, exitFine, []string{
			"<title>CloudTrail turned off, run-of-cloudtrail-off</title>", ">SUCCEEDED · 1 min 0 s<", ">Old<", ">1 min 0 s · 1 retry<", `class="done"`, `class="way taken"`,
		}},
		"mermaid": {[]string{"--execution", "run-of-cloudtrail-off", "--format", "mermaid"}, exitFine, []string{
			"flowchart TD", "Old<br>", "1 min 0 s #183; 1 retry", "linkStyle 0,1 stroke",
		}},
		"another runbook's": {[]string{"--execution", "run-of-other"}, exitError, []string{"execution run-of-other is of runbook other"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			args := append([]string{"runbook", "graph", "cloudtrail-off", "--state", dir}, test.args...)
			if status := Main(args, strings.NewReader(""), &out, &errOut); status != test.status {
				t.Fatalf("status %d, want %d: %s", status, test.status, errOut.String())
			}
			for _, want := range test.want {
				if !strings.Contains(out.String()+errOut.String(), want) {
					t.Errorf("no %q in %s%s", want, out.String(), errOut.String())
				}
			}
		})
	}
}

// runExecutions runs "run-of-NAME" of each machine to its end, in simulated time; the first attempt of a task fails.
func runExecutions(t *testing.T, file string, definitions map[string]string) {
	t.Helper()
	ctx := context.Background()
	db, err := sqlite.Open(ctx, file, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	clock := &passing{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	machines := map[string][]byte{}
	for name, definition := range definitions {
		machines[name] = []byte(definition)
	}
	e, err := engine.Open(ctx, db.Executions(), machines, failOnce, engine.Options{Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for name := range definitions {
		if _, err := e.Start(ctx, engine.StartRequest{Machine: name, Name: "run-of-" + name, Input: json.RawMessage("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	for {
		next, err := e.RunDue(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if next.IsZero() {
			return
		}
		if err := clock.until(ctx, next); err != nil {
			t.Fatal(err)
		}
	}
}

func failOnce(_ context.Context, task engine.Task) (json.RawMessage, error) {
	if task.Attempt == 1 {
		return nil, &asl.Error{Name: "Busy"}
	}
	return json.RawMessage("{}"), nil
}
