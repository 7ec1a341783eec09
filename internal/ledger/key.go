// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// The files of the key pair, in PEM as openssl writes them (PKCS #8 and SubjectPublicKeyInfo).
const (
	KeyFile       = "ledger.key"
	PublicKeyFile = "ledger.pub"
)

const maxKeyBytes = 4 << 10

// openKey reads the private key, or makes the pair on first use. Two processes that do so at once end up with one key.
func openKey(ctx context.Context, folder Folder) (ed25519.PrivateKey, error) {
	key, err := readKey(ctx, folder)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createKey(ctx, folder); err != nil {
			return nil, err
		}
		key, err = readKey(ctx, folder)
	}
	if err != nil {
		return nil, err
	}
	return key, createPublicKey(ctx, folder, key)
}

func readKey(ctx context.Context, folder Folder) (ed25519.PrivateKey, error) {
	der, err := readPEM(ctx, folder, KeyFile)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", KeyFile, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read %s: not an Ed25519 key", KeyFile)
	}
	return key, nil
}

// createKey refuses to make a new key for a ledger that has entries: they would no longer verify.
func createKey(ctx context.Context, folder Folder) error {
	last, err := lastSegment(ctx, folder)
	if err != nil {
		return err
	}
	if last > 0 {
		return fmt.Errorf("open ledger: %s is missing although the ledger has entries: put it back, or move the folder away", KeyFile)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make %s: %w", KeyFile, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make %s: %w", KeyFile, err)
	}
	return createPEM(ctx, folder, KeyFile, "PRIVATE KEY", der)
}

func createPublicKey(ctx context.Context, folder Folder, key ed25519.PrivateKey) error {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return fmt.Errorf("make %s: not an Ed25519 key", PublicKeyFile)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return fmt.Errorf("make %s: %w", PublicKeyFile, err)
	}
	return createPEM(ctx, folder, PublicKeyFile, "PUBLIC KEY", der)
}

// createPEM leaves a file alone that is there already.
func createPEM(ctx context.Context, folder Folder, name, kind string, der []byte) error {
	err := folder.Create(ctx, name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make %s: %w", name, err)
	}
	return nil
}

// PublicKey reads the public key that lies beside the ledger. Evidence for third parties is better checked with a copy
// of it that was kept elsewhere: whoever can replace the ledger can replace its key.
func PublicKey(ctx context.Context, folder Folder) (ed25519.PublicKey, error) {
	der, err := readPEM(ctx, folder, PublicKeyFile)
	if err != nil {
		return nil, err
	}
	return publicKeyFrom(der)
}

// ParsePublicKey reads a public key in PEM, as it stands in ledger.pub.
func ParsePublicKey(text []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("parse public key: no PEM block")
	}
	return publicKeyFrom(block.Bytes)
}

func publicKeyFrom(der []byte) (ed25519.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("parse public key: not an Ed25519 key")
	}
	return key, nil
}

func readPEM(ctx context.Context, folder Folder, name string) ([]byte, error) {
	file, err := folder.Read(ctx, name, 0)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyBytes))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("read %s: no PEM block", name)
	}
	return block.Bytes, nil
}
