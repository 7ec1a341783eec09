// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"regexp"
	"slices"
	"strings"
)

func (s *stateCheck) task() {
	s.require(s.place, "Resource")
	s.amount(s.place, "TimeoutSeconds", integer, 1, maxSeconds)
	s.amount(s.place, "HeartbeatSeconds", integer, 1, maxSeconds)
	timeout, heartbeat := numberOr(s.object, "TimeoutSeconds", 0), numberOr(s.object, "HeartbeatSeconds", 0)
	if timeout > 0 && heartbeat >= timeout {
		s.fail(s.at("HeartbeatSeconds"), "must be smaller than TimeoutSeconds")
	}
	s.credentials()
	if v, ok := s.object.get("Resource"); ok {
		s.resource(v)
	}
}

// credentials checks Credentials: AWS wants RoleArn, in either language.
func (s *stateCheck) credentials() {
	p, ok := s.objectField(s.place, "Credentials")
	if !ok {
		return
	}
	_, literal := p.object.get("RoleArn")
	_, dynamic := p.object.get("RoleArn.$")
	if !literal && !dynamic {
		s.fail(p.pointer, "The field 'RoleArn' is required but was missing")
	}
	if s.jsonata {
		s.queries(s.place, "Credentials", queryScope{})
		return
	}
	s.template(p.object, p.pointer)
}

func (s *stateCheck) resource(v any) {
	if o, ok := v.(*object); ok && isSubstitution(o) && !s.options.AWS {
		return
	}
	text, ok := v.(string)
	if !ok || text == "" {
		s.fail(s.at("Resource"), "must be a URI")
		return
	}
	if strings.Count(text, "${") != len(placeholder.FindAllString(text, -1)) {
		s.fail(s.at("Resource"), "placeholder without a closing brace in %q", clip(text))
		return
	}
	r := ParseResource(text)
	switch r.Kind {
	case "switchback":
		s.action(r, text)
	case "lambda":
		s.function(r, text)
	case "integration":
		s.integration(r, text)
	case "other":
		s.otherResource(text)
	}
}

// placeholder is a CloudFormation substitution, ${Name}.
var placeholder = regexp.MustCompile(`\$\{[A-Za-z0-9_.:-]+\}`)

// isSubstitution reports whether an object is a CloudFormation function that will be replaced by a text.
func isSubstitution(o *object) bool {
	return len(o.keys) == 1 && (o.keys[0] == "Ref" || strings.HasPrefix(o.keys[0], "Fn::"))
}

func (s *stateCheck) otherResource(text string) {
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok || scheme == "" || rest == "" || strings.ContainsAny(text, " \t\r\n") {
		s.fail(s.at("Resource"), "%q is not a URI", clip(text))
		return
	}
	if s.options.AWS && scheme != "arn" {
		s.fail(s.at("Resource"), "Value is not a valid resource ARN")
	}
}

// functionName is what follows function: in the ARN of a Lambda function, with an optional version or alias.
var functionName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(:(\$LATEST(\.PUBLISHED)?|[A-Za-z0-9_-]+))?$`)

func (s *stateCheck) function(r Resource, text string) {
	name := placeholder.ReplaceAllString(r.Action, "x")
	if !functionName.MatchString(name) {
		s.fail(s.at("Resource"), "%q does not name a Lambda function", clip(text))
	}
}

// integration checks that an optimised integration exists.
func (s *stateCheck) integration(r Resource, text string) {
	if strings.Contains(r.Service+r.Action, "${") {
		return
	}
	if strings.HasPrefix(r.Service, "aws-sdk:") {
		if r.Integration == RunJob || r.Integration == RunJobV2 || r.Action == "" {
			s.fail(s.at("Resource"), "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", clip(text))
		}
		return
	}
	if !slices.Contains(integrations[r.Service+":"+r.Action], r.Integration) {
		s.fail(s.at("Resource"), "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", clip(text))
	}
}

var (
	plain     = []Integration{RequestResponse}
	withToken = []Integration{RequestResponse, WaitForTaskToken}
	withJob   = []Integration{RequestResponse, RunJob}
	withAll   = []Integration{RequestResponse, RunJob, WaitForTaskToken}
)

// integrations lists the optimised integrations and the patterns that each supports.
// https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
var integrations = makeIntegrations()

func makeIntegrations() map[string][]Integration {
	all := map[string][]Integration{"states:startExecution": {RequestResponse, RunJob, RunJobV2, WaitForTaskToken}}
	add := func(patterns []Integration, service, actions string) {
		for _, action := range strings.Fields(actions) {
			all[service+":"+action] = patterns
		}
	}
	add(withToken, "apigateway", "invoke")
	add(withJob, "athena", "startQueryExecution")
	add(plain, "athena", "stopQueryExecution getQueryExecution getQueryResults")
	add(withAll, "batch", "submitJob")
	add(withJob, "bedrock", "createModelCustomizationJob")
	add(withToken, "bedrock", "invokeModel")
	add(withJob, "codebuild", "startBuild startBuildBatch")
	add(plain, "codebuild", "stopBuild batchDeleteBuilds batchGetReports stopBuildBatch retryBuildBatch deleteBuildBatch")
	add(withJob, "databrew", "startJobRun")
	add(plain, "dynamodb", "getItem putItem updateItem deleteItem")
	add(withAll, "ecs", "runTask")
	add(withJob, "eks", "createCluster createFargateProfile createNodegroup deleteCluster deleteFargateProfile deleteNodegroup runJob")
	add(plain, "eks", "call")
	add(withJob, "elasticmapreduce", "createCluster terminateCluster addStep")
	add(plain, "elasticmapreduce", "setClusterTerminationProtection cancelStep modifyInstanceFleetByName modifyInstanceGroupByName")
	add(withJob, "emr-containers", "createVirtualCluster deleteVirtualCluster startJobRun")
	add(withJob, "emr-serverless", "createApplication startApplication stopApplication deleteApplication startJobRun cancelJobRun")
	add(withToken, "events", "putEvents")
	add(withJob, "glue", "startJobRun")
	add(plain, "http", "invoke")
	add(withToken, "lambda", "invoke")
	add(withJob, "mediaconvert", "createJob")
	add(withJob, "sagemaker", "createHyperParameterTuningJob createLabelingJob createProcessingJob createTrainingJob createTransformJob")
	add(plain, "sagemaker", "createEndpoint createEndpointConfig createModel updateEndpoint")
	add(withToken, "sns", "publish")
	add(withToken, "sqs", "sendMessage")
	return all
}

// action checks a Task that calls one of our actions.
func (s *stateCheck) action(r Resource, text string) {
	if s.options.AWS {
		s.fail(s.at("Resource"), "Value is not a valid resource ARN: %s must be exported first", clip(text))
		return
	}
	id, _ := r.ActionID()
	if r.Service == "" || r.Action == "" || strings.Contains(r.Action, ":") || r.Integration == RunJob || r.Integration == RunJobV2 {
		s.fail(s.at("Resource"), "%q does not name an action: switchback:service:Verb", clip(text))
		return
	}
	field := "Parameters"
	if s.jsonata {
		field = "Arguments"
	}
	parameters, ok := member[*object](s.object, field)
	if !ok {
		s.fail(s.pointer, "a task of a switchback: action needs an object %s", field)
		return
	}
	if s.options.Catalog != nil {
		s.actionFields(id, s.inside(field, parameters))
	}
}

// actionFields compares the parameters with the input fields of the action, which may end in ".$".
func (s *stateCheck) actionFields(id string, p place) {
	fields, ok := s.options.Catalog.Action(id)
	if !ok {
		s.report(SeverityError, CodeAction, s.at("Resource"), "there is no action %s", clip(id))
		return
	}
	given := map[string]bool{}
	for _, key := range p.object.keys {
		name := strings.TrimSuffix(key, ".$")
		given[name] = true
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.Name == name }) {
			s.report(SeverityError, CodeAction, p.at(key), "action %s has no field %q", id, clip(name))
		}
	}
	for _, f := range fields {
		if f.Required && !given[f.Name] {
			s.report(SeverityError, CodeAction, p.pointer, "action %s needs the field %q", id, f.Name)
		}
	}
}
