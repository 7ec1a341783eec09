// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// Errors of answers to "was it you?", by meaning.
var (
	// ErrClaimed: whoever says that it was theirs is no second person any more.
	ErrClaimed = errors.New("a person who said that it was theirs may only annotate")
	// ErrLinkUsed: a link counts once.
	ErrLinkUsed = errors.New("the link was used before")
	// ErrLinkExpired: it came too late.
	ErrLinkExpired = errors.New("the link had expired")
	// ErrNoVerdict: it is nothing that can be answered, or nothing that the link offers.
	ErrNoVerdict = errors.New("it is no answer that was offered")
)

// maxComment bounds what a person adds, in bytes; maxSayer a name.
const (
	maxComment = 500
	maxSayer   = 100
)

// Answer keeps what somebody who is logged in says to "was it you?", and tells security. It is evidence, whoever says it: it
// closes, approves and stops nothing.
func (r *Responder) Answer(ctx context.Context, id incident.ID, who Answerer, v incident.Verdict, comment string) (incident.Answer, error) {
	if !slices.Contains(incident.Verdicts(), v) {
		return incident.Answer{}, fmt.Errorf("%.40q: %w", v, ErrNoVerdict)
	}
	inc, err := r.o.Services.Store.Get(ctx, id)
	if err != nil {
		return incident.Answer{}, err
	}
	now := r.clock().UTC()
	a := incident.Answer{
		Incident: id, By: who.Name, Names: who.Names, Verdict: v, Comment: comment, Via: incident.ViaCommandLine, At: now,
		Key:     fmt.Sprintf("said/%d/%s", now.UnixNano(), shortHash(who.Name+string(v))),
		IsKnown: who.IsKnown, IsOnChain: inc.IsOnChain(append([]string{who.Name}, who.Names...)...),
	}
	return r.keepAnswer(ctx, a)
}

// AnswerByLink keeps what came by a link whose signature was checked. What came too late, and another answer by a link that
// was used, do not count; security hears of them all the same, for two answers by one link are two people.
func (r *Responder) AnswerByLink(ctx context.Context, l incident.Link, v incident.Verdict, comment string) (incident.Answer, error) {
	if !l.Offers(v) {
		return incident.Answer{}, fmt.Errorf("%.40q: %w", v, ErrNoVerdict)
	}
	now := r.clock().UTC()
	a := incident.Answer{
		Incident: l.Incident, Key: l.AnswerKey(), By: l.Person, Verdict: v, Comment: comment, Via: incident.ViaLink, At: now, IsOnChain: l.IsPerson,
	}
	if !now.Before(l.ExpiresAt) {
		a.Key, a.Refused = "late/"+l.Nonce+"/"+string(v), ErrLinkExpired.Error()
	}
	kept, err := r.keepAnswer(ctx, a)
	switch {
	case a.Refused != "" && (err == nil || errors.Is(err, incident.ErrConflict)):
		return a, ErrLinkExpired
	case errors.Is(err, incident.ErrConflict):
		return r.usedAgain(ctx, a)
	}
	return kept, err
}

// usedAgain: the same answer once more is a second click; another one is kept and told.
func (r *Responder) usedAgain(ctx context.Context, a incident.Answer) (incident.Answer, error) {
	first, err := r.findAnswer(ctx, a.Incident, a.Key)
	if err != nil || first.Verdict == a.Verdict {
		return first, cmp.Or(err, ErrLinkUsed)
	}
	a.Key, a.Refused = "reused/"+a.Key+"/"+string(a.Verdict), fmt.Sprintf("%v, to say that %s", ErrLinkUsed, first.Verdict.Words())
	if _, err := r.keepAnswer(ctx, a); err != nil && !errors.Is(err, incident.ErrConflict) {
		return first, err
	}
	return first, ErrLinkUsed
}

// backstop is how long after an answer the daemon looks whether security was told, should the process that took it have died.
const backstop = 10 * time.Second

func (r *Responder) keepAnswer(ctx context.Context, a incident.Answer) (incident.Answer, error) {
	a.By, a.Comment = identity.Printable(a.By, maxSayer), identity.Printable(strings.TrimSpace(a.Comment), maxComment)
	t := incident.Timer{Incident: a.Incident, Key: incident.TimerAnswered + "/" + a.Key, Kind: incident.TimerAnswered, DueAt: a.At.Add(backstop)}
	if err := r.o.Services.Timers.Schedule(ctx, t); err != nil {
		return a, fmt.Errorf("keep answer: %w", err)
	}
	if err := r.o.Services.Answers.AddAnswer(ctx, a); err != nil {
		return a, err
	}
	if err := r.settleAnswer(ctx, a); err != nil {
		return a, fmt.Errorf("the answer is kept, and is told again: %w", err)
	}
	return a, r.o.Services.Timers.Complete(ctx, t.Incident, t.Key)
}

func (r *Responder) findAnswer(ctx context.Context, id incident.ID, key string) (incident.Answer, error) {
	all, err := r.o.Services.Answers.ListAnswers(ctx, id)
	if err != nil {
		return incident.Answer{}, err
	}
	i := slices.IndexFunc(all, func(a incident.Answer) bool { return a.Key == key })
	if i < 0 {
		return incident.Answer{}, fmt.Errorf("answer %s: %w", key, incident.ErrNotFound)
	}
	return all[i], nil
}

// isAnswers reports whether a timer is about answers, and is due whatever became of the incident.
func isAnswers(t incident.Timer) bool {
	return t.Kind == incident.TimerAsk || t.Kind == incident.TimerAnswered || t.Kind == incident.TimerApproval
}

func (r *Responder) fireAnswers(ctx context.Context, inc incident.Incident, t incident.Timer) error {
	var err error
	switch t.Kind {
	case incident.TimerAsk:
		err = r.climb(ctx, inc, incident.Rung(t.Attempt))
	case incident.TimerApproval:
		err = r.approvalIsDue(ctx, inc, t)
	case incident.TimerAnswered:
		err = r.tellLate(ctx, inc.ID, strings.TrimPrefix(t.Key, incident.TimerAnswered+"/"))
	}
	if err != nil {
		return err
	}
	return r.o.Services.Timers.Complete(ctx, t.Incident, t.Key)
}

// tellLate tells of an answer whose process died. One that was never kept is nothing to tell.
func (r *Responder) tellLate(ctx context.Context, id incident.ID, key string) error {
	a, err := r.findAnswer(ctx, id, key)
	if errors.Is(err, incident.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.settleAnswer(ctx, a)
}

// answeredOpen begins what is open because somebody said "not me".
const answeredOpen = "Answer"

// settleAnswer does everything that an answer brings about. All of it may be done again.
func (r *Responder) settleAnswer(ctx context.Context, a incident.Answer) error {
	inc, err := r.o.Services.Store.Get(ctx, a.Incident)
	if err != nil {
		return err
	}
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("describe answer: %w", err)
	}
	text := answerText(a)
	if err := r.o.Services.Timeline.Append(ctx, incident.Entry{
		Incident: a.Incident, At: a.At, Kind: incident.EntryAnswer, Key: "answer/" + a.Key, Text: text, Data: data,
	}); err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	if a.Verdict == incident.NotMe {
		if err := r.hurry(ctx, inc.ID, a); err != nil {
			return err
		}
	}
	return r.tellSecurity(ctx, inc, a, text)
}

// answerText is an answer in a line.
func answerText(a incident.Answer) string {
	who := a.By
	if a.Via == incident.ViaLink {
		who = "whoever has the link sent to " + a.By
	}
	var notes []string
	if a.Via == incident.ViaCommandLine && a.IsOnChain {
		notes = append(notes, "on the identity chain")
	}
	if a.Via == incident.ViaCommandLine && !a.IsKnown {
		notes = append(notes, "nobody whom the directory knows")
	}
	if len(notes) > 0 {
		who += " (" + strings.Join(notes, ", ") + ")"
	}
	text := fmt.Sprintf("%s says that %s", who, a.Verdict.Words())
	if a.Comment != "" {
		text += fmt.Sprintf(": %q", a.Comment)
	}
	if a.Refused != "" {
		return text + "; it does not count: " + a.Refused
	}
	return text + "; it is evidence and decides nothing"
}

// tellSecurity tells of an answer; the same one of the same person once.
func (r *Responder) tellSecurity(ctx context.Context, inc incident.Incident, a incident.Answer, text string) error {
	id := fmt.Sprintf("%s-answer-%s", inc.ID, shortHash(strings.Join([]string{a.By, string(a.Verdict), string(a.Via), a.Refused}, "\n")))
	subject := fmt.Sprintf("[%s] Answer about %s: %s", inc.Severity, identity.Printable(inc.Title, maxSayer), text)
	deliveries, err := r.o.Services.Messenger.Send(ctx, incident.Message{
		ID: id, Incident: inc.ID, Kind: incident.Notice, Severity: inc.Severity, Subject: subject, At: r.clock(),
		Text: text + ".\n\nswitchback incident show " + string(inc.ID),
	})
	if e := r.noteDeliveries(ctx, inc.ID, id, "the answer of "+a.By, deliveries); e != nil {
		return e
	}
	if err != nil {
		return fmt.Errorf("tell security of the answer: %w", err)
	}
	return nil
}

// hasClaimed reports whether the person said, logged in, that it was theirs.
func (r *Responder) hasClaimed(ctx context.Context, id incident.ID, who Answerer) (bool, error) {
	all, err := r.o.Services.Answers.ListAnswers(ctx, id)
	if err != nil {
		return false, fmt.Errorf("read answers: %w", err)
	}
	return slices.ContainsFunc(all, func(a incident.Answer) bool {
		return a.IsClaim() && (&request{By: a.By, Names: a.Names}).isBy(who)
	}), nil
}
