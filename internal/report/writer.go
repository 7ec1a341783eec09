// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
)

// Writer writes an incident's report into its folder, DIR/INCIDENT/report.{md,html,json}. It is safe for concurrent use;
// of two that write the same report at once, the later one's files stay.
type Writer struct {
	Builder
	// Dir is the folder of all reports; it is made when needed, for the owner only.
	Dir string
}

var _ action.Reporter = (*Writer)(nil)

// folderName is what an incident's folder may be called: nothing that leads elsewhere.
var folderName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,127}$`)

// ErrID is returned for an incident id that is no name of a folder.
var ErrID = errors.New("not an incident id")

// Write implements action.Reporter: it builds the report and writes the three files, each whole or not at all.
func (w *Writer) Write(ctx context.Context, id incident.ID) ([]incident.Artefact, error) {
	if !folderName.MatchString(string(id)) {
		return nil, fmt.Errorf("write report of %.100q: %w", id, ErrID)
	}
	r, err := w.Build(ctx, id)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(w.Dir, string(id))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("write report of %s: %w", id, err)
	}
	var all []incident.Artefact
	for _, form := range []struct {
		name  string
		write func(Report) ([]byte, error)
	}{{"report.md", Markdown}, {"report.html", HTML}, {"report.json", JSON}} {
		text, err := form.write(r)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, form.name)
		if err := replace(path, text, r.Stage == Final); err != nil {
			return nil, fmt.Errorf("write report of %s: %w", id, err)
		}
		sum := sha256.Sum256(text)
		all = append(all, incident.Artefact{Name: form.name, Path: path, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text))})
	}
	return all, nil
}

// replace writes beside the file and renames, so that nobody ever reads half of it; where it is durable, also after a
// power cut. The provisional report is not: it can be made again from the store, and is made while others wait for the
// disk.
func replace(path string, text []byte, isDurable bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(text); err != nil {
		return errors.Join(err, f.Close())
	}
	if isDurable {
		if err = f.Sync(); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
