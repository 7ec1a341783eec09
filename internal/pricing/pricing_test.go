// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package pricing_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/pricing"
)

func TestDefault(t *testing.T) {
	list := pricing.Default()
	if list.Date.Year() < 2026 {
		t.Errorf("the list is of %s", list.Date)
	}
	for id, want := range map[string]float64{ // of 1,000,000
		"cloudtrail.management-events.first-copy": 0, "cloudtrail.management-events.further-copy": 20, "s3.requests": 0.4, "kms.requests": 3,
	} {
		p, err := list.Price(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Of(1_000_000); got < want-1e-9 || got > want+1e-9 || !strings.HasPrefix(p.Page, "https://aws.amazon.com/") {
			t.Errorf("%s: %v, want %v (%s)", id, got, want, p.Page)
		}
	}
	if _, err := list.Price("ec2.requests"); !errors.Is(err, pricing.ErrNoPrice) || !strings.Contains(err.Error(), "ec2.requests") {
		t.Errorf("error %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = "date: 2026-06-30\ncurrency: USD\nprices:\n  - {id: a, usd: 1, per: 1, page: https://example.com}\n"
	if _, err := pricing.Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ from, to, says string }{
		"no YAML":         {good, "prices: [", "read prices"},
		"unknown field":   {"usd: 1", "eur: 1", "eur"},
		"no date":         {"2026-06-30", "yesterday", "yesterday"},
		"other currency":  {"USD", "EUR", "EUR"},
		"below zero":      {"usd: 1", "usd: -1", `"a"`},
		"for nothing":     {"per: 1", "per: 0", `"a"`},
		"without a page":  {"https://example.com", `""`, `"a"`},
		"without an id":   {"id: a", `id: ""`, `""`},
		"the same again":  {"prices:\n", "prices:\n  - {id: a, usd: 1, per: 1, page: https://example.com}\n", `"a"`},
		"no price at all": {"usd: 1", "usd: x", "read prices"},
	} {
		if _, err := pricing.Parse([]byte(strings.Replace(good, tt.from, tt.to, 1))); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("date: 2026-06-30\ncurrency: USD\nprices:\n  - {id: a, usd: 1, per: 1, page: p}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := pricing.Parse(text)
		if p, e := list.Price("a"); err == nil && e == nil && p.Of(1) < 0 {
			t.Errorf("a price of %v", p.Of(1))
		}
	})
}
