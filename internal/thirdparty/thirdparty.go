// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package thirdparty finds the third-party data that tests compare Switchback with: recordings of AWS, real CloudTrail
// events, verdicts of other tools. The data is never copied into the project; it is read from $SWITCHBACK_DATA, else
// from ../shared/data beside the repository. Its absence is the one skip that CI allows, and it is printed.
//
// Only tests import this package.
package thirdparty

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Env names the variable that points at the data.
const Env = "SWITCHBACK_DATA"

// Path returns the absolute path of name inside the data folder. It skips the test, printing the reason, when the
// folder is absent, and fails it when the folder is there but name is not: a renamed set must not pass silently.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	root := Root()
	if _, err := os.Stat(root); err != nil {
		tb.Skipf("third-party data is absent (%s): set %s", filepath.Base(root), Env)
	}
	path := filepath.Join(root, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("third-party data has no %s: %v", name, err)
	}
	return path
}

// Root returns the folder where the data is looked for, whether it exists or not.
func Root() string {
	if dir := os.Getenv(Env); dir != "" {
		return dir
	}
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "data")
}
