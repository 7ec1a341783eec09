// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package file is the directory that we keep ourselves: a YAML or CSV file of people, by the names under which AWS knows
// them, and a rota of who is on call. It is asked first, since nobody who can only reach AWS can write it.
//
//	type: file
//	path: /etc/switchback/people.yaml    # or .csv
//	on_call: /etc/switchback/on-call.csv # or .yaml; may be left out, or be part of people.yaml
//	time_zone: Europe/Berlin             # of a rota in CSV; default UTC
//
// The people:
//
//	people:
//	  - name: Alice Example
//	    email: alice@example.com
//	    slack: U012AB3CD
//	    phone: "+49 30 1234567"
//	    principals: [alice, "arn:…:iam::111122223333:user/alice", alice@corp.example]
//	    os_users: [alice]
//	    manager: Bob Example   # or bob@example.com
//	    active: false          # gone, or
//	    left: 2026-04-01       # gone from that day on, UTC
//
// Principals are user names, ARNs, SAML subjects, Identity Center user names or ids, or web identities, compared without
// regard to case. A CSV file has the same fields as its first line; several principals or os_users in one cell are
// separated by ";". Unknown fields, addresses that are none, and an operating-system user of two people are refused,
// with the line.
//
// The rota, by week in turn, as a list, or both; whoever is on the list wins (see [OnCall]):
//
//	on_call:
//	  time_zone: Europe/Berlin
//	  weeks: {from: 2026-01-05 09:00, people: [Alice Example, Bob Example]}
//	  shifts:
//	    - {from: 2026-05-04 09:00, until: 2026-05-05 09:00, person: Bob Example}
//
// In CSV its first line is from,until,person, and each other line a shift; until may be empty or missing.
//
// The files are read again when they change; while one cannot be read, the directory is down.
package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

func init() {
	contact.Register(contact.Kind{Type: contact.SourceFile, Open: func(c contact.Config, s contact.Services) (contact.Directory, error) {
		var o Options
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		return Open(o, s.Clock)
	}})
}

// Options say where the files are.
type Options struct {
	Path string `yaml:"path"`
	// OnCall is the rota, where it is a file of its own.
	OnCall string `yaml:"on_call"`
	// TimeZone is that of a rota in CSV.
	TimeZone string `yaml:"time_zone"`
}

// Person is one entry of the file.
type Person struct {
	Name       string   `yaml:"name"`
	Email      string   `yaml:"email"`
	Slack      string   `yaml:"slack"`
	Phone      string   `yaml:"phone"`
	Principals []string `yaml:"principals"`
	OSUsers    []string `yaml:"os_users"`
	// Manager is the name or the mail address of another entry.
	Manager string `yaml:"manager"`
	// Active is false for somebody who left.
	Active *bool `yaml:"active"`
	// Left is the first day (UTC) on which they are gone.
	Left Day `yaml:"left"`
}

// Directory is a file of people. It is safe for concurrent use.
type Directory struct {
	o     Options
	clock func() time.Time

	mu     sync.Mutex // guards what follows
	staff  *staff
	people stamp // zero: never read
	rota   stamp
}

// staff is what the files say. It does not change.
type staff struct {
	people []Person
	byName map[string]*Person // by name, and by mail address in lower case; nil for those of two people
	rota   *rota              // nil: none
}

// stamp tells whether a file changed.
type stamp struct {
	modified time.Time
	size     int64
}

var (
	_ contact.Directory = (*Directory)(nil)
	_ contact.Managers  = (*Directory)(nil)
	_ contact.Rota      = (*Directory)(nil)
	_ contact.Users     = (*Directory)(nil)
)

// Open reads the files; ".csv" is CSV, anything else YAML.
func Open(o Options, clock func() time.Time) (*Directory, error) {
	if o.Path == "" {
		return nil, errors.New("path is missing")
	}
	if clock == nil {
		return nil, errors.New("needs a clock")
	}
	d := &Directory{o: o, clock: clock}
	_, err := d.load()
	return d, err
}

// load returns what the files say, reading them where one changed.
func (d *Directory) load() (*staff, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	people, err := stampOf(d.o.Path)
	if err != nil {
		return nil, fmt.Errorf("open directory file: %w", err)
	}
	var rota stamp
	if d.o.OnCall != "" {
		if rota, err = stampOf(d.o.OnCall); err != nil {
			return nil, fmt.Errorf("open rota: %w", err)
		}
	}
	if d.staff != nil && people == d.people && rota == d.rota {
		return d.staff, nil
	}
	s, err := read(d.o)
	if err != nil {
		return nil, err
	}
	d.staff, d.people, d.rota = s, people, rota
	return s, nil
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	if info.Size() > maxSize {
		return stamp{}, fmt.Errorf("%s: %d bytes are more than %d", path, info.Size(), maxSize)
	}
	return stamp{info.ModTime(), info.Size()}, nil
}

// maxNamesakes is how many of one name are told of.
const maxNamesakes = 5

// LookUp finds the human, by ARN before name. Where the human is unresolved the owner of the nearest principal on the
// chain that somebody claims is better than nobody, and a note says so. Of several people of one name all are hints.
func (d *Directory) LookUp(_ context.Context, _ *gate.Door, who incident.Who) (contact.Answer, error) {
	s, err := d.load()
	if err != nil {
		return contact.Answer{}, err
	}
	found, name := s.claimants(who)
	if len(found) == 0 {
		return contact.Answer{Notes: []string{"knows nobody of that name"}}, nil
	}
	var a contact.Answer
	for _, p := range found[:min(len(found), maxNamesakes)] {
		person := p.person()
		switch {
		case p.hasLeft(d.clock()):
			person.Note = p.leaving()
			a.Left = append(a.Left, person)
			continue
		case len(found) > 1:
			person.IsHint, person.Note = true, fmt.Sprintf("one of %d people called %.100q", len(found), name)
		case who.Human == "":
			person.Note = "the human is not known; this is who owns " + identity.Printable(name, 300)
		}
		a.People = append(a.People, person)
	}
	if len(found) > 1 {
		a.Notes = []string{fmt.Sprintf("%d people are called %.100q: give them ARNs", len(found), name)}
	}
	return a, nil
}

// claimants are those who list the first of who's names that anybody lists, and that name.
func (s *staff) claimants(who incident.Who) ([]*Person, string) {
	names := []string{who.HumanARN, who.Human}
	if who.Human == "" {
		names = append([]string{who.HumanARN, who.Principal}, who.Chain...)
	}
	for _, name := range names {
		if found := s.claim(name); len(found) > 0 {
			return found, name
		}
	}
	return nil, ""
}

// claim returns the people who list name as a principal or as their mail address.
func (s *staff) claim(name string) []*Person {
	if name == "" {
		return nil
	}
	var found []*Person
	for i, p := range s.people {
		for _, own := range append([]string{p.Email}, p.Principals...) {
			if strings.EqualFold(own, name) {
				found = append(found, &s.people[i])
				break
			}
		}
	}
	return found
}

// ManagersOf implements contact.Managers: where the manager has left, it is theirs, and so on. Of several people of one
// name nobody's manager is told.
func (d *Directory) ManagersOf(_ context.Context, _ *gate.Door, who incident.Who) (contact.Answer, error) {
	s, err := d.load()
	if err != nil {
		return contact.Answer{}, err
	}
	found, _ := s.claimants(who)
	if len(found) != 1 {
		return contact.Answer{}, nil
	}
	var a contact.Answer
	seen := map[*Person]bool{}
	for p := found[0]; p.Manager != "" && !seen[p]; {
		seen[p] = true
		p = s.byName[key(p.Manager)]
		if seen[p] {
			break // whoever manages themselves is nobody else to ask
		}
		if !p.hasLeft(d.clock()) {
			manager := p.person()
			manager.Note = "manager of " + found[0].Name
			a.People = []incident.Person{manager}
			return a, nil
		}
		a.Notes = append(a.Notes, fmt.Sprintf("%s, who managed %s, has left", p.Name, found[0].Name))
	}
	return a, nil
}

// OnCall implements contact.Rota.
func (d *Directory) OnCall(context.Context) (contact.Answer, error) {
	s, err := d.load()
	if err != nil {
		return contact.Answer{}, err
	}
	if s.rota == nil {
		return contact.Answer{}, nil
	}
	now := d.clock()
	var a contact.Answer
	turns := s.rota.at(now)
	for _, turn := range turns {
		p := s.byName[key(turn.person)]
		if p.hasLeft(now) {
			a.Notes = append(a.Notes, fmt.Sprintf("%s, who would be on call, has left", p.Name))
			continue
		}
		person := p.person()
		person.Note = turn.note
		a.People = []incident.Person{person}
		return a, nil
	}
	if len(turns) == 0 {
		a.Notes = append(a.Notes, "nobody is on call now, says the rota")
	}
	return a, nil
}

// ByOSUser implements contact.Users. Somebody who left is nobody.
func (d *Directory) ByOSUser(name string) (incident.Person, []string, bool) {
	s, err := d.load()
	if err != nil {
		return incident.Person{}, nil, false
	}
	for _, p := range s.people {
		for _, user := range p.OSUsers {
			if user == name && name != "" && !p.hasLeft(d.clock()) {
				return p.person(), p.names(), true
			}
		}
	}
	return incident.Person{}, nil, false
}
