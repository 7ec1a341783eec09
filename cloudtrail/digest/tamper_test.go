// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// sixHours is made once, for signing takes its time: six hours of three log files each, a chain from its start.
var sixHours = sync.OnceValue(func() *trail {
	return digesttest.NewWorld().Trail(trail{LogFiles: 3}).Hours(6)
})

// chainOf is a trail of some hours, most often sixHours, for a test to tamper with.
func chainOf(hours int) (*world, *trail) {
	if hours != 6 {
		w := digesttest.NewWorld()
		return w, w.Trail(trail{LogFiles: 3}).Hours(hours)
	}
	w := sixHours().World().Clone()
	return w, sixHours().In(w)
}

// requestOf asks for all that the trail delivered.
func requestOf(t testing.TB, trail *digesttest.Trail) digest.Request {
	t.Helper()
	parsed, err := digest.ParseTrailARN(trail.ARN())
	if err != nil {
		t.Fatal(err)
	}
	return digest.Request{Bucket: trail.Bucket, Prefix: trail.Prefix, Trail: parsed, Start: digesttest.Start, End: trail.Now}
}

func soonAfter(trail *digesttest.Trail) time.Time { return trail.Now.Add(30 * time.Minute) }

// outcome is what a run found, in the order of reporting: CODE of files and chains that are not valid.
type outcome struct {
	Found      []string
	Digests    digest.Ratio
	LogFiles   digest.Ratio
	ExitStatus int
}

func validate(t testing.TB, f digest.Fetcher, req digest.Request, opts digest.Options) (outcome, digest.Summary, []digest.Result) {
	t.Helper()
	var o outcome
	var results []digest.Result
	summary, err := digest.Validate(context.Background(), f, req, opts, func(r digest.Result) error {
		results = append(results, r)
		if !r.IsValid() {
			o.Found = append(o.Found, string(r.Code))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("validate: %v", err)
	}
	o.Digests, o.LogFiles, o.ExitStatus = summary.Digests, summary.LogFiles, summary.ExitStatus()
	return o, summary, results
}

type (
	world  = digesttest.World
	trail  = digesttest.Trail
	fields = map[string]any
)

// tampering is one thing that an attacker, an accident or a clumsy tool may do.
type tampering struct {
	name   string
	do     func(w *world, t *trail)
	found  []string // our results that are not valid, in order
	status int      // our exit status
	cli    []string // the AWS CLI's reasons, in order; its exit status is 1 if there are any
	// deviates says why we do not follow the AWS CLI here, if we do not.
	deviates string
}

func unlisted(n int) []string { return repeat("unlisted-log-file", n) }

func repeat(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

func join(lists ...any) []string {
	var all []string
	for _, l := range lists {
		switch l := l.(type) {
		case string:
			all = append(all, l)
		case []string:
			all = append(all, l...)
		}
	}
	return all
}

const (
	badSignature = "signature verification failed"
	badFormat    = "invalid format"
	notFound     = "not found"
	mismatch     = "hash value doesn't match"
	trailing     = "unexpected data after end of compressed stream"
)

// digestTamperings are done to a digest file in the middle of the chain, number 3 of 0 to 5, unless they say otherwise.
var digestTamperings = []tampering{
	{"nothing", func(*world, *trail) {}, nil, 0, nil, ""},
	{
		"middle digest deleted", func(w *world, t *trail) { w.Delete(t.Bucket, t.Digests[3].Key) },
		join("missing-digest", unlisted(3)), 1,
		[]string{notFound},
		"",
	},
	{"two digests deleted", func(w *world, t *trail) {
		w.Delete(t.Bucket, t.Digests[3].Key)
		w.Delete(t.Bucket, t.Digests[2].Key)
	}, join("missing-digest", unlisted(6)), 1, []string{notFound}, ""},
	{
		"newest digest deleted", func(w *world, t *trail) { w.Delete(t.Bucket, t.Digests[5].Key) },
		nil, 0, nil, "",
	}, // not overdue yet: see TestMissingTail
	{
		"oldest digest deleted", func(w *world, t *trail) { w.Delete(t.Bucket, t.Digests[0].Key) },
		join("missing-digest", "missing-head", unlisted(3)), 1,
		[]string{notFound},
		"",
	},
	{"all digests deleted", func(w *world, t *trail) {
		for _, d := range t.Digests {
			w.Delete(d.Bucket, d.Key)
		}
	}, []string{"nothing-found"}, 1, nil, ""},
	{
		"digest emptied", func(w *world, t *trail) { w.Store(t.Digests[3], func([]byte) []byte { return nil }) },
		join("invalid-format", unlisted(3)), 1,
		[]string{badFormat},
		"",
	},
	{
		"digest not gzip", func(w *world, t *trail) { w.Store(t.Digests[3], digesttest.Gunzip) },
		join("invalid-format", unlisted(3)), 1,
		[]string{badFormat},
		"",
	},
	{
		"digest truncated", func(w *world, t *trail) { w.Store(t.Digests[3], func(b []byte) []byte { return b[:len(b)/2] }) },
		join("invalid-format", unlisted(3)), 1,
		[]string{badFormat},
		"",
	},
	{
		"digest lacks its checksum", func(w *world, t *trail) { w.Store(t.Digests[3], func(b []byte) []byte { return b[:len(b)-4] }) },
		join("invalid-format", unlisted(3)), 1,
		[]string{badFormat},
		"",
	},
	{
		"digest with data after it", func(w *world, t *trail) { w.Store(t.Digests[3], func(b []byte) []byte { return append(b, "more"...) }) },
		[]string{"trailing-data"},
		1, nil, "",
	},
	{"digest with a second gzip member", func(w *world, t *trail) {
		w.Store(t.Digests[3], func(b []byte) []byte { return append(b, digesttest.Gzip([]byte("x"))...) })
	}, []string{"trailing-data"}, 1, nil, ""},
	{
		"digest not JSON", func(w *world, t *trail) { w.Edit(t.Digests[3], func(c []byte) []byte { return c[1:] }) },
		join("invalid-format", unlisted(3)), 1,
		[]string{badFormat},
		"",
	},
	{"digest not UTF-8", func(w *world, t *trail) {
		w.Edit(t.Digests[3], func(c []byte) []byte { return bytes.Replace(c, []byte("CloudTrail"), []byte("Cloud\xffrail"), 1) })
	}, join("invalid-format", unlisted(3)), 1, []string{badFormat}, ""},
	{
		"digest with a space more", func(w *world, t *trail) { w.Edit(t.Digests[3], func(c []byte) []byte { return append(c, ' ') }) },
		join("bad-signature", unlisted(3)), 1,
		[]string{badSignature},
		"",
	},
	{
		"required field removed", func(w *world, t *trail) { w.EditFields(t.Digests[3], fields{"digestEndTime": digesttest.Absent}) },
		join("invalid-format", unlisted(3)), 1,
		[]string{badFormat},
		"",
	},
	{"required field in another case", func(w *world, t *trail) {
		w.EditFields(t.Digests[3], fields{"digestS3Bucket": digesttest.Absent, "DigestS3Bucket": t.Bucket})
	}, join("invalid-format", unlisted(3)), 1, []string{badFormat}, ""},
	{
		"log file struck off", func(w *world, t *trail) { w.EditFields(t.Digests[3], fields{"logFiles": []any{}}) },
		join("bad-signature", unlisted(3)), 1,
		[]string{badSignature},
		"",
	},
	{"previous signature replaced", func(w *world, t *trail) {
		w.EditFields(t.Digests[3], fields{"previousDigestSignature": strings.Repeat("ab", 256)})
	}, join("bad-signature", unlisted(3)), 1, []string{badSignature}, ""},
	{"chain cut off", func(w *world, t *trail) {
		w.EditFields(t.Digests[3], fields{"previousDigestS3Bucket": nil, "previousDigestS3Object": nil, "previousDigestSignature": nil})
	}, join("bad-signature", unlisted(3)), 1, []string{badSignature}, ""},
	{
		"end time shifted", func(w *world, t *trail) { w.EditFields(t.Digests[3], fields{"digestEndTime": "2026-05-04T05:17:28Z"}) },
		join("bad-signature", unlisted(3)), 1,
		[]string{badSignature},
		"",
	},
	{
		"bucket claimed to be another", func(w *world, t *trail) { w.EditFields(t.Digests[3], fields{"digestS3Bucket": "other"}) },
		join("moved", unlisted(3)), 1,
		[]string{"has been moved from its original location"},
		"",
	},
	{
		"older digest stored over it", func(w *world, t *trail) { w.Copy(t.Digests[1], t.Digests[3]) },
		join("moved", unlisted(3)), 1,
		[]string{"has been moved from its original location"},
		"",
	},
	{
		"forged with an unknown key", func(w *world, t *trail) {
			w.Forge(t.Digests[3], digesttest.KeyB(), fields{"digestPublicKeyFingerprint": digesttest.KeyB().Public.Fingerprint})
		}, join("unknown-key", unlisted(3)), 1,
		[]string{"public key not found in region eu-west-1 for fingerprint " + digesttest.KeyB().Public.Fingerprint},
		"",
	},
	{
		"forged with another key, fingerprint kept", func(w *world, t *trail) { w.Forge(t.Digests[3], digesttest.KeyB(), nil) },
		join("bad-signature", unlisted(3)), 1,
		[]string{badSignature},
		"",
	},
	{"three forged in a row", func(w *world, t *trail) {
		for _, d := range t.Digests[2:5] {
			w.Forge(d, digesttest.KeyB(), nil)
		}
	}, join(repeat("bad-signature", 3), unlisted(9)), 1, repeat(badSignature, 3), ""},
	{"replaced by a signed one that is shorter", func(w *world, t *trail) {
		w.Forge(t.Digests[3], t.Key, fields{"logFiles": []any{}}) // as if CloudTrail's own key were lost
	}, join("chain-hash", "chain-signature", unlisted(3)), 1, nil, ""},
	{"a digest that no other leads to", func(w *world, t *trail) {
		w.Copy(t.Digests[3], digesttest.Ref{Bucket: t.Bucket, Key: strings.Replace(t.Digests[3].Key, "1728Z", "4500Z", 1)})
	}, []string{"unlinked-digest"}, 1, nil, ""},
	{"a fake newest digest", func(w *world, t *trail) {
		w.Copy(t.Digests[5], digesttest.Ref{Bucket: t.Bucket, Key: strings.Replace(t.Digests[5].Key, "061728Z", "064000Z", 1)})
	}, []string{"moved"}, 1, []string{"has been moved from its original location"}, ""},
	{"signed for another account", func(w *world, t *trail) {
		w.Forge(t.Digests[5], t.Key, fields{"awsAccountId": "444455556666"})
	}, []string{"wrong-account"}, 1, nil, ""},
	{"signed for two hours", func(w *world, t *trail) {
		w.Forge(t.Digests[5], t.Key, fields{"digestStartTime": "2026-05-04T04:17:28Z"})
	}, []string{"discontinuity", "discontinuity"}, 1, nil, ""},
	{"signed with a pointer to itself", func(w *world, t *trail) {
		w.Forge(t.Digests[5], t.Key, fields{"previousDigestS3Object": t.Digests[5].Key})
	}, []string{"discontinuity"}, 1, nil, "it would not end"},
	{"signed with a time that is none", func(w *world, t *trail) {
		w.Forge(t.Digests[5], t.Key, fields{"digestStartTime": "yesterday"})
	}, join("bad-digest", unlisted(3)), 1, []string{"Unable to parse date value: yesterday"}, ""},
}

var metadataTamperings = []tampering{
	{
		"signature removed", func(w *world, t *trail) { w.Meta(t.Digests[3], func(m map[string]string) { delete(m, "signature") }) },
		[]string{"signature-missing"},
		1,
		[]string{badSignature},
		"",
	},
	{
		"all metadata removed", func(w *world, t *trail) { w.Meta(t.Digests[3], func(m map[string]string) { clear(m) }) },
		[]string{"signature-missing"},
		1,
		[]string{badSignature},
		"",
	},
	{
		"signature of the newest removed", func(w *world, t *trail) { w.Meta(t.Digests[5], func(m map[string]string) { clear(m) }) },
		join("bad-signature", unlisted(3)), 1,
		[]string{badSignature},
		"",
	},
	{
		"algorithm removed", func(w *world, t *trail) {
			w.Meta(t.Digests[3], func(m map[string]string) { delete(m, "signature-algorithm") })
		},
		[]string{"signature-missing"},
		1,
		[]string{badSignature},
		"",
	},
	{
		"algorithm changed", func(w *world, t *trail) { w.Meta(t.Digests[3], set("signature-algorithm", "SHA1withRSA")) },
		[]string{"wrong-algorithm"},
		1, nil, "",
	},
	{
		"signature in upper case", func(w *world, t *trail) { w.Meta(t.Digests[3], change("signature", strings.ToUpper)) },
		[]string{"signature-format"},
		0, nil, "",
	},
	{"signature truncated", func(w *world, t *trail) {
		w.Meta(t.Digests[3], change("signature", func(s string) string { return s[:len(s)-2] }))
	}, join("bad-signature", unlisted(3)), 1, []string{badSignature}, ""},
	{"signature of odd length", func(w *world, t *trail) {
		w.Meta(t.Digests[3], change("signature", func(s string) string { return s[1:] }))
	}, join("bad-digest", unlisted(3)), 1, []string{"Odd-length string"}, ""},
	{"signature not hexadecimal", func(w *world, t *trail) {
		w.Meta(t.Digests[3], change("signature", func(s string) string { return "zz" + s[2:] }))
	}, join("bad-digest", unlisted(3)), 1, []string{"Non-hexadecimal digit found"}, ""},
	{"signature of another digest", func(w *world, t *trail) {
		w.Meta(t.Digests[3], set("signature", w.Object(t.Bucket, t.Digests[2].Key).Metadata["signature"]))
	}, join("bad-signature", unlisted(3)), 1, []string{badSignature}, ""},
	{
		"signature empty", func(w *world, t *trail) { w.Meta(t.Digests[3], set("signature", "")) },
		join("bad-signature", unlisted(3)), 1,
		[]string{badSignature},
		"",
	},
	{"signed over SHA-1", func(w *world, t *trail) {
		content := digesttest.Gunzip(w.Object(t.Bucket, t.Digests[3].Key).Body)
		file, _ := digest.Parse(content)
		w.Meta(t.Digests[3], set("signature", t.Key.Sign(file.StringToSign(sha(content)), crypto.SHA1)))
	}, join("bad-signature", unlisted(3)), 1, []string{badSignature}, "it takes any hash that the signature names"},
}

var logTamperings = []tampering{
	{
		"log file changed", func(w *world, t *trail) { w.Edit(t.Logs[10], func(c []byte) []byte { c[20] ^= 1; return c }) },
		[]string{"hash-mismatch"},
		1,
		[]string{mismatch},
		"",
	},
	{
		"record removed", func(w *world, t *trail) { w.Edit(t.Logs[10], func([]byte) []byte { return []byte(`{"Records":[]}`) }) },
		[]string{"hash-mismatch"},
		1,
		[]string{mismatch},
		"",
	},
	{"log file pretty-printed", func(w *world, t *trail) {
		w.Edit(t.Logs[10], func(c []byte) []byte {
			var b bytes.Buffer
			_ = json.Indent(&b, c, "", " ") // it is JSON: the test made it
			return b.Bytes()
		})
	}, []string{"hash-mismatch"}, 1, []string{mismatch}, ""},
	{
		"log file of another time", func(w *world, t *trail) { w.Copy(t.Logs[4], t.Logs[10]) },
		[]string{"hash-mismatch"},
		1,
		[]string{mismatch},
		"",
	},
	{
		"log file deleted", func(w *world, t *trail) { w.Delete(t.Bucket, t.Logs[10].Key) },
		[]string{"missing-log-file"},
		1,
		[]string{notFound},
		"",
	},
	{
		"log file emptied", func(w *world, t *trail) { w.Store(t.Logs[10], func([]byte) []byte { return nil }) },
		[]string{"hash-mismatch"},
		1,
		[]string{mismatch},
		"",
	},
	{
		"log file not gzip", func(w *world, t *trail) { w.Store(t.Logs[10], digesttest.Gunzip) },
		[]string{"invalid-format"},
		1,
		[]string{badFormat},
		"",
	},
	{
		"log file of two bytes", func(w *world, t *trail) { w.Store(t.Logs[10], func([]byte) []byte { return []byte("{}") }) },
		[]string{"invalid-format"},
		1,
		[]string{badFormat},
		"",
	},
	{
		"log file truncated", func(w *world, t *trail) { w.Store(t.Logs[10], func(b []byte) []byte { return b[:len(b)/2] }) },
		[]string{"hash-mismatch"},
		1,
		[]string{mismatch},
		"",
	},
	{
		"log file lacks its checksum", func(w *world, t *trail) { w.Store(t.Logs[10], func(b []byte) []byte { return b[:len(b)-8] }) },
		[]string{"truncated"},
		1, nil, "",
	},
	{
		"log file with a wrong checksum", func(w *world, t *trail) { w.Store(t.Logs[10], func(b []byte) []byte { b[len(b)-6] ^= 1; return b }) },
		[]string{"invalid-format"},
		1,
		[]string{badFormat},
		"",
	},
	{
		"log file with data after it", func(w *world, t *trail) { w.Store(t.Logs[10], func(b []byte) []byte { return append(b, 0) }) },
		[]string{"trailing-data"},
		1,
		[]string{trailing},
		"",
	},
	{"log file with a second gzip member", func(w *world, t *trail) {
		w.Store(t.Logs[10], func(b []byte) []byte { return append(b, digesttest.Gzip([]byte(`{"Records":[]}`))...) })
	}, []string{"trailing-data"}, 1, []string{trailing}, ""},
	{"log file compressed anew", func(w *world, t *trail) { w.Edit(t.Logs[10], func(c []byte) []byte { return c }) }, nil, 0, nil, ""},
	{
		"forged log file added", func(w *world, t *trail) { t.PutLog(digesttest.Start.Add(2 * time.Hour)) },
		unlisted(1), 1, nil, "",
	},
	{"object that is no log file added", func(w *world, t *trail) {
		w.Put(t.Bucket, "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/readme.txt", &digesttest.Object{})
	}, unlisted(1), 1, nil, ""},
	{"listed hash in upper case", func(w *world, t *trail) {
		forgeLog(w, t, func(l map[string]any) { l["hashValue"] = strings.ToUpper(l["hashValue"].(string)) })
	}, []string{"hash-mismatch"}, 1, []string{mismatch}, ""},
	{
		"listed hash algorithm changed", func(w *world, t *trail) { forgeLog(w, t, func(l map[string]any) { l["hashAlgorithm"] = "MD5" }) },
		[]string{"unknown-hash"},
		1, nil, "",
	},
	{"log file of another account listed", func(w *world, t *trail) {
		other := w.Trail(trail{Account: "444455556666", Bucket: t.Bucket})
		entry := other.PutLog(digesttest.Start.Add(time.Hour))
		w.Forge(t.Digests[5], t.Key, fields{"logFiles": []any{entry}})
	}, join("foreign-log-file", unlisted(3), "nothing-found"), 1, nil, ""},
}

var keyTamperings = []tampering{
	{
		"all keys gone", func(w *world, t *trail) { clear(w.Keys) },
		join(repeat("unknown-key", 6), "nothing-found", unlisted(18)), 1, nil, "it ends with 255: see TestErrorsOfCompatibleMode",
	},
	{"key in PKIX", func(w *world, t *trail) {
		w.Keys[t.Region] = nil
		w.AddKey(t.Region, t.Key.PKIX())
		for i, d := range t.Digests {
			w.Forge(d, t.Key, relink(w, t, i, fields{"digestPublicKeyFingerprint": t.Key.PKIX().Fingerprint}))
		}
	}, nil, 0, repeat("Unable to load PKCS #1 key with fingerprint "+digesttest.KeyA().PKIX().Fingerprint, 6), ""},
	{
		"key under a wrong fingerprint", func(w *world, t *trail) { w.Keys[t.Region][0].Fingerprint = strings.Repeat("0", 32) },
		join("wrong-fingerprint", repeat("unknown-key", 6), "nothing-found", unlisted(18)), 1,
		repeat("public key not found in region eu-west-1 for fingerprint "+digesttest.KeyA().Public.Fingerprint, 6), "",
	},
	{"attacker's key under the right fingerprint", func(w *world, t *trail) {
		w.Keys[t.Region][0].Value = digesttest.KeyB().Public.Value
		w.Forge(t.Digests[5], digesttest.KeyB(), fields{"logFiles": []any{}})
	}, join("wrong-fingerprint", repeat("unknown-key", 6), "nothing-found", unlisted(18)), 1, repeat(badSignature, 5), ""},
	{"key is not a key", func(w *world, t *trail) {
		junk := digest.PublicKey{Value: []byte("junk"), Fingerprint: digest.FingerprintOf([]byte("junk"))}
		w.AddKey(t.Region, junk)
		w.EditFields(t.Digests[3], fields{"digestPublicKeyFingerprint": junk.Fingerprint})
	}, join("bad-key", unlisted(3)), 1, []string{"Unable to load PKCS #1 key with fingerprint " + digest.FingerprintOf([]byte("junk"))}, ""},
}

func sha(content []byte) [32]byte { return sha256.Sum256(content) }

func set(name, value string) func(map[string]string) {
	return func(m map[string]string) { m[name] = value }
}

func change(name string, f func(string) string) func(map[string]string) {
	return func(m map[string]string) { m[name] = f(m[name]) }
}

// forgeLog changes the first entry of the newest digest file, with CloudTrail's key.
func forgeLog(w *world, t *trail, change func(map[string]any)) {
	var content struct {
		LogFiles []map[string]any `json:"logFiles"`
	}
	newest := t.Digests[len(t.Digests)-1]
	if err := json.Unmarshal(digesttest.Gunzip(w.Object(newest.Bucket, newest.Key).Body), &content); err != nil {
		panic(err)
	}
	change(content.LogFiles[0])
	w.Forge(newest, t.Key, fields{"logFiles": content.LogFiles})
}

// relink adds the pointer to the digest file before number i as it is now.
func relink(w *world, t *trail, i int, f fields) fields {
	if i == 0 {
		return f
	}
	o := w.Object(t.Bucket, t.Digests[i-1].Key)
	f = maps.Clone(f)
	f["previousDigestSignature"] = o.Metadata["signature"]
	f["previousDigestHashValue"] = fmt.Sprintf("%x", sha(digesttest.Gunzip(o.Body)))
	return f
}

func allTamperings() []tampering {
	var all []tampering
	for _, list := range [][]tampering{digestTamperings, metadataTamperings, logTamperings, keyTamperings} {
		all = append(all, list...)
	}
	return all
}

func TestTampering(t *testing.T) {
	all := allTamperings()
	if len(all) < 60 {
		t.Fatalf("only %d kinds of tampering", len(all))
	}
	for _, tc := range all {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w, tr := chainOf(6)
			tc.do(w, tr)
			got, _, results := validate(t, w, requestOf(t, tr), digest.Options{Now: soonAfter(tr)})
			if diff := cmp.Diff(tc.found, got.Found); diff != "" || got.ExitStatus != tc.status {
				t.Errorf("exit status %d, want %d; results (-want +got):\n%s\n%s", got.ExitStatus, tc.status, diff, details(results))
			}
			checkCompatible(t, w, tr, tc)
		})
	}
}

// checkCompatible holds the same world against what the AWS CLI says of it (see TestBesideTheAWSCLI).
func checkCompatible(t *testing.T, w *world, tr *trail, tc tampering) {
	t.Helper()
	if tc.deviates != "" {
		return
	}
	got, results := runText(t, w, requestOf(t, tr), digest.Options{AWSCompatible: true})
	var reasons []string
	for _, r := range results {
		if !r.IsValid() && r.Code != digest.CodeGap {
			reasons = append(reasons, r.Detail)
		}
	}
	if diff := cmp.Diff(tc.cli, reasons); diff != "" || got.ExitStatus != min(len(tc.cli), 1) {
		t.Errorf("AWS-compatible: exit status %d, reasons (-want +got):\n%s", got.ExitStatus, diff)
	}
}

func details(results []digest.Result) string {
	var b strings.Builder
	for _, r := range results {
		if !r.IsValid() {
			fmt.Fprintf(&b, "%s %s %s: %s\n", r.Code, r.Severity, r.Key, r.Detail)
		}
	}
	return b.String()
}
