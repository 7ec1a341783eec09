// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"runtime"
)

type versionCommand struct{}

// Help is the long help.
func (versionCommand) Help() string { return "Example:\n  switchback version" }

// Run prints version, Go version and platform.
func (versionCommand) Run(s *streams) error {
	_, err := fmt.Fprintf(s.out, "switchback %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
