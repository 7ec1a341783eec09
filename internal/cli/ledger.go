// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/switchback-project/switchback/internal/ledger"
	"github.com/switchback-project/switchback/internal/objects"
)

type ledgerCommand struct {
	Verify ledgerVerifyCommand `cmd:"" help:"Is the ledger as it was written?"`
}

// Help is the long help.
func (ledgerCommand) Help() string { return "Example:\n  switchback ledger verify" }

type ledgerVerifyCommand struct {
	Dir        string `arg:"" optional:"" help:"The ledger's folder; default: that of the state folder."`
	Checkpoint string `help:"An entry noted elsewhere, SEQ:HASH, that must be part of it."`
	outputFlag
}

// Help is the long help.
func (ledgerVerifyCommand) Help() string {
	return `Checks every hash, link and signature, offline. Exit status 1 names the first broken entry; an empty ledger proves
nothing, exit status 2. With --output json: ledger, entries, segments, head (SEQ:HASH), broken (null, or segment, line,
entry, reason, detail).

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
	result, err := verifyLedger(ctx, dir, o)
	if err != nil {
		return withHint(err, "switchback ledger verify DIR, or --state DIR for the state folder that holds it")
	}
	if c.isJSON() {
		if err := printJSON(s.out, verifiedLedger(dir, result)); err != nil {
			return err
		}
	}
	if result.Broken == nil && result.Entries == 0 {
		return withHint(fmt.Errorf("verify %s: no entry is there, nothing is proven", dir), "serve writes the first one when it starts; if it ever ran, entries are missing")
	}
	if result.Broken != nil {
		fmt.Fprintf(s.err, "switchback: %s: %s\n", dir, result.Broken)
		return errFound
	}
	if c.isJSON() {
		return nil
	}
	_, err = fmt.Fprintf(s.out, "%s: %d %s in %d %s, all as they were written; the newest is %s\n", dir, result.Entries,
		plural(int(result.Entries), "entry", "entries"), result.Segments, plural(result.Segments, "segment", "segments"), result.Head)
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
	return conf.ledger(), o, nil
}

// ledgerVerdict is the JSON of ledger verify.
type ledgerVerdict struct {
	Ledger   string        `json:"ledger"`
	Entries  int64         `json:"entries"` // that are as they were written, in so many segments
	Segments int           `json:"segments"`
	Head     string        `json:"head"` // the newest of them, SEQ:HASH; empty for none
	Broken   *brokenLedger `json:"broken"`
}

// brokenLedger is the first thing that is wrong; nothing after it was judged.
type brokenLedger struct {
	Segment string `json:"segment"`
	Line    int    `json:"line"`
	Entry   int64  `json:"entry"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail"`
}

func verifiedLedger(dir string, r ledger.Result) ledgerVerdict {
	out := ledgerVerdict{Ledger: dir, Entries: r.Entries, Segments: r.Segments}
	if r.Head.Seq > 0 {
		out.Head = r.Head.String()
	}
	if b := r.Broken; b != nil {
		out.Broken = &brokenLedger{b.Segment, b.Line, b.Seq, string(b.Reason), b.Detail}
	}
	return out
}

// verifyLedger makes no folder where none is.
func verifyLedger(ctx context.Context, dir string, o ledger.VerifyOptions) (ledger.Result, error) {
	if _, err := os.Stat(dir); err != nil {
		return ledger.Result{}, fmt.Errorf("verify ledger: %w", err)
	}
	folder, err := objects.OpenFolder(dir)
	if err != nil {
		return ledger.Result{}, fmt.Errorf("verify ledger: %w", err)
	}
	result, err := ledger.Verify(ctx, folder, o)
	if err != nil {
		return result, fmt.Errorf("verify %s: %w", dir, err)
	}
	return result, nil
}
