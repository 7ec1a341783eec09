// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/switchback-project/switchback/internal/source"
)

// Redeliver delivers the body of a dead letter once more, as if it had just been received. The dead letter may be removed
// when it returns nil. It does not go through the queue: that would need a permission to send that nothing else needs, and
// a change that a dry-run must not make.
func (q *Source) Redeliver(ctx context.Context, body []byte, handle source.Handler) error {
	faults, err := q.deliver(ctx, types.Message{Body: aws.String(string(body))}, handle)
	return errors.Join(append(faults, err)...)
}
