// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// lines runs a command and decodes what it prints, a value a line.
func lines[V any](p *played, person string, wantStatus int, args ...string) []V {
	p.Helper()
	args = append([]string{"--config", p.as(person), "trail", "baseline"}, append(args, "-o", "json")...)
	status, out, errOut := switchback(args...)
	if status != wantStatus {
		p.Fatalf("switchback %s: exit status %d, want %d: %s%s", strings.Join(args, " "), status, wantStatus, out, errOut)
	}
	var all []V
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var v V
		check(p, d.Decode(&v))
		all = append(all, v)
	}
	return all
}

// call makes a call in the demo's account, as a user or as root.
func (p *played) call(user, name, input string) {
	p.Helper()
	box, err := sandbox.Open(sandbox.Options{StateFile: filepath.Join(p.dir, "sandbox-111122223333.jsonl")})
	check(p, err)
	seeded, err := box.Seed(p.Context(), sandbox.Seed{Account: "111122223333", Region: demoRegion})
	check(p, err)
	key := seeded.AccessKeys[user]
	if user == "root" {
		root, err := box.Root(seeded.Account)
		check(p, err)
		key = root.AccessKeyID
	}
	_, err = box.Invoke(p.Context(), name, json.RawMessage(strings.ReplaceAll(input, "KEY", seeded.KeyARN)), gate.Request{
		Account: seeded.Account, Region: demoRegion, AccessKeyID: key, RequestID: fmt.Sprintf("%s-%s", user, name),
	})
	check(p, err)
	check(p, box.Close())
}

// TestTrailBaseline: what is kept, what differs, and who may say that it is right.
func TestTrailBaseline(t *testing.T) {
	t.Parallel()
	p := playDemo(t)
	all := lines[baselineLine](p, "carol", exitFine, "show")
	var kinds []string
	for _, l := range all {
		kinds = append(kinds, string(l.Kind))
		if !l.Trusted || l.TrustedBy != "demo" || l.Version != 1 || len(l.Trails) != 1 || len(l.Content) == 0 {
			t.Errorf("%s: %+v, want its first version trusted by the demo", l.Kind, l)
		}
	}
	if !slices.Equal(kinds, []string{"trail", "key", "bucket"}) {
		t.Fatalf("kinds are %q", kinds)
	}
	key := string(all[1].Resource)
	text := fine(t, "--config", p.as("carol"), "trail", "baseline", "show", key)
	if !strings.Contains(text, "TRUSTED BY") || !strings.Contains(text, key) || strings.Contains(text, "bucket") {
		t.Errorf("show prints %s", text)
	}
	for _, d := range lines[diffLine](p, "carol", exitFine, "diff") {
		if d.Weaker || d.Error != "" {
			t.Errorf("%s: %+v, want no difference", d.Kind, d)
		}
	}

	// root, who is on nobody's chain, changes the key's policy for the worse.
	p.call("root", "KMS.PutKeyPolicy", `{"KeyId":"KEY","Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"kms:*\",\"Resource\":\"*\"}]}"}`)
	found := lines[diffLine](p, "carol", exitFound, "diff", key)
	if len(found) != 1 || !found[0].Weaker || !found[0].Changed || len(found[0].Differences) == 0 || found[0].From != 1 || found[0].To != 0 {
		t.Fatalf("diff: %+v", found)
	}
	if status, out, _ := switchback("--config", p.as("carol"), "trail", "baseline", "diff"); status != exitFound || !strings.Contains(out, "weaker") || !strings.Contains(out, "as the baseline") {
		t.Errorf("diff in words: exit status %d: %s", status, out)
	}

	// What is there now is approved only where that is asked for, and by a person who may.
	if got := lines[approvedLine](p, "carol", exitFine, "approve"); len(got) != 0 {
		t.Errorf("approve without --live: %+v, want nothing", got)
	}
	for person, reason := range map[string]string{"": "does not know this user", "alice": "identity chain"} {
		got := lines[approvedLine](p, person, exitFound, "approve", "--live", key)
		if len(got) != 1 || got[0].Approved || !strings.Contains(got[0].Refused, reason) {
			t.Errorf("approval by %q: %+v", person, got)
		}
	}
	if now := lines[baselineLine](p, "carol", exitFine, "show", key); now[0].Versions != 1 {
		t.Errorf("after refusals: %+v", now)
	}
	got := lines[approvedLine](p, "carol", exitFine, "approve", "--live", key)
	if len(got) != 1 || !got[0].Approved || got[0].By != "carol Example" || got[0].Version != 2 || len(got[0].Weaker) == 0 {
		t.Fatalf("approval by carol: %+v", got)
	}
	now := lines[baselineLine](p, "carol", exitFine, "show", key)[0]
	if now.Version != 2 || now.TrustedBy != "carol Example" || !strings.HasSuffix(now.Writer, ":root") || now.WrittenBy == "" {
		t.Errorf("after the approval: %+v", now)
	}
	lines[diffLine](p, "carol", exitFine, "diff", key)
	if old := lines[diffLine](p, "carol", exitFound, "diff", key, "--from", "1", "--to", "2"); !old[0].Weaker {
		t.Errorf("the second version against the first: %+v", old)
	}

	// What bob writes, on the chain of an open incident, nobody can approve.
	p.call("bob", "KMS.DisableKey", `{"KeyId":"KEY"}`)
	got = lines[approvedLine](p, "carol", exitFound, "approve", "--live", key)
	if len(got) != 1 || got[0].Approved || !strings.Contains(got[0].Refused, string(p.attempt)) {
		t.Errorf("approval of what bob wrote: %+v", got)
	}
	fine(t, "--state", p.dir, "ledger", "verify")
}

// What cannot be compared or is not known ends with status 2.
func TestTrailBaselineUsage(t *testing.T) {
	t.Parallel()
	p := playDemo(t)
	for name, args := range map[string][]string{
		"no baseline of": {"show", "arn:aws:s3:::lunch"},
		"no version 9":   {"diff", "--from", "9"},
	} {
		status, _, errOut := switchback(append([]string{"--config", p.as("carol"), "trail", "baseline"}, args...)...)
		if status != exitError || !strings.Contains(errOut, name) {
			t.Errorf("%v: exit status %d, %s", args, status, errOut)
		}
	}
}

// A first baseline is taken by the approval where nothing is kept, and shown as untrusted where it was only seen.
func TestTrailBaselineFirst(t *testing.T) {
	t.Parallel()
	p := playDemo(t)
	journal := filepath.Join(p.dir, "sandbox-111122223333.jsonl")
	people := writeFile(t, t.TempDir(), "people.yaml", fmt.Sprintf("people:\n  - {name: Carol, email: carol@example.com, os_users: [%q]}\n", p.me))
	conf := writeFile(t, t.TempDir(), "switchback.yaml", fmt.Sprintf("state: %q\nregion: eu-west-1\naws: sandbox\nsandbox: {state: %q}\ndirectories: [{type: file, path: %q}]\n",
		t.TempDir(), journal, people))
	out := fine(t, "--config", conf, "trail", "baseline", "approve")
	if strings.Count(out, "version 1 approved by Carol") != 3 {
		t.Errorf("approve prints %s", out)
	}
	if out := fine(t, "--config", conf, "trail", "baseline", "approve"); !strings.Contains(out, "nothing waits") {
		t.Errorf("approve again prints %s", out)
	}
}
