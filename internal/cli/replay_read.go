// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	awsaccount "github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"
	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// setScene opens a pipeline on a sandbox of its own, as the account was before the record: the trail in the recommended
// state and the caller with his key. Then the call is made again, so that the runbook finds what it left behind. What the
// sandbox cannot do again is assumed to have had no effect, and said so.
func (r *replay) setScene(ctx context.Context, record cloudtrail.Record) error {
	target, err := trail.TargetOf(record)
	if err != nil {
		r.gap("event %s names no trail: %v", record.EventID, err)
		return nil
	}
	if err := r.newScene(ctx); err != nil {
		return err
	}
	seed := sandbox.Seed{Account: target.Account, Region: target.HomeRegion, Trail: target.Name}
	if _, err := r.extra.backend.Seed(ctx, seed); err != nil {
		r.gap("the account of %s could not be assumed: %v", record.EventID, err)
		return nil
	}
	door := r.system.Gate.Door(gate.Scope{Action: "snapshot"})
	if _, err := state.TakeSnapshots(ctx, door, target.Account, []string{target.HomeRegion}, r.db, r.at().Add(-time.Minute)); err != nil {
		return fmt.Errorf("set the scene: %w", err)
	}
	if record.Failed() {
		return nil
	}
	return r.again(ctx, record, target)
}

// newScene replaces sandbox and pipeline; incidents stay.
func (r *replay) newScene(ctx context.Context) error {
	if r.system != nil {
		r.system.Engine.Close()
	}
	box, err := sandbox.New(sandbox.Options{Clock: r.at})
	if err != nil {
		return err
	}
	r.extra.backend = box
	return r.openSystem(ctx)
}

// again makes the recorded call in the sandbox.
func (r *replay) again(ctx context.Context, record cloudtrail.Record, target trail.Target) error {
	key, err := r.extra.backend.AddPrincipal(record.UserIdentity)
	if err != nil {
		root, rootErr := r.extra.backend.Root(target.Account)
		if rootErr != nil {
			return fmt.Errorf("set the scene: %w", errors.Join(err, rootErr))
		}
		key = root.AccessKeyID
	}
	_, err = r.extra.backend.InvokeRecorded(ctx, record, gate.Request{
		Account: target.Account, Region: target.HomeRegion, AccessKeyID: key, UserAgent: record.UserAgent, RequestID: record.RequestID,
	})
	if err != nil {
		r.gap("the call of %s could not be made again, its effect is not assumed: %v", record.EventID, err)
	}
	return nil
}

func (r *replay) gap(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.gaps, text) {
		r.gaps = append(r.gaps, text)
	}
}

// actions are the changes that the incident's runs made or would have made.
func (r *replay) actions(ctx context.Context, id incident.ID, into []replayedAction) ([]replayedAction, error) {
	entries, err := r.db.Entries(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		var call gate.Call
		if e.Kind != incident.EntryCall || json.Unmarshal(e.Data, &call) != nil {
			continue
		}
		into = append(into, replayedAction{call.Action, call.Target, call.Outcome == gate.Intended})
	}
	return into, nil
}

// readBucket reads log files from S3 itself: also where the rest of the replay meets a sandbox.
func (r *replay) readBucket(ctx context.Context, url, owner string) error {
	o := r.gateOptions()
	o.Backend, o.DryRun = nil, true
	live, err := gate.Open(ctx, o)
	if err != nil {
		return err
	}
	return withHint(readObjects(ctx, live, bucketPlace{owner: owner, region: r.config.Region}, url, r.take),
		"check credentials and AWS_REGION, which must be the bucket's; --bucket-owner names another owner than the account of the credentials")
}

// bucketPlace is where a bucket is and whose it must be; the zero value is that of the credentials.
type bucketPlace struct{ account, region, owner string }

// readObjects reads the log files under s3://bucket/prefix.
func readObjects(ctx context.Context, g *gate.Gate, place bucketPlace, url string, take source.Handler) error {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(url, "s3://"), "/")
	cfg, err := g.Door(gate.Scope{Action: "read " + url}).Config(ctx, place.account, place.region)
	if err != nil {
		return fmt.Errorf("read %s: %w", url, err)
	}
	owner, err := source.Services{Gate: g}.BucketOwner(ctx, place.owner, place.account, place.region)
	if err != nil {
		return fmt.Errorf("read %s: %w", url, err)
	}
	from := objects.NewS3(cfg, bucket, owner)
	var failures []error
	seen := 0
	for object, err := range from.List(ctx, prefix, "") {
		if err != nil {
			return errors.Join(append(failures, err)...)
		}
		if k, ok := cloudtrail.ParseObjectKey(object.Key); ok && k.Kind == cloudtrail.KindLog {
			seen++
			failures = append(failures, readObject(ctx, from, object, take))
		}
	}
	if seen == 0 {
		return fmt.Errorf("read %s: no log file of CloudTrail is there", url)
	}
	return errors.Join(failures...)
}

func readObject(ctx context.Context, from *objects.S3, object objects.Object, take source.Handler) error {
	body, err := from.Open(ctx, object.Key)
	if err != nil {
		return err
	}
	defer body.Close()
	return source.Decode(ctx, body, source.Origin{Via: "s3", From: from.URL(object.Key), DeliveredAt: object.ModifiedAt}, cloudtrail.Limits{}, take)
}

// readEventHistory reads the trigger events of the last 90 days, of every region, several at once and at half the quota,
// so that others can go on.
func (r *replay) readEventHistory(ctx context.Context) error {
	door := r.system.Gate.Door(gate.Scope{Action: "replay", Rate: 0.5})
	who, err := r.system.Gate.Caller(ctx, "", r.config.Region)
	if err != nil {
		return withHint(fmt.Errorf("read Event history: who are we: %w", err), hintAccess)
	}
	regions := r.regions(ctx, door, who.Account)
	found := make([][]cloudtrail.Record, len(regions))
	failures := make([]error, len(regions))
	group, ctx := errgroup.WithContext(ctx)
	for i, region := range regions {
		group.Go(func() error {
			r.progress.say("reading Event history of %s", region)
			q := state.Query{Account: who.Account, Region: region, EventNames: r.system.EventNames(), From: r.clock().AddDate(0, 0, -90), Limit: 10_000}
			records, gaps, err := state.EventHistory{Clock: r.clock}.Lookup(ctx, door, q)
			if err != nil {
				failures[i] = withHint(fmt.Errorf("read Event history of %s: %w", region, err), hintAccess)
			}
			for _, gap := range gaps {
				r.gap("%s: %s", region, gap)
			}
			found[i] = records
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, records := range found {
		for _, record := range records {
			d := source.Delivery{Envelope: cloudtrail.Wrap(record), Via: "event history", From: "Event history of " + regions[i]}
			if err := r.take(ctx, d); err != nil {
				return err
			}
		}
	}
	return errors.Join(failures...)
}

// regions are the enabled regions of the account, else the configured ones.
func (r *replay) regions(ctx context.Context, door *gate.Door, account string) []string {
	configured := accountConfig{}.regionsOf(r.config.Region)
	for _, a := range r.config.Accounts {
		if a.ID == account {
			configured = a.regionsOf(r.config.Region)
		}
	}
	cfg, err := door.Config(ctx, account, r.config.Region)
	if err != nil {
		r.gap("which regions are enabled: %v", err)
		return configured
	}
	pages := awsaccount.NewListRegionsPaginator(awsaccount.NewFromConfig(cfg), &awsaccount.ListRegionsInput{
		RegionOptStatusContains: []types.RegionOptStatus{types.RegionOptStatusEnabled, types.RegionOptStatusEnabledByDefault},
	})
	var enabled []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.gap("which regions are enabled (account:ListRegions): %v", err)
			return append(configured, orRegion(configured, cfg.Region)...)
		}
		for _, region := range page.Regions {
			enabled = append(enabled, *region.RegionName)
		}
	}
	return enabled
}

func orRegion(configured []string, region string) []string {
	if len(configured) > 0 || region == "" {
		return nil
	}
	return []string{region}
}
