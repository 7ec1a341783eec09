// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// ErrUnknownKey tells that a link was signed by a key that is no longer here, or never was.
var ErrUnknownKey = errors.New("signed by a key that is not known")

// keySize is that of HMAC-SHA256's output: longer keys gain nothing.
//
// https://www.rfc-editor.org/rfc/rfc2104#section-3
const keySize = 32

// key signs links. Its String says nothing.
type key struct {
	id     string // 8 hex digits
	madeAt time.Time
	secret []byte
}

// String keeps the secret out of logs.
func (k key) String() string { return "key " + k.id }

// GoString keeps it out of %#v.
func (k key) GoString() string { return k.String() }

// keyFile is "20060102T150405Z-0a1b2c3d.key": they sort by age.
var keyFile = regexp.MustCompile(`^(\d{8}T\d{6}Z)-([0-9a-f]{8})\.key$`)

const keyTime = "20060102T150405Z"

// Keys are the files of a folder: the newest signs, all verify. A file that is removed ends the links that it signed. Several
// processes may use one folder.
type Keys struct {
	dir    string
	rotate time.Duration
	keep   time.Duration
	clock  func() time.Time
}

// KeyOptions are how long a key signs, and how long after it was replaced it still verifies.
type KeyOptions struct {
	Rotate, Keep time.Duration
	Clock        func() time.Time
}

// OpenKeys opens the folder, making it, and the first key, where there is none. Files that others can read are refused.
func OpenKeys(dir string, o KeyOptions) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open keys of links: %w", err)
	}
	k := &Keys{dir: dir, rotate: o.Rotate, keep: o.Keep, clock: o.Clock}
	_, err := k.current()
	return k, err
}

// current is the key that signs now, a new one where the last is old; those that nothing valid is signed by are removed.
func (k *Keys) current() (key, error) {
	all, err := k.list()
	if err != nil {
		return key{}, err
	}
	now := k.clock().UTC()
	if n := len(all); n > 0 && now.Sub(all[n-1].madeAt) < k.rotate {
		return all[n-1], nil
	}
	made, err := k.make(now)
	if err != nil {
		return key{}, err
	}
	// A key signs until the next is made; from then on its links live for keep at most.
	for i, old := range all {
		replaced := now
		if i+1 < len(all) {
			replaced = all[i+1].madeAt
		}
		if now.Sub(replaced) > k.keep {
			if err := os.Remove(k.path(old)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return key{}, fmt.Errorf("remove old key: %w", err)
			}
		}
	}
	return made, nil
}

// find returns ErrUnknownKey for an id that no file has.
func (k *Keys) find(id string) (key, error) {
	all, err := k.list()
	if err != nil {
		return key{}, err
	}
	i := slices.IndexFunc(all, func(one key) bool { return one.id == id })
	if i < 0 {
		return key{}, fmt.Errorf("key %.8q: %w", id, ErrUnknownKey)
	}
	return all[i], nil
}

func (k *Keys) path(one key) string {
	return filepath.Join(k.dir, one.madeAt.Format(keyTime)+"-"+one.id+".key")
}

// list reads the keys, oldest first. There are two or three.
func (k *Keys) list() ([]key, error) {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return nil, fmt.Errorf("read keys of links: %w", err)
	}
	var all []key
	for _, e := range entries {
		parts := keyFile.FindStringSubmatch(e.Name())
		if parts == nil {
			continue
		}
		madeAt, err := time.Parse(keyTime, parts[1])
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", e.Name(), err)
		}
		secret, err := readKey(filepath.Join(k.dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, key{id: parts[2], madeAt: madeAt, secret: secret})
	}
	return all, nil
}

func readKey(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || info.Size() != keySize {
		return nil, fmt.Errorf("key %s: want a file of %d bytes that only its owner can read (mode 0600), not %s with %d: remove it, and a new one is made",
			path, keySize, info.Mode(), info.Size())
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return secret, nil
}

// make writes a new key under its name in one step, so that nobody reads half of it.
func (k *Keys) make(now time.Time) (key, error) {
	random := make([]byte, keySize+4)
	if _, err := rand.Read(random); err != nil {
		return key{}, fmt.Errorf("make key: %w", err)
	}
	one := key{id: hex.EncodeToString(random[keySize:]), madeAt: now.Truncate(time.Second), secret: random[:keySize]}
	f, err := os.CreateTemp(k.dir, ".new-*") // mode 0600
	if err != nil {
		return key{}, fmt.Errorf("make key: %w", err)
	}
	_, err = f.Write(one.secret)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), k.path(one))
	}
	if err != nil {
		return key{}, fmt.Errorf("make key: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return one, nil
}
