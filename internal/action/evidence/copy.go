// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/objects"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "evidence:Copy", Class: "read", Permissions: []string{"s3:GetObject", "s3:ListBucket", "kms:Decrypt"}, IsUrgent: true,
		Summary: "copies of the objects that the incident's events name, with metadata and SHA-256",
	}, keep))
}

// maxObject bounds one copy. CloudTrail's files are far smaller.
const maxObject = 1 << 30

// manifest is the file beside the copies.
const manifest = "evidence.json"

// ErrorNotKept says that something which is there could not be copied.
const ErrorNotKept = "Switchback.EvidenceNotKept"

type params struct{}

// Kept is one copy.
type Kept struct {
	Bucket   string            `json:"bucket"`
	Key      string            `json:"key"`
	Size     int64             `json:"size"`
	SHA256   string            `json:"sha256"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// Lost is an object of which there is no copy.
type Lost struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

type result struct {
	Folder     string `json:"folder"`
	Copied     int    `json:"copied"`
	Objects    []Kept `json:"objects"`
	Missing    []Lost `json:"missing"`
	Unreadable []Lost `json:"unreadable"`
}

// named is what an event says about an object.
type named struct {
	Bucket        string `json:"bucket"`
	Key           string `json:"key"`
	Region        string `json:"region"`
	BucketAccount string `json:"bucket_account"`
	Code          string `json:"code"`
	Message       string `json:"message"`
}

func keep(ctx context.Context, env *action.Env, _ params) (result, error) {
	inc, err := env.Store.Get(ctx, env.Incident.ID)
	if err != nil {
		return result{}, fmt.Errorf("load incident %s: %w", env.Incident.ID, err)
	}
	list, err := objectsOf(ctx, env, inc)
	if err != nil {
		return result{}, err
	}
	dir := filepath.Join(env.EvidenceDir, filepath.Base(string(inc.ID)), filepath.Base(env.Task.Execution))
	folder, err := objects.OpenEvidence(dir)
	if err != nil {
		return result{}, err
	}
	out := result{Folder: dir, Objects: []Kept{}, Missing: []Lost{}, Unreadable: []Lost{}}
	for _, n := range list {
		if n.Key == "" {
			continue // about a chain, not about a file
		}
		if err := out.keep(ctx, env, folder, n); err != nil {
			return out, errors.Join(err, folder.Close())
		}
	}
	out.Copied = len(out.Objects)
	if err := errors.Join(out.write(folder), folder.Close()); err != nil {
		return out, fmt.Errorf("write evidence: %w", err)
	}
	return out, out.note(ctx, env, list)
}

// objectsOf are the objects that the incident's events name, each once.
func objectsOf(ctx context.Context, env *action.Env, inc incident.Incident) ([]named, error) {
	var list []named
	seen := make(map[[2]string]bool)
	for _, id := range inc.Events {
		raw, err := env.Timeline.Evidence(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read event %s: %w", identity.Printable(string(id), 100), err)
		}
		event, err := cloudtrail.ParseEnvelope(raw)
		if err != nil {
			return nil, err
		}
		var n named
		if err := json.Unmarshal(event.Detail, &n); err != nil {
			return nil, &asl.Error{Name: action.ErrorInvalidParameters, Cause: "the event names no object: " + err.Error()}
		}
		if at := [2]string{n.Bucket, n.Key}; !seen[at] {
			seen[at] = true
			list = append(list, n)
		}
	}
	return list, nil
}

// keep copies one object. Only what ends the whole is an error.
func (out *result) keep(ctx context.Context, env *action.Env, folder *objects.Evidence, n named) error {
	kept, err := copyObject(ctx, env, folder, n)
	lost := Lost{identity.Printable(n.Bucket, 100), identity.Printable(n.Key, 1024), ""}
	switch {
	case err == nil:
		out.Objects = append(out.Objects, kept)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, digest.ErrNotFound):
		lost.Reason = "not there"
		out.Missing = append(out.Missing, lost)
	default:
		lost.Reason = identity.Printable(err.Error(), 500)
		out.Unreadable = append(out.Unreadable, lost)
	}
	return nil
}

func copyObject(ctx context.Context, env *action.Env, folder *objects.Evidence, n named) (kept Kept, err error) {
	name := digest.EvidenceObjects + "/" + n.Bucket + "/" + n.Key
	if n.Bucket == "" || strings.ContainsAny(n.Bucket, `/\`) || strings.Contains(n.Key, `\`) || !fs.ValidPath(name) {
		return Kept{}, fmt.Errorf("copy s3://%.100s/%.200s: its key cannot be a file name", n.Bucket, n.Key)
	}
	from := objects.NewDigests(objects.Through(env.Door, n.BucketAccount, n.Region), map[string]string{n.Bucket: n.BucketAccount})
	object, err := from.Get(ctx, n.Bucket, n.Key)
	if err != nil {
		return Kept{}, err
	}
	defer func() { err = errors.Join(err, object.Body.Close()) }()
	file, err := folder.Create(name)
	if err != nil {
		return Kept{}, err
	}
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(object.Body, maxObject+1))
	if err == nil && size > maxObject {
		err = objects.ErrTooLarge
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return Kept{}, err
	}
	return Kept{n.Bucket, n.Key, size, hex.EncodeToString(hash.Sum(nil)), object.Metadata}, nil
}

// write writes the manifest, and the metadata as validate-logs reads it.
func (out *result) write(folder *objects.Evidence) error {
	type entry struct {
		Bucket   string            `json:"bucket"`
		Key      string            `json:"key"`
		Metadata map[string]string `json:"metadata"`
	}
	entries := []entry{}
	for _, k := range out.Objects {
		if len(k.Metadata) > 0 {
			entries = append(entries, entry{k.Bucket, k.Key, k.Metadata})
		}
	}
	return errors.Join(writeJSON(folder, digest.EvidenceMetadata, entries), writeJSON(folder, manifest, out))
}

func writeJSON(folder *objects.Evidence, name string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	file, err := folder.Create(name)
	if err != nil {
		return err
	}
	_, err = file.Write(append(data, '\n'))
	return errors.Join(err, file.Close())
}

// note says on the timeline what was kept, sums the incident up, and marks it contained when nothing is left to keep.
func (out *result) note(ctx context.Context, env *action.Env, list []named) error {
	data, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode evidence: %w", err)
	}
	err = env.Timeline.Append(ctx, incident.Entry{
		Incident: env.Incident.ID, At: env.Clock(), Kind: incident.EntryProof, Data: data, Key: "evidence/" + env.Task.Visit,
		Text: fmt.Sprintf("evidence: %d objects copied, %d are not there, %d could not be read", len(out.Objects), len(out.Missing), len(out.Unreadable)),
	})
	if err != nil {
		return err
	}
	_, err = env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
		if i.Summary == "" && len(list) > 0 {
			i.Summary = summary(list[0])
		}
		if i.Times.Contained.IsZero() && len(out.Unreadable) == 0 {
			i.Times.Contained, i.Standing = env.Clock().UTC(), standing(len(out.Objects))
		}
		return nil
	})
	if err == nil && len(out.Unreadable) > 0 {
		return &asl.Error{Name: ErrorNotKept, Cause: fmt.Sprintf("%d could not be copied: %s", len(out.Unreadable), out.Unreadable[0].Reason)}
	}
	return err
}

// standing is how the incident stands: nothing was put back in AWS.
func standing(copies int) string {
	if copies == 0 {
		return "nothing left to copy"
	}
	return "evidence kept"
}

func summary(n named) string {
	what := "s3://" + n.Bucket
	if n.Key != "" {
		what += "/" + n.Key
	}
	return identity.Printable(fmt.Sprintf("Log file integrity: %s: %s (%s)", what, n.Message, n.Code), 500)
}
