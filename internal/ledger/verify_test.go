// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchback-project/switchback/internal/ledger"
)

// segments is a ledger as its lines, by segment.
type segments [][][]byte

func split(folder *memory) segments {
	var out segments
	for _, name := range []string{"0001.jsonl", "0002.jsonl", "0003.jsonl"} {
		out = append(out, bytes.SplitAfter(bytes.TrimSuffix(folder.files[name], []byte("\n")), []byte("\n")))
	}
	for _, segment := range out {
		last := len(segment) - 1
		segment[last] = append(slices.Clone(segment[last]), '\n')
	}
	return out
}

// rehash gives a line the hash that its bytes have, as somebody without the key would.
func rehash(line []byte) []byte {
	mark := bytes.LastIndex(line, []byte(`,"hash":"`))
	sum := sha256.Sum256(line[:mark])
	out := slices.Clone(line)
	hex.Encode(out[mark+9:], sum[:])
	return out
}

func replaced(line []byte, old, new string) []byte {
	return bytes.Replace(line, []byte(old), []byte(new), 1)
}

// TestVerifyNamesTheFirstBrokenEntry works on three segments with entries 1 to 3, 4 to 6 and 7 to 9.
func TestVerifyNamesTheFirstBrokenEntry(t *testing.T) {
	tests := []struct {
		name   string
		damage func(s segments) segments
		want   ledger.Broken
	}{
		{
			"changed", func(s segments) segments { s[1][1] = replaced(s[1][1], `"n":5`, `"n":6`); return s },
			ledger.Broken{Segment: "0002.jsonl", Line: 2, Seq: 5, Reason: ledger.Changed},
		},
		{
			"changed and hashed anew", func(s segments) segments {
				s[1][1] = rehash(replaced(s[1][1], `"n":5`, `"n":6`))
				return s
			},
			ledger.Broken{Segment: "0002.jsonl", Line: 2, Seq: 5, Reason: ledger.BadSignature},
		},
		{
			"last entry changed", func(s segments) segments { s[2][2] = replaced(s[2][2], `"n":9`, `"n":8`); return s },
			ledger.Broken{Segment: "0003.jsonl", Line: 3, Seq: 9, Reason: ledger.Changed},
		},
		{
			"spelled differently", func(s segments) segments { s[0][0] = replaced(s[0][0], `<script>`, `\u003cscript>`); return s },
			ledger.Broken{Segment: "0001.jsonl", Line: 1, Seq: 1, Reason: ledger.Changed},
		},
		{
			"left out", func(s segments) segments { s[1] = slices.Delete(s[1], 1, 2); return s },
			ledger.Broken{Segment: "0002.jsonl", Line: 2, Seq: 5, Reason: ledger.Missing},
		},
		{
			"first left out", func(s segments) segments { s[0] = s[0][1:]; return s },
			ledger.Broken{Segment: "0001.jsonl", Line: 1, Seq: 1, Reason: ledger.Missing},
		},
		{
			"left out at a segment's end", func(s segments) segments { s[0] = s[0][:2]; return s },
			ledger.Broken{Segment: "0002.jsonl", Line: 1, Seq: 3, Reason: ledger.Missing},
		},
		{
			"two swapped", func(s segments) segments { s[1][0], s[1][1] = s[1][1], s[1][0]; return s },
			ledger.Broken{Segment: "0002.jsonl", Line: 1, Seq: 4, Reason: ledger.Reordered},
		},
		{
			"moved to another segment", func(s segments) segments {
				s[2] = append(s[2], s[0][1])
				s[0] = slices.Delete(s[0], 1, 2)
				return s
			},
			ledger.Broken{Segment: "0001.jsonl", Line: 2, Seq: 2, Reason: ledger.Reordered},
		},
		{
			"segments swapped", func(s segments) segments { s[0], s[1] = s[1], s[0]; return s },
			ledger.Broken{Segment: "0001.jsonl", Line: 1, Seq: 1, Reason: ledger.Reordered},
		},
		{
			"own entry repeated", func(s segments) segments { s[1] = slices.Insert(s[1], 2, s[0][0]); return s },
			ledger.Broken{Segment: "0002.jsonl", Line: 3, Seq: 1, Reason: ledger.Inserted},
		},
		{
			"forged entry inserted", func(s segments) segments {
				s[1] = slices.Insert(s[1], 1, rehash(replaced(s[1][1], `"n":5`, `"n":7`)))
				return s
			},
			ledger.Broken{Segment: "0002.jsonl", Line: 2, Seq: 5, Reason: ledger.Inserted},
		},
		{
			"junk inserted", func(s segments) segments { s[1] = slices.Insert(s[1], 1, []byte("junk\n")); return s },
			ledger.Broken{Segment: "0002.jsonl", Line: 2, Seq: 5, Reason: ledger.Inserted},
		},
		{
			"junk at the end", func(s segments) segments { s[2] = append(s[2], []byte("junk\n")); return s },
			ledger.Broken{Segment: "0003.jsonl", Line: 4, Seq: 10, Reason: ledger.Changed},
		},
		{
			"segment cut short in the middle", func(s segments) segments { s[0][2] = s[0][2][:30]; return s },
			ledger.Broken{Segment: "0001.jsonl", Line: 3, Seq: 3, Reason: ledger.Changed},
		},
		{
			"endless line", func(s segments) segments { s[1][1] = bytes.Repeat([]byte("x"), 3<<20); return s },
			ledger.Broken{Segment: "0002.jsonl", Line: 2, Seq: 5, Reason: ledger.Changed},
		},
	}
	good := newMemory()
	fill(t, good, ledger.Options{SegmentBytes: 1100}, 9)
	if s := split(good); len(s[0]) != 3 || len(s[1]) != 3 || len(s[2]) != 3 {
		t.Fatalf("segments of %d, %d and %d entries, the cases need 3 each", len(s[0]), len(s[1]), len(s[2]))
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := good.restarted()
			for i, lines := range test.damage(split(folder)) {
				folder.files[[]string{"0001.jsonl", "0002.jsonl", "0003.jsonl"}[i]] = bytes.Join(lines, nil)
			}
			got := verify(t, folder, ledger.VerifyOptions{}).Broken
			if diff := cmp.Diff(&test.want, got, cmpopts.IgnoreFields(ledger.Broken{}, "Detail")); diff != "" {
				t.Error(diff)
			}
			if got != nil && got.Detail == "" {
				t.Error("nothing says why")
			}
		})
	}
}

func TestVerifyMissesSegment(t *testing.T) {
	for missing, want := range map[string]ledger.Broken{
		"0001.jsonl": {Segment: "0001.jsonl", Seq: 1, Reason: ledger.Missing},
		"0002.jsonl": {Segment: "0002.jsonl", Seq: 4, Reason: ledger.Missing},
	} {
		folder := newMemory()
		fill(t, folder, ledger.Options{SegmentBytes: 1100}, 9)
		delete(folder.files, missing)
		got := verify(t, folder, ledger.VerifyOptions{}).Broken
		if diff := cmp.Diff(&want, got, cmpopts.IgnoreFields(ledger.Broken{}, "Detail")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCheckpointFindsWhatIsCutOff(t *testing.T) {
	folder := newMemory()
	head := fill(t, folder, ledger.Options{SegmentBytes: 1100}, 9).Head()
	delete(folder.files, "0003.jsonl")
	if got := verify(t, folder, ledger.VerifyOptions{}); got.Broken != nil {
		t.Errorf("without a checkpoint: %v", got.Broken)
	}
	got := verify(t, folder, ledger.VerifyOptions{Checkpoint: head}).Broken
	if got == nil || got.Reason != ledger.Truncated || got.Seq != 7 {
		t.Errorf("with a checkpoint: %v, want entry 7 truncated", got)
	}
}

func TestCheckpointFindsRewrittenHistory(t *testing.T) {
	folder := newMemory()
	fill(t, folder, ledger.Options{}, 2)
	fork := folder.restarted()
	head := fill(t, folder, ledger.Options{}, 3).Head()
	l := open(t, fork, ledger.Options{})
	for range 4 {
		if err := l.Append(t.Context(), entry(99)); err != nil {
			t.Fatal(err)
		}
	}
	got := verify(t, fork, ledger.VerifyOptions{Checkpoint: head}).Broken
	if got == nil || got.Reason != ledger.Rewritten || got.Seq != 5 {
		t.Errorf("got %v, want entry 5 rewritten", got)
	}
	// The end of one history behind the beginning of another: ours, signed, and still wrong.
	fork.files["0001.jsonl"] = append(bytes.Join(split1(folder)[:3], nil), bytes.Join(split1(fork)[3:], nil)...)
	if got := verify(t, fork, ledger.VerifyOptions{}).Broken; got == nil || got.Reason != ledger.Forked || got.Line != 4 {
		t.Errorf("got %v, want line 4 forked", got)
	}
}

func split1(folder *memory) [][]byte {
	return bytes.SplitAfter(folder.files["0001.jsonl"], []byte("\n"))
}

func TestVerifyTakesTheKeyThatIsGiven(t *testing.T) {
	folder, other := newMemory(), newMemory()
	fill(t, folder, ledger.Options{}, 2)
	fill(t, other, ledger.Options{}, 1)
	ours, err := ledger.ParsePublicKey(folder.files[ledger.PublicKeyFile])
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := ledger.PublicKey(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		key    ed25519.PublicKey
		isGood bool
	}{"ours": {ours, true}, "theirs": {theirs, false}} {
		got := verify(t, folder, ledger.VerifyOptions{Key: test.key}).Broken
		if (got == nil) != test.isGood {
			t.Errorf("%s: %v", name, got)
		}
		if got != nil && (got.Reason != ledger.BadSignature || got.Line != 1) {
			t.Errorf("%s: %v, want line 1 with a bad signature", name, got)
		}
	}
}

func TestOpenRefusesDamagedEnd(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"changed":             func(b []byte) []byte { return replaced(b, `"n":3`, `"n":4`) },
		"hashed anew":         func(b []byte) []byte { return rehash(replaced(b, `"n":3`, `"n":4`)) },
		"newline overwritten": func(b []byte) []byte { b[len(b)-1] = 'x'; return b },
		"line of junk":        func(b []byte) []byte { return append(b, "junk\n"...) },
		"tail of junk":        func(b []byte) []byte { return append(b, "junk"...) },
	} {
		folder := newMemory()
		fill(t, folder, ledger.Options{}, 3)
		lines := split1(folder)
		folder.files["0001.jsonl"] = append(bytes.Join(lines[:2], nil), damage(slices.Clone(lines[2]))...)
		if _, err := ledger.Open(t.Context(), folder, ledger.Options{}); !errors.Is(err, ledger.ErrBroken) {
			t.Errorf("%s: error %v, want ErrBroken", name, err)
		}
	}
}

func TestCheckpointText(t *testing.T) {
	want := ledger.Checkpoint{Seq: 42, Hash: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}
	got, err := ledger.ParseCheckpoint(want.String() + "\n")
	if err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"", "42", "42:", "0:" + want.Hash, "x:" + want.Hash, "42:" + want.Hash[1:], "42:zz"} {
		if got, err := ledger.ParseCheckpoint(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

// FuzzChangedByteIsFound changes one byte anywhere in a ledger with two segments, a repaired kill among its lines.
func FuzzChangedByteIsFound(f *testing.F) {
	killed := newMemory()
	budget := 60
	l := fill(f, killed, ledger.Options{}, 1)
	killed.budget = &budget
	if err := l.Append(f.Context(), entry(2)); err == nil {
		f.Fatal("the write was not cut short")
	}
	good := killed.restarted()
	fill(f, good, ledger.Options{SegmentBytes: 900}, 2)
	if got := verify(f, good, ledger.VerifyOptions{}); got.Broken != nil || len(got.Torn) != 1 || got.Segments != 2 {
		f.Fatalf("verify: %+v, broken %v", got, got.Broken)
	}
	names := []string{"0001.jsonl", "0002.jsonl"}
	for i := range len(good.files[names[0]]) + len(good.files[names[1]]) {
		f.Add(uint16(i), []byte{1, 0x20, '\n' ^ good.at(i)}[i%3]) // a bit, upper and lower case, a newline
	}
	f.Fuzz(func(t *testing.T, at uint16, flip byte) {
		first := len(good.files[names[0]])
		at %= uint16(first + len(good.files[names[1]]))
		if flip == 0 {
			return
		}
		folder := good.restarted()
		name, offset := names[0], int(at)
		if offset >= first {
			name, offset = names[1], offset-first
		}
		folder.files[name][offset] ^= flip
		if got := verify(t, folder, ledger.VerifyOptions{}); got.Broken == nil {
			t.Errorf("byte %d of %s flipped by %#x: %+v", offset, name, flip, got)
		}
	})
}

// at returns byte i of the two first segments.
func (m *memory) at(i int) byte {
	return append(slices.Clone(m.files["0001.jsonl"]), m.files["0002.jsonl"]...)[i]
}
