// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package digest_test

// isRaceBuild shortens what has nothing to do with races: the detector makes it ten times slower.
const isRaceBuild = true
