// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// What a parse of a record ends with when the object is something else.
var (
	errRecords  = errors.New("object holds a list of records")
	errEnvelope = errors.New("object is an EventBridge event")
	errLookup   = errors.New("object holds a record as text")
)

// element reads an element of a list.
func (d *Decoder) element(c byte) (Item, bool, error) {
	if c == '{' {
		return d.object()
	}
	start := d.offset()
	if c == ',' || c == ']' || c == '}' {
		return Item{}, false, fmt.Errorf("%w: found %q where a record should begin", ErrSyntax, c)
	}
	if _, _, err := d.complete(jsonscan.Value); err != nil {
		return Item{}, false, err
	}
	return Item{}, false, d.bad(start, fmt.Errorf("%w: it is not an object", ErrShape))
}

// object reads the object that begins at pos.
func (d *Decoder) object() (Item, bool, error) {
	d.item = Item{Offset: d.offset()}
	err := d.parse()
	if errors.Is(err, jsonscan.ErrEnd) {
		err = d.readOn(d.parse)
	}
	switch {
	case err == nil:
		d.pos = d.itemEnd
		d.item.Index = d.index
		d.index++
		return d.item, true, nil
	case errors.Is(err, errRecords):
		d.enterList(inRecords, d.itemEnd)
		return Item{}, false, nil
	case isInputError(err):
		return Item{}, false, err
	case !errors.Is(err, errOversize):
		d.skipBad()
	}
	return Item{}, false, d.bad(d.item.Offset, textError(err))
}

// bad makes the error of a record that cannot be read.
func (d *Decoder) bad(offset int64, err error) error {
	d.index++
	return &RecordError{Index: d.index - 1, Offset: offset, Err: err}
}

// parse parses the object at pos, whatever it is, into item, and notes where it ends. For an object around a list of
// records it notes where the list begins.
func (d *Decoder) parse() (err error) {
	p := &d.parser
	p.data, p.raws = d.buf, p.raws[:0]
	d.item.Record, d.item.Envelope = Record{}, nil
	d.itemEnd, err = p.record(&d.item.Record, d.pos)
	switch {
	case errors.Is(err, errEnvelope):
		return d.parseWrapped(d.parseEnvelope)
	case errors.Is(err, errLookup):
		return d.parseWrapped(d.parseLookup)
	case err == nil:
		err = d.item.Record.checkShape()
	}
	if err == nil {
		p.own(&d.item.Record, d.pos, d.itemEnd)
	}
	return err
}

// lookForWrapper ends the parse of a record at a member that tells that the object is none.
func (d *Decoder) lookForWrapper(r *Record, name []byte, at int) error {
	switch {
	case r.EventVersion != "" || r.EventName != "":
		return nil
	case d.place == between && isListName(name) && d.buf[at] == '[':
		return errRecords // itemEnd will be at
	case string(name) == "detail" || string(name) == "detail-type":
		return errEnvelope
	case string(name) == "CloudTrailEvent":
		return errLookup
	}
	return nil
}

// parseWrapped parses the object at pos that has a record inside.
func (d *Decoder) parseWrapped(parse func(raw []byte) error) (err error) {
	d.itemEnd, err = jsonscan.Value(d.buf, d.pos)
	if err != nil {
		return err
	}
	return parse(d.buf[d.pos:d.itemEnd])
}

func (d *Decoder) parseEnvelope(raw []byte) error {
	e, err := ParseEnvelope(raw)
	d.item.Envelope, d.item.Record = &e, e.Record
	return err
}

func (d *Decoder) parseLookup(raw []byte) (err error) {
	text, ok := Lookup(raw, "CloudTrailEvent")
	if !ok {
		return fmt.Errorf("%w: its CloudTrailEvent is not a text", ErrShape)
	}
	d.item.Record, err = ParseRecord([]byte(text))
	return err
}

// errOversize is an ErrTooLarge that concerns one record only.
var errOversize = fmt.Errorf("%w: the record is larger than Limits.MaxRecord", ErrTooLarge)

// inputError is an error of readOn that ends the stream.
type inputError struct{ error }

func (e inputError) Unwrap() error { return e.error }

func isInputError(err error) bool {
	var input inputError
	return errors.As(err, &input)
}

// readOn reads on until attempt, which parses the object at pos, no longer finds the buffer too short. It attempts when
// the object's brackets are closed, and whenever twice as much is there, for what is no object or not to be waited for;
// so each byte is looked at a few times only, however small the pieces are in which the stream arrives. An object that
// is too large is skipped.
func (d *Decoder) readOn(attempt func() error) error {
	var n nesting
	scanned, done := 0, false
	for {
		for tried := len(d.buf) - d.pos; !done && len(d.buf)-d.pos < 2*tried; {
			if err := d.fill(); err != nil {
				return d.lastAttempt(attempt, err)
			}
			end := 0
			end, done = n.scan(d.buf, d.pos+scanned)
			if scanned = end - d.pos; d.maxRecord > 0 && scanned > d.maxRecord {
				d.pos = end
				if !done {
					d.skipNested(&n)
				}
				return errOversize
			}
		}
		if err := attempt(); done || !errors.Is(err, jsonscan.ErrEnd) {
			return err
		}
	}
}

// lastAttempt is made when the input has ended, or failed, inside an object.
func (d *Decoder) lastAttempt(attempt func() error, input error) error {
	if err := attempt(); !errors.Is(err, jsonscan.ErrEnd) {
		return err
	}
	return inputError{cutShort(input)}
}

// cutShort makes an error of the end of the input in the middle of a value.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends inside a JSON value", ErrTruncated)
	}
	return err
}

// skipBad goes behind an object that cannot be read. If it is not even JSON, the next record begins, in a list, where its
// brackets close; in a sequence of values, at the next line that begins with a brace.
func (d *Decoder) skipBad() {
	end := 0
	value := func() (err error) {
		end, err = jsonscan.Value(d.buf, d.pos)
		return err
	}
	err := value()
	if errors.Is(err, jsonscan.ErrEnd) {
		err = d.readOn(value)
	}
	switch {
	case err == nil:
		d.pos = end
	case isInputError(err):
		d.end(err)
	case errors.Is(err, errOversize): // skipped
	case d.place == between:
		d.skipToLine()
	default:
		d.skipNested(new(nesting))
	}
}

// skipNested goes to where the nesting ends, keeping nothing in memory. Where it does not, the stream ends.
func (d *Decoder) skipNested(n *nesting) {
	for {
		end, done := n.scan(d.buf, d.pos)
		d.pos = end
		if done {
			return
		}
		if err := d.fill(); err != nil {
			d.end(cutShort(err))
			return
		}
	}
}

// skipToLine goes to the next line that begins with a brace, or to the end. An error of the reader comes up again at
// the next read.
func (d *Decoder) skipToLine() {
	d.pos++
	for {
		if i := bytes.Index(d.buf[d.pos:], []byte("\n{")); i >= 0 {
			d.pos += i + 1
			return
		}
		d.pos = max(d.pos, len(d.buf)-1) // the newline may be the last byte so far
		if d.fill() != nil {
			d.pos = len(d.buf)
			return
		}
	}
}

// nesting follows brackets and strings through text that need not be JSON otherwise.
type nesting struct {
	depth             int
	inString, escaped bool
}

// scan goes on at b[i]. It returns the position behind the bracket that closes the first one, or len(b).
func (n *nesting) scan(b []byte, i int) (end int, done bool) {
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case n.escaped:
			n.escaped = false
		case n.inString:
			n.escaped = c == '\\'
			n.inString = c != '"'
		case c == '"':
			n.inString = true
		case c == '{' || c == '[':
			n.depth++
		case c == '}' || c == ']':
			if n.depth--; n.depth <= 0 {
				return i + 1, true
			}
		}
	}
	return i, false
}

// offset is the position in the stream.
func (d *Decoder) offset() int64 { return d.base + int64(d.pos) }

// peek returns the next byte that is not white space. A byte order mark counts as white space at the beginning.
func (d *Decoder) peek() (byte, error) {
	for {
		d.pos = jsonscan.Space(d.buf, d.pos)
		if d.pos < len(d.buf) && !d.beginsWithMark() {
			return d.buf[d.pos], nil
		}
		if err := d.fill(); err != nil {
			return 0, err
		}
	}
}

// beginsWithMark skips a byte order mark at the beginning of the stream. It reports true while only a part of one is
// there.
func (d *Decoder) beginsWithMark() bool {
	const mark = "\ufeff"
	if d.offset() != 0 || d.buf[0] != mark[0] {
		return false
	}
	if bytes.HasPrefix(d.buf, []byte(mark)) {
		d.pos = len(mark)
		return d.pos == len(d.buf)
	}
	return len(d.buf) < len(mark) && strings.HasPrefix(mark, string(d.buf))
}

// complete makes sure that the value at pos, as value sees it, is in the buffer, and consumes it. The bytes are valid
// until the next read.
func (d *Decoder) complete(value func(b []byte, at int) (int, error)) ([]byte, int64, error) {
	start := d.offset()
	for {
		end, err := value(d.buf, d.pos)
		// A number may go on behind the buffer's end.
		if err == nil && end < len(d.buf) {
			b := d.buf[d.pos:end]
			d.pos = end
			return b, start, nil
		}
		if err != nil && !errors.Is(err, jsonscan.ErrEnd) {
			return nil, start, textError(err)
		}
		if d.maxRecord > 0 && len(d.buf)-d.pos > d.maxRecord {
			return nil, start, errOversize
		}
		if err := d.fill(); err != nil {
			return nil, start, cutShort(err)
		}
	}
}

// fill reads more into the buffer, growing it when it is full of unconsumed bytes. It returns io.EOF only when there is
// nothing more.
func (d *Decoder) fill() error {
	if d.pos > 0 {
		n := copy(d.buf, d.buf[d.pos:])
		d.base += int64(d.pos)
		d.buf, d.pos = d.buf[:n], 0
	}
	if free := cap(d.buf) - len(d.buf); free == 0 || free < bufferSize/4 && cap(d.buf) >= bufferSize {
		grown := make([]byte, len(d.buf), 2*cap(d.buf)+bufferSize)
		copy(grown, d.buf)
		d.buf = grown
	}
	for {
		n, err := d.src.Read(d.buf[len(d.buf):cap(d.buf)])
		d.buf = d.buf[:len(d.buf)+n]
		if n > 0 {
			return nil // an error comes up again
		}
		if err != nil {
			return err
		}
	}
}
