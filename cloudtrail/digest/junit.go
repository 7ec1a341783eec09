// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// maxJUnitFailures bounds the failures that JUnit keeps for one account and region; the rest is counted.
const maxJUnitFailures = 5_000

// JUnit writes a JUnit XML report: a suite for each account and region, in it one test case for the valid digest files,
// one for the valid log files, and one for everything else. The counts come first in that format, so nothing is written
// before Close; valid files are only counted meanwhile.
type JUnit struct {
	out    io.Writer
	suites []*junitSuite
	header Header
}

var _ Renderer = (*JUnit)(nil)

// NewJUnit returns a JUnit that writes to out.
func NewJUnit(out io.Writer, h Header) *JUnit { return &JUnit{out: out, header: h} }

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`

	digests, logFiles, omitted int
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure"`
	Error   *junitFailure `xml:"error"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Type    Code   `xml:"type,attr"`
	Message string `xml:"message,attr"`
}

// Result counts or keeps r.
func (j *JUnit) Result(r Result) error {
	s := j.suite(r.Scope)
	if r.IsValid() {
		if r.Subject == SubjectDigest {
			s.digests++
		} else {
			s.logFiles++
		}
		return nil
	}
	c := junitCase{Class: s.Name, Name: xmlText(string(r.Code) + ": " + r.place())}
	failure := &junitFailure{r.Code, xmlText(r.kind() + ": " + r.Detail)}
	switch {
	case r.Severity == SeverityNote:
		c.Output = failure.Message
	case r.Code == CodeUnreadable:
		c.Error = failure
		s.Errors++
	default:
		c.Failure = failure
		s.Failures++
	}
	if len(s.Cases) >= maxJUnitFailures {
		s.omitted++
		return nil
	}
	s.Cases = append(s.Cases, c)
	return nil
}

// suite finds the suite of an account and region: the newest, mostly, since results come by scope.
func (j *JUnit) suite(scope Scope) *junitSuite {
	scope.Trail, scope.HomeRegion, scope.Backfill = "", "", false
	name := xmlText(scope.String())
	for _, s := range slices.Backward(j.suites) {
		if s.Name == name {
			return s
		}
	}
	s := &junitSuite{Name: name}
	j.suites = append(j.suites, s)
	return s
}

// Close writes the report. What ended the run early is an error in a suite of its own.
func (j *JUnit) Close(_ Summary, err error) error {
	if err != nil {
		failure := &junitFailure{CodeUnreadable, xmlText(err.Error())}
		j.suites = append(j.suites, &junitSuite{Name: "run", Errors: 1, Cases: []junitCase{{Class: "run", Name: "completed", Error: failure}}})
	}
	report := struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Suites   []*junitSuite
	}{Name: "validate-logs " + xmlText(j.header.Request.Bucket), Suites: j.suites}
	for _, suite := range j.suites {
		suite.finish()
		report.Tests += suite.Tests
		report.Failures += suite.Failures
		report.Errors += suite.Errors
	}
	if _, err := io.WriteString(j.out, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(j.out)
	enc.Indent("", " ")
	if err := enc.Encode(report); err != nil {
		return err
	}
	_, err = io.WriteString(j.out, "\n")
	return err
}

func (s *junitSuite) finish() {
	add := func(format string, n int) {
		if n > 0 {
			s.Cases = append(s.Cases, junitCase{Class: s.Name, Name: fmt.Sprintf(format, n)})
		}
	}
	add("%d valid digest files", s.digests)
	add("%d valid log files", s.logFiles)
	add("%d more results, not shown", s.omitted)
	s.Tests = len(s.Cases)
}

// xmlText replaces what XML cannot hold; object keys can hold anything.
func xmlText(text string) string {
	return strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || unicode.IsControl(c) {
			return '?'
		}
		return c
	}, text)
}
