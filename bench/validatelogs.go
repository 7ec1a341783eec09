// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// The log file validation beside the AWS CLI is measured by benchmarks of internal/cli, which make a signed corpus of a
// gigabyte and run both as processes by turns. They need the project's root as working directory.
const (
	root       = ".."
	validation = "./internal/cli"
)

func logFiles() []comparison {
	const peer, unit, notThere = "aws cloudtrail validate-logs", "/s", "not installed: make .venv/ready"
	return []comparison{
		{"log files validated, loopback", peer, unit, 4, notThere, benchmark("BenchmarkValidateLogsLoopback")},
		{"log files validated, 20 ms a request", peer, unit, 35, notThere, benchmark("BenchmarkValidateLogs20msARequest")},
	}
}

// benchmark runs a benchmark that measures both in rounds of its own, and takes its medians for one round. It says on
// standard error why there is no AWS CLI.
func benchmark(name string) func(context.Context, int, func(ours, theirs float64)) error {
	return func(ctx context.Context, _ int, round func(ours, theirs float64)) error {
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchtime", "1x", validation)
		cmd.Dir, cmd.Stderr = root, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		our, ok := metric(out, "files/s")
		if !ok {
			return fmt.Errorf("no figures in:\n%s", out)
		}
		ratio, ok := metric(out, "ratio")
		if !ok {
			round(our, 0)
			return nil
		}
		round(our, our/ratio)
		return nil
	}
}

// metric finds a figure in the output of a benchmark.
func metric(out []byte, unit string) (float64, bool) {
	found := regexp.MustCompile(`([0-9.e+]+) ` + regexp.QuoteMeta(unit) + `\s`).FindSubmatch(out)
	if found == nil {
		return 0, false
	}
	figure, err := strconv.ParseFloat(string(found[1]), 64)
	return figure, err == nil
}
