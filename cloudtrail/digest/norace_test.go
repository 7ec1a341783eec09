// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package digest_test

const isRaceBuild = false
