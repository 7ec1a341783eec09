// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	cloudtraillog "github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/source"
)

// named is the move of that name.
func named(t *testing.T, name string) move {
	t.Helper()
	for _, m := range tampers {
		if m.name == name {
			return m
		}
	}
	t.Fatalf("no move %q", name)
	return move{}
}

// A game in which nobody hears and nobody looks is lost, or the verdict is worth nothing.
func TestGameCanBeLost(t *testing.T) {
	g := openGame(t, builtIn(t), 1)
	g.st.pollers = nil
	for i, m := range []string{"stop the trail", "schedule the key's deletion", "delete the bucket's policy", "delete our rule"} {
		played := turn{at: time.Duration(i+1) * time.Minute, as: "mallory", with: userAgent, move: named(t, m)}
		if err := g.play(t.Context(), []turn{played}); err != nil {
			t.Fatal(err)
		}
	}
	problems, _ := g.verdict(t.Context())
	all := strings.Join(problems, "\n")
	for _, want := range []string{"coverage is off", "trail/main differs", "key/", "s3:::", "rule/switchback differs"} {
		if !strings.Contains(all, want) {
			t.Errorf("problems lack %q:\n%s", want, all)
		}
	}
}

// A change of ours that undoes no move is seen, one that undoes a move is none.
func TestGameWitness(t *testing.T) {
	g := openGame(t, builtIn(t), 1)
	door := g.st.system.Gate.Door(gate.Scope{Action: "test", Mode: gate.Act})
	cfg, err := door.Config(t.Context(), g.st.place.Account, g.st.place.Region)
	if err != nil {
		t.Fatal(err)
	}
	client := cloudtrail.NewFromConfig(cfg)
	if _, err := client.StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String("main")}); err != nil {
		t.Fatal(err)
	}
	if n := len(g.witness.problems); n != 1 || !strings.Contains(g.witness.problems[0], "StopLogging") {
		t.Errorf("problems = %q, want the stop", g.witness.problems)
	}
	if _, err := client.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: aws.String("main")}); err != nil {
		t.Fatal(err)
	}
	if n := len(g.witness.problems); n != 1 || g.witness.changes != 2 {
		t.Errorf("%d changes, problems = %q, want none about the start", g.witness.changes, g.witness.problems)
	}
}

// The letter box loses a tenth, and delays and doubles what it delivers.
func TestLetterBox(t *testing.T) {
	g := openGame(t, builtIn(t), 1)
	for i := range 1000 {
		var d source.Delivery
		d.Envelope.Record.EventName = strings.Repeat("x", i)
		d.Envelope.Record.EventID = cloudtraillog.EventID(d.Envelope.Record.EventName)
		if err := g.st.heard(nil)(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	c := g.mail.counts
	for name, n := range map[string]int{"lost": c.lost, "late": c.late, "twice": c.twice / 2} {
		if n < 60 || n > 140 {
			t.Errorf("%d of 1000 are %s", n, name)
		}
	}
}

// Each move alone is found without any event of it, and put back.
func TestGameSoakWithoutEvents(t *testing.T) {
	if os.Getenv("SWITCHBACK_SOAK") == "" {
		t.Skip("set SWITCHBACK_SOAK=1 to play each move alone")
	}
	books := builtIn(t)
	for _, m := range tampers {
		t.Run(m.name, func(t *testing.T) {
			g := openGame(t, books, 1)
			g.mail.isLost = true
			if err := g.play(t.Context(), []turn{{at: time.Minute, as: "cleanup", with: userAgent, move: m}}); err != nil {
				t.Fatal(err)
			}
			problems, told := g.verdict(t.Context())
			if len(problems) > 0 || g.refused > 0 || g.witness.changes == 0 {
				t.Errorf("%s: %s", told, strings.Join(problems, "; "))
			}
		})
	}
}
