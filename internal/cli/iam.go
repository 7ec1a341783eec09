// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
)

type iamCommand struct {
	Policy iamPolicyCommand `cmd:"" help:"The IAM policy for a mode."`
}

type iamPolicyCommand struct {
	Mode string `help:"observe reads only; ask and act may change what the runbooks' actions change." enum:"observe,ask,act" default:"observe"`
}

// Help is the long help.
func (iamPolicyCommand) Help() string {
	return `Prints the least that Switchback needs, generated from the actions of its runbooks. Sources need, beside it, to receive
and delete messages on your queue and to read your log bucket.

Example:
  switchback iam policy --mode act > policy.json`
}

type iamStatement struct {
	Sid      string
	Effect   string
	Action   []string
	Resource string
}

// Run prints the policy.
func (c *iamPolicyCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	reads, changes, err := permissions(conf)
	if err != nil {
		return err
	}
	policy := struct {
		Version   string
		Statement []iamStatement
	}{Version: "2012-10-17", Statement: []iamStatement{{"Look", "Allow", reads, "*"}}}
	if c.Mode != "observe" {
		policy.Statement = append(policy.Statement, iamStatement{"PutBack", "Allow", changes, "*"})
	}
	text, err := json.MarshalIndent(policy, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, string(text))
	return err
}

// permissions are what the actions of all runbooks need, split into reads and changes.
func permissions(c config) (reads, changes []string, err error) {
	books, err := runbooksOf(c)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range books {
		for _, id := range b.Actions() {
			a, ok := action.Get(id)
			if !ok {
				return nil, nil, fmt.Errorf("runbook %s: no action %s in this build", b.Manifest.ID, id)
			}
			for _, p := range a.Info().Permissions {
				if isReadPermission(p) {
					reads = append(reads, p)
				} else {
					changes = append(changes, p)
				}
			}
		}
	}
	return sortedUnique(reads), sortedUnique(changes), nil
}

// isReadPermission goes by AWS's naming of read-only actions.
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

type configCheckCommand struct{}

// Help is the long help.
func (configCheckCommand) Help() string {
	return "Example:\n  switchback --config switchback.yaml config check"
}

// Run reads the configuration and everything it names, without calling anybody.
func (configCheckCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	c, path, err := loadConfig(g)
	if err != nil {
		return err
	}
	books, err := runbooksOf(c)
	if err != nil {
		return err
	}
	for _, b := range books {
		if err := refuse(b); err != nil {
			return err
		}
	}
	if _, err := gate.ParsePolicy(c.Policy, gate.Known{Runbooks: ids(books)}); err != nil {
		return fmt.Errorf("%s: policy: %w", path, err)
	}
	in := &installation{config: c, log: g.logger(s), clock: nil}
	_, channelErr := in.channels()
	_, peopleErr := in.directory()
	if err := errors.Join(channelErr, peopleErr); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(s.out, "%s: valid\nstate: %s\nmode: %s\nrunbooks: %s\n", path, filepath.Clean(c.State), c.modes(), strings.Join(ids(books), ", "))
	return nil
}
