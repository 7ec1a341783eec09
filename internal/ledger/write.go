// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"
)

// write appends a batch. The methods of this file need l.writing.
func (l *Ledger) write(ctx context.Context, batch []*pending) error {
	entries := make([]Entry, len(batch))
	for i, p := range batch {
		entries[i] = p.entry
	}
	err := l.locked(ctx, func() error {
		tail, err := l.catchUp(ctx)
		if err != nil {
			return err
		}
		if err := l.settle(ctx, tail, entries[0].At); err != nil {
			return err
		}
		if l.offset >= l.options.SegmentBytes {
			l.segment, l.offset = l.segment+1, 0
		}
		return l.extend(ctx, nil, entries)
	})
	if err != nil {
		l.rewind()
		return err
	}
	l.start = firstToRead(l.segment)
	return nil
}

// firstToRead is where reading starts: the last segment may not hold an entry yet, so one before it.
func firstToRead(last int) int { return max(last-1, 1) }

func (l *Ledger) locked(ctx context.Context, do func() error) error {
	unlock, err := l.folder.Lock(ctx)
	if err != nil {
		return fmt.Errorf("lock ledger: %w", err)
	}
	return errors.Join(do(), unlock())
}

// rewind forgets what was read: the disk knows better.
func (l *Ledger) rewind() {
	l.segment, l.offset = l.start, 0
	l.chain = chain{fromMiddle: l.segment > 1}
}

// extend chains entries and appends them after prefix.
func (l *Ledger) extend(ctx context.Context, prefix []byte, entries []Entry) error {
	var b bytes.Buffer
	b.Write(prefix)
	last := l.chain.last
	for _, e := range entries {
		e.Seq, e.Prev = last.Seq+1, last.Hash
		if err := appendLine(&b, &e, l.key); err != nil {
			return err
		}
		last = e
	}
	if err := l.append(ctx, b.Bytes()); err != nil {
		return err
	}
	last.Body = nil
	l.chain.last, l.chain.left = last, leftover{}
	return nil
}

func (l *Ledger) append(ctx context.Context, data []byte) error {
	if err := l.folder.Append(ctx, segmentName(l.segment), data); err != nil {
		return fmt.Errorf("append to ledger %s: %w", segmentName(l.segment), err)
	}
	l.offset += int64(len(data))
	return nil
}

// catchUp reads what other processes appended since. It returns what stands after the last newline.
func (l *Ledger) catchUp(ctx context.Context) (tail []byte, err error) {
	for {
		if tail, err = l.readOn(ctx); err != nil {
			return nil, err
		}
		hasNext, err := l.exists(ctx, segmentName(l.segment+1))
		if err != nil {
			return nil, err
		}
		if !hasNext {
			return tail, nil
		}
		if err := l.judgeBorder(tail); err != nil {
			return nil, err
		}
		l.segment, l.offset = l.segment+1, 0
	}
}

func (l *Ledger) exists(ctx context.Context, name string) (bool, error) {
	file, err := l.folder.Read(ctx, name, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read ledger: %w", err)
	}
	return true, file.Close()
}

// readOn reads whole lines to the end of the segment and returns what follows them.
func (l *Ledger) readOn(ctx context.Context) (tail []byte, err error) {
	file, err := l.folder.Read(ctx, segmentName(l.segment), l.offset)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	defer file.Close()
	l.reader.Reset(file)
	defer l.reader.Reset(nil)
	var text []byte
	for {
		var isTerminated bool
		text, isTerminated, err = readLine(l.reader, text)
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case errors.Is(err, errLongLine):
			return nil, l.brokenError(&fault{reason: Changed, seq: l.chain.last.Seq + 1, detail: err.Error()})
		case err != nil:
			return nil, fmt.Errorf("read ledger %s: %w", segmentName(l.segment), err)
		case !isTerminated:
			return slices.Clone(text), nil
		}
		if _, f := l.chain.add(text, true); f != nil {
			return nil, l.brokenError(f)
		}
		l.offset += int64(len(text)) + 1
	}
}

// judge returns an error unless the end of the ledger is whole, or torn by a kill.
func (l *Ledger) judge(tail []byte) error {
	seq := l.chain.last.Seq + 1
	if l.chain.left.isDamage {
		return l.brokenError(l.chain.left.fault(seq))
	}
	if len(tail) == 0 || l.chain.fromMiddle {
		return nil
	}
	if _, err := parseLine(tail); err != nil && !isCutShort(tail, false, seq) {
		return l.brokenError(&fault{reason: Changed, seq: seq, detail: "the last line is not what a kill leaves"})
	}
	return nil
}

// judgeBorder returns an error unless a segment that another one follows ends with an entry.
func (l *Ledger) judgeBorder(tail []byte) error {
	if l.chain.left.isEmpty() && len(tail) == 0 {
		return nil
	}
	return l.brokenError(&fault{reason: Changed, seq: l.chain.last.Seq + 1, detail: "the segment does not end with an entry"})
}

// settle closes an end that a kill tore: an entry that lacks only its newline gets it, anything less is followed by a
// Repair entry that accounts for it.
func (l *Ledger) settle(ctx context.Context, tail []byte, at time.Time) error {
	if err := l.judge(tail); err != nil {
		return err
	}
	var missing []byte
	if len(tail) > 0 {
		missing = []byte("\n")
		entry, f := l.chain.add(tail, false)
		if f != nil {
			return l.brokenError(f)
		}
		l.offset += int64(len(tail))
		if entry != nil {
			return l.append(ctx, missing)
		}
	}
	left := &l.chain.left
	if left.isEmpty() {
		return nil
	}
	left.write(missing)
	body, err := json.Marshal(left.repair())
	if err != nil {
		return fmt.Errorf("repair ledger: %w", err)
	}
	return l.extend(ctx, missing, []Entry{{At: at, Kind: Repair, Body: body}})
}

func (l *Ledger) brokenError(f *fault) error {
	return fmt.Errorf("%s: %w: entry %d %s: %s", segmentName(l.segment), ErrBroken, f.seq, f.reason, f.detail)
}
