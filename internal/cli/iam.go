// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/standard"
)

type iamCommand struct {
	Policy iamPolicyCommand `cmd:"" help:"The IAM policy for a mode."`
}

// Help is the long help.
func (iamCommand) Help() string { return "Example:\n  switchback iam policy --mode observe" }

type iamPolicyCommand struct {
	outputFlag
	Mode string `help:"observe reads only; ask and act may change what the runbooks' actions change." enum:"observe,ask,act" default:"observe"`
}

// Help is the long help.
func (iamPolicyCommand) Help() string {
	return `Prints the least that Switchback needs, generated from the actions of its runbooks and the channels of the configuration.
Sources need, beside it, to receive and delete messages on your queue and to read your log bucket. Where messages go to a
topic with a key of its own, sns needs kms:GenerateDataKey and kms:Decrypt on that key. A policy is JSON with either
--output.

Example:
  switchback iam policy --mode act > policy.json`
}

type iamStatement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  string
	Condition map[string]map[string][]string `json:",omitempty"`
}

// passRole is the one permission that gives more than its name says: whoever may pass any role to any service may do what
// any role may.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
const passRole = "iam:PassRole"

// Run prints the policy.
func (c *iamPolicyCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	needed, err := permissions(conf)
	if err != nil {
		return err
	}
	policy := struct {
		Version   string
		Statement []iamStatement
	}{Version: "2012-10-17", Statement: []iamStatement{{Sid: "Look", Effect: "Allow", Action: needed.reads, Resource: "*"}}}
	if c.Mode != "observe" {
		policy.Statement = append(policy.Statement, needed.allowChanges()...)
	}
	telling, err := allowTelling(conf)
	if err != nil {
		return err
	}
	policy.Statement = append(policy.Statement, telling...)
	text, err := json.MarshalIndent(policy, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, string(text))
	return err
}

// need is what actions need, each list sorted.
type need struct {
	reads, changes []string
	// passTo are the services that roles are passed to, by their principals.
	passTo []string
}

// allowTelling lets the configured channels tell, which they do in every mode.
func allowTelling(conf config) ([]iamStatement, error) {
	var all []iamStatement
	for i, e := range conf.Channels {
		k, ok := notify.Find(e.Type)
		if !ok || k.Permissions == nil {
			continue
		}
		permissions, err := k.Permissions(notify.Config{Type: e.Type, Decode: e.Decode})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.place("channels", i), err)
		}
		for _, p := range permissions {
			all = append(all, iamStatement{
				Sid: fmt.Sprintf("Tell%d", len(all)+1), Effect: "Allow", Action: []string{p.Action}, Resource: p.Resource, Condition: p.Condition,
			})
		}
	}
	return all, nil
}

// allowChanges lets roles be passed only to the services whose calls take one.
func (n need) allowChanges() []iamStatement {
	all := []iamStatement{{Sid: "PutBack", Effect: "Allow", Action: n.changes, Resource: "*"}}
	if len(n.passTo) > 0 {
		all = append(all, iamStatement{
			Sid: "PassRoles", Effect: "Allow", Action: []string{passRole}, Resource: "*",
			Condition: map[string]map[string][]string{"StringEquals": {"iam:PassedToService": n.passTo}},
		})
	}
	return all
}

// permissions are what the actions of all runbooks need.
func permissions(c config) (need, error) {
	books, err := runbooksOf(c)
	if err != nil {
		return need{}, err
	}
	var out need
	for _, b := range books {
		for _, id := range b.Actions() {
			a, ok := action.Get(id)
			if !ok {
				return need{}, fmt.Errorf("runbook %s: no action %s in this build", b.Manifest.ID, id)
			}
			out.add(a.Info())
		}
	}
	out.reads, out.changes, out.passTo = sortedUnique(out.reads), sortedUnique(out.changes), sortedUnique(out.passTo)
	return out, nil
}

// add takes in what an action needs. It passes roles to the service that its id begins with: CloudTrail's role for a log
// group, those of S3's replication, of SNS's delivery logs, of a subscription of CloudWatch Logs, of EventBridge's targets.
func (n *need) add(info action.Info) {
	for _, p := range info.Permissions {
		switch {
		case p == passRole:
			service, _, _ := strings.Cut(info.ID, ":")
			n.passTo = append(n.passTo, arn.ServiceHost(service))
		case !info.IsChange || isReadPermission(p):
			n.reads = append(n.reads, p)
		default:
			n.changes = append(n.changes, p)
		}
	}
}

// isReadPermission goes by AWS's naming of read-only actions: a change reads before and after.
func isReadPermission(permission string) bool {
	_, verb, _ := strings.Cut(permission, ":")
	for _, prefix := range []string{"Get", "List", "Describe", "Lookup", "Head"} {
		if strings.HasPrefix(verb, prefix) {
			return true
		}
	}
	return false
}

func sortedUnique(texts []string) []string { return slices.Compact(sortedCopy(texts)) }

type configCommand struct {
	Check   configCheckCommand   `cmd:"" help:"Is the configuration valid?"`
	Example configExampleCommand `cmd:"" help:"Print the commented configuration, which is also the default."`
}

// Help is the long help.
func (configCommand) Help() string { return "Example:\n  switchback config example > switchback.yaml" }

type configExampleCommand struct{}

// Help is the long help.
func (configExampleCommand) Help() string {
	return "Example:\n  switchback config example > switchback.yaml"
}

// Run prints the example.
func (configExampleCommand) Run(s *streams) error {
	_, err := s.out.Write(exampleConfig)
	return err
}

type configCheckCommand struct{ outputFlag }

// Help is the long help.
func (configCheckCommand) Help() string {
	return `Reads the configuration and everything that it names, as serve would, without calling anybody. With --output json:
configuration, state, mode, runbooks, warnings.

Example:
  switchback --config switchback.yaml config check`
}

// checked is the JSON of config check.
type checked struct {
	Configuration string   `json:"configuration"`
	State         string   `json:"state"`
	Mode          string   `json:"mode"`
	Runbooks      []string `json:"runbooks"`
	Warnings      []string `json:"warnings"`
}

// Run reads the configuration and everything it names, without calling anybody.
func (cmd *configCheckCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	c, path, err := loadConfig(g)
	if err != nil {
		return err
	}
	books, err := c.checkNamed(ctx, g.logger(s))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	out := checked{path, filepath.Clean(c.State), c.modes(), ids(books), append([]string{}, c.warnings()...)}
	if len(c.Sources) == 0 {
		out.Warnings = append(out.Warnings, noSources)
	}
	if cmd.isJSON() {
		return printJSON(s.out, out)
	}
	fmt.Fprintf(s.out, "%s: valid\nstate: %s\nmode: %s\nrunbooks: %s\n", path, out.State, out.Mode, strings.Join(out.Runbooks, ", "))
	for _, w := range out.Warnings {
		fmt.Fprintf(s.out, "warning: %s\n", w)
	}
	return nil
}

// checkNamed makes everything that serve would make of the configuration, and opens nothing.
func (c config) checkNamed(ctx context.Context, log *slog.Logger) ([]*runbook.Runbook, error) {
	books, err := runbooksOf(c)
	if err != nil {
		return nil, err
	}
	for _, b := range books {
		if err := refuse(b); err != nil {
			return nil, err
		}
	}
	if _, err := gate.ParsePolicy(c.Policy, gate.Known{Runbooks: ids(books), Classes: standard.Classes()}); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	in := &installation{config: c, log: log, clock: time.Now}
	door, gateErr := gate.Open(ctx, in.gateOptions())
	_, sourceErr := in.sources(door, nil)
	_, channelErr := in.channels(door)
	_, peopleErr := in.directory()
	return books, errors.Join(gateErr, sourceErr, channelErr, peopleErr)
}
