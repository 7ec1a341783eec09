// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// Failed tells whether the call was refused or went wrong: an attempt, not a change. Most calls then have an errorCode;
// console sign-in events have none and report the failure in their response.
//
// See https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
func (r *Record) Failed() bool {
	if r.ErrorCode != "" {
		return true
	}
	if r.EventType != EventTypeConsoleSignIn && r.EventName != "ConsoleLogin" {
		return false
	}
	result, found := r.ResponseElement(r.EventName)
	return result == "Failure" || !found && r.ErrorMessage != ""
}

// Omitted tells that a part of the record was too large and was left out or truncated by CloudTrail: whoever needs it
// has to read the state from the service.
func (r *Record) Omitted() bool {
	for _, raw := range []json.RawMessage{r.RequestParameters, r.ResponseElements, r.AdditionalEventData, r.ServiceEventDetails} {
		if mark, _ := Lookup(raw, "omitted"); mark == "true" {
			return true
		}
	}
	return false
}

// VersionAtLeast tells whether the record's format has everything that major.minor has: the same major version, and
// the minor version or a later one. "1.9" does not occur, "1.09" is older than "1.10".
func (r *Record) VersionAtLeast(major, minor int) bool {
	gotMajor, gotMinor, found := strings.Cut(r.EventVersion, ".")
	if !found {
		return false
	}
	m, err := strconv.Atoi(gotMajor)
	if err != nil || m != major {
		return false
	}
	n, err := strconv.Atoi(gotMinor)
	return err == nil && n >= minor
}

// RequestParameter returns a text, number or boolean below RequestParameters as text; see [Lookup].
func (r *Record) RequestParameter(path ...string) (string, bool) {
	return Lookup(r.RequestParameters, path...)
}

// ResponseElement returns a text, number or boolean below ResponseElements as text; see [Lookup].
func (r *Record) ResponseElement(path ...string) (string, bool) {
	return Lookup(r.ResponseElements, path...)
}

// Lookup returns the text, number or boolean at a path of member names, as text. An array of one element counts as that
// element, on the way and at the end: services write the same parameter both ways. Names are compared exactly. It
// reports false when there is nothing at the path, when it is null, an object or a longer array, or when raw is not
// JSON.
func Lookup(raw json.RawMessage, path ...string) (string, bool) {
	at, ok := single(raw, jsonscan.Space(raw, 0))
	for _, step := range path {
		if !ok {
			return "", false
		}
		if at = memberOf(raw, at, step); at < 0 {
			return "", false
		}
		at, ok = single(raw, at)
	}
	if !ok {
		return "", false
	}
	return scalar(raw, at)
}

// memberOf returns where the value of an object's member begins, or -1.
func memberOf(raw []byte, at int, step string) int {
	found := -1
	if at >= len(raw) || raw[at] != '{' {
		return found
	}
	_, err := jsonscan.Members(raw, at, func(name []byte, at int) (int, error) {
		if string(name) == step {
			found = at
		}
		return jsonscan.Value(raw, at)
	})
	if err != nil {
		return -1
	}
	return found
}

// single sees through arrays of one element.
func single(raw []byte, at int) (int, bool) {
	for at < len(raw) && raw[at] == '[' {
		count, inner := 0, 0
		_, err := jsonscan.Elements(raw, at, func(at int) (int, error) {
			count, inner = count+1, at
			return jsonscan.Value(raw, at)
		})
		if err != nil || count != 1 {
			return at, false
		}
		at = inner
	}
	return at, at < len(raw)
}

func scalar(raw []byte, at int) (string, bool) {
	switch raw[at] {
	case '{', '[', 'n':
		return "", false
	case '"':
		content, plain, _, err := jsonscan.String(raw, at)
		if err != nil {
			return "", false
		}
		if plain {
			return string(content), true
		}
		return jsonscan.Unquote(content), true
	}
	end, err := jsonscan.Value(raw, at)
	if err != nil {
		return "", false
	}
	return string(raw[at:end]), true
}

// expirationLayouts are the spellings seen of responseElements.credentials.expiration.
var expirationLayouts = []string{"Jan 2, 2006, 3:04:05 PM", "Jan 2, 2006 3:04:05 PM", time.RFC3339}

// ParseExpiration reads responseElements.credentials.expiration of AssumeRole and its relatives. It is US English, in
// UTC, with or without a comma after the year, and lately with a narrow no-break space before AM and PM.
func ParseExpiration(s string) (time.Time, bool) {
	s = strings.Join(strings.Fields(s), " ") // Fields knows U+202F
	for _, layout := range expirationLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return parseTime(s)
}
