// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package evidence holds the action that keeps copies of what AWS holds, before anybody can take it away.
//
// # evidence:Copy
//
// Copies the objects that the incident's events name (detail.bucket and detail.key) with their metadata into the
// incident's evidence folder, as `switchback validate-logs --local` reads it: s3/BUCKET/KEY, s3-metadata.json, and
// evidence.json with size and SHA-256 of each. Each execution writes a folder of its own, so that a later copy never
// replaces an earlier one. It takes no input. Output:
//
//	{"folder": "…/evidence/ID/ID", "copied": 2, "objects": [{"bucket", "key", "size", "sha256"}, …],
//	 "missing": [{"bucket", "key", "reason"}, …], "unreadable": [{"bucket", "key", "reason"}, …]}
//
// An object that is not there is missing, which is a finding itself; one that could not be read, or is too large, is
// unreadable and stays open for a human. The incident is contained once everything that is there was copied: nothing in
// AWS can be put back, the evidence can be kept.
//
// Events are hostile: whoever may put events on the bus can name any object. The copies are bounded in number and size
// and stay in the folder.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
package evidence
