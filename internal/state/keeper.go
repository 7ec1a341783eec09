// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// Keeper keeps versions and decides which of them are trusted. A first version is not, until a person approves it. A later
// one that weakens nothing is trusted as the trusted one before it, once it is known who wrote it, and that nobody who did
// is on the identity chain of an open incident.
type Keeper struct {
	Into Snapshots
	// Incidents and History tell who wrote what; where either is nil nobody is known, and what changed stays untrusted.
	Incidents Incidents
	History   History
}

// Incidents lists incidents; incident.Store does.
type Incidents interface {
	List(ctx context.Context, f incident.Filter) ([]incident.Incident, error)
}

// settled is how old a change must be before Event history is taken to tell of all that led to it.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html: within an average of 5 minutes.
const settled = 15 * time.Minute

// Keep keeps a reading that weakens nothing, and returns the version that it now is. gaps say in words what could not be
// found out about it.
func (k Keeper) Keep(ctx context.Context, door *gate.Door, d trail.Dependency, s Snapshot) (kept Snapshot, gaps []string, err error) {
	soon := s.TakenAt.Add(time.Nanosecond)
	base, err := BaselineBefore(ctx, k.Into, s.Resource, soon)
	known := err == nil
	if err != nil && !errors.Is(err, incident.ErrNotFound) {
		return s, nil, err
	}
	if known && base.IsTrusted() && bytes.Equal(base.Content, s.Content) {
		s.TrustedBy, s.TrustedAt, s.Writer, s.WrittenBy = base.TrustedBy, base.TrustedAt, base.Writer, base.WrittenBy
		s.TrustReason = base.TrustReason
	}
	if err := k.Into.PutSnapshot(ctx, s); err != nil {
		return s, nil, err
	}
	if kept, err = k.Into.SnapshotBefore(ctx, s.Resource, soon); err != nil {
		return s, nil, err
	}
	if kept.IsTrusted() || !known || !base.IsTrusted() || s.TakenAt.Sub(kept.TakenAt) < settled {
		return kept, nil, nil
	}
	return k.follow(ctx, door, d, base, kept)
}

// follow trusts a version as the one that it only strengthens, if those who wrote it may.
func (k Keeper) follow(ctx context.Context, door *gate.Door, d trail.Dependency, base, kept Snapshot) (Snapshot, []string, error) {
	written, gaps, err := k.Writers(ctx, door, d, base.LastSeenAt.Add(-time.Minute), kept.TakenAt)
	if err != nil {
		return kept, nil, err
	}
	if len(written) == 0 || k.Incidents == nil {
		return kept, append(gaps, fmt.Sprintf("%s changed, and who wrote it was not found: it is not trusted until somebody approves it", d.ARN)), nil
	}
	suspect, err := k.Suspect(ctx, written)
	if err != nil {
		return kept, nil, err
	}
	if suspect != nil {
		return kept, append(gaps, fmt.Sprintf("%s was changed by somebody on the identity chain of %s: it is not trusted", d.ARN, suspect.Incident)), nil
	}
	last := written[len(written)-1]
	kept.Writer, kept.WrittenBy = identity.PrincipalOf(last.UserIdentity).String(), last.EventID
	kept.TrustedBy, kept.TrustedAt = base.TrustedBy, kept.TakenAt
	kept.TrustReason = fmt.Sprintf("only strengthens the trusted version of %s", base.TakenAt.UTC().Format(time.RFC3339))
	return kept, gaps, k.Into.TrustSnapshot(ctx, kept)
}

// historyBack is how far back who wrote a version is looked for at its approval: what Event history keeps.
const historyBack = historyDays * 24 * time.Hour

// Examine finds out who wrote a version that a person wants to approve, and returns it with that. It must not be approved
// where somebody on the identity chain of an open incident did. gaps say what could not be found out: that is for the
// person to weigh.
func (k Keeper) Examine(ctx context.Context, door *gate.Door, d trail.Dependency, s Snapshot) (examined Snapshot, suspect *Suspicion, gaps []string, err error) {
	written, gaps, err := k.Writers(ctx, door, d, s.TakenAt.Add(-historyBack), s.TakenAt)
	if err != nil {
		return s, nil, nil, err
	}
	if n := len(written); n > 0 {
		s.Writer, s.WrittenBy = identity.PrincipalOf(written[n-1].UserIdentity).String(), written[n-1].EventID
	}
	suspect, err = k.Suspect(ctx, written)
	return s, suspect, gaps, err
}

// Writers returns the successful calls between two moments that wrote to a resource, a trail included, oldest first.
// Where no history is at hand, or it cannot be searched, that is a gap.
func (k Keeper) Writers(ctx context.Context, door *gate.Door, d trail.Dependency, from, to time.Time) ([]cloudtrail.Record, []string, error) {
	if k.History == nil {
		return nil, []string{"who wrote " + string(d.ARN) + " was not searched: no history is at hand"}, nil
	}
	var (
		found []cloudtrail.Record
		gaps  []string
		seen  = map[cloudtrail.EventID]bool{}
	)
	for _, name := range namesOf(d) {
		records, missing, err := k.History.Lookup(ctx, door, Query{
			Account: d.Account, Region: recordedIn(d), From: from, To: to, ResourceName: name,
		})
		if ctx.Err() != nil {
			return nil, nil, err
		}
		if err != nil {
			missing = append(missing, fmt.Sprintf("who wrote %s was not searched: %v", d.ARN, err))
		}
		gaps = append(gaps, missing...)
		for _, r := range records {
			if !seen[r.EventID] && writes(r, d) {
				seen[r.EventID] = true
				found = append(found, r)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b cloudtrail.Record) int { return a.EventTime.Compare(b.EventTime) })
	return found, gaps, nil
}

// namesOf are the names by which Event history may know a resource.
func namesOf(d trail.Dependency) []string {
	names := []string{string(d.ARN)}
	if p, err := d.ARN.Parse(); err == nil {
		names = append(names, strings.TrimPrefix(p.Name(), "log-group:"))
	}
	return slices.Compact(names)
}

// recordedIn is the region whose Event history tells of calls on the resource.
func recordedIn(d trail.Dependency) string {
	if d.Kind == trail.KindRole {
		return arn.PartitionOf(d.Region).GlobalRegion
	}
	return d.Region
}

// writes reports whether a record is of a call that changed the resource.
func writes(r cloudtrail.Record, d trail.Dependency) bool {
	if r.Failed() || r.ReadOnly != nil && *r.ReadOnly {
		return false
	}
	if of, err := trail.TargetOf(r); err == nil {
		return of.ARN == d.ARN
	}
	return slices.ContainsFunc(trail.Touched(r), func(t trail.Touch) bool { return t.Is(d) })
}

// Suspicion says why a version cannot become the baseline.
type Suspicion struct {
	Incident incident.ID
	Event    cloudtrail.EventID
	// Principal is who made the call.
	Principal string
}

// ErrSuspect is wrapped where what somebody under suspicion wrote was to become the baseline.
var ErrSuspect = errors.New("written by somebody on the identity chain of an open incident")

// Error says what is suspected.
func (s *Suspicion) Error() string {
	return fmt.Sprintf("%v: %s by %s, on the chain of %s", ErrSuspect, s.Event, identity.Printable(s.Principal, 300), s.Incident)
}

// Unwrap is ErrSuspect.
func (*Suspicion) Unwrap() error { return ErrSuspect }

// Suspect looks for the first of the calls that was made by somebody on the identity chain of an incident that is not
// closed: by the principal itself, a person of the same name, or a session of the same role. nil: there is none.
func (k Keeper) Suspect(ctx context.Context, written []cloudtrail.Record) (*Suspicion, error) {
	if k.Incidents == nil || len(written) == 0 {
		return nil, nil
	}
	open, err := k.Incidents.List(ctx, incident.Filter{Statuses: []incident.Status{incident.Open, incident.Acknowledged}})
	if err != nil {
		return nil, fmt.Errorf("list open incidents: %w", err)
	}
	for _, r := range written {
		for _, inc := range open {
			if isOnChain(inc, r) {
				return &Suspicion{inc.ID, r.EventID, identity.PrincipalOf(r.UserIdentity).String()}, nil
			}
		}
	}
	return nil, nil
}

// isOnChain: a new session of a role costs its holder one call, so that every session of a role on the chain is.
func isOnChain(inc incident.Incident, r cloudtrail.Record) bool {
	if inc.IsOnChain((identity.Resolution{}).Principals(r)...) {
		return true
	}
	role := roleOf(r.UserIdentity.ARN)
	return role != "" && slices.ContainsFunc(append([]string{inc.Who.Principal}, inc.Who.Chain...), func(on string) bool { return roleOf(on) == role })
}

// roleOf is account and role of a session's ARN, "" for anything else.
func roleOf(principal string) string {
	p, err := arn.Parse(principal)
	if err != nil {
		return ""
	}
	name, ok := strings.CutPrefix(p.Resource, "assumed-role/")
	if !ok {
		return ""
	}
	role, _, _ := strings.Cut(name, "/")
	return p.AccountID + "/" + role
}
