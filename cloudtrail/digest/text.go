// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Renderer writes results as they come. Close ends the output with what Validate returned; a Renderer closes none of its
// writers.
type Renderer interface {
	Result(r Result) error
	Close(s Summary, err error) error
}

// Header says what a rendered run was about.
type Header struct {
	Request       Request
	AWSCompatible bool
	// Verbose adds the valid files. Text has a line for each, as the AWS CLI's --verbose; the others an element.
	Verbose bool
}

// Text prints as "aws cloudtrail validate-logs" does, byte for byte in AWS-compatible mode: valid files and the summary
// on one stream, INVALID files and gaps on the other, with blank lines between them by a rule that spans both. Our own
// findings are INVALID-like lines on the second stream, and counted in a last line of the summary.
type Text struct {
	out, errs  *bufio.Writer
	header     Header
	isSpaced   bool // the last line, on whichever stream, was followed by a blank one
	hasStarted bool
}

var _ Renderer = (*Text)(nil)

// NewText returns a Text that prints valid lines and the summary to out, the rest to errs.
func NewText(out, errs io.Writer, h Header) *Text {
	return &Text{out: bufio.NewWriter(out), errs: bufio.NewWriter(errs), header: h}
}

// Result prints the line of r, if it has one.
func (t *Text) Result(r Result) error {
	t.start()
	line, isBad := r.line(t.header.AWSCompatible)
	switch {
	case line == "":
		return nil
	case isBad:
		t.double(t.errs, line)
		return t.flush()
	case t.header.Verbose:
		t.isSpaced = false
		_, err := t.out.WriteString(line + "\n")
		return err
	}
	return nil
}

func (t *Text) start() {
	if t.hasStarted {
		return
	}
	t.hasStarted, t.isSpaced = true, true
	req := t.header.Request
	what := "trail " + req.Trail.ARN
	if req.Trail.ARN == "" {
		what = strings.TrimSuffix("s3://"+req.Bucket+"/"+req.Prefix, "/")
	}
	fmt.Fprintf(t.out, "Validating log files for %s between %s and %s\n\n", what, display(req.Start), display(req.End))
}

// double prints a line with blank ones around it. Both streams are flushed so that a terminal shows them in order.
func (t *Text) double(w *bufio.Writer, line string) {
	if !t.isSpaced {
		line = "\n" + line
	}
	t.isSpaced = true
	if w == t.errs {
		t.out.Flush() //nolint:errcheck // bufio keeps the error for the next flush
	}
	fmt.Fprintf(w, "%s\n\n", line)
}

func (t *Text) flush() error {
	if err := t.out.Flush(); err != nil {
		return err
	}
	return t.errs.Flush()
}

// line is r as the AWS CLI prints it, or in its style, and whether it goes to standard error.
func (r Result) line(compatible bool) (line string, isBad bool) {
	backfill := ""
	if r.Scope.Backfill && r.Subject != SubjectLogFile {
		backfill = "(backfill) "
	}
	switch {
	case r.isCLI() && r.IsValid():
		return fmt.Sprintf("%s%s\t%s\tvalid", backfill, r.kind(), clean(r.URI())), false
	case r.isCLI():
		line = fmt.Sprintf("%s%s\t%s\tINVALID: %s", backfill, r.kind(), clean(r.URI()), clean(r.Detail))
		if !compatible && r.Count > 1 {
			line += fmt.Sprintf(" (%d digest files are missing between %s and %s)", r.Count, display(r.From), display(r.To))
		}
		return line, true
	case r.Code == CodeGap:
		return fmt.Sprintf("%sNo log files were delivered by CloudTrail between %s and %s", backfill, display(r.From), display(r.To)), true
	case compatible:
		return "", false
	}
	label := strings.ToUpper(string(r.Severity))
	if r.Code == CodeUnreadable {
		label = "UNREADABLE"
	}
	return fmt.Sprintf("%s%s\t%s\t%s: %s (%s)", backfill, r.kind(), clean(r.place()), label, clean(r.Detail), r.Code), true
}

// kind names the subject as the AWS CLI does: "Digest file".
func (r Result) kind() string {
	name := string(r.Subject)
	return strings.ToUpper(name[:1]) + name[1:]
}

// clean makes text of an object key or of an error fit for a terminal and for one line: whoever writes to the bucket
// chooses keys.
func clean(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x200e && c <= 0x200f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return '?'
		}
		return c
	}, text)
}

// Close prints the summary, also of a run that was interrupted. The AWS CLI prints none when it ends with 255; what err
// says is for the caller to print.
func (t *Text) Close(s Summary, err error) error {
	t.start()
	if err != nil && t.header.AWSCompatible {
		return t.flush()
	}
	if !t.isSpaced {
		t.out.WriteByte('\n') //nolint:errcheck // as in double
	}
	fmt.Fprintf(t.out, "Results requested for %s to %s\n", display(s.Start), display(s.End))
	t.summary(s)
	if !t.header.AWSCompatible {
		t.findings(s)
	}
	return t.flush()
}

func (t *Text) summary(s Summary) {
	digests, backfill := s.Digests, s.Backfill
	switch {
	case digests.Valid+digests.Invalid+backfill.Valid+backfill.Invalid == 0:
		fmt.Fprint(t.out, "No digests found\n")
		return
	case s.To.IsZero():
		fmt.Fprint(t.out, "No valid digests found in range\n")
	default:
		fmt.Fprintf(t.out, "Results found for %s to %s:\n", display(s.From), display(s.To))
	}
	t.ratio(digests, "digest files")
	t.ratio(backfill, "backfill digest files")
	t.ratio(s.LogFiles, "log files")
	fmt.Fprint(t.out, "\n")
}

func (t *Text) ratio(r Ratio, kind string) {
	total := r.Valid + r.Invalid
	if total == 0 {
		return
	}
	fmt.Fprintf(t.out, "\n%d/%d %s valid", r.Valid, total, kind)
	if r.Invalid > 0 {
		fmt.Fprintf(t.out, ", %d/%d %s INVALID", r.Invalid, total, kind)
	}
}

func (t *Text) findings(s Summary) {
	fmt.Fprintf(t.out, "\nAccounts and regions: %d, trails: %d", s.Scopes, s.Trails)
	for _, f := range []struct {
		what  string
		count int
	}{
		{"digest files missing", s.MissingDigests},
		{"log files unlisted", s.Unlisted},
		{"unreadable", s.Unreadable},
		{"errors", s.Errors},
		{"warnings", s.Warnings},
		{"notes", s.Notes},
	} {
		if f.count > 0 {
			fmt.Fprintf(t.out, ", %s: %d", f.what, f.count)
		}
	}
	fmt.Fprint(t.out, "\n")
}
