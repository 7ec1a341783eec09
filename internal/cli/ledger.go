// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/switchback-project/switchback/internal/ledger"
	"github.com/switchback-project/switchback/internal/objects"
)

type ledgerCommand struct {
	Verify ledgerVerifyCommand `cmd:"" help:"Is the ledger as it was written?"`
}

type ledgerVerifyCommand struct {
	Dir        string `arg:"" optional:"" help:"The ledger's folder; default: that of the state folder."`
	Checkpoint string `help:"An entry noted elsewhere, SEQ:HASH, that must be part of it."`
	outputFlag
}

// Help is the long help.
func (ledgerVerifyCommand) Help() string {
	return `Checks every hash, link and signature, offline. Exit status 1 names the first broken entry.

Example:
  switchback ledger verify
  switchback ledger verify /evidence/ledger --checkpoint 1041:6b3c…`
}

// Run verifies.
func (c *ledgerVerifyCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	dir, o, err := c.options(g)
	if err != nil {
		return err
	}
	folder, err := objects.OpenFolder(dir)
	if err != nil {
		return err
	}
	result, err := ledger.Verify(ctx, folder, o)
	if err != nil {
		return fmt.Errorf("verify %s: %w", dir, err)
	}
	if c.isJSON() {
		if err := printJSON(s.out, result); err != nil {
			return err
		}
	}
	if result.Broken != nil {
		fmt.Fprintf(s.err, "switchback: %s: %s\n", dir, result.Broken)
		return errFound
	}
	if c.isJSON() {
		return nil
	}
	_, err = fmt.Fprintf(s.out, "%s: %d entries in %d segments are as they were written; the newest is %s\n", dir, result.Entries, result.Segments, result.Head)
	return err
}

func (c *ledgerVerifyCommand) options(g *grammar) (dir string, o ledger.VerifyOptions, err error) {
	if c.Checkpoint != "" {
		if o.Checkpoint, err = ledger.ParseCheckpoint(c.Checkpoint); err != nil {
			return "", o, withHint(err, "a checkpoint is SEQ:HASH, as ledger verify prints it")
		}
	}
	if c.Dir != "" {
		return c.Dir, o, nil
	}
	conf, _, err := loadConfig(g)
	if err != nil {
		return "", o, err
	}
	return conf.State + "/ledger", o, nil
}
