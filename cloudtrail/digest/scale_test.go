// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// maxHeap is what a run may add to the heap, garbage included: far below the 200 MB that a process may take.
const maxHeap = 96 << 20

// heapGrowth runs the validation and returns the largest heap seen meanwhile, less what was there before.
func heapGrowth(t *testing.T, f digest.Fetcher, req digest.Request, opts digest.Options) (outcome, int64) {
	t.Helper()
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before, peak, n := int64(stats.HeapAlloc), int64(0), 0
	var o outcome
	summary, err := digest.Validate(context.Background(), f, req, opts, func(r digest.Result) error {
		if n++; n%500 == 1 {
			runtime.ReadMemStats(&stats)
			peak = max(peak, int64(stats.HeapAlloc)-before)
		}
		if !r.IsValid() {
			o.Found = append(o.Found, string(r.Code))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Digests, o.LogFiles, o.ExitStatus = summary.Digests, summary.LogFiles, summary.ExitStatus()
	return o, peak
}

// Memory does not depend on the number of files.
func TestMemoryOfManyFiles(t *testing.T) {
	hours := 60
	if testing.Short() || isRaceBuild {
		hours = 12
	}
	w := digesttest.NewWorld()
	tr := w.Trail(trail{LogFiles: 500, LogSize: 400}).Hours(hours)
	got, peak := heapGrowth(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
	if got.ExitStatus != 0 || got.LogFiles.Valid != hours*500 {
		t.Fatalf("%+v", got)
	}
	t.Logf("%d log files: %d MB", got.LogFiles.Valid, peak>>20)
	if peak > maxHeap {
		t.Errorf("the heap grew by %d MB for %d files", peak>>20, got.LogFiles.Valid)
	}
}

// zeros is a gzip object of n MiB of zeros that is made while it is read.
func zeros(n int) (body func() io.Reader, hash string) {
	block := make([]byte, 1<<20)
	var deflated bytes.Buffer
	z, _ := flate.NewWriter(&deflated, flate.BestSpeed) // the level is valid
	_, _ = z.Write(block)                               // into memory
	_ = z.Flush()
	sum, crc := sha256.New(), uint32(0)
	for range n {
		sum.Write(block)
		crc = crc32.Update(crc, crc32.IEEETable, block)
	}
	trailer := binary.LittleEndian.AppendUint32([]byte{3, 0}, crc) // an empty last block, then the trailer
	trailer = binary.LittleEndian.AppendUint32(trailer, uint32(n)<<20)
	return func() io.Reader {
		parts := []io.Reader{strings.NewReader("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")}
		for range n {
			parts = append(parts, bytes.NewReader(deflated.Bytes()))
		}
		return io.MultiReader(append(parts, bytes.NewReader(trailer))...)
	}, hex.EncodeToString(sum.Sum(nil))
}

// largeObject serves one key from a stream.
type largeObject struct {
	*world
	key  string
	body func() io.Reader
}

func (l largeObject) Get(ctx context.Context, bucket, key string) (*digest.Object, error) {
	if key == l.key {
		return &digest.Object{Body: io.NopCloser(l.body())}, nil
	}
	return l.world.Get(ctx, bucket, key)
}

// A log file is hashed while it is read, whatever its size; one beyond the limit is not called valid.
func TestLargeObject(t *testing.T) {
	size := 256 // MiB; the same code reads any number of them
	if isRaceBuild {
		size = 64
	}
	body, hash := zeros(size)
	w, tr := chainOf(1)
	forgeLog(w, tr, func(l map[string]any) { l["hashValue"] = hash })
	f := largeObject{w, tr.Logs[0].Key, body}
	got, peak := heapGrowth(t, f, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
	if got.ExitStatus != 0 || got.LogFiles.Valid != 3 || peak > maxHeap/4 {
		t.Errorf("%+v, heap grew by %d MB", got, peak>>20)
	}
	got, _ = heapGrowth(t, f, requestOf(t, tr), digest.Options{Now: soonAfter(tr), MaxInflated: int64(size)<<20 - 1})
	if got.ExitStatus != 2 || got.LogFiles != (digest.Ratio{Valid: 2, Unreadable: 1}) {
		t.Errorf("beyond the limit: %+v", got)
	}
}

// A bomb in place of a digest file is not held in memory either.
func TestDigestBomb(t *testing.T) {
	body, _ := zeros(80)
	w, tr := chainOf(3)
	got, peak := heapGrowth(t, largeObject{w, tr.Digests[1].Key, body}, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
	if got.Digests != (digest.Ratio{Valid: 2, Unreadable: 1}) || got.ExitStatus != 2 || peak > 200<<20 {
		t.Errorf("%+v, heap grew by %d MB", got, peak>>20)
	}
}

// benchCorpus is what the AWS CLI was measured with: a week of 12 log files an hour, 1 GB inflated.
func benchCorpus(b *testing.B) (*digesttest.World, digest.Request) {
	b.Helper()
	w := digesttest.NewWorld()
	tr := w.Trail(trail{LogFiles: 12, LogSize: 520_000}).Hours(168)
	return w, requestOf(b, tr)
}

func benchmark(b *testing.B, delay time.Duration) {
	w, req := benchCorpus(b)
	handler := w.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
		}
		handler.ServeHTTP(rw, r)
	}))
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	defer transport.CloseIdleConnections()
	client := &digesttest.Client{URL: server.URL, World: w, HTTP: &http.Client{Transport: transport}}
	files := 0
	for b.Loop() {
		got, summary, _ := validate(b, client, req, digest.Options{})
		if got.ExitStatus != 0 {
			b.Fatalf("%+v", got)
		}
		files += summary.LogFiles.Valid
	}
	b.ReportMetric(float64(files)/b.Elapsed().Seconds(), "files/s")
}

// The AWS CLI does 337 files/s on loopback and 35 at 20 ms a request, on two cores (-cpu 2).
func BenchmarkLoopback(b *testing.B) { benchmark(b, 0) }

func Benchmark20msARequest(b *testing.B) { benchmark(b, 20*time.Millisecond) }
