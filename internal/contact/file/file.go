// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package file is the directory that we keep ourselves: a YAML or CSV file of people, by the names under which AWS knows
// them. It is asked first, since nobody who can only reach AWS can write it.
//
//	people:
//	  - name: Alice Example
//	    email: alice@example.com
//	    slack: U012AB3CD
//	    phone: "+49 30 1234567"
//	    principals: [alice, "arn:…:iam::111122223333:user/alice", alice@corp.example]
//	    os_users: [alice]
//	    manager: Bob Example
//
// Principals are user names, ARNs, SAML subjects, Identity Center user names or ids, or web identities, compared without
// regard to case. A CSV file has the same fields as its first line; several principals or os_users in one cell are
// separated by ";". Unknown fields, addresses that are none, and an operating-system user of two people are refused,
// with the line. The file is read again when it changes; while it cannot be read, the directory is down.
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
	"github.com/switchback-project/switchback/internal/incident"
)

func init() {
	contact.Register(contact.Kind{Type: contact.SourceFile, Open: func(c contact.Config, _ contact.Services) (contact.Directory, error) {
		var o struct {
			Path string `yaml:"path"`
		}
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		return Open(o.Path)
	}})
}

// Person is one entry of the file.
type Person struct {
	Name       string   `yaml:"name"`
	Email      string   `yaml:"email"`
	Slack      string   `yaml:"slack"`
	Phone      string   `yaml:"phone"`
	Principals []string `yaml:"principals"`
	OSUsers    []string `yaml:"os_users"`
	// Manager is the name of another entry.
	Manager string `yaml:"manager"`
}

// Directory is a file of people. It is safe for concurrent use.
type Directory struct {
	path string

	mu     sync.Mutex // guards what follows
	people []Person
	seen   stamp // zero: never read
}

// stamp tells whether the file changed.
type stamp struct {
	modified time.Time
	size     int64
}

var (
	_ contact.Directory = (*Directory)(nil)
	_ contact.Users     = (*Directory)(nil)
)

// Open reads the file at path; ".csv" is CSV, anything else YAML.
func Open(path string) (*Directory, error) {
	if path == "" {
		return nil, errors.New("path is missing")
	}
	d := &Directory{path: path}
	_, err := d.load()
	return d, err
}

// load returns the people, reading the file where it changed.
func (d *Directory) load() ([]Person, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	info, err := os.Stat(d.path)
	if err != nil {
		return nil, fmt.Errorf("open directory file: %w", err)
	}
	now := stamp{info.ModTime(), info.Size()}
	if now == d.seen {
		return d.people, nil
	}
	people, err := read(d.path, info.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.path, err)
	}
	d.people, d.seen = people, now
	return people, nil
}

// LookUp finds the human, by ARN before name. Where the human is unresolved the owner of the nearest principal on the
// chain that somebody claims is better than nobody, and a note says so.
func (d *Directory) LookUp(_ context.Context, _ *gate.Door, who incident.Who) ([]incident.Person, []string, error) {
	people, err := d.load()
	if err != nil {
		return nil, nil, err
	}
	names := []string{who.HumanARN, who.Human}
	note := ""
	if who.Human == "" {
		names = append([]string{who.Principal}, who.Chain...)
		note = "the human is not known; this is who owns "
	}
	for _, name := range names {
		found := claim(people, name)
		switch len(found) {
		case 0:
			continue
		case 1:
			p := found[0].person()
			if note != "" {
				p.Note = note + name
			}
			return []incident.Person{p}, nil, nil
		}
		return nil, []string{fmt.Sprintf("%d people are called %q: give them ARNs", len(found), name)}, nil
	}
	return nil, []string{"knows nobody of that name"}, nil
}

// ByOSUser implements contact.Users.
func (d *Directory) ByOSUser(name string) (incident.Person, []string, bool) {
	people, err := d.load()
	if err != nil {
		return incident.Person{}, nil, false
	}
	for _, p := range people {
		for _, user := range p.OSUsers {
			if user == name && name != "" {
				return p.person(), p.names(), true
			}
		}
	}
	return incident.Person{}, nil, false
}

func (p Person) person() incident.Person {
	return incident.Person{Name: p.Name, Email: p.Email, Slack: p.Slack, Phone: p.Phone, Source: contact.SourceFile}
}

// names are all under which an identity chain may list p.
func (p Person) names() []string {
	names := append([]string{p.Name}, p.Principals...)
	if p.Email != "" {
		names = append(names, p.Email)
	}
	return names
}

// claim returns the people who list name as a principal or as their mail address.
func claim(people []Person, name string) []Person {
	if name == "" {
		return nil
	}
	var found []Person
	for _, p := range people {
		for _, own := range append([]string{p.Email}, p.Principals...) {
			if strings.EqualFold(own, name) {
				found = append(found, p)
				break
			}
		}
	}
	return found
}
