// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package httpjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// person is somebody as the service tells of them.
type person struct {
	Name    string  `json:"name"`
	Email   string  `json:"email"`
	Slack   string  `json:"slack"`
	Phone   string  `json:"phone"`
	Active  *bool   `json:"active"`
	Left    string  `json:"left"`
	Manager *person `json:"manager"`
}

// maxPeople is how many of an answer are told of.
const maxPeople = 5

var errTooLong = fmt.Errorf("it is longer than %d bytes", maxBody)

// parse reads an answer.
func parse(body []byte) ([]person, error) {
	if len(body) > maxBody {
		return nil, errTooLong
	}
	var answer struct {
		People *[]person `json:"people"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	if answer.People == nil {
		return nil, errors.New(`there is no "people"`)
	}
	for i := range *answer.People {
		for p := &(*answer.People)[i]; p != nil; p = p.Manager {
			if _, err := p.leftOn(); err != nil {
				return nil, err
			}
		}
	}
	return *answer.People, nil
}

// leftOn is the day of leaving, zero for none.
func (p *person) leftOn() (time.Time, error) {
	if p.Left == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, p.Left)
	if err != nil {
		return time.Time{}, fmt.Errorf("left: %.40q is no day (want 2026-04-01)", p.Left)
	}
	return day, nil
}

// hasLeft also says why.
func (p *person) hasLeft(now time.Time) (bool, string) {
	if day, err := p.leftOn(); err == nil && !day.IsZero() && !now.Before(day) {
		return true, "left on " + day.Format(time.DateOnly)
	}
	return p.Active != nil && !*p.Active, "not active"
}

// clean is how to reach p, and what of it is no address.
func (p *person) clean() (incident.Person, []string) {
	clean := incident.Person{Name: identity.Printable(p.Name, 100), Phone: identity.Printable(p.Phone, 30), Source: contact.SourceHTTP}
	var notes []string
	if p.Email != "" {
		if err := contact.CheckEmail(p.Email); err != nil {
			notes = append(notes, err.Error())
		} else {
			clean.Email = p.Email
		}
	}
	if p.Slack != "" {
		if err := contact.CheckSlack(p.Slack); err != nil {
			notes = append(notes, err.Error())
		} else {
			clean.Slack = p.Slack
		}
	}
	if clean.Name == "" {
		clean.Name = clean.Email
	}
	return clean, notes
}

func isReachable(p incident.Person) bool { return p.Email != "" || p.Slack != "" || p.Phone != "" }

// answer is what the people of an answer mean: one is certain, several are not.
func answer(people []person, now time.Time) contact.Answer {
	if len(people) == 0 {
		return contact.Answer{Notes: []string{"knows nobody of that name"}}
	}
	var a contact.Answer
	for i := range people[:min(len(people), maxPeople)] {
		p, notes := people[i].clean()
		a.Notes = append(a.Notes, notes...)
		if gone, why := people[i].hasLeft(now); gone {
			p.Note = why
			a.Left = append(a.Left, p)
			continue
		}
		if !isReachable(p) {
			a.Notes = append(a.Notes, p.Name+" has no address")
			continue
		}
		if len(people) > 1 {
			p.IsHint, p.Note = true, fmt.Sprintf("one of %d people of that name", len(people))
		}
		a.People = append(a.People, p)
	}
	if len(people) > 1 {
		a.Notes = append(a.Notes, fmt.Sprintf("%d people have that name: none of them is certain", len(people)))
	}
	return a
}

// manager is the nearest one above p who is still there.
func (p *person) manager(now time.Time) contact.Answer {
	var a contact.Answer
	for m := p.Manager; m != nil; m = m.Manager {
		clean, notes := m.clean()
		if gone, why := m.hasLeft(now); gone {
			a.Notes = append(a.Notes, clean.Name+", a manager: "+why)
			continue
		}
		a.Notes = append(a.Notes, notes...)
		if !isReachable(clean) {
			a.Notes = append(a.Notes, clean.Name+", a manager, has no address")
			continue
		}
		clean.Note = "manager of " + identity.Printable(p.Name, 100)
		a.People = []incident.Person{clean}
		return a
	}
	return a
}

// onCall is everybody who can be reached.
func onCall(people []person, now time.Time) contact.Answer {
	var a contact.Answer
	for i := range people[:min(len(people), maxPeople)] {
		p, notes := people[i].clean()
		a.Notes = append(a.Notes, notes...)
		if gone, why := people[i].hasLeft(now); gone {
			a.Notes = append(a.Notes, p.Name+", on call: "+why)
			continue
		}
		if !isReachable(p) {
			a.Notes = append(a.Notes, p.Name+", on call, has no address")
			continue
		}
		p.Note = "on call"
		a.People = append(a.People, p)
	}
	if len(people) == 0 {
		a.Notes = append(a.Notes, "nobody is on call")
	}
	return a
}
