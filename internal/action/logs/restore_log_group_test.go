// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package logs_test

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	_ "github.com/switchback-project/switchback/internal/action/logs"
	"github.com/switchback-project/switchback/internal/action/restoretest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

const restoreLogGroup = "logs:RestoreLogGroup"

var name = aws.String("/switchback/trail")

// group is a trail's log group while it is attacked.
type group struct {
	*restoretest.Scene
	*api.Client
}

func of(s *restoretest.Scene) group { return group{s, api.NewFromConfig(s.Admin)} }

func (g group) create(in api.CreateLogGroupInput) {
	in.LogGroupName = name
	restoretest.OK(g.CreateLogGroup(g.Context(), &in))(g)
}

func (g group) delete() {
	restoretest.OK(g.DeleteLogGroup(g.Context(), &api.DeleteLogGroupInput{LogGroupName: name}))(g)
}

func (g group) retain(days int32) {
	restoretest.OK(g.PutRetentionPolicy(g.Context(), &api.PutRetentionPolicyInput{LogGroupName: name, RetentionInDays: &days}))(g)
}

func (g group) count(filter, pattern string) {
	restoretest.OK(g.PutMetricFilter(g.Context(), &api.PutMetricFilterInput{
		LogGroupName: name, FilterName: &filter, FilterPattern: &pattern, MetricTransformations: []types.MetricTransformation{{
			MetricName: &filter, MetricNamespace: aws.String("Trail"), MetricValue: aws.String("1"), DefaultValue: aws.Float64(0),
		}},
	}))(g)
}

// send subscribes a destination; in moto it is a log group of that name.
func (g group) send(filter, pattern string) {
	restoretest.OK(g.PutSubscriptionFilter(g.Context(), &api.PutSubscriptionFilterInput{
		LogGroupName: name, FilterName: &filter, FilterPattern: &pattern, DestinationArn: aws.String(g.ARN("logs", "destination:siem")),
	}))(g)
}

func (g group) unsend(filter string) {
	restoretest.OK(g.DeleteSubscriptionFilter(g.Context(), &api.DeleteSubscriptionFilterInput{LogGroupName: name, FilterName: &filter}))(g)
}

func (g group) mask() {
	document := `{"Name":"mask","Version":"2021-06-01","Statement":[{"DataIdentifier":["arn:aws:dataprotection::aws:data-identifier/IpAddress"],"Operation":{"Deidentify":{"MaskConfig":{}}}}]}`
	restoretest.OK(g.PutDataProtectionPolicy(g.Context(), &api.PutDataProtectionPolicyInput{LogGroupIdentifier: name, PolicyDocument: &document}))(g)
}

func dependency(s *restoretest.Scene) trail.Dependency {
	return trail.Dependency{Kind: trail.KindLogGroup, ARN: arn.ARN(s.ARN("logs", "log-group:"+*name+":*")), Account: restoretest.Account, Region: s.Region}
}

// build makes a log group with a bit of everything that moto has.
func build(s *restoretest.Scene) trail.Dependency {
	g := of(s)
	if s.Sandbox == nil {
		restoretest.OK(g.CreateLogGroup(s.Context(), &api.CreateLogGroupInput{LogGroupName: aws.String("siem")}))(s)
	}
	key := restoretest.OK(kms.NewFromConfig(s.Admin).CreateKey(s.Context(), &kms.CreateKeyInput{}))(s).KeyMetadata.Arn
	g.create(api.CreateLogGroupInput{KmsKeyId: key})
	g.retain(365)
	g.count("Stops", "{ $.eventName = StopLogging }")
	g.count("Roots", "{ $.userIdentity.type = Root }")
	g.send("siem", "")
	return dependency(s)
}

// buildMasked is build with what moto lacks.
func buildMasked(s *restoretest.Scene) trail.Dependency {
	d := build(s)
	of(s).mask()
	return d
}

const (
	noKeys     = "it has no DisassociateKmsKey"
	noMasks    = "it has no data protection policies"
	noReplaced = "it keeps both metric filters of a name"
)

func TestRoutes(t *testing.T) {
	damage := func(f func(g group)) func(s *restoretest.Scene) { return func(s *restoretest.Scene) { f(of(s)) } }
	all := []string{"CreateLogGroup", "PutRetentionPolicy", "PutMetricFilter", "PutMetricFilter", "PutSubscriptionFilter"}
	restoretest.Run(t, restoretest.Suite{Action: restoreLogGroup, Implied: []string{"iam:PassRole"}, Routes: []restoretest.Route{
		{Name: "deleted", Build: build, Calls: all, Damage: damage(group.delete)},
		{
			Name: "deleted in China, with masks", Region: "cn-northwest-1", Build: buildMasked, Damage: damage(group.delete),
			Calls: []string{"CreateLogGroup", "PutRetentionPolicy", "PutDataProtectionPolicy", "PutMetricFilter", "PutMetricFilter", "PutSubscriptionFilter"},
		},
		{
			Name: "made again and empty", Build: build, NotInMoto: noKeys, Damage: damage(func(g group) { g.delete(); g.create(api.CreateLogGroupInput{}) }),
			Calls: []string{"AssociateKmsKey", "PutRetentionPolicy", "PutMetricFilter", "PutMetricFilter", "PutSubscriptionFilter"},
		},
		{Name: "kept for a day", Build: build, Calls: []string{"PutRetentionPolicy"}, Damage: damage(func(g group) { g.retain(1) })},
		{
			Name: "not kept for ever", Calls: []string{"DeleteRetentionPolicy"},
			Build: func(s *restoretest.Scene) trail.Dependency {
				of(s).create(api.CreateLogGroupInput{})
				return dependency(s)
			},
			Damage: damage(func(g group) { g.retain(3653) }),
		},
		{
			Name: "metric filter deleted", Build: build, Calls: []string{"PutMetricFilter"}, Damage: damage(func(g group) {
				restoretest.OK(g.DeleteMetricFilter(g.Context(), &api.DeleteMetricFilterInput{LogGroupName: name, FilterName: aws.String("Roots")}))(g)
			}),
		},
		{
			Name: "metric filter that counts nothing", Build: build, Calls: []string{"PutMetricFilter"}, NotInMoto: noReplaced,
			Damage: damage(func(g group) { g.count("Stops", "{ $.eventName = Nothing }") }),
		},
		{Name: "subscription filter deleted", Build: build, Calls: []string{"PutSubscriptionFilter"}, Damage: damage(func(g group) { g.unsend("siem") })},
		{
			Name: "subscription filter that sends nothing", Build: build, Calls: []string{"PutSubscriptionFilter"},
			Damage: damage(func(g group) { g.send("siem", "{ $.eventName = Nothing }") }),
		},
		{
			Name: "both places taken by others", Build: build, Calls: []string{"DeleteSubscriptionFilter", "DeleteSubscriptionFilter", "PutSubscriptionFilter"},
			Damage: damage(func(g group) { g.unsend("siem"); g.send("a", ""); g.send("b", "") }),
		},
		{
			Name: "key taken away", Build: build, Calls: []string{"AssociateKmsKey"}, NotInMoto: noKeys, Damage: damage(func(g group) {
				restoretest.OK(g.DisassociateKmsKey(g.Context(), &api.DisassociateKmsKeyInput{LogGroupName: name}))(g)
			}),
		},
		{
			Name: "key given", Calls: []string{"DisassociateKmsKey"}, NotInMoto: noKeys,
			Build: func(s *restoretest.Scene) trail.Dependency {
				of(s).create(api.CreateLogGroupInput{})
				return dependency(s)
			},
			Damage: damage(func(g group) {
				key := restoretest.OK(kms.NewFromConfig(g.Admin).CreateKey(g.Context(), &kms.CreateKeyInput{}))(g).KeyMetadata.Arn
				restoretest.OK(g.AssociateKmsKey(g.Context(), &api.AssociateKmsKeyInput{LogGroupName: name, KmsKeyId: key}))(g)
			}),
		},
		{Name: "masked", Build: build, Calls: []string{"DeleteDataProtectionPolicy"}, NotInMoto: noMasks, Damage: damage(group.mask)},
	}})
}

// TestMadeAgain: whoever made the group again, CloudTrail has to be told.
func TestMadeAgain(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	d := build(s)
	s.TakeBaseline(d)
	of(s).retain(1)
	out, err := s.Run(restoreLogGroup, "x")
	restoretest.Must(t, err)
	if out.RevalidateTrail || out.Note != "" {
		t.Errorf("the same group: %+v, want no word of another one", out.Advice)
	}
	s.Later()
	of(s).delete()
	out, err = s.Run(restoreLogGroup, "y")
	restoretest.Must(t, err)
	if !out.RevalidateTrail || !strings.Contains(out.Note, "UpdateTrail") {
		t.Errorf("a new group: %+v, want the trail to be told", out.Advice)
	}
}

// TestAnotherClass: what cannot be changed is said, and the rest is done.
func TestAnotherClass(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	g := of(s)
	g.create(api.CreateLogGroupInput{})
	g.retain(365)
	s.TakeBaseline(dependency(s))
	s.Later()
	g.delete()
	g.create(api.CreateLogGroupInput{LogGroupClass: types.LogGroupClassInfrequentAccess})
	out, err := s.Run(restoreLogGroup, "x")
	restoretest.Must(t, err)
	if !out.Changed || !strings.Contains(out.WhoCan, "aws logs delete-log-group --log-group-name "+*name) {
		t.Errorf("output is %+v, %+v; want the retention put back, and who can do the rest", out, out.Advice)
	}
}

func TestDenied(t *testing.T) {
	s := restoretest.InSandbox(t, nil, "")
	s.TakeBaseline(build(s))
	of(s).delete()
	restoretest.Must(t, s.Sandbox.Deny(restoretest.Account, "logs:CreateLogGroup"))
	before := len(s.Sandbox.Mutations())
	_, err := s.Run(restoreLogGroup, "x")
	if n, cause := restoretest.Named(err); n != "CloudWatchLogs.AccessDeniedException" || !strings.Contains(cause, "who can") {
		t.Errorf("error is %s: %s; want a refusal that says who can", n, cause)
	}
	if calls := s.Changes(before); len(calls) != 1 {
		t.Errorf("calls %v, want nothing after the refusal", calls)
	}
	if undos := s.Undos(); len(undos) > 0 {
		t.Errorf("undo records %+v, want none for what did not happen", undos)
	}
}

func TestAnotherAccount(t *testing.T) {
	restoretest.NotElsewhere(t, restoreLogGroup, build, func(s *restoretest.Scene) { of(s).delete() })
}
