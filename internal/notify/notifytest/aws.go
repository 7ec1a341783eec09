// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notifytest

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/switchback-project/switchback/internal/gate"
)

// The account and region that [AWS] is.
const (
	Account = "111122223333"
	Region  = "eu-west-1"
)

// AWS starts a receiver that the SDK speaks to as it does to AWS, and returns a gate in dry-run to it, and what has
// arrived. Who we are is always answered; whatever else is, answer writes.
func AWS(t *testing.T, b Behaviour, answer func(w http.ResponseWriter, p Post)) (*gate.Gate, func() []Post) {
	t.Helper()
	identity := func(w http.ResponseWriter, p Post) bool {
		if !bytes.Contains(p.Body, []byte("Action=GetCallerIdentity")) {
			return false
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::%s:user/switchback</Arn><UserId>AIDAEXAMPLE</UserId><Account>%s</Account></GetCallerIdentityResult>`+
			`<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>`, Account, Account)
		return true
	}
	url, received := Answering(t, b, func(w http.ResponseWriter, p Post) bool {
		if identity(w, p) {
			return false
		}
		answer(w, p)
		return true
	})
	g, err := gate.Open(t.Context(), gate.Options{
		Endpoint: url, Region: Region, MaxAttempts: 1, DryRun: true,
		Credentials: credentials.StaticCredentialsProvider{Value: aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return g, received
}
