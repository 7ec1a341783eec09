// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"time"

	"github.com/switchback-project/switchback/internal/report"
	"github.com/switchback-project/switchback/internal/runbook"
)

// Objectives returns what reports measure the incidents of each runbook against.
func Objectives(books []*runbook.Runbook) func(id string) report.Objectives {
	all := map[string]report.Objectives{}
	for _, b := range books {
		o := b.Manifest.Objectives
		all[string(b.Manifest.ID)] = report.Objectives{
			Contained: time.Duration(o.Contained), HumanReached: time.Duration(o.HumanReached), Report: time.Duration(o.Report),
		}
	}
	return func(id string) report.Objectives { return all[id] }
}
