// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digesttest

import (
	"crypto"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail/digest"
)

// Trail delivers for one trail in one account and region. Fields may change between hours: that is how a key is rotated
// or a bucket changed. The zero values of most are filled by World.Trail.
type Trail struct {
	Bucket, Prefix, Organization string
	Account, Region              string
	Name, HomeRegion             string
	Key                          *Key
	LogFiles                     int // delivered an hour
	LogSize                      int // bytes of each, inflated; small if zero

	Now     time.Time // end of the last hour
	Digests []Ref     // delivered, oldest first
	Logs    []Ref
	// Backfills are the backfill digest files, oldest first; their log files are among Logs.
	Backfills []Ref

	world        *World
	random       *rand.Rand
	last, filled *delivered
	shared       []byte // one log file's gzip body, when all are alike
	sharedHash   string
}

// Ref names an object.
type Ref struct{ Bucket, Key string }

type delivered struct {
	ref       Ref
	hash      string
	signature string
}

// Start is when trails of this package begin, unless they say otherwise.
var Start = time.Date(2026, 5, 4, 0, 17, 28, 0, time.UTC)

// Trail adds a trail to the world.
func (w *World) Trail(t Trail) *Trail {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&t.Bucket, "logs-111122223333")
	fill(&t.Account, "111122223333")
	fill(&t.Region, "eu-west-1")
	fill(&t.Name, "main")
	fill(&t.HomeRegion, t.Region)
	if t.Key == nil {
		t.Key = KeyA()
	}
	if t.Now.IsZero() {
		t.Now = Start
	}
	return t.In(w)
}

// In returns a copy of the trail that goes on in a clone of its world.
func (t Trail) In(w *World) *Trail {
	t.world = w
	t.Digests, t.Logs, t.Backfills = slices.Clone(t.Digests), slices.Clone(t.Logs), slices.Clone(t.Backfills)
	seed := uint64(len(t.Logs)) + 1
	for _, c := range t.Bucket + t.Account + t.Region + t.Name {
		seed = seed*31 + uint64(c)
	}
	t.random = rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // reproducible on purpose
	return &t
}

// World is where the trail delivers.
func (t *Trail) World() *World { return t.world }

// ARN is the trail's.
func (t *Trail) ARN() string {
	return fmt.Sprintf("arn:aws:cloudtrail:%s:%s:trail/%s", t.HomeRegion, t.Account, t.Name)
}

// Hours delivers for n hours: log files, then a digest file each.
func (t *Trail) Hours(n int) *Trail {
	for range n {
		from := t.Now
		t.Now = from.Add(time.Hour)
		d := t.deliver(from, t.logs(from), t.last, "")
		t.last = &d
		t.Digests = append(t.Digests, d.ref)
	}
	return t
}

// Off lets n hours pass without validation: log files (if any are delivered) get no digest file, and the chain restarts.
func (t *Trail) Off(n, logFiles int) *Trail {
	usual := t.LogFiles
	t.LogFiles = logFiles
	for range n {
		t.logs(t.Now)
		t.Now = t.Now.Add(time.Hour)
	}
	t.LogFiles, t.last = usual, nil
	return t
}

// Backfill delivers log files of the last hour late, with a digest file of their own that was written at generated.
func (t *Trail) Backfill(generated time.Time) *Trail {
	from := t.Now.Add(-time.Hour)
	d := t.deliver(from, t.logs(from.Add(30*time.Minute)), t.filled, generated.UTC().Format(time.RFC3339))
	t.filled = &d
	t.Backfills = append(t.Backfills, d.ref)
	return t
}

func (t *Trail) root() string {
	root := "AWSLogs/"
	if t.Prefix != "" {
		root = t.Prefix + "/" + root
	}
	if t.Organization != "" {
		root += t.Organization + "/"
	}
	return root + t.Account + "/"
}

// logs delivers the log files of an hour and returns their entries.
func (t *Trail) logs(from time.Time) []digest.LogFile {
	entries := make([]digest.LogFile, 0, t.LogFiles)
	for i := range t.LogFiles {
		at := from.Add(5*time.Minute + time.Duration(i)*40*time.Minute/time.Duration(t.LogFiles)).UTC()
		entries = append(entries, t.PutLog(at))
	}
	return entries
}

// PutLog delivers one log file and returns the entry that a digest file would have for it.
func (t *Trail) PutLog(at time.Time) digest.LogFile {
	key := fmt.Sprintf("%sCloudTrail/%s/%s/%s_CloudTrail_%s_%s_%s.json.gz", t.root(), t.Region, at.Format("2006/01/02"),
		t.Account, t.Region, at.Format("20060102T1504Z"), t.name())
	body, hash := t.log(at)
	t.world.Put(t.Bucket, key, &Object{Body: body, Modified: at})
	t.Logs = append(t.Logs, Ref{t.Bucket, key})
	stamp := at.Format(time.RFC3339)
	return digest.LogFile{
		Bucket: t.Bucket, Object: key, Hash: hash, HashAlgorithm: digest.HashAlgorithm, NewestEventTime: stamp, OldestEventTime: stamp,
	}
}

func (t *Trail) name() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	name := make([]byte, 16)
	for i := range name {
		name[i] = letters[t.random.IntN(len(letters))]
	}
	return string(name)
}

// log makes a log file. Large ones share one body: making them is not what is measured.
func (t *Trail) log(at time.Time) (body []byte, hash string) {
	if t.LogSize > 0 && t.shared != nil {
		return t.shared, t.sharedHash
	}
	var b strings.Builder
	b.WriteString(`{"Records":[`)
	for n := 0; n == 0 || b.Len() < t.LogSize; n++ {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:%s","accountId":%q},`+
			`"eventTime":%q,"eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":%q,"sourceIPAddress":"192.0.2.%d",`+
			`"requestParameters":{"bucketName":"data","key":"%s/%d"},"eventID":"%08x-%04x-4000-8000-%012x","recipientAccountId":%q}`,
			t.name(), t.Account, at.Format(time.RFC3339), t.Region, t.random.IntN(256), t.name(), n,
			t.random.Uint32(), t.random.Uint32N(1<<16), t.random.Uint64N(1<<48), t.Account)
	}
	b.WriteString("]}")
	content := []byte(b.String())
	body, hash = Gzip(content), hexSHA256(content)
	if t.LogSize > 0 {
		t.shared, t.sharedHash = body, hash
	}
	return body, hash
}

// deliver writes a digest file of the hour that starts at from.
func (t *Trail) deliver(from time.Time, logs []digest.LogFile, previous *delivered, generated string) delivered {
	end := from.Add(time.Hour)
	suffix := ""
	if generated != "" {
		suffix = "_backfill"
	}
	key := fmt.Sprintf("%sCloudTrail-Digest/%s/%s/%s_CloudTrail-Digest_%s_%s_%s_%s%s.json.gz", t.root(), t.Region,
		end.Format("2006/01/02"), t.Account, t.Region, t.Name, t.HomeRegion, end.Format("20060102T150405Z"), suffix)
	fields := map[string]any{
		"awsAccountId": t.Account, "digestStartTime": from.Format(time.RFC3339), "digestEndTime": end.Format(time.RFC3339),
		"digestS3Bucket": t.Bucket, "digestS3Object": key, "digestPublicKeyFingerprint": t.Key.Public.Fingerprint,
		"digestSignatureAlgorithm": digest.SignatureAlgorithm, "newestEventTime": nil, "oldestEventTime": nil,
		"previousDigestS3Bucket": nil, "previousDigestS3Object": nil, "previousDigestHashValue": nil,
		"previousDigestHashAlgorithm": nil, "previousDigestSignature": nil, "logFiles": logs,
	}
	if previous != nil {
		fields["previousDigestS3Bucket"], fields["previousDigestS3Object"] = previous.ref.Bucket, previous.ref.Key
		fields["previousDigestHashValue"], fields["previousDigestHashAlgorithm"] = previous.hash, digest.HashAlgorithm
		fields["previousDigestSignature"] = previous.signature
	}
	content, err := json.Marshal(fields)
	if err != nil {
		panic(err) // plain values
	}
	ref := Ref{t.Bucket, key}
	signature := t.world.PutDigest(ref, content, t.Key)
	if generated != "" {
		t.world.Object(t.Bucket, key).Metadata["backfill-generation-timestamp"] = generated
	}
	t.world.AddKey(t.Region, t.Key.Public)
	return delivered{ref, hexSHA256(content), signature}
}

// PutDigest stores a digest file with this content, signed, and returns the signature. Content that cannot be parsed is
// stored unsigned.
func (w *World) PutDigest(ref Ref, content []byte, key *Key) string {
	o := &Object{Body: Gzip(content), Metadata: map[string]string{"signature-algorithm": digest.SignatureAlgorithm}}
	w.Put(ref.Bucket, ref.Key, o)
	file, err := digest.Parse(content)
	if err != nil {
		return ""
	}
	o.Metadata["signature"] = key.Sign(file.StringToSign(sum(content)), crypto.SHA256)
	return o.Metadata["signature"]
}
