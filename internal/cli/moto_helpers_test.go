// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	events "github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// The account in moto, and what is in it.
const (
	motoAccount = "111122223333"
	motoRegion  = "eu-west-1"
	motoBucket  = "trail-111122223333"
	motoOther   = "elsewhere-111122223333"
	motoTrail   = "main"
	motoARN     = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
	// responderRole is the role in the account that Switchback assumes. moto makes it up.
	responderRole = "arn:aws:iam::111122223333:role/SwitchbackResponder"
)

// motoWorld is an account in moto with a trail that logs, and a daemon that watches it. The test is the account's
// administrator, the attacker, and CloudTrail: moto records no calls, sends no events and delivers no log files.
type motoWorld struct {
	t        testing.TB
	endpoint string
	trails   *cloudtrail.Client
	s3       *s3.Client
	sqs      *sqs.Client
	key      string
	queue    string
	dir      string
	config   string
	posts    func() []notifytest.Post
	daemon   *process
	sent     int
}

func newMotoWorld(t *testing.T) *motoWorld {
	w := &motoWorld{t: t, endpoint: gatetest.StartMoto(t), dir: t.TempDir()}
	cfg := gatetest.MotoConfig(t, motoAccount, motoRegion)
	w.trails, w.sqs = cloudtrail.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	w.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	w.newBucket(motoBucket)
	w.newBucket(motoOther)
	key, err := kms.NewFromConfig(cfg).CreateKey(t.Context(), &kms.CreateKeyInput{})
	check(t, err)
	w.key = *key.KeyMetadata.Arn
	queue, err := w.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("switchback-events")})
	check(t, err)
	w.queue = *queue.QueueUrl
	w.newTrail()
	webhook, posts := notifytest.HTTP(t, notifytest.Accepts)
	w.posts = posts
	w.configure(webhook)
	return w
}

// newBucket makes a bucket that CloudTrail may write to.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
func (w *motoWorld) newBucket(name string) {
	w.t.Helper()
	_, err := w.s3.CreateBucket(w.t.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: motoRegion},
	})
	check(w.t, err)
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[`+
		`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::%[1]s"},`+
		`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::%[1]s/*",`+
		`"Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}]}`, name)
	_, err = w.s3.PutBucketPolicy(w.t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: &policy})
	check(w.t, err)
}

// newTrail makes the trail in the recommended state, with selectors and tags, and starts it.
func (w *motoWorld) newTrail() {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.trails.CreateTrail(ctx, &cloudtrail.CreateTrailInput{
		Name: aws.String(motoTrail), S3BucketName: aws.String(motoBucket), KmsKeyId: &w.key,
		IsMultiRegionTrail: aws.Bool(true), IncludeGlobalServiceEvents: aws.Bool(true), EnableLogFileValidation: aws.Bool(true),
		TagsList: []types.Tag{{Key: aws.String("owner"), Value: aws.String("security")}},
	})
	check(w.t, err)
	w.putSelectors(types.ReadWriteTypeAll)
	_, err = w.trails.StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: aws.String(motoTrail)})
	check(w.t, err)
}

// putSelectors records management events of a kind, and the objects of a bucket.
func (w *motoWorld) putSelectors(of types.ReadWriteType) {
	w.t.Helper()
	_, err := w.trails.PutEventSelectors(w.t.Context(), &cloudtrail.PutEventSelectorsInput{
		TrailName: aws.String(motoTrail), EventSelectors: []types.EventSelector{{
			ReadWriteType: of, IncludeManagementEvents: aws.Bool(true),
			DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::payroll/"}}},
		}},
	})
	check(w.t, err)
}

// putAdvanced records the events of some categories.
func (w *motoWorld) putAdvanced(categories ...string) {
	w.t.Helper()
	var all []types.AdvancedEventSelector
	for _, c := range categories {
		s := types.AdvancedEventSelector{FieldSelectors: []types.AdvancedFieldSelector{{Field: aws.String("eventCategory"), Equals: []string{c}}}}
		if c == "Data" {
			s.FieldSelectors = append(s.FieldSelectors, types.AdvancedFieldSelector{Field: aws.String("resources.type"), Equals: []string{"AWS::S3::Object"}})
		}
		all = append(all, s)
	}
	_, err := w.trails.PutEventSelectors(w.t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: aws.String(motoTrail), AdvancedEventSelectors: all})
	check(w.t, err)
}

func (w *motoWorld) update(in cloudtrail.UpdateTrailInput) {
	w.t.Helper()
	in.Name = aws.String(motoTrail)
	_, err := w.trails.UpdateTrail(w.t.Context(), &in)
	check(w.t, err)
}

// trailState is everything about a trail that must come back.
type trailState struct {
	Trail     types.Trail
	IsLogging bool
	Selectors []types.EventSelector
	Advanced  []types.AdvancedEventSelector
	Tags      []types.Tag
}

// read asks moto, past the gate.
func (w *motoWorld) read() (s trailState, exists bool) {
	w.t.Helper()
	ctx := w.t.Context()
	list, err := w.trails.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{})
	check(w.t, err)
	i := slices.IndexFunc(list.TrailList, func(t types.Trail) bool { return *t.Name == motoTrail })
	if i < 0 {
		return s, false
	}
	s.Trail = list.TrailList[i]
	status, err := w.trails.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(motoARN)})
	check(w.t, err)
	selectors, err := w.trails.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(motoTrail)})
	check(w.t, err)
	tags, err := w.trails.ListTags(ctx, &cloudtrail.ListTagsInput{ResourceIdList: []string{motoARN}})
	check(w.t, err)
	s.IsLogging, s.Selectors, s.Advanced = aws.ToBool(status.IsLogging), selectors.EventSelectors, selectors.AdvancedEventSelectors
	s.Tags = tags.ResourceTagList[0].TagsList
	return s, true
}

// configure writes the configuration and the directory of people.
func (w *motoWorld) configure(webhook string) {
	people := writeFile(w.t, w.dir, "people.yaml", "people:\n  - {name: Alice Example, email: alice@example.com, principals: [alice]}\n")
	w.config = writeFile(w.t, w.dir, "switchback.yaml", fmt.Sprintf(`
state: %s
region: %s
accounts: [{id: %q, role_arn: %q, regions: [%s]}]
policy: [{mode: act}]
sources: [{type: sqs, queue_url: %q, account: %q, region: %s, wait: 1s, visibility: 2s}]
channels: [{type: webhook, url: %q, secret: 0123456789abcdef, reaches_human: true}]
security: {to: [{name: Security team, email: security@example.com}], call: the security team}
directories: [{type: file, path: %s}]
proof: {every: 1s}
`, w.state(), motoRegion, motoAccount, responderRole, motoRegion, w.queue, motoAccount, motoRegion, webhook, people))
}

func (w *motoWorld) state() string { return filepath.Join(w.dir, "state") }

// environment is that of a process whose AWS is moto.
func (w *motoWorld) environment() []string {
	return []string{"AWS_ENDPOINT_URL=" + w.endpoint, "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=example"}
}

// through puts a proxy before moto, which counts the calls of CloudTrail by their operation.
func (w *motoWorld) through() (counts func() map[string]int) {
	w.t.Helper()
	target, err := url.Parse(w.endpoint)
	check(w.t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // of daemons that are killed in a call
	var mu sync.Mutex
	count := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if name := r.Header.Get("X-Amz-Target"); strings.Contains(name, "CloudTrail") {
			mu.Lock()
			count[name[strings.LastIndex(name, ".")+1:]]++
			mu.Unlock()
		}
		proxy.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(server.Close)
	w.endpoint = server.URL
	return func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(count)
	}
}

// serve starts the daemon and waits until it knows what the trail looks like.
func (w *motoWorld) serve() {
	w.t.Helper()
	w.start(startChild(w.t, childMain, w.environment(), "--config", w.config, "serve"))
}

// start waits until the daemon knows what the trail looks like.
func (w *motoWorld) start(daemon *process) {
	w.t.Helper()
	w.daemon = daemon
	until(w.t, "the first snapshot", func() bool {
		if w.daemon.hasEnded() {
			w.t.Fatalf("serve ended: %s", w.daemon.err.String())
		}
		return w.hasSnapshot()
	})
}

func (w *motoWorld) hasSnapshot() bool {
	w.t.Helper()
	db, err := sqlite.Open(w.t.Context(), filepath.Join(w.state(), "switchback.db"), sqlite.Options{})
	check(w.t, err)
	defer db.Close()
	_, err = db.SnapshotBefore(w.t.Context(), motoARN, time.Now())
	if err != nil && !errors.Is(err, incident.ErrNotFound) {
		w.t.Fatal(err)
	}
	return err == nil
}

// Who attacks: alice, in a session of the role Deploy.
const (
	attackerKey     = "ASIAIOSFODNN7EXAMPLE"
	attackerIP      = "198.51.100.7"
	attackerSession = "arn:aws:sts::111122223333:assumed-role/Deploy/maintenance"
)

func sessionIdentity(role, session, key string) map[string]any {
	return map[string]any{
		"type": "AssumedRole", "principalId": "AROAEXAMPLE" + role + ":" + session, "accountId": motoAccount, "accessKeyId": key,
		"arn": fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", motoAccount, role, session),
		"sessionContext": map[string]any{
			"sessionIssuer": map[string]any{
				"type": "Role", "principalId": "AROAEXAMPLE" + role, "accountId": motoAccount, "userName": role,
				"arn": fmt.Sprintf("arn:aws:iam::%s:role/%s", motoAccount, role),
			},
			"attributes": map[string]any{"creationDate": "2026-05-04T09:00:00Z", "mfaAuthenticated": "false"},
		},
	}
}

// record is one of CloudTrail's, of a call that was made now.
func (w *motoWorld) record(name, source, requestID string, who, request, response map[string]any) map[string]any {
	w.sent++
	return map[string]any{
		"eventVersion": "1.11", "userIdentity": who, "eventTime": time.Now().UTC().Format(time.RFC3339), "eventSource": source,
		"eventName": name, "awsRegion": motoRegion, "sourceIPAddress": attackerIP, "userAgent": demoAgent,
		"requestParameters": request, "responseElements": response, "requestID": requestID,
		"eventID": fmt.Sprintf("8f1d0c5e-0000-4000-8000-%012d", w.sent), "readOnly": false, "eventType": "AwsApiCall",
		"managementEvent": true, "recipientAccountId": motoAccount, "eventCategory": "Management",
	}
}

// deliver sends the record as EventBridge does to a rule whose target is the queue.
func (w *motoWorld) deliver(record map[string]any) {
	w.t.Helper()
	source := "aws.cloudtrail"
	if record["eventName"] == "AssumeRole" {
		source = "aws.sts"
	}
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": record["eventID"], "detail-type": "AWS API Call via CloudTrail", "source": source,
		"account": motoAccount, "time": record["eventTime"], "region": motoRegion, "resources": []string{}, "detail": record,
	})
	check(w.t, err)
	_, err = w.sqs.SendMessage(w.t.Context(), &sqs.SendMessageInput{QueueUrl: &w.queue, MessageBody: aws.String(string(body))})
	check(w.t, err)
}

// deliverAttack sends the event of alice's session beginning, and that of its call. It returns the id of the latter.
func (w *motoWorld) deliverAttack(name string, request map[string]any) string {
	w.t.Helper()
	alice := map[string]any{
		"type": "IAMUser", "principalId": "AIDAEXAMPLEALICE", "arn": "arn:aws:iam::111122223333:user/alice", "accountId": motoAccount,
		"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "alice",
	}
	w.deliver(w.record("AssumeRole", "sts.amazonaws.com", "assume-1", alice,
		map[string]any{"roleArn": "arn:aws:iam::111122223333:role/Deploy", "roleSessionName": "maintenance"},
		map[string]any{
			"credentials":     map[string]any{"accessKeyId": attackerKey, "sessionToken": "secret", "expiration": time.Now().Add(time.Hour).UTC().Format("Jan 2, 2006, 3:04:05 PM")},
			"assumedRoleUser": map[string]any{"assumedRoleId": "AROAEXAMPLEDeploy:maintenance", "arn": attackerSession},
		}))
	attack := w.record(name, "cloudtrail.amazonaws.com", "attack-1", sessionIdentity("Deploy", "maintenance", attackerKey), request, nil)
	w.deliver(attack)
	return attack["eventID"].(string)
}

// deliverOwn acts as CloudTrail about our own call: its event comes to the queue, and its record in a log file.
func (w *motoWorld) deliverOwn(call gate.Call) {
	w.t.Helper()
	var request map[string]any
	check(w.t, json.Unmarshal(call.Input, &request))
	parameters := map[string]any{}
	for k, v := range request {
		if v != nil {
			parameters[lowerFirst(k)] = v
		}
	}
	who := sessionIdentity("SwitchbackResponder", "switchback-"+call.Incident, call.AccessKeyID)
	record := w.record(call.Operation, "cloudtrail.amazonaws.com", call.RequestID, who, parameters, nil)
	w.deliver(record)
	raw, err := json.Marshal(record)
	check(w.t, err)
	parsed, err := events.ParseRecord(raw)
	check(w.t, err)
	file, err := events.LogFile{Records: []events.Record{parsed}}.Gzip()
	check(w.t, err)
	key := events.ObjectKey{
		AccountID: motoAccount, Kind: events.KindLog, Region: motoRegion, Time: time.Now().UTC().Truncate(5 * time.Minute), Unique: "Ab12Cd34Ef56Gh78",
	}.String()
	_, err = w.s3.PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: aws.String(motoBucket), Key: &key, Body: bytes.NewReader(file)})
	check(w.t, err)
}

func lowerFirst(s string) string { return string(s[0]|0x20) + s[1:] }

// queueIsEmpty: nothing waits and nothing is in anybody's hands.
func (w *motoWorld) queueIsEmpty() bool {
	w.t.Helper()
	out, err := w.sqs.GetQueueAttributes(w.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &w.queue, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	})
	check(w.t, err)
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
		if cmp.Or(out.Attributes[name], "0") != "0" {
			return false
		}
	}
	return true
}

// calls are the changes that we made in AWS for the incident, as its timeline shows them.
func calls(t testing.TB, one shown) []gate.Call {
	t.Helper()
	var all []gate.Call
	for _, e := range one.Timeline {
		if e.Kind != incident.EntryCall {
			continue
		}
		var c gate.Call
		if err := json.Unmarshal(e.Data, &c); err != nil {
			t.Fatalf("a call on the timeline: %v", err)
		}
		all = append(all, c)
	}
	return all
}
