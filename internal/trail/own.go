// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// Kinds of our own parts that are only watched: whoever deployed them deploys them again.
const (
	KindFunction     Kind = "function"
	KindLayer        Kind = "layer"
	KindStateMachine Kind = "state-machine"
)

// ownKinds are the kinds of what Switchback itself consists of, by service and the beginning of the resource in an ARN.
var ownKinds = []struct {
	service, prefix string
	kind            Kind
}{
	{"events", "rule/", KindRule},
	{"sqs", "", KindQueue},
	{"cloudwatch", "alarm:", KindAlarm},
	{"iam", "role/", KindRole},
	{"sns", "", KindTopic},
	{"kms", "key/", KindKey},
	{"logs", "log-group:", KindLogGroup},
	{"lambda", "function:", KindFunction},
	{"lambda", "layer:", KindLayer},
	{"states", "stateMachine:", KindStateMachine},
}

// OwnParts are the resources of the ARNs as those to look after, in the order of repair; what is only watched comes last.
// An ARN that is none, or of something that Switchback does not look after, is an error.
func OwnParts(list []arn.ARN) ([]Dependency, error) {
	var out []Dependency
	for _, a := range list {
		p, err := a.Parse()
		if err != nil {
			return nil, fmt.Errorf("own part %.200q: %w", a, err)
		}
		kind := ownKind(p)
		if kind == "" {
			return nil, fmt.Errorf("own part %.200q: a %s of this kind is not looked after", a, p.Service)
		}
		region := p.Region
		if partition, ok := arn.PartitionByID(p.Partition); ok && region == "" {
			region = partition.GlobalRegion
		}
		out = append(out, Dependency{Kind: kind, ARN: a, Account: p.AccountID, Region: region})
	}
	slices.SortStableFunc(out, func(a, b Dependency) int { return orderOf(a.Kind) - orderOf(b.Kind) })
	return slices.CompactFunc(out, func(a, b Dependency) bool { return a.ARN == b.ARN }), nil
}

func ownKind(p arn.Parts) Kind {
	for _, k := range ownKinds {
		if p.Service == k.service && strings.HasPrefix(p.Resource, k.prefix) && p.AccountID != "" {
			return k.kind
		}
	}
	return ""
}

func orderOf(kind Kind) int {
	if i := slices.Index(Kinds(), kind); i >= 0 {
		return i
	}
	return len(Kinds())
}
