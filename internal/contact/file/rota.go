// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package file

import (
	"errors"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // a rota names its time zone, and minimal images have no list of those
)

// OnCall is who is on call when.
type OnCall struct {
	// TimeZone is that of all times without an offset, by its IANA name; default UTC.
	TimeZone string `yaml:"time_zone"`
	// Weeks are taken in turn.
	Weeks Weeks `yaml:"weeks"`
	// Shifts are single ones. Where there are Weeks too a shift wins over them, and must say when it ends; else it lasts
	// until the next begins. Of two at one time, the one that began later wins.
	Shifts []Shift `yaml:"shifts"`
}

// Weeks is a rota by week.
type Weeks struct {
	// From is when the first of People begins, and so the day and the hour of every hand-over after that, by the clock on
	// the wall: a week with a change to or from summer time is an hour shorter or longer.
	From Moment `yaml:"from"`
	// People are names or mail addresses, each for a week.
	People []string `yaml:"people"`
}

// Shift is one person for a while.
type Shift struct {
	From   Moment `yaml:"from"`
	Until  Moment `yaml:"until"`
	Person string `yaml:"person"`
}

// Moment is a time as a rota spells it: "2026-05-04 09:00", "2026-05-04" (midnight), or with an offset
// "2026-05-04T09:00:00+02:00". The zero value is none.
type Moment struct {
	at       time.Time // without an offset: as if it were UTC
	isOffset bool
}

// UnmarshalText reads a moment; "" is none.
func (m *Moment) UnmarshalText(text []byte) error {
	*m = Moment{}
	if len(text) == 0 {
		return nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.Parse(layout, string(text)); err == nil {
			*m = Moment{at: at}
			return nil
		}
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%.40q is no time (want 2026-05-04 09:00)", text)
	}
	*m = Moment{at, true}
	return nil
}

// in is the moment in a time zone, days later by the calendar. A time that a change to summer time skips is the one
// after the gap.
func (m Moment) in(zone *time.Location, days int) time.Time {
	at := m.at
	if m.isOffset {
		at = at.In(zone)
		if days == 0 {
			return at // told apart from its double when the clocks go back
		}
	}
	return time.Date(at.Year(), at.Month(), at.Day()+days, at.Hour(), at.Minute(), at.Second(), 0, zone)
}

// rota is an OnCall whose times are certain.
type rota struct {
	zone   *time.Location
	first  Moment
	people []string
	shifts []shift // by start
}

type shift struct {
	from, until time.Time // until is zero for one that does not end
	person      string
}

// turn is somebody who is on call, or would be next in the stead of somebody who left.
type turn struct{ person, note string }

func newRota(plan *OnCall, s *staff) (*rota, error) {
	zone, err := time.LoadLocation(plan.TimeZone) // "" is UTC
	if err != nil || plan.TimeZone == "Local" {
		return nil, fmt.Errorf("time_zone: %.60q is unknown (want Europe/Berlin)", plan.TimeZone)
	}
	r := &rota{zone: zone, first: plan.Weeks.From, people: plan.Weeks.People}
	if (len(r.people) == 0) != r.first.at.IsZero() {
		return nil, errors.New("weeks: needs from and people")
	}
	if len(r.people) > 0 && r.first.at.Year() < 2000 {
		return nil, errors.New("weeks: from is too long ago")
	}
	for _, name := range r.people {
		if err := s.isOne(name); err != nil {
			return nil, fmt.Errorf("weeks: %w", err)
		}
	}
	for i, one := range plan.Shifts {
		if err := r.add(one, s); err != nil {
			return nil, fmt.Errorf("shift %d: %w", i+1, err)
		}
	}
	slices.SortStableFunc(r.shifts, func(a, b shift) int { return a.from.Compare(b.from) })
	for i := range r.shifts {
		if r.shifts[i].until.IsZero() && i+1 < len(r.shifts) {
			r.shifts[i].until = r.shifts[i+1].from
		}
	}
	return r, nil
}

func (r *rota) add(one Shift, s *staff) error {
	if one.From.at.IsZero() {
		return errors.New("from is missing")
	}
	if err := s.isOne(one.Person); err != nil {
		return err
	}
	next := shift{from: one.From.in(r.zone, 0), person: one.Person}
	switch {
	case !one.Until.at.IsZero():
		next.until = one.Until.in(r.zone, 0)
		if !next.until.After(next.from) {
			return errors.New("until is not after from")
		}
	case len(r.people) > 0:
		return errors.New("until is missing: it would never give back to the weeks")
	}
	r.shifts = append(r.shifts, next)
	return nil
}

// at returns who is on call: first who really is, then who would stand in.
func (r *rota) at(now time.Time) []turn {
	var all []turn
	for _, one := range slices.Backward(r.shifts) {
		if now.Before(one.from) || !one.until.IsZero() && !now.Before(one.until) {
			continue
		}
		note := "on call since " + r.spell(one.from)
		if !one.until.IsZero() {
			note = "on call until " + r.spell(one.until)
		}
		all = append(all, turn{one.person, note})
	}
	if len(r.people) == 0 {
		return all
	}
	week := r.week(now)
	if week < 0 {
		return all
	}
	note := "on call until " + r.spell(r.first.in(r.zone, 7*(week+1)))
	for i := range r.people {
		all = append(all, turn{r.people[(week+i)%len(r.people)], note})
	}
	return all
}

// week counts the hand-overs since the first; it is negative before that.
func (r *rota) week(now time.Time) int {
	first := r.first.in(r.zone, 0)
	if now.Before(first) {
		return -1
	}
	week := int(now.Sub(first) / (7 * 24 * time.Hour))
	// Summer time makes weeks shorter and longer: the true number is this one or a neighbour.
	if !now.Before(r.first.in(r.zone, 7*(week+1))) {
		return week + 1
	}
	if now.Before(r.first.in(r.zone, 7*week)) {
		return week - 1
	}
	return week
}

func (r *rota) spell(at time.Time) string { return at.In(r.zone).Format("2006-01-02 15:04 MST") }
