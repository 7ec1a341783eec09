// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/sourcetest"
)

var origin = source.Origin{Via: "files", From: "a.json", DeliveredAt: time.Unix(7, 0)}

// names collects what is delivered; it fails where fail says so.
type names struct {
	got  []string
	fail map[string]error
}

func (n *names) handle(_ context.Context, d source.Delivery) error {
	n.got = append(n.got, d.Envelope.Record.EventName)
	return n.fail[d.Envelope.Record.EventName]
}

func TestDecode(t *testing.T) {
	broken := errors.New("connection reset")
	busy := errors.New("database is locked")
	poison := fmt.Errorf("too long: %w", source.ErrPoison)
	cases := []struct {
		name       string
		in         io.Reader
		fail       map[string]error
		got        string
		says       []string // lines of the error; none: no error
		isHopeless bool
		isCutShort bool
	}{
		{name: "fine", in: strings.NewReader(sourcetest.Record("A") + sourcetest.Record("B")), got: "A B"},
		{
			name: "one bad record", in: strings.NewReader(`[7,` + sourcetest.Record("B") + "]"), got: "B",
			says: []string{"a.json: record 0 at byte 1: not a CloudTrail record"}, isHopeless: true,
		},
		{
			name: "a poison", in: strings.NewReader(sourcetest.Record("A") + sourcetest.Record("B")), fail: map[string]error{"A": poison}, got: "A B",
			says: []string{"a.json: record 0: too long: cannot be processed"}, isHopeless: true,
		},
		{
			name: "a busy handler ends it", in: strings.NewReader("[7," + sourcetest.Record("A") + "," + sourcetest.Record("B") + "]"), fail: map[string]error{"A": busy}, got: "A",
			says: []string{"a.json: record 1: database is locked"},
		},
		{
			name: "other shape", in: strings.NewReader("hello"),
			says: []string{"a.json: read records: not a CloudTrail record"}, isHopeless: true,
		},
		{
			name: "cut short", in: strings.NewReader(sourcetest.Record("A") + sourcetest.Record("B")[:30]), got: "A",
			says: []string{"a.json: read records: input is cut short"}, isCutShort: true,
		},
		{
			name: "cut short behind a bad record", in: strings.NewReader("[7," + sourcetest.Record("A")), got: "A",
			says: []string{"a.json: record 0 at", "a.json: read records: input is cut short"}, isCutShort: true,
		},
		{
			name: "lost connection", in: io.MultiReader(strings.NewReader(sourcetest.Record("A")+"\n"), iotest.ErrReader(broken)), got: "A",
			says: []string{"a.json: read records: connection reset"},
		},
		{
			name: "lost connection behind a bad record", in: io.MultiReader(strings.NewReader("[7,"), iotest.ErrReader(broken)),
			says: []string{"a.json: record 0 at", "a.json: read records: connection reset"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := &names{fail: c.fail}
			err := source.Decode(t.Context(), c.in, origin, cloudtrail.Limits{}, n.handle)
			if got := strings.Join(n.got, " "); got != c.got {
				t.Errorf("delivered %q, want %q", got, c.got)
			}
			checkLines(t, err, c.says)
			if source.IsHopeless(err) != c.isHopeless || source.IsCutShort(err) != c.isCutShort {
				t.Errorf("%v: hopeless %v, cut short %v", err, source.IsHopeless(err), source.IsCutShort(err))
			}
		})
	}
}

func checkLines(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil || len(want) == 0 {
		if err != nil || len(want) > 0 {
			t.Errorf("error %v, want %q", err, want)
		}
		return
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("error has %d lines, want %d:\n%v", len(lines), len(want), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("error says %q, want %q", line, want[i])
		}
	}
}

func TestDecodeSaysWhereItCameFrom(t *testing.T) {
	event := `{"id":"e","detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":{"x":1}}`
	var got []source.Delivery
	err := source.Decode(t.Context(), strings.NewReader(sourcetest.Record("A")+event), origin, cloudtrail.Limits{}, func(_ context.Context, d source.Delivery) error {
		got = append(got, d)
		return nil
	})
	if err != nil || len(got) != 2 {
		t.Fatalf("%d deliveries, error %v", len(got), err)
	}
	for i, want := range []struct{ id, source string }{{"id-A", "aws.cloudtrail"}, {"e", "aws.guardduty"}} {
		d := got[i]
		if d.Via != "files" || d.From != "a.json" || !d.DeliveredAt.Equal(time.Unix(7, 0)) || d.Envelope.ID != want.id || d.Envelope.Source != want.source {
			t.Errorf("delivery %d is %+v", i, d)
		}
	}
}

func TestDecodeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	count := 0
	err := source.Decode(ctx, strings.NewReader(sourcetest.Record("A")+sourcetest.Record("B")), origin, cloudtrail.Limits{}, func(context.Context, source.Delivery) error {
		count++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || count != 1 || source.IsHopeless(err) {
		t.Errorf("%d deliveries, error %v", count, err)
	}
}

// TestDecodeBoundsFaults reads a list of 200,000 things that are no records.
func TestDecodeBoundsFaults(t *testing.T) {
	in := io.MultiReader(strings.NewReader("["), strings.NewReader(strings.Repeat("7,", 200_000)), strings.NewReader(sourcetest.Record("A")+"]"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := &names{}
	err := source.Decode(t.Context(), in, origin, cloudtrail.Limits{}, n.handle)
	runtime.GC()
	runtime.ReadMemStats(&after)
	var input *source.InputError
	if !errors.As(err, &input) || len(input.Records)+input.More != 200_000 || len(n.got) != 1 {
		t.Fatalf("delivered %v, error %.200v", n.got, err)
	}
	if len(err.Error()) > 10_000 || !strings.HasSuffix(err.Error(), "199980 more records cannot be read") {
		t.Errorf("the error has %d bytes and ends in %q", len(err.Error()), err.Error()[len(err.Error())-60:])
	}
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 8<<20 {
		t.Errorf("%d bytes are kept", kept)
	}
}

func TestPutAsideKeepsNoSecrets(t *testing.T) {
	for body, want := range map[string]string{
		`{"a": {"sessionToken": "IQoJ", "b": 1}}`: `{"a":{"b":1}}`,
		`{"a": [1, 2]}`: `{"a": [1, 2]}`,
		"hello":         "hello",
	} {
		dead := &sourcetest.Shelf{}
		services := source.Services{Dead: dead, Clock: time.Now, Logger: slog.New(slog.DiscardHandler)}
		if err := services.PutAside(t.Context(), "sqs", "https://q", []byte(body), errors.New("poison")); err != nil {
			t.Fatal(err)
		}
		if got := string(dead.Kept()[0].Body); got != want {
			t.Errorf("kept %q of %q, want %q", got, body, want)
		}
	}
}

func TestPutAside(t *testing.T) {
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	s := &sourcetest.Shelf{}
	services := source.Services{Dead: s, Clock: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)}
	if err := services.PutAside(t.Context(), "sqs", "https://q", []byte("x"), errors.New("no JSON")); err != nil {
		t.Fatal(err)
	}
	want := []source.Dead{{Via: "sqs", From: "https://q", Reason: "no JSON", Body: []byte("x"), At: now}}
	if diff := cmp.Diff(want, s.Kept()); diff != "" {
		t.Error(diff)
	}
	full := errors.New("disk full")
	s.Refuse(full)
	if err := services.PutAside(t.Context(), "sqs", "https://q", nil, errors.New("no JSON")); !errors.Is(err, full) || !strings.Contains(err.Error(), "no JSON") {
		t.Errorf("error %v", err)
	}
	services.Dead = nil
	if err := services.PutAside(t.Context(), "sqs", "https://q", nil, errors.New("no JSON")); err == nil {
		t.Error("put aside nowhere")
	}
}

func TestRegistry(t *testing.T) {
	source.Register(source.Kind{Type: "test", Gives: []string{"test events"}, New: func(c source.Config, _ source.Services) (source.Source, error) {
		return nil, c.Decode(nil)
	}})
	if !source.Gives("test events") || source.Gives("other events") {
		t.Error("Gives does not know what is registered")
	}
	_, err := source.New(source.Config{Type: "test", Decode: func(any) error { return errors.New("path is missing") }}, source.Services{})
	if err == nil || err.Error() != "source test: path is missing" {
		t.Errorf("error %v", err)
	}
	_, err = source.New(source.Config{Type: "kafka"}, source.Services{})
	if err == nil || err.Error() != `no source of type "kafka" (known: [test])` {
		t.Errorf("error %v", err)
	}
	for name, k := range map[string]source.Kind{"duplicate": {Type: "test", New: source.Kinds()[0].New}, "empty": {}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: registered", name)
				}
			}()
			source.Register(k)
		}()
	}
}
