// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package cloudtrail holds the actions that bring a trail back: assess what happened to it, put back what was taken,
// prove that it records again, gather what else is known.
//
// Every action takes the trail's ARN and calls AWS in the owner account and home region that the ARN names, never in
// those of the event. Every change compares first: what is already as wanted is left alone and said to be so, so a
// state machine that has a want may run the whole row CreateTrail, UpdateTrail, PutEventSelectors, PutInsightSelectors,
// AddTags, StartLogging without looking at what is needed. No action deletes a trail unless it undoes its own
// CreateTrail.
//
// # Assess
//
// "cloudtrail:AssessTrail" (query). One of event_id, event and trail is needed.
//
//	input  {"event_id": "…",      event on this incident's timeline
//	        "event": {…},         or the CloudTrail record itself
//	        "trail": "arn:…"}     or only the trail, when no event came; where both name one, this is meant
//	output {"verdict": "fine | stopped | deleted | weakened | foreign | unknown",
//	        "reason": "one sentence",
//	        "trail": "arn:…", "name", "account", "home_region",   owner and home region, from the ARN
//	        "trigger": {"event_id", "event_name", "event_time", "failed", "worse"},   worse: yes | no | unclear
//	        "severity": "critical | high | medium | low",
//	        "differences": [{"field", "want", "have", "note"}],
//	        "want": {…},            configuration to go back to; {} when none is known
//	        "want_source": "approved | snapshot | events | pipeline | baseline | none", "want_at": "…",
//	        "have": {…},            as read now; {} when deleted
//	        "steps": {"create", "update", "event_selectors", "insight_selectors", "tags", "start"},   booleans, all there
//	        "repairable": true,     false: verdict foreign, or nothing to go back to
//	        "who_can": "…",         when not repairable: who must act, where, with which call
//	        "lost": ["management write, all regions", …],   event classes that no logging trail covers now
//	        "gaps": ["what could not be read or searched"],
//	        "planned": false,       an exception covers the event, and nothing else is wrong: record it, change nothing
//	        "back_off_seconds": 0}  somebody weakens it again and again: wait so long, then assess again and put it back
//
// What an active exception allows, and what a configured pipeline changed that does not reduce coverage, counts as what the
// trail should be. With a back-off the incident is critical, and the fallback is told at once.
//
// Verdicts: deleted, then stopped, then weakened win over each other in this order; steps say everything that is
// needed. "foreign": the trail belongs to an account that we cannot act in. "unknown": the trail deviates, or is gone,
// and its former configuration is not known for certain. steps are then only those that need no configuration (start);
// want is a suggestion when want_source is "baseline" or "events", to be approved by a person and given to the changes.
// Verdict "fine" has no steps. A verdict about a call that failed (trigger.failed) is about the trail as it is.
//
// want is what the changes take: AWS's names (Name, TrailARN, HomeRegion, S3BucketName, … EventSelectors,
// AdvancedEventSelectors, InsightSelectors, Tags, IsLogging), or, where it is too large for a state machine,
// {"Snapshot": {"Resource": "arn:…", "TakenAt": "…"}}, a reference to the stored snapshot. An empty want is an error of
// the changes: nothing is invented.
//
// # Changes
//
//	"cloudtrail:CreateTrail"         {"trail", "want"}   all configuration but selectors; tags too
//	"cloudtrail:UpdateTrail"         {"trail", "want"}   all of it in one call, only when something was weakened, or with
//	                                 "revalidate": true, when a log group or role that it names was made again
//	"cloudtrail:PutEventSelectors"   {"trail", "want"}   classic or advanced, as wanted
//	"cloudtrail:PutInsightSelectors" {"trail", "want"}
//	"cloudtrail:AddTags"             {"trail", "want"}   adds and resets tags, removes none
//	"cloudtrail:StartLogging"        {"trail"}   never towards a bucket that changed hands
//	"cloudtrail:CreateEmergencyTrail" {"trail", "name"}   a trail "switchback-emergency-…" into the reserve bucket, that records
//	                                 what the other one should, and is started; name is optional: the incident's id
//	output, of each {"changed": true,    we changed it, and read the effect back
//	        "already": false,            it was as wanted: nothing sent
//	        "intended": false,           dry-run: it would have been sent
//	        "reason": "one sentence",
//	        "before": {…}, "after": {…}, what was read; {"omitted": true, "bytes", "sha256"} when large
//	        "request_id": "…",           of our call, "" when none was made by this attempt
//	        "at": "…"}                   when the effect was read back
//
// # Proofs
//
// "cloudtrail:ProveAccepted" (query): the state reads back as desired.
//
//	input  {"trail", "want",      want is optional: without it only logging, key and bucket are judged
//	        "also": ["arn:…"]}    optional: other trails that must stand too, since they share what was weakened
//	output {"accepted": true, "checks": [{"name", "ok", "found"}], "reason", "at", "gaps": []}
//
// checks are "logging", "configuration", "selectors", "insight selectors", "tags", "key", "bucket".
//
// "cloudtrail:ProveDelivering" (query): a log file delivered after our start holds the record of our own call.
// It looks once; loop over it with a Wait state.
//
//	input  {"trail",
//	        "since": "…",         optional: when our start was accepted; default: the trail's StartLoggingTime, or the
//	                              incident's first event where that is later (weakened, but not stopped)
//	        "request_id": "…",    optional: of our StartLogging; "" is allowed
//	        "blind_from": "…",    optional: default the incident's first event
//	        "also": ["arn:…"]}    optional: other trails that must deliver too
//	output {"delivered": false, "reason", "at",
//	        "file": "s3://…", "event_id", "event_name",     of the proof, when delivered
//	        "files_checked": 3, "latest_delivery_error": "",
//	        "blind": {"from", "until", "seconds", "proven"},  until: start of logging, the window being proven or not
//	        "gaps": []}
//
// "Our own call" is a change of this trail by the principal of our credentials, or the call with the request_id. Where
// the incident changed nothing, since somebody else put the trail right, any record of a later call is the proof.
//
// Both proofs note the moment on the incident (contained, proven), once, and on its timeline, and in the ledger of blind
// windows, which AssessTrail opens.
//
// # Backfill
//
// "cloudtrail:Backfill" (query): what no trail recorded in the incident's blind windows, from Event history, kept as
// evidence. One visit makes some requests and says when to come back; loop over it with a Wait state.
//
//	input  {}
//	output {"done": false, "next_after": 5,    seconds to wait before the next visit
//	        "reason", "from", "until", "estimate_seconds", "requests", "events",
//	        "by_order": [{"order": "session's keys | write events | rest", "events"}],
//	        "regions": [{"region", "outcome", "events"}],   with events, or not read to the end
//	        "file": "…/backfill-….jsonl.gz", "bytes",       one record a line; "" when nothing was found
//	        "lost": ["what nobody can bring back"],         data, network activity and Insights events
//	        "who_can": "…",                                 when a region was not read
//	        "gaps": []}
//
// It asks at most one request a second in each region, half of the quota, by the keys of the incident's events and those
// that they issued, then for write events, then for the rest. An estimate of the time is on the timeline before it begins.
// How far it is, is durable after each visit. Outcomes of a region: "read", "off" (not enabled: nothing happened there),
// "denied", "not read to the end" (throttled or unreachable for long, two hours over, or another refusal).
//
// # Gather
//
// "cloudtrail:Gather" (query): what is known around the event.
//
//	input  {"event_id" or "event", "trail", "want"}   trail and want optional; want is shown as the trail before
//	output {"event": {"event_id", "event_name", "event_time", "principal", "source_ip", "user_agent", "access_key",
//	                  "region", "account", "error_code", "parameters"},
//	        "before": {…}, "after": {…},
//	        "attempts": [{"event_id", "event_time", "event_name", "principal", "source_ip", "error_code"}],
//	        "attempts_total": 2,   on this trail in the 90 days before, the event itself left out
//	        "session": [{… as attempts, "service", "region"}], "session_total": 7,   same access key, an hour around
//	        "gaps": ["what could not be searched"]}
//
// Errors are named as Step Functions names those of its SDK integrations ("CloudTrail.TrailNotFoundException",
// "CloudTrail.AccessDeniedException", "CloudTrail.ThrottlingException"); our own are "Switchback.InvalidParameters",
// "Switchback.Paused", "Switchback.BudgetSpent", "Switchback.ApprovalRequired", "Switchback.NotVerified",
// "Switchback.NoReserveBucket", "Switchback.NoAccess", "Switchback.NotFound", "Switchback.NotSent", "Switchback.Unreachable", "Switchback.ForeignBucket"
// (the bucket to go back to belongs to somebody else by now: nothing is sent there) and "Switchback.Error".
//
// API: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/Welcome.html
package cloudtrail
