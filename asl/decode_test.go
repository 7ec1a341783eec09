// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import "testing"

// FuzzDecodeDatum holds that data has one text, whether it came in compact or not: what encode writes.
func FuzzDecodeDatum(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, ` {"a": 1}`, `{"a":[1,2.50,-0,1E5,true,null],"b":{"c":""}}`, `"<é/\u0001>"`, `"\/"`, `"\n"`, "\"\xff\"", "1\n", `{"a":1,"a":2}`,
		"\"a\u2028b\"", `"\ud83d\ude00"`, `""`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := decodeDatum(data)
		v, wantErr := decode(data)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("decodeDatum says %v, decode %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if got, want := string(d.json()), string(encode(v)); got != want {
			t.Errorf("the text of %q is %q, want %q", data, got, want)
		}
	})
}
