// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"testing"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/switchback-project/switchback/internal/gate"
)

func TestRequestID(t *testing.T) {
	var out kms.EnableKeyOutput
	awsmiddleware.SetRequestIDMetadata(&out.ResultMetadata, "1234")
	for name, tc := range map[string]struct {
		output any
		want   string
	}{
		"an output":     {&out, "1234"},
		"without an id": {&kms.EnableKeyOutput{}, ""},
		"none":          {(*kms.EnableKeyOutput)(nil), ""},
		"nil":           {nil, ""},
		"another type":  {&struct{ ResultMetadata string }{"1234"}, ""},
		"no struct":     {"1234", ""},
	} {
		if got := gate.RequestID(tc.output); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
