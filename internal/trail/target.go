// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Names of the calls about trails.
const (
	CreateTrail         = "CreateTrail"
	UpdateTrail         = "UpdateTrail"
	DeleteTrail         = "DeleteTrail"
	StartLogging        = "StartLogging"
	StopLogging         = "StopLogging"
	PutEventSelectors   = "PutEventSelectors"
	PutInsightSelectors = "PutInsightSelectors"
	AddTags             = "AddTags"
	RemoveTags          = "RemoveTags"
)

// Changes are the calls that change a trail.
func Changes() []string {
	return []string{
		CreateTrail, UpdateTrail, DeleteTrail, StartLogging, StopLogging,
		PutEventSelectors, PutInsightSelectors, AddTags, RemoveTags,
	}
}

// ErrNotAboutTrail is returned for records that change no trail.
var ErrNotAboutTrail = errors.New("not a call that changes a trail")

// Target is the trail that a call was about.
type Target struct {
	Name string `json:"name"`
	// ARN is as AWS or the caller gave it, or put together from what the record says; see IsCertain.
	ARN        arn.ARN `json:"arn"`
	Account    string  `json:"account"` // of the owner
	HomeRegion string  `json:"home_region"`
	// IsCertain is false where only a name was given and the call failed: the trail may have another home region or
	// owner, or not exist. Look for it by name in the account and region before acting on it.
	IsCertain bool `json:"is_certain"`
}

// TargetOf returns the trail that a record is about. Where an ARN is given, owner and home region are its own, whatever
// the event says: that is how calls about shadow and organization trails find home. A mere name belongs to the account
// that received the record, and is one of the region of the event: calls that change a trail succeed nowhere else.
//
// Errors: ErrNotAboutTrail, or parameters that cannot be read.
func TargetOf(r cloudtrail.Record) (Target, error) {
	if !arn.IsServiceHost(r.EventSource, "cloudtrail") || !slices.Contains(Changes(), r.EventName) {
		return Target{}, fmt.Errorf("target of %.60q from %.60q: %w", r.EventName, r.EventSource, ErrNotAboutTrail)
	}
	request, response, err := read(r)
	if err != nil {
		return Target{}, fmt.Errorf("target: %w", err)
	}
	// AWS's own word counts before the caller's.
	for _, named := range []*text{response.TrailARN, request.ResourceID, request.TrailName, request.Name} {
		if named == nil || *named == "" {
			continue
		}
		if t, err := TargetOfARN(arn.ARN(*named)); err == nil {
			return t, nil
		}
		if strings.HasPrefix(string(*named), "arn:") {
			return Target{}, fmt.Errorf("target of %s %s: %.200q is no ARN of a trail: %w", r.EventName, r.EventID, *named, ErrNotAboutTrail)
		}
		return targetOfName(r, string(*named)), nil
	}
	return Target{}, fmt.Errorf("target of %s %s: the record names no trail: %w", r.EventName, r.EventID, ErrNotAboutTrail)
}

// TargetOfARN takes a trail's ARN apart.
func TargetOfARN(a arn.ARN) (Target, error) {
	p, err := a.Parse()
	if err != nil {
		return Target{}, fmt.Errorf("target: %w", err)
	}
	name, ok := strings.CutPrefix(p.Resource, "trail/")
	if !ok || p.Service != "cloudtrail" || name == "" || p.AccountID == "" || p.Region == "" {
		return Target{}, fmt.Errorf("target: %.200q is no ARN of a trail: %w", a, arn.ErrInvalid)
	}
	return Target{Name: name, ARN: a, Account: p.AccountID, HomeRegion: p.Region, IsCertain: true}, nil
}

func targetOfName(r cloudtrail.Record, name string) Target {
	account := r.RecipientAccountID
	if account == "" {
		account = r.UserIdentity.AccountID
	}
	return Target{
		Name: name, ARN: arn.Trail(r.AWSRegion, account, name), Account: account, HomeRegion: r.AWSRegion,
		IsCertain: !r.Failed() && account != "" && r.AWSRegion != "",
	}
}
