// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest_test

import (
	"context"
	"fmt"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
)

// Validate a bucket in which someone took a record out of a log file.
func ExampleValidate() {
	bucket := digesttest.NewWorld() // a Fetcher; digest.OpenEvidence gives one over saved files
	trail := bucket.Trail(digesttest.Trail{LogFiles: 2}).Hours(3)
	bucket.Edit(trail.Logs[3], func([]byte) []byte { return []byte(`{"Records":[]}`) })

	req := digest.Request{Bucket: trail.Bucket, Start: digesttest.Start, End: trail.Now}
	summary, err := digest.Validate(context.Background(), bucket, req, digest.Options{}, func(r digest.Result) error {
		if !r.IsValid() {
			fmt.Println(r.Scope, r.Subject, r.Detail)
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%d of %d log files valid, exit status %d\n", summary.LogFiles.Valid, summary.LogFiles.Valid+summary.LogFiles.Invalid, summary.ExitStatus())
	// Output:
	// 111122223333 eu-west-1 main log file hash value doesn't match
	// 5 of 6 log files valid, exit status 1
}
