// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures Switchback beside others that do the same work, and prints one table. Ours and theirs run by
// turns, so that whatever else the machine does meets both; a ratio is the median of those of the rounds. It is a module of
// its own, so that the peers are no dependencies of the product.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/switchback-project/switchback/internal/respond"
)

// comparison is one line of the table.
type comparison struct {
	what, peer, unit string
	// goal is the ratio to reach; zero: there is none.
	goal float64
	// absent says why the peer is not there, where it is not.
	absent string
	// run calls round for each round, with how much each did in a second; theirs is zero where the peer is absent. Nil
	// where without the peer there is nothing to measure.
	run func(ctx context.Context, rounds int, round func(ours, theirs float64)) error
}

func comparisons() []comparison {
	var all []comparison
	for _, group := range [][]comparison{executions(), patterns(), logFiles()} {
		all = append(all, group...)
	}
	return all
}

func main() {
	only := flag.String("only", "", "measure only the lines whose peer matches this regular `expression`")
	rounds := flag.Int("rounds", 5, "how often ours and theirs run by turns")
	processors := flag.Int("processors", 2, "on how many processors Go runs; the goals are for two")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	runtime.GOMAXPROCS(*processors)
	debug.SetGCPercent(respond.GCPercent) // as serve does; it holds for the peers too
	// For the processes that are started.
	if err := os.Setenv("GOMAXPROCS", strconv.Itoa(*processors)); err != nil {
		fail(err)
	}
	chosen, err := regexp.Compile(*only)
	if err != nil {
		fail(err)
	}
	if err := printTable(ctx, os.Stdout, comparisons(), chosen, *rounds); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(2)
}
