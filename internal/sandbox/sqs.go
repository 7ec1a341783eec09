// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// queue is a standard SQS queue.
type queue struct {
	name, url, arn, region string
	account                *account
	created                time.Time
	attributes             map[string]string // those that were set, and defaults
	messages               []*message        // in the order they were sent
	wake                   chan struct{}     // closed when a message may have become visible
}

// message is one message. Its receipt handles are its id and the number of the receive.
type message struct {
	id, body string
	sent     time.Time
	visible  time.Time // not to be received before
	first    time.Time // when it was first received
	received int
	// ofRead marks the event of a call that only read. The state file does not have such calls, so that the message will
	// not be there when it is replayed: taking it away now must not count as an effect either.
	ofRead bool
}

// queueDefaults are the attributes of a new queue.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
var queueDefaults = map[string]string{
	"VisibilityTimeout": "30", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0",
	"MaximumMessageSize": "262144", "MessageRetentionPeriod": "345600", "SqsManagedSseEnabled": "true",
}

// sqsOperations manages queues and moves messages. The records of messages are data events.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
func sqsOperations(t table) {
	handle(t, sqsService, "CreateQueue", writes, createQueue)
	handle(t, sqsService, "DeleteQueue", writes, deleteQueue)
	handle(t, sqsService, "GetQueueUrl", reads, getQueueURL)
	handle(t, sqsService, "ListQueues", reads, listQueues)
	handle(t, sqsService, "GetQueueAttributes", reads, getQueueAttributes)
	handle(t, sqsService, "SetQueueAttributes", writes, setQueueAttributes)
	handle(t, sqsService, "PurgeQueue", writes, purgeQueue)
	handle(t, sqsService, "SendMessage", writes.dataEvent(), sendMessage)
	handle(t, sqsService, "ReceiveMessage", reads.dataEvent(), receiveMessage)
	handle(t, sqsService, "DeleteMessage", writes.dataEvent(), deleteMessage)
	handle(t, sqsService, "ChangeMessageVisibility", reads.dataEvent(), changeMessageVisibility)
}

func (q *queue) wakeUp() {
	close(q.wake)
	q.wake = make(chan struct{})
}

func (q *queue) send(id, body string, now, visible time.Time) *message {
	m := &message{id: id, body: body, sent: now, visible: visible}
	q.messages = append(q.messages, m)
	q.wakeUp()
	return m
}

// seconds is a numeric attribute.
func (q *queue) seconds(attribute string) time.Duration {
	n, _ := strconv.Atoi(q.attributes[attribute]) // checked when it was set
	return time.Duration(n) * time.Second
}

// queueByURL finds a queue of any account.
func (s *Sandbox) queueByURL(url string) *queue {
	rest, name, _ := cutLast(url, '/')
	_, id, _ := cutLast(rest, '/')
	a, ok := s.accounts[id]
	if !ok || name == "" {
		return nil
	}
	return a.queues[url]
}

func (s *Sandbox) queueByARN(queueARN string) *queue {
	p, err := arn.Parse(queueARN)
	if err != nil || p.Service != "sqs" {
		return nil
	}
	return s.queueByURL(queueURL(p.Region, p.AccountID, p.Resource))
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func queueURL(region, account, name string) string {
	return "https://sqs." + region + "." + arn.PartitionOf(region).DNSSuffix + "/" + account + "/" + name
}

func queueTarget(c *call) string {
	if q := c.s.queueByURL(text(c.in, "QueueUrl")); q != nil {
		return q.arn
	}
	return "*"
}

func noQueue() error {
	return fail(http.StatusBadRequest, &types.QueueDoesNotExist{
		Message:           msg("The specified queue does not exist."),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.NonExistentQueue"),
	})
}

func (c *call) queueFor(url *string) (*queue, error) {
	q := c.s.queueByURL(aws.ToString(url))
	if q == nil || q.region != c.region {
		return nil, noQueue()
	}
	if c.op.data {
		c.resource("AWS::SQS::Queue", q.arn, q.account)
	}
	c.owner = q.account
	return q, c.permit(q.attributes["Policy"], q.arn, q.account)
}

// nameBlocked is how long the name of a deleted queue cannot be used.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
const nameBlocked = time.Minute

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func createQueue(c *call, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	name := aws.ToString(in.QueueName)
	if !queueName.MatchString(name) {
		return nil, invalid("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	url := queueURL(c.region, c.account().id, name)
	if q, ok := c.account().queues[url]; ok {
		for k, v := range in.Attributes {
			if q.attributes[k] != v {
				return nil, fail(http.StatusBadRequest, &types.QueueNameExists{
					Message:           msg("A queue already exists with the same name and a different value for attribute %s", k),
					ErrorCodeOverride: aws.String("QueueAlreadyExists"),
				})
			}
		}
		c.same = true
		return &sqs.CreateQueueOutput{QueueUrl: aws.String(url)}, nil
	}
	if at, ok := c.account().deletedQueues[url]; ok && c.now.Sub(at) < nameBlocked {
		return nil, fail(http.StatusBadRequest, &types.QueueDeletedRecently{
			Message:           msg("You must wait 60 seconds after deleting a queue before you can create another with the same name."),
			ErrorCodeOverride: aws.String("AWS.SimpleQueueService.QueueDeletedRecently"),
		})
	}
	q := &queue{
		name: name, url: url, arn: c.arnOf("sqs", name), region: c.region, account: c.account(), created: c.now,
		attributes: maps.Clone(queueDefaults), wake: make(chan struct{}),
	}
	if err := q.set(in.Attributes); err != nil {
		return nil, err
	}
	c.account().queues[url] = q
	return &sqs.CreateQueueOutput{QueueUrl: aws.String(url)}, nil
}

// set checks and takes attributes.
func (q *queue) set(attributes map[string]string) error {
	for k, v := range attributes {
		bad := false
		switch k {
		case "VisibilityTimeout", "DelaySeconds", "ReceiveMessageWaitTimeSeconds", "MaximumMessageSize", "MessageRetentionPeriod":
			n, err := strconv.Atoi(v)
			bad = err != nil || n < 0
		case "RedrivePolicy":
			_, err := parseRedrive(v)
			bad = v != "" && err != nil
		case "Policy":
			_, err := parsePolicy(v)
			bad = v != "" && err != nil
		case "SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "RedriveAllowPolicy":
		default:
			return fail(http.StatusBadRequest, &types.InvalidAttributeName{Message: msg("Unknown Attribute %s.", k)})
		}
		if bad {
			return fail(http.StatusBadRequest, &types.InvalidAttributeValue{Message: msg("Invalid value for the parameter %s.", k)})
		}
	}
	maps.Copy(q.attributes, attributes)
	if attributes["KmsMasterKeyId"] != "" {
		q.attributes["SqsManagedSseEnabled"] = "false" // a queue is encrypted in one way only
	}
	return nil
}

// redrive is where messages go that were received too often.
type redrive struct {
	Target string      `json:"deadLetterTargetArn"`
	Max    json.Number `json:"maxReceiveCount"`
}

func parseRedrive(s string) (redrive, error) {
	var r redrive
	if err := json.Unmarshal([]byte(s), &r); err != nil {
		return r, err
	}
	_, err := r.Max.Int64()
	return r, err
}

func deleteQueue(c *call, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	q, err := c.queueFor(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	delete(q.account.queues, q.url)
	q.account.deletedQueues[q.url] = c.now
	q.wakeUp()
	return &sqs.DeleteQueueOutput{}, nil
}

func getQueueURL(c *call, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	owner := c.account().id
	assign(&owner, in.QueueOwnerAWSAccountId)
	q := c.s.queueByURL(queueURL(c.region, owner, aws.ToString(in.QueueName)))
	if q == nil {
		return nil, noQueue()
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String(q.url)}, c.permit(q.attributes["Policy"], q.arn, q.account)
}

func listQueues(c *call, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	out := &sqs.ListQueuesOutput{QueueUrls: []string{}}
	for _, url := range slices.Sorted(maps.Keys(c.account().queues)) {
		q := c.account().queues[url]
		if q.region == c.region && strings.HasPrefix(q.name, aws.ToString(in.QueueNamePrefix)) {
			out.QueueUrls = append(out.QueueUrls, url)
		}
	}
	return out, nil
}

func getQueueAttributes(c *call, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	q, err := c.queueFor(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	all := q.shown(c.now)
	out := map[string]string{}
	for _, name := range in.AttributeNames {
		if name == types.QueueAttributeNameAll {
			return &sqs.GetQueueAttributesOutput{Attributes: all}, nil
		}
		v, ok := all[string(name)]
		if !ok && !slices.Contains(name.Values(), name) {
			return nil, fail(http.StatusBadRequest, &types.InvalidAttributeName{Message: msg("Unknown Attribute %s.", name)})
		}
		if ok {
			out[string(name)] = v
		}
	}
	return &sqs.GetQueueAttributesOutput{Attributes: out}, nil
}

// shown is every attribute, the counts included.
func (q *queue) shown(now time.Time) map[string]string {
	out := maps.Clone(q.attributes)
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	var visible, inFlight, delayed int
	for _, m := range q.messages {
		switch {
		case !m.visible.After(now):
			visible++
		case m.received == 0:
			delayed++
		default:
			inFlight++
		}
	}
	out["QueueArn"] = q.arn
	out["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	out["ApproximateNumberOfMessages"] = strconv.Itoa(visible)
	out["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(inFlight)
	out["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(delayed)
	return out
}

func setQueueAttributes(c *call, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	q, err := c.queueFor(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	before := maps.Clone(q.attributes)
	if err := q.set(in.Attributes); err != nil {
		return nil, err
	}
	c.same = maps.Equal(before, q.attributes)
	return &sqs.SetQueueAttributesOutput{}, nil
}

func purgeQueue(c *call, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	q, err := c.queueFor(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	c.same = len(q.messages) == 0
	q.messages = nil
	return &sqs.PurgeQueueOutput{}, nil
}
