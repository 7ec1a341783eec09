// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Reads lists the table of reads, sorted.
func Reads() []string {
	var names []string
	for k := range reads {
		names = append(names, k.service+"."+k.operation)
	}
	slices.Sort(names)
	return names
}

// ReadsAsWritten lists it in the order of the source.
func ReadsAsWritten(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("reads.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^\t"([^"]+)",$`).FindAllSubmatch(source, -1) {
		names = append(names, string(m[1]))
	}
	if len(names) != len(reads) {
		t.Fatalf("%d lines in reads.go make %d reads", len(names), len(reads))
	}
	return names
}

// ConfigUnverified is Door.Config without asking STS whose credentials these are.
func ConfigUnverified(d *Door, account, region string) aws.Config { return d.config(account, region) }

// Services are those that Permission knows.
func Services() []string {
	var names []string
	for s := range permissionPrefixes {
		names = append(names, s)
	}
	slices.Sort(names)
	return names
}

// BudgetKeys counts what the budget remembers.
func BudgetKeys(g *Gate) int {
	g.budget.mu.Lock()
	defer g.budget.mu.Unlock()
	return len(g.budget.spent)
}

// IsPaced reports whether calls wait for quotas.
func IsPaced(g *Gate) bool { return g.paced }

// Sessions counts the role sessions that are kept.
func Sessions(g *Gate) int {
	g.sessions.mu.Lock()
	defer g.sessions.mu.Unlock()
	return len(g.sessions.known)
}
