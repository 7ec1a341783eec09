// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digesttest

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
)

func sum(content []byte) [32]byte { return sha256.Sum256(content) }

// Edit replaces the content of a gzip object, leaving its metadata.
func (w *World) Edit(ref Ref, change func(content []byte) []byte) {
	o := w.Object(ref.Bucket, ref.Key)
	o.Body = Gzip(change(Gunzip(o.Body)))
}

// Store replaces the bytes of an object as stored, leaving its metadata.
func (w *World) Store(ref Ref, change func(body []byte) []byte) {
	o := w.Object(ref.Bucket, ref.Key)
	o.Body = change(append([]byte(nil), o.Body...))
}

// Meta changes the metadata of an object.
func (w *World) Meta(ref Ref, change func(meta map[string]string)) {
	change(w.Object(ref.Bucket, ref.Key).Metadata)
}

// Copy copies an object with its metadata.
func (w *World) Copy(from, to Ref) {
	o := w.Object(from.Bucket, from.Key)
	w.Put(to.Bucket, to.Key, &Object{o.Body, maps.Clone(o.Metadata), o.Modified})
}

// EditFields changes fields of a digest file without signing it anew. A nil value is null; Absent removes the field.
func (w *World) EditFields(ref Ref, fields map[string]any) {
	w.Edit(ref, func(content []byte) []byte { return setFields(content, fields) })
}

// Forge changes fields of a digest file and signs it with a key, as only the holder of that key can.
func (w *World) Forge(ref Ref, key *Key, fields map[string]any) {
	o := w.Object(ref.Bucket, ref.Key)
	generated, isBackfill := o.Metadata["backfill-generation-timestamp"]
	w.PutDigest(ref, setFields(Gunzip(o.Body), fields), key)
	if isBackfill {
		w.Object(ref.Bucket, ref.Key).Metadata["backfill-generation-timestamp"] = generated
	}
}

// Absent is the value that removes a field.
var Absent = new(struct{ _ int })

func setFields(content []byte, fields map[string]any) []byte {
	var all map[string]any
	if err := json.Unmarshal(content, &all); err != nil {
		panic(err) // only for digest files of this package
	}
	for name, value := range fields {
		if value == any(Absent) {
			delete(all, name)
			continue
		}
		all[name] = value
	}
	content, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return content
}
