// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/trail"
)

// Of a baseline that nobody approved, what every trail should have is put back, and only where the trail once had it.
func TestDemanded(t *testing.T) {
	full := trail.Trail{
		Name: "main", S3BucketName: "logs", KmsKeyId: "k", IsLogging: true, IsMultiRegionTrail: true, IncludeGlobalServiceEvents: true,
		LogFileValidationEnabled: true, EventSelectors: trail.DefaultEventSelectors(), Tags: map[string]string{"team": "security"},
	}
	for name, tt := range map[string]struct {
		last, have, want func(*trail.Trail)
	}{
		"a stop": {
			have: func(x *trail.Trail) { x.IsLogging = false },
		},
		"flags": {
			have: func(x *trail.Trail) {
				x.IsMultiRegionTrail, x.IncludeGlobalServiceEvents, x.LogFileValidationEnabled = false, false, false
			},
		},
		"management events": {
			have: func(x *trail.Trail) {
				x.EventSelectors = []trail.EventSelector{{ReadWriteType: "ReadOnly", IncludeManagementEvents: true}}
			},
		},
		"what it never had": {
			last: func(x *trail.Trail) { x.IsMultiRegionTrail, x.IsLogging = false, false },
			have: func(x *trail.Trail) { x.IsMultiRegionTrail, x.IsLogging = false, false },
			want: func(x *trail.Trail) { x.IsMultiRegionTrail, x.IsLogging = false, false },
		},
		"where it writes is for a person": {
			have: func(x *trail.Trail) { x.S3BucketName, x.KmsKeyId, x.Tags = "other", "", nil },
			want: func(x *trail.Trail) { x.S3BucketName, x.KmsKeyId, x.Tags = "other", "", nil },
		},
		"what is stronger stays": {
			last: func(x *trail.Trail) { x.LogFileValidationEnabled = false },
		},
	} {
		make := func(change func(*trail.Trail)) trail.Trail {
			x := full.Canonical()
			if change != nil {
				change(&x)
			}
			return x.Canonical()
		}
		got := trail.Demanded(make(tt.last), make(tt.have))
		if diff := cmp.Diff(make(tt.want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestIsBlinding(t *testing.T) {
	for _, tt := range []struct {
		kind               trail.Kind
		field              string
		blinding, demanded bool
	}{
		{trail.KindKey, trail.FieldKeyState, true, true},
		{trail.KindKey, trail.FieldPolicy, true, false},
		{trail.KindKey, trail.FieldAliases, false, false},
		{trail.KindBucket, trail.FieldBucketExists, true, true},
		{trail.KindBucket, trail.FieldBucketOwner, true, false},
		{trail.KindBucket, trail.FieldBucketPolicy, true, false},
		{trail.KindBucket, trail.FieldBucketLifecycle, false, false},
		{trail.KindTopic, trail.FieldExists, false, false},
	} {
		d := trail.Difference{Field: tt.field}
		if got := trail.IsBlinding(tt.kind, d); got != tt.blinding {
			t.Errorf("%s of a %s: blinding %t", tt.field, tt.kind, got)
		}
		if got := trail.IsDemanded(tt.kind, d); got != tt.demanded {
			t.Errorf("%s of a %s: demanded %t", tt.field, tt.kind, got)
		}
	}
}
