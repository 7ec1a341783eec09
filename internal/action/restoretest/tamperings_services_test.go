// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package restoretest

import "github.com/switchback-project/switchback/internal/trail"

// keyID is that of the key that was made; moto fails at ARNs in some calls.
const keyID = "${CreateKey.KeyMetadata.KeyId}"

var keyPolicy = []object{
	{"Sid": "Admin", "Effect": "Allow", "Principal": object{"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
	allow("cloudtrail.amazonaws.com", "kms:GenerateDataKey*", "*"),
}

var aKey = &family{kind: trail.KindKey, arn: "${CreateKey.KeyMetadata.Arn}", action: "kms:RestoreKey", build: []step{
	{"KMS.CreateKey", object{"Policy": policy(keyPolicy...)}},
	{"KMS.CreateAlias", object{"AliasName": "alias/logs", "TargetKeyId": keyID}},
	{"KMS.CreateGrant", object{"KeyId": keyID, "GranteePrincipal": "arn:aws:iam::111122223333:role/reader", "Name": "reader", "Operations": []string{"Decrypt"}}},
}}

func keyTamperings() map[string]tampering {
	of := func(call string, input object) tampering {
		return tampering{family: aKey, steps: one("KMS."+call, input)}
	}
	moved := of("UpdateAlias", object{"AliasName": "alias/logs", "TargetKeyId": "${CreateKey.KeyMetadata.KeyId}"})
	moved.steps = append(one("KMS.CreateKey", object{}), moved.steps...)
	return map[string]tampering{
		"trail-blinded: kms DisableKey":          of("DisableKey", object{"KeyId": keyID}),
		"trail-blinded: kms ScheduleKeyDeletion": of("ScheduleKeyDeletion", object{"KeyId": keyID, "PendingWindowInDays": 7}),
		"trail-blinded: kms PutKeyPolicy":        of("PutKeyPolicy", object{"KeyId": keyID, "PolicyName": "default", "Policy": policy(keyPolicy[0], stranger("kms:Decrypt", "*"))}),
		"trail-blinded: kms DeleteAlias":         of("DeleteAlias", object{"AliasName": "alias/logs"}),
		"trail-blinded: kms UpdateAlias":         moved,
	}
}

func onGroup(more object) object { return in(object{"LogGroupName": "trail"}, more) }

// send subscribes a log group, which moto takes for a destination.
func send(filter string) object {
	return onGroup(object{"FilterName": filter, "FilterPattern": "", "DestinationArn": "arn:aws:logs:eu-west-1:111122223333:destination:siem"})
}

var aGroup = &family{kind: trail.KindLogGroup, arn: groupARN + ":*", action: "logs:RestoreLogGroup", build: []step{
	{"Logs.CreateLogGroup", object{"LogGroupName": "siem"}},
	{"KMS.CreateKey", object{}},
	{"Logs.CreateLogGroup", onGroup(object{"KmsKeyId": "${CreateKey.KeyMetadata.Arn}"})},
	{"Logs.PutRetentionPolicy", onGroup(object{"RetentionInDays": 365})},
	{"Logs.PutMetricFilter", onGroup(object{"FilterName": "stops", "FilterPattern": "{ $.eventName = StopLogging }", "MetricTransformations": []object{
		{"MetricName": "stops", "MetricNamespace": "Trail", "MetricValue": "1"},
	}})},
	{"Logs.PutSubscriptionFilter", send("siem")},
}}

func groupTamperings() map[string]tampering {
	of := func(call string, input object) tampering {
		return tampering{family: aGroup, steps: one("Logs."+call, input)}
	}
	key := of("DisassociateKmsKey", onGroup(nil))
	key.lacks = "Logs.DisassociateKmsKey"
	mask := of("PutDataProtectionPolicy", object{"LogGroupIdentifier": "trail", "PolicyDocument": `{"Name":"mask","Version":"2021-06-01","Statement":[]}`})
	mask.lacks = "Logs.PutDataProtectionPolicy"
	filter := onGroup(object{"FilterName": "siem"})
	return map[string]tampering{
		"trail-blinded: logs DeleteLogGroup":           of("DeleteLogGroup", onGroup(nil)),
		"trail-blinded: logs PutRetentionPolicy":       of("PutRetentionPolicy", onGroup(object{"RetentionInDays": 1})),
		"trail-blinded: logs DeleteMetricFilter":       of("DeleteMetricFilter", onGroup(object{"FilterName": "stops"})),
		"trail-blinded: logs DeleteSubscriptionFilter": of("DeleteSubscriptionFilter", filter),
		"trail-blinded: logs PutSubscriptionFilter":    of("PutSubscriptionFilter", in(send("siem"), object{"FilterPattern": "nothing"})),
		"trail-blinded: logs DisassociateKmsKey":       key,
		"trail-blinded: logs PutDataProtectionPolicy":  mask,
	}
}

var topicPolicy = policy(allow("cloudtrail.amazonaws.com", "SNS:Publish", topicARN))

var aTopic = &family{kind: trail.KindTopic, arn: topicARN, action: "sns:RestoreTopic", build: []step{
	{"SQS.CreateQueue", object{"QueueName": "events"}},
	{"SNS.CreateTopic", object{"Name": "trail", "Attributes": object{"Policy": topicPolicy}}},
	{"SNS.Subscribe", object{"TopicArn": topicARN, "Protocol": "sqs", "Endpoint": queueARN, "ReturnSubscriptionArn": true}},
}}

func topicTamperings() map[string]tampering {
	of := func(call string, input object) tampering {
		return tampering{family: aTopic, steps: one("SNS."+call, input)}
	}
	return map[string]tampering{
		"trail-blinded: sns DeleteTopic": of("DeleteTopic", object{"TopicArn": topicARN}),
		"trail-blinded: sns SetTopicAttributes": of("SetTopicAttributes", object{
			"TopicArn": topicARN, "AttributeName": "Policy", "AttributeValue": policy(stranger("SNS:Publish", topicARN)),
		}),
		"trail-blinded: sns Unsubscribe":      of("Unsubscribe", object{"SubscriptionArn": "${Subscribe.SubscriptionArn}"}),
		"trail-blinded: sns AddPermission":    of("AddPermission", object{"TopicArn": topicARN, "Label": "x", "AWSAccountId": []string{Other}, "ActionName": []string{"Publish"}}),
		"trail-blinded: sns RemovePermission": of("RemovePermission", object{"TopicArn": topicARN, "Label": "ours"}),
	}
}

func onRole(more object) object { return in(object{"RoleName": "Ours"}, more) }

var trust = policy(object{"Effect": "Allow", "Principal": object{"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"})

var aRole = &family{kind: trail.KindRole, arn: "arn:aws:iam::111122223333:role/Ours", action: "iam:RestoreRole", build: []step{
	{"IAM.CreatePolicy", object{"PolicyName": "Look", "PolicyDocument": mayLook}},
	{"IAM.CreatePolicy", object{"PolicyName": "Nothing", "PolicyDocument": mayNothing}},
	{"IAM.CreateRole", onRole(object{"AssumeRolePolicyDocument": trust, "MaxSessionDuration": 7200, "Tags": []object{{"Key": "team", "Value": "security"}}})},
	{"IAM.AttachRolePolicy", onRole(object{"PolicyArn": attached})},
	{"IAM.PutRolePolicy", onRole(object{"PolicyName": "deliver", "PolicyDocument": mayLook})},
}}

var (
	mayLook    = policy(object{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"})
	mayNothing = policy(object{"Effect": "Deny", "Action": "*", "Resource": "*"})
)

// roleTamperings are those of one runbook; two look after roles.
func roleTamperings(of string) map[string]tampering {
	tampered := func(steps ...step) tampering { return tampering{family: aRole, steps: steps} }
	detach, unput := step{"IAM.DetachRolePolicy", onRole(object{"PolicyArn": attached})}, step{"IAM.DeleteRolePolicy", onRole(object{"PolicyName": "deliver"})}
	out := map[string]tampering{
		of + "iam DetachRolePolicy":           tampered(detach),
		of + "iam DeleteRolePolicy":           tampered(unput),
		of + "iam UpdateAssumeRolePolicy":     tampered(step{"IAM.UpdateAssumeRolePolicy", onRole(object{"PolicyDocument": policy(object{"Effect": "Allow", "Principal": object{"AWS": Other}, "Action": "sts:AssumeRole"})})}),
		of + "iam DeleteRole":                 tampered(detach, unput, step{"IAM.DeleteRole", onRole(nil)}),
		of + "iam PutRolePermissionsBoundary": tampered(step{"IAM.PutRolePermissionsBoundary", onRole(object{"PermissionsBoundary": boundary})}),
	}
	if of == "responder-tampered: " {
		out[of+"iam PutRolePolicy"] = tampered(step{"IAM.PutRolePolicy", onRole(object{"PolicyName": "no", "PolicyDocument": mayNothing})})
		out[of+"iam UpdateRole"] = tampered(step{"IAM.UpdateRole", onRole(object{"MaxSessionDuration": 3600})})
		out[of+"iam TagRole"] = tampered(step{"IAM.TagRole", onRole(object{"Tags": []object{{"Key": "team", "Value": "lunch"}}})})
	}
	return out
}

func onBus(more object) object { return in(object{"EventBusName": "central"}, more) }

func target(queue string) object {
	return onBus(object{"Rule": "switchback", "Targets": []object{{"Id": "queue", "Arn": queue}}})
}

func rule(pattern string) object {
	return onBus(object{"Name": "switchback", "EventPattern": pattern, "State": "ENABLED"})
}

var aRule = &family{kind: trail.KindRule, arn: "arn:aws:events:eu-west-1:111122223333:rule/central/switchback", action: "events:RestoreRule", build: []step{
	{"EventBridge.CreateEventBus", object{"Name": "central"}},
	{"EventBridge.PutPermission", onBus(object{"StatementId": "member", "Principal": "666677778888", "Action": "events:PutEvents"})},
	{"EventBridge.PutRule", rule(`{"source":["aws.cloudtrail","aws.kms"]}`)},
	{"EventBridge.PutTargets", target(queueARN)},
}}

var aQueue = &family{kind: trail.KindQueue, arn: queueARN, action: "sqs:RestoreQueue", build: []step{
	{"SQS.CreateQueue", object{"QueueName": "events", "Attributes": object{
		"Policy": policy(allow("events.amazonaws.com", "sqs:SendMessage", queueARN)), "MessageRetentionPeriod": "1209600",
	}}},
	{"SQS.GetQueueUrl", object{"QueueName": "events"}},
}}

var anAlarm = &family{kind: trail.KindAlarm, arn: "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:stopped", action: "cloudwatch:RestoreAlarms", build: []step{
	{"CloudWatch.PutMetricAlarm", alarm(1)},
}}

func alarm(threshold float64) object {
	return object{
		"AlarmName": "stopped", "Namespace": "Trail", "MetricName": "stops", "Statistic": "Sum", "Threshold": threshold, "Period": 60,
		"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "AlarmActions": []string{topicARN},
	}
}

func ownTamperings() map[string]tampering {
	events := func(steps ...step) tampering { return tampering{family: aRule, steps: steps} }
	queue := func(call string, more object) tampering {
		return tampering{family: aQueue, steps: one("SQS."+call, in(object{"QueueUrl": queueURL}, more))}
	}
	// moto knows only the older protocol of the service.
	watch := func(call string, input object) tampering {
		return tampering{family: anAlarm, steps: one("CloudWatch."+call, input), lacks: "CloudWatch.PutMetricAlarm"}
	}
	// What the action would call, called here: the action would wait for what never comes.
	opened := events(
		step{"EventBridge.PutPermission", onBus(object{"StatementId": "x", "Principal": Other, "Action": "events:PutEvents"})},
		step{"EventBridge.PutPermission", onBus(object{"Policy": policy(object{
			"Sid": "member", "Effect": "Allow", "Principal": object{"AWS": "arn:aws:iam::666677778888:root"}, "Action": "events:PutEvents",
			"Resource": "arn:aws:events:eu-west-1:111122223333:event-bus/central",
		})})},
	)
	opened.harmless, opened.lacks = true, "the tampering is harmless: false" // PutPermission with a policy adds to what is there
	removed, name := step{"EventBridge.RemoveTargets", onBus(object{"Rule": "switchback", "Ids": []string{"queue"}})}, onBus(object{"Name": "switchback"})
	deleted := step{"EventBridge.DeleteRule", name}
	return map[string]tampering{
		"responder-tampered: events DisableRule":             events(step{"EventBridge.DisableRule", name}),
		"responder-tampered: events DeleteRule":              events(removed, deleted),
		"responder-tampered: events RemoveTargets":           events(removed),
		"responder-tampered: events PutRule":                 events(step{"EventBridge.PutRule", rule(`{"source":["aws.kms"]}`)}),
		"responder-tampered: events PutTargets":              events(step{"EventBridge.PutTargets", target(otherARN)}),
		"responder-tampered: events DeleteEventBus":          events(removed, deleted, step{"EventBridge.DeleteEventBus", object{"Name": "central"}}),
		"responder-tampered: events PutPermission":           opened,
		"responder-tampered: events RemovePermission":        events(step{"EventBridge.RemovePermission", onBus(object{"StatementId": "member"})}),
		"responder-tampered: sqs DeleteQueue":                queue("DeleteQueue", nil),
		"responder-tampered: sqs SetQueueAttributes":         queue("SetQueueAttributes", object{"Attributes": object{"Policy": "", "MessageRetentionPeriod": "60"}}),
		"responder-tampered: monitoring DeleteAlarms":        watch("DeleteAlarms", object{"AlarmNames": []string{"stopped"}}),
		"responder-tampered: monitoring DisableAlarmActions": watch("DisableAlarmActions", object{"AlarmNames": []string{"stopped"}}),
		"responder-tampered: monitoring PutMetricAlarm":      watch("PutMetricAlarm", alarm(1e6)),
	}
}
