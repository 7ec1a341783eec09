// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxDocument bounds a policy that is taken apart; AWS's largest has 32 KB.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html#key-policy-limit
const maxDocument = 64 << 10

// CanonicalPolicy is a policy document in the one form in which equal policies are equal: keys sorted, lists of values
// sorted and without repetition, a list of one value as that value, Statement always a list. No document is nil.
//
// What is no JSON object, too large, or has a key twice, which two readers would understand differently, is kept as a
// JSON string of the document: it equals no other policy, and [PolicyText] still gives it back.
func CanonicalPolicy(document string) json.RawMessage {
	if document == "" {
		return nil
	}
	document = strings.ToValidUTF8(document, "\uFFFD") // as JSON does
	v, err := parseDocument(document)
	if err != nil {
		return mustJSON(document)
	}
	return mustJSON(v)
}

// PolicyText is the document of a canonical policy as AWS takes it.
func PolicyText(policy json.RawMessage) string {
	var document string
	if json.Unmarshal(policy, &document) == nil {
		return document
	}
	return string(policy)
}

func parseDocument(document string) (map[string]any, error) {
	if len(document) > maxDocument {
		return nil, errors.New("the document is too large")
	}
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the document")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("the document is no object")
	}
	if one, ok := object["Statement"].(map[string]any); ok {
		object["Statement"] = []any{one}
	}
	return object, nil
}

// maxNesting is more than any element of a policy needs.
const maxNesting = 32

// parseValue reads one value; unlike Unmarshal it refuses a key that is there twice.
func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, errors.New("nested too deeply")
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return parseObject(d, depth)
	case json.Delim('['):
		return parseList(d, depth)
	}
	return token, nil
}

func parseObject(d *json.Decoder, depth int) (any, error) {
	out := map[string]any{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := fmt.Sprint(key)
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("key %.60q is there twice", name)
		}
		if out[name], err = parseValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return out, err
}

func parseList(d *json.Decoder, depth int) (any, error) {
	out := []any{}
	for d.More() {
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	return canonicalValues(out), nil
}

// canonicalValues sorts a list of plain values; lists with anything else keep their order.
func canonicalValues(list []any) any {
	if slices.ContainsFunc(list, func(v any) bool { return !isPlain(v) }) {
		return list
	}
	compare := func(a, b any) int { return strings.Compare(string(mustJSON(a)), string(mustJSON(b))) }
	slices.SortFunc(list, compare)
	list = slices.CompactFunc(list, func(a, b any) bool { return compare(a, b) == 0 })
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func isPlain(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}
