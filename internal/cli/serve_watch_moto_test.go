// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
)

// alsoFrom adds a source to the configuration.
func (w *motoWorld) alsoFrom(source string) {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	check(w.t, err)
	check(w.t, os.WriteFile(w.config, []byte(strings.Replace(string(text), "sources: [", "sources: ["+source+", ", 1)), 0o600))
}

// also adds a line to the configuration.
func (w *motoWorld) also(line string) {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	check(w.t, err)
	check(w.t, os.WriteFile(w.config, append(text, line+"\n"...), 0o600))
}

// The daemon finds by itself what no event told, against an AWS that is not ours; the event that comes when all is done
// tells who it was, and opens nothing.
func TestServeWatchesMoto(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: starts a daemon and an account in moto for each case")
	}
	for _, attack := range attacks {
		if !slices.Contains([]string{"StopLogging", "DeleteTrail", "UpdateTrail: single region"}, attack.name) {
			continue
		}
		t.Run(attack.name, func(t *testing.T) {
			w := newMotoWorld(t)
			w.alsoFrom("{type: watcher, every: 1s, configuration: 1s, rest: 1s}")
			want, _ := w.read()
			w.serve()
			attack.do(w)
			until(t, "the first proof", func() bool { return w.is(func(i incident.Incident) bool { return !i.Times.Contained.IsZero() }) })
			got, _ := w.read()
			if diff := cmp.Diff(want, got, ignoreMetadata); diff != "" {
				t.Errorf("the trail is not what it was (-want +got):\n%s", diff)
			}
			w.prove()
			event := w.deliverAttack(attack.event, attack.request)
			until(t, "the human", func() bool { return w.is(func(i incident.Incident) bool { return i.Who.Human == "alice" }) })
			one := w.prove()
			if status := w.daemon.end(); status != exitFine {
				t.Errorf("serve ended with exit status %d: %s", status, w.daemon.err.String())
			}
			if n := len(incidents(t, w.config)); n != 1 || one.Key.EventName != "Trail Status" || string(one.Cause) != event || one.Count != 1 {
				t.Errorf("%d incidents, %s, cause %s, count %d", n, one.Key.EventName, one.Cause, one.Count)
			}
			var made []string
			for _, c := range calls(t, one) {
				made = append(made, c.Operation)
			}
			if diff := cmp.Diff(attack.calls, made); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}
