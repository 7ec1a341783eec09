// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/benign"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/watcher"
	"github.com/switchback-project/switchback/internal/state"
)

// turn is one move of a game.
type turn struct {
	at   time.Duration // from the beginning
	as   string
	with string // user agent
	move move
}

// String tells the move to whoever looks into a failed game.
func (t turn) String() string { return fmt.Sprintf("+%s %s: %s", t.at, t.as, t.move.name) }

// Moves of a game: for so many of the attacker's there is one that is harmless.
const (
	tamperMoves = 50
	perHarmless = 4
)

// attackers are whom the attacker acts as: users whose keys he has, and sessions of the role that pipelines deploy with,
// named as theirs are.
var attackers = []string{"mallory", "alice", "cleanup", "terraform-run-4711", "GitHubActions"}

// userAgents that the attacker shows.
//
// https://developer.hashicorp.com/terraform/internals/debugging
var userAgents = []string{
	"HashiCorp Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.60.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.30.3",
	"aws-cli/2.17.20 md/awscrt#0.20.11 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.11.9 cfg/retry-mode#standard md/command#cloudtrail.stop-logging",
	"console.amazonaws.com",
	"switchback/1.0 incident/20260504-cloudtrail-off-1a2b3c4d",
	userAgent,
}

// draw makes the moves of a seed: some within a second, some after minutes.
func draw(seed uint64, count int) []turn {
	r := rand.New(rand.NewPCG(seed, 1))
	kinds := make([]bool, count+count/perHarmless) // whether it is a tamper
	for i := range count {
		kinds[i] = true
	}
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	at := time.Minute
	turns := make([]turn, 0, len(kinds))
	for _, isTamper := range kinds {
		at += []time.Duration{time.Second, time.Minute, 5 * time.Minute}[r.IntN(3)] * time.Duration(r.IntN(1000)) / 1000
		t := turn{at: at.Truncate(time.Millisecond), as: attackers[r.IntN(len(attackers))], with: userAgents[r.IntN(len(userAgents))]}
		if isTamper {
			t.move = tampers[r.IntN(len(tampers))]
		} else {
			t.as, t.move = "admin", harmless[r.IntN(len(harmless))]
		}
		turns = append(turns, t)
	}
	return turns
}

// game is one while it is played.
type game struct {
	st      *stage
	mail    letterBox
	witness *witness
	quiet   []benign.Call
	refused int // moves that AWS refused
}

// afterwards is how long a game goes on after the last move.
const afterwards = time.Hour

// playGame returns what is wrong at the end, and a line about the game.
func playGame(t *testing.T, books []*runbook.Runbook, seed uint64, moves []turn) (problems []string, told string) {
	t.Helper()
	g := openGame(t, books, seed)
	if err := g.play(t.Context(), moves); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return g.verdict(t.Context())
}

// openGame builds the account of a game.
func openGame(t *testing.T, books []*runbook.Runbook, seed uint64) *game {
	t.Helper()
	ctx := t.Context()
	g := &game{witness: &witness{}, mail: letterBox{seed: seed, seen: map[cloudtrail.EventID]bool{}}}
	isKnown := false // before it is furnished
	o := Options{Runbooks: books, Place: Places()[0], game: rules{
		skew: time.Duration(int64(seed%5)-2) * 20 * time.Second,
		between: func(b gate.Backend) gate.Backend {
			g.witness.Backend = b
			return g.witness
		},
		// What is looked at every six hours by default is here before the end.
		watch: watcher.Options{Rest: 30 * time.Minute},
	}}
	st, err := build(ctx, t.TempDir(), Story{Depends: true, Own: true, Reserve: true, Watch: true, Known: &isKnown}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.close(context.WithoutCancel(ctx)) })
	g.st = st
	g.quiet = callsOf(st.protected(t))
	if err := g.furnish(ctx); err != nil {
		t.Fatal(err)
	}
	return g
}

// furnish adds what only games need, takes the baseline and opens the letter box.
func (g *game) furnish(ctx context.Context) error {
	st := g.st
	service := object{"Service": arn.ServiceHost("cloudtrail")}
	thief := string(arn.Bucket(st.place.Region, thiefBucket))
	for _, call := range []request{
		{name: "S3.CreateBucket", input: object{"Bucket": thiefBucket, "CreateBucketConfiguration": object{"LocationConstraint": st.place.Region}}},
		{name: "S3.PutBucketPolicy", input: object{"Bucket": thiefBucket, "Policy": policyOf(
			object{"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": thief},
			object{"Effect": "Allow", "Principal": service, "Action": "s3:PutObject", "Resource": thief + "/*"},
		)}},
		{name: "S3.PutBucketVersioning", input: object{"Bucket": thiefBucket, "VersioningConfiguration": object{"Status": "Enabled"}}},
		{name: "CloudTrail.PutInsightSelectors", input: object{"TrailName": "main", "InsightSelectors": []object{{"InsightType": "ApiCallRateInsight"}}}},
		{name: "CloudTrail.AddTags", input: object{"ResourceId": st.seeded.TrailARN, "TagsList": []object{{"Key": "owner", "Value": "security"}}}},
	} {
		if err := st.ask(ctx, "admin", call.name, call.input); err != nil {
			return fmt.Errorf("%s: %w", call.name, err)
		}
	}
	for _, session := range attackers[2:] {
		if err := st.assume(ctx, Step{As: "mallory", Assume: "Operator", Session: session}); err != nil {
			return err
		}
	}
	if err := st.forget(ctx, Story{Depends: true}); err != nil {
		return err
	}
	if err := st.takeBaseline(ctx, true); err != nil {
		return err
	}
	st.heard = g.mail.take(st)
	st.pollers = append(st.pollers, &g.mail, &album{st: st, next: st.begin.Add(snapshotsEvery)})
	return g.witness.open(ctx, st)
}

func (g *game) play(ctx context.Context, moves []turn) error {
	end := time.Duration(0)
	for _, m := range moves {
		if err := g.st.passTo(ctx, g.st.begin.Add(m.at)); err != nil {
			return err
		}
		for _, c := range m.move.calls(g) {
			if err := g.do(ctx, m, c); err != nil {
				return fmt.Errorf("%s: %w", m, err)
			}
		}
		end = m.at
	}
	return g.st.passTo(ctx, g.st.begin.Add(end+afterwards))
}

// do makes one call. AWS may refuse it: the trail was deleted before, say.
func (g *game) do(ctx context.Context, m turn, c request) error {
	step := Step{As: m.as, UserAgent: m.with}
	var err error
	if c.empties != "" {
		step.Empty, step.Versions = c.empties, true
		err = g.st.empty(ctx, step)
	} else {
		input := c.raw
		if input == nil {
			if input, err = json.Marshal(c.input); err != nil {
				return err
			}
		}
		_, err = g.st.invoke(ctx, step, c.name, input)
	}
	var refusal smithy.APIError
	if errors.As(err, &refusal) {
		g.refused++
		return nil
	}
	return err
}

// letter is an event on its way to us.
type letter struct {
	at time.Time
	d  source.Delivery
}

// letterBox is EventBridge on a bad day: of ten events one never comes, one comes twenty minutes late, two come twice, and
// none keeps its place in the order.
type letterBox struct {
	seed    uint64
	seen    map[cloudtrail.EventID]bool
	letters []letter
	isLost  bool // nothing comes
	counts  struct{ lost, late, twice, all int }
}

// take puts what the queue brings into the letter box.
func (m *letterBox) take(st *stage) func(source.Handler) source.Handler {
	return func(source.Handler) source.Handler {
		return func(_ context.Context, d source.Delivery) error {
			if read := d.Envelope.Record.ReadOnly; read != nil && *read {
				return nil // our rule brings them too, the watcher's by the thousand; nothing follows from one
			}
			if m.seen[d.Envelope.Record.EventID] {
				return nil // the queue has each event by two ways, our rule and the seeded subscription
			}
			m.seen[d.Envelope.Record.EventID] = true
			r := rand.New(rand.NewPCG(m.seed, fateOf(d)))
			now := st.clock.Now()
			soon := func() time.Time { return now.Add(time.Duration(r.IntN(20_000)) * time.Millisecond) }
			m.counts.all++
			if m.isLost {
				return nil
			}
			switch fate := r.IntN(10); fate {
			case 0:
				m.counts.lost++
				return nil
			case 1:
				m.counts.late++
				m.post(letter{soon().Add(20 * time.Minute), d})
			case 2, 3:
				m.counts.twice++
				m.post(letter{soon(), d})
				m.post(letter{soon().Add(time.Minute), d})
			default:
				m.post(letter{soon(), d})
			}
			return nil
		}
	}
}

// fateOf is the same for the same event in a game with fewer moves.
func fateOf(d source.Delivery) uint64 {
	h := fnv.New64a()
	r := d.Envelope.Record
	fmt.Fprint(h, r.EventName, r.EventTime.UnixNano(), r.UserIdentity.ARN)
	return h.Sum64()
}

func (m *letterBox) post(l letter) {
	m.letters = append(m.letters, l)
	slices.SortStableFunc(m.letters, func(a, b letter) int { return a.at.Compare(b.at) })
}

// Next is when the next letter comes.
func (m *letterBox) Next() time.Time {
	if len(m.letters) == 0 {
		return time.Time{}
	}
	return m.letters[0].at
}

// Poll hands over the letters that have come; it is asked when some have.
func (m *letterBox) Poll(ctx context.Context, handle source.Handler) error {
	if len(m.letters) == 0 {
		return nil
	}
	due := m.letters[0].at
	for len(m.letters) > 0 && !m.letters[0].at.After(due) {
		l := m.letters[0]
		m.letters = m.letters[1:]
		l.d.DeliveredAt = l.at
		if err := handle(ctx, l.d); err != nil {
			return err
		}
	}
	return nil
}

// snapshotsEvery is how often the daemon takes snapshots.
const snapshotsEvery = 15 * time.Minute

// album takes snapshots as the daemon does: nothing that the attacker did may become the baseline.
type album struct {
	st   *stage
	next time.Time
}

// Next is when it looks again.
func (a *album) Next() time.Time { return a.next }

// Poll takes them. What cannot be read in the middle of an attack is taken the next time.
func (a *album) Poll(ctx context.Context, _ source.Handler) error {
	st, now := a.st, a.st.clock.Now()
	a.next = now.Add(snapshotsEvery)
	door := st.system.Gate.Door(gate.Scope{Action: "snapshot"})
	keeper := state.Keeper{Into: st.db, Incidents: st.db, History: state.EventHistory{Clock: st.clock.Now}}
	_, err := state.TakeBaseline(ctx, door, st.place.Account, []string{st.place.Region}, keeper, now)
	_, ownErr := state.TakeOwn(ctx, door, st.own, keeper, now)
	return errors.Join(err, ownErr)
}
