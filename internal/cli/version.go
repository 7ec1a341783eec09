// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"runtime"
)

type versionCommand struct{ outputFlag }

// Help is the long help.
func (versionCommand) Help() string {
	return "With --output json: version, go, platform.\n\nExample:\n  switchback version"
}

// Run prints version, Go version and platform.
func (c versionCommand) Run(s *streams) error {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if c.isJSON() {
		return printJSON(s.out, map[string]string{"version": version, "go": runtime.Version(), "platform": platform})
	}
	_, err := fmt.Fprintf(s.out, "switchback %s (%s, %s)\n", version, runtime.Version(), platform)
	return err
}
