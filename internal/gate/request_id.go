// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"reflect"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// RequestID is AWS's id of the call that an output of the SDK answers, *kms.EnableKeyOutput: the requestID of the event
// record that the call leaves. It is "" for what is no such output.
func RequestID(output any) string {
	v := reflect.Indirect(reflect.ValueOf(output))
	if v.Kind() != reflect.Struct {
		return ""
	}
	field := v.FieldByName("ResultMetadata")
	if !field.IsValid() {
		return ""
	}
	metadata, ok := field.Interface().(middleware.Metadata)
	if !ok {
		return ""
	}
	id, _ := awsmiddleware.GetRequestIDMetadata(metadata)
	return id
}
