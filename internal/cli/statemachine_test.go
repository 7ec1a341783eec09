// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStatemachineLargeInput runs what is too large for a script: a named error, soon.
func TestStatemachineLargeInput(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fine := write("fine.json", `{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}`)
	task := write("task.json", `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"${F}","End":true}}}`)
	none := write("none.json", "{}")
	tenMB := write("10mb.json", `"`+strings.Repeat("x", 10<<20)+`"`)
	twentyMB := write("20mb.json", `"`+strings.Repeat("x", 20<<20)+`"`)
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"input of 10 MB":      {[]string{"run", "--definition", fine, "--input", tenMB}, exitError, "start: invalid execution input"},
		"input of 20 MB":      {[]string{"run", "--definition", fine, "--input", twentyMB}, exitError, "larger than 16 MiB"},
		"definition of 10 MB": {[]string{"run", "--definition", tenMB, "--input", none}, exitError, "larger than 1048576"},
		"check of 10 MB":      {[]string{"check", tenMB}, exitFound, "larger than 1048576"},
		"result of 10 MB":     {[]string{"run", "--definition", task, "--input", none, "--task", "${F}=" + tenMB}, exitFound, "error: States.DataLimitExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			started := time.Now()
			status := Main(append([]string{"statemachine"}, test.args...), strings.NewReader(""), &out, &errOut)
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			if text := out.String() + errOut.String(); status != test.status || !strings.Contains(text, test.want) {
				t.Errorf("status %d, %.300s; want %d and %q", status, text, test.status, test.want)
			}
		})
	}
}
