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
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// maxSize bounds a file: a hundred thousand people fit.
const maxSize = 32 << 20

// read reads both files.
func read(o Options) (*staff, error) {
	s, err := open(o.Path, parseYAML, parseCSV)
	if err != nil || o.OnCall == "" {
		return s, err
	}
	if s.rota != nil {
		return nil, fmt.Errorf("read %s: it has an on_call, and the configuration another", o.Path)
	}
	plan, err := open(o.OnCall, parseRotaYAML, parseRotaCSV)
	if err != nil {
		return nil, err
	}
	if plan.TimeZone == "" {
		plan.TimeZone = o.TimeZone
	}
	if s.rota, err = newRota(plan, s); err != nil {
		return nil, fmt.Errorf("read %s: %w", o.OnCall, err)
	}
	return s, nil
}

// open parses a file by what its name ends with.
func open[T any](path string, fromYAML, fromCSV func(io.Reader) (*T, error)) (*T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parse := fromYAML
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		parse = fromCSV
	}
	v, err := parse(io.LimitReader(f, maxSize))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return v, nil
}

// parseYAML reads the YAML form of people. Errors name the line.
func parseYAML(r io.Reader) (*staff, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var file struct {
		People []Person `yaml:"people"`
		OnCall *OnCall  `yaml:"on_call"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	s, err := newStaff(file.People, func(i int) int { return yamlLine(text, i) })
	if err != nil || file.OnCall == nil {
		return s, err
	}
	if s.rota, err = newRota(file.OnCall, s); err != nil {
		return nil, fmt.Errorf("on_call: %w", err)
	}
	return s, nil
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

// parseRotaYAML reads a rota that is a file of its own.
func parseRotaYAML(r io.Reader) (*OnCall, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var plan OnCall
	if err := yaml.UnmarshalWithOptions(text, &plan, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return &plan, nil
}

// columns are the fields of a CSV form: how a cell gets into what its line stands for.
type columns[T any] map[string]func(v *T, cell string) error

var personColumns = columns[Person]{
	"name":       func(p *Person, cell string) error { p.Name = cell; return nil },
	"email":      func(p *Person, cell string) error { p.Email = cell; return nil },
	"slack":      func(p *Person, cell string) error { p.Slack = cell; return nil },
	"phone":      func(p *Person, cell string) error { p.Phone = cell; return nil },
	"principals": func(p *Person, cell string) error { p.Principals = list(cell); return nil },
	"os_users":   func(p *Person, cell string) error { p.OSUsers = list(cell); return nil },
	"manager":    func(p *Person, cell string) error { p.Manager = cell; return nil },
	"active":     setActive,
	"left":       func(p *Person, cell string) error { return p.Left.UnmarshalText([]byte(cell)) },
}

// setActive takes what spreadsheets and personnel systems write. An empty cell says nothing.
func setActive(p *Person, cell string) error {
	var active bool
	switch strings.ToLower(cell) {
	case "":
		return nil
	case "yes":
		active = true
	case "no":
	default:
		var err error
		if active, err = strconv.ParseBool(cell); err != nil {
			return fmt.Errorf("active: %.40q is neither true nor false", cell)
		}
	}
	p.Active = &active
	return nil
}

var shiftColumns = columns[Shift]{
	"from":   func(s *Shift, cell string) error { return s.From.UnmarshalText([]byte(cell)) },
	"until":  func(s *Shift, cell string) error { return s.Until.UnmarshalText([]byte(cell)) },
	"person": func(s *Shift, cell string) error { s.Person = cell; return nil },
}

// parseCSV reads the CSV form of people. Errors name the line.
func parseCSV(r io.Reader) (*staff, error) {
	people, lines, err := personColumns.read(r)
	if err != nil {
		return nil, err
	}
	return newStaff(people, func(i int) int { return lines[i] })
}

// parseRotaCSV reads the CSV form of a rota.
func parseRotaCSV(r io.Reader) (*OnCall, error) {
	shifts, _, err := shiftColumns.read(r)
	return &OnCall{Shifts: shifts}, err
}

// read returns what the lines stand for, and which lines those are.
func (c columns[T]) read(r io.Reader) (all []T, lines []int, err error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // spreadsheets begin UTF-8 with it
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
		if c[header[i]] == nil {
			return nil, nil, fmt.Errorf("line 1: unknown field %.100q", header[i])
		}
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return all, lines, nil
		}
		if err != nil {
			return nil, nil, err
		}
		line, _ := in.FieldPos(0)
		var v T
		for i, cell := range row {
			if err := c[header[i]](&v, strings.TrimSpace(cell)); err != nil {
				return nil, nil, fmt.Errorf("line %d: %w", line, err)
			}
		}
		all, lines = append(all, v), append(lines, line)
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
