// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/switchback-project/switchback/asl"
)

// ErrInvalidToken says that a task token was not made by this store.
var ErrInvalidToken = errors.New("not a task token of this installation")

// token names the task and proves that we made it: "execution NUL task" and an HMAC, both base64.
func (e *Engine) token(execution, task string) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(execution + "\x00" + task))
	return body + "." + e.sign(body)
}

func (e *Engine) sign(body string) string {
	mac := hmac.New(sha256.New, e.secret)
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (e *Engine) parseToken(token string) (execution, task string, err error) {
	body, signature, ok := strings.Cut(token, ".")
	if !ok || !hmac.Equal([]byte(signature), []byte(e.sign(body))) {
		return "", "", ErrInvalidToken
	}
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return "", "", ErrInvalidToken
	}
	execution, task, ok = strings.Cut(string(text), "\x00")
	if !ok {
		return "", "", ErrInvalidToken
	}
	return execution, task, nil
}

// SendTaskSuccess answers a task token. A token counts once: afterwards, and when the task timed out, it is
// asl.ErrNoTask.
func (e *Engine) SendTaskSuccess(ctx context.Context, token string, output json.RawMessage) error {
	return e.answer(ctx, token, func(m *asl.Machine, r *asl.Run, task string, now time.Time) (asl.Effects, error) {
		return m.TaskSucceeded(r, task, output, now)
	})
}

// SendTaskFailure answers a task token with a failure.
func (e *Engine) SendTaskFailure(ctx context.Context, token string, failure asl.Error) error {
	return e.answer(ctx, token, func(m *asl.Machine, r *asl.Run, task string, now time.Time) (asl.Effects, error) {
		return m.TaskFailed(r, task, failure, now)
	})
}

// SendTaskHeartbeat says that work on the task goes on.
func (e *Engine) SendTaskHeartbeat(ctx context.Context, token string) error {
	return e.answer(ctx, token, func(m *asl.Machine, r *asl.Run, task string, now time.Time) (asl.Effects, error) {
		return m.TaskHeartbeat(r, task, now)
	})
}

func (e *Engine) answer(ctx context.Context, token string, do func(*asl.Machine, *asl.Run, string, time.Time) (asl.Effects, error)) error {
	execution, task, err := e.parseToken(token)
	if err != nil {
		return err
	}
	return e.step(ctx, execution, transition{do: func(m *asl.Machine, r *asl.Run, now time.Time) (asl.Effects, error) {
		return do(m, r, task, now)
	}})
}
