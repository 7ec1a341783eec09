// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/switchback-project/switchback/asl"
)

// define makes a definition the one that new executions of the name begin with.
func (e *Engine) define(ctx context.Context, name string, definition []byte) error {
	sum := sha256.Sum256(definition)
	hash := hex.EncodeToString(sum[:])
	if _, err := e.compile(hash, definition); err != nil {
		return fmt.Errorf("state machine %s: %w", name, err)
	}
	if err := e.store.PutDefinition(ctx, hash, definition); err != nil {
		return fmt.Errorf("keep state machine %s: %w", name, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.names[name] = hash
	return nil
}

func (e *Engine) compile(hash string, definition []byte) (*asl.Machine, error) {
	o := e.o.Compile
	o.Token = e.token
	m, err := asl.Compile(definition, o)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if known := e.machines[hash]; known != nil {
		return known, nil
	}
	e.machines[hash] = m
	return m, nil
}

func (e *Engine) machineNamed(name string) (m *asl.Machine, hash string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	hash, ok := e.names[name]
	if !ok {
		return nil, "", fmt.Errorf("%q: %w", name, ErrNoMachine)
	}
	return e.machines[hash], hash, nil
}

// machine returns the machine of a definition that some execution began with.
func (e *Engine) machine(ctx context.Context, hash string) (*asl.Machine, error) {
	e.mu.Lock()
	m := e.machines[hash]
	e.mu.Unlock()
	if m != nil {
		return m, nil
	}
	definition, err := e.store.Definition(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("definition %.12s: %w", hash, err)
	}
	return e.compile(hash, definition)
}
