// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package file

import (
	"io"
	"time"
)

// Parsed is what a file of people says, for the fuzz test.
type Parsed struct {
	People []Person
	staff  *staff
}

// ParseYAML is the YAML form.
func ParseYAML(r io.Reader) (Parsed, error) { return parsed(parseYAML(r)) }

// ParseCSV is the CSV form.
func ParseCSV(r io.Reader) (Parsed, error) { return parsed(parseCSV(r)) }

func parsed(s *staff, err error) (Parsed, error) {
	if err != nil {
		return Parsed{}, err
	}
	return Parsed{s.people, s}, nil
}

// ParseRota is a rota of its own, in YAML or CSV, of these people.
func (p Parsed) ParseRota(r io.Reader, isCSV bool) error {
	parse := parseRotaYAML
	if isCSV {
		parse = parseRotaCSV
	}
	plan, err := parse(r)
	if err == nil {
		p.staff.rota, err = newRota(plan, p.staff)
	}
	return err
}

// OnCall names who the rota says is on call, and who would be next.
func (p Parsed) OnCall(at time.Time) []string {
	if p.staff.rota == nil {
		return nil
	}
	var all []string
	for _, turn := range p.staff.rota.at(at) {
		all = append(all, p.staff.byName[key(turn.person)].Name)
	}
	return all
}
