// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// trail is one trail. Its home region and its account are where it is changed; elsewhere it is a shadow.
type trail struct {
	account     *account
	home, name  string
	arn         string
	destination destination

	global, multiRegion, organization, validation bool
	logGroup, logRole                             string

	selectors []types.EventSelector // replaced as a whole, never changed in place
	advanced  []types.AdvancedEventSelector
	custom    bool // selectors were put
	insights  []types.InsightSelector
	tags      tags

	logging          bool
	started, stopped time.Time

	delivered, notified           time.Time
	deliveryError, notifyingError string
}

// destination is where log files go.
type destination struct{ bucket, prefix, topic, key string }

// maxTrails is how many trails a region may have, shadow trails included.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
const maxTrails = 5

// in reports whether the trail records what happens in an account and region.
func (t *trail) in(a *account, region string) bool {
	return (t.home == region || t.multiRegion) && (t.account == a || t.organization && a.organization != nil && a.organization == t.account.organization)
}

// trailsIn are the trails, logging or not, that are to be seen in an account and region: its own ones, shadows and those
// of its organization.
func (a *account) trailsIn(region string) []*trail {
	var out []*trail
	for _, t := range a.trails {
		if t.in(a, region) {
			out = append(out, t)
		}
	}
	if o := a.organization; o != nil && o.management != a {
		for _, t := range o.management.trails {
			if t.in(a, region) {
				out = append(out, t)
			}
		}
	}
	return out
}

// put adds t in the order of names.
func (a *account) put(t *trail) {
	i, _ := slices.BinarySearchFunc(a.trails, t, func(x, y *trail) int { return strings.Compare(x.name+x.arn, y.name+y.arn) })
	a.trails = slices.Insert(a.trails, i, t)
}

var trailChars = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// checkTrailName applies the rules of CreateTrail.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
func checkTrailName(name string) error {
	bad := func(format string, args ...any) error {
		return fail(400, &types.InvalidTrailNameException{Message: msg(format, args...)})
	}
	switch {
	case len(name) < 3:
		return bad("Trail name too short. Minimum allowed length: 3 characters. Specified name length: %d characters.", len(name))
	case len(name) > 128:
		return bad("Trail name too long. Maximum allowed length: 128 characters. Specified name length: %d characters.", len(name))
	case !alphanumeric(name[0]):
		return bad("Trail name must starts with a letter or number.")
	case !alphanumeric(name[len(name)-1]):
		return bad("Trail name must ends with a letter or number.")
	case !trailChars.MatchString(name):
		return bad("Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).")
	}
	for i := 1; i < len(name); i++ {
		if !alphanumeric(name[i]) && !alphanumeric(name[i-1]) {
			return bad("Trail name cannot have adjacent periods, underscores, or dashes.")
		}
	}
	return nil
}

func alphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}

// trailTarget is the ARN of the trail that a call names.
func trailTarget(c *call) string {
	name := text(c.in, "TrailName")
	if name == "" {
		name = text(c.in, "Name")
	}
	switch {
	case name == "":
		return "*"
	case arn.IsARN(name):
		return name
	default:
		return c.arnOf("cloudtrail", "trail/"+name)
	}
}

// trailToRead finds a trail by its name in its home region, or by its ARN wherever it is to be seen.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
func (c *call) trailToRead(nameOrARN string) (*trail, error) {
	isARN, err := checkTrailID(nameOrARN)
	if err != nil {
		return nil, err
	}
	for _, t := range c.account().trailsIn(c.region) {
		if isARN && t.arn == nameOrARN || !isARN && t.name == nameOrARN && t.home == c.region {
			c.touch("AWS::CloudTrail::Trail", t.arn)
			return t, nil
		}
	}
	return nil, c.unknownTrail(nameOrARN)
}

// trailToChange finds a trail that the call may change: in its home region, in the account that owns it.
func (c *call) trailToChange(nameOrARN string) (*trail, error) {
	isARN, err := checkTrailID(nameOrARN)
	if err != nil {
		return nil, err
	}
	for _, t := range c.account().trails {
		if isARN && t.arn == nameOrARN || !isARN && t.name == nameOrARN && t.in(c.account(), c.region) {
			c.touch("AWS::CloudTrail::Trail", t.arn)
			if t.home != c.region {
				return nil, fail(400, &types.InvalidHomeRegionException{Message: msg("Trail %s must be updated from its home region: %s.", t.arn, t.home)})
			}
			return t, nil
		}
	}
	for _, t := range c.account().trailsIn(c.region) {
		if t.account != c.account() && (t.arn == nameOrARN || t.name == nameOrARN) {
			return nil, fail(400, &types.OperationNotPermittedException{Message: msg("The organization trail %s can be changed only by its management account.", t.arn)})
		}
	}
	return nil, c.unknownTrail(nameOrARN)
}

// checkTrailID reports whether s is an ARN, and refuses what is neither ARN nor name.
func checkTrailID(s string) (isARN bool, err error) {
	if !strings.HasPrefix(s, "arn:") {
		return false, checkTrailName(s)
	}
	p, err := arn.Parse(s)
	if err != nil || p.Service != "cloudtrail" || !strings.HasPrefix(p.Resource, "trail/") {
		return false, fail(400, &types.CloudTrailARNInvalidException{Message: msg("The ARN %.200s is not that of a trail.", s)})
	}
	return true, nil
}

func (c *call) unknownTrail(nameOrARN string) error {
	if !arn.IsARN(nameOrARN) {
		nameOrARN = c.arnOf("cloudtrail", "trail/"+nameOrARN)
	}
	return fail(400, &types.TrailNotFoundException{Message: msg("Unknown trail: %s for the user: %s", nameOrARN, c.account().id)})
}

// wants reports whether the trail's selectors take the record.
func wants(r *cloudtrail.Record, basic []types.EventSelector, advanced []types.AdvancedEventSelector) bool {
	switch {
	case len(advanced) > 0:
		return slices.ContainsFunc(advanced, func(s types.AdvancedEventSelector) bool { return advancedWants(r, s) })
	case len(basic) > 0:
		return slices.ContainsFunc(basic, func(s types.EventSelector) bool { return basicWants(r, s) })
	default:
		return r.EventCategory == cloudtrail.CategoryManagement
	}
}

func basicWants(r *cloudtrail.Record, s types.EventSelector) bool {
	readOnly := r.ReadOnly != nil && *r.ReadOnly
	if s.ReadWriteType == types.ReadWriteTypeReadOnly && !readOnly || s.ReadWriteType == types.ReadWriteTypeWriteOnly && readOnly {
		return false
	}
	if r.EventCategory == cloudtrail.CategoryManagement {
		return (s.IncludeManagementEvents == nil || *s.IncludeManagementEvents) && !slices.Contains(s.ExcludeManagementEventSources, r.EventSource)
	}
	for _, d := range s.DataResources {
		for _, x := range r.Resources {
			if d.Type != nil && *d.Type == x.Type && slices.ContainsFunc(d.Values, func(v string) bool { return strings.HasPrefix(cmp.Or(x.ARN, x.ARNPrefix), v) }) {
				return true
			}
		}
	}
	return false
}

func advancedWants(r *cloudtrail.Record, s types.AdvancedEventSelector) bool {
	for _, f := range s.FieldSelectors {
		if f.Field == nil || !fieldWants(f, fieldValues(r, *f.Field)) {
			return false
		}
	}
	return true
}

// fieldValues are the values of a record that a field selector looks at.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
func fieldValues(r *cloudtrail.Record, field string) []string {
	var out []string
	switch field {
	case "eventCategory":
		return []string{r.EventCategory}
	case "eventSource":
		return []string{r.EventSource}
	case "eventName":
		return []string{r.EventName}
	case "eventType":
		return []string{r.EventType}
	case "errorCode":
		return []string{r.ErrorCode}
	case "userIdentity.arn":
		return []string{r.UserIdentity.ARN}
	case "vpcEndpointId":
		return []string{r.VPCEndpointID}
	case "readOnly":
		return []string{boolText(r.ReadOnly != nil && *r.ReadOnly)}
	case "sessionCredentialFromConsole":
		return []string{boolText(r.SessionCredentialFromConsole)}
	case "resources.type":
		for _, x := range r.Resources {
			out = append(out, x.Type)
		}
	case "resources.ARN":
		for _, x := range r.Resources {
			out = append(out, cmp.Or(x.ARN, x.ARNPrefix))
		}
	}
	return out
}

// fieldWants: any positive operator may hold, every negative one must.
func fieldWants(f types.AdvancedFieldSelector, values []string) bool {
	match := func(list []string, is func(s, x string) bool) bool {
		return slices.ContainsFunc(values, func(v string) bool {
			return slices.ContainsFunc(list, func(w string) bool { return is(v, w) })
		})
	}
	equal := func(s, x string) bool { return s == x }
	if match(f.NotEquals, equal) || match(f.NotStartsWith, strings.HasPrefix) || match(f.NotEndsWith, strings.HasSuffix) {
		return false
	}
	if len(f.Equals)+len(f.StartsWith)+len(f.EndsWith) == 0 {
		return true
	}
	return match(f.Equals, equal) || match(f.StartsWith, strings.HasPrefix) || match(f.EndsWith, strings.HasSuffix)
}

// takesData reports whether the trail's selectors ask for anything but management events.
func (t *trail) takesData() bool {
	return slices.ContainsFunc(t.selectors, func(s types.EventSelector) bool { return len(s.DataResources) > 0 }) ||
		slices.ContainsFunc(t.advanced, func(s types.AdvancedEventSelector) bool {
			return slices.ContainsFunc(s.FieldSelectors, func(f types.AdvancedFieldSelector) bool {
				return f.Field != nil && *f.Field == "eventCategory" && !slices.Contains(f.Equals, cloudtrail.CategoryManagement)
			})
		})
}
