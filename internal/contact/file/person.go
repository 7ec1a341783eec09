// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package file

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// Day is a day of the calendar, as "2026-04-01"; the zero value is none.
type Day struct{ at time.Time }

// UnmarshalText reads a day; "" is none.
func (d *Day) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Day{}
		return nil
	}
	at, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%.40q is no day (want 2026-04-01)", text)
	}
	*d = Day{at}
	return nil
}

func (p *Person) person() incident.Person {
	return incident.Person{Name: p.Name, Email: p.Email, Slack: p.Slack, Phone: p.Phone, Source: contact.SourceFile}
}

func (p *Person) hasLeft(now time.Time) bool {
	return p.Active != nil && !*p.Active || !p.Left.at.IsZero() && !now.Before(p.Left.at)
}

// leaving says since when p is gone.
func (p *Person) leaving() string {
	if p.Left.at.IsZero() {
		return "not active"
	}
	return "left on " + p.Left.at.Format(time.DateOnly)
}

// names are all under which an identity chain may list p.
func (p *Person) names() []string {
	names := append([]string{p.Name}, p.Principals...)
	if p.Email != "" {
		names = append(names, p.Email)
	}
	return names
}

// maxName bounds a name: it stands in subjects and reports.
const maxName = 200

// check refuses what would reach nobody, or the wrong one.
func (p *Person) check(s *staff) error {
	switch {
	case p.Name == "":
		return errors.New("name is missing")
	case identity.Printable(p.Name, maxName) != p.Name:
		return fmt.Errorf("name %.100q is too long, or has characters that cannot be seen", p.Name)
	case p.Email == "" && p.Slack == "" && p.Phone == "":
		return fmt.Errorf("%s has no email, slack or phone", p.Name)
	case identity.Printable(p.Phone, maxName) != p.Phone:
		return fmt.Errorf("phone %.100q of %s is none", p.Phone, p.Name)
	case slices.Contains(p.Principals, ""):
		return fmt.Errorf("%s has an empty principal", p.Name)
	}
	if p.Manager != "" {
		if err := s.isOne(p.Manager); err != nil {
			return fmt.Errorf("manager of %s: %w", p.Name, err)
		}
	}
	if p.Email != "" {
		if err := contact.CheckEmail(p.Email); err != nil {
			return err
		}
	}
	if p.Slack != "" {
		return contact.CheckSlack(p.Slack)
	}
	return nil
}

// newStaff indexes people. Line finds where the i-th person stands: slow, so only asked for the one at fault.
func newStaff(people []Person, line func(i int) int) (*staff, error) {
	s := &staff{people: people, byName: map[string]*Person{}}
	for i := range people {
		for _, name := range slices.Compact([]string{key(people[i].Name), key(people[i].Email)}) {
			if _, ok := s.byName[name]; ok {
				s.byName[name] = nil
				continue
			}
			s.byName[name] = &people[i]
		}
	}
	users := map[string]string{}
	for i := range people {
		p := &people[i]
		if err := p.check(s); err != nil {
			return nil, fmt.Errorf("line %d: %w", line(i), err)
		}
		for _, user := range p.OSUsers {
			if before, ok := users[user]; ok {
				return nil, fmt.Errorf("line %d: os_user %q is %s already", line(i), user, before)
			}
			users[user] = p.Name
		}
	}
	return s, nil
}

// isOne refuses a reference to nobody, and one to somebody whom it does not tell from another.
func (s *staff) isOne(name string) error {
	p, ok := s.byName[key(name)]
	switch {
	case !ok || key(name) == "":
		return fmt.Errorf("%.100q is not in the file", name)
	case p == nil:
		return fmt.Errorf("%.100q is two people: give the mail address", name)
	}
	return nil
}

// key is how names and addresses are compared.
func key(name string) string { return strings.ToLower(name) }
