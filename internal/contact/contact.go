// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package contact finds out how to reach the human behind an incident.
//
// It is the port that directories implement, one package each below this one, and the [Chain] that asks them in order:
// directories that we keep ourselves first; hints that others can write (IAM tags) are taken only beside somebody
// certain, never alone; then the account's own contact; then the configured fallback, so that there is always somebody.
// Every answer says where it came from, and what was ignored is said too.
//
// [Chain.Escalation] is who is asked when the human does not answer: person, manager, on-call, fallback. Of what can go
// wrong:
//
//   - A directory that is down, or does not answer in time, is a note and no failure: the next one is asked.
//   - Of two people of one name neither is certain. Both are hints, beside somebody certain.
//   - Somebody who left is not contacted, also where another directory still has them; their manager is.
//   - Names in an event are the attacker's. They are compared and encoded, never interpreted, and cut before they are
//     told to anybody.
//
// The package sends nothing (see internal/notify) and decides nothing about who did it (see internal/identity).
package contact

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

// Directory knows people.
type Directory interface {
	// LookUp returns how to reach who. An error means that the directory could not be asked. Door is the way to AWS, nil
	// where there is none.
	LookUp(ctx context.Context, door *gate.Door, who incident.Who) (Answer, error)
}

// Answer is what a directory knows. The zero value is that it knows nobody.
type Answer struct {
	// People are whom to contact, best first. Everybody has a Source. Answers that others than us can write, and several
	// of which only one can be right, MUST be marked IsHint.
	People []incident.Person
	// Left are people whom the directory knows by that name, and knows to be gone. Nobody contacts them, whatever other
	// directories say of them.
	Left []incident.Person
	// Notes say in words what was ignored and why.
	Notes []string
}

// Managers is a Directory that knows to whom people report.
type Managers interface {
	// ManagersOf returns the nearest manager of who that is still there, with a Note whose manager that is. Somebody who
	// left still has one. It is no note that who is not known, or has none.
	ManagersOf(ctx context.Context, door *gate.Door, who incident.Who) (Answer, error)
}

// Rota is a Directory that knows who is on call.
type Rota interface {
	// OnCall returns who is on call now, by the directory's clock.
	OnCall(ctx context.Context) (Answer, error)
}

// Users is a Directory that also knows which person is a user of this computer's operating system.
type Users interface {
	// ByOSUser returns the person, and every name under which an identity chain may list them. Unknown users and
	// unreadable directories return false: such a user may only annotate.
	ByOSUser(name string) (person incident.Person, names []string, ok bool)
}

// Sources of people, as incident.Person and reports name them; for directories also their types in the configuration.
const (
	SourceFile           = "file"
	SourceIdentityCenter = "identity center"
	SourceHTTP           = "http"
	SourceIAMTags        = "iam tags"
	SourceAccount        = "account contact"
	// Of people who stand in for the human, with a Note that says for whom, and which directory named them.
	SourceManager  = "manager"
	SourceOnCall   = "on-call"
	SourceFallback = "fallback"
)

// Services are what directories share.
type Services struct {
	// History shows who changed a hint lately; nil: nobody can tell.
	History state.History
	// Clock tells who has left by now and who is on call; most directories need it.
	Clock func() time.Time
}

// Config is one entry of the configuration's `directories:`: the type, and the fields that this type reads.
type Config struct {
	Type string
	// Decode fills v, a pointer to the directory's own options, refusing unknown fields.
	Decode func(v any) error
}

// Kind is a registered type of directory.
type Kind struct {
	// Type is its name in the configuration, "file".
	Type string
	// Open makes a directory from its configuration. It may read files, and calls no service.
	Open func(c Config, s Services) (Directory, error)
}

var kinds = map[string]Kind{}

// Register adds a type of directory. It panics on an empty or duplicate type: a programmer's fault at start.
func Register(k Kind) {
	if _, ok := kinds[k.Type]; ok || k.Type == "" || k.Open == nil {
		panic("contact: bad or duplicate registration of " + k.Type)
	}
	kinds[k.Type] = k
}

// Types lists the registered types, sorted.
func Types() []string {
	types := make([]string, 0, len(kinds))
	for t := range kinds {
		types = append(types, t)
	}
	sort.Strings(types)
	return types
}

// Open makes the directory that c describes.
func Open(c Config, s Services) (Directory, error) {
	k, ok := kinds[c.Type]
	if !ok {
		return nil, fmt.Errorf("no directory of type %q (known: %s)", c.Type, strings.Join(Types(), ", "))
	}
	d, err := k.Open(c, s)
	if err != nil {
		return nil, fmt.Errorf("directory %s: %w", c.Type, err)
	}
	return d, nil
}

// Errors of addresses.
var (
	ErrEmail = errors.New("not a plain mail address (want name@example.com)")
	ErrSlack = errors.New("not a Slack member id (want U012AB3CD)")
)

// maxEmail is the longest address that mail can carry.
//
// https://www.rfc-editor.org/errata/eid1690
const maxEmail = 254

// CheckEmail accepts a bare address and nothing else: no display name, no comment, no second address, no line break.
func CheckEmail(s string) error {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > maxEmail || strings.ContainsAny(s, " \t\r\n\"<>(),;") {
		return fmt.Errorf("check %.100q: %w", s, ErrEmail)
	}
	return nil
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// CheckAccount accepts the id of an AWS account; field is what the configuration calls it.
func CheckAccount(field, id string) error {
	if !accountID.MatchString(id) {
		return fmt.Errorf("%s: %.40q is no account id (12 digits)", field, id)
	}
	return nil
}

// https://docs.slack.dev/reference/objects/user-object
var slackMember = regexp.MustCompile(`^[UW][A-Z0-9]{5,20}$`)

// CheckSlack accepts a Slack member id.
func CheckSlack(s string) error {
	if !slackMember.MatchString(s) {
		return fmt.Errorf("check %.100q: %w", s, ErrSlack)
	}
	return nil
}
