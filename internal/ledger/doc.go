// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps the evidence: an append-only, hash-chained, signed record of every event received, every
// decision, every call to AWS, every message and every artefact.
//
// # Form
//
// A ledger is a folder of segments 0001.jsonl, 0002.jsonl and so on, the private key ledger.key, readable by its owner
// only, and the public key ledger.pub. A segment holds one JSON object a line:
//
//	{"seq":7,"at":"…","kind":"call","incident":"…","body":{…},"prev":"…","hash":"…","sig":"…"}
//
// hash is the SHA-256 of the bytes of the line before `,"hash":`, among them prev, which is the hash of the entry
// before, also across segments. sig is the Ed25519 signature of the hash.
//
// # Guarantees
//
// Append returns once its entry is durable; concurrent calls share one write and one sync. Several processes may append
// to one ledger: they take turns under the folder's lock. Nothing that was written is ever changed or removed. What a
// killed process left of a line stays where it is; the next Append closes it and records a Repair entry with its hash,
// and Verify accepts exactly that.
//
// Verify needs no network and no key but the public one. It names the first entry that was changed, inserted,
// reordered, left out or signed by somebody else. Cutting entries off the end leaves a valid, shorter ledger: that is
// found only against a Checkpoint that was kept elsewhere. Whoever holds the private key can write a new history; the
// same checkpoint finds it.
//
// The package does no I/O of its own: a Folder is given, package objects has one for a local folder.
package ledger
