// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package report holds the action that writes an incident's report.
//
// # report:Write
//
// Writes report.md, report.html and report.json of the incident, as it stands now. Input:
//
//	{"stage": "provisional" | "final"}
//
// Provisional is the report while the effect is accepted but not yet proven; a later final one replaces it. Output:
//
//	{"stage": "final", "reported_at": "2026-05-04T10:11:40Z",
//	 "artefacts": [{"name": "report.md", "path": "…", "sha256": "…", "size": 12345}, …]}
//
// Times.Reported is the first report's moment. The artefacts with their SHA-256 are on the timeline.
package report
