// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Touch is a resource that a call was about, as the record names it: by ARN, name or id.
type Touch struct {
	Kind Kind
	Name string
	// Account and Region are where the call was recorded; a name or id that is no ARN belongs there.
	Account, Region string
}

// named says which members of the request name the resource, and which of the response where the request does not.
type named struct {
	service   string
	kind      Kind
	members   []string
	responses []string
}

// touching is how each service names what its calls are about. CloudTrail's own lists come first: see Touched.
var touching = []named{
	{service: "s3", kind: KindBucket, members: []string{"bucketName"}},
	{service: "kms", kind: KindKey, members: []string{"keyId", "targetKeyId", "aliasName"}},
	{service: "sns", kind: KindTopic, members: []string{"topicArn", "subscriptionArn", "resourceArn"}},
	{service: "logs", kind: KindLogGroup, members: []string{"logGroupName", "logGroupIdentifier", "resourceIdentifier", "resourceArn"}},
	{service: "iam", kind: KindRole, members: []string{"roleName"}},
	{service: "events", kind: KindRule, members: []string{"name", "rule"}},
	{service: "sqs", kind: KindQueue, members: []string{"queueUrl", "queueName"}},
	{service: "monitoring", kind: KindAlarm, members: []string{"alarmName"}},
	// The mapping of a queue to a function is named by an id.
	{service: "lambda", kind: KindFunction, members: []string{"functionName", "resource"}, responses: []string{"functionArn"}},
	{service: "lambda", kind: KindLayer, members: []string{"layerName"}},
	{service: "lambda", kind: KindQueue, responses: []string{"eventSourceArn"}},
	{service: "states", kind: KindStateMachine, members: []string{"stateMachineArn", "executionArn"}},
}

// Touched lists the resources of the kinds that a trail can depend on which a record is about: those of its request, and
// those that CloudTrail lists itself. Whether the call changed them is not asked. It is made for records that an attacker
// wrote: it costs a few lookups, whatever they hold.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func Touched(r cloudtrail.Record) []Touch {
	var out []Touch
	for _, n := range touching {
		if !arn.IsServiceHost(r.EventSource, n.service) {
			continue
		}
		add := func(name string) {
			t := Touch{Kind: n.kind, Name: name, Account: r.RecipientAccountID, Region: r.AWSRegion}
			if name != "" && !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
		for _, member := range n.members {
			name, _ := r.RequestParameter(member)
			add(name)
		}
		for _, member := range n.responses {
			name, _ := r.ResponseElement(member)
			add(name)
		}
		switch n.kind {
		case KindRule:
			add(busOf(r))
		case KindAlarm:
			for _, name := range alarmNames(r) {
				add(name)
			}
		}
		for _, resource := range r.Resources {
			add(resource.ARN)
		}
	}
	return out
}

// aBus begins the name of an event bus: what happens to it happens to its rules.
const aBus = "event-bus/"

// busOf is the event bus that a call was about as a whole, "" for one that was about a rule.
func busOf(r cloudtrail.Record) string {
	name, _ := r.RequestParameter("eventBusName")
	switch r.EventName {
	case "DeleteEventBus", "CreateEventBus", "UpdateEventBus":
		name, _ = r.RequestParameter("name")
	case "PutPermission", "RemovePermission":
	default:
		return ""
	}
	if i := strings.LastIndex(name, aBus); i >= 0 {
		return name[i:]
	}
	if name == "" {
		name = "default"
	}
	return aBus + name
}

// maxTouched bounds the lists that one call can name.
const maxTouched = 100

func alarmNames(r cloudtrail.Record) []string {
	var in struct {
		AlarmNames []string `json:"alarmNames"`
	}
	if json.Unmarshal(r.RequestParameters, &in) != nil {
		return nil
	}
	return in.AlarmNames[:min(len(in.AlarmNames), maxTouched)]
}

// IsAlias reports whether it is an alias of a key: which key it was one of, only the key's baseline tells.
func (t Touch) IsAlias() bool { return t.Kind == KindKey && strings.HasPrefix(t.Name, "alias/") }

// Is reports whether the touched resource is d.
func (t Touch) Is(d Dependency) bool {
	if t.Kind != d.Kind {
		return false
	}
	if t.Name == string(d.ARN) {
		return true
	}
	p, err := d.ARN.Parse()
	if err != nil {
		return false
	}
	switch t.Kind {
	case KindBucket: // names are global; an object's ARN is about its bucket
		name, _, _ := strings.Cut(strings.TrimPrefix(t.Name, string(arn.Parts{Partition: p.Partition, Service: "s3"}.ARN())), "/")
		return name == p.Resource
	case KindTopic: // a subscription's ARN is the topic's with its id
		return strings.HasPrefix(t.Name, string(d.ARN)+":")
	case KindRule:
		if bus, ok := strings.CutPrefix(t.Name, aBus); ok {
			return t.Account == p.AccountID && t.Region == p.Region && bus == busIn(p)
		}
	case KindQueue:
		if strings.HasSuffix(t.Name, "/"+p.AccountID+"/"+p.Resource) {
			return t.Region == p.Region
		}
	case KindFunction: // with a version or an alias, also without its account
		name := t.Name
		if _, after, isLong := strings.Cut(name, "function:"); isLong {
			name = after
		}
		name, _, _ = strings.Cut(name, ":")
		return t.Account == p.AccountID && t.Region == p.Region && name == nameIn(t.Kind, p)
	case KindLayer: // with a version
		if name, ok := strings.CutPrefix(t.Name, string(d.ARN)+":"); ok && name != "" {
			return true
		}
	case KindStateMachine: // with a version or an alias, or an execution of it
		if of, err := arn.Parse(t.Name); err == nil {
			return of.AccountID == p.AccountID && of.Region == p.Region && machineIn(of) == machineIn(p)
		}
	case KindLogGroup:
		if strings.TrimSuffix(t.Name, ":*") == string(d.ARN) {
			return true
		}
	}
	return t.Account == p.AccountID && (p.Region == "" || t.Region == p.Region) && t.Name == nameIn(t.Kind, p)
}

// nameIn is what calls name a resource by, apart from its ARN.
func nameIn(kind Kind, p arn.Parts) string {
	switch kind {
	case KindRole, KindRule: // without its path or event bus
		return p.Resource[strings.LastIndexByte(p.Resource, '/')+1:]
	case KindLogGroup:
		return strings.TrimPrefix(p.Resource, "log-group:")
	case KindAlarm:
		return strings.TrimPrefix(p.Resource, "alarm:")
	case KindFunction:
		name, _, _ := strings.Cut(strings.TrimPrefix(p.Resource, "function:"), ":")
		return name
	}
	return p.Name()
}

// machineIn is the name of the state machine in its ARN, or in that of one of its executions; "" in any other.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html#awsstepfunctions-resources-for-iam-policies
func machineIn(p arn.Parts) string {
	for _, prefix := range []string{"stateMachine:", "execution:", "express:"} {
		if rest, ok := strings.CutPrefix(p.Resource, prefix); ok && p.Service == "states" {
			name, _, _ := strings.Cut(rest, ":")
			return name
		}
	}
	return ""
}

// busIn is the name of the event bus in a rule's ARN.
func busIn(p arn.Parts) string {
	name := strings.TrimPrefix(p.Resource, "rule/")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "default"
}
