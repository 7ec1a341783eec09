// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"crypto/md5" // SQS checks bodies with it
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func bodySum(body string) *string {
	sum := md5.Sum([]byte(body))
	return aws.String(hex.EncodeToString(sum[:]))
}

func sendMessage(c *call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	q, err := c.queueFor(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	body := aws.ToString(in.MessageBody)
	if limit, err := strconv.Atoi(q.attributes["MaximumMessageSize"]); err == nil && len(body) > limit {
		return nil, invalid("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	}
	delay := q.seconds("DelaySeconds")
	if in.DelaySeconds > 0 {
		delay = time.Duration(in.DelaySeconds) * time.Second
	}
	m := q.send(c.ids.uuid(), body, c.now, c.now.Add(delay))
	return &sqs.SendMessageOutput{MessageId: aws.String(m.id), MD5OfMessageBody: bodySum(body)}, nil
}

// maxWait and maxBatch are SQS's limits of one receive.
const (
	maxWait  = 20
	maxBatch = 10
)

func receiveMessage(c *call, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	q, err := c.queueFor(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	n := max(1, int(in.MaxNumberOfMessages))
	if n > maxBatch || in.WaitTimeSeconds > maxWait || in.WaitTimeSeconds < 0 {
		return nil, invalid("InvalidParameterValue", "MaxNumberOfMessages must be between 1 and 10, WaitTimeSeconds between 0 and 20.")
	}
	timeout := q.seconds("VisibilityTimeout")
	if in.VisibilityTimeout > 0 {
		timeout = time.Duration(in.VisibilityTimeout) * time.Second
	}
	q.expire(c.now)
	c.s.bury(q, c.now)
	out := &sqs.ReceiveMessageOutput{}
	for _, m := range q.messages {
		if len(out.Messages) == n {
			break
		}
		if !m.visible.After(c.now) {
			out.Messages = append(out.Messages, m.receive(c.now, timeout, in))
		}
	}
	if wait := q.longPoll(in); len(out.Messages) == 0 && wait > 0 {
		c.wait = &waiting{longest: wait, wake: q.wake, again: q.next(c.now)}
	}
	return out, nil
}

func (q *queue) longPoll(in *sqs.ReceiveMessageInput) time.Duration {
	if in.WaitTimeSeconds > 0 {
		return time.Duration(in.WaitTimeSeconds) * time.Second
	}
	return q.seconds("ReceiveMessageWaitTimeSeconds")
}

// next is how long it is until a message becomes visible by itself, 0 for never.
func (q *queue) next(now time.Time) time.Duration {
	var soonest time.Duration
	for _, m := range q.messages {
		if d := m.visible.Sub(now); d > 0 && (soonest == 0 || d < soonest) {
			soonest = d
		}
	}
	return soonest
}

// expire drops what is older than the queue keeps messages.
func (q *queue) expire(now time.Time) {
	old := now.Add(-q.seconds("MessageRetentionPeriod"))
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return m.sent.Before(old) })
}

// bury moves visible messages that were received too often to the dead-letter queue.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func (s *Sandbox) bury(q *queue, now time.Time) {
	r, err := parseRedrive(q.attributes["RedrivePolicy"])
	if err != nil {
		return // none
	}
	limit, _ := r.Max.Int64() // checked by parseRedrive
	dead := s.queueByARN(r.Target)
	if dead == nil {
		return
	}
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool {
		if m.visible.After(now) || int64(m.received) < limit {
			return false
		}
		dead.send(m.id, m.body, m.sent, now)
		return true
	})
}

// receive hides the message and shows it.
func (m *message) receive(now time.Time, timeout time.Duration, in *sqs.ReceiveMessageInput) types.Message {
	m.received++
	m.visible = now.Add(timeout)
	if m.first.IsZero() {
		m.first = now
	}
	all := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.received),
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.first.UnixMilli(), 10),
	}
	var shown map[string]string
	show := func(name string) {
		for k, v := range all {
			if name == k || name == "All" {
				if shown == nil {
					shown = map[string]string{}
				}
				shown[k] = v
			}
		}
	}
	for _, name := range in.MessageSystemAttributeNames {
		show(string(name))
	}
	//lint:ignore SA1019 older clients still ask by the old name
	for _, name := range in.AttributeNames {
		show(string(name))
	}
	return types.Message{
		MessageId: aws.String(m.id), Body: aws.String(m.body), MD5OfBody: bodySum(m.body), Attributes: shown,
		ReceiptHandle: aws.String(m.id + "#" + strconv.Itoa(m.received)),
	}
}

// find is the message of a receipt handle, nil when it is gone.
func (q *queue) find(handle *string) (*message, error) {
	id, n, ok := cutLast(aws.ToString(handle), '#')
	if _, err := strconv.Atoi(n); !ok || err != nil || strings.Count(id, "-") != 4 {
		return nil, fail(http.StatusBadRequest, &types.ReceiptHandleIsInvalid{Message: msg("The input receipt handle %.80q is not a valid receipt handle.", aws.ToString(handle))})
	}
	i := slices.IndexFunc(q.messages, func(m *message) bool { return m.id == id })
	if i < 0 {
		return nil, nil // deleted already: no error to SQS
	}
	return q.messages[i], nil
}

func deleteMessage(c *call, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	q, err := c.queueFor(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	m, err := q.find(in.ReceiptHandle)
	if err != nil {
		return nil, err
	}
	c.same = m == nil || m.ofRead
	q.messages = slices.DeleteFunc(q.messages, func(x *message) bool { return x == m })
	return &sqs.DeleteMessageOutput{}, nil
}

func changeMessageVisibility(c *call, in *sqs.ChangeMessageVisibilityInput) (*sqs.ChangeMessageVisibilityOutput, error) {
	q, err := c.queueFor(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.VisibilityTimeout < 0 || in.VisibilityTimeout > 43200 {
		return nil, invalid("InvalidParameterValue", "VisibilityTimeout must be between 0 and 43200.")
	}
	m, err := q.find(in.ReceiptHandle)
	if err != nil {
		return nil, err
	}
	if m == nil || !m.visible.After(c.now) {
		return nil, fail(http.StatusBadRequest, &types.MessageNotInflight{Message: msg("The message referred to isn't in flight.")})
	}
	m.visible = c.now.Add(time.Duration(in.VisibilityTimeout) * time.Second)
	q.wakeUp()
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}
