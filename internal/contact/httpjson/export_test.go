// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package httpjson

import (
	"net/http"
	"time"

	"github.com/switchback-project/switchback/internal/contact"
)

// Trust makes d use a client that trusts the test's server.
func (d *Directory) Trust(client *http.Client) {
	client.CheckRedirect = d.client.CheckRedirect
	d.client = client
}

// Cached is how many answers d keeps.
func (d *Directory) Cached() int { return len(d.cache) + len(d.order) }

// Answers are what a body means in each role.
func Answers(body []byte, now time.Time) ([]contact.Answer, error) {
	people, err := parse(body)
	if err != nil {
		return nil, err
	}
	all := []contact.Answer{answer(people, now), onCall(people, now)}
	for i := range people {
		all = append(all, people[i].manager(now))
	}
	return all, nil
}
