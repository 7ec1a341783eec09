// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// mutations is how many single-byte changes are tried; a tenth in short mode and with the race detector.
const mutations = 10_000

// TestSingleByteChanges changes one random byte of an object, of metadata or of a key, and validates: nothing whose
// content changed may pass as valid, and a run that finds nothing wrong may have met no change that counts.
func TestSingleByteChanges(t *testing.T) {
	n := mutations
	if testing.Short() || isRaceBuild {
		n /= 10
	}
	var caught atomic.Int64
	var working sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		working.Go(func() {
			m := newMutator(uint64(worker))
			for range n / workers {
				if m.try(t) {
					caught.Add(1)
				}
			}
		})
	}
	working.Wait()
	// Some bytes do not matter: of gzip headers, or the case of a hexadecimal digit.
	if caught.Load() < int64(n*8/10) {
		t.Errorf("only %d of %d changes were found", caught.Load(), n)
	}
}

// mutator owns an intact world and changes it one byte at a time.
type mutator struct {
	world  *world
	random *rand.Rand
	refs   []digesttest.Ref
	req    digest.Request
	opts   digest.Options
}

func newMutator(seed uint64) *mutator {
	w := digesttest.NewWorld()
	tr := w.Trail(trail{LogFiles: 2}).Hours(3)
	return &mutator{
		world: w, random: rand.New(rand.NewPCG(seed, 7)), refs: append(tr.Digests, tr.Logs...), //nolint:gosec // reproducible
		req:  digest.Request{Bucket: tr.Bucket, Start: digesttest.Start, End: tr.Now},
		opts: digest.Options{Now: soonAfter(tr), Concurrency: 4},
	}
}

// flip returns text with one byte changed.
func (m *mutator) flip(text []byte) []byte {
	changed := bytes.Clone(text)
	changed[m.random.IntN(len(changed))] ^= byte(1 + m.random.IntN(255))
	return changed
}

// try makes one change, checks the verdict, takes it back and reports whether anything was found.
func (m *mutator) try(t *testing.T) bool {
	ref := m.refs[m.random.IntN(len(m.refs))]
	o := m.world.Object(ref.Bucket, ref.Key)
	switch body, signature, key := o.Body, o.Metadata["signature"], m.world.Keys["eu-west-1"][0]; {
	case m.random.IntN(4) > 0 || signature == "":
		o.Body = m.flip(body)
		defer func() { o.Body = body }()
		return m.check(t, ref, !bytes.Equal(member(o.Body), member(body)))
	case m.random.IntN(2) == 0:
		o.Metadata["signature"] = string(m.flip([]byte(signature)))
		defer func() { o.Metadata["signature"] = signature }()
		return m.check(t, ref, !strings.EqualFold(o.Metadata["signature"], signature))
	case m.random.IntN(2) == 0:
		m.world.Keys["eu-west-1"][0].Value = m.flip(key.Value)
		defer func() { m.world.Keys["eu-west-1"][0] = key }()
		return m.check(t, ref, true)
	default:
		m.world.Keys["eu-west-1"][0].Fingerprint = string(m.flip([]byte(key.Fingerprint)))
		defer func() { m.world.Keys["eu-west-1"][0] = key }()
		return m.check(t, ref, true)
	}
}

func (m *mutator) check(t *testing.T, ref digesttest.Ref, counts bool) bool {
	passed := false
	summary, err := digest.Validate(context.Background(), m.world, m.req, m.opts, func(r digest.Result) error {
		passed = passed || r.IsValid() && r.Key == ref.Key
		return nil
	})
	if err != nil {
		t.Errorf("validate: %v", err)
		return false
	}
	if counts && (passed || summary.ExitStatus() == 0) {
		t.Errorf("a change of s3://%s/%s passed: valid %v, exit status %d", ref.Bucket, ref.Key, passed, summary.ExitStatus())
	}
	return summary.ExitStatus() != 0
}

// member is the content of the first gzip member, nil if it is broken.
func member(body []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	z.Multistream(false)
	content, err := io.ReadAll(z)
	if err != nil {
		return nil
	}
	return content
}
