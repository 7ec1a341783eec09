// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package gatetest is the contract of what stands behind the gate: one table of cases that the sandbox and moto both
// pass, so that our stand-in for AWS is held to somebody else's. A case makes calls as an action or a source makes them
// and looks at outputs, error codes and the state that reads back.
//
// What a target lacks, or does otherwise than AWS, is a list with the page of AWS that the case follows ([MotoLacks] is
// moto's). A listed case that starts to pass is an error: the list is to become shorter.
//
// It also starts moto ([StartMoto]) for the integration tests of other packages.
//
// https://docs.getmoto.org
package gatetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The accounts that the cases act in, in no organization.
const (
	Account = "111122223333"
	Member  = "444455556666"
)

// Target is something that answers AWS's APIs.
type Target struct {
	// Name is for messages.
	Name string
	// Reset empties the target; it is called before each case.
	Reset func(t testing.TB)
	// Config acts as an administrator of an account.
	Config func(t testing.TB, account, region string) aws.Config
	// As acts as the principal of credentials that the target issued.
	As func(t testing.TB, c aws.Credentials, region string) aws.Config
	// Region is where the cases act, and Elsewhere another region of its partition; "" is eu-west-1 and ap-southeast-2.
	Region, Elsewhere string
	// Lacks lists the cases that the target is known to fail, with what it does instead and AWS's page.
	Lacks map[string]string
}

// Report says what a run did.
type Report struct {
	// Passed counts the cases that passed.
	Passed int
	// Operations are those that were called, "CloudTrail.StopLogging", sorted.
	Operations []string
}

// contract is one case.
type contract struct {
	name string
	run  func(e *env)
}

// Run runs the cases against a target.
func Run(t *testing.T, target Target) Report {
	t.Helper()
	all := cases()
	if len(all) == 0 {
		t.Fatal("no cases")
	}
	seen := operations{}
	var r Report
	for _, c := range all {
		why, listed := target.Lacks[c.name]
		t.Run(c.name, func(t *testing.T) {
			target.Reset(t)
			err := c.attempt(newEnv(t, target, seen))
			switch {
			case err == nil && listed:
				t.Errorf("%s passes this case now: take it off its list (%s)", target.Name, why)
			case err != nil && listed:
				t.Logf("%s lacks this: %s (%v)", target.Name, why, err)
			case err != nil:
				t.Errorf("%s: %v", target.Name, err)
			default:
				r.Passed++
			}
		})
	}
	for name := range target.Lacks {
		if !slices.ContainsFunc(all, func(c contract) bool { return c.name == name }) {
			t.Errorf("%s is said to lack %q, which is no case", target.Name, name)
		}
	}
	r.Operations = seen.sorted()
	t.Logf("%s: %d of %d cases pass, %d operations were called", target.Name, r.Passed, len(all), len(r.Operations))
	return r
}

// cases is the whole table.
func cases() []contract {
	return slices.Concat(trailCases, selectorCases, historyCases, bucketCases, bucketConfigCases, bucketCopyCases, objectCases, versionCases, keyCases,
		identityCases, containmentCases, sessionCases, accountCases, identityStoreCases, queueCases, topicCases, logGroupCases, keyUseCases, subscriptionCases,
		logFilterCases, managedPolicyCases, ruleCases, busCases, ownQueueCases, alarmCases, channelCases)
}

// broken is how a step of a case says that the contract is broken.
type broken struct{ error }

// attempt runs the case until its first broken step.
func (c contract) attempt(e *env) (err error) {
	defer func() {
		switch x := recover().(type) {
		case nil:
		case broken:
			err = x.error
		default:
			panic(x)
		}
	}()
	c.run(e)
	return nil
}

func breach(format string, args ...any) { panic(broken{fmt.Errorf(format, args...)}) }

// ok is the output of a call that must succeed.
func ok[T any](out T, err error) T {
	if err != nil {
		panic(broken{err})
	}
	return out
}

// refuse: the call must fail with one of AWS's error codes.
func refuse[T any](_ T, err error) func(codes ...string) {
	return func(codes ...string) {
		if got := codeOf(err); !slices.Contains(codes, got) {
			breach("error code is %q, want %s (%v)", got, strings.Join(codes, " or "), err)
		}
	}
}

// noSerde leaves out the SDK's unexported marker.
var noSerde = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore())

// equal: what was read back must be this.
func equal[T any](what string, got, want T) {
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), noSerde); d != "" {
		breach("%s (-want +got):\n%s", what, d)
	}
}

// operations collects what was called.
type operations map[string]bool

func (o operations) sorted() []string {
	var out []string
	for k := range o {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// watch adds the calls of cfg to o.
func (o operations) watch(cfg aws.Config) aws.Config {
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("gatetest",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				o[middleware.GetServiceID(ctx)+"."+middleware.GetOperationName(ctx)] = true
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
	})
	return cfg
}
