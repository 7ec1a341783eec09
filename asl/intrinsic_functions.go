// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"crypto/md5"  //nolint:gosec // States.Hash offers MD5 and SHA-1; nothing here relies on them.
	"crypto/sha1" //nolint:gosec // see above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"math/rand/v2"
	"strings"
)

// Limits of intrinsic functions, as AWS documents them.
const (
	maxIntrinsicChars = 10_000
	maxRangeItems     = 1000
	// maxIntrinsicBytes is ours: arguments may refer to the same data many times.
	maxIntrinsicBytes = 1 << 20
)

var errTooMuchData = errors.New("the arguments hold too much data")

func intrinsicArray(_ *env, a []any) (any, error) { return append([]any{}, a...), nil }

func intrinsicArrayContains(_ *env, a []any) (any, error) {
	items, err := arrayArgument(a, 0)
	return contains(items, a[1]), err
}

func intrinsicArrayGetItem(_ *env, a []any) (any, error) {
	items, err := arrayArgument(a, 0)
	if err != nil {
		return nil, err
	}
	i, err := intArgument(a, 1)
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(items)) {
		return nil, fmt.Errorf("the index %d is out of the array's bounds", i)
	}
	return items[i], nil
}

func intrinsicArrayLength(_ *env, a []any) (any, error) {
	items, err := arrayArgument(a, 0)
	return intNumber(int64(len(items))), err
}

func intrinsicArrayPartition(_ *env, a []any) (any, error) {
	items, err := arrayArgument(a, 0)
	if err != nil {
		return nil, err
	}
	size, err := intArgument(a, 1)
	if err != nil {
		return nil, err
	}
	if size <= 0 {
		return nil, errors.New("the chunk size must be a positive integer")
	}
	chunks := []any{}
	for len(items) > 0 {
		n := min(int64(len(items)), size)
		chunks = append(chunks, append([]any{}, items[:n]...))
		items = items[n:]
	}
	return chunks, nil
}

func intrinsicArrayRange(_ *env, a []any) (any, error) {
	first, err1 := intArgument(a, 0)
	last, err2 := intArgument(a, 1)
	step, err3 := intArgument(a, 2)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if step == 0 {
		return nil, errors.New("the step must not be zero")
	}
	items := []any{}
	for v := first; step > 0 && v <= last || step < 0 && v >= last; v += step {
		if len(items) == maxRangeItems {
			return nil, fmt.Errorf("the range has more than %d items", maxRangeItems)
		}
		items = append(items, intNumber(v))
	}
	return items, nil
}

// intrinsicArrayUnique compares by text, which is cheap and exact but for numbers such as 1 and 1.0.
func intrinsicArrayUnique(_ *env, a []any) (any, error) {
	items, err := arrayArgument(a, 0)
	if err != nil {
		return nil, err
	}
	if room(items, maxIntrinsicBytes) < 0 {
		return nil, errTooMuchData
	}
	seen := make(map[string]bool, len(items))
	unique := []any{}
	for _, item := range items {
		key := string(encode(item))
		if !seen[key] {
			seen[key] = true
			unique = append(unique, item)
		}
	}
	return unique, nil
}

func intrinsicBase64Encode(_ *env, a []any) (any, error) {
	text, err := textArgument(a, 0, maxIntrinsicChars)
	return base64.StdEncoding.EncodeToString([]byte(text)), err
}

func intrinsicBase64Decode(_ *env, a []any) (any, error) {
	text, err := textArgument(a, 0, maxIntrinsicChars)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("the text is not base64")
	}
	return strings.ToValidUTF8(string(data), "\ufffd"), nil
}

// intrinsicFormat replaces each {} of the template by the next argument; \{ and \} are braces.
func intrinsicFormat(_ *env, a []any) (any, error) {
	template, err := textArgument(a, 0, MaxDataBytes)
	if err != nil {
		return nil, err
	}
	parts := splitTemplate(template)
	if len(parts) != len(a) {
		return nil, fmt.Errorf("the template has %d placeholders for %d arguments", len(parts)-1, len(a)-1)
	}
	var out []byte
	for i, part := range parts {
		if i > 0 {
			if room(a[i], MaxDataBytes) < 0 {
				return nil, errTooMuchData
			}
			out = appendJava(out, a[i])
		}
		text, ok := unescape(part)
		if !ok {
			return nil, errors.New("the template ends in a backslash")
		}
		out = append(out, text...)
		if len(out) > MaxDataBytes {
			return nil, fmt.Errorf("the text is longer than %d bytes", MaxDataBytes)
		}
	}
	return string(out), nil
}

// splitTemplate cuts a template at its placeholders.
func splitTemplate(template string) []string {
	var parts []string
	start := 0
	for i := 0; i < len(template); i++ {
		switch {
		case template[i] == '\\':
			i++
		case strings.HasPrefix(template[i:], "{}"):
			parts = append(parts, template[start:i])
			i++
			start = i + 1
		}
	}
	return append(parts, template[start:])
}

// appendJava writes a value as Java prints it, which is what AWS does: {k=v, k2=v2} and [a, b], strings without quotes.
func appendJava(dst []byte, v any) []byte {
	switch x := v.(type) {
	case string:
		return append(dst, x...)
	case []any:
		dst = append(dst, '[')
		for i, item := range x {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendJava(dst, item)
		}
		return append(dst, ']')
	case *object:
		dst = append(dst, '{')
		for i, k := range x.keys {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(append(dst, k...), '=')
			dst = appendJava(dst, x.vals[i])
		}
		return append(dst, '}')
	}
	return appendJSON(dst, v)
}

var hashes = map[string]func() hash.Hash{
	"MD5": md5.New, "SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New,
}

func intrinsicHash(_ *env, a []any) (any, error) {
	data := a[0]
	text, ok := data.(string)
	if room(data, maxIntrinsicBytes) < 0 {
		return nil, errTooMuchData
	}
	if !ok {
		text = string(encode(data))
	}
	if len([]rune(text)) > maxIntrinsicChars {
		return nil, fmt.Errorf("the data is longer than %d characters", maxIntrinsicChars)
	}
	algorithm, _ := a[1].(string)
	newHash, ok := hashes[algorithm]
	if !ok {
		return nil, errors.New("the algorithm must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512")
	}
	h := newHash()
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil)), nil
}

func intrinsicJSONMerge(_ *env, a []any) (any, error) {
	first, ok1 := a[0].(*object)
	second, ok2 := a[1].(*object)
	if !ok1 || !ok2 {
		return nil, errors.New("the first two arguments must be objects")
	}
	if deep, ok := a[2].(bool); !ok || deep {
		return nil, errors.New("the third argument must be false: deep merging is not supported")
	}
	merged := &object{}
	for i, k := range first.keys {
		v, ok := second.get(k)
		if !ok {
			v = first.vals[i]
		}
		merged.add(k, v)
	}
	for i, k := range second.keys {
		if first.find(k) < 0 {
			merged.add(k, second.vals[i])
		}
	}
	return merged, nil
}

func intrinsicJSONToString(_ *env, a []any) (any, error) {
	if room(a[0], maxIntrinsicBytes) < 0 {
		return nil, errTooMuchData
	}
	return string(encode(a[0])), nil
}

func intrinsicStringToJSON(_ *env, a []any) (any, error) {
	text, err := textArgument(a, 0, MaxDataBytes)
	if err != nil || strings.TrimSpace(text) == "" {
		return nil, err
	}
	v, err := decodeLax([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the text is not JSON: %w", err)
	}
	return v, nil
}

// intrinsicMathAdd rounds each argument half up before it adds.
func intrinsicMathAdd(_ *env, a []any) (any, error) {
	first, err1 := roundedArgument(a, 0)
	second, err2 := roundedArgument(a, 1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	total := first + second
	if first > 0 && second > 0 && total < 0 || first < 0 && second < 0 && total >= 0 {
		return nil, errors.New("the sum is out of range")
	}
	return intNumber(total), nil
}

// intrinsicMathRandom returns an integer from start (inclusive) to end (exclusive); with a seed always the same one.
func intrinsicMathRandom(e *env, a []any) (any, error) {
	start, err1 := roundedArgument(a, 0)
	end, err2 := roundedArgument(a, 1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if end <= start {
		return nil, errors.New("the end must be greater than the start")
	}
	random := e.call.m.random
	if len(a) == 3 {
		seed, err := roundedArgument(a, 2)
		if err != nil {
			return nil, err
		}
		random = rand.New(rand.NewPCG(uint64(seed), 0)).Float64 //nolint:gosec // States.MathRandom is not for secrets.
	}
	width := float64(end) - float64(start)
	return intNumber(min(start+int64(random()*width), end-1)), nil
}

func intrinsicStringSplit(_ *env, a []any) (any, error) {
	text, err := textArgument(a, 0, MaxDataBytes)
	if err != nil {
		return nil, err
	}
	delimiters, err := textArgument(a, 1, maxIntrinsicChars)
	if err != nil {
		return nil, err
	}
	pieces := []any{}
	for _, piece := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(delimiters, r) }) {
		pieces = append(pieces, piece)
	}
	return pieces, nil
}

func intrinsicUUID(e *env, _ []any) (any, error) { return e.call.m.uuid(), nil }

func arrayArgument(a []any, i int) ([]any, error) {
	items, ok := a[i].([]any)
	if !ok {
		return nil, fmt.Errorf("argument %d must be an array but was: %s", i+1, kindName(a[i]))
	}
	return items, nil
}

func textArgument(a []any, i, longest int) (string, error) {
	text, ok := a[i].(string)
	if !ok {
		return "", fmt.Errorf("argument %d must be a string but was: %s", i+1, kindName(a[i]))
	}
	if len(text) > longest && len([]rune(text)) > longest {
		return "", fmt.Errorf("argument %d is longer than %d characters", i+1, longest)
	}
	return text, nil
}

func intArgument(a []any, i int) (int64, error) { return roundedArgument(a, i) }

// roundedArgument rounds half up: floor(x + 0.5), as AWS does.
func roundedArgument(a []any, i int) (int64, error) {
	n, ok := a[i].(number)
	if !ok {
		return 0, fmt.Errorf("argument %d must be a number but was: %s", i+1, kindName(a[i]))
	}
	if v, ok := n.int(); ok {
		return v, nil
	}
	f := math.Floor(n.float() + 0.5)
	if math.IsNaN(f) || math.Abs(f) > 1<<62 {
		return 0, fmt.Errorf("argument %d is out of range", i+1)
	}
	return int64(f), nil
}
