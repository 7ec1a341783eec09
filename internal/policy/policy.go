// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package policy reads resource policies (of S3 buckets, access points, KMS keys, SQS queues, SNS topics, IAM roles'
// trust and others) and says what they grant: is it public, who outside a trust list is admitted, which services, what
// does it grant that another did not, and would a given request be allowed.
//
// It is a pure judgement of text: it has no clock, calls nobody, and knows neither the resource's Block Public Access
// nor ACLs, nor service control policies.
//
// What is not certain is taken for the worse, since the text may be an attacker's: an operator, a condition key or a
// principal that AWS does not know restricts nobody. In an Allow it is as if it were not there; a Deny that depends on
// it denies nothing. Each such place is a warning. Public is what S3 calls public; a Deny makes no policy less public.
// Beyond the fixed values of that page, a condition on an ARN with a fixed account may have wildcards in region and
// resource, and the caller's account and ARN restrict, as IAM documents them.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
package policy

import "fmt"

// Policy is a policy document, as [Parse] read it.
type Policy struct {
	// Version is as written, "" when it is missing. Policy variables work only since 2012-10-17.
	Version    string
	ID         string
	Statements []Statement
	// Warnings are what is odd about the document, in the order of its text.
	Warnings []Warning
}

// Effect is what a statement does.
type Effect string

// The effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Statement is one statement. Its lists are as written.
type Statement struct {
	// Index is the position in the document, from 0.
	Index  int
	Line   int
	Sid    string
	Effect Effect
	// Principals and the others are nil where the element is missing.
	Principals, NotPrincipals []Name
	Actions, NotActions       []string
	Resources, NotResources   []string
	Conditions                []Condition

	// isOdd: its meaning is uncertain, so it is no Deny to rely on.
	isOdd bool
}

// Condition is one key under one operator: it holds when any of Values fits.
type Condition struct {
	Operator, Key string
	Values        []string

	op  operator
	key string // lower case
	// isVoid: uncertain, so that it restricts nobody: an unknown operator, a key or operator written twice.
	isVoid bool
}

// Warning is something odd that does not keep the document from being read.
type Warning struct {
	Line, Column int
	Text         string
}

// String is the warning with its position.
func (w Warning) String() string { return fmt.Sprintf("%d:%d: %s", w.Line, w.Column, w.Text) }

// Error tells why a document cannot be judged, and where: it is no JSON, has no Statement, or a statement without
// Effect.
type Error struct {
	// Line and Column count from 1; Column counts bytes.
	Line, Column int
	Problem      string
}

// Error is the problem with its position.
func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Problem) }
