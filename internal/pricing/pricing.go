// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package pricing knows what AWS charges: one dated list of prices, embedded, that anybody can replace by their own. It
// multiplies; what is multiplied, others estimate. It is not a bill: free tiers, discounts and taxes are left out, and
// the list says of each price on which page to verify it.
//
// https://aws.amazon.com/cloudtrail/pricing/
package pricing

import (
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"
)

//go:embed prices.yaml
var builtIn []byte

// Price is what some number of things costs.
type Price struct {
	ID   string  `yaml:"id" json:"id"` // "cloudtrail.management-events.further-copy"
	What string  `yaml:"what" json:"what"`
	USD  float64 `yaml:"usd" json:"usd"`
	Per  float64 `yaml:"per" json:"per"`
	// Page is where to verify it.
	Page string `yaml:"page" json:"page"`
}

// Of is what n of them cost, in US dollars.
func (p Price) Of(n float64) float64 { return n * p.USD / p.Per }

// List is a price list.
type List struct {
	// Date is when the prices were read.
	Date   time.Time
	prices map[string]Price
}

// ErrNoPrice is returned for what the list does not name.
var ErrNoPrice = errors.New("no price is known")

// Default is the list that is built in.
func Default() List {
	list, err := Parse(builtIn)
	if err != nil {
		panic("pricing: the built-in list: " + err.Error()) // a programmer's fault, which a test finds
	}
	return list
}

// Parse reads a list. Unknown fields, prices below zero, and prices that are named twice are refused.
func Parse(text []byte) (List, error) {
	var file struct {
		Date     string  `yaml:"date"`
		Currency string  `yaml:"currency"`
		Prices   []Price `yaml:"prices"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		return List{}, fmt.Errorf("read prices: %w", err)
	}
	date, err := time.Parse(time.DateOnly, file.Date)
	if err != nil {
		return List{}, fmt.Errorf("read prices: date: %q is no day such as 2026-06-30", file.Date)
	}
	if file.Currency != "USD" {
		return List{}, fmt.Errorf("read prices: currency: %q is not USD", file.Currency)
	}
	list := List{Date: date, prices: map[string]Price{}}
	for _, p := range file.Prices {
		_, isKnown := list.prices[p.ID]
		if p.ID == "" || isKnown || p.USD < 0 || p.Per <= 0 || p.Page == "" {
			return List{}, fmt.Errorf("read prices: %q needs an id of its own, usd from 0, per above 0, and a page", p.ID)
		}
		list.prices[p.ID] = p
	}
	return list, nil
}

// Price finds a price by its id.
func (l List) Price(id string) (Price, error) {
	p, ok := l.prices[id]
	if !ok {
		return Price{}, fmt.Errorf("%s: %w", id, ErrNoPrice)
	}
	return p, nil
}
