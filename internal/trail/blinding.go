// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import "slices"

// blinding are the fields of dependencies that decide whether log files can be written at all, rather than whether they
// are read, kept, copied or told of.
var blinding = map[Kind][]string{
	KindKey: {FieldExists, FieldKeyState, FieldPolicy},
	KindBucket: {
		FieldBucketExists, FieldBucketOwner, FieldBucketRegion, FieldBucketPolicy, FieldBucketPayer, FieldBucketEncryption,
	},
}

// demanded are those of the blinding fields in which only one value can be right, whoever owns the resource.
var demanded = map[Kind][]string{
	KindKey:    {FieldExists, FieldKeyState},
	KindBucket: {FieldBucketExists, FieldBucketPayer},
	KindRule:   {FieldRuleBus, FieldExists, FieldRuleState},
	KindQueue:  {FieldExists},
	KindAlarm:  {FieldExists, FieldActionsEnabled},
}

// IsBlinding reports whether a difference in a resource of the kind can keep the trail's log files from being written.
func IsBlinding(kind Kind, d Difference) bool { return slices.Contains(blinding[kind], d.Field) }

// StopsDelivery reports whether with a difference in a resource of the kind no log file can be written, for certain. Others
// that are blinding may leave delivery as it was: the trail's status tells.
func StopsDelivery(kind Kind, d Difference) bool {
	switch kind {
	case KindKey:
		return d.Field == FieldExists || d.Field == FieldKeyState
	case KindBucket:
		return d.Field == FieldBucketExists || d.Field == FieldBucketOwner || d.Field == FieldBucketPayer ||
			d.Field == FieldBucketPolicy && d.Note == noteNotAllowed
	}
	return false
}

// IsDemanded reports whether a difference is wrong by itself, without a baseline that somebody has approved: the key of a
// trail must be enabled, its bucket there.
func IsDemanded(kind Kind, d Difference) bool { return slices.Contains(demanded[kind], d.Field) }
