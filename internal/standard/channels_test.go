// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package standard_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/switchback-project/switchback/internal/notify"
	_ "github.com/switchback-project/switchback/internal/standard"
)

// TestEveryChannelIsDocumented makes every channel of docs/channels.md as it is written there, and holds the table to them.
func TestEveryChannelIsDocumented(t *testing.T) {
	content, err := os.ReadFile("../../docs/channels.md")
	if err != nil {
		t.Fatal(err)
	}
	doc, seen := string(content), map[string]bool{}
	for _, c := range examples(t, doc) {
		seen[c.Type] = true
		n, err := notify.New(c, notify.Services{})
		if err != nil && c.Type != "console" { // it needs a log
			t.Error(err)
			continue
		}
		row := rowOf(doc, c.Type)
		if row == nil {
			t.Errorf("no row for %s", c.Type)
			continue
		}
		if err == nil && n.ReachesHuman() != (row[2] != "no") && row[2] != "with `reaches_human: true`" {
			t.Errorf("%s: a human is reached: %s", c.Type, row[2])
		}
		if _, follows := n.(notify.Follower); follows != (row[4] != "") {
			t.Errorf("%s: follows: %q", c.Type, row[4])
		}
		k, _ := notify.Find(c.Type)
		if want := fmt.Sprint(k.PerMinute); row[5] != want && (k.PerMinute != 0 || row[5] != "no limit") {
			t.Errorf("%s: a minute: %s, want %s", c.Type, row[5], want)
		}
	}
	for _, kind := range notify.Types() {
		if !seen[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
}

// rowOf are the cells of a type's row in the first table.
func rowOf(doc, kind string) []string {
	for line := range strings.Lines(doc) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 7 || !strings.Contains(cells[1], "`"+kind+"`") {
			continue
		}
		for i, c := range cells {
			cells[i] = strings.TrimSpace(c)
		}
		return cells
	}
	return nil
}

// examples are the channels of the blocks of YAML, with secrets that are there.
func examples(t *testing.T, doc string) (all []notify.Config) {
	t.Helper()
	dir := t.TempDir()
	for _, file := range regexp.MustCompile(`/etc/switchback/([a-z-]+)`).FindAllStringSubmatch(doc, -1) {
		if err := os.WriteFile(filepath.Join(dir, file[1]), []byte("https://hooks.example.com/0123456789abcdef\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	doc = strings.ReplaceAll(doc, "/etc/switchback/", dir+"/")
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(doc, -1) {
		var config struct{ Channels []ast.Node }
		if err := yaml.Unmarshal([]byte(block[1]), &config); err != nil {
			t.Fatal(err)
		}
		for _, node := range config.Channels {
			all = append(all, example(t, node))
		}
	}
	if len(all) == 0 {
		t.Fatal("no examples")
	}
	return all
}

// common are the fields that every channel has.
var common = []string{"type", "kinds", "per_minute"}

func example(t *testing.T, node ast.Node) notify.Config {
	t.Helper()
	var kind struct{ Type string }
	if err := yaml.NodeToValue(node, &kind); err != nil {
		t.Fatal(err)
	}
	rest := ast.Mapping(node.GetToken(), false)
	for fields := node.(ast.MapNode).MapRange(); fields.Next(); {
		if !slices.Contains(common, fields.Key().GetToken().Value) {
			rest.Values = append(rest.Values, fields.KeyValue())
		}
	}
	return notify.Config{Type: kind.Type, Decode: func(v any) error { return yaml.NodeToValue(rest, v, yaml.Strict()) }}
}
