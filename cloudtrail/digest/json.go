// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bufio"
	"encoding/json"
	"io"
	"time"
)

// JSON writes one object:
//
//	{"request": {…}, "results": [Result, …], "summary": {"exit_status": 0, "error": "…", …Summary}}
//
// Field names are those of Result and Summary; results come in the order of Validate. Valid files are among them only
// with Header.Verbose.
type JSON struct {
	header  Header
	results jsonList
}

var _ Renderer = (*JSON)(nil)

// NewJSON returns a JSON that writes to out.
func NewJSON(out io.Writer, h Header) *JSON {
	return &JSON{header: h, results: jsonList{out: bufio.NewWriter(out)}}
}

type jsonRequest struct {
	Bucket        string    `json:"bucket"`
	Prefix        string    `json:"prefix,omitempty"`
	TrailARN      string    `json:"trail_arn,omitempty"`
	Start         time.Time `json:"start"`
	End           time.Time `json:"end"`
	AWSCompatible bool      `json:"aws_compatible"`
}

type jsonSummary struct {
	ExitStatus int    `json:"exit_status"`
	Error      string `json:"error,omitempty"` // what ended the run early
	Summary
}

func newJSONSummary(h Header, s Summary, err error) jsonSummary {
	status := s.ExitStatus()
	if h.AWSCompatible {
		status = s.CompatibleExitStatus()
	}
	if err == nil {
		return jsonSummary{status, "", s}
	}
	if h.AWSCompatible {
		return jsonSummary{255, err.Error(), s}
	}
	return jsonSummary{2, err.Error(), s}
}

// jsonList writes a JSON document with one long array in it, element by element.
type jsonList struct {
	out        *bufio.Writer
	hasStarted bool
	hasItems   bool
}

// start writes, once, what comes before the elements.
func (l *jsonList) start(before string, value any, after string) error {
	if l.hasStarted {
		return nil
	}
	l.hasStarted = true
	if err := l.write(before, value); err != nil {
		return err
	}
	_, err := l.out.WriteString(after)
	return err
}

func (l *jsonList) add(value any) error {
	separator := "\n"
	if l.hasItems {
		separator = ",\n"
	}
	l.hasItems = true
	return l.write(separator, value)
}

// end writes what comes after the elements, and all that is buffered.
func (l *jsonList) end(before string, value any, after string) error {
	if err := l.write(before, value); err != nil {
		return err
	}
	if _, err := l.out.WriteString(after); err != nil {
		return err
	}
	return l.out.Flush()
}

func (l *jsonList) write(before string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = l.out.WriteString(before + string(data))
	return err
}

// Result writes r.
func (j *JSON) Result(r Result) error {
	if err := j.start(); err != nil || r.IsValid() && !j.header.Verbose {
		return err
	}
	return j.results.add(r)
}

func (j *JSON) start() error {
	req := j.header.Request
	return j.results.start("{\"request\":", jsonRequest{
		req.Bucket, req.Prefix, req.Trail.ARN, req.Start.UTC(), req.End.UTC(), j.header.AWSCompatible,
	}, ",\n\"results\":[")
}

// Close writes the summary.
func (j *JSON) Close(s Summary, err error) error {
	if startErr := j.start(); startErr != nil {
		return startErr
	}
	return j.results.end("\n],\n\"summary\":", newJSONSummary(j.header, s, err), "}\n")
}
