// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/asl"
)

// FieldsOf lists the input fields of a parameter struct in their order, from the json tags. A pointer, or a tag with
// omitempty or omitzero, is optional; everything else is required.
func FieldsOf[P any]() []Field {
	var out []Field
	for _, f := range reflect.VisibleFields(reflect.TypeFor[P]()) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		optional := f.Type.Kind() == reflect.Pointer || strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		out = append(out, Field{Name: name, Required: !optional})
	}
	return out
}

// decodeParameters reads a task's input strictly: an unknown field, also of another case, or a required one that is
// missing or null is an error, since a misspelt field of a response is worse than none.
func decodeParameters[P any](fields []Field, raw json.RawMessage) (P, error) {
	var p P
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return p, invalid("want an object: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.Name == name }) {
			return p, invalid("unknown field %.60q (known: %s)", name, names(fields))
		}
	}
	for _, f := range fields {
		if v, ok := members[f.Name]; f.Required && (!ok || string(v) == "null") {
			return p, invalid("field %q is missing", f.Name)
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, invalid("%v", err)
	}
	return p, nil
}

func names(fields []Field) string {
	out := make([]string, 0, len(fields))
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return strings.Join(out, ", ")
}

func invalid(format string, args ...any) error {
	return &asl.Error{Name: ErrorInvalidParameters, Cause: fmt.Sprintf(format, args...)}
}
