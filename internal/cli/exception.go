// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
)

type exceptionCommand struct {
	Add     exceptionAddCommand     `cmd:"" help:"Ask for one; it holds once a second person has approved."`
	Approve exceptionApproveCommand `cmd:"" help:"Approve one that another person added."`
	List    exceptionListCommand    `cmd:"" help:"List them."`
	End     exceptionEndCommand     `cmd:"" help:"End one before its time."`
}

// Help is the long help.
func (exceptionCommand) Help() string {
	return `Planned change: what an exception covers is recorded and not undone. When it is over, the baseline is enforced again.

Example:
  switchback exception add "$TRAIL_ARN" --event UpdateTrail --field KmsKeyId --principal "$ROLE_ARN" --for 2h --ticket CHG-1042
  switchback exception approve exception-ABCDEFGH`
}

const exceptionHelp = `The person is the operating system's user, mapped by the directory (os_users). Nobody whom the directory does not know, and
nobody on the identity chain of an incident that is not closed, may add or approve: exit status 1. Each step is announced
to the security channel and kept in the ledger. With --output json: id, status (pending, active, over), resource, events,
fields, principals, until, ticket, added_by, added_at, approved_by, approved_at, ended_by, ended_at, accepted (event ids),
announced (channels that reach people), refused.

`

// exceptionShown is the JSON of the commands, one line each.
type exceptionShown struct {
	ID         string                   `json:"id"`
	Status     incident.ExceptionStatus `json:"status,omitempty"`
	Resource   string                   `json:"resource,omitempty"`
	Events     []string                 `json:"events,omitempty"`
	Fields     []string                 `json:"fields,omitempty"`
	Principals []string                 `json:"principals,omitempty"`
	Until      time.Time                `json:"until,omitzero"`
	Ticket     string                   `json:"ticket,omitempty"`
	AddedBy    string                   `json:"added_by,omitempty"`
	AddedAt    time.Time                `json:"added_at,omitzero"`
	ApprovedBy string                   `json:"approved_by,omitempty"`
	ApprovedAt time.Time                `json:"approved_at,omitzero"`
	EndedBy    string                   `json:"ended_by,omitempty"`
	EndedAt    time.Time                `json:"ended_at,omitzero"`
	Accepted   []string                 `json:"accepted,omitempty"`
	Announced  []string                 `json:"announced,omitempty"`
	Refused    string                   `json:"refused,omitempty"`
}

func showException(e incident.Exception, now time.Time) exceptionShown {
	s := exceptionShown{
		ID: e.ID, Status: e.Status(now), Resource: string(e.Resource), Events: e.Events, Fields: e.Fields, Principals: e.Principals,
		Until: e.Until, Ticket: e.Ticket, AddedBy: e.AddedBy, AddedAt: e.AddedAt, ApprovedBy: e.ApprovedBy, ApprovedAt: e.ApprovedAt,
		EndedBy: e.EndedBy, EndedAt: e.EndedAt,
	}
	for _, id := range e.Accepted.Events {
		s.Accepted = append(s.Accepted, string(id))
	}
	return s
}

// exceptionStep adds, approves or ends one.
type exceptionStep func(in *installation, who respond.Answerer) (incident.Exception, []incident.Delivery, error)

// decide opens the pipeline, asks who decides, does it and says so. A refusal is found, not an error.
func (o outputFlag) decideException(ctx context.Context, s *streams, g *grammar, id, did string, do exceptionStep) error {
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	if err := conf.checkState(); err != nil {
		return err
	}
	return withInstallation(ctx, s, g, func(in *installation) error {
		who, err := in.whoAnswers()
		if err != nil {
			return err
		}
		if err := in.openDecisions(ctx); err != nil {
			return err
		}
		e, deliveries, err := do(in, who)
		if isExceptionRefusal(err) {
			return o.refused(s, id, err)
		}
		if e.ID == "" {
			return hintedException(err)
		}
		out := showException(e, in.clock())
		for _, d := range deliveries {
			if d.Accepted && d.ReachesHuman {
				out.Announced = append(out.Announced, d.Channel)
			}
		}
		return errors.Join(o.printException(s, out, did+" by "+who.Name), withHint(err, "it is done all the same; tell the security team yourself"))
	})
}

func (o outputFlag) refused(s *streams, id string, refusal error) error {
	if o.isJSON() {
		return errors.Join(printJSON(s.out, exceptionShown{ID: id, Refused: refusal.Error()}), errFound)
	}
	fmt.Fprintf(s.err, "switchback: %s: %s\n", firstText(id, "exception"), oneLine(refusal.Error()))
	if errors.Is(refusal, respond.ErrUnknownPerson) {
		fmt.Fprintln(s.err, "hint: directories: in the configuration, and os_users: in the file of people, say who you are")
	}
	return errFound
}

func isExceptionRefusal(err error) bool {
	return slices.ContainsFunc([]error{
		respond.ErrUnknownPerson, respond.ErrOnChain, respond.ErrSuspect, respond.ErrNotSecond, respond.ErrOver, incident.ErrOwnPart,
	}, func(refusal error) bool { return errors.Is(err, refusal) })
}

func hintedException(err error) error {
	if errors.Is(err, incident.ErrNotFound) {
		return withHint(err, "switchback exception list names them")
	}
	return err
}

func (o outputFlag) printException(s *streams, e exceptionShown, text string) error {
	if o.isJSON() {
		return printJSON(s.out, e)
	}
	announced := "announced by " + strings.Join(e.Announced, ", ")
	if len(e.Announced) == 0 {
		announced = "nobody was told: no channel that reaches people took the message"
	}
	_, err := fmt.Fprintf(s.out, "%s: %s, %s until %s UTC\n%s\n", e.ID, text, e.Status, stamp(e.Until), announced)
	return err
}

type exceptionAddCommand struct {
	Resource  string        `arg:"" help:"ARN of the resource, exactly." placeholder:"ARN"`
	Event     []string      `required:"" help:"Name of a call that is allowed." placeholder:"NAME"`
	Field     []string      `help:"Field that may change, as differences name it (KmsKeyId, Tags.team); default: whatever the calls change." placeholder:"NAME"`
	Principal []string      `required:"" help:"ARN of a user, a role or a role session." placeholder:"ARN"`
	For       time.Duration `required:"" help:"How long from now, 24h at most; it ends by itself." placeholder:"DURATION"`
	Ticket    string        `required:"" help:"Where it is planned." placeholder:"ID"`
	outputFlag
}

// Help is the long help.
func (exceptionAddCommand) Help() string {
	return `Asks for an exception. It holds once a second person has approved it, and covers no part of Switchback itself.

` + exceptionHelp + `Example:
  switchback exception add "$TRAIL_ARN" --event UpdateTrail --field KmsKeyId --principal "$ROLE_ARN" --for 2h --ticket CHG-1042`
}

// Run adds it.
func (c *exceptionAddCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return c.decideException(ctx, s, g, "", "added", func(in *installation, who respond.Answerer) (incident.Exception, []incident.Delivery, error) {
		return in.system.AddException(ctx, incident.Exception{
			ID: "exception-" + rand.Text()[:8], Resource: arn.ARN(c.Resource), Events: c.Event, Fields: c.Field, Principals: c.Principal,
			Until: in.clock().Add(c.For).UTC(), Ticket: c.Ticket,
		}, who)
	})
}

type exceptionApproveCommand struct {
	ID string `arg:"" help:"The exception."`
	outputFlag
}

// Help is the long help.
func (exceptionApproveCommand) Help() string {
	return "Makes an exception hold that another person added.\n\n" + exceptionHelp + "Example:\n  switchback exception approve exception-ABCDEFGH"
}

// Run approves it.
func (c *exceptionApproveCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return c.decideException(ctx, s, g, c.ID, "approved", func(in *installation, who respond.Answerer) (incident.Exception, []incident.Delivery, error) {
		return in.system.ApproveException(ctx, c.ID, who)
	})
}

type exceptionEndCommand struct {
	ID string `arg:"" help:"The exception."`
	outputFlag
}

// Help is the long help.
func (exceptionEndCommand) Help() string {
	return "Ends an exception before its time: the daemon looks at the resource again, and puts back what is still weaker.\n\n" +
		exceptionHelp + "Example:\n  switchback exception end exception-ABCDEFGH"
}

// Run ends it.
func (c *exceptionEndCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return c.decideException(ctx, s, g, c.ID, "ended", func(in *installation, who respond.Answerer) (incident.Exception, []incident.Delivery, error) {
		return in.system.EndException(ctx, c.ID, who)
	})
}

type exceptionListCommand struct {
	All bool `help:"Those that are over, too."`
	outputFlag
}

// Help is the long help.
func (exceptionListCommand) Help() string {
	return `Lists the exceptions that wait or hold, in the order in which they were added. With --output json one line each, as the
other commands print it.

Example:
  switchback exception list --all`
}

// Run lists.
func (c *exceptionListCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	in, err := openRecords(ctx, conf, g.logger(s))
	if errors.Is(err, errNothingKept) {
		fmt.Fprintf(s.err, "switchback: %v\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	all, err := in.db.ListExceptions(ctx, incident.ExceptionFilter{})
	if err == nil {
		err = c.print(s, all, in.clock())
	}
	return errors.Join(err, in.close(ctx))
}

func (c *exceptionListCommand) print(s *streams, all []incident.Exception, now time.Time) error {
	for _, e := range all {
		if e.Status(now) == incident.ExceptionOver && !c.All {
			continue
		}
		if err := c.printOne(s, showException(e, now)); err != nil {
			return err
		}
	}
	return nil
}

func (c *exceptionListCommand) printOne(s *streams, e exceptionShown) error {
	if c.isJSON() {
		return printJSON(s.out, e)
	}
	what := strings.Join(e.Events, ", ")
	if len(e.Fields) > 0 {
		what += " of " + strings.Join(e.Fields, ", ")
	}
	by := e.AddedBy
	if e.ApprovedBy != "" {
		by += ", approved by " + e.ApprovedBy
	}
	text := fmt.Sprintf("%s  %-7s until %s UTC  %s  %s  %s on %s by %s", e.ID, e.Status, stamp(e.Until), e.Ticket, by, what, e.Resource,
		strings.Join(e.Principals, ", "))
	_, err := fmt.Fprintln(s.out, identity.Printable(text, maxErrorLine))
	return err
}
