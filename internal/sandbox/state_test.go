// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/sandbox"
)

// reopen opens a world's state file as a process does that comes after a kill: nothing is closed before.
// reopen opens a state file, after closing what had it open.
func reopen(t *testing.T, path string, c *clock, former ...*world) *world {
	t.Helper()
	for _, w := range former {
		must(0, w.Close())(t)
	}
	s := must(sandbox.Open(sandbox.Options{StateFile: path, Clock: c.Now, Seed: 7}))(t)
	t.Cleanup(func() { must(0, s.Close())(t) })
	return &world{Sandbox: s, Seeded: must(s.Seed(t.Context(), sandbox.Seed{Region: region}))(t), t: t, clock: c}
}

// effects lists the mutations since seeding: what, how it ended, whether it changed anything.
func effects(w *world, from int) []string {
	var out []string
	for _, m := range w.Mutations()[from:] {
		s := m.Operation
		if m.Error != "" {
			s += " " + m.Error
		}
		if m.Effect {
			s += " changed"
		}
		out = append(out, s)
	}
	return out
}

func TestStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	c := &clock{now: start}
	w := reopen(t, path, c)
	w.drain(w.QueueURL)
	seeded := len(w.Mutations())

	alice := w.as(w.AccessKeys["alice"], region)
	must(0, w.stop(alice))(t)
	session := assume(t, w, "alice")
	must(0, w.start(w.as(session, region)))(t)
	must(0, w.start(w.as(session, region)))(t)
	must(0, w.Deny(account, "cloudtrail:DeleteTrail"))(t)
	_, err := w.trails().DeleteTrail(t.Context(), &cloudtrailapi.DeleteTrailInput{Name: &w.TrailARN})
	if code(err) != "AccessDeniedException" {
		t.Fatalf("a denied call: %v", err)
	}
	must(w.buckets().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &w.Bucket, Key: aws.String("note"), Body: strings.NewReader("kept")}))(t)
	must(w.trails().PutEventSelectors(t.Context(), &cloudtrailapi.PutEventSelectorsInput{TrailName: &w.TrailARN, AdvancedEventSelectors: []types.AdvancedEventSelector{selector("eventCategory=Management")}}))(t)
	c.Advance(2 * delay)
	want := effects(w, seeded)
	before := snapshot(t, w)

	w = reopen(t, path, c, w)
	if d := cmp.Diff(want, effects(w, seeded)[:len(want)]); d != "" {
		t.Errorf("mutations after the restart (-before +after):\n%s", d)
	}
	if d := cmp.Diff([]string{
		"StopLogging changed", "AssumeRole changed", "StartLogging changed", "StartLogging", "Deny changed",
		"DeleteTrail AccessDenied", "PutObject changed", "PutEventSelectors changed",
	}, want); d != "" {
		t.Errorf("mutations (-want +got):\n%s", d)
	}
	if d := cmp.Diff(before, snapshot(t, w)); d != "" {
		t.Errorf("state after the restart (-before +after):\n%s", d)
	}
	// The session's key works on, and the messages are there again; none of the AssumeRole, when nothing was recorded.
	who := must(sts.NewFromConfig(w.as(session, region)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t)
	if got := *who.Arn; !strings.HasSuffix(got, "/alice-deploy") {
		t.Errorf("caller after the restart is %s", got)
	}
	if got := names(w.drain(w.QueueURL)); !strings.HasPrefix(got, "StopLogging StartLogging StartLogging DeleteTrail PutEventSelectors") {
		t.Errorf("messages after the restart: %s", got)
	}
}

// snapshot reads what the API shows.
func snapshot(t *testing.T, w *world) map[string]any {
	t.Helper()
	ctx := t.Context()
	note := must(w.buckets().GetObject(ctx, &s3.GetObjectInput{Bucket: &w.Bucket, Key: aws.String("note")}))(t)
	trail := must(w.trails().GetTrail(ctx, &cloudtrailapi.GetTrailInput{Name: &w.TrailARN}))(t).Trail
	status := w.status()
	selectors := must(w.trails().GetEventSelectors(ctx, &cloudtrailapi.GetEventSelectorsInput{TrailName: &w.TrailARN}))(t)
	roles := must(iam.NewFromConfig(w.root(account, region)).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("Deploy")}))(t)
	var keys []string
	for _, f := range w.logFiles(w.Bucket) {
		keys = append(keys, f.key)
	}
	return map[string]any{
		"body": string(must(io.ReadAll(note.Body))(t)), "key": *trail.KmsKeyId, "logging": *status.IsLogging, "started": *status.StartLoggingTime,
		"delivered": *status.LatestDeliveryTime, "selectors": len(selectors.AdvancedEventSelectors), "role": *roles.Role.RoleId, "files": keys,
	}
}

func TestStateFileEndsInTheMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	w := reopen(t, path, &clock{now: start})
	must(0, w.stop(w.root(account, region)))(t)
	whole := must(os.ReadFile(path))(t)
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	n := len(w.Mutations())
	for _, cut := range []int{len(whole) - 1, last + 20, last + 1} {
		must(0, os.WriteFile(path, whole[:cut], 0o600))(t)
		w = reopen(t, path, &clock{now: start}, w)
		if got := len(w.Mutations()); got != n-1 || !*w.status().IsLogging {
			t.Errorf("cut at %d: %d mutations, want %d; the stop had no answer and must not be there", cut, got, n-1)
		}
		must(0, w.stop(w.root(account, region)))(t)
		if w = reopen(t, path, &clock{now: start}, w); *w.status().IsLogging {
			t.Errorf("cut at %d: what was written after the cut is lost", cut)
		}
	}
}

func TestStateFileIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sandbox.jsonl")
	reopen(t, path, &clock{now: start})
	lines := bytes.SplitAfter(must(os.ReadFile(path))(t), []byte("\n"))
	for name, text := range map[string][]byte{
		"no header":       lines[2],
		"foreign":         []byte("hello\n"),
		"hole":            bytes.Join(append(append([][]byte{}, lines[:4]...), lines[5:]...), nil),
		"broken line":     bytes.Replace(bytes.Join(lines, nil), lines[4], []byte("{\"seq\":\n"), 1),
		"other operation": bytes.Replace(bytes.Join(lines, nil), []byte(`"operation":"AddAccount"`), []byte(`"operation":"Nonsense"`), 1),
		"other outcome":   bytes.Replace(bytes.Join(lines, nil), []byte(`"effect":true`), []byte(`"effect":false`), 1),
	} {
		t.Run(name, func(t *testing.T) {
			bad := filepath.Join(dir, "bad.jsonl")
			must(0, os.WriteFile(bad, text, 0o600))(t)
			if _, err := sandbox.Open(sandbox.Options{StateFile: bad}); !errors.Is(err, sandbox.ErrCorrupt) {
				t.Errorf("error is %v, want ErrCorrupt", err)
			}
		})
	}
	if _, err := sandbox.Open(sandbox.Options{}); err == nil {
		t.Error("Open without a file succeeds")
	}
	if _, err := sandbox.Open(sandbox.Options{StateFile: filepath.Join(dir, "no", "dir")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v, want that the folder is not there", err)
	}
}

// TestNothingIsAnsweredThatIsNotKept: once the journal cannot be written, a change is an error.
func TestNothingIsAnsweredThatIsNotKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	s := must(sandbox.Open(sandbox.Options{StateFile: path}))(t)
	seeded := must(s.Seed(t.Context(), sandbox.Seed{Region: region}))(t)
	w := &world{Sandbox: s, Seeded: seeded, t: t}
	must(0, s.Close())(t)
	if err := w.stop(w.root(account, region)); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("error is %v, want that the sandbox is closed", err)
	}
}

// TestSameCallsSameAccount: the ids come from the seed.
func TestSameCallsSameAccount(t *testing.T) {
	run := func(seed uint64) (string, []string) {
		c := &clock{now: start}
		s := must(sandbox.New(sandbox.Options{Clock: c.Now, Seed: seed}))(t)
		w := &world{Sandbox: s, Seeded: must(s.Seed(t.Context(), sandbox.Seed{Region: region}))(t), t: t, clock: c}
		w.status()
		must(0, w.stop(w.root(account, region)))(t)
		var ids []string
		for _, e := range w.drain(w.QueueURL) {
			ids = append(ids, string(e.Record.EventID))
		}
		return w.KeyARN, ids
	}
	key1, ids1 := run(1)
	key2, ids2 := run(1)
	if key1 != key2 || !cmp.Equal(ids1, ids2) || len(ids1) == 0 {
		t.Errorf("two runs differ: %s %v and %s %v", key1, ids1, key2, ids2)
	}
	if key3, ids3 := run(2); key3 == key1 || cmp.Equal(ids1, ids3) {
		t.Error("another seed gives the same ids")
	}
}

func TestStateFileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	w := reopen(t, path, &clock{now: start})
	if _, err := sandbox.Open(sandbox.Options{StateFile: path}); !errors.Is(err, sandbox.ErrInUse) {
		t.Errorf("a second sandbox of the same file: %v, want ErrInUse", err)
	}
	reopen(t, path, &clock{now: start}, w)
}

// A daemon reads, gets the event of its own read, and deletes it: the state file has the deletion and not the read.
func TestStateFileWithoutReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	c := &clock{now: start}
	w := reopen(t, path, c)
	w.drain(w.QueueURL)
	alice := w.as(w.AccessKeys["alice"], region)
	must(cloudtrailapi.NewFromConfig(alice).LookupEvents(t.Context(), &cloudtrailapi.LookupEventsInput{}))(t)
	if got := w.drain(w.QueueURL); len(got) != 1 {
		t.Fatalf("%d messages, want the event of LookupEvents, which EventBridge does not leave out", len(got))
	}
	want := effects(w, 0)
	if got := effects(reopen(t, path, c, w), 0); !cmp.Equal(want, got) {
		t.Errorf("after a restart (-want +got):\n%s", cmp.Diff(want, got))
	}
}
