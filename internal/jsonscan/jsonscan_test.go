// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// texts are seeds of the fuzz tests and cases of the comparison with encoding/json.
var texts = []string{
	`{}`, `[]`, `null`, `true`, `false`, `0`, `-0`, `-1.5e+10`, `""`, ` [1 , 2 ] `, `{"a":{"b":[1,"x",null]}}`,
	`"\u00e9\ud83d\ude00\n"`, `"é😀 and more than eight bytes"`, "\"\xff\xfe\"", `"\ud800"`, `{"a":1,"a":2}`,
	``, ` `, `{`, `[`, `"`, `"\`, `"\u12`, `"\u12x4"`, `"\x"`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `[1,]`, `[,1]`,
	`{a:1}`, `{"a" 1}`, `[1 2]`, `01`, `-`, `1.`, `1e`, `1e+`, `.5`, `+1`, `tru`, `nul`, `truex`, `[1]]`, "\"\x01\"", "\"12345678\x1f\"",
	"\"\u007f\"", `1 2`, "\ufeff{}", `{"k":"` + strings.Repeat("abcdefgh", 9) + `\\"}`,
}

func TestValidAgreesWithEncodingJSON(t *testing.T) {
	for _, text := range texts {
		if got, want := jsonscan.Valid([]byte(text)), json.Valid([]byte(text)); got != want {
			t.Errorf("Valid(%q) = %v, encoding/json says %v", text, got, want)
		}
	}
}

func FuzzValid(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, want := jsonscan.Valid(b), json.Valid(b)
		if got != want && bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) <= jsonscan.MaxDepth {
			t.Errorf("Valid(%q) = %v, encoding/json says %v", b, got, want)
		}
		// Every proper beginning of a valid text is unfinished, unless it is a number or has trailing space.
		if end, err := jsonscan.Value(b, 0); err == nil && end > 1 && (b[end-1] == '}' || b[end-1] == ']' || b[end-1] == '"') {
			if _, err := jsonscan.Value(b[:end-1], 0); !errors.Is(err, jsonscan.ErrEnd) {
				t.Errorf("Value(%q) = %v, want ErrEnd", b[:end-1], err)
			}
		}
	})
}

func TestStringDecodesLikeEncodingJSON(t *testing.T) {
	for _, text := range []string{
		`""`, `"plain text, longer than eight bytes"`, `"tab\tquote\"slash\\\/"`, `"\u00e9\ud83d\ude00"`, `"\ud800x"`, "\"\xff\"", `"é"`,
	} {
		content, plain, end, err := jsonscan.String([]byte(text), 0)
		if err != nil || end != len(text) {
			t.Fatalf("String(%q) = end %d, %v", text, end, err)
		}
		got := string(content)
		if !plain {
			got = jsonscan.Unquote(content)
		}
		var want string
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("String(%q) decodes to %q, want %q", text, got, want)
		}
	}
}

func TestMembersAndElements(t *testing.T) {
	text := []byte(`{"a":1, "\u0062" : [true, {"c":"d"}] }`)
	var got []string
	end, err := jsonscan.Members(text, 0, func(name []byte, at int) (int, error) {
		got = append(got, string(name))
		if text[at] != '[' {
			return jsonscan.Value(text, at)
		}
		return jsonscan.Elements(text, at, func(at int) (int, error) {
			end, err := jsonscan.Value(text, at)
			got = append(got, string(text[at:end]))
			return end, err
		})
	})
	if err != nil || end != len(text) {
		t.Fatalf("Members = %d, %v", end, err)
	}
	if want := `a b true {"c":"d"}`; strings.Join(got, " ") != want {
		t.Errorf("walk gave %q, want %q", strings.Join(got, " "), want)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":x}`:   `found 'x', want a value at byte 5`,
		`{"a" 1}`:   `found '1', want a colon after a member's name at byte 5`,
		`[1 2]`:     `found '2', want a comma or ']' at byte 3`,
		`{1:2}`:     `found '1', want a member's name at byte 1`,
		`"a` + "\n": `control character in a string at byte 2`,
		`-x`:        `found 'x', want a digit at byte 1`,
	} {
		if _, err := jsonscan.Value([]byte(text), 0); err == nil || err.Error() != want {
			t.Errorf("Value(%q) = %v, want %s", text, err, want)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	deep := strings.Repeat("[", jsonscan.MaxDepth) + strings.Repeat("]", jsonscan.MaxDepth)
	if !jsonscan.Valid([]byte(deep)) {
		t.Errorf("%d levels are refused", jsonscan.MaxDepth)
	}
	var syntax *jsonscan.SyntaxError
	if _, err := jsonscan.Value([]byte("["+deep+"]"), 0); !errors.As(err, &syntax) {
		t.Errorf("%d levels give %v, want a SyntaxError", jsonscan.MaxDepth+1, err)
	}
	if _, err := jsonscan.Value(bytes.Repeat([]byte(`{"a":`), 5_000_000), 0); !errors.As(err, &syntax) {
		t.Errorf("five million levels give %v, want a SyntaxError", err)
	}
}
