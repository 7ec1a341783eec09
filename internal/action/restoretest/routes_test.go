// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package restoretest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/cloudtrail"
	_ "github.com/switchback-project/switchback/internal/action/cloudwatch"
	_ "github.com/switchback-project/switchback/internal/action/events"
	_ "github.com/switchback-project/switchback/internal/action/iam"
	_ "github.com/switchback-project/switchback/internal/action/kms"
	_ "github.com/switchback-project/switchback/internal/action/logs"
	_ "github.com/switchback-project/switchback/internal/action/s3"
	_ "github.com/switchback-project/switchback/internal/action/sns"
	_ "github.com/switchback-project/switchback/internal/action/sqs"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/route"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

// object is input of a call, in the SDK's member names.
type object = map[string]any

// step is a call: "S3.DeleteBucketPolicy". In the input ${Operation.Member} stands for what the last call of that name said.
type step struct {
	call  string
	input object
}

// family is a resource with everything that can be taken from it, and the action that puts it back.
type family struct {
	kind   trail.Kind // "" for a trail
	arn    string
	action string
	build  []step
}

// tampering is how a route is taken.
type tampering struct {
	family *family
	steps  []step
	// harmless: nothing is weaker then, and nothing must be done.
	harmless bool
	// lacks is what moto says, or does otherwise than AWS; "" where it plays the route.
	lacks string
}

// TestRestoredInMoto: every route that Switchback puts back by itself is taken, put back and read back in an AWS that is
// not ours. What moto cannot play is listed with what it says, and must leave the list when it can.
func TestRestoredInMoto(t *testing.T) {
	db := openDB(t)
	left := tamperings()
	for _, section := range route.Sections() {
		for _, r := range section.Routes {
			if r.Class != route.ClassRestore {
				continue
			}
			tt, isKnown := left[r.ID()]
			delete(left, r.ID())
			t.Run(r.ID(), func(t *testing.T) {
				if !isKnown {
					t.Fatal("nothing says how it is taken")
				}
				err := (&play{Scene: InMoto(t, db), said: map[string]any{}}).run(tt)
				switch {
				case tt.lacks == "" && err != nil:
					t.Error(err)
				case tt.lacks != "" && err == nil:
					t.Errorf("moto plays this now, so that it is to be held to it: it lacked %q", tt.lacks)
				case tt.lacks != "" && !strings.Contains(err.Error(), tt.lacks):
					t.Errorf("moto now fails with %v, not at %q", err, tt.lacks)
				}
			})
		}
	}
	for id := range left {
		t.Errorf("%s is no route that is put back", id)
	}
}

// play is a route in moto.
type play struct {
	*Scene
	said map[string]any // by operation
}

func (p *play) run(tt tampering) error {
	for _, s := range tt.family.build {
		if err := p.call(s); err != nil {
			return err
		}
	}
	if tt.family.kind == "" {
		return p.trail(tt)
	}
	filled, err := p.fill([]byte(tt.family.arn))
	if err != nil {
		return err
	}
	p.TakeBaseline(trail.Dependency{Kind: tt.family.kind, ARN: arn.ARN(filled), Account: Account, Region: p.Region})
	return p.restored(tt)
}

func (p *play) restored(tt tampering) error {
	if err := p.tamper(tt); err != nil {
		return err
	}
	if isHarmless := len(p.Weaknesses()) == 0; isHarmless != tt.harmless {
		return fmt.Errorf("the tampering is harmless: %t", isHarmless)
	}
	out, err := p.Run(tt.family.action, "first")
	if err != nil {
		return err
	}
	if out.Changed == tt.harmless {
		return fmt.Errorf("%s changed something: %t", tt.family.action, out.Changed)
	}
	if weak := p.Weaknesses(); len(weak) > 0 {
		return fmt.Errorf("still weaker: %v", weak)
	}
	if again, err := p.Run(tt.family.action, "second"); err != nil || again.Changed {
		return fmt.Errorf("the second run: %v, changed something: %t", err, again.Changed)
	}
	return nil
}

func (p *play) tamper(tt tampering) error {
	for _, s := range tt.steps {
		if err := p.call(s); err != nil {
			return err
		}
	}
	return nil
}

// repairs are the actions that put a trail right, in their order. Each does nothing where nothing is to be done.
var repairs = []string{
	"cloudtrail:CreateTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors", "cloudtrail:PutInsightSelectors", "cloudtrail:AddTags",
	"cloudtrail:StartLogging",
}

// trail does for a trail what run does for what it depends on.
func (p *play) trail(tt tampering) error {
	want, _, err := p.readTrail(tt)
	if err != nil {
		return err
	}
	if err := p.tamper(tt); err != nil {
		return err
	}
	have, exists, err := p.readTrail(tt)
	if err != nil {
		return err
	}
	if exists && len(trail.Weakened(want, have)) == 0 {
		return errors.New("the tampering is harmless")
	}
	for _, id := range repairs {
		if exists && id == repairs[0] {
			continue
		}
		params := object{"trail": tt.family.arn, "want": json.RawMessage(want.JSON())}
		if id == "cloudtrail:StartLogging" {
			delete(params, "want")
		}
		if err := p.act(id, params); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	if have, _, err = p.readTrail(tt); err != nil {
		return err
	}
	if weak := trail.Weakened(want, have); len(weak) > 0 {
		return fmt.Errorf("still weaker: %+v", weak)
	}
	return nil
}

func (p *play) act(id string, params object) error {
	a, ok := action.Get(id)
	if !ok {
		return fmt.Errorf("no action %s", id)
	}
	text, err := json.Marshal(params)
	if err != nil {
		return err
	}
	_, err = a.Run(p.Context(), p.env(id, id), text)
	return err
}

func (p *play) readTrail(tt tampering) (t trail.Trail, exists bool, err error) {
	target, err := trail.TargetOfARN(arn.ARN(tt.family.arn))
	if err != nil {
		return t, false, err
	}
	t, _, err = state.ReadTrail(p.Context(), p.gate().Door(gate.Scope{}), target)
	if errors.Is(err, incident.ErrNotFound) {
		return t, false, nil
	}
	return t, true, err
}

// call makes a call, as the administrator.
func (p *play) call(s step) error {
	service, operation, _ := strings.Cut(s.call, ".")
	method := reflect.ValueOf(p.client(service)).MethodByName(operation)
	if !method.IsValid() {
		return fmt.Errorf("the SDK has no %s", s.call)
	}
	text, err := json.Marshal(s.input)
	if err != nil {
		return err
	}
	if text, err = p.fill(text); err != nil {
		return err
	}
	in := reflect.New(method.Type().In(1).Elem())
	if err := json.Unmarshal(text, in.Interface()); err != nil {
		return fmt.Errorf("%s: input: %w", s.call, err)
	}
	ctx := context.Context(p.Context())
	result := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, isErr := result[1].Interface().(error); isErr {
		return fmt.Errorf("%s: %w", s.call, err)
	}
	if text, err = json.Marshal(result[0].Interface()); err != nil {
		return fmt.Errorf("%s: output: %w", s.call, err)
	}
	var said any
	if err := json.Unmarshal(text, &said); err != nil {
		return err
	}
	p.said[operation] = said
	return nil
}

func (p *play) client(service string) any {
	switch service {
	case "CloudTrail":
		return cloudtrail.NewFromConfig(p.Admin)
	case "CloudWatch":
		return cloudwatch.NewFromConfig(p.Admin)
	case "EventBridge":
		return eventbridge.NewFromConfig(p.Admin)
	case "IAM":
		return iam.NewFromConfig(p.Admin)
	case "KMS":
		return kms.NewFromConfig(p.Admin)
	case "Logs":
		return cloudwatchlogs.NewFromConfig(p.Admin)
	case "S3":
		return s3.NewFromConfig(p.Admin, func(o *s3.Options) { o.UsePathStyle = true })
	case "SNS":
		return sns.NewFromConfig(p.Admin)
	case "SQS":
		return sqs.NewFromConfig(p.Admin)
	}
	p.Fatalf("no client of %s", service)
	return nil
}

var placeholder = regexp.MustCompile(`\$\{[A-Za-z.]+\}`)

// fill puts in what calls said.
func (p *play) fill(text []byte) ([]byte, error) {
	var missing error
	out := placeholder.ReplaceAllFunc(text, func(name []byte) []byte {
		var at any = p.said
		for member := range strings.SplitSeq(string(name[2:len(name)-1]), ".") {
			within, _ := at.(map[string]any)
			at = within[member]
		}
		value, ok := at.(string)
		if !ok {
			missing = fmt.Errorf("nothing said %s", name)
		}
		return []byte(value)
	})
	return out, missing
}
