// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"time"
)

// clone is a deep copy of a typed input, output or a part of one: what the sandbox keeps must not change when a caller
// changes what it passed or got.
func clone[T any](v T) T {
	dst := reflect.New(reflect.TypeFor[T]()).Elem()
	copyValue(dst, reflect.ValueOf(&v).Elem())
	return dst.Interface().(T)
}

var timeType = reflect.TypeFor[time.Time]()

func copyValue(dst, src reflect.Value) {
	dst.Set(src)
	switch src.Kind() {
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			copyValue(dst.Elem(), src.Elem())
		}
	case reflect.Struct:
		if src.Type() == timeType {
			return
		}
		for i := range src.NumField() {
			if src.Type().Field(i).IsExported() {
				copyValue(dst.Field(i), src.Field(i))
			}
		}
	case reflect.Slice:
		if src.IsNil() {
			return
		}
		dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
		for i := range src.Len() {
			copyValue(dst.Index(i), src.Index(i))
		}
	case reflect.Map:
		if src.IsNil() {
			return
		}
		dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
		for it := src.MapRange(); it.Next(); {
			v := reflect.New(src.Type().Elem()).Elem()
			copyValue(v, it.Value())
			dst.SetMapIndex(it.Key(), v)
		}
	}
}

// maxBody is the size of the largest object that the sandbox takes.
const maxBody = 64 << 20

// ownInput copies an input and reads its body, if it has one: a reader can be read only once, and not under the lock.
func ownInput(in any) (any, error) {
	v := reflect.ValueOf(in)
	own := reflect.New(v.Type().Elem())
	copyValue(own.Elem(), v.Elem())
	body := own.Elem().FieldByName("Body")
	if !body.IsValid() {
		return own.Interface(), nil
	}
	var data []byte
	if r, ok := body.Interface().(io.Reader); ok && r != nil {
		var err error
		if data, err = io.ReadAll(io.LimitReader(r, maxBody+1)); err != nil {
			return nil, fmt.Errorf("read body: %w", err)
		}
		if len(data) > maxBody {
			return nil, fmt.Errorf("body is larger than %d MB", maxBody>>20)
		}
	}
	body.Set(reflect.ValueOf(bytes.NewReader(data)))
	return own.Interface(), nil
}

// bodyOf is the body of an input made by ownInput, without consuming it.
func bodyOf(in any) []byte {
	f := reflect.ValueOf(in).Elem().FieldByName("Body")
	if !f.IsValid() {
		return nil
	}
	r, ok := f.Interface().(*bytes.Reader)
	if !ok {
		return nil
	}
	data := make([]byte, r.Size())
	if _, err := r.ReadAt(data, 0); err != nil {
		return nil // only an empty body: a bytes.Reader has no other error
	}
	return data
}

// encodeInput writes an input into its journal entry.
func encodeInput(m *Mutation, in any) error {
	if body := bodyOf(in); body != nil {
		bare := reflect.New(reflect.TypeOf(in).Elem())
		bare.Elem().Set(reflect.ValueOf(in).Elem())
		bare.Elem().FieldByName("Body").SetZero()
		in, m.Body = bare.Interface(), body
	}
	var err error
	m.Input, err = json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode input: %w", err)
	}
	return nil
}

// decodeInput is the inverse of encodeInput.
func decodeInput(op *operation, m Mutation) (any, error) {
	in := op.input()
	if err := json.Unmarshal(m.Input, in); err != nil {
		return nil, fmt.Errorf("decode input of %s.%s: %w", m.Service, m.Operation, err)
	}
	if f := reflect.ValueOf(in).Elem().FieldByName("Body"); f.IsValid() {
		f.Set(reflect.ValueOf(bytes.NewReader(m.Body)))
	}
	return in, nil
}

// text is a string field of a typed input by name, "" when there is none: operations of one service spell the same
// thing alike.
func text(in any, field string) string {
	f := reflect.ValueOf(in).Elem().FieldByName(field)
	if !f.IsValid() {
		return ""
	}
	if f.Kind() == reflect.Pointer {
		if f.IsNil() {
			return ""
		}
		f = f.Elem()
	}
	if f.Kind() != reflect.String {
		return ""
	}
	return f.String()
}

// fieldOf is a field of a typed input by name, nil when there is none.
func fieldOf(in any, field string) any {
	f := reflect.ValueOf(in).Elem().FieldByName(field)
	if !f.IsValid() || f.Kind() == reflect.Pointer && f.IsNil() {
		return nil
	}
	return f.Interface()
}
