// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/source"
)

// about is an event that EventBridge delivers.
func (p *pipeline) about(id, service, name, account, parameters string) source.Delivery {
	p.Helper()
	envelope, err := cloudtrail.ParseEnvelope(fmt.Appendf(nil, `{"version":"0","id":%[1]q,"source":"aws.%[2]s","detail-type":"AWS API Call via CloudTrail",
		"account":%[4]q,"region":%[5]q,"time":"2026-05-04T09:00:00Z","resources":[],"detail":{"eventVersion":"1.11","eventID":%[1]q,"eventName":%[3]q,
		"eventSource":"%[2]s.amazonaws.com","eventTime":"2026-05-04T09:00:00Z","awsRegion":%[5]q,"recipientAccountId":%[4]q,
		"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%[4]s:user/mallory","accountId":%[4]q},"requestParameters":%[6]s}}`,
		id, service, name, account, region, parameters))
	p.check(err)
	return source.Delivery{Envelope: envelope, Via: "test"}
}

// A runbook of the baseline opens incidents only about what a protected trail depends on, and about it by its ARN.
func TestBaselineOnly(t *testing.T) {
	p := newPipeline(t)
	id := p.seeded.KeyARN[strings.LastIndexByte(p.seeded.KeyARN, '/')+1:]
	bucket := "arn:aws:s3:::" + p.seeded.Bucket
	for name, tt := range map[string]struct {
		event    source.Delivery
		resource string // of the incident, "" for none
	}{
		"the key by its id":          {p.about("1", "kms", "DisableKey", p.seeded.Account, fmt.Sprintf(`{"keyId":%q}`, id)), p.seeded.KeyARN},
		"another key":                {p.about("2", "kms", "DisableKey", p.seeded.Account, `{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ab"}`), ""},
		"a key of the id, elsewhere": {p.about("3", "kms", "DisableKey", "444455556666", fmt.Sprintf(`{"keyId":%q}`, id)), ""},
		"the bucket, from anywhere":  {p.about("4", "s3", "DeleteBucketPolicy", "444455556666", fmt.Sprintf(`{"bucketName":%q}`, p.seeded.Bucket)), bucket},
		"another bucket":             {p.about("5", "s3", "DeleteBucketPolicy", p.seeded.Account, `{"bucketName":"lunch"}`), ""},
		"no bucket at all":           {p.about("6", "s3", "DeleteBucketPolicy", p.seeded.Account, `null`), ""},
		"a call that harms nothing":  {p.about("7", "kms", "TagResource", p.seeded.Account, fmt.Sprintf(`{"keyId":%q}`, id)), ""},
	} {
		before := len(p.list())
		matches, err := p.system.Matches(t.Context(), tt.event)
		p.check(err)
		if matches != (tt.resource != "") {
			t.Errorf("%s: matches %t", name, matches)
		}
		p.check(p.system.Handle(t.Context(), tt.event))
		p.check(p.system.Handle(t.Context(), tt.event)) // at least once
		list := p.list()
		if tt.resource == "" {
			if len(list) != before {
				t.Errorf("%s: opened %+v", name, list[0].Key)
			}
			continue
		}
		if len(list) != before+1 {
			t.Errorf("%s: %d incidents, want one more than %d", name, len(list), before)
			continue
		}
		i := slices.IndexFunc(list, func(i incident.Incident) bool { return i.Key.Resource == tt.resource })
		if i < 0 || list[i].Key.Account != p.seeded.Account || list[i].Key.Runbook != "trail-blinded" || !strings.Contains(list[i].Title, " on ") {
			t.Errorf("%s: incidents %+v, want one about %s", name, list, tt.resource)
		}
	}
}

// An event of ours about what a trail depends on starts it too, one about anything else does not.
func TestBaselineOnlyOfOwnEvents(t *testing.T) {
	p := newPipeline(t)
	for i := range p.books {
		if p.books[i].Manifest.ID == "trail-blinded" {
			p.books[i].Manifest.Triggers[0].Pattern = []byte(`{"source":["switchback"]}`)
		}
	}
	p.open(p.db.Executions())
	for i, resources := range []string{`["` + p.seeded.KeyARN + `"]`, `["arn:aws:kms:eu-west-1:111122223333:key/other"]`, `[]`} {
		envelope, err := cloudtrail.ParseEnvelope(fmt.Appendf(nil, `{"id":"own-%d","source":"switchback","detail-type":"Trail Status","account":%q,"region":%q,"resources":%s,"detail":{}}`,
			i, p.seeded.Account, region, resources))
		p.check(err)
		p.check(p.system.Handle(t.Context(), source.Delivery{Envelope: envelope, Via: "test"}))
	}
	if inc := p.only(); inc.Key.Resource != p.seeded.KeyARN {
		t.Errorf("the incident is about %s", inc.Key.Resource)
	}
}

// A history is not searched for all that happens to every bucket and key.
func TestEventNames(t *testing.T) {
	p := newPipeline(t)
	names, err := json.Marshal(p.system.EventNames())
	p.check(err)
	if !strings.Contains(string(names), "StopLogging") || strings.Contains(string(names), "PutBucketPolicy") {
		t.Errorf("names are %s", names)
	}
}
