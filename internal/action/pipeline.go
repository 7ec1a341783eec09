// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"errors"
	"fmt"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// Pipeline is automation that our configuration names: it may change attributes that do not reduce coverage, without being
// fought. It is recognised by its role together with what its holder cannot choose, never by a user agent or a session name.
type Pipeline struct {
	Name string
	// Role is the ARN of the role that it assumes, with its path.
	Role arn.ARN
	// Provider (the ARN of an OIDC provider) and Subject (the token's "sub") are of the call that issued the session. Both
	// are given or none.
	Provider, Subject string
	// SourceIdentity was set when the first role of the chain was assumed, and cannot change along it.
	SourceIdentity string
}

// Check refuses a pipeline that anybody who may assume the role could imitate.
func (p Pipeline) Check() error {
	role, err := arn.Parse(string(p.Role))
	switch {
	case p.Name == "":
		return errors.New("a pipeline without a name")
	case err != nil || role.Service != "iam":
		return fmt.Errorf("pipeline %s: %.200q is no ARN of a role", p.Name, p.Role)
	case (p.Provider == "") != (p.Subject == ""):
		return fmt.Errorf("pipeline %s: an OIDC subject counts only with its provider, and the other way round", p.Name)
	case p.Subject == "" && p.SourceIdentity == "":
		return fmt.Errorf("pipeline %s: the role alone says nothing; give an OIDC provider and subject, or a source identity", p.Name)
	}
	return nil
}

// PipelineOf returns the pipeline that made a call, false when none of the configured ones did or it cannot be proven.
func (e *Env) PipelineOf(ctx context.Context, r cloudtrail.Record) (Pipeline, bool, error) {
	session := r.UserIdentity.SessionContext
	if r.UserIdentity.Type != cloudtrail.IdentityAssumedRole || session == nil {
		return Pipeline{}, false, nil
	}
	for _, p := range e.Pipelines {
		if p.Check() != nil || session.SessionIssuer.ARN != string(p.Role) {
			continue
		}
		if p.SourceIdentity != "" && session.SourceIdentity != p.SourceIdentity {
			continue
		}
		ok, err := e.isIssuedTo(ctx, p, r.UserIdentity.AccessKeyID)
		if err != nil || ok {
			return p, ok, err
		}
	}
	return Pipeline{}, false, nil
}

// isIssuedTo reports whether STS issued the key to the pipeline's OIDC subject. What the subject was, only the event of
// that call says.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func (e *Env) isIssuedTo(ctx context.Context, p Pipeline, key string) (bool, error) {
	if p.Subject == "" {
		return true, nil
	}
	if e.Sessions == nil || key == "" {
		return false, nil
	}
	issued, err := e.Sessions.IssuedBy(ctx, key)
	if err != nil && !errors.Is(err, incident.ErrNotFound) {
		return false, fmt.Errorf("look for who got the session of pipeline %s: %w", p.Name, err)
	}
	for _, s := range issued {
		r, err := identity.ParseEvidence(s.Record)
		if err != nil {
			continue // a record that cannot be read proves nothing
		}
		issue, ok := identity.IssueOf(r)
		u := r.UserIdentity
		if ok && issue.AccessKeyID == key && r.EventName == "AssumeRoleWithWebIdentity" && u.Type == cloudtrail.IdentityWebIdentityUser &&
			u.IdentityProvider == p.Provider && u.UserName == p.Subject {
			return true, nil
		}
	}
	return false, nil
}
