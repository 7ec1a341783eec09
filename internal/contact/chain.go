// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package contact

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// ErrNobody is returned when no directory knows anybody and no fallback is configured.
var ErrNobody = errors.New("nobody to contact: configure a fallback")

// patience is how long one directory may take: what hangs is down, and must not keep the others from being asked.
const patience = 20 * time.Second

// Limits of what is told of a directory's answers.
const (
	maxNote  = 500
	maxNotes = 20
	maxHints = 5
)

// Link is one directory of a Chain, with the name that notes call it by.
type Link struct {
	Name      string
	Directory Directory
}

// Chain asks directories in order. It is safe for concurrent use when its directories are.
type Chain struct {
	links    []Link
	fallback []incident.Person
}

// NewChain makes a Chain: links are asked in their order, the fallback answers when they do not.
func NewChain(links []Link, fallback ...incident.Person) *Chain {
	c := &Chain{links: links}
	for _, p := range fallback {
		p.Source = SourceFallback
		c.fallback = append(c.fallback, p)
	}
	return c
}

// Fallback returns the configured last resort.
func (c *Chain) Fallback() []incident.Person { return append([]incident.Person(nil), c.fallback...) }

// Find returns the people to contact, best first, and in words what was ignored or could not be asked: the first step of
// the Escalation. The first directory that is certain ends the search. Hints met on the way come after whoever is
// certain, never alone: put the directories that hint behind those that know the person.
func (c *Chain) Find(ctx context.Context, door *gate.Door, who incident.Who) ([]incident.Person, []string, error) {
	e, err := c.climb(ctx, door, who, true)
	if err != nil {
		return nil, e.Notes, fmt.Errorf("look up contact: %w", err)
	}
	return e.Steps[0].People, e.Notes, nil
}

// LookUp implements action.People: Find, with its notes on the first person.
func (c *Chain) LookUp(ctx context.Context, door *gate.Door, who incident.Who) ([]incident.Person, error) {
	people, notes, err := c.Find(ctx, door, who)
	if err != nil {
		return nil, err
	}
	if people[0].Note == "" {
		people[0].Note = strings.Join(notes, "; ")
	}
	return people, nil
}

// ByOSUser returns the person that the first directory who knows names for a user of the operating system, with every
// name under which an identity chain may list them (for incident.Incident.IsOnChain). An unmapped user may only
// annotate.
func (c *Chain) ByOSUser(name string) (incident.Person, []string, bool) {
	for _, link := range c.links {
		users, ok := link.Directory.(Users)
		if !ok {
			continue
		}
		if person, names, ok := users.ByOSUser(name); ok {
			return person, names, true
		}
	}
	return incident.Person{}, nil, false
}

// search is what was learned so far.
type search struct {
	hints, left []incident.Person
	notes       []string
}

// ask asks one directory and returns those that are certain. What it cannot tell is a note; an error is only that ctx
// ended.
func (s *search) ask(ctx context.Context, name string, question func(context.Context) (Answer, error)) ([]incident.Person, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a, err := question(limited)
	for _, note := range a.Notes {
		s.note(name + ": " + note)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.note(name + ": could not be asked: " + err.Error())
		return nil, nil
	}
	for _, p := range a.Left {
		s.left = append(s.left, p)
		s.note(name + ": " + p.Name + " has left and is not contacted: who uses that identity? " + p.Note)
	}
	var certain []incident.Person
	for _, p := range a.People {
		switch {
		case isAmong(p, s.left):
			s.note(name + ": " + p.Name + " is said to be still there: not contacted")
		case p.IsHint:
			s.hints = append(s.hints, p)
		default:
			certain = append(certain, p)
		}
	}
	return certain, nil
}

func (s *search) note(text string) {
	text = identity.Printable(strings.TrimSpace(text), maxNote)
	if len(s.notes) >= maxNotes {
		return
	}
	for _, told := range s.notes {
		if told == text {
			return
		}
	}
	s.notes = append(s.notes, text)
}

// hintsBeside are the hints to go with certain people, without those who are certain anyway.
func (s *search) hintsBeside(certain []incident.Person) []incident.Person {
	var rest []incident.Person
	for _, p := range s.hints {
		if len(rest) < maxHints && !isAmong(p, certain) && !isAmong(p, s.left) {
			rest = append(rest, p)
		}
	}
	return rest
}

// isAmong reports whether a message to p would reach somebody of all.
func isAmong(p incident.Person, all []incident.Person) bool {
	for _, q := range all {
		if isSame(p.Email, q.Email) || isSame(p.Slack, q.Slack) || isSame(p.Phone, q.Phone) {
			return true
		}
	}
	return false
}

func isSame(a, b string) bool { return a != "" && strings.EqualFold(a, b) }
