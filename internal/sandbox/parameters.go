// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/aws/smithy-go/middleware"
)

// recordTime is how CloudTrail writes a time inside requestParameters and responseElements.
const recordTime = "Jan 2, 2006, 3:04:05 PM"

// spelling is how a service's values look in a record.
type spelling struct {
	name     func(field string) string
	collapse bool // a list of one is written as its element: what CloudTrail makes of XML
}

// camel is the spelling of nearly all services: the API's names with a small first letter.
var camel = spelling{name: func(field string) string { return strings.ToLower(field[:1]) + field[1:] }}

// xmlNames are the element names of S3's XML that differ from the API's field names.
var xmlNames = map[string]string{
	"Rules": "Rule", "Transitions": "Transition", "NoncurrentVersionTransitions": "NoncurrentVersionTransition",
	"QueueConfigurations": "QueueConfiguration", "TopicConfigurations": "TopicConfiguration",
	"LambdaFunctionConfigurations": "CloudFunctionConfiguration", "QueueArn": "Queue", "TopicArn": "Topic",
	"Events": "Event", "MFADelete": "MfaDelete",
}

// fromXML is the spelling of bodies that S3 takes as XML.
var fromXML = spelling{collapse: true, name: func(field string) string {
	if n, ok := xmlNames[field]; ok {
		return n
	}
	return field
}}

var (
	metadataType = reflect.TypeFor[middleware.Metadata]()
	readerType   = reflect.TypeFor[io.Reader]()
)

// tree is the JSON value of a typed input or output; nil when nothing is in it.
func (sp spelling) tree(v any) any {
	if v == nil {
		return nil
	}
	return sp.value(reflect.ValueOf(v))
}

// object is tree for a struct.
func (sp spelling) object(v any) map[string]any {
	m, _ := sp.tree(v).(map[string]any)
	return m
}

// value converts v; nil means that it is absent.
func (sp spelling) value(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return sp.value(v.Elem())
	case reflect.Struct:
		if v.Type() == timeType {
			return v.Interface().(time.Time).UTC().Format(recordTime)
		}
		return sp.fields(v)
	case reflect.Slice:
		return sp.list(v)
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		m := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			m[it.Key().String()] = sp.value(it.Value())
		}
		return m
	default:
		return v.Interface()
	}
}

func (sp spelling) fields(v reflect.Value) map[string]any {
	m := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Type == metadataType || f.Type.Implements(readerType) {
			continue
		}
		if k := f.Type.Kind(); k != reflect.Pointer && k != reflect.Slice && v.Field(i).IsZero() {
			continue // an optional enumeration or number that was not given
		}
		if x := sp.value(v.Field(i)); x != nil {
			m[sp.name(f.Name)] = x
		}
	}
	return m
}

func (sp spelling) list(v reflect.Value) any {
	if v.IsNil() {
		return nil
	}
	if sp.collapse && v.Len() == 1 {
		return sp.value(v.Index(0))
	}
	out := make([]any, v.Len())
	for i := range out {
		out[i] = sp.value(v.Index(i))
	}
	return out
}

// maxParameters is the size above which CloudTrail omits requestParameters and responseElements.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
const maxParameters = 100 << 10

var (
	null    = json.RawMessage("null")
	omitted = json.RawMessage(`{"omitted":true}`)
)

// raw is v as a record holds it: null for nothing, a mark for too much.
func raw(v any) (json.RawMessage, error) {
	if m, ok := v.(map[string]any); v == nil || ok && len(m) == 0 {
		return null, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(b) > maxParameters {
		return omitted, nil
	}
	return b, nil
}
