// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package objects_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/sandbox"
)

var contents = map[string]string{
	"AWSLogs/1/a.json": "one", "AWSLogs/1/b/c.json": "two", "AWSLogs/1.gz": "three", "AWSLogs/2/d.json": "four", "other.json": "five",
}

// both are the same objects in a folder and in a bucket.
func both(t *testing.T, files map[string]string) (map[string]objects.Source, aws.Config) {
	t.Helper()
	dir := t.TempDir()
	cfg := newBucket(t)
	bucket := s3.NewFromConfig(cfg)
	for key, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(key))
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := bucket.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String(key), Body: strings.NewReader(content)})
		must(t, err)
	}
	local, err := objects.OpenLocal(dir)
	must(t, err)
	t.Cleanup(func() { must(t, local.Close()) })
	return map[string]objects.Source{"local": local, "s3": objects.NewS3(cfg, name, owner)}, cfg
}

const (
	name  = "objects-111122223333"
	owner = "111122223333"
)

func newBucket(t *testing.T) aws.Config {
	t.Helper()
	s, err := sandbox.New(sandbox.Options{})
	must(t, err)
	_, err = s.Seed(t.Context(), sandbox.Seed{Account: owner})
	must(t, err)
	root, err := s.Root(owner)
	must(t, err)
	cfg := gate.BackendConfig(s, owner, "us-east-1", root, "")
	_, err = s3.NewFromConfig(cfg).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)})
	must(t, err)
	return cfg
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestList(t *testing.T) {
	sources, _ := both(t, contents)
	for kind, source := range sources {
		for _, tc := range []struct {
			name, prefix, after string
			want                []string
		}{
			{"all", "", "", []string{"AWSLogs/1.gz", "AWSLogs/1/a.json", "AWSLogs/1/b/c.json", "AWSLogs/2/d.json", "other.json"}},
			{"folder", "AWSLogs/1/", "", []string{"AWSLogs/1/a.json", "AWSLogs/1/b/c.json"}},
			{"part of a name", "AWSLogs/1", "", []string{"AWSLogs/1.gz", "AWSLogs/1/a.json", "AWSLogs/1/b/c.json"}},
			{"start after a key", "AWSLogs/", "AWSLogs/1/a.json", []string{"AWSLogs/1/b/c.json", "AWSLogs/2/d.json"}},
			{"start after no key", "AWSLogs/", "AWSLogs/1/b", []string{"AWSLogs/1/b/c.json", "AWSLogs/2/d.json"}},
			{"nothing", "nowhere/else", "", nil},
		} {
			t.Run(kind+" "+tc.name, func(t *testing.T) {
				var got []string
				for o, err := range source.List(t.Context(), tc.prefix, tc.after) {
					must(t, err)
					got = append(got, o.Key)
					if want := int64(len(contents[o.Key])); o.Size != want || o.ModifiedAt.IsZero() {
						t.Errorf("%s has size %d and time %s, want size %d and a time", o.Key, o.Size, o.ModifiedAt, want)
					}
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("keys (-want +got):\n%s", diff)
				}
			})
		}
		folders, err := source.Folders(t.Context(), "AWSLogs/")
		must(t, err)
		if diff := cmp.Diff([]string{"AWSLogs/1/", "AWSLogs/2/"}, folders); diff != "" {
			t.Errorf("%s: folders (-want +got):\n%s", kind, diff)
		}
	}
}

func zipped(t *testing.T, content []byte) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(content)
	must(t, err)
	must(t, w.Close())
	return b.String()
}

func TestRead(t *testing.T) {
	bomb := zipped(t, make([]byte, 10<<20))
	whole := zipped(t, []byte(strings.Repeat("records ", 100)))
	sources, _ := both(t, map[string]string{
		"plain": "plain", "zipped": zipped(t, []byte("hello")), "bomb": bomb, "torn": whole[:len(whole)-6], "long": strings.Repeat("x", 2000),
	})
	for kind, source := range sources {
		for _, tc := range []struct {
			key, want string
			err       error
		}{
			{"plain", "plain", nil},
			{"zipped", "hello", nil},
			{"bomb", "", objects.ErrTooLarge},
			{"torn", "", objects.ErrCorrupt},
			{"long", "", objects.ErrTooLarge},
			{"missing", "", objects.ErrNotFound},
		} {
			limits := objects.Limits{MaxInflated: 1 << 20}
			if tc.key == "long" {
				limits.MaxStored = 1000
			}
			got, err := objects.Read(t.Context(), source, tc.key, limits)
			if string(got) != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("%s %s: %.20q, %v; want %q, %v", kind, tc.key, got, err, tc.want, tc.err)
			}
			if err != nil && !strings.Contains(err.Error(), tc.key) {
				t.Errorf("%s %s: error does not name the object: %v", kind, tc.key, err)
			}
		}
	}
}

func TestLocalStaysInside(t *testing.T) {
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600))
	dir := t.TempDir()
	must(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "link")))
	local, err := objects.OpenLocal(dir)
	must(t, err)
	defer func() { must(t, local.Close()) }()
	for _, key := range []string{"link", "../" + filepath.Base(outside) + "/secret", filepath.Join(outside, "secret")} {
		if data, err := objects.Read(t.Context(), local, key, objects.Limits{}); err == nil {
			t.Errorf("%s was read: %q", key, data)
		}
	}
	for o, err := range local.List(t.Context(), "", "") {
		t.Errorf("listed %+v, %v", o, err)
	}
	if _, err := objects.OpenLocal(filepath.Join(dir, "none")); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("no folder: %v", err)
	}
}

func TestWrongOwner(t *testing.T) {
	_, cfg := both(t, contents)
	stranger := objects.NewS3(cfg, name, "444455556666")
	for _, err := range stranger.List(t.Context(), "", "") {
		if err == nil {
			t.Error("a bucket of another owner was listed")
		}
	}
	if _, err := stranger.Folders(t.Context(), ""); err == nil {
		t.Error("folders of a bucket of another owner were listed")
	}
	if _, err := objects.Read(t.Context(), stranger, "other.json", objects.Limits{}); err == nil {
		t.Error("an object of a bucket of another owner was read")
	}
}

func TestListEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sources, _ := both(t, contents)
	for _, err := range sources["local"].List(ctx, "", "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want the end of the context", err)
		}
	}
}
