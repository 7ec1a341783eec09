// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/state"
)

// validateLogsCommand has the flags of "aws cloudtrail validate-logs", and more.
type validateLogsCommand struct {
	TrailARN  string   `name:"trail-arn" help:"The trail; required unless --s3-bucket or --local says where to look." placeholder:"ARN"`
	StartTime string   `name:"start-time" required:"" help:"From when on log files were delivered; UTC if it names no zone." placeholder:"TIME"`
	EndTime   string   `name:"end-time" help:"Until when (default: now)." placeholder:"TIME"`
	S3Bucket  string   `name:"s3-bucket" help:"The bucket (default: the trail's)." placeholder:"BUCKET"`
	S3Prefix  string   `name:"s3-prefix" help:"What comes before AWSLogs in its keys (default: the trail's, or nothing)." placeholder:"PREFIX"`
	AccountID []string `name:"account-id" help:"Only these accounts (default: all that are found)." placeholder:"ID"`
	Region    []string `help:"Only the log files of these regions (default: all that are found)." placeholder:"REGION"`
	Verbose   bool     `help:"Name the valid files too."`

	Output        string `help:"text for people and scripts of the AWS CLI; json, sarif, junit for programs." default:"text" enum:"text,json,sarif,junit" short:"o"`
	AWSCompatible bool   `name:"aws-compatible" help:"Verdict, scope and exit status (0, 1, 255) of the AWS CLI, whatever it overlooks included."`
	Local         string `help:"Saved evidence instead of AWS: DIR/s3/BUCKET/KEY, DIR/s3-metadata.json, DIR/public-keys.json." placeholder:"DIR"`
	PublicKeys    string `name:"public-keys" help:"With --local: the keys, as aws cloudtrail list-public-keys prints them." placeholder:"FILE"`
	SaveEvidence  string `name:"save-evidence" help:"Save all that is read in a new folder, as --local reads it." placeholder:"DIR"`
	Resume        string `help:"Go on from what FILE says was proven, and keep there what is proven now; made if it is not there." placeholder:"FILE"`
	BucketOwner   string `name:"bucket-owner" help:"The account that the bucket must belong to." placeholder:"ID"`
}

// Help is the long help.
func (validateLogsCommand) Help() string {
	return `Walks every digest chain of a bucket from the newest digest file to the oldest, verifies signatures and links, and hashes
every log file. Unlike the AWS CLI it looks at all accounts and regions, and says so when digest files are missing at
either end, when there are gaps, when a log file is in no digest file, and when there is nothing at all.

Exit status 0: all is proven. 1: something is changed, missing or not provable. 2: something could not be read; it is
never called valid. With --aws-compatible 0, 1 and 255 as the AWS CLI has them.

--output json is one document, {"request": {}, "results": [], "summary": {}}; each result has scope, subject, code and
severity, and what applies of bucket, key, detail, from, to, count, bytes, sha256. Valid files are among them with
--verbose only. The summary has the exit status and all counts.

Example:
  switchback validate-logs --trail-arn ARN --start-time 2026-05-04 --end-time 2026-05-05
  switchback validate-logs --s3-bucket logs-111122223333 --start-time 2026-05-04 --save-evidence evidence/
  switchback validate-logs --local evidence/ --start-time 2026-05-04 --output sarif`
}

// exitAWSError is the AWS CLI's exit status for what it could not do.
const exitAWSError = 255

// compatibleError ends a command with the AWS CLI's status.
type compatibleError struct{ error }

func (e compatibleError) Unwrap() error { return e.error }

// Run validates.
func (c *validateLogsCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	err := c.run(ctx, s, g)
	if err != nil && c.AWSCompatible && !errors.Is(err, errFound) {
		return compatibleError{err}
	}
	return err
}

func (c *validateLogsCommand) run(ctx context.Context, s *streams, g *grammar) error {
	if os.Getenv("GOGC") == "" {
		// What is kept is small and what is thrown away is much: collecting less often takes a tenth off the time, and
		// stays below 100 MB.
		defer debug.SetGCPercent(debug.SetGCPercent(400))
	}
	if err := c.check(); err != nil {
		return err
	}
	req, err := c.request(time.Now())
	if err != nil {
		return err
	}
	v := &validation{command: c, streams: s, grammar: g, request: req}
	if c.Local != "" {
		err = v.openLocal()
	} else {
		err = v.openAWS(ctx)
	}
	if err == nil {
		err = v.openRecords()
	}
	if err == nil {
		err = v.validate(ctx)
	}
	return errors.Join(err, v.close())
}

// check refuses flags that contradict each other.
func (c *validateLogsCommand) check() error {
	switch {
	case c.TrailARN == "" && c.AWSCompatible:
		return withHint(errors.New("--aws-compatible needs --trail-arn"), "the AWS CLI validates one trail at a time")
	case c.TrailARN == "" && c.S3Bucket == "" && c.Local == "":
		return withHint(errors.New("which log files"), "--trail-arn ARN, or --s3-bucket BUCKET for all that is in it")
	case c.PublicKeys != "" && c.Local == "":
		return withHint(errors.New("--public-keys is for --local"), "from AWS the keys are asked for")
	case c.SaveEvidence != "" && c.Local != "":
		return errors.New("--save-evidence: --local is saved evidence already")
	case c.AWSCompatible && c.Resume != "":
		return withHint(errors.New("--aws-compatible cannot --resume"), "the AWS CLI's verdict counts every file")
	case c.AWSCompatible && (len(c.AccountID) > 1 || len(c.Region) > 1):
		return withHint(errors.New("--aws-compatible takes one --account-id and one --region"), "leave --aws-compatible out to check all at once")
	case c.S3Prefix != "" && c.S3Bucket == "" && c.Local == "":
		return withHint(errors.New("--s3-prefix without --s3-bucket"), "name the bucket too; without both, those of the trail are taken")
	}
	return nil
}

// request is what the flags ask for. The bucket may still be missing.
func (c *validateLogsCommand) request(now time.Time) (digest.Request, error) {
	req := digest.Request{Bucket: c.S3Bucket, Prefix: c.S3Prefix, Accounts: c.AccountID, Regions: c.Region, End: now.UTC()}
	var err error
	if c.TrailARN != "" {
		if req.Trail, err = digest.ParseTrailARN(c.TrailARN); err != nil {
			return req, withHint(err, "a trail's ARN is arn:PARTITION:cloudtrail:REGION:ACCOUNT:trail/NAME")
		}
	}
	const timeHint = "write times as 2026-05-04T00:00:00Z"
	if req.Start, err = digest.ParseTime(c.StartTime, c.AWSCompatible); err != nil {
		return req, withHint(err, timeHint)
	}
	if c.EndTime != "" {
		if req.End, err = digest.ParseTime(c.EndTime, c.AWSCompatible); err != nil {
			return req, withHint(err, timeHint)
		}
	}
	if req.Start.After(req.End) {
		return req, withHint(digest.ErrInvalidRange, "--start-time %s is after %s", req.Start.Format(time.RFC3339), req.End.Format(time.RFC3339))
	}
	return req, nil
}

// openLocal opens saved evidence.
func (v *validation) openLocal() error {
	root, err := os.OpenRoot(v.command.Local)
	if err != nil {
		return withHint(fmt.Errorf("open evidence: %w", err), "--save-evidence DIR makes such a folder")
	}
	v.closers = append(v.closers, root.Close)
	keys, err := v.savedKeys()
	if err != nil {
		return err
	}
	evidence, err := digest.OpenEvidence(root.FS(), keys)
	if err != nil {
		return withHint(err, "--save-evidence DIR makes such a folder; --public-keys FILE names the keys where they lie elsewhere")
	}
	v.closers = append(v.closers, evidence.Close)
	v.fetcher = evidence
	if v.request.Bucket != "" {
		return nil
	}
	v.request.Bucket, err = v.onlyBucket()
	return err
}

// savedKeys are those of --public-keys, nil without it.
func (v *validation) savedKeys() ([]digest.PublicKey, error) {
	if v.command.PublicKeys == "" {
		return nil, nil
	}
	data, err := os.ReadFile(v.command.PublicKeys)
	if err != nil {
		return nil, fmt.Errorf("read public keys: %w", err)
	}
	keys, err := digest.ParsePublicKeys(data)
	if err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", v.command.PublicKeys, err), "aws cloudtrail list-public-keys prints such a file")
	}
	return append(make([]digest.PublicKey, 0, len(keys)), keys...), nil // not nil: an empty file means no keys
}

// onlyBucket is the bucket of which something was saved.
func (v *validation) onlyBucket() (string, error) {
	entries, err := os.ReadDir(filepath.Join(v.command.Local, digest.EvidenceObjects))
	if err != nil {
		return "", fmt.Errorf("open evidence: %w", err)
	}
	if len(entries) != 1 {
		return "", withHint(fmt.Errorf("evidence of %d buckets is in %s", len(entries), v.command.Local), "--s3-bucket names the one that the trail delivers to now")
	}
	return entries[0].Name(), nil
}

// openAWS opens S3 and CloudTrail, and asks the trail for its bucket when the flags do not say.
func (v *validation) openAWS(ctx context.Context) error {
	conf, _, err := loadConfig(v.grammar)
	if err != nil {
		return err
	}
	region := firstText(v.request.Trail.HomeRegion, conf.Region)
	if len(v.request.Regions) > 0 {
		region = v.request.Regions[0]
	}
	// Validate repeats requests itself and makes the others wait meanwhile; here only a broken connection is tried again.
	opened, err := gate.Open(ctx, gate.Options{Region: region, Version: version, DryRun: true, MaxAttempts: 2})
	if err != nil {
		return err
	}
	door := opened.Door(gate.Scope{Action: "validate-logs"})
	if _, err := door.ReadConfig(region); err != nil {
		return withHint(err, "--region, or AWS_REGION for all regions")
	}
	if v.request.Bucket == "" {
		if err := v.findBucket(ctx, door, region); err != nil {
			return err
		}
	}
	v.fetcher = objects.NewDigests(objects.Through(door, "", region), map[string]string{v.request.Bucket: v.command.BucketOwner})
	return nil
}

// findBucket asks for the trail's bucket. A trail that is not an organization's has the log files of its account only.
func (v *validation) findBucket(ctx context.Context, door *gate.Door, region string) error {
	req := &v.request
	place, err := state.FindDigestPlace(ctx, door, region, arn.ARN(req.Trail.ARN))
	if err != nil {
		return withHint(err, "cloudtrail:DescribeTrails must be allowed; a trail that is gone can be validated with --s3-bucket")
	}
	req.Bucket, req.Prefix = place.Bucket, place.Prefix
	switch {
	case !place.IsOrganizationTrail && len(req.Accounts) == 0:
		req.Accounts = []string{req.Trail.AccountID}
	case place.IsOrganizationTrail && v.command.AWSCompatible && len(req.Accounts) == 0:
		//lint:ignore ST1005 the AWS CLI's text
		return errors.New("Missing required parameter for organization trail: '--account-id'")
	case place.IsOrganizationTrail && v.command.AWSCompatible:
		req.Organization, err = state.OrganizationID(ctx, door, region)
	}
	return err
}
