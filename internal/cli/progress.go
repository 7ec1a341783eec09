// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress is one line on a terminal, and silent when piped.
type progress struct {
	out     io.Writer
	last    time.Time
	isOn    bool
	isShown bool
}

func newProgress(s *streams) *progress {
	f, ok := s.err.(*os.File)
	return &progress{out: s.err, isOn: ok && term.IsTerminal(int(f.Fd()))}
}

// say replaces the line, ten times a second at most.
func (p *progress) say(format string, args ...any) {
	if !p.isOn || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.isShown = time.Now(), true
	fmt.Fprintf(p.out, "\r\033[K%.120s", fmt.Sprintf(format, args...))
}

// done takes the line away, for good or until the next say.
func (p *progress) done() {
	if p.isShown {
		p.isShown = false
		fmt.Fprint(p.out, "\r\033[K")
	}
}
