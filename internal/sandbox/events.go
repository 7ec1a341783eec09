// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
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
