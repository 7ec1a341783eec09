// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// File is a file of a runbook's folder. Name has slashes.
type File struct {
	Name string
	Data []byte
}

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"text": yamlText, "wrap": wrap, "short": short, "json": func(p Pattern) string { return string(p) },
}).ParseFS(templateFiles, "templates/*"))

// Files are the files of a new runbook: a manifest with the answers, a small state machine, a guide to be written on, and
// one scenario that fails. Check finds nothing wrong with them; the scenario is where the work begins.
func (a Answers) Files() []File {
	return []File{
		a.file(ManifestFile, "runbook.yaml.tmpl"),
		a.file(StateMachineFile, StateMachineFile),
		a.file(GuideFile, "guide.md.tmpl"),
		a.file(path.Join(ScenarioFolder, firstScenario+scenarioSuffix), "first.txtar.tmpl"),
	}
}

func (a Answers) file(name, from string) File {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, from, a); err != nil {
		panic(fmt.Sprintf("runbook: write %s: %v", name, err)) // the templates and what they read are ours
	}
	return File{name, b.Bytes()}
}

// plain are texts that YAML takes as they are, in a block.
var plain = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_.,/: -]*[A-Za-z0-9_./-])?$`)

// yamlText writes a text as a YAML scalar, quoted where it could be read as something else.
func yamlText(s string) string {
	isWord := slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s))
	if plain.MatchString(s) && !isWord && !strings.Contains(s, ": ") {
		return s
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // cannot fail on a string
	}
	return string(quoted)
}

// wrap is a text in lines that begin with indent.
func wrap(indent, s string) string {
	const width = 110
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return indent + strings.Join(append(lines, line), "\n"+indent)
}

// short is a duration without the zeros that Go adds to it: 2m, not 2m0s.
func short(d Duration) string {
	s := d.String()
	for _, tail := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, tail) {
			s = s[:len(s)-2]
		}
	}
	return s
}
