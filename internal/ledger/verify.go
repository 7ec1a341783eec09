// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"
	"strings"
)

// Checkpoint names the newest entry of a ledger at some moment. Kept elsewhere it proves later that nothing up to it was
// cut off or rewritten.
type Checkpoint struct {
	Seq  int64
	Hash string
}

// String is "seq:hash", which ParseCheckpoint reads.
func (c Checkpoint) String() string { return strconv.FormatInt(c.Seq, 10) + ":" + c.Hash }

// ParseCheckpoint reads what String wrote.
func ParseCheckpoint(s string) (Checkpoint, error) {
	number, hash, _ := strings.Cut(strings.TrimSpace(s), ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || seq < 1 {
		return Checkpoint{}, fmt.Errorf("parse checkpoint %.100q: want SEQ:HASH", s)
	}
	if sum, err := hex.DecodeString(hash); err != nil || 2*len(sum) != hashChars {
		return Checkpoint{}, fmt.Errorf("parse checkpoint %.100q: want SEQ:HASH, the hash with %d digits", s, hashChars)
	}
	return Checkpoint{Seq: seq, Hash: strings.ToLower(hash)}, nil
}

// Broken is the first thing that is wrong.
type Broken struct {
	// Segment and Line say where it shows: a file name and a line counted from 1 (0: the segment as a whole).
	Segment string
	Line    int
	// Seq is the entry that is wrong or that was due there.
	Seq    int64
	Reason Reason
	Detail string
}

// String describes b in one line.
func (b Broken) String() string {
	return fmt.Sprintf("%s line %d: entry %d %s: %s", b.Segment, b.Line, b.Seq, b.Reason, b.Detail)
}

// Torn is what a killed process left of a write: not tampering, but worth knowing.
type Torn struct {
	Segment string
	Line    int
	Bytes   int64
	// IsRecorded tells that a Repair entry accounts for it. Only the end of a ledger may lack that, until it is opened.
	IsRecorded bool
}

// Result of Verify.
type Result struct {
	// Entries and Segments were read and are good; Head is the last of them.
	Entries  int64
	Segments int
	Head     Checkpoint
	Torn     []Torn
	// Broken is nil when everything is in order. Nothing after it was judged.
	Broken *Broken
}

// VerifyOptions of Verify; the zero value works.
type VerifyOptions struct {
	// Key checks the signatures; nil means the one beside the ledger.
	Key ed25519.PublicKey
	// Checkpoint, unless zero, must be part of the ledger.
	Checkpoint Checkpoint
}

// Verify reads a whole ledger and checks every hash, link, signature and segment border. An error means that the ledger
// could not be read; what is wrong with it is in the result. It may run beside processes that append.
func Verify(ctx context.Context, folder Folder, o VerifyOptions) (Result, error) {
	if o.Key == nil {
		key, err := PublicKey(ctx, folder)
		if err != nil {
			return Result{}, fmt.Errorf("verify ledger: %w", err)
		}
		o.Key = key
	}
	last, err := lastSegment(ctx, folder)
	if err != nil {
		return Result{}, fmt.Errorf("verify ledger: %w", err)
	}
	v := verifier{folder: folder, last: last, chain: chain{key: o.Key}, checkpoint: o.Checkpoint}
	for n := 1; n <= last && v.result.Broken == nil; n++ {
		if err := v.segment(ctx, n); err != nil {
			return Result{}, fmt.Errorf("verify ledger: %s: %w", segmentName(n), err)
		}
	}
	v.end()
	return v.result, nil
}

type verifier struct {
	folder     Folder
	last       int
	chain      chain
	checkpoint Checkpoint
	result     Result
	// torn is where the chain's leftover began.
	torn Torn
}

func (v *verifier) segment(ctx context.Context, n int) error {
	name := segmentName(n)
	at := Torn{Segment: name}
	for l, err := range lines(ctx, v.folder, name) {
		switch {
		case errors.Is(err, errLongLine):
			v.broken(at.Segment, at.Line+1, &fault{reason: Changed, seq: v.chain.last.Seq + 1, detail: err.Error()})
			return nil
		case errors.Is(err, fs.ErrNotExist):
			v.broken(name, 0, &fault{reason: Missing, seq: v.chain.last.Seq + 1, detail: "the segment is not there"})
			return nil
		case err != nil:
			return err
		}
		at.Line++
		if v.line(at, l); v.result.Broken != nil {
			return v.tellReordered(ctx, n)
		}
	}
	v.result.Segments++
	v.border(n)
	return nil
}

func (v *verifier) line(at Torn, l line) {
	before := v.chain.left
	entry, f := v.chain.add(l.text, l.isTerminated)
	switch {
	case f != nil && f.isEarlier:
		v.broken(v.torn.Segment, v.torn.Line, f)
	case f != nil:
		v.broken(at.Segment, at.Line, f)
	case entry == nil && before.isEmpty():
		v.torn = at
	case entry != nil:
		v.accept(at, *entry, before)
	}
}

func (v *verifier) accept(at Torn, e Entry, before leftover) {
	if e.Seq == v.checkpoint.Seq && e.Hash != v.checkpoint.Hash {
		v.broken(at.Segment, at.Line, &fault{reason: Rewritten, seq: e.Seq, detail: "is not the entry that the checkpoint names"})
		return
	}
	if !before.isEmpty() {
		v.torn.Bytes, v.torn.IsRecorded = before.bytes, true
		v.result.Torn = append(v.result.Torn, v.torn)
	}
	v.result.Entries++
	v.result.Head = Checkpoint{e.Seq, e.Hash}
}

// border judges what is left at the end of segment n: a kill leaves something only at the end of the last one.
func (v *verifier) border(n int) {
	left := &v.chain.left
	switch {
	case left.isEmpty():
	case n == v.last && left.isTorn():
		v.torn.Bytes = left.bytes
		v.result.Torn = append(v.result.Torn, v.torn)
	default:
		v.broken(v.torn.Segment, v.torn.Line, left.fault(v.chain.last.Seq+1))
	}
}

func (v *verifier) end() {
	if v.result.Broken == nil && v.result.Head.Seq < v.checkpoint.Seq {
		v.broken(segmentName(max(v.last, 1)), 0, &fault{
			reason: Truncated, seq: v.result.Head.Seq + 1,
			detail: fmt.Sprintf("the ledger ends before entry %d of the checkpoint", v.checkpoint.Seq),
		})
	}
}

func (v *verifier) broken(segment string, line int, f *fault) {
	v.result.Broken = &Broken{Segment: segment, Line: line, Seq: f.seq, Reason: f.reason, Detail: f.detail}
}

// tellReordered looks whether an entry that is missing stands further on.
func (v *verifier) tellReordered(ctx context.Context, from int) error {
	if v.result.Broken.Reason != Missing {
		return nil
	}
	for n := from; n <= v.last; n++ {
		for l, err := range lines(ctx, v.folder, segmentName(n)) {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errLongLine) {
				break
			}
			if err != nil {
				return err
			}
			if e, err := parseLine(l.text); err == nil && v.chain.follows(e) {
				v.result.Broken.Reason = Reordered
				return nil
			}
		}
	}
	return nil
}

// Entries yields the entries in order and passes over what a kill left behind. It does not verify: call Verify first.
func Entries(ctx context.Context, folder Folder) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		last, err := lastSegment(ctx, folder)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for n := 1; n <= last; n++ {
			for l, err := range lines(ctx, folder, segmentName(n)) {
				if err != nil {
					yield(Entry{}, fmt.Errorf("read ledger: %s: %w", segmentName(n), err))
					return
				}
				e, err := parseLine(l.text)
				if err == nil && !yield(e, nil) {
					return
				}
			}
		}
	}
}

type line struct {
	text         []byte // valid until the next one
	isTerminated bool
}

// lines yields the lines of a segment; it ends after an error.
func lines(ctx context.Context, folder Folder, name string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		file, err := folder.Read(ctx, name, 0)
		if err != nil {
			yield(line{}, err)
			return
		}
		defer file.Close()
		reader := bufio.NewReaderSize(file, 64<<10)
		var buffer []byte
		for {
			text, isTerminated, err := readLine(reader, buffer)
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				err = ctx.Err()
			}
			if !yield(line{text, isTerminated}, err) || err != nil {
				return
			}
			buffer = text
		}
	}
}
