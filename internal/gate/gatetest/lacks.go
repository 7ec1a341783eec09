// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

// Pages of AWS.
const (
	pageCreateTrail      = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html"
	pageUpdateTrail      = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html"
	pageStartLogging     = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StartLogging.html"
	pageDeleteTrail      = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteTrail.html"
	pageTrail            = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Trail.html"
	pageDescribeTrails   = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html"
	pageTrailLimits      = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html"
	pagePutSelectors     = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html"
	pageEventSelector    = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html"
	pagePutInsights      = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutInsightSelectors.html"
	pageGetInsights      = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetInsightSelectors.html"
	pageLookupEvents     = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html"
	pageBucketOwner      = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html"
	pageBucketNames      = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
	pageS3Errors         = "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
	pageBucketPolicy     = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html"
	pageNewBuckets       = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html"
	pageEncryption       = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html"
	pagePublicAccess     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"
	pageRequestPayment   = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketRequestPayment.html"
	pageReplication      = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html"
	pageVersioning       = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html"
	pageListBuckets      = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html"
	pageMFADelete        = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html"
	pageOwnership        = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html"
	pageNotifications    = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html"
	pageDeleteMarker     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectsfromVersioningSuspendedBuckets.html"
	pageKeyState         = "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html"
	pageScheduleDeletion = "https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html"
	pagePutKeyPolicy     = "https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html"
	pageIAMIDs           = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"
	pageDeleteUser       = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html"
	pageAccessKeys       = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html"
	pagePolicyLogic      = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html"
	pageAssumeRole       = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"
	pageImportedKeys     = "https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html"
	pageSubscribe        = "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"
	pageRetention        = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"
	pageGroupKey         = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html"
	pageMetricFilter     = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html"
	pageDataProtection   = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDataProtectionPolicy.html"
	pageLogClasses       = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html"
	pagePutTargets       = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"
	pageEventPatterns    = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html"
	pageDeleteBus        = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteEventBus.html"
	pageDeleteQueue      = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html"
	pageQueueAttributes  = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"
	pageAlarms           = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
	pageIdentityUser     = "https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DescribeUser.html"
	pageImportFindings   = "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html"
	pageSimulate         = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html"
	pageServiceRoles     = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html"
	pageDeletePolicy     = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html"
)

// MotoLacks is what moto 5.2.1 does otherwise than AWS, by case, with the page that the case follows.
var MotoLacks = map[string]string{
	"trail: home region in GetTrail":                            "GetTrail leaves HomeRegion out: " + pageTrail,
	"trail: create without bucket policy":                       "does not ask the bucket's policy: " + pageCreateTrail,
	"trail: create twice":                                       "replaces the trail: " + pageCreateTrail,
	"trail: the sixth":                                          "has no quota: " + pageTrailLimits,
	"trail: start and stop by ARN":                              "answers 500 for an ARN: " + pageStartLogging,
	"trail: start, stop and delete what is unknown":             "answers 500, and success to DeleteTrail: " + pageStartLogging,
	"trail: update to a bucket that is not there":               "does not look: " + pageUpdateTrail,
	"trail: update is refused as a whole":                       "does not check what would be: " + pageUpdateTrail,
	"trail: key that is not there":                              "does not look: " + pageUpdateTrail,
	"trail: delete by ARN":                                      "answers success and leaves the trail: " + pageDeleteTrail,
	"trail: change a shadow":                                    "answers 500, not InvalidHomeRegionException: " + pageUpdateTrail,
	"trail: describe by name":                                   "ignores the list of names: " + pageDescribeTrails,
	"selectors: default":                                        "answers with none: " + pageEventSelector,
	"selectors: basic replace advanced":                         "keeps the advanced ones: " + pagePutSelectors,
	"selectors: none, both and odd ones":                        "does not check: " + pagePutSelectors,
	"selectors: the trail says that it has some":                "HasCustomEventSelectors is always false: " + pageTrail,
	"insights: put replaces":                                    "adds to those that are there: " + pagePutInsights,
	"insights: off":                                             "answers with none: " + pageGetInsights,
	"history: by name":                                          "has no LookupEvents (500): " + pageLookupEvents,
	"history: pages":                                            "has no LookupEvents (500): " + pageLookupEvents,
	"history: odd questions":                                    "has no LookupEvents (500): " + pageLookupEvents,
	"bucket: wrong owner":                                       "ignores the expected owner: " + pageBucketOwner,
	"bucket: bad name":                                          "takes upper case: " + pageBucketNames,
	"bucket: addressed in another region":                       "answers in every region: " + pageS3Errors,
	"bucket policy: malformed":                                  "does not parse: " + pageBucketPolicy,
	"bucket policy: without principal":                          "does not parse: " + pageBucketPolicy,
	"bucket policy: denies everybody":                           "does not evaluate: " + pagePolicyLogic,
	"bucket policy: no other account without one":               "lets every account in: " + pagePolicyLogic,
	"encryption: by default":                                    "new buckets have none: " + pageEncryption,
	"public access block: by default":                           "new buckets have none: " + pageNewBuckets,
	"ownership: by default":                                     "new buckets have none: " + pageNewBuckets,
	"ACL: public is blocked":                                    "does not block: " + pagePublicAccess,
	"requester pays":                                            "takes it for CreateBucket: " + pageRequestPayment,
	"replication: needs versioning":                             "does not look: " + pageReplication,
	"replication: holds versioning":                             "does not look: " + pageVersioning,
	"buckets: listed with their regions":                        "leaves BucketRegion out: " + pageListBuckets,
	"versioning: MFA delete needs the device":                   "does not ask for it: " + pageMFADelete,
	"versioning: held by object lock":                           "suspends it: " + pageVersioning,
	"bucket policy: public is blocked":                          "does not block: " + pagePublicAccess,
	"ownership: enforced only without ACLs":                     "does not look: " + pageOwnership,
	"notifications: two of the same":                            "does not compare: " + pageNotifications,
	"notifications: queue that is not there":                    "does not look: " + pageNotifications,
	"object: deleted while versioning is suspended":             "says no version, not null: " + pageDeleteMarker,
	"key: pending deletion stops changes":                       "does not look at the state: " + pageKeyState,
	"key: cancel what is not scheduled":                         "does not look at the state: " + pageKeyState,
	"key: window too short":                                     "takes any: " + pageScheduleDeletion,
	"key: policy without a name":                                "wants the name: " + pagePutKeyPolicy,
	"key: policy that is none":                                  "does not parse: " + pagePutKeyPolicy,
	"user: unique id":                                           "has no prefix AIDA: " + pageIAMIDs,
	"user: with keys is not deleted":                            "deletes it: " + pageDeleteUser,
	"access key: inactive opens nothing":                        "opens everything: " + pageAccessKeys,
	"session: a deny of its name holds for it alone":            "does not evaluate unless asked to: " + pagePolicyLogic,
	"role: simulate its policies":                               "does not know the conditions' keys: " + pageSimulate,
	"role: only AWS changes those that services made":           "takes the policy: " + pageServiceRoles,
	"user: an inline deny holds":                                "does not evaluate unless asked to: " + pagePolicyLogic,
	"session: source identity":                                  "leaves it out of the answer: " + pageAssumeRole,
	"session: role that does not trust, role that is not there": "hands out credentials for any role: " + pageAssumeRole,
	"session: bad name":                                         "does not check: " + pageAssumeRole,
	"key: imported material":                                    "has no imported material (500): " + pageImportedKeys,
	"subscription: mail has to be confirmed":                    "takes everybody for confirmed: " + pageSubscribe,
	"log group: odd retention":                                  "takes any: " + pageRetention,
	"log group: key taken away and given":                       "has no DisassociateKmsKey (500): " + pageGroupKey,
	"log group: a metric filter is replaced":                    "keeps both: " + pageMetricFilter,
	"log group: parts are masked":                               "has no data protection (500): " + pageDataProtection,
	"log group: no filters for infrequent access":               "has no classes: " + pageLogClasses,
	"policy: attached, it stays":                                "deletes it: " + pageDeletePolicy,
	"rule: more targets than five":                              "has no quota: " + pagePutTargets,
	"rule: test a pattern":                                      "answers false to everything: " + pageEventPatterns,
	"bus: one with rules is not deleted":                        "deletes the rules too: " + pageDeleteBus,
	"queue: its name is blocked for a minute":                   "is free at once: " + pageDeleteQueue,
	"queue: encrypted in one way only":                          "says that both are on: " + pageQueueAttributes,
	"alarm: put, describe, delete":                              "does not speak the protocol of the current SDK: " + pageAlarms,
	"alarm: actions off and on":                                 "does not speak the protocol of the current SDK: " + pageAlarms,
	"alarm: state":                                              "does not speak the protocol of the current SDK: " + pageAlarms,
	"alarm: a composite one":                                    "does not speak the protocol of the current SDK: " + pageAlarms,
	"identity store: another one is not there":                  "makes it: " + pageIdentityUser,
	"identity store: a user is enabled":                         "leaves UserStatus out: " + pageIdentityUser,
	"finding: where Security Hub is off":                        "does not look: " + pageImportFindings,
	"finding: of another's product":                             "does not look: " + pageImportFindings,
}
