// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"strconv"
	"time"
)

// usualEvents is how many events most calls add: a task ends, its state is left, the next one is entered and begins.
const usualEvents = 6

// emit adds an event to the history and returns its ID. The last event of MaxEvents is kept for the end.
func (c *call) emit(eventType, state string, previous int64, details []byte) int64 {
	if c.r.lastEvent >= MaxEvents-1 {
		return c.r.lastEvent
	}
	return c.add(eventType, state, previous, details)
}

// emitLast adds the event that ends the execution.
func (c *call) emitLast(eventType string, previous int64, details []byte) {
	c.add(eventType, "", previous, details)
}

func (c *call) add(eventType, state string, previous int64, details []byte) int64 {
	if c.fx.Events == nil {
		c.fx.Events = make([]Event, 0, usualEvents)
	}
	c.r.lastEvent++
	c.bytes += len(details)
	c.fx.Events = append(c.fx.Events, Event{
		ID: c.r.lastEvent, PreviousEventID: previous, Timestamp: c.now, Type: eventType, State: state, Details: details,
	})
	return c.r.lastEvent
}

// record adds an event of a thread's current state and makes it the thread's last. Inside a distributed Map it is only
// counted.
func (c *call) record(t *thread, eventType string, details func() []byte) int64 {
	t.previous = c.recordAside(t, eventType, t.previous, details)
	return t.previous
}

// recordAside adds an event without making it the thread's last.
func (c *call) recordAside(t *thread, eventType string, previous int64, details func() []byte) int64 {
	if t.silent {
		c.r.hidden++
		c.hidden++
		return 0
	}
	var text []byte
	if details != nil {
		text = details()
	}
	return c.emit(eventType, t.stateName, previous, text)
}

// appendText appends "name":"text" to an object that is being written, with a comma where it is needed.
func appendText[T string | []byte](dst []byte, name string, text T) []byte {
	return appendString(appendName(dst, name), text)
}

func appendInt(dst []byte, name string, n int64) []byte {
	return strconv.AppendInt(appendName(dst, name), n, 10)
}

func appendName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(appendString(dst, name), ':')
}

const truncatedNot = `{"truncated":false}`

func (c *call) startedDetails() []byte {
	d := appendText([]byte{'{'}, "input", c.r.input.json())
	d = append(appendName(d, "inputDetails"), truncatedNot...)
	return append(appendText(d, "roleArn", c.r.info.RoleARN), '}')
}

func enteredDetails(t *thread) []byte {
	text := t.input.json()
	d := append(make([]byte, 0, detailsRoom(len(text))), '{')
	d = appendText(d, "name", t.stateName)
	d = appendText(d, "input", text)
	d = append(appendName(d, "inputDetails"), truncatedNot...)
	return append(d, '}')
}

// exitedDetails writes the details of a StateExited event; assigned holds the variables that the state set.
func exitedDetails(t *thread, output *datum, assigned map[string]*datum) []byte {
	text := output.json()
	d := append(make([]byte, 0, detailsRoom(len(text))), '{')
	d = appendText(d, "name", t.stateName)
	d = appendText(d, "output", text)
	d = append(appendName(d, "outputDetails"), truncatedNot...)
	if len(assigned) > 0 {
		d = append(appendName(d, "assignedVariables"), '{')
		for _, name := range sortedNames(assigned) {
			d = appendText(d, name, assigned[name].json())
		}
		d = append(d, '}')
		d = append(appendName(d, "assignedVariablesDetails"), truncatedNot...)
	}
	return append(d, '}')
}

// errorDetails writes {"error","cause"} with the members that the error has.
func errorDetails(e Error) []byte { return append(appendError([]byte{'{'}, e), '}') }

func appendError(d []byte, e Error) []byte {
	if e.HasName() {
		d = appendText(d, "error", e.Name)
	}
	if e.HasCause() {
		d = appendText(d, "cause", e.Cause)
	}
	return d
}

func evaluationDetails(t *thread, f *fault) []byte {
	d := appendError([]byte{'{'}, f.failure)
	if f.location != "" {
		d = appendText(d, "location", f.location)
	}
	return append(appendText(d, "state", t.stateName), '}')
}

func iterationDetails(t *thread, index int) []byte {
	d := appendText([]byte{'{'}, "name", t.stateName)
	return append(appendInt(d, "index", int64(index)), '}')
}

// resourceDetails begins the details of a task's events. Those of Lambda functions and activities name no resource,
// except when they are scheduled.
func resourceDetails(k Resource) []byte {
	d := []byte{'{'}
	if k.eventStem() != "Task" {
		return d
	}
	service := k.Service
	if k.Kind == "switchback" {
		service, k.Action = k.Kind, k.Service+":"+k.Action
	}
	d = appendText(d, "resourceType", service)
	return appendText(d, "resource", k.Action+string(k.Integration))
}

// details returns the beginning of the details of an event, with room for as much again as will be appended.
func (part *taskPart) details(room int) []byte {
	return append(make([]byte, 0, len(part.events.head)+detailsRoom(room)), part.events.head...)
}

// detailsRoom is about what a text and the members around it take in an event's details.
func detailsRoom(text int) int { return text + text/4 + 96 }

func scheduledDetails(t *thread, request TaskRequest, timeout, heartbeat time.Duration) []byte {
	d := t.state.task.details(len(request.Parameters))
	if t.state.task.kind.eventStem() == "Task" {
		d = appendText(d, "parameters", []byte(request.Parameters))
	} else {
		d = appendText(d, "resource", request.Resource)
		d = appendText(d, "input", []byte(request.Parameters))
		d = append(appendName(d, "inputDetails"), truncatedNot...)
	}
	if timeout > 0 {
		d = appendInt(d, "timeoutInSeconds", int64(timeout/time.Second))
	}
	if heartbeat > 0 {
		d = appendInt(d, "heartbeatInSeconds", int64(heartbeat/time.Second))
	}
	return append(d, '}')
}

func (part *taskPart) outputDetails(output *datum) []byte {
	text := output.json()
	d := appendText(part.details(len(text)), "output", text)
	d = append(appendName(d, "outputDetails"), truncatedNot...)
	return append(d, '}')
}

func (part *taskPart) failedDetails(e Error) []byte {
	return append(appendError(part.details(len(e.Name)+len(e.Cause)), e), '}')
}
