// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"container/heap"
	"encoding/json"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
)

// deliveries are log files that are not delivered yet, ordered by when they are due.
type deliveries struct {
	open map[batchKey]*batch // takes more records until it is due
	due  batches
	n    uint64
}

type batchKey struct {
	trail   *trail
	account *account
	region  string
}

// batch is one log file to be: what a trail recorded of an account and region within the delivery delay.
type batch struct {
	batchKey
	at      time.Time // when it is due
	giveUp  time.Time
	n       uint64 // in the order of their first records
	records []cloudtrail.Record
}

// CloudTrail tries for 30 days to deliver a log file.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
const tryFor = 30 * 24 * time.Hour

func (d *deliveries) add(t *trail, a *account, r cloudtrail.Record, due time.Time) {
	k := batchKey{t, a, r.AWSRegion}
	b, ok := d.open[k]
	if !ok {
		d.n++
		b = &batch{batchKey: k, at: due, giveUp: due.Add(tryFor), n: d.n}
		d.open[k] = b
		heap.Push(&d.due, b)
	}
	b.records = append(b.records, cloudtrail.Record{EventTime: r.EventTime, Raw: r.Raw})
}

// deliver delivers what is due at now, oldest first. It runs before every call, so that a change never takes effect on
// a log file that was due before it.
func (s *Sandbox) deliver(now time.Time) {
	d := &s.deliveries
	for len(d.due) > 0 && !d.due[0].at.After(now) {
		b := d.due[0]
		if d.open[b.batchKey] == b {
			delete(d.open, b.batchKey)
		}
		code := s.write(b)
		b.trail.deliveryError = code
		if code == "" || !b.at.Before(b.giveUp) {
			heap.Pop(&d.due)
			continue
		}
		b.at = b.at.Add(max(s.delay, time.Minute))
		heap.Fix(&d.due, 0)
	}
}

// write puts the log file into the trail's bucket. It returns the S3 error code that GetTrailStatus shows, "" when the
// file was delivered.
func (s *Sandbox) write(b *batch) (code string) {
	t := b.trail
	bucket := s.bucketIn(t.account.partition, t.destination.bucket)
	if bucket == nil {
		return "NoSuchBucket"
	}
	ids := newIDs(s.seed, "log file "+t.arn+b.account.id+b.region, uint64(b.at.UnixNano()))
	key := b.key(ids.text(16, alnum))
	if !t.mayWrite(bucket, key) || bucket.requesterPays {
		return accessDenied
	}
	encryption, code := s.encryption(t, bucket, b.at)
	if code != "" {
		return code
	}
	body, err := cloudtrail.LogFile{Records: b.records}.Gzip()
	if err != nil {
		return "InternalError" // compressing into memory does not fail
	}
	bucket.put(object{
		key: key, body: body, modified: b.at, contentType: "application/json", contentEncoding: "gzip",
		encryption: encryption.algorithm, kmsKey: encryption.key,
	}, ids.text(32, alnum))
	t.delivered = b.at
	s.notifyBucket(bucket, key, int64(len(body)), b.at, ids)
	s.notifyTrail(t, key, b.at, ids)
	return ""
}

// key is the name of the log file: its time is the newest event's, rounded down to 5 minutes.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
func (b *batch) key(random string) string {
	k := cloudtrail.ObjectKey{
		Prefix: b.trail.destination.prefix, AccountID: b.account.id, Kind: cloudtrail.KindLog, Region: b.region,
		Time: b.records[len(b.records)-1].EventTime.Truncate(5 * time.Minute), Unique: random,
	}
	if b.trail.organization && b.account.organization != nil {
		k.OrganizationID = b.account.organization.id
	}
	return k.String()
}

// keyPrefix is where the log files of an account begin: "prefix/AWSLogs/o-id/account/".
func (t *trail) keyPrefix(a *account) string {
	prefix := "AWSLogs/" + a.id + "/"
	if t.organization && a.organization != nil {
		prefix = "AWSLogs/" + a.organization.id + "/" + a.id + "/"
	}
	if t.destination.prefix != "" {
		prefix = t.destination.prefix + "/" + prefix
	}
	return prefix
}

// mayDo asks a resource policy whether CloudTrail may act for this trail.
func (t *trail) mayDo(document, action, resource string) bool {
	p, err := parsePolicy(document)
	if err != nil {
		return false
	}
	return p.decide(question{
		action: action, resource: resource, who: &who{service: hostOf("cloudtrail")},
		keys: map[string]string{
			"aws:sourcearn": t.arn, "aws:sourceaccount": t.account.id, "aws:securetransport": "true",
			"s3:x-amz-acl": "bucket-owner-full-control", "aws:principalisawsservice": "true",
			"aws:principalservicename":                 hostOf("cloudtrail"),
			"kms:encryptioncontext:aws:cloudtrail:arn": t.arn,
		},
	}) == allowed
}

func (t *trail) mayWrite(b *bucket, key string) bool {
	return t.mayDo(b.policy, "s3:PutObject", b.arn()+"/"+key)
}

func (t *trail) mayEncrypt(k *kmsKey) bool {
	return t.mayDo(k.policy, "kms:GenerateDataKey", k.arn)
}

// encrypted is how an object is stored.
type encrypted struct{ algorithm, key string }

// encryption is the trail's key or the bucket's default, with the S3 error code when it cannot be used.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func (s *Sandbox) encryption(t *trail, b *bucket, now time.Time) (encrypted, string) {
	e := b.defaultEncryption()
	if t.destination.key != "" {
		e = encrypted{"aws:kms", t.destination.key}
	}
	if e.key == "" {
		return e, ""
	}
	k := s.keyByARN(e.key)
	switch {
	case k == nil:
		return e, "KMS.NotFoundException"
	case k.state(now) == keyDisabled:
		return e, "KMS.DisabledException"
	case k.state(now) != keyEnabled:
		return e, "KMS.KMSInvalidStateException"
	case !t.mayEncrypt(k):
		return e, accessDenied
	default:
		return e, ""
	}
}

// notifyTrail tells the trail's topic of the new log file.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html
func (s *Sandbox) notifyTrail(t *trail, key string, now time.Time, ids *ids) {
	if t.destination.topic == "" {
		return
	}
	topic := s.topicByARN(t.destination.topic)
	switch {
	case topic == nil:
		t.notifyingError = "NotFound"
		return
	case !t.mayDo(topic.policy(), "SNS:Publish", topic.arn):
		t.notifyingError = "AuthorizationError"
		return
	}
	message, _ := json.Marshal(map[string]any{"s3Bucket": t.destination.bucket, "s3ObjectKey": []string{key}}) // strings only
	s.fanOut(topic, string(message), now, ids)
	t.notified, t.notifyingError = now, ""
}

// notifyBucket sends the S3 event notification of a new object to the queues that the bucket names.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
func (s *Sandbox) notifyBucket(b *bucket, key string, size int64, now time.Time, ids *ids) {
	for _, queueARN := range b.notifies(key) {
		q := s.queueByARN(queueARN)
		if q == nil {
			continue
		}
		q.send(ids.uuid(), b.notification(key, size, now), now, now)
	}
}

// batches is a heap by time due, then by age.
type batches []*batch

func (h batches) Len() int      { return len(h) }
func (h batches) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *batches) Push(x any)   { *h = append(*h, x.(*batch)) }
func (h batches) Less(i, j int) bool {
	return h[i].at.Before(h[j].at) || h[i].at.Equal(h[j].at) && h[i].n < h[j].n
}

func (h *batches) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
