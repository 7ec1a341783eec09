// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"fmt"
	"strings"
)

// intrinsic is a call of an intrinsic function, States.Name(argument, ...).
// https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
type intrinsic struct {
	text      string
	name      string
	arguments []argument
	call      func(e *env, arguments []any) (any, error)
}

// argument is a path, a nested call or a literal.
type argument struct {
	path    *path
	nested  *intrinsic
	literal any
	raw     string // the text of a literal with its escapes
}

// maxIntrinsicDepth is AWS's limit of calls within calls.
const maxIntrinsicDepth = 10

// intrinsicFunction says how many arguments a function takes (most < 0: any number) and what it does.
type intrinsicFunction struct {
	least, most int
	call        func(e *env, arguments []any) (any, error)
}

var intrinsicFunctions = map[string]intrinsicFunction{
	"States.Array":          {0, -1, intrinsicArray},
	"States.ArrayContains":  {2, 2, intrinsicArrayContains},
	"States.ArrayGetItem":   {2, 2, intrinsicArrayGetItem},
	"States.ArrayLength":    {1, 1, intrinsicArrayLength},
	"States.ArrayPartition": {2, 2, intrinsicArrayPartition},
	"States.ArrayRange":     {3, 3, intrinsicArrayRange},
	"States.ArrayUnique":    {1, 1, intrinsicArrayUnique},
	"States.Base64Decode":   {1, 1, intrinsicBase64Decode},
	"States.Base64Encode":   {1, 1, intrinsicBase64Encode},
	"States.Format":         {1, -1, intrinsicFormat},
	"States.Hash":           {2, 2, intrinsicHash},
	"States.JsonMerge":      {3, 3, intrinsicJSONMerge},
	"States.JsonToString":   {1, 1, intrinsicJSONToString},
	"States.MathAdd":        {2, 2, intrinsicMathAdd},
	"States.MathRandom":     {2, 3, intrinsicMathRandom},
	"States.StringSplit":    {2, 2, intrinsicStringSplit},
	"States.StringToJson":   {1, 1, intrinsicStringToJSON},
	"States.UUID":           {0, 0, intrinsicUUID},
}

// parseIntrinsic compiles the text of a call.
func parseIntrinsic(text string) (*intrinsic, error) {
	if len(text) > maxPathBytes {
		return nil, fmt.Errorf("intrinsic function call is longer than %d bytes", maxPathBytes)
	}
	s := &scanner{text: text}
	call, err := s.intrinsic(1)
	if err != nil {
		return nil, err
	}
	if s.pos < len(text) {
		return nil, s.fault("text after the call")
	}
	return call, nil
}

// intrinsic reads Name(arguments). The name must be known and the number of arguments right; AWS refuses both when the
// state machine is created.
func (s *scanner) intrinsic(depth int) (*intrinsic, error) {
	if depth > maxIntrinsicDepth {
		return nil, s.fault("calls nested deeper than %d levels", maxIntrinsicDepth)
	}
	start := s.pos
	open := strings.IndexByte(s.text[start:], '(')
	if open < 0 {
		return nil, s.fault("expected a path or a call of an intrinsic function")
	}
	name := s.text[start : start+open]
	function, ok := intrinsicFunctions[name]
	if !ok {
		return nil, s.fault("unknown intrinsic function %q", clip(name))
	}
	s.pos += open + 1
	arguments, err := s.arguments(depth)
	if err != nil {
		return nil, err
	}
	if n := len(arguments); n < function.least || function.most >= 0 && n > function.most {
		return nil, s.fault("%s with %d arguments", name, n)
	}
	if name == "States.Format" && arguments[0].raw != "" {
		arguments[0].literal = arguments[0].raw
	}
	call := &intrinsic{text: s.text[start:s.pos], name: name, arguments: arguments, call: function.call}
	return call, s.checkLiterals(call)
}

func (s *scanner) arguments(depth int) ([]argument, error) {
	var arguments []argument
	s.space()
	if s.take(")") {
		return nil, nil
	}
	for {
		s.space()
		a, err := s.argument(depth)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, a)
		s.space()
		if s.take(")") {
			return arguments, nil
		}
		if !s.take(",") {
			return nil, s.fault("expected , or )")
		}
	}
}

func (s *scanner) argument(depth int) (argument, error) {
	switch c := s.peek(); {
	case c == '$':
		p, err := s.path(rootsAll)
		return argument{path: p}, err
	case c == '\'':
		text, raw, err := s.singleQuoted()
		return argument{literal: text, raw: raw}, err
	case strings.HasPrefix(s.text[s.pos:], "States."):
		nested, err := s.intrinsic(depth + 1)
		return argument{nested: nested}, err
	}
	start := s.pos
	for s.pos < len(s.text) && strings.IndexByte(",) \t\r\n", s.text[s.pos]) < 0 {
		s.pos++
	}
	v, err := decode([]byte(s.text[start:s.pos]))
	switch v.(type) {
	case number, bool, nil:
		if err == nil {
			return argument{literal: v}, nil
		}
	}
	s.pos = start
	return argument{}, s.fault("expected a path, a call, a number, true, false, null or a text in single quotes")
}

// singleQuoted reads 'text', in which \' \{ \} \\ stand for the character after the backslash. Another backslash stands
// for itself, so that JSON text may be written as it is. States.Format needs the raw text as well, to tell \{\} from {}.
func (s *scanner) singleQuoted() (text, raw string, err error) {
	s.pos++
	start := s.pos
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '\'':
			raw = s.text[start:s.pos]
			s.pos++
			text, _ = unescape(raw)
			return text, raw, nil
		case c == '\\' && s.pos+1 < len(s.text):
			s.pos++
		}
		s.pos++
	}
	return "", "", s.fault("text without a closing quote")
}

// isEscapable reports whether a backslash before c makes it literal.
func isEscapable(c byte) bool { return c == '\'' || c == '{' || c == '}' || c == '\\' }

// unescape replaces the escapes of a text; it reports false for a backslash at the end.
func unescape(raw string) (string, bool) {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw, true
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' {
			if i+1 == len(raw) {
				return string(append(out, '\\')), false
			}
			if isEscapable(raw[i+1]) {
				i++
			}
		}
		out = append(out, raw[i])
	}
	return string(out), true
}

// checkLiterals refuses literal arguments of a type that the function can never take, as AWS does.
func (s *scanner) checkLiterals(call *intrinsic) error {
	for i, a := range call.arguments {
		if a.path != nil || a.nested != nil {
			continue
		}
		if want := literalKinds[call.name]; want != "" && want != kindName(a.literal) {
			return s.fault("argument %d of %s must be a path or a %s", i+1, call.name, want)
		}
	}
	return nil
}

// literalKinds names the functions whose arguments all have one type.
var literalKinds = map[string]string{
	"States.MathAdd":      "number",
	"States.MathRandom":   "number",
	"States.ArrayRange":   "number",
	"States.Hash":         "string",
	"States.StringSplit":  "string",
	"States.StringToJson": "string",
	"States.Base64Encode": "string",
	"States.Base64Decode": "string",
}

// argumentError is a path among the arguments that found nothing.
type argumentError struct {
	path *path
	root any
}

func (e *argumentError) Error() string {
	return fmt.Sprintf("The JsonPath argument for the field '%s' could not be found in the input '%s'", e.path.text, encode(e.root))
}

// eval calls the function. The only error is an *intrinsicError.
func (f *intrinsic) eval(e *env) (any, error) {
	values := make([]any, len(f.arguments))
	for i, a := range f.arguments {
		v, err := a.eval(e)
		if err != nil {
			return nil, f.failed(err)
		}
		values[i] = v
	}
	v, err := f.call(e, values)
	if err != nil {
		return nil, f.failed(err)
	}
	return v, nil
}

type intrinsicError struct {
	call *intrinsic
	err  error
}

func (e *intrinsicError) Error() string {
	return fmt.Sprintf("The function '%s' had the following error: %v", e.call.text, e.err)
}

func (e *intrinsicError) Unwrap() error { return e.err }

// failed names the outermost call, as AWS does.
func (f *intrinsic) failed(err error) error {
	if inner, ok := err.(*intrinsicError); ok {
		err = inner.err
	}
	return &intrinsicError{f, err}
}

func (a argument) eval(e *env) (any, error) {
	switch {
	case a.nested != nil:
		return a.nested.eval(e)
	case a.path != nil:
		root, err := e.rootOf(a.path)
		if err != nil {
			return nil, err
		}
		v, err := a.path.selectFrom(root)
		if err != nil {
			return nil, &argumentError{a.path, root}
		}
		return v, nil
	}
	return a.literal, nil
}
