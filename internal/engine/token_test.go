// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
)

// asking is a machine that waits for a person.
const asking = `{"StartAt":"Ask","States":{
	"Ask":{"Type":"Task","Resource":"switchback:test:Ask.waitForTaskToken","Parameters":{"token.$":"$$.Task.Token"},"TimeoutSeconds":3600,"Next":"Then"},
	"Then":{"Type":"Task","Resource":"switchback:test:Work","Parameters":{"answer.$":"$"},"End":true}}}`

// asker keeps the tokens that it was asked to send out.
type asker struct {
	journal
	tokens chan string
}

func newAsker() *asker { return &asker{tokens: make(chan string, 100)} }

func (a *asker) work(_ context.Context, t engine.Task) (json.RawMessage, error) {
	a.add("%s", t.State)
	if t.Token != "" {
		a.tokens <- t.Token
	}
	return t.Parameters, nil
}

func TestTokenIsAnsweredOnce(t *testing.T) {
	a := newAsker()
	w := newWorld(t, fresh(t), asking, a.work, engine.Options{})
	w.start(t, "x", `{}`)
	if next := w.runDue(t); !next.Equal(noon.Add(time.Hour)) {
		t.Errorf("the question times out at %s", next)
	}
	token := <-a.tokens
	if err := w.SendTaskSuccess(t.Context(), token, json.RawMessage(`{`)); !errors.Is(err, asl.ErrInvalidOutput) {
		t.Errorf("answer that is no JSON: %v", err)
	}
	w.clock.advance(time.Minute)
	if err := w.SendTaskHeartbeat(t.Context(), token); err != nil {
		t.Errorf("heartbeat: %v", err)
	}
	if err := w.SendTaskSuccess(t.Context(), token, json.RawMessage(`"yes"`)); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"success":   w.SendTaskSuccess(t.Context(), token, json.RawMessage(`"again"`)),
		"failure":   w.SendTaskFailure(t.Context(), token, asl.Error{Name: "No"}),
		"heartbeat": w.SendTaskHeartbeat(t.Context(), token),
	} {
		if !errors.Is(err, asl.ErrNoTask) {
			t.Errorf("second answer, %s: %v, want ErrNoTask", name, err)
		}
	}
	w.runDue(t)
	wantEnd(t, w.Engine, "x", asl.Succeeded, `{"answer":"yes"}`)
	if got := a.all(); len(got) != 2 {
		t.Errorf("tasks done: %v, want the question once", got)
	}
}

func TestTokenOfAnother(t *testing.T) {
	a := newAsker()
	w, other := newWorld(t, fresh(t), asking, a.work, engine.Options{}), newWorld(t, fresh(t), asking, a.work, engine.Options{})
	w.start(t, "x", `{}`)
	w.runDue(t)
	token := <-a.tokens
	body, signature, _ := strings.Cut(token, ".")
	for name, forged := range map[string]string{
		"empty": "", "no signature": body, "empty signature": body + ".", "other signature": body + "." + strings.Repeat("A", len(signature)),
		"other body": "eA" + body + "." + signature, "upper case": strings.ToUpper(token),
	} {
		if err := w.SendTaskSuccess(t.Context(), forged, json.RawMessage(`"yes"`)); !errors.Is(err, engine.ErrInvalidToken) {
			t.Errorf("%s: %v, want ErrInvalidToken", name, err)
		}
	}
	if err := other.SendTaskSuccess(t.Context(), token, json.RawMessage(`"yes"`)); !errors.Is(err, engine.ErrInvalidToken) {
		t.Errorf("in another installation: %v, want ErrInvalidToken", err)
	}
	if err := w.SendTaskFailure(t.Context(), token, asl.Error{Name: "No", Cause: "it was not me"}); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, w.Engine, "x", asl.Failed, "No: it was not me")
}

func TestQuestionTimesOut(t *testing.T) {
	a := newAsker()
	w := newWorld(t, fresh(t), asking, a.work, engine.Options{})
	w.start(t, "x", `{}`)
	w.runOut(t)
	if x, err := w.Describe(t.Context(), "x"); err != nil || x.Error != asl.ErrorTimeout {
		t.Errorf("ended with %s, %v", x.Error, err)
	}
	if err := w.SendTaskSuccess(t.Context(), <-a.tokens, json.RawMessage(`"yes"`)); !errors.Is(err, asl.ErrNoTask) {
		t.Errorf("answer after the timeout: %v, want ErrNoTask", err)
	}
}

// TestTwoQuestionsAtOnce answers one of two questions, in another process than the one that runs the execution, and
// restarts in between: neither question is asked a second time.
func TestTwoQuestionsAtOnce(t *testing.T) {
	branch := func(name string) string {
		return strings.NewReplacer("Ask", name, `"Then"`, `"Then`+name+`"`).Replace(asking)
	}
	both := `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[` + branch("One") + `,` + branch("Two") + `],"End":true}}}`
	a := newAsker()
	path := fresh(t)
	w := newWorld(t, path, both, a.work, engine.Options{Workers: 1})
	w.start(t, "x", `{}`)
	w.runDue(t)
	one, two := <-a.tokens, <-a.tokens

	command := newWorld(t, path, both, func(context.Context, engine.Task) (json.RawMessage, error) {
		t.Error("the command worked on a task")
		return nil, nil
	}, engine.Options{})
	if err := command.SendTaskSuccess(t.Context(), one, json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	command.Close()
	w.runDue(t)
	w.Close()
	w = newWorld(t, path, both, a.work, engine.Options{Workers: 1})
	w.runDue(t)
	if err := w.SendTaskSuccess(t.Context(), two, json.RawMessage(`2`)); err != nil {
		t.Fatal(err)
	}
	w.runDue(t)
	wantEnd(t, w.Engine, "x", asl.Succeeded, `[{"answer":1},{"answer":2}]`)
	if got := strings.Join(a.all(), " "); got != "One Two ThenOne ThenTwo" {
		t.Errorf("tasks done: %s", got)
	}
}
