// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Command switchback turns CloudTrail back on when anyone turns it off, and tells the human behind it.
package main

import (
	"os"

	"github.com/switchback-project/switchback/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
