// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Folder is where a ledger lives. Names are plain file names.
type Folder interface {
	// Names returns the names of the files there.
	Names(ctx context.Context) ([]string, error)
	// Read opens a file from the byte at offset on; the end of the file is io.EOF also when offset is beyond it. A file
	// that is not there is fs.ErrNotExist.
	Read(ctx context.Context, name string, offset int64) (io.ReadCloser, error)
	// Create makes a file, readable by its owner only, whole or not at all and durable. One that is there already is left
	// alone: fs.ErrExist.
	Create(ctx context.Context, name string, data []byte) error
	// Append adds data to the end of a file, which it makes when it is not there, and returns when that is durable. On an
	// error it takes back what was written, if it can.
	Append(ctx context.Context, name string, data []byte) error
	// Lock waits until no other process and no other caller holds the folder's lock.
	Lock(ctx context.Context) (unlock func() error, err error)
}

const segmentSuffix = ".jsonl"

func segmentName(n int) string { return fmt.Sprintf("%04d%s", n, segmentSuffix) }

// segmentNumber is the inverse of segmentName; zero for the name of anything else.
func segmentNumber(name string) int {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || segmentName(n) != name {
		return 0
	}
	return n
}

// lastSegment returns the highest number of a segment there, zero when there is none.
func lastSegment(ctx context.Context, folder Folder) (int, error) {
	names, err := folder.Names(ctx)
	if err != nil {
		return 0, fmt.Errorf("list ledger: %w", err)
	}
	last := 0
	for _, name := range names {
		last = max(last, segmentNumber(name))
	}
	return last, nil
}
