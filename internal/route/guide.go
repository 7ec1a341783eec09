// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
)

// Fact is the name under which an incident keeps its Guide among its facts.
const Fact = "guide"

// Guide says what a person has to do about one event.
type Guide struct {
	Route string `json:"route"`
	Class Class  `json:"class"`
	// What is so now, in words.
	What string `json:"what"`
	// WhoCan run the commands; empty where nobody has to.
	WhoCan string `json:"who_can,omitempty"`
	// Commands for a POSIX shell, one a line. They are safe to paste, whatever the event says.
	Commands []string `json:"commands"`
	// Notes say what the commands do not.
	Notes []string `json:"notes,omitempty"`
}

// GuideOf returns the guide among an incident's facts.
func GuideOf(facts map[string]json.RawMessage) (Guide, bool) {
	var g Guide
	if len(facts[Fact]) == 0 || json.Unmarshal(facts[Fact], &g) != nil {
		return Guide{}, false
	}
	return g, true
}

// Guide makes the commands of one event that took the route. AWS refused a call that failed: then there are none.
func (r *Route) Guide(record cloudtrail.Record) Guide {
	g := Guide{Route: r.ID(), Class: r.Class, What: r.What, Commands: []string{}}
	if record.Failed() {
		g.What, g.Notes = "nothing changed: AWS refused the call", []string{"Had it been allowed: " + r.What + "."}
		return g
	}
	if r.Class == ClassGuide || r.Class == ClassAlert {
		g.WhoCan = r.Who
	}
	e := eventOf(record)
	for _, template := range r.Commands {
		g.Commands = append(g.Commands, e.command(template))
	}
	slices.Sort(e.lacks)
	for _, missing := range slices.Compact(e.lacks) {
		g.Notes = append(g.Notes, e.why(missing))
	}
	return g
}

var placeholder = regexp.MustCompile(`\$\{[A-Za-z0-9.]+\}`)

// event fills placeholders from a record.
type event struct {
	request, response any
	known             map[string]string
	lacks             []string // names without a value that may be used
}

func eventOf(r cloudtrail.Record) *event {
	account := r.RecipientAccountID
	if account == "" {
		account = r.UserIdentity.AccountID
	}
	e := &event{known: map[string]string{
		"region": r.AWSRegion, "account": account, "partition": arn.PartitionOf(r.AWSRegion).ID,
	}}
	// A record without parameters, or with others than an object, has no values.
	_ = json.Unmarshal(r.RequestParameters, &e.request)
	_ = json.Unmarshal(r.ResponseElements, &e.response)
	return e
}

// What bounds a command, its values, and how many values a list may have, which the attacker wrote.
const (
	maxCommand = 560 // messages cut lines that are longer, and half a command is another command
	maxValue   = 256
	maxValues  = 20
)

// command fills a template. Where that makes it too long, people fill it in.
func (e *event) command(template string) string {
	text := e.fill(template, e.usable)
	if len(text) <= maxCommand {
		return text
	}
	return e.fill(template, func(string) []string { return nil })
}

// fill replaces the words that hold placeholders by quoted ones. A word that is one placeholder may become several.
func (e *event) fill(template string, values func(name string) []string) string {
	var out []string
	for _, word := range strings.Split(template, " ") {
		if !placeholder.MatchString(word) {
			out = append(out, word)
			continue
		}
		if placeholder.FindString(word) == word {
			out = append(out, e.list(name(word), values)...)
			continue
		}
		out = append(out, e.word(word, values))
	}
	return strings.Join(out, " ")
}

func (e *event) list(name string, values func(string) []string) []string {
	all := values(name)
	if len(all) == 0 {
		e.lacks = append(e.lacks, name)
		return []string{capitals(name)}
	}
	var out []string
	for _, v := range all {
		out = append(out, quote(v))
	}
	return out
}

// word is one word around placeholders, as Key=${value}: it holds one value each, or none.
func (e *event) word(template string, values func(string) []string) string {
	return quote(placeholder.ReplaceAllStringFunc(template, func(p string) string {
		if all := values(name(p)); len(all) == 1 && !strings.ContainsAny(all[0], ",={}") {
			return all[0]
		}
		e.lacks = append(e.lacks, name(p))
		return capitals(name(p))
	}))
}

// quote makes one word of a POSIX shell, in which nothing is special.
//
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// usable are the values under a name where each may stand in a command, else none.
func (e *event) usable(name string) []string {
	all := e.values(name)
	if len(all) > maxValues || slices.ContainsFunc(all, func(v string) bool { return !isUsable(v) }) {
		return nil
	}
	return all
}

// isUsable reports whether a value is one to the AWS CLI too, which takes others for options, for JSON, or for the name
// of a file or page to send instead.
//
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
func isUsable(v string) bool {
	if v == "" || len(v) > maxValue || strings.ContainsAny(v[:1], "-[{@ ") || paramFile.MatchString(v) {
		return false
	}
	return !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > unicode.MaxASCII || r == 0x7f })
}

var paramFile = regexp.MustCompile(`(?i)^(fileb?|https?)://`)

// values are the texts and numbers under a path, of an array all.
func (e *event) values(path string) []string {
	if v, ok := e.known[path]; ok {
		return []string{v}
	}
	at := e.request
	if rest, ok := strings.CutPrefix(path, "response."); ok {
		at, path = e.response, rest
	}
	for name := range strings.SplitSeq(path, ".") {
		object, _ := at.(map[string]any)
		at = member(object, name)
	}
	list, ok := at.([]any)
	if !ok {
		list = []any{at}
	}
	var out []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case float64:
			out = append(out, strconv.FormatFloat(v, 'f', -1, 64))
		case nil:
		default:
			return nil
		}
	}
	return out
}

// member finds a member as it is spelled, else in another case: services do not agree with their own API there.
func member(object map[string]any, name string) any {
	if v, ok := object[name]; ok {
		return v
	}
	var found []string
	for key := range object {
		if strings.EqualFold(key, name) {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return object[found[0]]
}

// why says what is wrong with a value.
func (e *event) why(name string) string {
	all := e.values(name)
	if len(all) == 0 {
		return fmt.Sprintf("%s: the event does not say it.", capitals(name))
	}
	return fmt.Sprintf("%s: what the event says cannot be put into a command: %s", capitals(name), identity.Printable(strings.Join(all, " "), 200))
}

// capitals spells a path as a name for people to replace: "response.ipSetId" is IP_SET_ID.
func capitals(path string) string {
	last := path[strings.LastIndexByte(path, '.')+1:]
	var b strings.Builder
	for i, r := range last {
		if i > 0 && unicode.IsUpper(r) && unicode.IsLower(rune(last[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}
