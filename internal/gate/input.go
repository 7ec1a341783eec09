// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxInput bounds Call.Input. Long texts are cut first, so that the members behind them stay.
const maxInput = 16 << 10

type inputLimits struct{ text, list, depth int }

var (
	wideLimits  = inputLimits{text: 4 << 10, list: 64, depth: 8}
	tightLimits = inputLimits{text: 128, list: 8, depth: 4}
)

const redacted = `"(redacted)"`

// describe returns the resource that an input names and the input itself, fit to be kept.
func describe(input any) (target string, out json.RawMessage) {
	v := reflect.Indirect(reflect.ValueOf(input))
	if v.Kind() != reflect.Struct {
		return "", nil
	}
	target = cut(planOf(v.Type()).targetOf(v), 2<<10)
	for _, limits := range [...]inputLimits{wideLimits, tightLimits} {
		if out = appendValue(nil, v, limits, 0); len(out) <= maxInput {
			return target, out
		}
	}
	return target, json.RawMessage(`{"(cut)":"the input is too large"}`)
}

// plan is what we know of an input's type.
type plan struct {
	members []member
	targets []int // indexes of members that name a resource, best first
}

type member struct {
	index  int
	name   string // quoted, with its colon
	secret bool
}

var plans sync.Map // reflect.Type -> *plan

func planOf(t reflect.Type) *plan {
	if found, ok := plans.Load(t); ok {
		return found.(*plan)
	}
	p := &plan{}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" {
			continue
		}
		p.members = append(p.members, member{index: i, name: `"` + f.Name + `":`, secret: isSecret(f.Name)})
	}
	for _, name := range targetNames {
		if f, ok := t.FieldByName(name); ok && len(f.Index) == 1 {
			p.targets = append(p.targets, f.Index[0])
		}
	}
	found, _ := plans.LoadOrStore(t, p)
	return found.(*plan)
}

// targetNames are the members by which inputs name the resource they are about, the most telling first.
var targetNames = []string{
	"TrailARN", "TrailName", "EventDataStore", "Bucket", "KeyId", "AliasName", "TopicArn", "SubscriptionArn", "QueueUrl", "QueueName",
	"RoleArn", "RoleName", "UserName", "PolicyArn", "GroupName", "InstanceProfileName", "LogGroupName", "LogGroupIdentifier",
	"FunctionName", "TableName", "StateMachineArn", "ExecutionArn", "StackName", "InstanceId", "InstanceIds",
	"NetworkInterfaceId", "VolumeId", "SnapshotId", "ImageId", "GroupId", "AllocationId", "AssociationId", "NetworkAclId",
	"SessionId", "TargetGroupArn", "AutoScalingGroupName", "ResourceArn", "ResourceId", "Resource", "ResourceIdList",
	"TrailNameList", "KeySpec", "Rule", "AccountId", "Arn", "Name",
}

func (p *plan) targetOf(v reflect.Value) string {
	for _, i := range p.targets {
		s := firstText(v.Field(i))
		if s == "" {
			continue
		}
		if v.Type().Field(i).Name == "Bucket" {
			if key := firstText(v.FieldByName("Key")); key != "" {
				return s + "/" + key
			}
		}
		return s
	}
	return ""
}

func firstText(v reflect.Value) string {
	if !v.IsValid() {
		return ""
	}
	v = reflect.Indirect(v)
	if v.Kind() == reflect.Slice && v.Len() > 0 {
		v = v.Index(0)
	}
	if v.Kind() != reflect.String {
		return ""
	}
	return v.String()
}

// isSecret goes by the names that AWS gives to what must not be written down. It errs towards hiding.
func isSecret(name string) bool {
	n := strings.ToLower(name)
	if slices.Contains(harmlessNames, n) {
		return false
	}
	return strings.HasSuffix(n, "token") || strings.HasSuffix(n, "tokens") || slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(n, w) })
}

var (
	secretWords = []string{
		"password", "passwd", "secret", "privatekey", "private_key", "plaintext", "assertion", "credential", "authorization",
		"customerkey", "tokencode", "userdata", "keymaterial", "apikey", "api_key", "accesskey", "access_key", "_token",
	}
	harmlessNames = []string{
		"nexttoken", "clienttoken", "clientrequesttoken", "continuationtoken", "idempotencytoken", "accesskeyid",
		"secretid", "secretarn", "ssecustomeralgorithm", "resourcepolicytoken", "credentialreportformat",
	}
)

func appendValue(b []byte, v reflect.Value, limits inputLimits, depth int) []byte {
	if len(b) > maxInput {
		return b // given up by the caller
	}
	if depth > limits.depth {
		return append(b, `"(cut)"`...)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return appendPointer(b, v, limits, depth)
	case reflect.Struct:
		return appendStruct(b, v, limits, depth)
	case reflect.Map:
		return appendMap(b, v, limits, depth)
	case reflect.Slice, reflect.Array:
		return appendList(b, v, limits, depth)
	case reflect.String:
		return appendText(b, v.String(), limits.text)
	case reflect.Bool:
		return fmt.Appendf(b, "%t", v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Appendf(b, "%d", v.Int())
	case reflect.Float32, reflect.Float64:
		return appendText(b, fmt.Sprint(v.Float()), limits.text)
	default:
		return append(b, `"(not shown)"`...)
	}
}

func appendPointer(b []byte, v reflect.Value, limits inputLimits, depth int) []byte {
	switch {
	case v.IsNil():
		return append(b, "null"...)
	case v.Kind() == reflect.Interface && v.Type().PkgPath() == "io":
		return append(b, `"(body)"`...)
	}
	return appendValue(b, v.Elem(), limits, depth+1)
}

func appendStruct(b []byte, v reflect.Value, limits inputLimits, depth int) []byte {
	if t, ok := v.Interface().(time.Time); ok {
		return appendText(b, t.UTC().Format(time.RFC3339), limits.text)
	}
	hideValue := isSecret(firstText(v.FieldByName("Key"))) // a tag or parameter named "password"
	b = append(b, '{')
	start := len(b)
	for _, m := range planOf(v.Type()).members {
		f := v.Field(m.index)
		if f.IsZero() {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(b, m.name...)
		if m.secret || hideValue && m.name == `"Value":` {
			b = append(b, redacted...)
			continue
		}
		b = appendValue(b, f, limits, depth+1)
	}
	return append(b, '}')
}

func appendMap(b []byte, v reflect.Value, limits inputLimits, depth int) []byte {
	entries := map[string]reflect.Value{}
	for _, k := range v.MapKeys() {
		entries[k.String()] = v.MapIndex(k)
	}
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(entries)) {
		if i > 0 {
			b = append(b, ',')
		}
		if i == limits.list {
			b = append(b, fmt.Sprintf(`"(cut)":%d`, len(entries))...)
			break
		}
		b = append(appendText(b, name, limits.text), ':')
		if isSecret(name) {
			b = append(b, redacted...)
			continue
		}
		b = appendValue(b, entries[name], limits, depth+1)
	}
	return append(b, '}')
}

func appendList(b []byte, v reflect.Value, limits inputLimits, depth int) []byte {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return fmt.Appendf(b, `"(%d bytes)"`, v.Len())
	}
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		if i == limits.list {
			b = fmt.Appendf(b, `"(cut, %d in all)"`, v.Len())
			break
		}
		b = appendValue(b, v.Index(i), limits, depth+1)
	}
	return append(b, ']')
}

func appendText(b []byte, s string, limit int) []byte {
	if len(s) > limit {
		s = fmt.Sprintf("%s… (cut, %d bytes in all)", cut(s, limit), len(s))
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		return append(b, `"(not shown)"`...)
	}
	return append(b, quoted...)
}
