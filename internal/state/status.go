// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// OpenTrail is the trail of an ARN, in its home region and owner account, without asking whether it is there: for whoever
// looks so often that each call counts.
func OpenTrail(ctx context.Context, door *gate.Door, a arn.ARN) (FoundTrail, error) {
	target, err := trail.TargetOfARN(a)
	if err != nil {
		return FoundTrail{}, fmt.Errorf("open trail: %w", err)
	}
	cfg, err := door.Config(ctx, target.Account, target.HomeRegion)
	if err != nil {
		return FoundTrail{}, fmt.Errorf("open trail %s: %w", a, err)
	}
	t := trail.Trail{Name: target.Name, ARN: a, HomeRegion: target.HomeRegion}
	return FoundTrail{Trail: t, CallName: string(a), Client: cloudtrail.NewFromConfig(cfg)}, nil
}

// Pulse asks whether the trail records and delivers: one call. A trail that is not there is incident.ErrNotFound.
func (f FoundTrail) Pulse(ctx context.Context) (trail.Pulse, error) {
	s, err := f.Status(ctx)
	var gone *cloudtrailtypes.TrailNotFoundException
	if errors.As(err, &gone) {
		return trail.Pulse{}, fmt.Errorf("%w: %w", incident.ErrNotFound, err)
	}
	return trail.Pulse{
		IsLogging: s.IsLogging, StartedAt: s.StartLoggingTime, StoppedAt: s.StopLoggingTime,
		LogFileAt: s.LatestDeliveryTime, DigestAt: s.LatestDigestDeliveryTime,
		LogFileError: s.LatestDeliveryError, DigestError: s.LatestDigestDeliveryError,
		NotificationError: s.LatestNotificationError, LogGroupError: s.LatestCloudWatchLogsDeliveryError,
	}, err
}

// AccountState asks our organization, with the process's own credentials, how an account stands: "ACTIVE", "SUSPENDED"
// (being closed), "CLOSED". One that is not in it is incident.ErrNotFound.
//
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html
func AccountState(ctx context.Context, door *gate.Door, region, account string) (string, error) {
	cfg, err := door.ReadConfig(region)
	if err != nil {
		return "", fmt.Errorf("ask how account %s stands: %w", account, err)
	}
	out, err := organizations.NewFromConfig(cfg).DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: aws.String(account)})
	var unknown *orgtypes.AccountNotFoundException
	switch {
	case errors.As(err, &unknown):
		return "", fmt.Errorf("ask how account %s stands: %w: %w", account, incident.ErrNotFound, err)
	case err != nil:
		return "", fmt.Errorf("ask how account %s stands: %w", account, err)
	case out.Account == nil:
		return "", fmt.Errorf("ask how account %s stands: %w", account, incident.ErrNotFound)
	}
	return string(out.Account.Status), nil
}
