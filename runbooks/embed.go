// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package runbooks embeds the runbooks that ship with Switchback: one folder each, named by the runbook's id. Adding a
// runbook is adding a folder; nothing else has to change.
package runbooks

import "embed"

//go:generate sh -c "go run ../cmd/switchback runbook graph cloudtrail-off --format svg > ../docs/cloudtrail-off.svg"

// FS holds every runbook's folder.
//
//go:embed */*
var FS embed.FS
