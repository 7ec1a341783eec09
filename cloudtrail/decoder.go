// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// Limits bound what a [Decoder] reads. The zero value sets the defaults; a negative number means no limit.
type Limits struct {
	// MaxInflated is how many bytes may come out of compressed input; default 512 MiB. CloudTrail's own log files hold
	// at most some 50 MB.
	MaxInflated int64
	// MaxRecord is the size in bytes of one record or event; default 4 MiB. CloudTrail's records have at most 256 KB, or
	// 1 MB in an event data store.
	MaxRecord int
}

const (
	defaultMaxInflated = 512 << 20
	defaultMaxRecord   = 4 << 20
	bufferSize         = 128 << 10
)

// Item is one record of a stream, or one EventBridge event.
type Item struct {
	// Record is the record; zero for an EventBridge event of another service.
	Record Record
	// Envelope is set when the record came in an EventBridge event.
	Envelope *Envelope
	// Index is the number of the record in the stream, from 0; unreadable ones count.
	Index int
	// Offset is where it begins, in bytes of the uncompressed stream.
	Offset int64
}

// Decoder reads records one by one out of any of the forms they are kept in, told apart by content:
//
//   - log files, {"Records":[…]}
//   - JSON arrays of records or EventBridge events
//   - JSON lines, or any sequence of JSON values, of records, EventBridge events, log files or arrays
//   - the output of `aws cloudtrail lookup-events`, {"Events":[{"CloudTrailEvent":"…"}]}
//
// each of them plain or compressed with gzip, also one after the other. It needs memory for a few records, whatever the
// length of the stream.
type Decoder struct {
	src       *source
	maxRecord int
	parser    parser
	names     interner

	// buf[pos:] is read but not yet consumed; buf[0] is at base in the stream.
	buf  []byte
	pos  int
	base int64

	place place
	// first is true before the first element of a list, comma behind an element.
	first, comma bool
	index        int
	// item is what is being parsed, and itemEnd where that ended.
	item    Item
	itemEnd int
	// seen is true once anything was read.
	seen bool
	// err ends the stream.
	err error
}

// place says what the next byte belongs to.
type place int

const (
	between      place = iota // between the values of the stream
	inArray                   // in an array of the stream
	inRecords                 // in the array of a log file or lookup-events output
	afterRecords              // in the object around that, behind the array
)

// NewDecoder returns a decoder that reads r, up to the limits. It reads ahead; it does not close r.
func NewDecoder(r io.Reader, l Limits) *Decoder {
	if l.MaxInflated == 0 {
		l.MaxInflated = defaultMaxInflated
	}
	if l.MaxRecord == 0 {
		l.MaxRecord = defaultMaxRecord
	}
	d := &Decoder{src: newSource(r, l.MaxInflated), maxRecord: l.MaxRecord}
	if rest, ok := r.(interface{ Len() int }); ok {
		d.buf = make([]byte, 0, min(rest.Len()+1, bufferSize)) // most streams in memory are one event
	}
	d.parser = parser{names: &d.names, wrapper: d.lookForWrapper}
	return d
}

// Next returns the next record or event. At the end of the stream it returns io.EOF.
//
// A [RecordError] tells of one record that could not be read; the next call goes on behind it. Every other error ends
// the stream and is returned from then on: one wrapping [ErrTruncated], [ErrTooLarge], [ErrCorrupt] or [ErrSyntax],
// [ErrShape] when the input is empty or does not begin like JSON, or an error of the reader.
func (d *Decoder) Next() (Item, error) {
	for d.err == nil {
		item, found, err := d.step()
		var bad *RecordError
		if found || errors.As(err, &bad) {
			return item, err
		}
		if err != nil {
			d.end(err)
		}
	}
	return Item{}, d.err
}

// end makes err the end of the stream.
func (d *Decoder) end(err error) {
	if errors.Is(err, io.EOF) {
		d.err = io.EOF
		return
	}
	d.err = fmt.Errorf("read records: %w (byte %d, after %d records)", err, d.offset(), d.index)
}

// step consumes one token between records, or one record.
func (d *Decoder) step() (item Item, found bool, err error) {
	c, err := d.peek()
	if errors.Is(err, io.EOF) {
		return Item{}, false, d.endOfInput()
	}
	if err != nil {
		return Item{}, false, err
	}
	switch {
	case d.place == between:
		return d.topLevel(c)
	case d.place == afterRecords:
		return Item{}, false, d.afterRecords(c)
	case d.comma:
		return Item{}, false, d.afterElement(c)
	case d.first && c == ']':
		d.leaveList()
		return Item{}, false, nil
	}
	d.first, d.comma = false, true
	return d.element(c)
}

func (d *Decoder) endOfInput() error {
	if d.place != between {
		return fmt.Errorf("%w: it ends inside the list of records", ErrTruncated)
	}
	if !d.seen {
		return fmt.Errorf("%w: the input is empty", ErrShape)
	}
	return io.EOF
}

// topLevel reads a value of the stream that begins with c, or its beginning when it is a list.
func (d *Decoder) topLevel(c byte) (Item, bool, error) {
	switch {
	case c == '{':
		d.seen = true
		return d.object()
	case c == '[':
		d.seen = true
		d.enterList(inArray, d.pos)
		return Item{}, false, nil
	case d.atGzip():
		d.src.unread(d.buf[d.pos:])
		d.base = d.offset()
		d.buf, d.pos = d.buf[:0], 0
		return Item{}, false, nil
	case !d.seen:
		return Item{}, false, fmt.Errorf("%w: it begins with %.16q", ErrShape, d.buf[d.pos:])
	}
	err := d.bad(d.offset(), fmt.Errorf("%w: found %.16q between records", ErrSyntax, d.buf[d.pos:]))
	d.skipToLine()
	return Item{}, false, err
}

// atGzip tells whether a gzip member begins at pos, in plain text.
func (d *Decoder) atGzip() bool {
	if d.buf[d.pos] == gzipMagic[0] && len(d.buf)-d.pos < len(gzipMagic) && d.fill() != nil {
		return false
	}
	return d.src.plain && bytes.HasPrefix(d.buf[d.pos:], gzipMagic)
}

func (d *Decoder) enterList(p place, bracket int) {
	d.place, d.first, d.comma, d.pos = p, true, false, bracket+1
}

func (d *Decoder) leaveList() {
	d.pos++
	if d.place == inRecords {
		d.place = afterRecords
		return
	}
	d.place = between
}

// afterElement reads the comma or bracket behind an element.
func (d *Decoder) afterElement(c byte) error {
	switch c {
	case ',':
		d.pos++
		d.comma = false
		return nil
	case ']':
		d.leaveList()
		return nil
	}
	return fmt.Errorf("%w: found %q behind a record, want a comma or ']'", ErrSyntax, c)
}

// afterRecords reads what stands behind the list in its object, as the NextToken of lookup-events.
func (d *Decoder) afterRecords(c byte) error {
	switch c {
	case ',':
		d.pos++
		return nil
	case '}':
		d.pos++
		d.place = between
		return nil
	case '"':
		return d.memberAfterRecords()
	}
	return fmt.Errorf("%w: found %q behind the list of records, want a comma or '}'", ErrSyntax, c)
}

func (d *Decoder) memberAfterRecords() error {
	name, _, err := d.complete(func(b []byte, at int) (int, error) {
		_, _, end, err := jsonscan.String(b, at)
		return end, err
	})
	if err != nil {
		return err
	}
	list := isListName(name[1 : len(name)-1])
	c, err := d.peek()
	if err != nil || c != ':' {
		return fmt.Errorf("%w: no value behind a member's name", ErrSyntax)
	}
	d.pos++
	if c, err = d.peek(); err != nil {
		return fmt.Errorf("%w: no value behind a member's name", ErrTruncated)
	}
	if list && c == '[' {
		d.enterList(inRecords, d.pos)
		return nil
	}
	_, _, err = d.complete(jsonscan.Value)
	return err
}

// isListName tells the members that hold the records of a log file and of lookup-events output.
func isListName(name []byte) bool {
	return string(name) == "Records" || string(name) == "Events"
}
