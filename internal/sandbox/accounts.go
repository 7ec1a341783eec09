// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/account/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// account is one AWS account with everything in it but buckets, whose names are shared.
type account struct {
	id, partition, alias string
	organization         *organization
	root                 *credential
	seeded               bool // Seed has finished

	users    map[string]*user
	roles    map[string]*role
	managed  map[string]*managedPolicy // by ARN
	contacts map[types.AlternateContactType]*types.AlternateContact

	// identities are the users of IAM Identity Center, nil for none.
	identities *identityStore

	trails  []*trail // by name, then home region
	keys    map[string]*kmsKey
	aliases map[string]*kmsKey // by ARN
	topics  map[string]*topic  // by ARN
	queues  map[string]*queue  // by URL
	groups  map[string]*logGroup
	buses   map[string]*eventBus  // by ARN
	rules   map[string]*eventRule // by ARN
	alarms  map[string]*alarm     // by ARN
	senders map[string]bool       // of mail, by region and identity
	hubs    map[string]*hub       // by region
	// deletedQueues are the moments of deletion by URL: a name is blocked for a while.
	deletedQueues map[string]time.Time

	history map[string]*history // by region
}

// organization joins accounts under a management account.
type organization struct {
	id         string
	management *account
	members    []*account // without the management account
}

func newAccount(id, partition, alias string) *account {
	return &account{
		id: id, partition: partition, alias: alias,
		users: map[string]*user{}, roles: map[string]*role{}, managed: map[string]*managedPolicy{},
		contacts: map[types.AlternateContactType]*types.AlternateContact{},
		keys:     map[string]*kmsKey{}, aliases: map[string]*kmsKey{},
		topics: map[string]*topic{}, queues: map[string]*queue{}, groups: map[string]*logGroup{},
		buses: map[string]*eventBus{}, rules: map[string]*eventRule{}, alarms: map[string]*alarm{},
		senders: map[string]bool{}, hubs: map[string]*hub{},
		deletedQueues: map[string]time.Time{},
		history:       map[string]*history{},
	}
}

var accountID = regexp.MustCompile(`^\d{12}$`)

// global is an ARN of a service that has no regions.
func (a *account) global(service, resource string) string {
	return arn.Parts{Partition: a.partition, Service: service, AccountID: a.id, Resource: resource}.String()
}

// globalRegion is where calls of global services are recorded.
func (a *account) globalRegion() string {
	p, _ := arn.PartitionByID(a.partition)
	return p.GlobalRegion
}

// denial is one entry of [Sandbox.Deny].
type denial struct{ target, action string }

// denials are what service control policies and administrators take away.
type denials []denial

// find is the reason to refuse the action, "" when nothing denies it.
func (d denials) find(by *caller, action string) string {
	action = strings.ToLower(action)
	for _, x := range d {
		if !glob(strings.ToLower(x.action), action) {
			continue
		}
		switch x.target {
		case by.account.id:
			return becauseSCP
		case by.identityARN(), by.arn():
			return becauseIdentity
		}
	}
	return ""
}

func (d denials) with(x denial) denials {
	if slices.Contains(d, x) {
		return d
	}
	return append(d, x)
}

func (d denials) without(x denial) denials {
	return slices.DeleteFunc(slices.Clone(d), func(y denial) bool { return x == y })
}

// event is one record of Event history.
type event struct {
	at       time.Time
	id       string
	name     string
	source   string
	user     string
	key      string
	readOnly bool
	touched  []touched
	record   []byte
}

// history is what LookupEvents reads in one region, oldest first.
type history struct {
	events  []event
	dropped int // events that have become too old
}

func (h *history) add(e event, now time.Time) {
	h.events = append(h.events, e)
	old := now.Add(-historyAge)
	n := 0
	for n < len(h.events) && h.events[n].at.Before(old) {
		n++
	}
	if n > 0 {
		h.events = slices.Delete(h.events, 0, n)
		h.dropped += n
	}
}

func (a *account) historyOf(region string) *history {
	h, ok := a.history[region]
	if !ok {
		h = &history{}
		a.history[region] = h
	}
	return h
}
