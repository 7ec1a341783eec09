// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// view is a trail as it was configured at one moment.
type view struct {
	trail     *trail
	selectors []types.EventSelector
	advanced  []types.AdvancedEventSelector
}

// coverage is what is recorded of an account and region.
type coverage []view

func (a *account) coverage(region string) coverage {
	var out coverage
	for _, t := range a.trailsIn(region) {
		if t.logging {
			out = append(out, view{t, t.selectors, t.advanced})
		}
	}
	return out
}

// takes lists the trails that record r.
func (cov coverage) takes(r *cloudtrail.Record, isGlobal bool) []*trail {
	var out []*trail
	for _, v := range cov {
		if (!isGlobal || v.trail.global) && wants(r, v.selectors, v.advanced) {
			out = append(out, v.trail)
		}
	}
	return out
}

// coverageBefore is the coverage that the call found: a StopLogging is itself still recorded. Only calls to CloudTrail
// change coverage.
func (c *call) coverageBefore() coverage {
	if c.op.service != cloudtrailService || !c.op.mutates {
		return nil
	}
	return c.account().coverage(c.region)
}

// emit records the call: for the caller, and for the owner of the resource where that is another account.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func (c *call) emit(out any, failed *failure, before coverage) error {
	if c.op.service == control || c.op.data && !c.s.takesData() {
		return nil
	}
	r, err := c.record(out, failed)
	if err != nil {
		return err
	}
	foreign := c.owner != nil && c.owner != c.account()
	if foreign && c.account().id != "" {
		r.SharedEventID = c.ids.uuid()
	}
	if c.account().id != "" {
		c.publish(c.account(), r, before)
	}
	if foreign && (failed == nil || c.op.service == s3Service) {
		if c.identity == nil {
			r.UserIdentity = cloudtrail.UserIdentity{
				Type: cloudtrail.IdentityAWSAccount, PrincipalID: c.by.principalID(), AccountID: c.account().id,
			}
		}
		r.EventID = cloudtrail.EventID(c.ids.uuid())
		c.publish(c.owner, r, nil)
	}
	return nil
}

// takesData reports whether any trail asks for data events: without one their records are not even made.
func (s *Sandbox) takesData() bool {
	for _, a := range s.accounts {
		for _, t := range a.trails {
			if t.logging && t.takesData() {
				return true
			}
		}
	}
	return false
}

// record is the event record of the call, as the caller's account gets it.
func (c *call) record(out any, failed *failure) (cloudtrail.Record, error) {
	op := c.op
	management, readOnly := !op.data, op.readOnly
	r := cloudtrail.Record{
		EventVersion: op.service.version, EventTime: c.now.Truncate(time.Second),
		EventSource: hostOf(op.service.label), EventName: cmp.Or(op.event, op.name), AWSRegion: c.recordedIn(),
		SourceIPAddress: c.by.ip(), UserAgent: cut(cmp.Or(c.by.from.UserAgent, c.userAgent), 1024),
		RequestID: c.requestID, EventID: cloudtrail.EventID(c.ids.uuid()), ReadOnly: &readOnly,
		Resources: c.resources, EventType: cloudtrail.EventTypeAPICall, ManagementEvent: &management,
		EventCategory: cloudtrail.CategoryManagement, AdditionalEventData: c.additional(),
		TLSDetails: &cloudtrail.TLSDetails{
			TLSVersion: "TLSv1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", ClientProvidedHostHeader: c.host(),
		},
	}
	if op.data {
		r.EventCategory = cloudtrail.CategoryData
	}
	if r.UserIdentity = c.by.record(); c.identity != nil {
		r.UserIdentity = *c.identity
	}
	if failed != nil {
		r.ErrorCode, r.ErrorMessage = failed.code, cut(failed.err.ErrorMessage(), 1024)
	}
	var err error
	if r.RequestParameters, err = raw(c.requestParameters()); err != nil {
		return r, fmt.Errorf("encode request parameters: %w", err)
	}
	if r.ResponseElements, err = raw(c.responseElements(out, failed)); err != nil {
		return r, fmt.Errorf("encode response elements: %w", err)
	}
	return r, nil
}

func (c *call) requestParameters() any {
	if c.op.params != nil {
		return c.op.params(c, c.in)
	}
	return camel.tree(c.in)
}

func (c *call) responseElements(out any, failed *failure) any {
	switch {
	case failed != nil || c.op.readOnly && !c.op.answers:
		return nil
	case c.op.response != nil:
		return c.op.response(c, out)
	default:
		return camel.tree(out)
	}
}

// nothing is a response that CloudTrail does not record.
func nothing(*call, any) any { return nil }

// recordedIn is the region that records the call.
func (c *call) recordedIn() string {
	switch {
	case c.op.service.global && c.account().id != "":
		return c.account().globalRegion()
	case c.place != "":
		return c.place
	default:
		return c.region
	}
}

// hostOf is the eventSource and the service principal of a service.
func hostOf(label string) string { return arn.ServiceHost(label) }

// host is the name that the client connected to.
func (c *call) host() string {
	region := c.recordedIn()
	p := arn.PartitionOf(region)
	label := c.op.service.label
	if label == "s3" {
		return text(c.in, "Bucket") + ".s3." + region + "." + p.DNSSuffix
	}
	if c.op.service.global && hostOf(label) == label+"."+p.DNSSuffix && p.ID == arn.Partitions()[0].ID {
		return hostOf(label)
	}
	return label + "." + region + "." + p.DNSSuffix
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// publish gives a record to Event history, trails and subscriptions of the account that receives it.
func (c *call) publish(to *account, r cloudtrail.Record, before coverage) {
	r.RecipientAccountID = to.id
	r.Raw = nil
	r.Raw, _ = r.MarshalJSON() // cannot fail: the raw parts were encoded by raw
	if r.EventCategory == cloudtrail.CategoryManagement {
		to.historyOf(r.AWSRegion).add(c.event(&r), c.now)
	}
	trails := before.takes(&r, c.op.service.global)
	for _, t := range to.coverage(r.AWSRegion).takes(&r, c.op.service.global) {
		if !slices.Contains(trails, t) {
			trails = append(trails, t)
		}
	}
	if len(trails) == 0 {
		return
	}
	for _, t := range trails {
		c.s.deliveries.add(t, to, r, c.now.Add(c.s.delay))
	}
	c.s.send(c, to, r)
}

func (c *call) event(r *cloudtrail.Record) event {
	e := event{
		at: r.EventTime, id: string(r.EventID), name: r.EventName, source: r.EventSource, readOnly: *r.ReadOnly,
		user: c.by.userName(), key: r.UserIdentity.AccessKeyID, touched: c.touched, record: r.Raw,
	}
	if c.identity != nil {
		e.user = c.identity.UserName
	}
	return e
}
