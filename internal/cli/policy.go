// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/policy"
)

type policyCommand struct {
	Check policyCheckCommand `cmd:"" help:"Is a resource policy public, or open to somebody who is not trusted?"`
}

// Help is the long help.
func (policyCommand) Help() string {
	return "Example:\n  switchback policy check bucket-policy.json --account 111122223333"
}

type policyCheckCommand struct {
	File     string   `arg:"" help:"File with the policy; - for standard input."`
	Baseline string   `help:"File with the policy as it was: what does the new one allow beyond it?" placeholder:"FILE"`
	Account  string   `help:"Account that owns the resource; it is trusted." placeholder:"ID"`
	Trust    []string `sep:"none" help:"Who may be admitted: account, organization (o-…) or unit of it (o-…/r-…/ou-…), VPC or VPC endpoint, principal or provider; may be repeated." placeholder:"VALUE"`
	outputFlag
}

// Help is the long help.
func (policyCheckCommand) Help() string {
	return `Judges the text of any resource policy (S3 bucket or access point, KMS, SQS, SNS, a role's trust), statement by statement:
public is what S3 calls public; external are accounts, organizations and federations that are admitted, by principal or by
condition, and not trusted. AWS services are listed apart. Block Public Access and ACLs are not part of a policy.

Operators, condition keys and principals that AWS does not know restrict nobody, and are warnings on standard error.

With --output json: {"public","external":[{"principal","account","by","access","statement"}],"services","widens":[{"principal",
"access","resources","conditions","statement"}],"statements","warnings"}; statements count from 0.

Exit status 0 when it is safe; 1 when it is public, open to somebody not trusted, or allows more than the baseline; 2 when
it cannot be read: no JSON, no Statement, a statement without Effect, with line and column.

Example:
  switchback policy check policy.json --account 111122223333 --trust o-a1b2c3d4e5 --trust 444455556666
  switchback policy check after.json --baseline before.json --output json`
}

// Run prints the verdict.
func (c *policyCheckCommand) Run(s *streams) error {
	if c.File == standardInput && c.Baseline == standardInput {
		return errors.New("the policy and --baseline cannot both be standard input")
	}
	p, err := readPolicy(s, c.File)
	if err != nil {
		return err
	}
	trust, odd := policy.ParseTrust(c.Trust)
	o := policy.Options{Account: c.Account, Trust: trust}
	if c.Account != "" && !policy.IsAccountID(c.Account) {
		odd = append(odd, fmt.Sprintf("--account %+q is no account id: it trusts nobody", c.Account))
	}
	if c.Baseline != "" {
		if o.Baseline, err = readPolicy(s, c.Baseline); err != nil {
			return err
		}
		for _, w := range o.Baseline.Warnings {
			odd = append(odd, c.Baseline+":"+w.String())
		}
	}
	v := p.Judge(o)
	v.Warnings = append(v.Warnings, odd...)
	if err := c.print(s, &v, len(p.Warnings)); err != nil {
		return err
	}
	if !v.IsSafe() {
		return errFound
	}
	return nil
}

func readPolicy(s *streams, file string) (*policy.Policy, error) {
	text, err := readInput(s, file)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		return nil, withHint(fmt.Errorf("%s:%w", file, err), "switchback policy check reads the JSON text of one policy")
	}
	return p, nil
}

// print writes the verdict. Of the warnings the first so many are about the file.
func (c *policyCheckCommand) print(s *streams, v *policy.Verdict, ofFile int) error {
	for i, w := range v.Warnings {
		if i < ofFile {
			w = c.File + ":" + w
		}
		fmt.Fprintf(s.err, "warning: %s\n", oneLine(w))
	}
	if c.isJSON() {
		return printJSON(s.out, v)
	}
	return printVerdict(s.out, v)
}

func printVerdict(out io.Writer, v *policy.Verdict) error {
	headline := "not public"
	if v.IsPublic {
		headline = "PUBLIC"
	}
	fmt.Fprintf(out, "%s, %d external, %d services\n", headline, len(v.External), len(v.Services))
	rows := [][]string{}
	for _, st := range v.Statements {
		rows = append(rows, []string{statementName(st), string(st.Effect), publicly(st.IsPublic), strings.Join(st.Reasons, "; ")})
	}
	rows = append(rows, grantRows("external", v.External)...)
	rows = append(rows, grantRows("service", v.Services)...)
	if err := table(out, rows); err != nil {
		return err
	}
	return printWidens(out, v.Widens)
}

func statementName(st policy.StatementVerdict) string {
	if st.Sid == "" {
		return fmt.Sprintf("statement %d", st.Statement)
	}
	return fmt.Sprintf("statement %d %s", st.Statement, st.Sid)
}

func publicly(isPublic bool) string {
	if isPublic {
		return "public"
	}
	return "-"
}

func grantRows(kind string, grants []policy.Grant) [][]string {
	var rows [][]string
	for _, g := range grants {
		rows = append(rows, []string{kind, g.Principal, fmt.Sprintf("statement %d, by %s", g.Statement, g.By), strings.Join(g.Access, " ")})
	}
	return rows
}

// printWidens prints one line an entry.
func printWidens(out io.Writer, all []policy.Widening) error {
	for _, w := range all {
		line := fmt.Sprintf("more than before: %s may %s on %s by statement %d", w.Principal, strings.Join(w.Access, " "), strings.Join(w.Resources, " "), w.Statement)
		if len(w.Conditions) > 0 {
			line += ", if " + strings.Join(w.Conditions, " and ")
		}
		if w.Denied != nil {
			line += fmt.Sprintf("; statement %d of the baseline denied it", *w.Denied)
		}
		if w.IsRough {
			line += " (or less: the policies are too entangled to tell)"
		}
		if _, err := fmt.Fprintln(out, identity.Printable(line, maxErrorLine)); err != nil {
			return err
		}
	}
	return nil
}
