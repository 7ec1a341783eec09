// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Reason says what is wrong with an entry.
type Reason string

// The reasons, as people read them.
const (
	Changed      Reason = "changed"
	BadSignature Reason = "bad signature"
	Inserted     Reason = "inserted"
	Missing      Reason = "missing"
	Reordered    Reason = "reordered"
	Forked       Reason = "forked" // ours, but it continues another history: a restored backup, say
	Truncated    Reason = "truncated"
	Rewritten    Reason = "rewritten" // whole, but not the history that the checkpoint saw
)

// fault is what is wrong with the line it was found at, or, when isEarlier, with the first line of the leftover before.
type fault struct {
	reason    Reason
	seq       int64
	detail    string
	isEarlier bool
}

// chain follows a ledger line by line. Lines that are no entries are gathered as a leftover until the next entry tells
// whether they are damage or what a killed process left behind.
type chain struct {
	key ed25519.PublicKey // nil: signatures are not checked
	// fromMiddle says that nothing is known of the entries before: the first one is believed.
	fromMiddle bool
	last       Entry
	left       leftover
}

// add takes the next line, given without its newline. It returns the entry, or nil where the line is none so far.
func (c *chain) add(line []byte, isTerminated bool) (*Entry, *fault) {
	e, err := parseLine(line)
	if err == nil && c.key != nil {
		err = e.verifySignature(c.key)
	}
	if err != nil {
		c.left.add(line, isTerminated, c.last.Seq+1, err)
		return nil, nil
	}
	follows := c.follows(e)
	if !c.left.isEmpty() && !(follows && c.left.isExplainedBy(e)) {
		f := c.left.fault(c.last.Seq + 1)
		if follows {
			f.reason, f.detail = Inserted, "stands between two entries that belong together"
		}
		return nil, f
	}
	if !follows {
		return nil, c.outOfOrder(e)
	}
	c.last, c.left, c.fromMiddle = e, leftover{}, false
	return &e, nil
}

func (c *chain) follows(e Entry) bool {
	return c.fromMiddle || e.Seq == c.last.Seq+1 && e.Prev == c.last.Hash
}

func (c *chain) outOfOrder(e Entry) *fault {
	want := c.last.Seq + 1
	switch {
	case e.Seq > want:
		return &fault{reason: Missing, seq: want, detail: fmt.Sprintf("entry %d stands here", e.Seq)}
	case e.Seq < want:
		return &fault{reason: Inserted, seq: e.Seq, detail: fmt.Sprintf("entry %d stands here again, entry %d was due", e.Seq, want)}
	}
	return &fault{reason: Forked, seq: e.Seq, detail: "is signed by this ledger but does not follow the entry before it"}
}

// leftover is a run of bytes that are no entries.
type leftover struct {
	lines, bytes int64
	sum          hash.Hash
	// cause is what is wrong with its first line.
	cause error
	// isDamage says that no killed process can have left these bytes.
	isDamage bool
}

func (l *leftover) isEmpty() bool { return l.lines == 0 }

func (l *leftover) add(line []byte, isTerminated bool, seq int64, cause error) {
	if l.isEmpty() {
		l.sum, l.cause = sha256.New(), cause
	}
	l.lines++
	l.isDamage = l.isDamage || !isCutShort(line, isTerminated, seq)
	l.write(line)
	if isTerminated {
		l.write([]byte("\n"))
	}
}

func (l *leftover) write(data []byte) {
	l.bytes += int64(len(data))
	l.sum.Write(data)
}

// isCutShort reports whether line may be the beginning of the entry seq: what a kill or a power cut leaves (some file
// systems pad it with zeros). A whole line is not cut short, also where one of its bytes or its newline was replaced.
func isCutShort(line []byte, isTerminated bool, seq int64) bool {
	text := bytes.TrimRight(line, "\x00")
	if len(line) == 0 || looksWhole(text) || !isTerminated && looksWhole(text[:max(len(text)-1, 0)]) {
		return false
	}
	start := fmt.Appendf(nil, `{"seq":%d,`, seq)
	return bytes.HasPrefix(text, start) || bytes.HasPrefix(start, text)
}

// isTorn reports whether the end of a ledger with this leftover is what a kill leaves.
func (l *leftover) isTorn() bool { return !l.isEmpty() && !l.isDamage }

func (l *leftover) fault(seq int64) *fault {
	reason := Changed
	if errors.Is(l.cause, errSignature) {
		reason = BadSignature
	}
	return &fault{reason: reason, seq: seq, detail: l.cause.Error(), isEarlier: true}
}

// repair is the body of a Repair entry: what stands between it and the entry before it.
type repair struct {
	Lines  int64  `json:"lines"`
	Bytes  int64  `json:"bytes"` // newlines included
	SHA256 string `json:"sha256"`
}

func (l *leftover) repair() repair {
	return repair{Lines: l.lines, Bytes: l.bytes, SHA256: hex.EncodeToString(l.sum.Sum(nil))}
}

func (l *leftover) isExplainedBy(e Entry) bool {
	if e.Kind != Repair || l.isDamage {
		return false
	}
	var r repair
	return json.Unmarshal(e.Body, &r) == nil && r == l.repair()
}

// errLongLine says that a line is longer than any entry.
var errLongLine = fmt.Errorf("is longer than %d bytes", maxLineBytes)

// readLine returns the next line without its newline, and whether it had one. The line is valid until the next call.
func readLine(r *bufio.Reader, buffer []byte) (line []byte, isTerminated bool, err error) {
	line = buffer[:0]
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLineBytes:
			return line, false, errLongLine
		case err == nil:
			return line[:len(line)-1], true, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, false, nil
		default:
			return nil, false, err
		}
	}
}
