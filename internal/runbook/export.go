// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// ErrNotExportable says that a state machine cannot run on AWS Step Functions.
var ErrNotExportable = errors.New("not exportable")

const (
	// functionPlaceholder and partitionPlaceholder are names of CloudFormation's DefinitionSubstitutions: an action group's
	// function, and the partition.
	//
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-stepfunctions-statemachine.html
	functionPlaceholder  = "${SwitchbackActions%s}"
	partitionPlaceholder = "${SwitchbackPartition}"
	waitForToken         = ".waitForTaskToken"
	tokenField           = "token.$"
)

// ReservedField of a Task's Parameters tells an action group's function what to do. No action has a parameter of that name.
const ReservedField = "switchback"

// Export returns the state machine as AWS Step Functions runs it: each Task invokes the Lambda function of its action
// group, and tells it in the reserved field "switchback" of its input which action, execution and state it is. functionARN
// is the function for all groups; where it is "" there are placeholders. States and fields keep their order.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
func (r *Runbook) Export(functionARN string) ([]byte, error) {
	e := exporter{function: functionARN, partition: partitionPlaceholder}
	if functionARN != "" {
		parts, err := arn.ARN(functionARN).Parse()
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", functionARN, err)
		}
		if parts.Service != "lambda" {
			return nil, fmt.Errorf("function %q: %w: it is no Lambda function", functionARN, ErrNotExportable)
		}
		e.partition = parts.Partition
	}
	return e.export(r)
}

// Embedded returns the state machine as our own engine runs it: as Export does, but for the functions. Each Task keeps its
// action as Resource and has the reserved field, so that a history means the same here and there.
func (r *Runbook) Embedded() ([]byte, error) { return exporter{isEmbedded: true}.export(r) }

type exporter struct {
	function, partition string
	isEmbedded          bool
}

func (e exporter) export(r *Runbook) ([]byte, error) {
	machine, err := e.machine(json.RawMessage(r.StateMachine))
	if err != nil {
		return nil, fmt.Errorf("export %s: %w", r.Manifest.ID, err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, machine, "", "  "); err != nil {
		return nil, fmt.Errorf("export %s: %w", r.Manifest.ID, err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// machine rewrites the states of a state machine, of a branch, or of an item processor.
func (e exporter) machine(text json.RawMessage) (json.RawMessage, error) {
	return rewrite(text, func(key string, value json.RawMessage) (json.RawMessage, error) {
		if key != "States" {
			return value, nil
		}
		return rewrite(value, func(name string, state json.RawMessage) (json.RawMessage, error) {
			state, err := e.state(state)
			if err != nil {
				return nil, fmt.Errorf("state %s: %w", name, err)
			}
			return state, nil
		})
	})
}

func (e exporter) state(text json.RawMessage) (json.RawMessage, error) {
	var s struct{ Type, Resource string }
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	if id := ActionOf(s.Resource); s.Type == "Task" && id != "" {
		return e.task(text, id, strings.HasSuffix(s.Resource, waitForToken))
	}
	return rewrite(text, func(key string, value json.RawMessage) (json.RawMessage, error) {
		switch key {
		case "ItemProcessor", "Iterator":
			return e.machine(value)
		case "Branches":
			return e.branches(value)
		}
		return value, nil
	})
}

func (e exporter) branches(text json.RawMessage) (json.RawMessage, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	for i := range all {
		var err error
		if all[i], err = e.machine(all[i]); err != nil {
			return nil, fmt.Errorf("branch %d: %w", i+1, err)
		}
	}
	var out bytes.Buffer
	out.WriteByte('[')
	for i, branch := range all {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(branch)
	}
	out.WriteByte(']')
	return out.Bytes(), nil
}

// task rewrites a Task of ours. One that waits for its token goes by the optimised integration, whose parameters wrap the
// function's input.
func (e exporter) task(text json.RawMessage, id string, isWaiting bool) (json.RawMessage, error) {
	resource := e.functionOf(id)
	if isWaiting {
		resource = "arn:" + e.partition + ":states:::lambda:invoke" + waitForToken
	}
	hasParameters := false
	out, err := rewrite(text, func(key string, value json.RawMessage) (json.RawMessage, error) {
		switch key {
		case "Resource":
			if e.isEmbedded {
				return value, nil
			}
			return quote(resource), nil
		case "Parameters":
			hasParameters = true
			return e.parameters(value, id, isWaiting)
		}
		return value, nil
	})
	if err == nil && !hasParameters {
		err = fmt.Errorf("%w: no Parameters, in which the action is named", ErrNotExportable)
	}
	return out, err
}

func (e exporter) functionOf(id string) string {
	if e.function != "" {
		return e.function
	}
	group, _, _ := strings.Cut(id, ":")
	return fmt.Sprintf(functionPlaceholder, strings.ToUpper(group[:1])+group[1:])
}

func (e exporter) parameters(text json.RawMessage, id string, isWaiting bool) (json.RawMessage, error) {
	input, err := members(text)
	if err != nil {
		return nil, fmt.Errorf("field Parameters: %w", err)
	}
	isWrapped := isWaiting && !e.isEmbedded
	input = slices.DeleteFunc(input, func(m member) bool { return m.key == ReservedField || isWrapped && m.key == tokenField })
	input = append(input, member{ReservedField, encode([]member{
		{"action", quote(id)}, {"execution.$", quote("$$.Execution.Id")}, {"state.$", quote("$$.State.Name")},
	})})
	if !isWrapped {
		return encode(input), nil
	}
	payload := encode(append(input, member{tokenField, quote("$$.Task.Token")}))
	return encode([]member{{"FunctionName", quote(e.functionOf(id))}, {"Payload", payload}}), nil
}

// member is a member of a JSON object, which encoding/json would put in another order.
type member struct {
	key   string
	value json.RawMessage
}

// rewrite changes the values of an object's members.
func rewrite(text json.RawMessage, change func(key string, value json.RawMessage) (json.RawMessage, error)) (json.RawMessage, error) {
	all, err := members(text)
	if err != nil {
		return nil, err
	}
	for i, m := range all {
		if all[i].value, err = change(m.key, m.value); err != nil {
			return nil, err
		}
	}
	return encode(all), nil
}

func members(text json.RawMessage) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil, errors.Join(fmt.Errorf("%w: %.40q is no object", ErrNotExportable, text), err)
	}
	var all []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: key.(string)} // the decoder takes nothing else there
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func encode(all []member) json.RawMessage {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range all {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(quote(m.key))
		out.WriteByte(':')
		out.Write(m.value)
	}
	out.WriteByte('}')
	return out.Bytes()
}

// quote is s as JSON. Only a value that JSON lacks could fail.
func quote(s string) json.RawMessage {
	text, _ := json.Marshal(s)
	return text
}
