// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/action/actiontest"
	"github.com/switchback-project/switchback/internal/action/restoretest"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/incident"
)

const restoreObjects = "s3:RestoreObjects"

// logFile is the key of the nth log file.
func logFile(n int) string {
	at := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * 5 * time.Minute)
	return cloudtrail.ObjectKey{AccountID: account, Kind: cloudtrail.KindLog, Region: "eu-west-1", Time: at, Unique: fmt.Sprintf("Ab12Cd34Ef56%04d", n)}.String()
}

func (b bucket) putObject(key string) {
	restoretest.OK(b.PutObject(b.Context(), &api.PutObjectInput{Bucket: b.name, Key: &key, Body: strings.NewReader("body of " + key)}))(b)
}

func (b bucket) deleteObject(key string) {
	restoretest.OK(b.DeleteObject(b.Context(), &api.DeleteObjectInput{Bucket: b.name, Key: &key}))(b)
}

// keys are the objects that can be read.
func (b bucket) keys() []string {
	var out []string
	for pages := api.NewListObjectsV2Paginator(b.Client, &api.ListObjectsV2Input{Bucket: b.name}); pages.HasMorePages(); {
		for _, o := range restoretest.OK(pages.NextPage(b.Context()))(b).Contents {
			out = append(out, *o.Key)
		}
	}
	return out
}

// logged is a versioned bucket with n log files and a note.
func logged(s *restoretest.Scene, n int) bucket {
	b := of(s)
	b.make(false)
	b.putVersioning(types.BucketVersioningStatusEnabled)
	for i := range n {
		b.putObject(logFile(i))
	}
	b.putObject("note.txt")
	return b
}

func params(b bucket, since time.Time, more string) string {
	return fmt.Sprintf(`{"resource":%q,"account":%q,"region":%q,"since":%q%s}`, b.arn(), account, b.Region, since.Format(time.RFC3339Nano), more)
}

// run runs the action in the scene's sandbox, outside of incidents.
func run(s *restoretest.Scene, params string) (action.Output, error) {
	s.Helper()
	g := restoretest.OK(gate.Open(s.Context(), gate.Options{
		Backend: s.Sandbox, Region: s.Region, Accounts: map[string]gate.Access{account: {RoleARN: s.Seeded.ResponderARN}}, Pace: gate.PaceNever,
	}))(s)
	a, _ := action.Get(restoreObjects)
	raw, err := a.Run(s.Context(), &action.Env{Door: g.Door(gate.Scope{Mode: gate.Act}), Incident: incident.Incident{}}, json.RawMessage(params))
	if err != nil {
		return action.Output{}, err
	}
	var out action.Output
	restoretest.Must(s, json.Unmarshal(raw, &out))
	return out, nil
}

func TestRestoreObjectsContract(t *testing.T) {
	for name, more := range map[string]string{
		"all": "", "below a prefix": `,"prefix":"AWSLogs/111122223333/CloudTrail/"`, "keys": fmt.Sprintf(`,"keys":[%q,%q]`, logFile(1), logFile(2)),
	} {
		t.Run(name, func(t *testing.T) {
			actiontest.Run(t, actiontest.Contract{Action: restoreObjects, NoKills: name != "keys", New: func(t testing.TB) actiontest.World {
				s := restoretest.InSandbox(t, nil, "")
				b := logged(s, 3)
				b.deleteObject(logFile(1))
				b.deleteObject(logFile(2))
				return actiontest.World{
					Backend: s.Sandbox, Accounts: map[string]gate.Access{account: {RoleARN: s.Seeded.ResponderARN}}, Region: s.Region,
					Params: params(b, time.Unix(0, 0), more), State: func() string { return fmt.Sprint(b.keys()) },
				}
			}})
		})
	}
}

func TestRestoreObjectsInMoto(t *testing.T) {
	endpoint := gatetest.StartMoto(t)
	actiontest.Run(t, actiontest.Contract{Action: restoreObjects, NoKills: true, New: func(t testing.TB) actiontest.World {
		b := logged(restoretest.InMoto(t, nil), 2)
		b.deleteObject(logFile(0))
		return actiontest.World{
			Endpoint: endpoint, Accounts: map[string]gate.Access{account: {RoleARN: b.Global(account, "role/responder")}}, Region: b.Region,
			Params: params(b, time.Unix(0, 0), ""), State: func() string { return fmt.Sprint(b.keys()) },
		}
	}})
}

func TestRestoreObjects(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	b := logged(s, 5)
	b.deleteObject(logFile(0)) // long before
	s.Later()
	mark := len(s.Sandbox.Mutations())
	for _, key := range []string{logFile(1), logFile(2), logFile(3), "note.txt"} {
		b.deleteObject(key)
	}
	b.putObject(logFile(3)) // and made anew
	since := s.Sandbox.Mutations()[mark].Time
	out, err := run(s, params(b, since, ""))
	restoretest.Must(t, err)
	want := []string{logFile(1), logFile(2), logFile(3), logFile(4)}
	slices.Sort(want)
	if diff := cmp.Diff(want, b.keys()); diff != "" || !out.Changed {
		t.Errorf("output %+v; objects (-want +got):\n%s", out, diff)
	}
	if again, err := run(s, params(b, since, "")); err != nil || !again.Already {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// TestRestoreManyObjects takes several calls, of those deleted in a bucket whose versioning was suspended before, and a
// person who runs it again.
func TestRestoreManyObjects(t *testing.T) {
	const most = 5000
	s := restoretest.InSandbox(t, nil, "")
	b := logged(s, most+1)
	b.putVersioning(types.BucketVersioningStatusSuspended)
	for i := range most + 1 {
		b.deleteObject(logFile(i))
	}
	before := len(s.Sandbox.Mutations())
	_, err := run(s, params(b, time.Unix(0, 0), ""))
	if name, cause := restoretest.Named(err); name != action.ErrorNeedsPerson || !strings.Contains(cause, "run this again") {
		t.Errorf("error is %s: %s", name, cause)
	}
	if diff := cmp.Diff(slices.Repeat([]string{"DeleteObjects"}, most/1000), s.Changes(before)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	out, err := run(s, params(b, time.Unix(0, 0), ""))
	restoretest.Must(t, err)
	if n := len(b.keys()); n != most+2 || !out.Changed {
		t.Errorf("%d objects, output %+v", n, out)
	}
}

func TestRestoreObjectsThatAreLost(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	b := logged(s, 2)
	b.deleteObject(logFile(0))
	gone := restoretest.OK(b.GetObject(t.Context(), &api.GetObjectInput{Bucket: b.name, Key: aws.String(logFile(1))}))(t)
	restoretest.Must(t, gone.Body.Close())
	restoretest.OK(b.DeleteObject(t.Context(), &api.DeleteObjectInput{Bucket: b.name, Key: aws.String(logFile(1)), VersionId: gone.VersionId}))(t)
	_, err := run(s, params(b, time.Unix(0, 0), fmt.Sprintf(`,"keys":[%q,%q]`, logFile(0), logFile(1))))
	if name, cause := restoretest.Named(err); name != action.ErrorNeedsPerson || !strings.Contains(cause, "aws s3 cp s3://REPLICA/"+logFile(1)) {
		t.Errorf("error is %s: %s", name, cause)
	}
	if !slices.Contains(b.keys(), logFile(0)) {
		t.Error("what could be restored was not")
	}
}

// TestRestoreObjectsRefused: an object that the bucket's policy holds is named.
func TestRestoreObjectsRefused(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	b := logged(s, 2)
	b.deleteObject(logFile(0))
	b.putPolicy(b.policy(`{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"` + b.arn() + `/*"}`))
	_, err := run(s, params(b, time.Unix(0, 0), ""))
	if _, cause := restoretest.Named(err); !strings.Contains(cause, logFile(0)) || !strings.Contains(cause, "AccessDenied") {
		t.Errorf("error is %v", err)
	}
}

func TestRestoreObjectsParameters(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	b := of(s)
	keys, err := json.Marshal(slices.Repeat([]string{logFile(1)}, 1001))
	restoretest.Must(t, err)
	for name, p := range map[string]string{
		"both":           params(b, time.Unix(0, 0), fmt.Sprintf(`,"keys":[%q],"prefix":"x"`, logFile(1))),
		"no log file":    params(b, time.Unix(0, 0), `,"keys":["note.txt"]`),
		"too many":       params(b, time.Unix(0, 0), `,"keys":`+string(keys)),
		"no bucket":      strings.Replace(params(b, time.Unix(0, 0), ""), b.arn(), "arn:aws:sqs:eu-west-1:111122223333:q", 1),
		"no ARN":         strings.Replace(params(b, time.Unix(0, 0), ""), b.arn(), "logs", 1),
		"no time at all": strings.Replace(params(b, time.Unix(0, 0), ""), `"since"`, `"until"`, 1),
	} {
		if _, err := run(s, p); err == nil {
			t.Errorf("%s: taken", name)
		} else if code, _ := restoretest.Named(err); code != action.ErrorInvalidParameters {
			t.Errorf("%s: %v", name, err)
		}
	}
	if code, _ := restoretest.Named(func() error { _, err := run(s, params(b, time.Unix(0, 0), "")); return err }()); code != "S3.NotFoundException" {
		t.Errorf("a bucket that is not there: %s", code)
	}
}
