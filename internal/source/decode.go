// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
)

// Origin says where a stream of records comes from.
type Origin struct {
	Via, From   string
	DeliveredAt time.Time
}

// maxFaults is how many faults of one input are named; a hostile file has millions.
const maxFaults = 20

// InputError tells what of one input could not be read. The rest was delivered.
type InputError struct {
	// From names the input: a file, an object, a queue.
	From string
	// Records are the faults of single records, the first ones; More is how many others there are.
	Records []error
	More    int
	// End is what kept the input from being read to its end; nil when it was.
	End error
}

// Error is one line a fault, each with the origin.
func (e *InputError) Error() string {
	var lines []string
	for _, fault := range e.Records {
		lines = append(lines, e.From+": "+fault.Error())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("%s: %d more records cannot be read", e.From, e.More))
	}
	if e.End != nil {
		lines = append(lines, e.From+": "+e.End.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults that are named, and End.
func (e *InputError) Unwrap() []error {
	if e.End == nil {
		return e.Records
	}
	return append(e.Records[:len(e.Records):len(e.Records)], e.End)
}

func (e *InputError) add(fault error) {
	if len(e.Records) == maxFaults {
		e.More++
		return
	}
	e.Records = append(e.Records, fault)
}

// orNil is e when there are faults.
func (e *InputError) orNil() error {
	if len(e.Records) == 0 && e.End == nil {
		return nil
	}
	return e
}

// Decode delivers every record of in, whatever container it is in. A record that cannot be read, or that the handler
// calls poison, does not keep the others back; those faults are an *InputError. Any other error of the handler, or the
// end of ctx, ends it at once and is returned alone: the whole input comes again, and its faults with it.
func Decode(ctx context.Context, in io.Reader, o Origin, limits cloudtrail.Limits, handle Handler) error {
	d := cloudtrail.NewDecoder(in, limits)
	faults := &InputError{From: o.From}
	for {
		item, err := d.Next()
		if errors.Is(err, io.EOF) {
			return faults.orNil() // whole, also when ctx ended meanwhile
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", o.From, ctx.Err())
		}
		var bad *cloudtrail.RecordError
		if errors.As(err, &bad) {
			faults.add(err)
			continue
		}
		if err != nil {
			faults.End = err
			return faults
		}
		err = handle(ctx, o.delivery(item))
		if errors.Is(err, ErrPoison) {
			faults.add(fmt.Errorf("record %d: %w", item.Index, err))
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: record %d: %w", o.From, item.Index, err)
		}
	}
}

func (o Origin) delivery(item cloudtrail.Item) Delivery {
	d := Delivery{Via: o.Via, From: o.From, DeliveredAt: o.DeliveredAt}
	if item.Envelope != nil {
		d.Envelope = *item.Envelope
	} else {
		d.Envelope = cloudtrail.Wrap(item.Record)
	}
	return d
}

// IsHopeless reports whether an error of Decode will be the same the next time: the input is broken, not the way to it.
// An input that is cut short is not hopeless, for a lost connection looks the same; see IsCutShort.
func IsHopeless(err error) bool {
	var input *InputError
	if errors.As(err, &input) && input.End == nil {
		return true
	}
	if input != nil {
		err = input.End // what lies behind it was not seen yet
	}
	for _, hopeless := range []error{ErrPoison, cloudtrail.ErrShape, cloudtrail.ErrSyntax, cloudtrail.ErrTooLarge, cloudtrail.ErrCorrupt} {
		if errors.Is(err, hopeless) {
			return true
		}
	}
	return false
}

// IsCutShort reports whether an error of Decode is that the input ended too early. It is hopeless once the input is known
// to be complete.
func IsCutShort(err error) bool {
	var input *InputError
	return errors.As(err, &input) && errors.Is(input.End, cloudtrail.ErrTruncated)
}
