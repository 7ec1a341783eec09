// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// subscription is an EventBridge rule for CloudTrail events with a queue as its target.
type subscription struct {
	account, region string // region "" is every region
	queue           string
	all             bool // also names that begin with Get, List, Describe
}

// maxEvent is the size above which CloudTrail does not send an event to EventBridge.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
const maxEvent = 256 << 10

// send puts the EventBridge event of a record into the queues that subscribe to it. The caller has made sure that a
// trail records it: without one EventBridge gets nothing.
func (s *Sandbox) send(c *call, to *account, r cloudtrail.Record) {
	var body string
	for _, sub := range s.subscriptions {
		if sub.account != to.id || sub.region != "" && sub.region != r.AWSRegion || !sub.all && hidden(&r) {
			continue
		}
		q := s.queueByURL(sub.queue)
		if q == nil {
			continue // deleted: the rule's target fails, as on AWS
		}
		if body == "" {
			if body = string(cloudtrail.Wrap(r).Raw); len(body) > maxEvent {
				return
			}
		}
		q.send(c.ids.uuid(), body, c.now, c.now).ofRead = !c.op.mutates
	}
	s.route(c, to, r)
}

// route does the same by the rules that the account has on its default bus in the region. What a rule is after the call
// decides: a call that disables it is not told by it.
func (s *Sandbox) route(c *call, to *account, r cloudtrail.Record) {
	if len(to.rules) == 0 {
		return
	}
	bus := arn.Parts{Partition: to.partition, Service: "events", Region: r.AWSRegion, AccountID: to.id, Resource: "event-bus/" + defaultBus}
	body := cloudtrail.Wrap(r).Raw
	if len(body) > maxEvent {
		return
	}
	for _, rule := range to.rulesOn(bus.String()) {
		if !rule.takes(&r, body) {
			continue
		}
		for _, t := range rule.targets {
			q := s.queueByARN(aws.ToString(t.Arn))
			if q != nil && rule.maySend(q) {
				q.send(c.ids.uuid(), cmp.Or(aws.ToString(t.Input), string(body)), c.now, c.now).ofRead = !c.op.mutates
			}
		}
	}
}

func (r *eventRule) takes(record *cloudtrail.Record, body []byte) bool {
	if r.compiled == nil || r.state == types.RuleStateDisabled || r.state == types.RuleStateEnabled && hidden(record) {
		return false
	}
	ok, err := r.compiled.Match(body)
	return err == nil && ok
}

// maySend asks the queue's policy: EventBridge sends to a queue as itself.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
func (r *eventRule) maySend(q *queue) bool {
	p, err := parsePolicy(q.attributes["Policy"])
	if err != nil {
		return false
	}
	service := hostOf(eventsService.label)
	return p.decide(question{
		action: "sqs:SendMessage", resource: q.arn, who: &who{service: service},
		keys: map[string]string{
			"aws:sourcearn": r.arn, "aws:sourceaccount": r.account.id, "aws:securetransport": "true",
			"aws:principalisawsservice": "true", "aws:principalservicename": service,
		},
	}) == allowed
}

// hidden reports whether a rule in the state ENABLED leaves the record out: AWS goes by the name, not by readOnly.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
func hidden(r *cloudtrail.Record) bool {
	if r.EventCategory != cloudtrail.CategoryManagement {
		return false
	}
	for _, prefix := range []string{"Get", "List", "Describe"} {
		if strings.HasPrefix(r.EventName, prefix) {
			return r.EventName != "GetFederationToken" && r.EventName != "GetSessionToken"
		}
	}
	return false
}
