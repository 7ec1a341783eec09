// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// rootSink is a Sink as the command has it: a folder that nothing can be written out of.
type rootSink struct{ root *os.Root }

func (s rootSink) Create(name string) (io.WriteCloser, error) {
	if err := s.root.MkdirAll(filepath.FromSlash(path.Dir(name)), 0o750); err != nil {
		return nil, err
	}
	return s.root.Create(filepath.FromSlash(name))
}

// What a run read and saved gives the same verdict without the network: on files that were changed too.
func TestRecordedEvidenceGivesTheSameVerdict(t *testing.T) {
	w, tr := chainOf(4)
	tr.Key = digesttest.KeyB()
	tr.Hours(2).Backfill(tr.Now)
	w.Edit(tr.Logs[4], func(c []byte) []byte { return c[1:] })
	w.Store(tr.Logs[5], func(b []byte) []byte { return append(b, "and more"...) })
	w.Store(tr.Digests[0], func(b []byte) []byte { return b[:50] })
	w.Delete(tr.Bucket, tr.Logs[7].Key)
	req := requestOf(t, tr)
	for _, opts := range []digest.Options{{AWSCompatible: true}, {Now: soonAfter(tr)}} {
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		recorder := digest.NewRecorder(w, rootSink{root})
		online, _ := runText(t, recorder, req, opts)
		if err := recorder.Close(); err != nil {
			t.Fatal(err)
		}
		evidence, err := digest.OpenEvidence(os.DirFS(dir), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer evidence.Close()
		offline, _ := runText(t, evidence, req, opts)
		// Log files that no digest file lists are named but not read, so they are not saved.
		if !opts.AWSCompatible {
			online.Stdout, offline.Stdout, online.Stderr, offline.Stderr = "", "", "", ""
		}
		if diff := cmp.Diff(online, offline); diff != "" {
			t.Errorf("compatible %v (-online +offline):\n%s", opts.AWSCompatible, diff)
		}
		for _, ref := range append(slices.Clone(tr.Logs[3:7]), tr.Digests...) {
			saved, err := os.ReadFile(filepath.Join(dir, "s3", ref.Bucket, filepath.FromSlash(ref.Key)))
			if err != nil || !bytes.Equal(saved, w.Object(ref.Bucket, ref.Key).Body) {
				t.Errorf("%s is not saved as stored: %v", ref.Key, err)
			}
		}
	}
}

// files is an evidence folder in memory.
func files(w *world) fstest.MapFS {
	fsys := fstest.MapFS{}
	var entries []map[string]any
	for bucket, objects := range w.Buckets {
		for key, o := range objects {
			fsys["s3/"+bucket+"/"+key] = &fstest.MapFile{Data: o.Body}
			entries = append(entries, map[string]any{"bucket": bucket, "key": key, "metadata": o.Metadata})
		}
	}
	meta, err := json.Marshal(entries)
	if err != nil {
		panic(err)
	}
	keys, err := digest.FormatPublicKeys(w.Keys["eu-west-1"])
	if err != nil {
		panic(err)
	}
	fsys["s3-metadata.json"], fsys["public-keys.json"] = &fstest.MapFile{Data: meta}, &fstest.MapFile{Data: keys}
	return fsys
}

// sequential hides that files can be read at an offset.
type sequential struct{ fs.FS }

type sequentialFile struct{ fs.File }

func (s sequential) Open(name string) (fs.File, error) {
	file, err := s.FS.Open(name)
	if _, isDir := file.(fs.ReadDirFile); isDir || err != nil {
		return file, err
	}
	return sequentialFile{file}, nil
}

func TestEvidence(t *testing.T) {
	w, tr := chainOf(5)
	req := requestOf(t, tr)
	for name, fsys := range map[string]fs.FS{"by offset": files(w), "sequential": sequential{files(w)}} {
		evidence, err := digest.OpenEvidence(fsys, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, results := validate(t, evidence, req, digest.Options{Now: soonAfter(tr)}); got.ExitStatus != 0 || got.LogFiles.Valid != 15 {
			t.Errorf("%s: %+v\n%s", name, got, details(results))
		}
	}
	fsys := files(w)
	delete(fsys, "s3-metadata.json") // the newest digest file cannot be verified then; the others can if it is believed
	fsys["s3-metadata.json"] = &fstest.MapFile{Data: onlyMetadataOf(t, w, tr.Digests[4])}
	evidence, err := digest.OpenEvidence(fsys, w.Keys["eu-west-1"])
	if err != nil {
		t.Fatal(err)
	}
	got, _, results := validate(t, evidence, req, digest.Options{Now: soonAfter(tr)})
	if got.Digests.Valid != 5 || !slices.Equal(got.Found, repeat("signature-missing", 4)) {
		t.Errorf("metadata of the newest only: %+v\n%s", got, details(results))
	}
}

func onlyMetadataOf(t *testing.T, w *world, ref digesttest.Ref) []byte {
	t.Helper()
	data, err := json.Marshal([]map[string]any{{"bucket": ref.Bucket, "key": ref.Key, "metadata": w.Object(ref.Bucket, ref.Key).Metadata}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEvidenceRefuses(t *testing.T) {
	w, _ := chainOf(1)
	for name, change := range map[string]func(fstest.MapFS){
		"no objects":           func(f fstest.MapFS) { clear(f); f["public-keys.json"] = &fstest.MapFile{Data: []byte("[]")} },
		"no keys":              func(f fstest.MapFS) { delete(f, "public-keys.json") },
		"keys that are none":   func(f fstest.MapFS) { f["public-keys.json"].Data = []byte(`[{"Value":"*"}]`) },
		"metadata not JSON":    func(f fstest.MapFS) { f["s3-metadata.json"].Data = []byte("[{") },
		"metadata not a list":  func(f fstest.MapFS) { f["s3-metadata.json"].Data = []byte("{}") },
		"metadata cut off":     func(f fstest.MapFS) { f["s3-metadata.json"].Data = []byte(`[{"bucket":"b"}`) },
		"metadata of a number": func(f fstest.MapFS) { f["s3-metadata.json"].Data = []byte(`[{"metadata":{"signature":1}}]`) },
	} {
		fsys := files(w)
		change(fsys)
		if _, err := digest.OpenEvidence(fsys, nil); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// An object key must not lead out of the folder, neither to read nor to write.
func TestEvidenceStaysInItsFolder(t *testing.T) {
	w, tr := chainOf(1)
	evidence, err := digest.OpenEvidence(files(w), nil)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	recorder := digest.NewRecorder(w, rootSink{root})
	for _, key := range []string{"../../public-keys.json", "a/../../x", "a//b", "/a", "a/", `..\..\x`, "."} {
		if o, err := evidence.Get(context.Background(), tr.Bucket, key); err == nil || errors.Is(err, digest.ErrNotFound) {
			t.Errorf("read %q: %v, %v", key, o, err)
		}
		w.Put(tr.Bucket, key, &digesttest.Object{Body: []byte("x")})
		if _, err := recorder.Get(context.Background(), tr.Bucket, key); err == nil {
			t.Errorf("saved %q", key)
		}
	}
}

func TestEvidenceLists(t *testing.T) {
	fsys := fstest.MapFS{"public-keys.json": {Data: []byte("[]")}}
	var keys []string
	for _, key := range []string{"a", "a-b/1", "a/1", "a/2", "a/b/1", "a0", "b/c/d/e", "b/c.x", "z"} {
		fsys["s3/bucket/"+key] = &fstest.MapFile{}
		keys = append(keys, key)
	}
	delete(fsys, "s3/bucket/a") // a file and a folder of one name cannot both be saved
	keys = keys[1:]
	evidence, err := digest.OpenEvidence(fsys, nil)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	for _, prefix := range []string{"", "a", "a/", "a/b", "b/", "none/", "a/1"} {
		for _, after := range []string{"", "a", "a/1", "a/zz", "b/c/d", "zz"} {
			want := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, prefix) || k <= after })
			page, err := evidence.List(context.Background(), digest.ListRequest{Bucket: "bucket", Prefix: prefix, StartAfter: after})
			if err != nil || !slices.Equal(page.Keys, want) {
				t.Errorf("prefix %q after %q: %v, %v, want %v", prefix, after, page.Keys, err, want)
			}
		}
	}
	page, err := evidence.List(context.Background(), digest.ListRequest{Bucket: "bucket", Delimiter: "/"})
	if err != nil || !slices.Equal(page.Prefixes, []string{"a-b/", "a/", "b/"}) || !slices.Equal(page.Keys, []string{"a0", "z"}) {
		t.Errorf("folders: %+v, %v", page, err)
	}
}
