// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"encoding/json"
	"fmt"
)

// Query makes an action of a function that reads or reports. P is its parameter struct (see FieldsOf), R the struct of
// its output.
func Query[P, R any](info Info, run func(ctx context.Context, env *Env, p P) (R, error)) Action {
	info.Fields = FieldsOf[P]()
	info.IsChange = false
	return query[P, R]{info, run}
}

type query[P, R any] struct {
	info Info
	run  func(ctx context.Context, env *Env, p P) (R, error)
}

// Info implements Action.
func (q query[P, R]) Info() Info { return q.info }

// Run implements Action.
func (q query[P, R]) Run(ctx context.Context, env *Env, params json.RawMessage) (json.RawMessage, error) {
	p, err := decodeParameters[P](q.info.Fields, params)
	if err != nil {
		return nil, err
	}
	result, err := q.run(ctx, env, p)
	if err != nil {
		return nil, AsError(ctx, err)
	}
	out, err := json.Marshal(result)
	if err != nil {
		return nil, fmt.Errorf("encode output of %s: %w", q.info.ID, err)
	}
	return out, nil
}
