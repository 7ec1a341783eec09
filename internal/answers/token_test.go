// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

func aKey() key { return key{id: "0a1b2c3d", secret: bytes.Repeat([]byte{7}, keySize)} }

func aLink() incident.Link {
	return incident.Link{
		Nonce: strings.Repeat("5e", nonceSize), Message: "m", Incident: "i", Person: "alice", IsPerson: true, Verdicts: incident.Verdicts(),
		ExpiresAt: time.Date(2026, 5, 5, 9, 0, 0, 0, time.UTC), KeyID: "0a1b2c3d",
	}
}

// Whatever a link says is signed: another link has another signature, under the same key and under another.
func TestEverythingIsSigned(t *testing.T) {
	t.Parallel()
	want := signature(aKey(), aLink())
	for name, change := range map[string]func(*incident.Link, *key){
		"incident":         func(l *incident.Link, _ *key) { l.Incident = "j" },
		"message":          func(l *incident.Link, _ *key) { l.Message = "n" },
		"person":           func(l *incident.Link, _ *key) { l.Person = "mallory" },
		"who it is for":    func(l *incident.Link, _ *key) { l.IsPerson = false },
		"fewer answers":    func(l *incident.Link, _ *key) { l.Verdicts = l.Verdicts[:1] },
		"expiry":           func(l *incident.Link, _ *key) { l.ExpiresAt = l.ExpiresAt.Add(time.Nanosecond) },
		"nonce":            func(l *incident.Link, _ *key) { l.Nonce = strings.Repeat("5f", nonceSize) },
		"key id":           func(l *incident.Link, _ *key) { l.KeyID = "0a1b2c3e" },
		"key":              func(_ *incident.Link, k *key) { k.secret = bytes.Repeat([]byte{8}, keySize) },
		"a moved boundary": func(l *incident.Link, _ *key) { l.Incident, l.Message = "im", "" },
	} {
		l, k := aLink(), aKey()
		change(&l, &k)
		if bytes.Equal(signature(k, l), want) {
			t.Errorf("%s: the same signature", name)
		}
	}
	if !bytes.Equal(signature(aKey(), aLink()), want) {
		t.Error("signed again, it differs")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	if aKey().String() != "key 0a1b2c3d" || aKey().GoString() != "key 0a1b2c3d" {
		t.Errorf("printed as %s, %#v", aKey(), aKey())
	}
}

// Only what String gives is a token; everything else is forged, and nothing panics.
func FuzzParseToken(f *testing.F) {
	one, err := sign(aKey(), aLink())
	if err != nil {
		f.Fatal(err)
	}
	text := one.String()
	for _, seed := range []string{
		text, "", text[1:], text + "A", text[:len(text)-1] + "=", strings.ToUpper(text), "B" + text[1:], strings.Repeat("A", len(text)), strings.Repeat("é", 40),
		text[:len(text)-1] + "\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseToken(text)
		if err != nil {
			if !errors.Is(err, ErrForged) {
				t.Errorf("error %v, want ErrForged", err)
			}
			return
		}
		if parsed.String() != text {
			t.Errorf("%q reads as %q", text, parsed)
		}
	})
}
