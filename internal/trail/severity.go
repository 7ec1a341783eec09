// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"slices"
	"strings"
)

// Severity has the values of incident.Severity, which stands on a higher floor.
type Severity string

// The severities.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// SeverityOf judges what happened to a trail by what is not recorded any more over all trails, then by what the trail
// itself lost: losing management events somewhere is critical, stopping a secondary trail is medium, a lost tag is low. What
// trails the other accounts of an organization have is not known: losing theirs counts as losing their management events.
func SeverityOf(differences []Difference, lost []Cell) Severity {
	switch {
	case slices.ContainsFunc(differences, func(d Difference) bool { return d.Field == FieldIsOrganization }):
		return Critical
	case slices.ContainsFunc(lost, func(c Cell) bool { return strings.HasPrefix(c.Class, "management") }):
		return Critical
	case len(lost) > 0, slices.ContainsFunc(differences, Difference.IsDestination):
		return High
	case slices.ContainsFunc(differences, func(d Difference) bool { return !d.IsTag() }):
		return Medium
	}
	return Low
}
