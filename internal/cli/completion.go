// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string   `arg:"" enum:"bash,zsh,fish,words" help:"bash, zsh or fish; words prints what could come next, for their scripts."`
	Words []string `arg:"" optional:"" passthrough:"" help:"With words: the command line so far, the word that is being written last."`
}

// Help is the long help.
func (completionCommand) Help() string {
	return `Prints a script for the shell. Files and folders are completed by the shell itself.

Example:
  source <(switchback completion bash)
  switchback completion fish > ~/.config/fish/completions/switchback.fish`
}

// scripts ask the program itself, so that they never fall behind it. Where it has nothing to say, file names are offered.
var completionScripts = map[string]string{
	"bash": `_switchback() {
	local IFS=$'\n'
	COMPREPLY=($(switchback completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _switchback switchback
`,
	"zsh": `#compdef switchback
_switchback() {
	local -a found
	found=("${(@f)$(switchback completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	[[ -n "${found[1]}" ]] && compadd -- "${found[@]}" || _files
}
compdef _switchback switchback
`,
	"fish": `complete -c switchback -a '(switchback completion words -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
}

// Run prints the script, or the words.
func (c *completionCommand) Run(s *streams, app *kong.Kong) error {
	text := completionScripts[c.Shell]
	if c.Shell == "words" {
		text = strings.Join(append(completions(app.Model.Node, c.Words), ""), "\n")
	}
	_, err := fmt.Fprint(s.out, text)
	return err
}

// completions are what may stand in the place of the last of words: commands, flags, or the values of a flag.
func completions(node *kong.Node, words []string) []string {
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		words = []string{""}
	}
	flags := slices.Clone(node.Flags)
	var open *kong.Flag // whose value comes next
	for _, word := range words[:len(words)-1] {
		switch {
		case open != nil:
			open = nil
		case strings.HasPrefix(word, "-"):
			open = needsValue(flags, word)
		default:
			if child := childNamed(node, word); child != nil {
				node, flags = child, append(flags, child.Flags...)
			}
		}
	}
	return matching(words[len(words)-1], open, node, flags)
}

func needsValue(flags []*kong.Flag, word string) *kong.Flag {
	for _, f := range flags {
		if (word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short)) && !f.IsBool() {
			return f
		}
	}
	return nil
}

func childNamed(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

func matching(begun string, open *kong.Flag, node *kong.Node, flags []*kong.Flag) []string {
	var all []string
	switch {
	case open != nil && open.Enum != "":
		all = strings.Split(open.Enum, ",")
	case open != nil:
		return nil // a file, or something that only the user knows
	case strings.HasPrefix(begun, "-"):
		for _, f := range flags {
			all = append(all, "--"+f.Name)
		}
	default:
		for _, child := range node.Children {
			all = append(all, child.Name)
		}
	}
	all = slices.DeleteFunc(all, func(word string) bool { return word == "" || !strings.HasPrefix(word, begun) })
	slices.Sort(all)
	return slices.Compact(all)
}
