// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	accountapi "github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	cloudwatchlogstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/switchback-project/switchback/internal/gate"
)

// linked are the clients that Switchback is built with. A new one adds its line here.
var linked = map[string]func(aws.Config) any{
	accountapi.ServiceID:     func(c aws.Config) any { return accountapi.NewFromConfig(c) },
	cloudtrail.ServiceID:     func(c aws.Config) any { return cloudtrail.NewFromConfig(c) },
	cloudwatch.ServiceID:     func(c aws.Config) any { return cloudwatch.NewFromConfig(c) },
	cloudwatchlogs.ServiceID: func(c aws.Config) any { return cloudwatchlogs.NewFromConfig(c) },
	eventbridge.ServiceID:    func(c aws.Config) any { return eventbridge.NewFromConfig(c) },
	iam.ServiceID:            func(c aws.Config) any { return iam.NewFromConfig(c) },
	kms.ServiceID:            func(c aws.Config) any { return kms.NewFromConfig(c) },
	organizations.ServiceID:  func(c aws.Config) any { return organizations.NewFromConfig(c) },
	s3.ServiceID:             func(c aws.Config) any { return s3.NewFromConfig(c) },
	securityhub.ServiceID:    func(c aws.Config) any { return securityhub.NewFromConfig(c) },
	sesv2.ServiceID:          func(c aws.Config) any { return sesv2.NewFromConfig(c) },
	sns.ServiceID:            func(c aws.Config) any { return sns.NewFromConfig(c) },
	sqs.ServiceID:            func(c aws.Config) any { return sqs.NewFromConfig(c) },
	sts.ServiceID:            func(c aws.Config) any { return sts.NewFromConfig(c) },
}

// walkedKey carries the name of the operation under test to the wire, past the gate's own bookkeeping.
type walkedKey struct{}

// wire is the network of the walk: it notes what left the process and answers nothing.
type wire struct {
	mu   sync.Mutex
	left map[string]int
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	name, _ := r.Context().Value(walkedKey{}).(string)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left[name]++
	return nil, errors.New("end of the wire")
}

// TestDryRunLetsOnlyReadsLeave calls every operation of every linked client, with empty and with filled inputs, in dry-run.
func TestDryRunLetsOnlyReadsLeave(t *testing.T) {
	out := &wire{left: map[string]int{}}
	g := open(t, gate.Options{
		HTTPClient: out, MaxAttempts: 1, Pace: gate.PaceNever, Journal: &ledger{},
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, ""),
		Accounts:    map[string]gate.Access{}, Region: region,
	})
	scopes := map[string]gate.Scope{
		"zero scope":      {},
		"unapproved ask":  {Mode: gate.Ask},
		"a mode of chaos": {Mode: gate.Mode(99)},
	}
	for name, scope := range scopes {
		cfg := unverified(t, g, scope)
		walked, mutations := 0, 0
		for _, service := range sortedKeys(linked) {
			client := reflect.ValueOf(linked[service](cfg))
			for _, op := range operationsOf(client.Type()) {
				walked++
				if !gate.IsRead(service, op.name) {
					mutations++
				}
				walk(t, service, client, op)
			}
		}
		if walked < 600 || mutations < 300 {
			t.Fatalf("%s: walked %d operations, %d mutations: the walk is not what it was", name, walked, mutations)
		}
		t.Logf("%s: %d operations, %d mutations kept", name, walked, mutations)
	}
	for _, name := range sortedKeys(out.left) {
		service, op, _ := strings.Cut(name, ".")
		if !gate.IsRead(service, op) {
			t.Errorf("%s left the process", name)
		}
	}
	for _, name := range gate.Reads() {
		service, _, _ := strings.Cut(name, ".")
		if linked[service] != nil && out.left[name] == 0 {
			t.Errorf("read %s never reached the wire: the operation does not exist, or the walk cannot see a leak of its kind", name)
		}
	}
}

// unverified is a configuration of an account that nobody looked up: the wire answers no GetCallerIdentity.
func unverified(t *testing.T, g *gate.Gate, s gate.Scope) aws.Config {
	t.Helper()
	return gate.ConfigUnverified(g.Door(s), "111122223333", region)
}

func walk(t *testing.T, service string, client reflect.Value, op operation) {
	t.Helper()
	name := service + "." + op.name
	ctx := context.WithValue(t.Context(), walkedKey{}, name)
	for _, filled := range []bool{false, true} {
		in := reflect.New(op.input)
		if filled {
			fill(in.Elem(), 0)
		}
		err := call(ctx, client, op, in)
		var kept *gate.NotSent
		switch {
		case err == nil:
			t.Errorf("%s: no error, although the wire ends", name)
		case gate.IsRead(service, op.name) || !filled:
			// An empty input may fail validation before the gate.
		case !errors.As(err, &kept) || !errors.Is(err, gate.ErrDryRun) && !errors.Is(err, gate.ErrNeedsApproval):
			t.Errorf("%s: error is no NotSent: %v", name, err)
		case kept.Call.Name() != name || !kept.Call.IsMutation:
			t.Errorf("%s: the refused call is %+v", name, kept.Call)
		}
	}
}

type operation struct {
	name  string
	input reflect.Type
}

// operationsOf finds the methods of the shape (ctx, *XInput, ...func(*Options)) (*XOutput, error).
func operationsOf(client reflect.Type) []operation {
	var ops []operation
	for i := range client.NumMethod() {
		m := client.Method(i)
		f := m.Type
		if !f.IsVariadic() || f.NumIn() != 4 || f.NumOut() != 2 || !strings.HasSuffix(f.In(2).String(), "."+m.Name+"Input") {
			continue
		}
		ops = append(ops, operation{m.Name, f.In(2).Elem()})
	}
	return ops
}

func call(ctx context.Context, client reflect.Value, op operation, in reflect.Value) (err error) {
	out := client.MethodByName(op.name).Call([]reflect.Value{reflect.ValueOf(ctx), in})
	err, _ = out[1].Interface().(error)
	return err
}

var timeType = reflect.TypeFor[time.Time]()

// fill sets every member to something that passes the SDK's validation.
func fill(v reflect.Value, depth int) {
	if depth > 16 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case reflect.Struct:
		if v.Type() == timeType {
			v.Set(reflect.ValueOf(time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, depth+1)
		fill(value, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("switchback-walk")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1)
	case reflect.Uint8:
		v.SetUint('x')
	case reflect.Interface:
		for _, value := range interfaceValues {
			if reflect.TypeOf(value).Implements(v.Type()) {
				v.Set(reflect.ValueOf(value))
				return
			}
		}
	}
}

// interfaceValues are for the members whose type is an interface: bodies and required unions.
var interfaceValues = []any{
	bytes.NewReader([]byte("body")),
	&cloudwatchlogstypes.ResourceConfigMemberOpenSearchResourceConfig{Value: cloudwatchlogstypes.OpenSearchResourceConfig{
		DataSourceRoleArn: aws.String("role"), DashboardViewerPrincipals: []string{"viewer"}, RetentionDays: aws.Int32(1),
	}},
	&hubtypes.CriteriaMemberOcsfFindingCriteria{},
	&hubtypes.PolicyMemberSecurityHub{},
	&hubtypes.ProviderConfigurationMemberServiceNow{Value: hubtypes.ServiceNowProviderConfiguration{
		InstanceName: aws.String("name"), SecretArn: aws.String("secret"),
	}},
	&hubtypes.TargetMemberRootId{},
	&s3types.ObjectEncryptionMemberSSEKMS{Value: s3types.SSEKMSEncryption{KMSKeyArn: aws.String("key")}},
}

// TestReadsAreReads holds the table to the verbs that AWS reads with; what reads by another verb is named here.
func TestReadsAreReads(t *testing.T) {
	verbs := []string{"BatchGet", "Describe", "Filter", "Get", "Head", "List", "Lookup", "Query", "Scan", "Simulate", "Test", "TransactGet", "Validate"}
	named := []string{
		"CloudWatch Logs.StartQuery", "CloudWatch Logs.StopQuery", "KMS.Decrypt", "KMS.Verify", "KMS.VerifyMac",
		"STS.AssumeRole", "STS.DecodeAuthorizationMessage", "identitystore.IsMemberInGroups",
	}
	names := gate.Reads()
	if !slices.IsSorted(gate.ReadsAsWritten(t)) {
		t.Error("reads.go is not sorted")
	}
	for _, name := range names {
		_, op, ok := strings.Cut(name, ".")
		if !ok {
			t.Errorf("%q is no ServiceID.Operation", name)
		}
		hasVerb := slices.ContainsFunc(verbs, func(v string) bool { return strings.HasPrefix(op, v) })
		if !hasVerb && !slices.Contains(named, name) {
			t.Errorf("%s is on the list of reads and does not sound like one", name)
		}
	}
}

// TestDangerousCallsAreMutations names calls that sound harmless, or that somebody might add to the list.
func TestDangerousCallsAreMutations(t *testing.T) {
	for _, name := range []string{
		"SSM.SendCommand", "SSM.StartSession", "SSM.ResumeSession", "SSM.TerminateSession", "Lambda.Invoke", "CloudTrail.StartQuery",
		"Athena.StartQueryExecution", "STS.AssumeRoot", "STS.GetFederationToken", "STS.GetSessionToken", "IAM.GenerateCredentialReport",
		"S3.CreateSession", "S3.SelectObjectContent", "KMS.GenerateDataKey", "KMS.CreateGrant", "EC2.GetPasswordData",
		"Secrets Manager.GetSecretValue", "SQS.ReceiveMessage", "SQS.DeleteMessage", "SNS.Publish", "EventBridge.PutEvents",
		"CloudTrail.", ".StopLogging", "cloudtrail.DescribeTrails", "S3.$type:L", ".",
	} {
		service, op, _ := strings.Cut(name, ".")
		if gate.IsRead(service, op) {
			t.Errorf("%s is a read", name)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
