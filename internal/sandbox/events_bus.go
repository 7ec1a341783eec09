// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// eventBus is an EventBridge event bus. Nothing but CloudTrail sends events here, to the default bus.
type eventBus struct {
	name, arn, description, key string
	policy                      string // "" for none
}

const defaultBus = "default"

// eventBusOperations manages event buses.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
func eventBusOperations(t table) {
	handle(t, eventsService, "CreateEventBus", writes, createEventBus)
	handle(t, eventsService, "DeleteEventBus", writes, deleteEventBus)
	handle(t, eventsService, "DescribeEventBus", reads, describeEventBus)
	handle(t, eventsService, "PutPermission", writes, putEventPermission)
	handle(t, eventsService, "RemovePermission", writes, removeEventPermission)
}

func noEvents(format string, args ...any) error {
	return fail(http.StatusBadRequest, &types.ResourceNotFoundException{Message: msg(format, args...)})
}

// bus finds an event bus by name or ARN; "" is the default one. The default one is made when it is first asked for.
func (c *call) bus(name *string) (*eventBus, error) {
	n := aws.ToString(name)
	if i := strings.Index(n, ":event-bus/"); i >= 0 {
		n = n[i+len(":event-bus/"):]
	}
	if n == "" {
		n = defaultBus
	}
	id := c.arnOf("events", "event-bus/"+n)
	b, ok := c.account().buses[id]
	if !ok && n == defaultBus {
		b = &eventBus{name: n, arn: id}
		c.account().buses[id] = b
		ok = true
	}
	if !ok {
		return nil, noEvents("Event bus %s does not exist.", n)
	}
	return b, nil
}

func createEventBus(c *call, in *eventbridge.CreateEventBusInput) (*eventbridge.CreateEventBusOutput, error) {
	name := aws.ToString(in.Name)
	id := c.arnOf("events", "event-bus/"+name)
	if _, ok := c.account().buses[id]; ok || name == defaultBus {
		return nil, fail(http.StatusBadRequest, &types.ResourceAlreadyExistsException{Message: msg("Event bus %s already exists.", name)})
	}
	c.account().buses[id] = &eventBus{name: name, arn: id, description: aws.ToString(in.Description), key: aws.ToString(in.KmsKeyIdentifier)}
	return &eventbridge.CreateEventBusOutput{EventBusArn: aws.String(id)}, nil
}

func deleteEventBus(c *call, in *eventbridge.DeleteEventBusInput) (*eventbridge.DeleteEventBusOutput, error) {
	name := aws.ToString(in.Name)
	if name == defaultBus {
		return nil, invalid("ValidationException", "Cannot delete event bus default.")
	}
	id := c.arnOf("events", "event-bus/"+name)
	for _, r := range c.account().rules {
		if r.bus == id {
			return nil, invalid("ValidationException", "Event bus %s has rules.", name)
		}
	}
	_, ok := c.account().buses[id]
	c.same = !ok // no error
	delete(c.account().buses, id)
	return &eventbridge.DeleteEventBusOutput{}, nil
}

func describeEventBus(c *call, in *eventbridge.DescribeEventBusInput) (*eventbridge.DescribeEventBusOutput, error) {
	b, err := c.bus(in.Name)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeEventBusOutput{
		Name: aws.String(b.name), Arn: aws.String(b.arn), Policy: optional(b.policy), Description: optional(b.description),
		KmsKeyIdentifier: optional(b.key),
	}, nil
}

// optional is nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// putEventPermission replaces the policy of a bus, or one statement of it.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
func putEventPermission(c *call, in *eventbridge.PutPermissionInput) (*eventbridge.PutPermissionOutput, error) {
	b, err := c.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	next := aws.ToString(in.Policy)
	if next == "" {
		if next, err = c.withStatement(b, in); err != nil {
			return nil, err
		}
	}
	if _, err := parsePolicy(next); err != nil {
		return nil, invalid("ValidationException", "%v", err)
	}
	c.same = b.policy == next
	b.policy = next
	return &eventbridge.PutPermissionOutput{}, nil
}

func (c *call) withStatement(b *eventBus, in *eventbridge.PutPermissionInput) (string, error) {
	if in.StatementId == nil || in.Principal == nil || in.Action == nil {
		return "", invalid("ValidationException", "Parameter(s) Action, Principal, StatementId must be specified.")
	}
	var who any = "*"
	if *in.Principal != "*" {
		p := c.account().global("iam", "root")
		who = members{"AWS": strings.Replace(p, c.account().id, *in.Principal, 1)}
	}
	s := members{"Sid": *in.StatementId, "Effect": "Allow", "Principal": who, "Action": *in.Action, "Resource": b.arn}
	if x := in.Condition; x != nil {
		s["Condition"] = members{aws.ToString(x.Type): members{aws.ToString(x.Key): aws.ToString(x.Value)}}
	}
	return busPolicy(append(slices.DeleteFunc(b.statements(), hasSid(in.StatementId)), s))
}

func (b *eventBus) statements() []any {
	var document struct{ Statement oneOrMany[any] }
	if b.policy == "" || json.Unmarshal([]byte(b.policy), &document) != nil {
		return nil // it was checked when it was put
	}
	return document.Statement
}

// busPolicy is the document of statements, "" where there are none.
func busPolicy(statements []any) (string, error) {
	if len(statements) == 0 {
		return "", nil
	}
	text, err := json.Marshal(members{"Version": "2012-10-17", "Statement": statements})
	return string(text), err
}

func removeEventPermission(c *call, in *eventbridge.RemovePermissionInput) (*eventbridge.RemovePermissionOutput, error) {
	b, err := c.bus(in.EventBusName)
	switch {
	case err != nil:
		return nil, err
	case in.RemoveAllPermissions:
		c.same = b.policy == ""
		b.policy = ""
		return &eventbridge.RemovePermissionOutput{}, nil
	case b.policy == "":
		return nil, noEvents("EventBus does not have a policy.")
	}
	all := b.statements()
	kept := slices.DeleteFunc(slices.Clone(all), hasSid(in.StatementId))
	if len(kept) == len(all) {
		return nil, noEvents("Statement with the provided id does not exist.")
	}
	b.policy, err = busPolicy(kept)
	return &eventbridge.RemovePermissionOutput{}, err
}

// rulesOn lists the rules of a bus by their names.
func (a *account) rulesOn(bus string) []*eventRule {
	var out []*eventRule
	for _, id := range slices.Sorted(maps.Keys(a.rules)) {
		if r := a.rules[id]; r.bus == bus {
			out = append(out, r)
		}
	}
	return out
}
