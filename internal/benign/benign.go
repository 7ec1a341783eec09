// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package benign makes the history of an account in which nobody means any harm: pipelines that deploy, people in the
// console, services that work by themselves, tools that read, calls that are refused. It is what tests hold against
// Switchback to prove that it leaves such an account alone, and what measurements use for volume.
//
// A history is the same for the same options, as long as wanted, and made one event at a time. In none of its events is
// anything weakened that a protected trail depends on. Calls about the trail itself and its parts cannot be told apart by
// their records alone from those that weaken; they are given as calls, to be made in an account, so that what the
// account looks like and what its events say agree.
//
// Records have the shape of https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
package benign

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Options of New. Account, Region and Begin are required.
type Options struct {
	Seed            uint64
	Account, Region string
	// Begin is the time of the first event, Every how long it is from one to the next on average; zero is a second.
	Begin time.Time
	Every time.Duration
	// Calls are made about every CallEvery-th event; none where there are none. See Protected.Calls.
	Calls     []Call
	CallEvery int
}

// Event is one event of a history: a record, or a call that is to be made.
type Event struct {
	At     time.Time
	Record cloudtrail.Record // zero where Call is set
	Call   *Call
}

// History makes events. It is not safe for concurrent use.
type History struct {
	o         Options
	random    *rand.Rand
	partition arn.Partition
	n         uint64
	now       time.Time
	total     int // of the weights
}

// New begins a history.
func New(o Options) *History {
	if o.Every <= 0 {
		o.Every = time.Second
	}
	h := &History{o: o, random: rand.New(rand.NewPCG(o.Seed, 2)), partition: arn.PartitionOf(o.Region), now: o.Begin.UTC()}
	for _, k := range kinds {
		h.total += k.weight
	}
	return h
}

// Next is the next event. Its error is that of encoding a record, which does not happen.
func (h *History) Next() (Event, error) {
	h.n++
	h.now = h.now.Add(time.Duration(h.random.Int64N(2 * int64(h.o.Every))))
	if len(h.o.Calls) > 0 && h.o.CallEvery > 0 && h.n%uint64(h.o.CallEvery) == 0 {
		return Event{At: h.now, Call: &h.o.Calls[h.random.IntN(len(h.o.Calls))]}, nil
	}
	r, err := h.record(h.draw())
	return Event{At: h.now, Record: r}, err
}

func (h *History) draw() kind {
	at := h.random.IntN(h.total)
	for _, k := range kinds {
		if at -= k.weight; at < 0 {
			return k
		}
	}
	return kinds[0]
}

// record is the event of a call, read back as everybody reads it.
func (h *History) record(k kind) (cloudtrail.Record, error) {
	isRead, isManagement := k.reads, true
	region := h.o.Region
	if k.global {
		region = h.partition.GlobalRegion
	}
	who := k.by(h)
	r := cloudtrail.Record{
		EventVersion: "1.11", UserIdentity: who.identity, EventTime: h.now.Truncate(time.Second), EventSource: arn.ServiceHost(k.service),
		EventName: k.name, AWSRegion: region, SourceIPAddress: who.address, UserAgent: who.agent, RequestID: h.uuid(),
		EventID: cloudtrail.EventID(h.uuid()), ReadOnly: &isRead, ManagementEvent: &isManagement, EventType: cloudtrail.EventTypeAPICall,
		EventCategory: cloudtrail.CategoryManagement, RecipientAccountID: h.o.Account, SessionCredentialFromConsole: who.console,
	}
	if k.eventType != "" {
		r.EventType = k.eventType
	}
	if !k.reads && k.eventType == "" && h.random.IntN(50) == 0 {
		r.ErrorCode, r.ErrorMessage = refusals[h.random.IntN(len(refusals))], "The request was refused."
	}
	var err error
	if r.RequestParameters, err = encode(k.request, h); err != nil {
		return r, err
	}
	if r.ErrorCode == "" {
		if r.ResponseElements, err = encode(k.response, h); err != nil {
			return r, err
		}
	}
	raw, err := r.MarshalJSON()
	if err != nil {
		return r, fmt.Errorf("encode event %s: %w", k.name, err)
	}
	return cloudtrail.ParseRecord(raw)
}

// refusals are error codes of calls that were refused.
var refusals = []string{"AccessDenied", "ThrottlingException", "ValidationException", "ResourceNotFoundException"}

func encode(make func(h *History) object, h *History) (json.RawMessage, error) {
	if make == nil {
		return nil, nil
	}
	data, err := json.Marshal(make(h))
	if err != nil {
		return nil, fmt.Errorf("encode parameters: %w", err)
	}
	return data, nil
}

func (h *History) uuid() string {
	a, b := h.random.Uint64(), h.random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0xfff, b&0xffffffffffff)
}

// name is one of a few of a sort, "api-3": an account has so many buckets, and each is changed again and again.
func (h *History) name(sort string) string { return fmt.Sprintf("%s-%d", sort, h.random.IntN(40)) }

// arn of a resource of the account and region.
func (h *History) arn(service, resource string) string {
	return arn.Parts{Partition: h.partition.ID, Service: service, Region: h.o.Region, AccountID: h.o.Account, Resource: resource}.String()
}

// global is an ARN of IAM or STS.
func (h *History) global(service, resource string) string {
	return arn.Parts{Partition: h.partition.ID, Service: service, AccountID: h.o.Account, Resource: resource}.String()
}
