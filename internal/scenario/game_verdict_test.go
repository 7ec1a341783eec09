// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// piece is something that the baseline is of.
type piece struct {
	dependency trail.Dependency // zero for the trail
	trail      trail.Trail
	content    json.RawMessage
}

func (s piece) arn() arn.ARN {
	if s.trail.ARN != "" {
		return s.trail.ARN
	}
	return s.dependency.ARN
}

func (s piece) kind() string {
	if s.trail.ARN != "" {
		return "trail"
	}
	return string(s.dependency.Kind)
}

// witness stands between our calls and AWS, and holds each change of ours against what is weaker than its baseline at that
// moment. It reads past us, as the account's root.
type witness struct {
	gate.Backend
	st       *stage
	door     *gate.Door
	pieces   []piece
	changes  int
	problems []string
}

// open keeps what everything looks like.
func (w *witness) open(ctx context.Context, st *stage) error {
	w.st = st
	root, err := st.sandbox.Root(st.place.Account)
	if err != nil {
		return err
	}
	reader, err := gate.Open(ctx, gate.Options{
		Backend: st.sandbox, Region: st.place.Region, Clock: st.awsNow, Sleep: st.clock.sleep, Pace: gate.PaceNever,
		Credentials: credentials.StaticCredentialsProvider{Value: root},
	})
	if err != nil {
		return err
	}
	w.door = reader.Door(gate.Scope{})
	t, _, err := w.readTrail(ctx, arn.ARN(st.seeded.TrailARN))
	if err != nil {
		return err
	}
	w.pieces = []piece{{trail: t}}
	for _, d := range append(trail.Dependencies(t), st.own...) {
		if !state.CanRead(d.Kind) {
			continue
		}
		content, err := state.ReadDependency(ctx, w.door, d)
		if err != nil {
			return err
		}
		w.pieces = append(w.pieces, piece{dependency: d, content: content})
	}
	return nil
}

func (w *witness) readTrail(ctx context.Context, a arn.ARN) (trail.Trail, state.Status, error) {
	target, err := trail.TargetOfARN(a)
	if err != nil {
		return trail.Trail{}, state.Status{}, err
	}
	return state.ReadTrail(ctx, w.door, target)
}

// weaker says in which fields something is weaker than it was; an error is one of them.
func (w *witness) weaker(ctx context.Context, s piece) []string {
	differences, err := w.differences(ctx, s)
	if errors.Is(err, incident.ErrNotFound) {
		return []string{"it is gone"}
	}
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, d := range differences {
		out = append(out, d.Sentence())
	}
	return out
}

func (w *witness) differences(ctx context.Context, s piece) ([]trail.Difference, error) {
	if s.trail.ARN != "" {
		have, _, err := w.readTrail(ctx, s.trail.ARN)
		return trail.Weakened(s.trail, have), err
	}
	have, err := state.ReadDependency(ctx, w.door, s.dependency)
	if err != nil {
		return nil, err
	}
	return trail.WeakenedDependency(s.dependency.Kind, s.content, have)
}

// kindsOf are the kinds that calls of a service change.
var kindsOf = map[string]string{
	"CloudTrail": "trail", "KMS": "key", "S3": "bucket", "SNS": "topic", "CloudWatch Logs": "log-group", "IAM": "role",
	"EventBridge": "rule", "SQS": "queue", "CloudWatch": "alarm",
}

// ofTheBus are calls about the bus that our rule is on.
var ofTheBus = []string{"CreateEventBus", "PutPermission", "RemovePermission"}

// reading are the beginnings of the names of calls that change nothing of what is watched.
var reading = []string{"Get", "List", "Describe", "Lookup", "Head", "Receive", "Assume", "DeleteMessage", "ChangeMessageVisibility"}

// Do looks at what a change of ours is about before it is made.
func (w *witness) Do(ctx context.Context, r gate.Request) (any, error) {
	if w.door == nil || slices.ContainsFunc(reading, func(p string) bool { return strings.HasPrefix(r.Operation, p) }) {
		return w.Backend.Do(ctx, r)
	}
	text, err := w.about(ctx, r)
	if err != nil {
		return nil, err
	}
	out, doErr := w.Backend.Do(ctx, r)
	all := w.st.sandbox.Mutations()
	i := slices.IndexFunc(all, func(m sandbox.Mutation) bool { return m.RequestID == r.RequestID })
	if i >= 0 && all[i].Effect {
		w.changes++
		if text != "" {
			w.problems = append(w.problems, fmt.Sprintf("+%s: our %s.%s %.200s undid no move: %s",
				w.st.clock.Now().Sub(w.st.begin), r.Service, r.Operation, all[i].Input, text))
		}
	}
	return out, doErr
}

// about says why a change has nothing to undo, "" if it has.
func (w *witness) about(ctx context.Context, r gate.Request) (string, error) {
	input, err := json.Marshal(r.Input)
	if err != nil {
		return "", err
	}
	isEmergency := strings.Contains(string(input), "switchback-emergency-")
	var named []string
	for _, s := range w.pieces {
		isNamed := strings.Contains(string(input), lastPart(s.arn())) || slices.Contains(ofTheBus, r.Operation)
		if !isEmergency && (s.kind() != kindsOf[r.Service] || !isNamed) {
			continue
		}
		if len(w.weaker(ctx, s)) > 0 {
			return "", nil
		}
		named = append(named, string(s.arn()))
	}
	if len(named) == 0 {
		return "it is about nothing of the baseline", nil
	}
	return strings.Join(named, ", ") + " was as before", nil
}

func lastPart(a arn.ARN) string {
	p, err := a.Parse()
	if err != nil {
		return string(a)
	}
	name := p.Name()
	return name[strings.LastIndexByte(name, ':')+1:]
}

// verdict says what is wrong at the end.
func (g *game) verdict(ctx context.Context) (problems []string, told string) {
	problems = g.witness.problems
	list, err := g.st.system.Services.Store.List(ctx, incident.Filter{})
	if err != nil {
		return append(problems, err.Error()), ""
	}
	differ := 0
	for _, s := range g.witness.pieces {
		weaker := g.witness.weaker(ctx, s)
		if len(weaker) == 0 {
			continue
		}
		differ++
		if !isWithHuman(list, s.arn()) {
			problems = append(problems, fmt.Sprintf("%s differs and nobody was told: %s", s.arn(), strings.Join(weaker, "; ")))
		}
	}
	if text := g.uncovered(ctx); text != "" {
		problems = append(problems, "coverage is off: "+text)
	}
	c := g.mail.counts
	return problems, fmt.Sprintf("%d moves refused by AWS, %d events (%d lost, %d late, %d twice), %d incidents, %d changes of ours, %d differences with a person",
		g.refused, c.all, c.lost, c.late, c.twice, len(list), g.witness.changes, differ)
}

// isWithHuman reports whether an incident about a resource says that there is still something to look at.
func isWithHuman(list []incident.Incident, a arn.ARN) bool {
	return slices.ContainsFunc(list, func(i incident.Incident) bool {
		return i.Key.Resource == string(a) && i.Status != incident.Closed && !i.IsDone()
	})
}

// uncovered says what the trail recorded at the beginning and none records now.
func (g *game) uncovered(ctx context.Context) string {
	st := g.st
	readings, gaps, err := state.ReadTrails(ctx, g.witness.door, st.place.Account, st.place.Region)
	if err != nil || len(gaps) > 0 {
		return fmt.Sprint(gaps, err)
	}
	var now []trail.Trail
	for _, r := range readings {
		if r.Status.LatestDeliveryError != "" {
			continue // records and delivers nothing
		}
		now = append(now, r.Trail)
	}
	var lost []string
	for _, cell := range trail.Lost([]trail.Trail{g.witness.pieces[0].trail}, now) {
		lost = append(lost, cell.String())
	}
	return strings.Join(lost, "; ")
}
