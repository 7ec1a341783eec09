// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"strconv"
	"strings"
	"time"
)

type numberKind int

const (
	integer numberKind = iota
	fraction
)

// number checks a literal number. In a JSONata state it may be an expression instead, where the table of the field
// allows one: see amount.
func (c *checker) number(p place, field string, kind numberKind, least, most float64) {
	v, ok := p.object.get(field)
	if !ok {
		return
	}
	n, isNumber := v.(number)
	if !isNumber {
		c.fail(p.at(field), "must be a number")
		return
	}
	if _, isInt := n.int(); kind == integer && !isInt {
		c.fail(p.at(field), "must be an integer")
		return
	}
	if f := n.float(); !(f >= least && f <= most) {
		c.fail(p.at(field), "is %s, allowed are %s to %s", n, floatNumber(least), floatNumber(most))
	}
}

// amount checks Name and NamePath: a number, an expression, or a path.
func (s *stateCheck) amount(p place, field string, kind numberKind, least, most float64) {
	s.atMostOne(p, field, field+"Path")
	if v, ok := p.object.get(field); ok {
		if _, isText := v.(string); isText && s.jsonata {
			s.query(p, field)
		} else {
			s.number(p, field, kind, least, most)
		}
	}
	s.referencePath(p, field+"Path")
}

// query checks a field of a JSONata state that must be an expression when it is a string.
func (s *stateCheck) query(p place, field string) {
	text, _ := member[string](p.object, field)
	if _, ok := isQuery(text); !ok {
		s.fail(p.at(field), "must be a JSONata expression in {%% %%}")
		return
	}
	s.queries(p, field, queryScope{})
}

// queryScope says which members of $states an expression may use besides input and context.
type queryScope struct{ result, errorOutput bool }

// queries checks the JSONata expressions in a field, at any depth.
func (s *stateCheck) queries(p place, field string, scope queryScope) {
	if v, ok := p.object.get(field); ok {
		s.queriesIn(v, p.at(field), scope)
	}
}

func (s *stateCheck) queriesIn(v any, at string, scope queryScope) {
	switch x := v.(type) {
	case string:
		s.expression(x, at, scope)
	case []any:
		for i, item := range x {
			s.queriesIn(item, at+"/"+strconv.Itoa(i), scope)
		}
	case *object:
		for i, key := range x.keys {
			s.queriesIn(x.vals[i], at+"/"+escapePointer(key), scope)
		}
	}
}

func (s *stateCheck) expression(text, at string, scope queryScope) {
	opens, closes := strings.HasPrefix(text, "{%"), strings.HasSuffix(text, "%}")
	if !opens && !closes {
		return
	}
	query, ok := isQuery(text)
	if !ok {
		s.fail(at, "a JSONata expression stands between {%% and %%}")
		return
	}
	if inner := text[2 : len(text)-2]; !isSpaced(inner, query) {
		s.report(SeverityError, CodeSpacing, at, "a JSONata expression has one blank after {%% and a blank before %%}")
	}
	if !scope.result && strings.Contains(query, "$states.result") {
		s.fail(at, "$states.result exists only in Output and Assign of Task, Parallel and Map states")
	}
	if !scope.errorOutput && strings.Contains(query, "$states.errorOutput") {
		s.fail(at, "$states.errorOutput exists only in Output and Assign of a Catch")
	}
	if len(query) > maxPathBytes {
		s.fail(at, "expression is longer than %d bytes", maxPathBytes)
		return
	}
	if s.options.Expressions == nil {
		return
	}
	if err := s.options.Expressions.Check(query); err != nil {
		s.fail(at, "invalid JSONata expression: %v", err)
	}
}

// isSpaced reports whether an expression stands between blanks as validators want it. Those of several lines may begin
// and end as they like.
func isSpaced(inner, query string) bool {
	if strings.Contains(query, "\n") {
		return true
	}
	return strings.HasPrefix(inner, " "+query) && len(inner) > len(query)+1
}

// wait checks that a Wait state says once how long it waits.
func (s *stateCheck) wait() {
	s.exactlyOne(s.place, "Seconds", "SecondsPath", "Timestamp", "TimestampPath")
	s.amount(s.place, "Seconds", integer, 0, maxSeconds)
	s.referencePath(s.place, "TimestampPath")
	v, ok := s.object.get("Timestamp")
	if !ok {
		return
	}
	text, _ := v.(string)
	if _, isQuery := isQuery(text); isQuery && s.jsonata {
		s.queries(s.place, "Timestamp", queryScope{})
		return
	}
	if !isRFC3339(text) {
		s.fail(s.at("Timestamp"), "String does not match RFC3339 timestamp")
	}
}

// isRFC3339 is stricter than parseTimestamp: upper-case T and Z, at most nine digits of fraction.
func isRFC3339(text string) bool {
	t, ok := parseTimestamp(text)
	if !ok || strings.ContainsAny(text, "z,") {
		return false
	}
	_, rest, hasFraction := strings.Cut(text, ".")
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	return (!hasFraction || digits <= 9) && t.Year() <= 9999 && t.Before(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))
}

// failTexts checks Error and Cause of a Fail state.
func (s *stateCheck) failTexts() {
	for _, field := range []string{"Error", "Cause"} {
		s.atMostOne(s.place, field, field+"Path")
		s.text(s.place, field)
		if s.jsonata {
			s.queries(s.place, field, queryScope{})
		}
		v, ok := s.object.get(field + "Path")
		if !ok || s.jsonata {
			continue
		}
		x, err := compileDynamic(v, field+"Path")
		if err != nil {
			s.fail(s.at(field+"Path"), "%v", err)
			continue
		}
		if p, ok := x.(*pathField); ok && !p.path.definite {
			s.fail(s.at(field+"Path"), "%q is not a Reference Path", clip(p.path.text))
		}
	}
}

func (s *stateCheck) parallel() {
	s.require(s.place, "Branches")
	for _, p := range s.objects(s.place, "Branches") {
		s.fields(p, branchFields, s.machine)
		s.scope(p, s.variables())
	}
	if items, ok := member[[]any](s.object, "Branches"); ok && len(items) == 0 {
		s.fail(s.at("Branches"), "must have at least one branch")
	}
}

var (
	branchFields    = table("StartAt States Comment", "", "")
	processorFields = table("StartAt States Comment ProcessorConfig", "", "")
	configFields    = table("Mode ExecutionType", "", "")
	batcherFields   = table("BatchInput MaxItemsPerBatch MaxInputBytesPerBatch", "MaxItemsPerBatchPath MaxInputBytesPerBatchPath", "")
	readerFields    = table("Resource ReaderConfig", "Parameters", "Arguments")
	writerFields    = table("Resource WriterConfig", "Parameters", "Arguments")
	readerConfig    = table("InputType Transformation ManifestType CSVDelimiter CSVHeaderLocation CSVHeaders ItemsPointer MaxItems", "MaxItemsPath", "")
)

func (s *stateCheck) mapState() {
	s.exactlyOne(s.place, "ItemProcessor", "Iterator")
	s.atMostOne(s.place, "ItemSelector", "Parameters")
	for _, field := range []string{"ItemProcessor", "Iterator"} {
		if p, ok := s.objectField(s.place, field); ok {
			s.processor(p)
		}
	}
	s.objectField(s.place, "ItemSelector")
	s.itemsField()
	s.amount(s.place, "MaxConcurrency", integer, 0, maxSeconds)
	s.amount(s.place, "ToleratedFailureCount", integer, 0, maxSeconds)
	s.amount(s.place, "ToleratedFailurePercentage", fraction, 0, 100)
	s.batcher()
	s.label()
	s.storage()
}

// objectField returns the object in a field, and reports a value of another type.
func (s *stateCheck) objectField(p place, field string) (place, bool) {
	v, ok := p.object.get(field)
	if !ok {
		return place{}, false
	}
	o, isObject := v.(*object)
	if !isObject {
		s.fail(p.at(field), "must be an object")
		return place{}, false
	}
	return p.inside(field, o), true
}

// processor checks ItemProcessor or Iterator.
func (s *stateCheck) processor(p place) {
	s.fields(p, processorFields, s.machine)
	distributed := false
	if config, ok := s.objectField(p, "ProcessorConfig"); ok {
		s.fields(config, configFields, s.jsonata)
		s.oneOf(config, "Mode", "INLINE", "DISTRIBUTED")
		s.oneOf(config, "ExecutionType", "STANDARD", "EXPRESS")
		mode, _ := config.object.get("Mode")
		distributed = mode == "DISTRIBUTED"
		if distributed {
			s.require(config, "ExecutionType")
		}
	}
	outer := s.variables()
	if distributed {
		outer = nil
	}
	s.scope(p, outer)
}

func (s *stateCheck) itemsField() {
	if !s.jsonata {
		s.referencePath(s.place, "ItemsPath")
		return
	}
	v, ok := s.object.get("Items")
	if !ok {
		return
	}
	switch v.(type) {
	case string, []any:
		s.queries(s.place, "Items", queryScope{})
	default:
		s.fail(s.at("Items"), "must be an array or a JSONata expression")
	}
}

func (s *stateCheck) batcher() {
	p, ok := s.objectField(s.place, "ItemBatcher")
	if !ok {
		return
	}
	s.fields(p, batcherFields, s.jsonata)
	s.amount(p, "MaxItemsPerBatch", integer, 1, maxSeconds)
	s.amount(p, "MaxInputBytesPerBatch", integer, 1, MaxDataBytes)
	v, ok := p.object.get("BatchInput")
	switch {
	case !ok:
	case s.jsonata:
		s.queries(p, "BatchInput", queryScope{})
	default:
		s.template(v, p.at("BatchInput"))
	}
}

const maxLabelRunes = 40

// label checks the Label of a Map: AWS forms names of Map Runs from it.
func (s *stateCheck) label() {
	v, ok := s.object.get("Label")
	if !ok {
		return
	}
	text, _ := v.(string)
	if n := len([]rune(text)); n == 0 || n > maxLabelRunes {
		s.fail(s.at("Label"), "must be a string of 1 to %d characters", maxLabelRunes)
	}
	for _, r := range text {
		if r <= ' ' || r >= 0x7f && r <= 0x9f || strings.ContainsRune("\"#$%&*,:;<>?[\\]^{|}~`", r) {
			s.fail(s.at("Label"), "contains invalid character: %q", r)
			return
		}
	}
}

// storage checks ItemReader and ResultWriter, which need S3: AWS takes them, this package cannot run them.
func (s *stateCheck) storage() {
	for _, field := range []string{"ItemReader", "ResultWriter"} {
		allowed := readerFields
		if field == "ResultWriter" {
			allowed = writerFields
		}
		p, ok := s.objectField(s.place, field)
		if !ok {
			continue
		}
		s.fields(p, allowed, s.jsonata)
		s.text(p, "Resource")
		if v, ok := p.object.get("Parameters"); ok {
			s.template(v, p.at("Parameters"))
		}
		s.queries(p, "Arguments", queryScope{})
		if config, ok := s.objectField(p, "ReaderConfig"); ok {
			s.fields(config, readerConfig, s.jsonata)
			s.amount(config, "MaxItems", integer, 1, 100_000_000)
		}
		s.report(SeverityWarning, CodeUnsupported, p.pointer, "%s reads or writes S3, which only Step Functions itself can do: pass the items as an array", field)
	}
}
