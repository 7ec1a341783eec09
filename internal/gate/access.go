// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/internal/arn"
)

// Sessions are the shortest that STS gives: what is stolen from our memory is worthless after a coffee.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	sessionDuration = 15 * time.Minute
	sessionRenewal  = 2 * time.Minute // before the end
	maxSessionName  = 64
)

// Access is how an account is reached.
type Access struct {
	RoleARN    string `yaml:"role_arn" json:"role_arn"`
	ExternalID string `yaml:"external_id" json:"external_id,omitempty"`
}

// credentials are those of the account's role, in a session of the incident, or the process's own.
func (g *Gate) credentials(incident, account, region string) aws.CredentialsProvider {
	access, ok := g.o.Accounts[account]
	if !ok {
		return g.base.Credentials
	}
	return g.sessions.get(g.o.Clock(), sessionKey{account, incident}, func() *session {
		return &session{gate: g, access: access, incident: incident, region: g.stsRegion(region), turn: make(chan struct{}, 1)}
	})
}

// stsRegion is our own region where it is in the same partition: its endpoint is enabled for us, and its tokens are valid
// in every region, also in those where the account may not call STS yet.
func (g *Gate) stsRegion(region string) string {
	home := g.base.Region
	if home != "" && arn.PartitionOf(home).ID == arn.PartitionOf(region).ID {
		return home
	}
	return region
}

type sessionKey struct{ account, incident string }

// sessions are the role sessions in use, one for each account and incident.
type sessions struct {
	mu    sync.Mutex
	known map[sessionKey]*session
	// unnamed are the roles that refuse a source identity.
	unnamed sync.Map
}

func (s *sessions) get(now time.Time, k sessionKey, make_ func() *session) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.known[k]; found != nil {
		return found
	}
	if s.known == nil {
		s.known = map[sessionKey]*session{}
	}
	for old, candidate := range s.known {
		if candidate.isOver(now) {
			delete(s.known, old)
		}
	}
	made := make_()
	s.known[k] = made
	return made
}

// session is one role session, renewed as needed.
type session struct {
	gate     *Gate
	access   Access
	incident string
	region   string
	turn     chan struct{} // held while assuming the role, so that one of many waiters asks STS
	mu       sync.Mutex
	creds    aws.Credentials
}

// Retrieve implements aws.CredentialsProvider.
func (s *session) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if creds, ok := s.current(); ok {
		return creds, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return aws.Credentials{}, ctx.Err()
	}
	if creds, ok := s.current(); ok {
		return creds, nil
	}
	creds, err := s.assume(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("assume role %s: %w", s.access.RoleARN, err)
	}
	s.mu.Lock()
	s.creds = creds
	s.mu.Unlock()
	return creds, nil
}

func (s *session) current() (aws.Credentials, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creds, s.creds.HasKeys() && s.gate.o.Clock().Before(s.creds.Expires.Add(-sessionRenewal))
}

// isOver reports whether a session was used and has ended.
func (s *session) isOver(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creds.HasKeys() && now.After(s.creds.Expires)
}

// assume asks STS, without the source identity where the role's trust policy does not allow to set one.
func (s *session) assume(ctx context.Context) (aws.Credentials, error) {
	identity := sourceIdentity(s.incident)
	if _, refused := s.gate.sessions.unnamed.Load(s.access.RoleARN); refused {
		identity = nil
	}
	out, err := s.assumeAs(ctx, identity)
	if identity != nil && refusesSourceIdentity(err) {
		if _, known := s.gate.sessions.unnamed.LoadOrStore(s.access.RoleARN, true); !known {
			s.gate.o.Logger.WarnContext(ctx, "role refuses a source identity, going on without: allow sts:SetSourceIdentity in its trust policy",
				"role_arn", s.access.RoleARN)
		}
		out, err = s.assumeAs(ctx, nil)
	}
	if err != nil {
		return aws.Credentials{}, err
	}
	if out.Credentials == nil {
		return aws.Credentials{}, errors.New("the answer holds no credentials")
	}
	c := out.Credentials
	return aws.Credentials{
		AccessKeyID: aws.ToString(c.AccessKeyId), SecretAccessKey: aws.ToString(c.SecretAccessKey),
		SessionToken: aws.ToString(c.SessionToken), Source: "SwitchbackGate",
		CanExpire: true, Expires: aws.ToTime(c.Expiration),
	}, nil
}

func (s *session) assumeAs(ctx context.Context, identity *string) (*sts.AssumeRoleOutput, error) {
	own := s.gate.Door(Scope{Incident: s.incident}).config("", s.region)
	in := &sts.AssumeRoleInput{
		RoleArn:         &s.access.RoleARN,
		RoleSessionName: aws.String(sessionName(s.incident)),
		DurationSeconds: aws.Int32(int32(sessionDuration / time.Second)),
		SourceIdentity:  identity,
	}
	if s.access.ExternalID != "" {
		in.ExternalId = &s.access.ExternalID
	}
	return sts.NewFromConfig(own).AssumeRole(ctx, in)
}

// refusesSourceIdentity tells this refusal from that of the role itself by the permission that the message names.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func refusesSourceIdentity(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	return strings.HasPrefix(api.ErrorCode(), "AccessDenied") && strings.Contains(api.ErrorMessage(), "SourceIdentity")
}

// sessionName is switchback-INCIDENT in the characters that STS allows.
func sessionName(incident string) string {
	if incident == "" {
		return product
	}
	return cut(product+"-"+stsName(incident), maxSessionName)
}

// sourceIdentity is the incident; nil where there is none or it is too short for STS.
func sourceIdentity(incident string) *string {
	name := cut(stsName(incident), maxSessionName)
	if len(name) < 2 {
		return nil
	}
	return &name
}

func stsName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', strings.ContainsRune("_+=,.@-", r):
			return r
		}
		return '-'
	}, s)
}

// Identity is who the gate is in an account.
type Identity struct {
	Account, ARN, UserID string
}

// callers are the answers of Caller.
type callers struct {
	mu    sync.Mutex
	known map[string]Identity
}

// Caller asks sts:GetCallerIdentity who we are in an account ("" for the process's own credentials) and keeps the answer.
func (g *Gate) Caller(ctx context.Context, account, region string) (Identity, error) {
	g.callers.mu.Lock()
	found, ok := g.callers.known[account]
	g.callers.mu.Unlock()
	if ok {
		return found, nil
	}
	region = cmp.Or(region, g.base.Region)
	if region == "" {
		return Identity{}, ErrNoRegion
	}
	out, err := sts.NewFromConfig(g.Door(Scope{}).config(account, region)).GetCallerIdentity(ctx, nil)
	if err != nil {
		return Identity{}, err
	}
	id := Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn), UserID: aws.ToString(out.UserId)}
	g.callers.mu.Lock()
	defer g.callers.mu.Unlock()
	if g.callers.known == nil {
		g.callers.known = map[string]Identity{}
	}
	g.callers.known[account] = id
	return id, nil
}
