// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Severity says whether a problem makes a definition invalid.
type Severity string

// The severities, as ValidateStateMachineDefinition names them.
const (
	SeverityError   Severity = "ERROR"
	SeverityWarning Severity = "WARNING"
)

// Codes of problems. The first two are AWS's; AWS uses the first for nearly everything.
const (
	CodeSchema      = "SCHEMA_VALIDATION_FAILED"
	CodeJSON        = "INVALID_JSON_DESCRIPTION"
	CodeTransition  = "MISSING_TRANSITION_TARGET"
	CodeUnreachable = "UNREACHABLE_STATE"
	CodeNoTerminal  = "MISSING_END_STATE"
	CodeUnsupported = "UNSUPPORTED_FEATURE" // valid on AWS, but nothing that Compile can run
	CodeAction      = "UNKNOWN_ACTION"
	CodeSpacing     = "EXPRESSION_SPACING" // JSONata not set off by blanks inside {% %}; Compile takes it
)

// Problem is something wrong with a definition. Its JSON form is that of AWS's diagnostics.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html
type Problem struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	// Path is a JSON pointer to the fault, such as "/States/X/Next"; "/" is the state machine, empty the whole text.
	Path string `json:"location,omitempty"`
}

// String returns the problem as one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s %s at %s: %s", p.Severity, p.Code, p.Path, p.Message)
}

// Field is an input field of an action.
type Field struct {
	Name     string
	Required bool
}

// Catalog knows the actions behind switchback: resources.
type Catalog interface {
	// Action returns the input fields of an action such as "cloudtrail:StartLogging"; false when there is none.
	Action(id string) (fields []Field, ok bool)
}

// CheckOptions of Check. The zero value accepts whatever this package can run.
type CheckOptions struct {
	// AWS refuses what Step Functions would refuse: switchback: resources, and anything that is neither an ARN nor a
	// substitution placeholder.
	AWS bool
	// Catalog, if set, makes unknown actions, unknown fields and missing required fields errors.
	Catalog Catalog
	// Expressions, if set, checks the syntax of JSONata expressions.
	Expressions Expressions
}

// CheckError is the error of Compile for an invalid definition.
type CheckError struct {
	// Problems holds the errors, at least one.
	Problems []Problem
}

// Error returns the first problem, and how many more there are.
func (e *CheckError) Error() string {
	first := e.Problems[0]
	text := fmt.Sprintf("invalid state machine definition: %s at %s", first.Message, first.Path)
	if more := len(e.Problems) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// Check returns everything that AWS would refuse of a standard state machine (errors), and what is likely a mistake
// (warnings), in the order of the definition. An empty result means that nothing is wrong.
func Check(data []byte, o CheckOptions) []Problem {
	if len(bytes.TrimSpace(data)) == 0 {
		return []Problem{{Severity: SeverityError, Code: CodeSchema, Message: notAnObject}}
	}
	root, err := parseDefinition(data)
	if err != nil {
		return []Problem{{Severity: SeverityError, Code: CodeJSON, Message: err.Error()}}
	}
	return checkDefinition(root, o)
}

// HasErrors reports whether one of the problems makes the definition invalid.
func HasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == SeverityError })
}

// notAnObject is what AWS says of a blank definition, and of one that is another JSON value.
const notAnObject = "Definition must be a valid JSON object"

func parseDefinition(data []byte) (*object, error) {
	if len(data) > MaxDefinitionBytes {
		return nil, &ParseError{Line: 1, Column: 1, Message: fmt.Sprintf("definition of %d bytes is larger than %d", len(data), MaxDefinitionBytes)}
	}
	v, err := decode(data)
	if err != nil {
		return nil, err
	}
	root, ok := v.(*object)
	if !ok {
		return nil, &ParseError{Line: 1, Column: 1, Message: notAnObject}
	}
	return root, nil
}

// checkDefinition checks a whole definition.
func checkDefinition(root *object, o CheckOptions) []Problem {
	c := &checker{options: o, names: map[string]string{}}
	c.machine = isJSONata(root, false)
	p := place{object: root, pointer: "", title: "/"}
	c.fields(p, machineFields, c.machine)
	c.oneOf(p, "QueryLanguage", "JSONPath", "JSONata")
	c.oneOf(p, "Version", "1.0")
	c.number(p, "TimeoutSeconds", integer, 1, maxSeconds)
	c.scope(p, nil)
	return c.problems
}

// refusal returns the error of Compile: the errors among the problems, and what is valid on AWS but cannot run here.
func refusal(problems []Problem) error {
	var all []Problem
	for _, p := range problems {
		if p.Code == CodeUnsupported || p.Severity == SeverityError && p.Code != CodeSpacing {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &CheckError{all}
}

// checker gathers the problems of one definition.
type checker struct {
	options  CheckOptions
	machine  bool              // the machine's QueryLanguage is JSONata
	names    map[string]string // pointer of the state of each name
	problems []Problem
}

// place is an object of the definition and where it stands.
type place struct {
	object  *object
	pointer string
	title   string // the pointer for messages: "/" for the machine
}

func (p place) at(field string) string { return p.pointer + "/" + escapePointer(field) }

func (p place) inside(field string, o *object) place {
	pointer := p.at(field)
	return place{o, pointer, pointer}
}

func (p place) item(field string, i int, o *object) place {
	pointer := p.at(field) + "/" + strconv.Itoa(i)
	return place{o, pointer, pointer}
}

func (c *checker) report(severity Severity, code, path, format string, args ...any) {
	c.problems = append(c.problems, Problem{severity, code, fmt.Sprintf(format, args...), path})
}

func (c *checker) fail(path, format string, args ...any) {
	c.report(SeverityError, CodeSchema, path, format, args...)
}

// require reports missing fields, in AWS's words.
func (c *checker) require(p place, fields ...string) {
	var missing []string
	for _, field := range fields {
		if _, ok := p.object.get(field); !ok {
			missing = append(missing, field)
		}
	}
	if len(missing) > 0 {
		c.fail(p.title, "These fields are required: [%s]", strings.Join(missing, ", "))
	}
}

// atMostOne reports fields that exclude one another.
func (c *checker) atMostOne(p place, fields ...string) int {
	n := 0
	for _, field := range fields {
		if _, ok := p.object.get(field); ok {
			n++
		}
	}
	if n > 1 {
		c.fail(p.title, "may have only one of [%s]", strings.Join(fields, ", "))
	}
	return n
}

func (c *checker) exactlyOne(p place, fields ...string) {
	if c.atMostOne(p, fields...) == 0 {
		c.fail(p.title, "must have one of [%s]", strings.Join(fields, ", "))
	}
}

func (c *checker) oneOf(p place, field string, allowed ...string) {
	v, ok := p.object.get(field)
	if !ok {
		return
	}
	if text, isText := v.(string); !isText || !slices.Contains(allowed, text) {
		c.fail(p.at(field), "not one of the allowed values [%s]", strings.Join(allowed, ", "))
	}
}

// scope checks a "States" object: that of the machine, of a branch or of a Map's processor. Outer holds the variables of
// the scopes around it, which must not be assigned here.
func (c *checker) scope(p place, outer map[string]bool) {
	c.require(p, "States", "StartAt")
	start, hasStart := p.object.get("StartAt")
	startName, isText := start.(string)
	if hasStart && !isText {
		c.fail(p.at("StartAt"), "must be a string")
	}
	v, ok := p.object.get("States")
	if !ok {
		return
	}
	states, ok := v.(*object)
	if !ok {
		c.fail(p.at("States"), "must be an object")
		return
	}
	if len(states.keys) == 0 {
		c.fail(p.at("States"), "must have at least one state")
		return
	}
	if _, ok := states.get(startName); isText && !ok {
		c.report(SeverityError, CodeTransition, p.at("StartAt"), "Missing 'StartAt' target: %s", clip(startName))
	}
	inside := p.inside("States", states)
	own := assignedNames(states)
	for i, name := range states.keys {
		c.stateName(inside, name)
		o, ok := states.vals[i].(*object)
		if !ok {
			c.fail(inside.at(name), "a state must be an object")
			continue
		}
		s := &stateCheck{checker: c, place: inside.inside(name, o), siblings: states, outer: outer, own: own}
		s.check()
	}
	c.graph(inside, states, startName)
}

// assignedNames returns the variables that the states of a scope assign.
func assignedNames(states *object) map[string]bool {
	all := map[string]bool{}
	add := func(o *object) {
		if assign, ok := member[*object](o, "Assign"); ok {
			for _, key := range assign.keys {
				all[strings.TrimSuffix(key, ".$")] = true
			}
		}
	}
	for _, v := range states.vals {
		o, ok := v.(*object)
		if !ok {
			continue
		}
		add(o)
		for _, list := range []string{"Catch", "Choices"} {
			for _, inner := range objectsOf(o, list) {
				add(inner)
			}
		}
	}
	return all
}

// maxNameRunes is AWS's limit of the length of a state's name, and of a variable's.
const maxNameRunes = 80

func (c *checker) stateName(p place, name string) {
	if n := len([]rune(name)); n == 0 || n > maxNameRunes {
		c.fail(p.at(name), "the name of a state must have 1 to %d characters, this one has %d", maxNameRunes, n)
	}
	if other, ok := c.names[name]; ok {
		c.fail(p.at(name), "Duplicate state name: %s is also at %s", clip(name), other)
		return
	}
	c.names[name] = p.at(name)
}

// graph checks that a scope can end, and warns of states that nothing leads to.
func (c *checker) graph(p place, states *object, start string) {
	terminal := false
	for _, v := range states.vals {
		if o, ok := v.(*object); ok && isTerminal(o) {
			terminal = true
		}
	}
	if !terminal {
		c.report(SeverityError, CodeNoTerminal, p.pointer, "No terminal state found")
	}
	reached := map[string]bool{}
	queue := []string{start}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		o, ok := member[*object](states, name)
		if !ok || reached[name] {
			continue
		}
		reached[name] = true
		queue = append(queue, targets(o)...)
	}
	for _, name := range states.keys {
		if !reached[name] {
			c.report(SeverityWarning, CodeUnreachable, p.at(name), "State %q is not reachable", clip(name))
		}
	}
}

func isTerminal(o *object) bool {
	kind, _ := o.get("Type")
	end, _ := o.get("End")
	return kind == "Succeed" || kind == "Fail" || end == true
}

// targets returns the names of the states that may follow.
func targets(o *object) []string {
	var names []string
	add := func(o *object, field string) {
		if name, ok := member[string](o, field); ok {
			names = append(names, name)
		}
	}
	add(o, "Next")
	for _, list := range []string{"Choices", "Catch"} {
		for _, inner := range objectsOf(o, list) {
			add(inner, "Next")
		}
	}
	add(o, "Default")
	return names
}
