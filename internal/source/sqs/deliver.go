// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/source"
)

// patience is how often a message is tried whose log file is missing or seems cut short: a lost connection looks the
// same, and a bucket may come back.
const patience = 5

// deliver hands over everything in the message. faults are what no retry can help; they keep nothing back. After an
// error the whole message must come again.
func (q *Source) deliver(ctx context.Context, m types.Message, handle source.Handler) (faults []error, err error) {
	body := []byte(aws.ToString(m.Body))
	c, err := parseBody(body)
	if err != nil {
		return []error{err}, nil
	}
	origin := source.Origin{Via: via, From: q.o.QueueURL, DeliveredAt: sentAt(m)}
	if c.Events != nil {
		err := source.Decode(ctx, bytes.NewReader(c.Events), origin, cloudtrail.Limits{}, handle)
		return keep(nil, err, patience) // a message never grows: one that is cut short stays so
	}
	for _, o := range c.Objects {
		faults, err = keep(faults, q.fetch(ctx, o, origin, handle), received(m))
		if err != nil {
			return nil, err
		}
	}
	return faults, nil
}

// keep adds an error to the faults if no retry can help, and else returns it.
func keep(faults []error, err error, attempt int) ([]error, error) {
	isLate := attempt >= patience && (source.IsCutShort(err) || errors.Is(err, objects.ErrNotFound))
	switch {
	case err == nil:
		return faults, nil
	case isLate || source.IsHopeless(err):
		return append(faults, err), nil
	}
	return nil, err
}

// fetch reads one log file. The queue's Own does not matter here: reading objects is no change.
func (q *Source) fetch(ctx context.Context, o object, origin source.Origin, handle source.Handler) error {
	region := q.o.BucketRegion
	if region == "" {
		region = q.o.Region
	}
	owner, err := q.services.BucketOwner(ctx, q.o.ExpectedBucketOwner, q.o.Account, region)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", o.Bucket, err)
	}
	cfg, err := q.services.Gate.Door(gate.Scope{Action: source.ActionPrefix + via}).Config(ctx, q.o.Account, region)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", o.Bucket, err)
	}
	bucket := objects.NewS3(cfg, o.Bucket, owner)
	file, err := bucket.Open(ctx, o.Key)
	if err != nil {
		return fmt.Errorf("fetch log file, whose bucket must belong to account %s: %w", owner, err)
	}
	defer file.Close()
	origin.From = bucket.URL(o.Key)
	return source.Decode(ctx, file, origin, cloudtrail.Limits{}, handle)
}

// sentAt is when the message came into the queue; zero when SQS does not say.
func sentAt(m types.Message) time.Time {
	ms := attribute(m, types.MessageSystemAttributeNameSentTimestamp)
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// received is how often the message was received, this time included.
func received(m types.Message) int {
	return int(attribute(m, types.MessageSystemAttributeNameApproximateReceiveCount))
}

// attribute is a number of the message's attributes; 0 when it has none.
func attribute(m types.Message, name types.MessageSystemAttributeName) int64 {
	n, err := strconv.ParseInt(m.Attributes[string(name)], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
