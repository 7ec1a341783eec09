// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"strings"
)

// Mode says what happens to mutations. The zero value is the safest.
type Mode int

// The modes, in the order of what they allow.
const (
	// Observe is dry-run: reads pass, mutations are journalled as intended and return ErrDryRun.
	Observe Mode = iota
	// Ask: mutations pass where Scope.Approved is set, else return ErrNeedsApproval.
	Ask
	// Act: mutations pass.
	Act
)

var modeNames = [...]string{Observe: "observe", Ask: "ask", Act: "act"}

// String is the word that the configuration uses.
func (m Mode) String() string {
	if m < 0 || int(m) >= len(modeNames) {
		return fmt.Sprintf("mode(%d)", int(m))
	}
	return modeNames[m]
}

// ParseMode is the reverse of String.
func ParseMode(s string) (Mode, error) {
	for m, name := range modeNames {
		if s == name {
			return Mode(m), nil
		}
	}
	return Observe, fmt.Errorf("mode %q is none of %s", s, strings.Join(modeNames[:], ", "))
}
