// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/route"
	"github.com/switchback-project/switchback/internal/source"
)

// global are the services whose calls are recorded in the partition's global region.
var global = []string{"account", "iam", "organizations"}

// event delivers the event of a call that the sandbox cannot make.
func (st *stage) event(ctx context.Context, step Step) error {
	service, name, ok := strings.Cut(step.Event, ".")
	if !ok {
		return fmt.Errorf("event %q is not service.Name", step.Event)
	}
	who, err := st.caller(ctx, step)
	if err != nil {
		return err
	}
	region := step.Region
	if region == "" {
		region = st.place.Region
	}
	if slices.Contains(global, service) {
		region = arn.PartitionOf(region).GlobalRegion
	}
	isRead, isManagement := false, true
	r := cloudtrail.Record{
		EventVersion: "1.11", UserIdentity: who, EventTime: st.clock.Now(), EventSource: arn.ServiceHost(service), EventName: name,
		AWSRegion: region, SourceIPAddress: "198.51.100.7", UserAgent: userAgent, ErrorCode: step.Fails, ReadOnly: &isRead,
		EventType: cloudtrail.EventTypeAPICall, ManagementEvent: &isManagement, EventCategory: cloudtrail.CategoryManagement,
		RecipientAccountID: st.place.Account, RequestID: fmt.Sprintf("story-%04d", st.requests),
		EventID: cloudtrail.EventID(fmt.Sprintf("00000000-0000-4000-8000-%012d", st.requests)),
	}
	if r.RequestParameters, err = json.Marshal(step.Input); err != nil {
		return fmt.Errorf("encode input: %w", err)
	}
	if r.ResponseElements, err = json.Marshal(step.Response); err != nil {
		return fmt.Errorf("encode response: %w", err)
	}
	if r.Raw, err = r.MarshalJSON(); err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	if r, err = cloudtrail.ParseRecord(r.Raw); err != nil {
		return err
	}
	return st.handle(ctx, source.Delivery{Envelope: cloudtrail.Wrap(r), Via: "story", From: "the story", DeliveredAt: st.clock.Now()})
}

// caller is the identity of whoever the step is by, as AWS would record it.
func (st *stage) caller(ctx context.Context, step Step) (cloudtrail.UserIdentity, error) {
	out, err := st.invoke(ctx, step, "STS.GetCallerIdentity", nil)
	if err != nil {
		return cloudtrail.UserIdentity{}, err
	}
	var is struct{ Account, Arn, UserID string }
	if err := json.Unmarshal(out, &is); err != nil {
		return cloudtrail.UserIdentity{}, fmt.Errorf("read GetCallerIdentity: %w", err)
	}
	who := cloudtrail.UserIdentity{
		Type: cloudtrail.IdentityIAMUser, PrincipalID: is.UserID, ARN: is.Arn, AccountID: is.Account, AccessKeyID: st.keys[step.As],
	}
	p, err := arn.Parse(is.Arn)
	if err != nil {
		return who, err
	}
	kind, name, _ := strings.Cut(p.Resource, "/")
	switch kind {
	case "user":
		who.UserName = name
	case "assumed-role":
		who.Type = cloudtrail.IdentityAssumedRole
	case "root":
		who.Type = cloudtrail.IdentityRoot
	}
	return who, nil
}

// tell reports the events of every incident.
func (st *stage) tell(ctx context.Context, opened func(incident.Incident, cloudtrail.Envelope)) error {
	if opened == nil {
		return nil
	}
	list, err := st.system.Services.Store.List(ctx, incident.Filter{})
	if err != nil {
		return err
	}
	for _, inc := range list {
		for _, id := range inc.Events {
			raw, err := st.system.Services.Timeline.Evidence(ctx, id)
			if err != nil {
				return fmt.Errorf("read event %s: %w", id, err)
			}
			envelope, err := cloudtrail.ParseEnvelope(raw)
			if err != nil {
				return err
			}
			opened(inc, envelope)
		}
	}
	return nil
}

// writeGuide writes down what a person is told to run.
func writeGuide(b *strings.Builder, inc incident.Incident) {
	g, ok := route.GuideOf(inc.Facts)
	if !ok {
		return
	}
	fmt.Fprintf(b, "  %s: %s\n", g.Class, g.What)
	for _, command := range g.Commands {
		fmt.Fprintf(b, "    %s\n", command)
	}
	for _, note := range g.Notes {
		fmt.Fprintf(b, "    note: %s\n", note)
	}
}
