// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
)

// Invoke makes a call by its name, "CloudTrail.StopLogging", with the input as JSON in the SDK's member names: how
// scenarios and scripts act as any principal. The rest of the request says who calls, where and with which user agent.
// The output is JSON in the SDK's member names. AWS's refusals are returned as the SDK's typed errors.
func (s *Sandbox) Invoke(ctx context.Context, name string, input json.RawMessage, r gate.Request) (json.RawMessage, error) {
	op, ok := operations()[name]
	if !ok {
		return nil, fmt.Errorf("invoke %s: %w: no such operation", name, ErrUnknown)
	}
	in := op.input()
	if len(input) > 0 {
		d := json.NewDecoder(strings.NewReader(string(input)))
		d.DisallowUnknownFields()
		if err := d.Decode(in); err != nil {
			return nil, fmt.Errorf("invoke %s: read input: %w", name, err)
		}
	}
	return s.invoke(ctx, name, in, r)
}

// InvokeRecorded makes a recorded call again: the record's request parameters are the input, whose members CloudTrail
// writes as the SDK does but for the case of the first letter. Members that the SDK does not know are left out.
func (s *Sandbox) InvokeRecorded(ctx context.Context, record cloudtrail.Record, r gate.Request) (json.RawMessage, error) {
	for name, op := range operations() {
		if op.name != record.EventName || arn.ServiceHost(op.service.label) != record.EventSource {
			continue
		}
		in := op.input()
		if len(record.RequestParameters) > 0 {
			if err := json.Unmarshal(record.RequestParameters, in); err != nil {
				return nil, fmt.Errorf("invoke %s: read request parameters: %w", name, err)
			}
		}
		return s.invoke(ctx, name, in, r)
	}
	return nil, fmt.Errorf("invoke %.100q of %.100q: %w: no such operation", record.EventName, record.EventSource, ErrUnknown)
}

func (s *Sandbox) invoke(ctx context.Context, name string, in any, r gate.Request) (json.RawMessage, error) {
	r.Service, r.Operation, _ = strings.Cut(name, ".")
	r.Input = in
	out, err := s.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("invoke %s: write output: %w", name, err)
	}
	return data, nil
}
