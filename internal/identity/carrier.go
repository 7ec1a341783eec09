// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Ways in which people get at the credentials of an instance. They say who may have, never who did.
const (
	// ByLaunch: launched the instance.
	ByLaunch Confidence = "launched_instance"
	// ByHands: opened a session, put a key or ran a command on the instance shortly before.
	ByHands Confidence = "session_on_instance"
)

// longestHands is how long a session on an instance lasts at most.
//
// https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-max-timeout.html
const longestHands = 24 * time.Hour

// longestHistory is how far back a launch is looked for: as far as Event history reaches.
const longestHistory = 90 * 24 * time.Hour

// maxNearby bounds the people who are named for one instance: the last ones before the event.
const maxNearby = 20

// handsOn are the calls that put hands on an instance, and where their requests name it.
var handsOn = map[string]struct{ service, parameter string }{
	"StartSession":                  {"ssm", "target"},
	"ResumeSession":                 {"ssm", "target"},
	"SendCommand":                   {"ssm", "instanceIds"},
	"SendSSHPublicKey":              {"ec2-instance-connect", "instanceId"},
	"SendSerialConsoleSSHPublicKey": {"ec2-instance-connect", "instanceId"},
}

// launch is the call that makes instances.
const launch = "RunInstances"

// InstanceEventNames lists the events that lead from an instance to people, sorted.
func InstanceEventNames() []string {
	names := []string{launch}
	for name := range handsOn {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var instanceID = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)

// instancesOf lists the instances that r launched or put hands on; nothing for any other event.
func instancesOf(r *cloudtrail.Record) []string {
	hands, ok := handsOn[r.EventName]
	if !ok && r.EventName != launch || r.Failed() {
		return nil
	}
	var ids []string
	switch {
	case ok && arn.IsServiceHost(r.EventSource, hands.service):
		ids = namedInstances(r.RequestParameters, hands.parameter)
	case r.EventName == launch && arn.IsServiceHost(r.EventSource, "ec2"):
		ids = launchedInstances(r.ResponseElements)
	}
	return slices.DeleteFunc(ids, func(id string) bool { return !instanceID.MatchString(id) })
}

func namedInstances(parameters json.RawMessage, name string) []string {
	if one, ok := cloudtrail.Lookup(parameters, name); ok {
		return []string{one}
	}
	var all map[string]json.RawMessage
	var ids []string
	if json.Unmarshal(parameters, &all) != nil || json.Unmarshal(all[name], &ids) != nil {
		return nil // a request that names no instance
	}
	return ids
}

func launchedInstances(response json.RawMessage) []string {
	var launched struct {
		InstancesSet struct {
			Items []struct {
				InstanceID string `json:"instanceId"`
			} `json:"items"`
		} `json:"instancesSet"`
	}
	if json.Unmarshal(response, &launched) != nil {
		return nil // a response that names no instance
	}
	var ids []string
	for _, item := range launched.InstancesSet.Items {
		ids = append(ids, item.InstanceID)
	}
	return ids
}

// carrierOf is the resource that carries the credentials of u: the ARN that AWS records, else the instance that EC2 names
// the session of an instance's role after (which whoever may assume the role can imitate).
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func carrierOf(u cloudtrail.UserIdentity) string {
	if u.InScopeOf != nil && u.InScopeOf.CredentialsIssuedTo != "" {
		return u.InScopeOf.CredentialsIssuedTo
	}
	if _, name := roleAndSession(u); instanceID.MatchString(name) {
		return name
	}
	return ""
}

// nearby names who launched the instance that carries the credentials of r, and who had hands on it when r happened,
// latest first.
func (w *walk) nearby(ctx context.Context, r cloudtrail.Record, carrier string) ([]Hop, error) {
	id := carrier
	if p, err := arn.Parse(carrier); err == nil {
		id = strings.TrimPrefix(p.Resource, "instance/")
	}
	if !instanceID.MatchString(id) {
		return nil, nil
	}
	clue := w.clue(r, ClueInstance, id, r.EventTime.Add(-longestHistory), r.EventTime)
	found, err := w.index.Find(ctx, clue)
	if err != nil {
		return nil, fmt.Errorf("find who was on %s: %w", id, err)
	}
	var hops []Hop
	for _, f := range found {
		if isNearby(&f.Record, id, r.EventTime) && !slices.ContainsFunc(hops, func(h Hop) bool { return h.EventID == f.Record.EventID }) {
			hops = append(hops, hopOf(f.Record, f.Record.UserIdentity, howNear(&f.Record), f.Source))
		}
	}
	slices.SortFunc(hops, func(a, b Hop) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(string(a.EventID), string(b.EventID)))
	})
	return hops[:min(len(hops), maxNearby)], nil
}

func isNearby(r *cloudtrail.Record, id string, at time.Time) bool {
	if r.EventTime.After(at.Add(clockTolerance)) || !slices.Contains(instancesOf(r), id) {
		return false
	}
	return r.EventName == launch || at.Sub(r.EventTime) <= longestHands
}

func howNear(r *cloudtrail.Record) Confidence {
	if r.EventName == launch {
		return ByLaunch
	}
	return ByHands
}
