// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
)

// spec says what kind of call an operation is. Build one from reads, writes, issues and their methods.
type spec struct {
	mutates   bool   // it is in the journal
	readOnly  bool   // what its record says
	data      bool   // its record is a data event
	anonymous bool   // it takes no credentials
	answers   bool   // its record has responseElements although it only reads
	event     string // its name in CloudTrail when that differs
	action    string // its name in policies when that differs, with the service prefix
	params    func(c *call, in any) any
	response  func(c *call, out any) any
}

var (
	reads  = spec{readOnly: true}
	writes = spec{mutates: true}
	// issues is for calls that hand out credentials: CloudTrail says that they only read, and records the response.
	issues = spec{mutates: true, readOnly: true, answers: true}
)

func (s spec) dataEvent() spec          { s.data = true; return s }
func (s spec) withoutKeys() spec        { s.anonymous = true; return s }
func (s spec) recorded(as string) spec  { s.event = as; return s }
func (s spec) needs(action string) spec { s.action = action; return s }

// requests replaces how requestParameters are made; returning nil records null.
func (s spec) requests(f func(c *call, in any) any) spec { s.params = f; return s }

// responds replaces how responseElements are made; returning nil records null.
func (s spec) responds(f func(c *call, out any) any) spec { s.response = f; return s }

// operation is one API operation.
type operation struct {
	spec
	service *service
	name    string
	input   func() any
	accepts func(in any) bool
	run     func(c *call, in any) (any, error)
}

// table holds the operations by service and name.
type table map[string]*operation

func key(service, operation string) string { return service + "." + operation }

// operations is every operation that the sandbox knows.
var operations = sync.OnceValue(func() table {
	t := table{}
	for _, register := range []func(table){
		accountOperations, alarmOperations, bucketOperations, bucketConfigOperations, channelOperations, cloudtrailOperations, controlOperations,
		historyOperations, iamOperations, iamPolicyOperations, kmsOperations, logsOperations, objectOperations,
		identityStoreOperations, eventBusOperations, eventRuleOperations, keyUseOperations, logFilterOperations, managedPolicyOperations, subscriptionOperations,
		selectorOperations, simulationOperations, snsOperations, sqsOperations, stsOperations, trailOperations,
	} {
		register(t)
	}
	return t
})

// Operations lists the API operations that the sandbox answers, as "CloudTrail.StopLogging", in no order.
func Operations() []string {
	var out []string
	for k, op := range operations() {
		if op.service != control {
			out = append(out, k)
		}
	}
	return out
}

// handle adds an operation. f runs under the sandbox's lock; it owns in and must not hand out what it keeps.
func handle[I, O any](t table, svc *service, name string, s spec, f func(c *call, in *I) (*O, error)) {
	t[key(svc.id, name)] = &operation{
		spec: s, service: svc, name: name,
		input:   func() any { return new(I) },
		accepts: func(in any) bool { p, ok := in.(*I); return ok && p != nil },
		run: func(c *call, in any) (any, error) {
			out, err := f(c, in.(*I))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// own returns a copy of in that belongs to the sandbox.
func (op *operation) own(in any) (any, error) {
	if !op.accepts(in) {
		return nil, fmt.Errorf("input is %T, want %T", in, op.input())
	}
	if !op.mutates {
		return in, nil
	}
	return ownInput(in)
}

// call is one API call while it runs.
type call struct {
	s         *Sandbox
	op        *operation
	in        any
	now       time.Time
	region    string
	requestID string
	userAgent string
	by        *caller // zero identity for anonymous calls until the handler sets it
	ids       *ids

	// Set by handlers.
	same      bool                     // the call changed nothing
	wait      *waiting                 // the call has nothing to answer yet
	owner     *account                 // who owns the resource when that is not the caller
	resources []cloudtrail.Resource    // what the record names
	touched   []touched                // what Event history names
	place     string                   // the region that records the call when that is not c.region
	read      map[string]any           // what the record's request has in addition
	identity  *cloudtrail.UserIdentity // who called when that is not a key's principal
}

// touched is a resource as LookupEvents names it.
type touched struct{ kind, name string }

func (s *Sandbox) newCall(op *operation, r gate.Request, now time.Time) (*call, error) {
	c := &call{
		s: s, op: op, in: r.Input, now: now.UTC(), region: r.Region,
		requestID: r.RequestID, userAgent: r.UserAgent,
	}
	if op.mutates {
		c.ids = newIDs(s.seed, "mutation", uint64(len(s.mutations)))
	} else {
		s.reads++
		c.ids = newIDs(s.seed, "read", s.incarnation, s.reads)
	}
	// Taken in any case: a replayed call has its request id already, and the ids after it must be the same.
	c.requestID = cmp.Or(c.requestID, c.ids.uuid())
	if op.service == control {
		return c, nil
	}
	by, err := s.authenticate(op, r, c.now)
	if err != nil {
		return nil, fail(http.StatusForbidden, err)
	}
	c.by = by
	return c, nil
}

// execute checks what denies the call before it looks at the resource, then runs the handler.
func (c *call) execute() (any, error) {
	if err := c.authorize(); err != nil {
		return nil, err
	}
	return c.op.run(c, c.in)
}

// account is the caller's account.
func (c *call) account() *account { return c.by.account }

// touch names a resource in Event history.
func (c *call) touch(kind, name string) { c.touched = append(c.touched, touched{kind, name}) }

// resource names a resource in the record and in Event history, and says whose it is.
func (c *call) resource(kind, arn string, owner *account) {
	c.resources = append(c.resources, cloudtrail.Resource{ARN: arn, AccountID: owner.id, Type: kind})
	c.touch(kind, arn)
	c.owner = owner
}
