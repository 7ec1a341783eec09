// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

// lost says what the event took away for good, and what a person can do about it; "" for nothing, and for a call that
// failed. No baseline knows of log files and log streams. Of a bucket that keeps versions, a deletion that names none only
// puts a marker.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
func (s subject) lost(keepsVersions bool) string {
	if s.record == nil || s.record.Failed() {
		return ""
	}
	switch version, _ := s.record.RequestParameter("versionId"); s.record.EventName {
	case "DeleteObject", "DeleteObjects", "DeleteBucket":
		if keepsVersions && version == "" && s.record.EventName == "DeleteObject" {
			return ""
		}
		return "log files may be gone for good: switchback validate-logs says which; copy them from where the bucket is replicated to"
	case "DeleteLogStream":
		return "what CloudWatch Logs held is gone; the log files in the bucket have it"
	}
	return ""
}
