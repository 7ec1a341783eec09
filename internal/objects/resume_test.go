// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package objects_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/switchback-project/switchback/internal/objects"
)

func TestEvidenceResume(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder, err := objects.OpenEvidence(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := folder.Close(); err != nil {
			t.Error(err)
		}
	})
	write := func(at int64, text string) {
		t.Helper()
		file, err := folder.Resume("found", at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(text); err != nil {
			t.Error(err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
	write(0, "kept, broken off")
	write(5, " went on")
	if got, err := os.ReadFile(filepath.Join(dir, "found")); err != nil || string(got) != "kept, went on" {
		t.Errorf("got %q, %v", got, err)
	}
	if file, err := folder.Resume("found", 100); err == nil {
		t.Errorf("went on behind the end of %s", file.Name())
	}
	if file, err := folder.Resume("../found", 0); err == nil {
		t.Errorf("left the folder: %s", file.Name())
	}
}
