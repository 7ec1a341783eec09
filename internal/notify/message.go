// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"cmp"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/route"
)

// Case is what a message is about.
type Case struct {
	Incident incident.Incident
	// Facts are those of the event that opened the incident; zero when it cannot be read.
	Facts identity.Facts
	// Done says what was put back, one line each.
	Done []string
	// Call is whom a person shall call; "" is said in words.
	Call string
	// Why says why somebody else than the person is asked; "" says nothing. IsAgain: the person is reminded.
	Why     string
	IsAgain bool
	// Link is where a person answers; "" where there is none.
	Link string
}

// SecurityMessage tells the security team, in full.
func SecurityMessage(id string, c Case, at time.Time) (incident.Message, error) {
	return c.message(id, incident.ToSecurity, at, c.subject(""), c.full(""))
}

// ReminderMessage tells the security team again, the attempt-th time, that nobody has acknowledged.
func ReminderMessage(id string, c Case, attempt int, at time.Time) (incident.Message, error) {
	lead := fmt.Sprintf("Reminder %d: nobody has acknowledged this incident since %s.", attempt, moment(c.Incident.Times.Received))
	return c.message(id, incident.Reminder, at, c.subject(fmt.Sprintf("Reminder %d: ", attempt)), c.full(lead))
}

// FallbackMessage tells the last resort, in full.
func FallbackMessage(id string, c Case, to []incident.Person, at time.Time) (incident.Message, error) {
	lead := "You are the last resort for this incident: somebody must look at it, and nobody else has acknowledged it."
	if len(to) > 0 && to[0].Source == onCall {
		lead = "You are on call: somebody must look at this incident."
	}
	if c.Why != "" {
		lead += "\n\n" + printed(c.Why)
	}
	m, err := c.message(id, incident.ToFallback, at, c.subject("Needs a person: "), c.full(lead))
	m.To = to
	return m, err
}

// PersonMessage tells the person behind the call, or whoever holds their identity: only what, when, from which address,
// what was undone, and whom to call. It names no role, no key, no way of detection, no incident and nobody else. Where
// people are not that person but stand in (the account's contact, the fallback), it says so.
func PersonMessage(id string, c Case, to []incident.Person, at time.Time) (incident.Message, error) {
	f := c.Facts
	verb := "Did you call"
	if c.Incident.Key.Outcome == incident.Attempted {
		verb = "Did you try to call"
	}
	v := view{
		Title: "Was this you?",
		Lead:  "This was done with your identity in AWS. If it was you and you meant to, talk to the security team about it all the same.",
	}
	foot := "If this was not you, somebody else has your credentials."
	if IsStandIn(to) {
		verb = strings.Replace(verb, "you", "one of yours", 1)
		v.Title = "Was this one of yours?"
		v.Lead = "This was done with an identity in AWS whose owner we could not find. You are told because you are named as the contact."
		foot = "If nobody of yours meant to do this, somebody else has their credentials."
		if to[0].Source == manager {
			v.Lead = "This was done with the identity in AWS of somebody who reports to you. You are asked whether they may have done it."
		}
	}
	if f.EventName == "" {
		// A finding: no call is known.
		verb = "Do you know about"
		v.Title = "Do you know about this?"
		v.Lead = "This was found in AWS, and whose doing it was is not known. You are told because you are named as the contact."
	}
	if c.Why != "" {
		v.Lead += "\n\n" + printed(c.Why)
	}
	what := cmp.Or(f.EventName, identity.Printable(c.Incident.Key.EventName, maxTitle))
	v.Rows = rows(
		row{"What", what + on(c.name())},
		row{"When", moment(c.occurred())},
		row{"From", cmp.Or(f.SourceIP, "not recorded")},
	)
	v.Sections = []section{{"What was undone", c.undone()}}
	v.Link = c.Link
	v.Foot = []string{
		foot + " Call " + cmp.Or(printed(c.Call), "your security team, by a way that you know already,") + " now.",
		"Do not answer this message: whoever holds the identity may read it too.",
	}
	if c.IsAgain {
		verb = "Reminder: " + verb
	}
	subject := fmt.Sprintf("%s %s on %s?", verb, what, c.occurred().UTC().Format("2006-01-02 at 15:04 UTC"))
	m, err := c.message(id, incident.ToPerson, at, subject, v)
	m.To = to
	return m, err
}

// occurred is when the event happened that the message is about: of an incident with several, the one in Facts.
func (c Case) occurred() time.Time {
	if c.Facts.At.IsZero() {
		return c.Incident.Times.Occurred
	}
	return c.Facts.At
}

// IsStandIn reports whether nobody of to is taken for the person: whoever comes first is told in their place.
func IsStandIn(to []incident.Person) bool {
	return len(to) > 0 && standIns[to[0].Source]
}

// standIns are the sources of incident.Person that name somebody responsible, and not the person.
var standIns = map[string]bool{"account contact": true, "fallback": true, manager: true, onCall: true}

// The sources of people whom an escalation asks.
const (
	manager = "manager"
	onCall  = "on-call"
)

// DoneLine says in words what a verified change put back, for Case.Done.
func DoneLine(u incident.Undo) string {
	_, verb, _ := strings.Cut(u.Action, ":")
	return fmt.Sprintf("%s%s, read back as it should be (begun at %s).", cmp.Or(verb, u.Action), on(nameOf(u.Target)), moment(u.CreatedAt))
}

// view is what the templates show: the same content as text and as HTML.
type view struct {
	Title, Lead string
	Rows        []row
	Sections    []section
	Link        string
	Foot        []string
}

type row struct{ Label, Value string }

type section struct {
	Title string
	Lines []string
}

//go:embed templates
var files embed.FS

var (
	textLayout = texttemplate.Must(texttemplate.New("message.txt").Funcs(map[string]any{"pad": pad}).ParseFS(files, "templates/message.txt"))
	htmlLayout = htmltemplate.Must(htmltemplate.ParseFS(files, "templates/message.html"))
)

// pad makes labels one column.
func pad(label string) string { return fmt.Sprintf("%-12s", label) }

func (c Case) message(id string, kind incident.MessageKind, at time.Time, subject string, v view) (incident.Message, error) {
	var text, html strings.Builder
	if err := textLayout.Execute(&text, v); err != nil {
		return incident.Message{}, fmt.Errorf("write message %s: %w", id, err)
	}
	if err := htmlLayout.Execute(&html, v); err != nil {
		return incident.Message{}, fmt.Errorf("write message %s as HTML: %w", id, err)
	}
	return incident.Message{
		ID: id, Incident: c.Incident.ID, Kind: kind, Severity: c.Incident.Severity, At: at.UTC(),
		Subject: subject, Text: text.String(), HTML: html.String(),
	}, nil
}

// subject says severity, what happened to what, and how it stands.
func (c Case) subject(prefix string) string {
	i := c.Incident
	title := cmp.Or(identity.Printable(i.Title, maxTitle), "Incident "+string(i.ID))
	return fmt.Sprintf("[%s] %s%s in %s: %s", i.Severity, prefix, title, printed(i.Key.Account), c.standing())
}

// standing is how it stands, in a word or two.
func (c Case) standing() string {
	t := c.Incident.Times
	switch {
	case !t.Contained.IsZero() && c.Incident.Standing != "":
		return printed(c.Incident.Standing)
	case c.isLeft():
		return "in order, but a person must look"
	case !t.Proven.IsZero():
		return "put back and proven"
	case !t.Contained.IsZero():
		return "put back"
	case c.Incident.Key.Outcome == incident.Attempted:
		return "attempted, refused by AWS"
	}
	return "not put back"
}

// isLeft reports whether nothing was put back for the incident, and something is left that only people can put right: a
// grant that was revoked, a log stream that is lost.
func (c Case) isLeft() bool {
	i := c.Incident
	return !i.Times.Contained.IsZero() && i.Standing == "" && len(c.Done) == 0 && len(i.Open) > 0
}

// full is everything that the security team needs, under the lead.
func (c Case) full(lead string) view {
	i, f := c.Incident, c.Facts
	v := view{Title: printed(i.Title), Lead: lead, Rows: c.fullRows()}
	if summary := cmp.Or(printed(i.Summary), sentence(f)); summary != "" {
		v.Lead = strings.TrimSpace(lead + "\n\n" + summary + ".")
	}
	v.Sections = append(v.Sections, section{"What was put back", c.undone()})
	if g, ok := route.GuideOf(i.Facts); ok {
		v.Sections = append(v.Sections, guided(g)...)
	}
	if len(i.Open) > 0 {
		v.Sections = append(v.Sections, section{"What a person must look at", printedAll(i.Open)})
	}
	v.Foot = []string{
		"switchback incident show " + string(i.ID),
		"switchback incident ack " + string(i.ID),
		"Nobody on the identity chain above may acknowledge.",
	}
	return v
}

func (c Case) fullRows() []row {
	i, f := c.Incident, c.Facts
	return rows(
		row{"Incident", string(i.ID)},
		row{"Severity", fmt.Sprintf("%s, %s", i.Severity, c.standing())},
		row{"Resource", printed(i.Key.Resource)},
		row{"Account", printed(i.Key.Account)},
		row{"Region", place(cmp.Or(f.Region, i.Region))},
		row{"Call", printed(i.Key.EventName) + times(i.Count)},
		row{"Error", strings.TrimSpace(f.ErrorCode + " " + f.ErrorMessage)},
		row{"Occurred", moment(c.occurred())},
		row{"Received", moment(i.Times.Received)},
		row{"Contained", moment(i.Times.Contained)},
		row{"Proven", moment(i.Times.Proven)},
		row{"Principal", cmp.Or(f.Principal, printed(i.Who.Principal))},
		row{"Access key", f.AccessKeyID},
		row{"MFA", mfaWords(f)},
		row{"Source IP", f.SourceIP},
		row{"Agent", f.Agent},
		row{"Human", Human(i.Who)},
		row{"Chain", strings.Join(printedAll(i.Who.Chain), " < ")},
	)
}

// guided is what a person has to do, and with which commands.
func guided(g route.Guide) []section {
	all := []section{{"What happened to it", printedAll(append([]string{g.What + "."}, g.Notes...))}}
	if len(g.Commands) > 0 {
		all = append(all, section{"To be run by " + printed(g.WhoCan), printedAll(g.Commands)})
	}
	return all
}

// Human is who is behind the call, in words.
func Human(w incident.Who) string {
	switch {
	case w.Human != "" && w.HumanARN != "":
		return printed(w.Human) + " (" + printed(w.HumanARN) + ")"
	case w.Human != "":
		return printed(w.Human)
	case w.Status == string(identity.Service):
		return "none: a service or workload"
	}
	return "unresolved"
}

// undone is what was put back, or why nothing was.
func (c Case) undone() []string {
	switch {
	case len(c.Done) > 0:
		return printedAll(c.Done)
	case c.Incident.Key.Outcome == incident.Attempted:
		return []string{"Nothing: AWS refused the call, so that it had no effect."}
	case !c.Incident.Times.Contained.IsZero() && c.Incident.Standing != "":
		return []string{"Nothing in AWS: " + printed(c.Incident.Standing) + "."}
	case c.isLeft():
		return []string{"Nothing: everything was as it should be again, but for what a person must look at."}
	case !c.Incident.Times.Contained.IsZero():
		return []string{"Nothing: everything was as it should be again."}
	}
	return []string{"Nothing yet."}
}

// name is the resource without the rest of its ARN.
func (c Case) name() string { return nameOf(c.Incident.Key.Resource) }

func nameOf(name string) string {
	if p, err := arn.Parse(name); err == nil {
		name = p.Name()
	}
	return identity.Printable(name, maxTitle)
}

// rows leaves out those without a value.
func rows(all ...row) []row {
	var kept []row
	for _, r := range all {
		if r.Value != "" {
			kept = append(kept, r)
		}
	}
	return kept
}

// What bounds one value of a message, and what is part of its subject, in bytes.
const (
	maxPrinted = 600
	maxTitle   = 120
)

func printed(s string) string { return identity.Printable(s, maxPrinted) }

func printedAll(lines []string) []string {
	const most = 50
	var all []string
	for i, line := range lines {
		if i == most {
			return append(all, fmt.Sprintf("… and %d more", len(lines)-most))
		}
		all = append(all, printed(line))
	}
	return all
}

func on(name string) string {
	if name == "" {
		return ""
	}
	return " on " + name
}

func times(count int) string {
	if count < 2 {
		return ""
	}
	return fmt.Sprintf(", %d times", count)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func place(region string) string {
	if name := arn.Place(region); name != "" {
		return region + " (" + name + ")"
	}
	return printed(region)
}

func mfaWords(f identity.Facts) string {
	switch {
	case f.MFA == nil:
		return ""
	case *f.MFA:
		return "yes"
	}
	return "no"
}

func sentence(f identity.Facts) string {
	if f.EventID == "" {
		return ""
	}
	return f.Sentence("")
}
