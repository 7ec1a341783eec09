// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// patience is how many looks may fail in a row before that is a finding.
const patience = 3

// maxSlow bounds how often the interval of a tier is doubled whose answers are throttled.
const maxSlow = 3

// failure is how the looks at one tier of a resource have failed since the last one that did not.
type failure struct{ rounds, slow int }

// Why a resource cannot be looked at.
const (
	outcomeNoAccess    = "no-access"      // no role of ours is configured for its account
	outcomeDenied      = "denied"         // AWS refuses us
	outcomeRegionOff   = "region-off"     // the account does not use the region, or not any more
	outcomeLeft        = "account-left"   // the account is not one of our organization any more
	outcomeClosed      = "account-closed" // the account is suspended or closed
	outcomeThrottled   = "throttled"
	outcomeUnreachable = "unreachable" // no answer came
	outcomeError       = "error"
)

// outcomes says in words what each means, and who can help.
var outcomes = map[string]string{
	outcomeNoAccess:    "no role is configured for its account (accounts: in the configuration)",
	outcomeDenied:      "AWS refuses us; look at our role, its trust policy, and the organization's service control policies",
	outcomeRegionOff:   "the region does not know our credentials: it is off in this account, where the trail is at home",
	outcomeLeft:        "the account has left the organization, and what the organization recorded of it with it",
	outcomeClosed:      "the account is suspended or closed",
	outcomeThrottled:   "AWS throttles every look, though they come ever slower: somebody uses the quota up",
	outcomeUnreachable: "no answer comes; look at the network, and at the endpoint",
	outcomeError:       "AWS answers with an error",
}

// failed counts a look that failed. The third in a row is a finding, which says why. Throttled answers slow the tier down.
func (w *Source) failed(ctx context.Context, s subject, tier Tier, m *remembered, now time.Time, err error) []trail.Finding {
	f := m.failed[tier]
	f.rounds++
	outcome := outcomeOf(err)
	if outcome == outcomeThrottled {
		f.slow = min(f.slow+1, maxSlow)
		m.next[tier] = now.Add(w.o.every(tier) << f.slow)
	}
	m.failed[tier] = f
	w.services.Logger.WarnContext(ctx, "could not look", slog.String("resource", string(s.arn())), slog.String("tier", string(tier)),
		slog.Int("times", f.rounds), slog.String("outcome", outcome), slog.Any("error", err))
	if f.rounds < patience || m.Found[place(tier, trail.CodeUnreadable)] != nil {
		return nil
	}
	if outcome == outcomeDenied || outcome == outcomeRegionOff {
		outcome = w.standing(ctx, s, outcome)
	}
	return []trail.Finding{{
		Code: trail.CodeUnreadable, Outcome: outcome, Differences: []trail.Difference{{Field: "Readable", Want: "true", Have: outcome}},
		Reason: brief(fmt.Sprintf("%s cannot be looked at: %s%s", s.what(), outcomes[outcome], codeOf(err))),
	}}
}

// codeOf is AWS's error code in brackets. The whole text is in the log.
func codeOf(err error) string {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return ""
	}
	return " (" + answer.ErrorCode() + ")"
}

// standing asks the organization whether the account is still in it. Where it cannot be asked, what is known stands.
func (w *Source) standing(ctx context.Context, s subject, outcome string) string {
	how, err := state.AccountState(ctx, w.door, s.place().Region, s.place().Account)
	switch {
	case errors.Is(err, incident.ErrNotFound):
		return outcomeLeft
	case err == nil && how != "ACTIVE":
		return outcomeClosed
	}
	return outcome
}

// foreign are the codes with which a region answers that does not know an account's credentials.
//
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
var foreign = []string{"AuthFailure", "InvalidClientTokenId", "OptInRequired", "RegionDisabledException", "UnrecognizedClientException"}

// outcomeOf sorts an error.
func outcomeOf(err error) string {
	var answer smithy.APIError
	var unsent *smithyhttp.RequestSendError
	throttles := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	switch {
	case errors.Is(err, gate.ErrNoAccess):
		return outcomeNoAccess
	case errors.Is(err, gate.ErrQuotaWait), throttles.IsErrorThrottle(err) == aws.TrueTernary:
		return outcomeThrottled
	case action.IsDenied(err):
		return outcomeDenied
	case errors.As(err, &answer) && slices.Contains(foreign, answer.ErrorCode()):
		return outcomeRegionOff
	case errors.As(err, &unsent), errors.Is(err, context.DeadlineExceeded):
		return outcomeUnreachable
	}
	return outcomeError
}
