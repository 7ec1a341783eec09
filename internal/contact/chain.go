// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package contact

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// ErrNobody is returned when no directory knows anybody and no fallback is configured.
var ErrNobody = errors.New("nobody to contact: configure a fallback")

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

// Find returns the people to contact, best first, and in words what was ignored or could not be asked. The first
// directory that is certain ends the search. Hints met on the way come after whoever is certain, never alone: put the
// directories that hint behind those that know the person.
func (c *Chain) Find(ctx context.Context, door *gate.Door, who incident.Who) ([]incident.Person, []string, error) {
	var hints []incident.Person
	var notes []string
	for _, link := range c.links {
		people, said, err := link.Directory.LookUp(ctx, door, who)
		for _, note := range said {
			notes = append(notes, link.Name+": "+identity.Printable(note, 500))
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, notes, fmt.Errorf("look up contact: %w", ctx.Err())
			}
			notes = append(notes, link.Name+": could not be asked: "+identity.Printable(err.Error(), 500))
			continue
		}
		certain, maybe := split(people)
		hints = append(hints, maybe...)
		if len(certain) > 0 {
			return append(certain, hints...), notes, nil
		}
	}
	if len(c.fallback) == 0 {
		return nil, notes, fmt.Errorf("look up contact: %w", ErrNobody)
	}
	return append(c.Fallback(), hints...), notes, nil
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

func split(people []incident.Person) (certain, hints []incident.Person) {
	for _, p := range people {
		if p.IsHint {
			hints = append(hints, p)
			continue
		}
		certain = append(certain, p)
	}
	return certain, hints
}
