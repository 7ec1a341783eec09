// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package trail holds the action that finds out what has become of the things that protected trails depend on: key,
// bucket, topic, log group, role. What it finds wrong is put right by the actions of those services, in the order in which
// it lists them; the trail itself is looked at by "cloudtrail:AssessTrail".
//
// "trail:AssessDependencies" (query). One of event_id, event and resource is needed.
//
//	input  {"event_id": "…",      event on this incident's timeline
//	        "event": {…},         or the CloudTrail record itself
//	        "resource": "arn:…"}  a protected trail, or what one depends on; it wins over what the event names
//	output {"reason": "one sentence",
//	        "at": "…",            before anything was read: what is delivered later was delivered after it
//	        "trail": "arn:…",     the first of trails; "" when no protected trail depends on the resource
//	        "trails": ["arn:…"],  protected trails that depend on it
//	        "others": ["arn:…"],  of those, all but the first
//	        "trigger": {"event_id", "event_name", "event_time", "failed"},
//	        "harmless": false,    the event weakened nothing that a trail depends on, and nothing else is weaker
//	        "planned": false,     it is as an exception allows until its end, and nothing else is wrong: nothing is to be done
//	        "needed": true,       something is weaker than its baseline
//	        "blind": true,        log files may not be written: of key or bucket
//	        "left": false,        what was asked about deviates, and no action puts it right: of a trail, any of its dependencies
//	        "wrong_owner": false, the bucket's name belongs to another account: never start or update towards it
//	        "needs_key", "needs_bucket", "needs_topic", "needs_log_group", "needs_role", "needs_rule", "needs_queue",
//	        "needs_alarm":        booleans, all there: an action puts that kind right
//	        "dependencies": [{"kind": "key", "resource": "arn:…", "account", "region",
//	                          "baseline_at": "…",   the version to go back to; absent when there is none
//	                          "trusted": true,      somebody answers for that version
//	                          "needed": true,       it is weaker and to be put right
//	                          "class": "restore | substitute | guide | alert | fine",
//	                          "planned": false,     it is as an exception allows, not as its baseline
//	                          "blind": true,        for want of it log files may not be written
//	                          "differences": [{"field", "want", "have", "note"}],
//	                          "reason": "one sentence"}],
//	        "restore": [{"kind", "resource", "account", "region", "baseline_at"}],   those of class restore, to be put right
//	        "called": true,       the event is a call; false for what was found without one
//	        "writers": [{"event_id", "event_name", "event_time", "principal", "resource"}],   without a call: who wrote to
//	                              what deviates since it was last seen to be well; they are put on the incident's chain
//	        "who_can": "…",       what a person must do, "" for nothing
//	        "gaps": ["what could not be read"]}
//
// Lists are in the order of repair. Classes: "restore", an action puts it back and reads it back; "substitute", it cannot
// be had back (the bucket's name is another account's, the key is gone), so that another trail must record meanwhile;
// "guide", a person must act, who_can says how; "alert", it differs from a version that nobody has approved, and is only
// shown. Of an unapproved version only what can be right in no other way is put back: a key that is enabled, a bucket that
// is there.
//
// Planned change (exceptions) is held against what the event itself set, as "cloudtrail:AssessTrail" does; a call whose event
// does not say that in full is not covered.
//
// "trail:AssessOwnParts" (query) does the same for what Switchback itself consists of, as the configuration lists it. It takes
// event_id, event and resource as above. No exception covers these.
//
//	output {"reason", "at", "trigger", "needed", "restore", "who_can", "gaps": as above,
//	        "part": "arn:…",      the first part that the event is about; "" for none
//	        "harmless": false,    it is about no part of ours, or weakened none
//	        "left": false,        a person must act: no action puts it right, or what was done cannot be read back
//	        "guided": false,      what was done cannot be read back, and guide:Write knows what people are to run
//	        "parts": […]}         as dependencies
//
// What cannot be read back: a queue that was purged, an alarm whose state was set, and functions, layers and state machines,
// which are only watched.
//
// "trail:ProveOwnParts" (query) reads all of them back and notes on the incident when they are as they should be, and when
// the event of a call of our own that was made for the incident came back through the sources. It looks once.
//
//	input  {"since": "…"}         when we began
//	output {"accepted": true, "returned": true, "reason": "one sentence", "at": "…"}
//
// Nothing else is written by the actions, and what attackers wrote is cut to size.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html says what trails need.
package trail
