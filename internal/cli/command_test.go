// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestHelp: every command has a help text with an example of itself.
func TestHelp(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(new(grammar))
	check(t, err)
	commands := 0
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		for _, child := range n.Children {
			visit(child)
		}
		if n.Type != kong.CommandNode {
			return
		}
		commands++
		args := append(strings.Fields(n.FullPath())[1:], "--help")
		out := fine(t, args...)
		_, example, ok := strings.Cut(out, "Example:")
		if !ok || !strings.Contains(example, "switchback ") || !strings.Contains(example, n.Name) {
			t.Errorf("%s has no example of it:\n%s", strings.Join(args, " "), out)
		}
		if len(n.Children) == 0 && n.Help == "" {
			t.Errorf("%s says nothing of what it does", n.FullPath())
		}
		for _, flag := range n.Flags {
			if flag.Help == "" {
				t.Errorf("%s: flag --%s is not explained", n.FullPath(), flag.Name)
			}
		}
		for _, arg := range n.Positional {
			if arg.Help == "" {
				t.Errorf("%s: argument %s is not explained", n.FullPath(), arg.Name)
			}
		}
	}
	visit(parser.Model.Node)
	if commands < 25 {
		t.Errorf("only %d commands were seen", commands)
	}
	if out := fine(t, "--help"); !strings.Contains(out, "Example:") || !strings.Contains(out, "Exit status") {
		t.Errorf("help is\n%s", out)
	}
}

// TestOutputEverywhere: what prints what it found prints it for programs too, and the JSON is described.
func TestOutputEverywhere(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(new(grammar))
	check(t, err)
	doc, err := os.ReadFile("../../docs/output.md")
	check(t, err)
	// A daemon, a dialogue, files to be written, a definition: they print nothing that a program would read another way.
	without := map[string]bool{"serve": true, "runbook new": true, "config example": true, "incident report": true, "runbook graph": true, "runbook export": true, "completion": true}
	for _, leaf := range parser.Model.Leaves(true) {
		name := strings.Join(strings.Fields(leaf.FullPath())[1:], " ")
		has := false
		for _, flag := range leaf.Flags {
			has = has || flag.Name == "output"
		}
		if has == without[name] {
			t.Errorf("%s: --output is there: %t", name, has)
		}
		if has && !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/output.md does not describe the JSON of %s", name)
		}
	}
}

// TestCompletion: what a shell is offered.
func TestCompletion(t *testing.T) {
	t.Parallel()
	tests := []struct{ words, want string }{
		{"inc", "incident"},
		{"incident ", "ack answer approve list reject report show undo"},
		{"incident a", "ack answer approve"},
		{"--log ", "debug error info warn"},
		{"--log warn incident s", "show"},
		{"incident list --st", "--state --status"},
		{"incident list --status ", "acknowledged closed open"},
		{"incident list --output j", "json"},
		{"incident list -o j", "json"},
		{"--config ", ""},
		{"incident show ", ""},
		{"bogus x", ""},
	}
	for _, tt := range tests {
		words := append([]string{"completion", "words", "--"}, strings.Split(tt.words, " ")...)
		if got := strings.Join(strings.Fields(fine(t, words...)), " "); got != tt.want {
			t.Errorf("after %q: %q, want %q", tt.words, got, tt.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out := fine(t, "completion", shell); !strings.Contains(out, "switchback completion words --") {
			t.Errorf("%s: %s", shell, out)
		}
	}
}
