// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import "strings"

// Integration is how a Task state waits for its resource.
type Integration string

// The integration patterns.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
const (
	RequestResponse  Integration = ""
	RunJob           Integration = ".sync"
	RunJobV2         Integration = ".sync:2"
	WaitForTaskToken Integration = ".waitForTaskToken"
)

// Resource is the Resource of a Task state, taken apart.
type Resource struct {
	// Kind is "switchback", "lambda", "activity", "integration" (arn:...:states:::service:action), "placeholder" (the
	// text holds ${...}) or "other".
	Kind string
	// Service and Action name what is called: "cloudtrail" and "StartLogging" of switchback:cloudtrail:StartLogging;
	// "aws-sdk:dynamodb" and "getItem"; of a Lambda function and an activity Action is the name. Colons inside
	// placeholders are underscores here.
	Service, Action string
	// Integration is the suffix.
	Integration Integration
	// Partition is that of an ARN, such as "aws".
	Partition string
}

// ParseResource takes the Resource of a Task state apart. It does not judge; Check does.
func ParseResource(resource string) Resource {
	r := Resource{Kind: "other"}
	rest := resource
	for _, suffix := range []Integration{WaitForTaskToken, RunJobV2, RunJob} {
		if before, ok := strings.CutSuffix(rest, string(suffix)); ok {
			rest, r.Integration = before, suffix
			break
		}
	}
	if action, ok := strings.CutPrefix(rest, "switchback:"); ok {
		r.Kind = "switchback"
		r.Service, r.Action, _ = strings.Cut(action, ":")
		return r
	}
	// A placeholder may hold colons, as in ${AWS::Region}.
	parts := strings.SplitN(placeholder.ReplaceAllStringFunc(rest, withoutColons), ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		if strings.Contains(resource, "${") {
			r.Kind = "placeholder"
		}
		return r
	}
	r.Partition = parts[1]
	r.fromARN(parts[2], parts[3], parts[5])
	return r
}

func withoutColons(text string) string { return strings.ReplaceAll(text, ":", "_") }

func (r *Resource) fromARN(service, region, name string) {
	switch {
	case service == "lambda":
		r.Kind, r.Service = "lambda", service
		r.Action = strings.TrimPrefix(name, "function:")
	case service == "states" && strings.HasPrefix(name, "activity:"):
		r.Kind, r.Service, r.Action = "activity", service, strings.TrimPrefix(name, "activity:")
	case service == "states" && region == "":
		r.Kind = "integration"
		i := strings.LastIndexByte(name, ':')
		r.Service, r.Action = name[:max(i, 0)], name[i+1:]
	}
}

// ActionID returns the ID of a switchback: action, such as "cloudtrail:StartLogging"; it reports false for any other
// resource.
func (r Resource) ActionID() (string, bool) {
	return r.Service + ":" + r.Action, r.Kind == "switchback"
}

// waitsForAnswer reports whether the end of the task is told from outside, after the request was handed over.
func (r Resource) waitsForAnswer() bool { return r.Integration != RequestResponse }

// eventNames are the stems of a task's history events.
func (r Resource) eventStem() string {
	switch r.Kind {
	case "lambda", "placeholder":
		return "LambdaFunction"
	case "activity":
		return "Activity"
	}
	return "Task"
}
