// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// TestContract holds the sandbox to the suite that moto passes, in three partitions.
func TestContract(t *testing.T) {
	for _, regions := range [][2]string{{"eu-west-1", "ap-southeast-2"}, {"us-gov-west-1", "us-gov-east-1"}, {"cn-north-1", "cn-northwest-1"}} {
		t.Run(regions[0], func(t *testing.T) {
			r := gatetest.Run(t, target(regions[0], regions[1]))
			if r.Passed == 0 {
				t.Error("no case passed")
			}
			want := sandbox.Operations()
			slices.Sort(want)
			for _, op := range want {
				if !slices.Contains(r.Operations, op) {
					t.Errorf("no case of the contract calls %s", op)
				}
			}
		})
	}
}

func target(region, elsewhere string) gatetest.Target {
	var s *sandbox.Sandbox
	return gatetest.Target{
		Name: "sandbox", Region: region, Elsewhere: elsewhere,
		Reset: func(t testing.TB) {
			s = must(sandbox.New(sandbox.Options{}))(t)
			for _, id := range []string{gatetest.Account, gatetest.Member} {
				if err := s.AddAccount(id, arn.PartitionOf(region).ID, ""); err != nil {
					t.Fatal(err)
				}
			}
		},
		Config: func(t testing.TB, account, region string) aws.Config {
			return gate.BackendConfig(s, account, region, must(s.Root(account))(t), "")
		},
		As: func(_ testing.TB, c aws.Credentials, region string) aws.Config {
			return gate.BackendConfig(s, gatetest.Account, region, c, "")
		},
	}
}
