// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package file

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/internal/contact"
)

// maxSize bounds the file: a hundred thousand people fit.
const maxSize = 32 << 20

func read(path string, size int64) ([]Person, error) {
	if size > maxSize {
		return nil, fmt.Errorf("%d bytes are more than %d", size, maxSize)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		return ParseCSV(f)
	}
	return ParseYAML(f)
}

// ParseYAML reads the YAML form. Errors name the line.
func ParseYAML(r io.Reader) ([]Person, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize))
	if err != nil {
		return nil, err
	}
	var file struct {
		People []Person `yaml:"people"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return file.People, check(file.People, func(i int) int { return yamlLine(text, i) })
}

// yamlLine finds the line of the i-th person, 0 when it cannot.
func yamlLine(text []byte, i int) int {
	path, err := yaml.PathString(fmt.Sprintf("$.people[%d]", i))
	if err != nil {
		return 0
	}
	node, err := path.ReadNode(strings.NewReader(string(text)))
	if err != nil || node.GetToken() == nil {
		return 0
	}
	return node.GetToken().Position.Line
}

// columns are the fields of the CSV form.
var columns = map[string]func(p *Person, cell string){
	"name":       func(p *Person, cell string) { p.Name = cell },
	"email":      func(p *Person, cell string) { p.Email = cell },
	"slack":      func(p *Person, cell string) { p.Slack = cell },
	"phone":      func(p *Person, cell string) { p.Phone = cell },
	"principals": func(p *Person, cell string) { p.Principals = list(cell) },
	"os_users":   func(p *Person, cell string) { p.OSUsers = list(cell) },
	"manager":    func(p *Person, cell string) { p.Manager = cell },
}

// ParseCSV reads the CSV form. Errors name the line.
func ParseCSV(r io.Reader) ([]Person, error) {
	c := csv.NewReader(io.LimitReader(r, maxSize))
	c.TrimLeadingSpace = true
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return []Person{}, nil
	}
	if err != nil {
		return nil, err
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // spreadsheets begin UTF-8 with it
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
		if columns[header[i]] == nil {
			return nil, fmt.Errorf("line 1: unknown field %q", header[i])
		}
	}
	var people []Person
	var lines []int
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return people, check(people, func(i int) int { return lines[i] })
		}
		if err != nil {
			return nil, err
		}
		var p Person
		for i, cell := range row {
			columns[header[i]](&p, strings.TrimSpace(cell))
		}
		line, _ := c.FieldPos(0)
		people, lines = append(people, p), append(lines, line)
	}
}

func list(cell string) []string {
	var all []string
	for item := range strings.SplitSeq(cell, ";") {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

// check refuses what would reach nobody, or the wrong one. Line finds where the i-th person stands: slow, so only asked
// for the one at fault.
func check(people []Person, line func(i int) int) error {
	names, users := map[string]bool{}, map[string]string{}
	for _, p := range people {
		names[p.Name] = true
	}
	for i, p := range people {
		if err := p.check(names); err != nil {
			return fmt.Errorf("line %d: %w", line(i), err)
		}
		for _, user := range p.OSUsers {
			if before, ok := users[user]; ok {
				return fmt.Errorf("line %d: os_user %q is %s already", line(i), user, before)
			}
			users[user] = p.Name
		}
	}
	return nil
}

func (p Person) check(names map[string]bool) error {
	switch {
	case p.Name == "":
		return errors.New("name is missing")
	case p.Email == "" && p.Slack == "" && p.Phone == "":
		return fmt.Errorf("%s has no email, slack or phone", p.Name)
	case p.Manager != "" && !names[p.Manager]:
		return fmt.Errorf("manager %q of %s is not in the file", p.Manager, p.Name)
	case slices.Contains(p.Principals, ""):
		return fmt.Errorf("%s has an empty principal", p.Name)
	}
	if p.Email != "" {
		if err := contact.CheckEmail(p.Email); err != nil {
			return err
		}
	}
	if p.Slack != "" {
		return contact.CheckSlack(p.Slack)
	}
	return nil
}
