// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// The figures to reach: 4 times the AWS CLI's files a second on loopback, where the stub server shares the cores, and 35
// times at 20 ms a request, in less than 200 MB. The corpus is signed anew each time; both validate it as processes of
// their own, in turn, so that whatever else the machine does meets both.

// BenchmarkValidateLogsLoopback validates a week of 12 log files an hour, 1 GB inflated.
func BenchmarkValidateLogsLoopback(b *testing.B) { benchmarkValidateLogs(b, 168, 3, 0) }

// BenchmarkValidateLogs20msARequest validates the same where each request takes 20 ms, as on the way to a region.
func BenchmarkValidateLogs20msARequest(b *testing.B) {
	benchmarkValidateLogs(b, 168, 2, 20*time.Millisecond)
}

func benchmarkValidateLogs(b *testing.B, hours, rounds int, delay time.Duration) {
	w := digesttest.NewWorld()
	e := evidence{w, w.Trail(digesttest.Trail{LogFiles: 12, LogSize: 520_000}).Hours(hours)}
	handler := e.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
		}
		handler.ServeHTTP(rw, r)
	}))
	defer server.Close()
	setAWS(b, map[string]string{"AWS_ENDPOINT_URL": server.URL})
	peer, err := findAWSCLI()
	if err != nil {
		fmt.Fprintf(os.Stderr, "the AWS CLI is not measured: %v\n", err)
	}
	self, err := os.Executable()
	check(b, err)
	files := float64(len(e.trail.Logs))
	var ours, theirs, ratios []float64
	memory := 0.0
	for b.Loop() {
		for range rounds {
			took, size := timed(b, exec.CommandContext(b.Context(), self, e.flags()...), childVariable+"="+childMain)
			memory = max(memory, size)
			ours = append(ours, files/took)
			if peer == nil {
				continue
			}
			took, _ = timed(b, awsCommand(b, peer, e.flags("--region", e.trail.Region)...))
			theirs = append(theirs, files/took)
			ratios = append(ratios, ours[len(ours)-1]/theirs[len(theirs)-1])
		}
	}
	b.ReportMetric(median(ours), "files/s")
	b.ReportMetric(memory, "MB")
	if peer != nil {
		b.ReportMetric(median(theirs), "aws-files/s")
		b.ReportMetric(median(ratios), "ratio")
	}
}

// timed runs a process that must find everything valid, and returns the seconds that it took and the megabytes that it
// held at most.
func timed(b *testing.B, cmd *exec.Cmd, env ...string) (seconds, megabytes float64) {
	b.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), env...)
	stdin, err := cmd.StdinPipe() // a child of ours ends with it
	check(b, err)
	began := time.Now()
	check(b, cmd.Start())
	err = cmd.Wait()
	took := time.Since(began)
	_ = stdin.Close() // Wait closed it
	if err != nil {
		b.Fatalf("%v\n%s", err, out.String())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("no resource usage")
	}
	return took.Seconds(), float64(usage.Maxrss) / 1024
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
