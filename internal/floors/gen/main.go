// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Command gen puts the table of floors between the marks in docs/architecture.md.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/switchback-project/switchback/internal/floors"
)

const (
	document = "../../docs/architecture.md"
	begin    = "<!-- floors: generated -->\n"
	end      = "<!-- end of floors -->\n"
)

func main() {
	if err := run(); err != nil {
		slog.Error("write floors", "error", err)
		os.Exit(1)
	}
}

func run() error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s lacks the marks %q and %q", document, begin, end)
	}
	return os.WriteFile(document, []byte(before+begin+floors.Table()+end+after), 0o644)
}
