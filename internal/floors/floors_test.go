// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package floors_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/floors"
)

const module = "github.com/switchback-project/switchback"

type goPackage struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
	CgoFiles   []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles,CgoFiles", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 10 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	return packages
}

func relative(path string) (string, bool) {
	return strings.CutPrefix(path, module+"/")
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range listPackages(t) {
		name, ok := relative(p.ImportPath)
		if !ok || floors.IsTestSupport(name) {
			continue
		}
		own, ok := floors.Of(name)
		if !ok {
			t.Errorf("%s stands on no floor: add its row to internal/floors", name)
			continue
		}
		for _, imported := range p.Imports {
			checkImport(t, name, own, imported)
		}
	}
}

func checkImport(t *testing.T, name string, own floors.Floor, imported string) {
	t.Helper()
	target, ok := relative(imported)
	if !ok {
		checkPublic(t, name, imported)
		return
	}
	if floors.IsTestSupport(target) {
		t.Errorf("%s imports %s, which is for tests only", name, target)
		return
	}
	floor, ok := floors.Of(target)
	if ok && floor.Number >= own.Number {
		t.Errorf("%s (floor %s) imports %s (floor %s): only lower floors", name, own.Name, target, floor.Name)
	}
}

// public packages are useful alone: no third-party import, but for klauspost's gzip in digest.
func checkPublic(t *testing.T, name, imported string) {
	t.Helper()
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") || strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "cmd/") {
		return
	}
	if name == "cloudtrail/digest" && strings.HasPrefix(imported, "github.com/klauspost/compress/") {
		return
	}
	t.Errorf("public package %s imports %s: only the standard library", name, imported)
}

func TestDocumentShowsTheTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), floors.Table()) {
		t.Errorf("docs/architecture.md does not show the floors; it should hold:\n%s", floors.Table())
	}
}

// Partition, DNS suffix and global region come from internal/arn, never from literals.
var partitionLiteral = regexp.MustCompile(`arn:aws(-[a-z-]+)?:|amazonaws\.com|"us-east-1"`)

func TestNoPartitionLiterals(t *testing.T) {
	files := 0
	for _, p := range listPackages(t) {
		name, _ := relative(p.ImportPath)
		if floors.IsTestSupport(name) {
			continue
		}
		for _, file := range append(p.GoFiles, p.CgoFiles...) {
			files++
			checkLiterals(t, name, filepath.Join(p.Dir, file))
		}
	}
	if files < 20 {
		t.Fatalf("looked at only %d files", files)
	}
}

func checkLiterals(t *testing.T, pkg, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text[:min(len(text), 200)]), "Code generated") {
		return
	}
	for i, line := range strings.Split(string(text), "\n") {
		code, _, _ := strings.Cut(" "+strings.TrimSpace(line), " //")
		if partitionLiteral.MatchString(code) {
			t.Errorf("%s/%s:%d: partition literal: %s", pkg, filepath.Base(path), i+1, strings.TrimSpace(line))
		}
	}
}
