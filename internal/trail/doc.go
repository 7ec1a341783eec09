// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package trail decides about CloudTrail trails: is this configuration weaker than that one, what did the trail look
// like before, what does a call mean for it, which events does nobody record any more.
//
// It only judges. Reading trails from AWS is the business of internal/state, changing them that of
// internal/action/cloudtrail. There is no clock and no network here, and nothing is invented: what the evidence does
// not say is reported as a gap.
//
// Two rules hold everywhere. A call that strengthens one field and weakens another is a weakening. A new destination or
// a new key is never a strengthening, since it may be the attacker's.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-create-and-update-a-trail.html
package trail
