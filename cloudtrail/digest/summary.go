// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import "time"

// Ratio counts verdicts on files of one kind.
type Ratio struct {
	Valid      int `json:"valid"`
	Invalid    int `json:"invalid"`
	Unreadable int `json:"unreadable,omitempty"`
}

// Summary counts a run. After an interrupted one it counts what came before.
type Summary struct {
	Start   time.Time `json:"start"` // as requested
	End     time.Time `json:"end"`
	From    time.Time `json:"from,omitzero"` // what the valid digest files cover of it; zero: nothing
	To      time.Time `json:"to,omitzero"`
	Scopes  int       `json:"scopes"` // accounts x regions looked at
	Trails  int       `json:"trails"` // digest chains among them, backfill not counted
	Digests Ratio     `json:"digest_files"`
	// Backfill digest files are counted apart, as the AWS CLI does; their log files are not.
	Backfill       Ratio `json:"backfill_digest_files"`
	LogFiles       Ratio `json:"log_files"`
	MissingDigests int   `json:"missing_digest_files"` // known to have existed in the range
	Unlisted       int   `json:"unlisted_log_files"`
	Notes          int   `json:"notes"` // findings by severity; verdicts on files are not among them
	Warnings       int   `json:"warnings"`
	Errors         int   `json:"errors"`
	Unreadable     int   `json:"unreadable"` // files and folders that could not be read
	Bytes          int64 `json:"bytes"`

	// Progress is what Options.Resume takes to go on from here: what Options.Resume said, as far as it still holds, and
	// what this run proved.
	Progress *Progress `json:"-"`
}

// ExitStatus is 0 when everything is proven, 1 when something is wrong or missing, 2 when something could not be read.
func (s Summary) ExitStatus() int {
	switch {
	case s.Unreadable > 0:
		return 2
	case s.CompatibleExitStatus() != 0, s.Warnings > 0, s.Errors > 0:
		return 1
	}
	return 0
}

// CompatibleExitStatus is the AWS CLI's: 1 when a file is INVALID, else 0, also when nothing was found. A run that
// Validate ended with an error is 255.
func (s Summary) CompatibleExitStatus() int {
	if s.Digests.Invalid+s.Backfill.Invalid+s.LogFiles.Invalid > 0 {
		return 1
	}
	return 0
}

func (s *Summary) add(r Result) {
	s.Bytes += r.Bytes
	if r.Code == CodeUnreadable {
		s.Unreadable++
	}
	if r.Code == CodeMissingDigest {
		s.MissingDigests += max(r.Count, 1)
	}
	ratio := s.ratio(r)
	switch {
	case r.Code == CodeUnreadable:
		if ratio != nil {
			ratio.Unreadable++
		}
	case ratio == nil:
		s.addFinding(r)
	case r.IsValid():
		ratio.Valid++
	default:
		ratio.Invalid++
	}
	if r.IsValid() && r.Subject == SubjectDigest {
		s.cover(r.From, r.To)
	}
}

// ratio is where a verdict on a file counts, nil for anything else.
func (s *Summary) ratio(r Result) *Ratio {
	isVerdict := r.isCLI() || r.Key != "" && (r.Code == CodeUnreadable || r.Code == CodeUnknownHash)
	switch {
	case !isVerdict:
		return nil
	case r.Subject == SubjectLogFile:
		return &s.LogFiles
	case r.Subject == SubjectDigest && r.Scope.Backfill:
		return &s.Backfill
	case r.Subject == SubjectDigest:
		return &s.Digests
	}
	return nil
}

func (s *Summary) addFinding(r Result) {
	if r.Code == CodeUnlistedLogFile || r.Code == CodeLoggedWhileOff {
		s.Unlisted++
	}
	switch r.Severity {
	case SeverityNote:
		s.Notes++
	case SeverityWarning:
		s.Warnings++
	case SeverityError:
		s.Errors++
	}
}

func (s *Summary) cover(from, to time.Time) {
	if from.Before(s.Start) {
		from = s.Start
	}
	if to.After(s.End) {
		to = s.End
	}
	if s.From.IsZero() || from.Before(s.From) {
		s.From = from
	}
	if s.To.IsZero() || to.After(s.To) {
		s.To = to
	}
}
