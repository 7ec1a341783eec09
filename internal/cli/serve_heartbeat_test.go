// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// The daemon beats once the event of its own call has come through the queue into the store, and tells when it does not.
// Both as they are configured, in an account of the sandbox, in real time.
func TestServeBeats(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: takes real time")
	}
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	url, posts := notifytest.HTTP(t, notifytest.Accepts)
	box, err := sandbox.New(sandbox.Options{})
	check(t, err)
	seeded, err := box.Seed(t.Context(), sandbox.Seed{Region: motoRegion}) // as the daemon's own will be
	check(t, err)
	config := writeFile(t, dir, "switchback.yaml", fmt.Sprintf(`
state: %s
aws: sandbox
region: %s
accounts: [{id: %q, regions: [%s]}]
sources:
  - {type: sqs, queue_url: %q, account: %q, region: %s, wait: 1s}
  - {type: files, path: %s}
  - {type: watcher, every: 1s}
heartbeat: {url: %q, every: 1s, account: %q, region: %s}
`, state, motoRegion, seeded.Account, motoRegion, seeded.QueueURL, seeded.Account, motoRegion, t.TempDir(), url, seeded.Account, motoRegion))
	daemon := startChild(t, childMain, nil, "--config", config, "serve")
	daemon.ready()
	until(t, "three beats", func() bool {
		if daemon.hasEnded() {
			t.Fatalf("serve ended: %s", daemon.err.String())
		}
		return len(posts()) >= 3
	})
	if status := daemon.end(); status != exitFine {
		t.Errorf("serve: exit status %d: %s", status, daemon.err.String())
	}
	var beat struct {
		CommonLabels, CommonAnnotations map[string]string
	}
	check(t, json.Unmarshal(posts()[0].Body, &beat))
	if beat.CommonLabels["alertname"] != "Watchdog" || beat.CommonAnnotations["source"] != "sqs/1" {
		t.Errorf("beat %s", posts()[0].Body)
	}
	if list := incidents(t, config); len(list) != 0 {
		t.Errorf("incidents %+v", list)
	}
}

// A queue through which nothing comes, not even our own call, is an incident: moto records no calls.
func TestServeHearsNothingOnMoto(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: starts a daemon and an account in moto")
	}
	w := newMotoWorld(t)
	w.also("heartbeat: {every: 1s, silent_after: 2s, account: " + fmt.Sprintf("%q", motoAccount) + ", region: " + motoRegion + "}")
	w.serve()
	until(t, "an incident", func() bool { return len(incidents(t, w.config)) == 1 })
	one := incidents(t, w.config)[0]
	if one.Key.Runbook != "source-silent" || one.Key.Resource != "sqs/1" || one.Key.Account != motoAccount {
		t.Errorf("incident %+v", one)
	}
	until(t, "a message to the security team", func() bool {
		return slices.ContainsFunc(w.posts(), func(p notifytest.Post) bool {
			var m struct{ Kind string }
			check(t, json.Unmarshal(p.Body, &m))
			return m.Kind == "security"
		})
	})
	if status := w.daemon.end(); status != exitFine {
		t.Errorf("serve ended with exit status %d: %s", status, w.daemon.err.String())
	}
}
