// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/switchback-project/switchback/cloudtrail"
)

func zip(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// rec is a small record named name.
func rec(name string) string {
	return `{"eventVersion":"1.08","eventName":"` + name + `","requestParameters":{"odd":"]}\"{["}}`
}

func event(name string) string {
	return `{"version":"0","detail-type":"AWS API Call via CloudTrail","source":"aws.x","resources":["arn"],"detail":` + rec(name) + `}`
}

func lookupEvent(name string) string {
	return `{"EventId":"1","EventName":"x","CloudTrailEvent":` + strconv.Quote(rec(name)) + `}`
}

const foreignEvent = `{"source":"aws.health","detail-type":"AWS Health Event","detail":{"service":"EC2"}}`

// names renders what a decoder gave: names of events, E: before those in envelopes, ! for unreadable ones.
func names(items []cloudtrail.Item, bad []*cloudtrail.RecordError) string {
	all := make([]string, len(items)+len(bad))
	for _, item := range items {
		all[item.Index] = item.Record.EventName
		if item.Envelope != nil {
			all[item.Index] = "E:" + item.Record.EventName
		}
	}
	for _, b := range bad {
		all[b.Index] = "!"
	}
	return strings.Join(all, " ")
}

func TestDecoderShapes(t *testing.T) {
	file := `{"Records":[` + rec("A") + "," + rec("B") + `]}`
	cases := []struct{ name, text, want string }{
		{"log file", file, "A B"},
		{"log file, indented", "{\n  \"Records\" : [\n " + rec("A") + " ,\n" + rec("B") + " ]\n}\n", "A B"},
		{"log file without records", `{"Records":[]}`, ""},
		{"log file with more members", `{"x":{"Records":[]},"Records":[` + rec("A") + `],"y":[1,{}],"Records":[` + rec("B") + `],"z":1}`, "A B"},
		{"array", "[" + rec("A") + "," + rec("B") + "]", "A B"},
		{"empty array", " [ ] ", ""},
		{"JSON lines", rec("A") + "\n" + rec("B") + "\n\n", "A B"},
		{"values in one line", rec("A") + rec("B"), "A B"},
		{"one record", rec("A"), "A"},
		{"one event", event("A"), "E:A"},
		{"events by line", event("A") + "\n" + foreignEvent, "E:A E:"},
		{"array of events and records", "[" + event("A") + "," + rec("B") + "]", "E:A B"},
		{"lookup-events", `{"Events":[` + lookupEvent("A") + "," + lookupEvent("B") + `],"NextToken":"x"}`, "A B"},
		{"lookup-events, sorted", `{"ANextToken":"x","Events":[` + lookupEvent("A") + `]}`, "A"},
		{"lookup-events by line", lookupEvent("A") + "\n" + lookupEvent("B"), "A B"},
		{"everything after one another", file + "\n" + event("C") + "[" + rec("D") + "]" + lookupEvent("E"), "A B E:C D E"},
		{"gzip", zip(t, file), "A B"},
		{"gzip members", zip(t, file) + zip(t, rec("C")), "A B C"},
		{"a log file over two members", zip(t, file[:40]) + zip(t, file[40:]), "A B"},
		{"gzip and plain", zip(t, file) + rec("C") + "\n" + zip(t, rec("D")) + rec("E"), "A B C D E"},
		{"plain and gzip", rec("A") + "\n" + zip(t, rec("B")), "A B"},
		{"byte order mark", "\ufeff" + file, "A B"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for reader, r := range map[string]io.Reader{
				"at once": strings.NewReader(c.text), "byte by byte": iotest.OneByteReader(strings.NewReader(c.text)),
				"with the error": iotest.DataErrReader(strings.NewReader(c.text)),
			} {
				items, bad, err := decodeAll(r, cloudtrail.Limits{})
				if got := names(items, bad); err != nil || got != c.want {
					t.Errorf("%s: read %q, bad %v, error %v, want %q", reader, got, bad, err, c.want)
				}
			}
		})
	}
}

func TestDecoderGoesOn(t *testing.T) {
	cases := []struct {
		name, text, want string
		is               error
	}{
		{"wrong type", `{"Records":[{"eventVersion":"1","userIdentity":7,"x":[{}]},` + rec("B") + "]}", "! B", nil},
		{"not JSON in a list", `{"Records":[{"eventVersion":"1","x":tru},` + rec("B") + "]}", "! B", cloudtrail.ErrSyntax},
		{"not a record in a list", `[{"a":1},7,"x",[1],null,` + rec("B") + "]", "! ! ! ! ! B", cloudtrail.ErrShape},
		{"list of lists of records", `[{"Records":[` + rec("A") + `]},` + rec("B") + "]", "! B", cloudtrail.ErrShape},
		{"bad line", rec("A") + "\n{\"eventVersion\":\"1\",\"x\":[}\n" + rec("C"), "A ! C", cloudtrail.ErrSyntax},
		{"bad first line", "{\"eventVersion\"\n" + rec("C"), "! C", cloudtrail.ErrSyntax},
		{"text between lines", rec("A") + "\nhello\n" + rec("C"), "A ! C", cloudtrail.ErrSyntax},
		{"foreign line", rec("A") + "\n{\"level\":\"info\"} " + rec("C"), "A ! C", cloudtrail.ErrShape},
		{"wrong type in a line", `{"eventVersion":"1","readOnly":{}}` + rec("C"), "! C", nil},
		{"bad record text", `{"Events":[{"CloudTrailEvent":"{"},{"CloudTrailEvent":7},` + lookupEvent("C") + "]}", "! ! C", cloudtrail.ErrTruncated},
		{"promised record", `{"detail-type":"AWS API Call via CloudTrail","detail":{}}` + rec("C"), "! C", cloudtrail.ErrShape},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
				items, bad, err := decodeAll(r, cloudtrail.Limits{})
				if got := names(items, bad); err != nil || got != c.want {
					t.Fatalf("read %q, bad %v, error %v, want %q", got, bad, err, c.want)
				}
				if c.is != nil && !errors.Is(bad[0], c.is) {
					t.Errorf("first bad record: %v, want %v", bad[0], c.is)
				}
			}
		})
	}
}

func TestDecoderEnds(t *testing.T) {
	file := `{"Records":[` + rec("A") + "," + rec("B") + `]}`
	zipped := zip(t, file)
	damaged := []byte(zipped)
	damaged[len(damaged)-6] ^= 0xff // in the checksum
	cases := []struct {
		name, text string
		want       error
		says       string
	}{
		{"empty", "", cloudtrail.ErrShape, "empty"},
		{"white space", " \n ", cloudtrail.ErrShape, "empty"},
		{"text", "hello", cloudtrail.ErrShape, `begins with "h`},
		{"binary", "\x89PNG\r\n\x1a\n", cloudtrail.ErrShape, "begins with"},
		{"record cut short", `{"Records":[` + rec("A") + "," + rec("B")[:30], cloudtrail.ErrTruncated, "after 1 records"},
		{"list cut short", `{"Records":[` + rec("A"), cloudtrail.ErrTruncated, "after 1 records"},
		{"line cut short", rec("A") + "\n" + rec("B")[:30], cloudtrail.ErrTruncated, "after 1 records"},
		{"truncated gzip", zipped[:len(zipped)/2], cloudtrail.ErrTruncated, "gzip"},
		{"gzip without its end", zipped[:len(zipped)-4], cloudtrail.ErrTruncated, "gzip"},
		{"gzip header only", zipped[:5], cloudtrail.ErrTruncated, "gzip"},
		{"damaged gzip", string(damaged), cloudtrail.ErrCorrupt, "checksum"},
		{"missing comma", "[" + rec("A") + rec("B") + "]", cloudtrail.ErrSyntax, "want a comma"},
		{"comma at the end", "[" + rec("A") + ",]", cloudtrail.ErrSyntax, "should begin"},
		{"odd end of the log file", `{"Records":[]; }`, cloudtrail.ErrSyntax, "behind the list"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
				_, bad, err := decodeAll(r, cloudtrail.Limits{})
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || len(bad) > 0 {
					t.Errorf("error %v, bad %v, want %v saying %q", err, bad, c.want, c.says)
				}
			}
		})
	}
}

func TestDecoderErrorsStay(t *testing.T) {
	broken := errors.New("connection reset")
	d := cloudtrail.NewDecoder(io.MultiReader(strings.NewReader(rec("A")+"\n"), iotest.ErrReader(broken)), cloudtrail.Limits{})
	if item, err := d.Next(); err != nil || item.Record.EventName != "A" {
		t.Fatalf("first record: %v", err)
	}
	for range 2 {
		if _, err := d.Next(); !errors.Is(err, broken) {
			t.Errorf("error %v, want that of the reader", err)
		}
	}
}

// spaces reads as n spaces.
func spaces(n int64) io.Reader { return io.LimitReader(endless{}, n) }

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestDecoderRefusesBombs(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	fmt.Fprint(z, `{"Records":[`+rec("A")+",")
	if _, err := io.Copy(z, spaces(20<<20)); err != nil {
		t.Fatal(err)
	}
	z.Close()
	items, _, err := decodeAll(&bomb, cloudtrail.Limits{MaxInflated: 10 << 20})
	if !errors.Is(err, cloudtrail.ErrTooLarge) || len(items) != 1 || !strings.Contains(err.Error(), "MaxInflated") {
		t.Errorf("%d records, error %v, want ErrTooLarge behind the first", len(items), err)
	}
}

func TestDecoderSkipsHugeRecords(t *testing.T) {
	huge := func() io.Reader {
		return io.MultiReader(strings.NewReader(`{"eventVersion":"1.08","x":"`), spaces(16<<20), strings.NewReader(`"}`))
	}
	for name, r := range map[string]io.Reader{
		"list":  io.MultiReader(strings.NewReader("["+rec("A")+","), huge(), strings.NewReader(","+rec("C")+"]")),
		"lines": io.MultiReader(strings.NewReader(rec("A")+"\n"), huge(), strings.NewReader("\n"+rec("C"))),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		items, bad, err := decodeAll(r, cloudtrail.Limits{MaxRecord: 1 << 20})
		runtime.ReadMemStats(&after)
		if got := names(items, bad); err != nil || got != "A ! C" || !errors.Is(bad[0], cloudtrail.ErrTooLarge) {
			t.Errorf("%s: read %q, bad %v, error %v", name, got, bad, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("%s: %d bytes allocated for a record of 16 MB", name, used)
		}
	}
}

// TestDecoderStreams reads a log file of 25 MB and watches the memory.
func TestDecoderStreams(t *testing.T) {
	const records = 12_000
	pr, pw := io.Pipe()
	go func() {
		fmt.Fprint(pw, `{"Records":[`)
		padded := strings.Replace(stopLogging, "aws-cli", strings.Repeat("x", 200), 1)
		for i := range records {
			if i > 0 {
				fmt.Fprint(pw, ",")
			}
			if _, err := io.WriteString(pw, padded); err != nil {
				return
			}
		}
		fmt.Fprint(pw, `]}`)
		pw.Close()
	}()
	defer pr.Close()
	d := cloudtrail.NewDecoder(pr, cloudtrail.Limits{})
	var highest uint64
	for i := range records {
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
		if i%3000 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest = max(highest, m.HeapAlloc)
		}
	}
	if _, err := d.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if highest > 8<<20 {
		t.Errorf("%d MB live while streaming", highest>>20)
	}
}

func TestLogFileRoundTrip(t *testing.T) {
	file := cloudtrail.LogFile{Records: []cloudtrail.Record{
		mustParse(t, stopLogging), {EventVersion: "1.11", EventName: "ByHand"},
	}}
	packed, err := file.Gzip()
	if err != nil {
		t.Fatal(err)
	}
	items, bad, err := decodeAll(bytes.NewReader(packed), cloudtrail.Limits{})
	if got := names(items, bad); err != nil || got != "StopLogging ByHand" {
		t.Fatalf("read %q, error %v", got, err)
	}
	if string(items[0].Record.Raw) != stopLogging {
		t.Error("the record's text has changed")
	}
	again, err := file.Gzip()
	if err != nil || !bytes.Equal(packed, again) {
		t.Error("equal files give different bytes")
	}
	var empty bytes.Buffer
	if _, err := (cloudtrail.LogFile{}).WriteTo(&empty); err != nil || empty.String() != `{"Records":[]}` {
		t.Errorf("empty file = %s, %v", empty.String(), err)
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, seed := range []string{stopLogging, rec("A"), `{"eventVersion":"1.08","userIdentity":null}`, `{}`, `{"eventTime":"20131102T010628Z"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := cloudtrail.ParseRecord(b)
		if err != nil {
			return
		}
		if !bytes.Equal(r.Raw, bytes.Trim(b, " \t\r\n")) {
			t.Fatalf("Raw is %q, read was %q", r.Raw, b)
		}
		var m map[string]json.RawMessage
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatalf("ParseRecord accepts what encoding/json refuses: %v", err)
		}
		var name string
		if json.Unmarshal(m["eventName"], &name) == nil && name != r.EventName {
			t.Errorf("EventName = %q, encoding/json says %q", r.EventName, name)
		}
		if !bytes.Equal(m["requestParameters"], r.RequestParameters) {
			t.Errorf("RequestParameters = %s, encoding/json says %s", r.RequestParameters, m["requestParameters"])
		}
		again, err := cloudtrail.ParseRecord(r.Raw)
		if err != nil || again.EventID != r.EventID || again.UserIdentity.ARN != r.UserIdentity.ARN {
			t.Errorf("parsing Raw again: %v", err)
		}
		if e := cloudtrail.Wrap(r); !json.Valid(e.Raw) {
			t.Errorf("Wrap makes %s", e.Raw)
		}
		if red := cloudtrail.Redacted(r.Raw); !json.Valid(red) {
			t.Errorf("Redacted makes %s", red)
		}
	})
}

// FuzzDecoder: no input makes the decoder panic or run for ever; every record's Raw stands in the input; and what is
// valid when read at once is read the same byte by byte.
func FuzzDecoder(f *testing.F) {
	file := `{"Records":[` + rec("A") + "," + rec("B") + `]}`
	for _, seed := range []string{
		file, "[" + event("A") + "]", rec("A") + "\n" + rec("B"), zip(f, file), rec("A") + zip(f, file),
		`{"Events":[` + lookupEvent("A") + `]}`, rec("A") + "\n{\"x\":[}\n" + rec("C"), `[{"a":tru},` + rec("B") + "]", `{"Records":[`,
		"\x1fnot gzip", rec("A") + "\x1f",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		limits := cloudtrail.Limits{MaxInflated: 1 << 20, MaxRecord: 1 << 16}
		items, bad, err := decodeAll(bytes.NewReader(b), limits)
		for _, item := range items {
			if !bytes.HasPrefix(b, []byte{0x1f, 0x8b}) && item.Envelope == nil && !bytes.Contains(b, item.Record.Raw) &&
				!bytes.Contains(b, []byte("CloudTrailEvent")) && !bytes.Contains(b, []byte{0x1f, 0x8b}) {
				t.Errorf("Raw %q is not in the input", item.Record.Raw)
			}
		}
		slowItems, slowBad, slowErr := decodeAll(iotest.OneByteReader(bytes.NewReader(b)), limits)
		if names(items, bad) != names(slowItems, slowBad) || (err == nil) != (slowErr == nil) {
			t.Errorf("at once: %q, %v; byte by byte: %q, %v", names(items, bad), err, names(slowItems, slowBad), slowErr)
		}
	})
}
