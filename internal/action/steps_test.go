// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
)

type (
	stepIn  struct{ name string }
	stepOut struct{}
	stepOpt struct{}
)

// stepCall is a call of a client that fails as it is told.
func stepCall(made *[]string, fails map[string]error) func(context.Context, *stepIn, ...func(*stepOpt)) (*stepOut, error) {
	return func(_ context.Context, in *stepIn, _ ...func(*stepOpt)) (*stepOut, error) {
		*made = append(*made, in.name)
		return &stepOut{}, fails[in.name]
	}
}

func TestSteps(t *testing.T) {
	refused, other := errors.New("refused"), errors.New("other")
	for _, tc := range []struct {
		name  string
		fails map[string]error
		made  []string
		want  []error
	}{
		{"all", nil, []string{"a", "b", "c"}, nil},
		{"one that fails keeps none back", map[string]error{"a": refused, "c": other}, []string{"a", "b", "c"}, []error{refused, other}},
		{"the gate ends it", map[string]error{"b": &gate.NotSent{Reason: gate.ErrPaused}}, []string{"a", "b"}, []error{gate.ErrPaused}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var made []string
			var s action.Steps
			for _, name := range []string{"a", "b", "c"} {
				ok := action.Call(t.Context(), &s, stepCall(&made, tc.fails), &stepIn{name})
				if want := tc.fails[name] == nil && len(made) > 0 && made[len(made)-1] == name; ok != want {
					t.Errorf("%s: succeeded is %t", name, ok)
				}
			}
			if diff := cmp.Diff(tc.made, made); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			_, err := s.Result(t.Context())
			if (err == nil) != (len(tc.want) == 0) {
				t.Errorf("error is %v", err)
			}
			for _, want := range tc.want {
				if !errors.Is(err, want) {
					t.Errorf("error %v does not hold %v", err, want)
				}
			}
		})
	}
}

func TestInterpret(t *testing.T) {
	fine, bad := errors.New("fine"), errors.New("bad")
	meaning := func(err error) error {
		if errors.Is(err, fine) {
			return nil
		}
		return errors.New("worse")
	}
	for name, want := range map[string]string{"ok": "", "fine": "", "bad": "worse"} {
		var made []string
		var s action.Steps
		call := action.Interpret(stepCall(&made, map[string]error{"fine": fine, "bad": bad}), meaning)
		if ok := action.Call(t.Context(), &s, call, &stepIn{name}); ok != (want == "") {
			t.Errorf("%s: succeeded is %t", name, ok)
		}
		if _, err := s.Result(t.Context()); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: error is %v, want %q", name, err, want)
		}
	}
}

func TestStepsEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var made []string
	var s action.Steps
	if action.Call(ctx, &s, stepCall(&made, nil), &stepIn{"a"}) || len(made) > 0 {
		t.Errorf("calls %v after the end", made)
	}
	if _, err := s.Result(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want the end of the context", err)
	}
}

// TestShellCommand: what an attacker named does nothing but name.
func TestShellCommand(t *testing.T) {
	for _, tc := range []struct{ word, want string }{
		{"arn:aws:sns:eu-west-1:111122223333:t", "arn:aws:sns:eu-west-1:111122223333:t"},
		{"", "''"},
		{"a b", "'a b'"},
		{"$(reboot)", "'$(reboot)'"},
		{"it's", `'it'\''s'`},
		{"a\n\x1b[31mb", "'a[31mb'"},
		{"ü", "'ü'"},
		{"*", "'*'"},
	} {
		if got := action.ShellCommand("aws", tc.word); got != "aws "+tc.want {
			t.Errorf("%q is %s, want %s", tc.word, got, tc.want)
		}
	}
}

func TestShortList(t *testing.T) {
	if got := action.ShortList([]string{"a", "b"}); got != "a; b" {
		t.Errorf("two are %q", got)
	}
	if got := action.ShortList(strings.Split("abcdefg", "")); got != "a; b; c; d; and 3 more" {
		t.Errorf("seven are %q", got)
	}
}
