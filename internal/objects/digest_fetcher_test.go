// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package objects_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/internal/objects"
)

// elsewhere is S3 with one bucket: requests that are signed for another region are redirected or refused, as status says.
type elsewhere struct {
	region string
	status int
	denies bool // nobody may read the bucket

	mu    sync.Mutex
	asked []string // method and region
}

func (e *elsewhere) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	region := strings.Split(r.Header.Get("Authorization"), "/")[2]
	e.mu.Lock()
	e.asked = append(e.asked, r.Method+" "+region)
	e.mu.Unlock()
	bucket, _, hasKey := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	w.Header().Set("Content-Type", "application/xml")
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no</Message></Error>") // a client that went away
	}
	switch {
	case bucket != "there":
		refuse(http.StatusNotFound, "NoSuchBucket")
	case region != e.region:
		w.Header().Set("X-Amz-Bucket-Region", e.region)
		refuse(e.status, "PermanentRedirect")
	case e.denies:
		w.Header().Set("X-Amz-Bucket-Region", e.region)
		refuse(http.StatusForbidden, "AccessDenied")
	case hasKey && !strings.HasSuffix(r.URL.Path, "/key"):
		refuse(http.StatusNotFound, "NoSuchKey")
	case hasKey:
		_, _ = io.WriteString(w, "content")
	default:
		_, _ = io.WriteString(w, "<ListBucketResult><Contents><Key>key</Key></Contents></ListBucketResult>")
	}
}

func (e *elsewhere) digests(t *testing.T) *objects.Digests {
	t.Helper()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return objects.NewDigests(func(_ context.Context, region string) (aws.Config, error) {
		if region == "" {
			region = "eu-west-1"
		}
		return aws.Config{
			Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		}, nil
	}, nil)
}

func read(t *testing.T, f *objects.Digests, bucket, key string) (string, error) {
	o, err := f.Get(t.Context(), bucket, key)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(o.Body)
	return string(data), errors.Join(err, o.Body.Close())
}

// A bucket is asked for its region only when it refuses, and then once.
func TestDigestsFollowABucket(t *testing.T) {
	for _, tc := range []struct {
		name string
		s3   *elsewhere
		want []string
	}{
		{"in the default region", &elsewhere{region: "eu-west-1"}, []string{"GET eu-west-1", "GET eu-west-1"}},
		{"redirected", &elsewhere{region: "eu-central-1", status: 301}, []string{"GET eu-west-1", "HEAD eu-west-1", "GET eu-central-1", "GET eu-central-1"}},
		{"signature refused", &elsewhere{region: "eu-central-1", status: 400}, []string{"GET eu-west-1", "HEAD eu-west-1", "GET eu-central-1", "GET eu-central-1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := tc.s3.digests(t)
			page, err := f.List(t.Context(), digest.ListRequest{Bucket: "there"})
			must(t, err)
			content, err := read(t, f, "there", "key")
			must(t, err)
			if diff := cmp.Diff([]string{"key"}, page.Keys); diff != "" || content != "content" {
				t.Errorf("content %q, keys (-want +got):\n%s", content, diff)
			}
			if diff := cmp.Diff(tc.want, tc.s3.asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// All that fails before the region is known waits for the one question.
func TestDigestsFollowABucketTogether(t *testing.T) {
	e := &elsewhere{region: "eu-central-1", status: 301}
	f := e.digests(t)
	var group errgroup.Group
	for range 16 {
		group.Go(func() error {
			content, err := read(t, f, "there", "key")
			if err == nil && content != "content" {
				err = errors.New(content)
			}
			return err
		})
	}
	must(t, group.Wait())
	heads := 0
	for _, asked := range e.asked {
		if strings.HasPrefix(asked, "HEAD") {
			heads++
		}
	}
	if heads != 1 {
		t.Errorf("asked %d times for the region, want once", heads)
	}
}

// What is not there is evidence only when the bucket says so.
func TestDigestsTellAbsenceFromRefusal(t *testing.T) {
	for _, tc := range []struct {
		name, bucket, key, want string
		s3                      *elsewhere
		isAbsent                bool
	}{
		{"no such object", "there", "none", "object not found", &elsewhere{region: "eu-west-1"}, true},
		{"no such object in another region", "there", "none", "object not found", &elsewhere{region: "eu-central-1", status: 301}, true},
		{"no such bucket", "gone", "key", "NoSuchBucket", &elsewhere{region: "eu-west-1"}, false},
		{"denied", "there", "key", "AccessDenied", &elsewhere{region: "eu-west-1", denies: true}, false},
		{"denied in another region", "there", "key", "AccessDenied", &elsewhere{region: "eu-central-1", status: 301, denies: true}, false},
		{"redirected to nowhere", "there", "key", "PermanentRedirect", &elsewhere{region: "", status: 301}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := read(t, tc.s3.digests(t), tc.bucket, tc.key)
			if err == nil || errors.Is(err, digest.ErrNotFound) != tc.isAbsent || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %s, absent: %t", err, tc.want, tc.isAbsent)
			}
		})
	}
}
