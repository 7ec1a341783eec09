// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/runbooks"
)

const reserved = `"switchback":{"action":"trail:Do","execution.$":"$$.Execution.Id","state.$":"$$.State.Name"}`

// compact is the definition without its white space, for goldens of a line.
func compact(t *testing.T, text []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestExport(t *testing.T) {
	const function = "arn:aws-cn:lambda:cn-north-1:111122223333:function:switchback"
	for name, test := range map[string]struct{ machine, function, want string }{
		"fields keep their order": {
			`{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"switchback:trail:Do","Parameters":{"z":1,"a.$":"$.x[?(@.n<2&&@.m>1)]"},"Next":"A"},"A":{"Type":"Succeed"}}}`, "",
			`{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"${SwitchbackActionsTrail}","Parameters":{"z":1,"a.$":"$.x[?(@.n<2&&@.m>1)]",` + reserved + `},"Next":"A"},"A":{"Type":"Succeed"}}}`,
		},
		"a function for all": {
			`{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do","Parameters":{},"End":true}}}`, function,
			`{"States":{"A":{"Type":"Task","Resource":"` + function + `","Parameters":{` + reserved + `},"End":true}}}`,
		},
		"a task that waits for its token": {
			`{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do.waitForTaskToken","Parameters":{"token.$":"$$.Task.Token","q":1},"End":true}}}`, "",
			`{"States":{"A":{"Type":"Task","Resource":"arn:${SwitchbackPartition}:states:::lambda:invoke.waitForTaskToken",` +
				`"Parameters":{"FunctionName":"${SwitchbackActionsTrail}","Payload":{"q":1,` + reserved + `,"token.$":"$$.Task.Token"}},"End":true}}}`,
		},
		"its partition is the function's": {
			`{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do.waitForTaskToken","Parameters":{},"End":true}}}`, function,
			`{"States":{"A":{"Type":"Task","Resource":"arn:aws-cn:states:::lambda:invoke.waitForTaskToken",` +
				`"Parameters":{"FunctionName":"` + function + `","Payload":{` + reserved + `,"token.$":"$$.Task.Token"}},"End":true}}}`,
		},
		"branches and item processors": {
			`{"States":{"P":{"Type":"Parallel","Branches":[{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do","Parameters":{}}}}]},` +
				`"M":{"Type":"Map","ItemProcessor":{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do","Parameters":{}}}}}}}`, "",
			`{"States":{"P":{"Type":"Parallel","Branches":[{"States":{"A":{"Type":"Task","Resource":"${SwitchbackActionsTrail}","Parameters":{` + reserved + `}}}}]},` +
				`"M":{"Type":"Map","ItemProcessor":{"States":{"A":{"Type":"Task","Resource":"${SwitchbackActionsTrail}","Parameters":{` + reserved + `}}}}}}}`,
		},
		"what is not ours stays": {
			`{"States":{"A":{"Type":"Task","Resource":"${Other}","End":true},"W":{"Type":"Wait","Seconds":1,"End":true}}}`, "",
			`{"States":{"A":{"Type":"Task","Resource":"${Other}","End":true},"W":{"Type":"Wait","Seconds":1,"End":true}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := runbook.Runbook{StateMachine: json.RawMessage(test.machine)}
			got, err := r.Export(test.function)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, compact(t, got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestEmbedded(t *testing.T) {
	for name, test := range map[string]struct{ machine, want string }{
		"a task": {
			`{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do","Parameters":{"z":1},"End":true}}}`,
			`{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do","Parameters":{"z":1,` + reserved + `},"End":true}}}`,
		},
		"a task that waits for its token": {
			`{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do.waitForTaskToken","Parameters":{"token.$":"$$.Task.Token","q":1}}}}`,
			`{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do.waitForTaskToken","Parameters":{"token.$":"$$.Task.Token","q":1,` + reserved + `}}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := (&runbook.Runbook{StateMachine: json.RawMessage(test.machine)}).Embedded()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, compact(t, got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestExportRefuses(t *testing.T) {
	task := func(rest string) string {
		return `{"States":{"A":{"Type":"Task","Resource":"switchback:trail:Do"` + rest + `}}}`
	}
	for name, test := range map[string]struct{ machine, function, want string }{
		"no parameters":    {task(""), "", "state A: not exportable: no Parameters"},
		"odd parameters":   {task(`,"Parameters":[1]`), "", "state A: field Parameters: not exportable: \"[1]\" is no object"},
		"no function":      {task(`,"Parameters":{}`), "arn:aws:s3:::bucket", "it is no Lambda function"},
		"no ARN":           {task(`,"Parameters":{}`), "switchback", "not an ARN"},
		"states in a list": {`{"States":[]}`, "", "is no object"},
		"no JSON":          {`{"States":`, "", "export"},
	} {
		t.Run(name, func(t *testing.T) {
			r := runbook.Runbook{StateMachine: json.RawMessage(test.machine)}
			got, err := r.Export(test.function)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, %v; want an error with %q", got, err, test.want)
			}
		})
	}
	if _, err := (&runbook.Runbook{StateMachine: json.RawMessage(task(""))}).Export(""); !errors.Is(err, runbook.ErrNotExportable) {
		t.Errorf("error %v, want ErrNotExportable", err)
	}
}

// Every runbook that is built in is one that AWS takes.
func TestExportedRunbooksAreValid(t *testing.T) {
	all, err := runbook.LoadAll(runbooks.FS)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d runbooks, %v", len(all), err)
	}
	for _, r := range all {
		for _, function := range []string{"", "arn:aws:lambda:eu-west-1:111122223333:function:switchback"} {
			definition, err := r.Export(function)
			if err != nil {
				t.Fatal(err)
			}
			if problems := asl.Check(definition, asl.CheckOptions{AWS: true}); len(problems) > 0 {
				t.Errorf("%s: %v", r.Manifest.ID, problems)
			}
		}
	}
}
