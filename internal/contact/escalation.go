// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package contact

import (
	"context"
	"fmt"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// Role is as what somebody is asked.
type Role string

// The roles, in the order in which an escalation asks them.
const (
	Person   Role = "person" // the human, or whom the account names in their stead
	Manager  Role = "manager"
	OnCall   Role = "on-call"
	Fallback Role = "fallback"
)

// Step is one rung of an escalation. Everybody's Source says where they came from, and Note, where there is one, why.
type Step struct {
	Role Role `json:"role"`
	// People are never empty: somebody certain, then hints.
	People []incident.Person `json:"people"`
}

// Escalation is who is asked, one step after another, until somebody answers.
type Escalation struct {
	// Steps are in the order of the roles, and never empty. Roles that nobody has, and people who were asked in an earlier
	// step, are left out: asking the same person again is a reminder and no escalation.
	Steps []Step `json:"steps"`
	// Notes say what was ignored, who could not be asked, and which steps are missing and why.
	Notes []string `json:"notes"`
}

// After returns the first step behind role, and false where there is none. Since people come and go, ask for the
// Escalation again when the step is due.
func (e Escalation) After(role Role) (Step, bool) {
	for _, step := range e.Steps {
		if order[step.Role] > order[role] {
			return step, true
		}
	}
	return Step{}, false
}

var order = map[Role]int{Person: 1, Manager: 2, OnCall: 3, Fallback: 4}

// Escalation returns who is asked about who: person, manager, on-call, fallback. It fails with ErrNobody where there is
// not one of them.
func (c *Chain) Escalation(ctx context.Context, door *gate.Door, who incident.Who) (Escalation, error) {
	e, err := c.climb(ctx, door, who, false)
	if err != nil {
		return e, fmt.Errorf("look up escalation: %w", err)
	}
	return e, nil
}

// climb asks role by role. With onlyFirst it ends with the first that somebody has.
func (c *Chain) climb(ctx context.Context, door *gate.Door, who incident.Who, onlyFirst bool) (Escalation, error) {
	s := &search{}
	var e Escalation
	var asked []incident.Person
	for _, rung := range []struct {
		role Role
		find func() ([]incident.Person, error)
	}{
		{Person, func() ([]incident.Person, error) { return c.person(ctx, s, door, who) }},
		{Manager, func() ([]incident.Person, error) { return c.managers(ctx, s, door, who, asked) }},
		{OnCall, func() ([]incident.Person, error) { return c.onCall(ctx, s) }},
		{Fallback, func() ([]incident.Person, error) { return c.Fallback(), nil }},
	} {
		people, err := rung.find()
		if err != nil {
			return Escalation{Notes: s.notes}, err
		}
		if people = s.fresh(rung.role, people, asked); len(people) == 0 {
			continue
		}
		asked = append(asked, people...)
		e.Steps = append(e.Steps, Step{rung.role, people})
		if onlyFirst {
			break
		}
	}
	e.Notes = s.notes
	if len(e.Steps) == 0 {
		return e, ErrNobody
	}
	e.Steps[0].People = append(e.Steps[0].People, s.hintsBeside(asked)...)
	return e, nil
}

// fresh are those of people who were not asked yet; who was is a note.
func (s *search) fresh(role Role, people, asked []incident.Person) []incident.Person {
	var rest []incident.Person
	for _, p := range people {
		if isAmong(p, asked) {
			s.note(string(role) + ": " + p.Name + " is asked before")
			continue
		}
		rest = append(rest, p)
	}
	return rest
}

func (c *Chain) person(ctx context.Context, s *search, door *gate.Door, who incident.Who) ([]incident.Person, error) {
	for _, link := range c.links {
		certain, err := s.ask(ctx, link.Name, func(ctx context.Context) (Answer, error) { return link.Directory.LookUp(ctx, door, who) })
		if err != nil || len(certain) > 0 {
			return certain, err
		}
	}
	return nil, nil
}

// managers asks for the manager of who, and then of the people who were found: another directory may know them by their
// address only.
func (c *Chain) managers(ctx context.Context, s *search, door *gate.Door, who incident.Who, found []incident.Person) ([]incident.Person, error) {
	names := []incident.Who{who}
	for _, p := range append(append([]incident.Person{}, found...), s.left...) {
		if p.Email != "" && p.Source != SourceAccount {
			names = append(names, incident.Who{Status: who.Status, Human: p.Email})
		}
	}
	for _, link := range c.links {
		directory, ok := link.Directory.(Managers)
		if !ok {
			continue
		}
		for _, name := range names {
			people, err := s.ask(ctx, link.Name, func(ctx context.Context) (Answer, error) { return directory.ManagersOf(ctx, door, name) })
			if err != nil || len(people) > 0 {
				return named(people, SourceManager, link.Name), err
			}
		}
	}
	return nil, nil
}

func (c *Chain) onCall(ctx context.Context, s *search) ([]incident.Person, error) {
	for _, link := range c.links {
		directory, ok := link.Directory.(Rota)
		if !ok {
			continue
		}
		people, err := s.ask(ctx, link.Name, directory.OnCall)
		if err != nil || len(people) > 0 {
			return named(people, SourceOnCall, link.Name), err
		}
	}
	return nil, nil
}

// named says of people who stand in as what they do, and which directory named them.
func named(people []incident.Person, source, link string) []incident.Person {
	for i := range people {
		people[i].Source = source
		if people[i].Note != "" {
			people[i].Note += ", "
		}
		people[i].Note += "from " + link
	}
	return people
}
