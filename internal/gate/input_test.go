// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cttypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/switchback-project/switchback/internal/gate"
)

// journalled makes a call in dry-run and returns how it was kept.
func journalled(t *testing.T, call func(ctx context.Context, cfg aws.Config) error) gate.Call {
	t.Helper()
	book := &ledger{}
	g := open(t, gate.Options{Journal: book, Backend: backendFunc(accepts), DryRun: true})
	if err := call(t.Context(), configOf(t, g, act)); err == nil {
		t.Fatal("dry-run let it pass")
	}
	return book.last(t)
}

var keptInputs = map[string]struct {
	call          func(ctx context.Context, cfg aws.Config) error
	target, input string
}{
	"selectors": {
		call: func(ctx context.Context, cfg aws.Config) error {
			_, err := cloudtrail.NewFromConfig(cfg).PutEventSelectors(ctx, &cloudtrail.PutEventSelectorsInput{
				TrailName: aws.String("arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"),
				EventSelectors: []cttypes.EventSelector{{
					IncludeManagementEvents: aws.Bool(true), ReadWriteType: cttypes.ReadWriteTypeAll,
					DataResources: []cttypes.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3"}}},
				}},
			})
			return err
		},
		target: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main",
		input: `{"TrailName":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main","EventSelectors":[{"DataResources":[{"Type":"AWS::S3::Object",` +
			`"Values":["arn:aws:s3"]}],"IncludeManagementEvents":true,"ReadWriteType":"All"}]}`,
	},
	"a password": {
		call: func(ctx context.Context, cfg aws.Config) error {
			_, err := iam.NewFromConfig(cfg).CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: aws.String("alice"), Password: aws.String("hush")})
			return err
		},
		target: "alice", input: `{"Password":"(redacted)","UserName":"alice"}`,
	},
	"a tag named like a secret": {
		call: func(ctx context.Context, cfg aws.Config) error {
			_, err := iam.NewFromConfig(cfg).TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String("r"), Tags: []iamtypes.Tag{
				{Key: aws.String("db_password"), Value: aws.String("hush")}, {Key: aws.String("team"), Value: aws.String("red")},
			}})
			return err
		},
		target: "r", input: `{"RoleName":"r","Tags":[{"Key":"db_password","Value":"(redacted)"},{"Key":"team","Value":"red"}]}`,
	},
	"an object": {
		call: func(ctx context.Context, cfg aws.Config) error {
			_, err := s3.NewFromConfig(cfg).PutObject(ctx, &s3.PutObjectInput{
				Bucket: aws.String("b"), Key: aws.String("k/1"), Body: strings.NewReader("hush"), SSECustomerKey: aws.String("hush"),
				Metadata: map[string]string{"zebra": "1", "access_token": "hush"},
			})
			return err
		},
		target: "b/k/1",
		input:  `{"Bucket":"b","Key":"k/1","Body":"(body)","Metadata":{"access_token":"(redacted)","zebra":"1"},"SSECustomerKey":"(redacted)"}`,
	},
	"bytes to encrypt": {
		call: func(ctx context.Context, cfg aws.Config) error {
			_, err := kms.NewFromConfig(cfg).Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String("alias/trail"), Plaintext: []byte("hush"), GrantTokens: []string{"hush"}})
			return err
		},
		target: "alias/trail", input: `{"KeyId":"alias/trail","Plaintext":"(redacted)","GrantTokens":"(redacted)"}`,
	},
	"a web identity": {
		call: func(ctx context.Context, cfg aws.Config) error {
			_, err := sts.NewFromConfig(cfg).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
				RoleArn: aws.String("arn:aws:iam::111122223333:role/ci"), RoleSessionName: aws.String("s"), WebIdentityToken: aws.String("hush"),
			})
			return err
		},
		target: "arn:aws:iam::111122223333:role/ci",
		input:  `{"RoleArn":"arn:aws:iam::111122223333:role/ci","RoleSessionName":"s","WebIdentityToken":"(redacted)"}`,
	},
	"hostile text": {
		call: func(ctx context.Context, cfg aws.Config) error {
			_, err := sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{TopicArn: aws.String("t"), Message: aws.String("\xff<script>\u2028\"")})
			return err
		},
		target: "t", input: `{"Message":"\ufffd\u003cscript\u003e\u2028\"","TopicArn":"t"}`,
	},
}

func TestInputIsKeptWithoutSecrets(t *testing.T) {
	for name, tc := range keptInputs {
		t.Run(name, func(t *testing.T) {
			c := journalled(t, tc.call)
			if c.Target != tc.target || string(c.Input) != tc.input {
				t.Errorf("target %q, input\n got %s\nwant %s", c.Target, c.Input, tc.input)
			}
			if strings.Contains(string(c.Input), "hush") || !json.Valid(c.Input) {
				t.Error("the input holds a secret, or is no JSON")
			}
		})
	}
}

func TestInputIsCapped(t *testing.T) {
	put := func(policy string, tags int) gate.Call {
		return journalled(t, func(ctx context.Context, cfg aws.Config) error {
			in := &iam.TagRoleInput{RoleName: aws.String(policy)}
			for range tags {
				in.Tags = append(in.Tags, iamtypes.Tag{Key: aws.String(strings.Repeat("k", 3000)), Value: aws.String("v")})
			}
			_, err := iam.NewFromConfig(cfg).TagRole(ctx, in)
			return err
		})
	}
	c := put(strings.Repeat("p", 20_000), 1)
	if len(c.Input) > 8<<10 || !strings.Contains(string(c.Input), "… (cut, 20000 bytes in all)") || !json.Valid(c.Input) || len(c.Target) != 2048 {
		t.Errorf("%d bytes, target of %d: %.200s", len(c.Input), len(c.Target), c.Input)
	}
	c = put("role", 1000)
	if len(c.Input) > 16<<10 || !strings.Contains(string(c.Input), `"RoleName":"role"`) || !strings.Contains(string(c.Input), "(cut, 1000 in all)") || !json.Valid(c.Input) {
		t.Errorf("%d bytes: %.300s", len(c.Input), c.Input)
	}
}

// TestEveryInputCanBeKept fills the inputs of all operations and keeps them.
func TestEveryInputCanBeKept(t *testing.T) {
	book := &ledger{}
	cfg := configOf(t, open(t, gate.Options{Journal: book, Backend: backendFunc(accepts), DryRun: true}), gate.Scope{})
	for _, service := range sortedKeys(linked) {
		client := reflect.ValueOf(linked[service](cfg))
		for _, op := range operationsOf(client.Type()) {
			if gate.IsRead(service, op.name) {
				continue
			}
			in := reflect.New(op.input)
			fill(in.Elem(), 0)
			if err := call(t.Context(), client, op, in); err == nil {
				t.Errorf("%s.%s passed", service, op.name)
			}
		}
	}
	if len(book.done) < 300 {
		t.Fatalf("only %d inputs were kept", len(book.done))
	}
	for _, c := range book.done {
		if !json.Valid(c.Input) || len(c.Input) > 16<<10 {
			t.Errorf("%s: %d bytes, valid %t: %.300s", c.Name(), len(c.Input), json.Valid(c.Input), c.Input)
		}
	}
}
