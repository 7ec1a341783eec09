// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"sync"
)

// LogFile is what CloudTrail delivers to S3: {"Records":[…]}, compressed. The order of the records means nothing.
//
// To read one use a [Decoder], which needs no memory for the whole.
type LogFile struct {
	Records []Record
}

// WriteTo writes the file's JSON, uncompressed.
func (f LogFile) WriteTo(w io.Writer) (int64, error) {
	var text bytes.Buffer
	text.WriteString(`{"Records":[`)
	for i := range f.Records {
		if i > 0 {
			text.WriteByte(',')
		}
		raw := f.Records[i].Raw
		if raw == nil {
			raw = f.Records[i].fieldsJSON()
		}
		text.Write(raw)
	}
	text.WriteString("]}")
	n, err := text.WriteTo(w)
	if err != nil {
		return n, fmt.Errorf("write log file: %w", err)
	}
	return n, nil
}

// writers are kept, for a new one allocates 800 KB.
var writers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// Gzip returns the file as it is stored in S3. Equal files give equal bytes.
func (f LogFile) Gzip() ([]byte, error) {
	var out bytes.Buffer
	z := writers.Get().(*gzip.Writer)
	defer writers.Put(z)
	z.Reset(&out)
	if _, err := f.WriteTo(z); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress log file: %w", err)
	}
	return out.Bytes(), nil
}
