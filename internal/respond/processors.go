// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"os"
	"runtime"
	"runtime/debug"
)

// GCPercent is how much the heap grows between two collections, in percent of what is alive.
const GCPercent = 400

// UseProcessors lets the process run two threads of Go code for each processor, unless the environment says otherwise.
// The pipeline forces every step to disk, in the store and in the ledger, and a thread that waits for the disk keeps its
// place until the runtime notices: with one place a processor, two such waits stop everything else. On two cores this
// brings the 99th percentile from event to restart from some 200 ms to under 50 (BenchmarkRestart); more places than
// that only add switching.
//
// For the same reason it collects garbage less often than Go would: a collection takes a quarter of the processors from
// whatever restart is under way, and the heap of the daemon is small.
func UseProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.NumCPU())
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(GCPercent)
	}
}
