// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package standard links what a normal build of Switchback knows: one blank import for each open set's member.
package standard

import (
	"slices"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/cloudtrail"  // actions on trails
	_ "github.com/switchback-project/switchback/internal/action/cloudwatch"  // alarms
	_ "github.com/switchback-project/switchback/internal/action/contact"     // whom to tell
	_ "github.com/switchback-project/switchback/internal/action/events"      // rules that bring us events
	_ "github.com/switchback-project/switchback/internal/action/evidence"    // copies of what was found
	_ "github.com/switchback-project/switchback/internal/action/guide"       // what a person has to run
	_ "github.com/switchback-project/switchback/internal/action/iam"         // roles of trails
	_ "github.com/switchback-project/switchback/internal/action/identity"    // who did it
	_ "github.com/switchback-project/switchback/internal/action/kms"         // keys of trails
	_ "github.com/switchback-project/switchback/internal/action/logs"        // log groups of trails
	_ "github.com/switchback-project/switchback/internal/action/notify"      // telling them
	_ "github.com/switchback-project/switchback/internal/action/report"      // writing it down
	_ "github.com/switchback-project/switchback/internal/action/s3"          // buckets of trails
	_ "github.com/switchback-project/switchback/internal/action/sns"         // topics of trails
	_ "github.com/switchback-project/switchback/internal/action/source"      // is it heard again
	_ "github.com/switchback-project/switchback/internal/action/sqs"         // queues from which we take them
	_ "github.com/switchback-project/switchback/internal/action/trail"       // what trails depend on
	_ "github.com/switchback-project/switchback/internal/contact/account"    // security contact of the account
	_ "github.com/switchback-project/switchback/internal/contact/file"       // directory file
	_ "github.com/switchback-project/switchback/internal/contact/httpjson"   // HTTP directory
	_ "github.com/switchback-project/switchback/internal/contact/iamtags"    // IAM tags, as a hint
	_ "github.com/switchback-project/switchback/internal/notify/console"     // log
	_ "github.com/switchback-project/switchback/internal/notify/ocsf"        // findings for data lakes and SIEMs
	_ "github.com/switchback-project/switchback/internal/notify/pagerduty"   // pager
	_ "github.com/switchback-project/switchback/internal/notify/securityhub" // findings in Security Hub
	_ "github.com/switchback-project/switchback/internal/notify/ses"         // mail through SES
	_ "github.com/switchback-project/switchback/internal/notify/slack"       // Slack webhook
	_ "github.com/switchback-project/switchback/internal/notify/smtp"        // mail
	_ "github.com/switchback-project/switchback/internal/notify/sns"         // topic
	_ "github.com/switchback-project/switchback/internal/notify/ticket"      // Jira and ServiceNow
	_ "github.com/switchback-project/switchback/internal/notify/webhook"     // signed webhook, and Teams
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/source"
	_ "github.com/switchback-project/switchback/internal/source/files"     // files and folders
	_ "github.com/switchback-project/switchback/internal/source/heartbeat" // a sign of life, and who gives none
	_ "github.com/switchback-project/switchback/internal/source/integrity" // log file integrity, validated again and again
	_ "github.com/switchback-project/switchback/internal/source/s3"        // log files in buckets
	_ "github.com/switchback-project/switchback/internal/source/sqs"       // queues
	_ "github.com/switchback-project/switchback/internal/source/watcher"   // the stop whose event never came

	// On its own: its length would move all comments above.
	_ "github.com/switchback-project/switchback/internal/contact/identitycenter" // users of IAM Identity Center
)

// Catalog is what runbooks may name in this build.
type Catalog struct{ action.Catalog }

var _ runbook.Catalog = Catalog{}

// IsSource reports whether events can come in under this name.
func (Catalog) IsSource(name string) bool { return source.Gives(name) }

// Classes lists the action classes that a policy may name, sorted.
func Classes() []string {
	var all []string
	for _, info := range action.All() {
		all = append(all, info.Class)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Restoring are the classes that put coverage or protection back; their budget is a reserve that nothing else draws on.
func Restoring() []string { return []string{"restore-bucket", "restore-trail"} }
