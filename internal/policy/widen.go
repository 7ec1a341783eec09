// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Widening is something that a policy allows and its baseline did not.
type Widening struct {
	// Principal is who gets it: a name of the policy, an account id (any other principal of it), "anonymous", "any other
	// account", "any other service", "any other federation"; "*" is everybody.
	Principal string `json:"principal"`
	// Access and Resources are actions and resources; "* except " leaves some out.
	Access    []string `json:"access"`
	Resources []string `json:"resources"`
	// Conditions are those under which it is allowed, and was not. All must hold.
	Conditions []string `json:"conditions"`
	// Statement is the one that allows it.
	Statement int `json:"statement"`
	// Denied is the statement of the baseline that denied it, if one did.
	Denied *int `json:"denied,omitempty"`
	// IsRough: the two policies are too entangled to say it exactly; it may be less than this.
	IsRough bool `json:"rough,omitempty"`
}

// Widens lists what p allows and baseline does not, in the order of p's statements; nothing when p allows no more. What
// is not certain in either is compared as it is written.
func (p *Policy) Widens(baseline *Policy) []Widening {
	u := newUniverse(p, baseline)
	after, before := u.sides(p), u.sides(baseline)
	knife := &cutter{budget: maxWork}
	var all []Widening
	for _, a := range after.allows {
		granted, isExact := knife.subtract([]box{a.box}, boxes(after.denies))
		added, ok := knife.subtract(granted, boxes(before.allows))
		isExact = isExact && ok
		all = append(all, u.report(p, a, nil, added, isExact)...)
		for _, d := range before.denies {
			lifted, ok := knife.subtract(cut(granted, d.box), added)
			all = append(all, u.report(p, a, &d.statement, lifted, isExact && ok)...)
		}
	}
	return all
}

// cut is what lies in a box.
func cut(from []box, to box) []box {
	var out []box
	for _, b := range from {
		if b.meets(to) {
			out = append(out, b.and(to))
		}
	}
	return out
}

// sides are the requests that a policy's statements are about.
type sides struct{ allows, denies []region }

// region is what one statement is about.
type region struct {
	box       box
	statement int
}

func boxes(all []region) []box {
	out := make([]box, len(all))
	for i, r := range all {
		out[i] = r.box
	}
	return out
}

func (u *universe) sides(p *Policy) sides {
	var out sides
	for i := range p.Statements {
		s := &p.Statements[i]
		b := u.box(s)
		switch {
		case b.isEmpty():
		case s.Effect == Allow:
			out.allows = append(out.allows, region{b, s.Index})
		case !s.isOdd:
			out.denies = append(out.denies, region{b, s.Index})
		}
	}
	return out
}

// box is the region of a statement.
func (u *universe) box(s *Statement) box {
	b := make(box, len(u.dimensions))
	for i := firstKey; i < len(b); i++ {
		b[i] = u.dimensions[i].full()
	}
	who := u.dimensions[whoDimension]
	b[whoDimension] = who.where(func(i int) bool { return u.admits(s, who.principals[i]) })
	b[actionDimension] = u.dimensions[actionDimension].covered(folded(s.Actions), folded(s.NotActions))
	b[resourceDimension] = u.dimensions[resourceDimension].covered(s.Resources, s.NotResources)
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if at, ok := u.byKey[c.dimension()]; ok && !isDerived(c) {
			d := u.dimensions[at]
			b[at] = b[at].and(d.where(func(i int) bool {
				return c.isVoid && len(d.members[i]) > 0 || !c.isVoid && c.holds(d.members[i], c.Values)
			}))
		}
	}
	return b
}

// folded are patterns of actions as the dimension has them; nil stays nil.
func folded(patterns []string) []string {
	out := slices.Clone(patterns)
	for i, p := range out {
		out[i] = strings.ToLower(p)
	}
	return out
}

func (u *universe) admits(s *Statement, p Principal) bool {
	if !s.names(p) {
		return false
	}
	var context Context
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if !isDerived(c) {
			continue
		}
		if context == nil {
			context = p.context()
		}
		if !c.holds(context[c.key], c.Values) {
			return false
		}
	}
	return true
}

// covered has the members that one of the patterns fits, or, when there are none, that none of not fits.
func (d *dimension) covered(patterns, not []string) set {
	if not != nil {
		return d.full().without(d.union(not))
	}
	if patterns == nil {
		return d.full()
	}
	return d.union(patterns)
}

func (d *dimension) union(patterns []string) set {
	out := newSet(d.size())
	for _, e := range d.patterns {
		if slices.Contains(patterns, e.text) {
			out.join(e.members)
		}
	}
	return out
}

// maxNamed bounds how many principals of one piece are listed one by one.
const maxNamed = 50

// report puts pieces into words.
func (u *universe) report(p *Policy, of region, denied *int, pieces []box, isExact bool) []Widening {
	s, whole := &p.Statements[of.statement], of.box
	var all []Widening
	for _, b := range pieces {
		w := Widening{
			Access: u.words(b, whole, actionDimension, s.access()), Resources: u.words(b, whole, resourceDimension, s.resources()),
			Conditions: u.conditions(s, b, whole), Statement: s.Index, Denied: denied, IsRough: !isExact,
		}
		for _, who := range u.who(s, b, whole) {
			w.Principal = who
			all = append(all, w)
		}
	}
	return all
}

func (s *Statement) resources() []string {
	switch {
	case s.NotResources != nil:
		return []string{"* except " + strings.Join(s.NotResources, ", ")}
	case s.Resources == nil:
		return []string{"*"}
	}
	return s.Resources
}

// who names the principals of a piece, as the statement does where it can.
func (u *universe) who(s *Statement, b, whole box) []string {
	d, got := u.dimensions[whoDimension], b[whoDimension]
	if got.size() == d.size() {
		return []string{"*"}
	}
	var out []string
	covered := newSet(d.size())
	for _, n := range s.Principals {
		named := d.where(func(i int) bool { return d.principals[i].is(n) }).and(whole[whoDimension])
		if named.isWithin(got) && !named.isWithin(covered) {
			out = append(out, n.Value)
			covered.join(named)
		}
	}
	for i, p := range d.principals {
		if got.has(i) && !covered.has(i) {
			out = append(out, describe(p))
		}
	}
	out = slices.DeleteFunc(unique(out), func(name string) bool {
		account, ok := strings.CutPrefix(name, noRole)
		return ok && slices.Contains(out, account)
	})
	if rest := len(out) - maxNamed; rest > 0 {
		out = append(out[:maxNamed], fmt.Sprintf("%d more", rest))
	}
	return out
}

// words says which texts of a dimension a piece has: what the statement says when it has all of it.
func (u *universe) words(b, whole box, at int, own []string) []string {
	if whole[at].isWithin(b[at]) {
		return own
	}
	return u.dimensions[at].words(b[at])
}

// words puts a set into the patterns of the policies, the widest first. A pattern of which only some is missing is
// followed by what is.
func (d *dimension) words(got set) []string {
	var out []string
	covered := newSet(d.size())
	for _, e := range append([]extent{{"*", d.present()}}, d.patterns...) {
		have := e.members.and(got)
		if have.isWithin(covered) {
			continue
		}
		word, ok := d.word(e, got)
		if ok {
			out = append(out, word)
			covered.join(have)
		}
	}
	for i, m := range d.members {
		if got.has(i) && !covered.has(i) {
			out = append(out, some(m))
		}
	}
	return unique(out)
}

// present has the members with a value.
func (d *dimension) present() set {
	return d.where(func(i int) bool { return len(d.members[i]) > 0 })
}

func some(m texts) string {
	if len(m) == 0 {
		return "absent"
	}
	return readable(strings.Join(m, " and "))
}

// word is a pattern, if the set has all of it, or what stands for the rest of it.
func (d *dimension) word(e extent, got set) (string, bool) {
	if e.members.isWithin(got) {
		return d.shown(e.text), true
	}
	rest := slices.IndexFunc(d.members, func(m texts) bool { return len(m) == 1 && m[0] == instance(e.text) })
	if rest < 0 || !got.has(rest) {
		return "", false
	}
	except := d.missing(e, got)
	return d.shown(e.text) + " except " + strings.Join(except, ", "), len(except) > 0
}

// missing are the patterns of which, within another, the set has nothing; the widest of them.
func (d *dimension) missing(of extent, got set) []string {
	var out []string
	covered := newSet(d.size())
	for _, e := range d.patterns {
		inside := e.members.and(of.members)
		if !inside.isEmpty() && !inside.meets(got) && !inside.isWithin(covered) {
			out = append(out, d.shown(e.text))
			covered.join(inside)
		}
	}
	return out
}

// conditions says under which a piece is allowed: those of the statement, and where less of a key is new, the values.
func (u *universe) conditions(s *Statement, b, whole box) []string {
	out := []string{}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		at, ok := u.byKey[c.dimension()]
		if !ok || isDerived(c) || whole[at].isWithin(b[at]) {
			out = append(out, c.String())
		}
	}
	for at := firstKey; at < len(b); at++ {
		if !whole[at].isWithin(b[at]) {
			d := u.dimensions[at]
			out = append(out, d.name+" is "+strings.Join(d.words(b[at]), " or "))
		}
	}
	return out
}
