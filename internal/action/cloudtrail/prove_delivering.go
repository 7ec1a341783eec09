// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "cloudtrail:ProveDelivering", Summary: "find our own call in a log file that arrived after our start", Class: "read",
		Permissions: []string{
			"cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "kms:Decrypt", "s3:GetObject", "s3:ListBucket",
		},
	}, proveDelivering))
}

type deliveringParams struct {
	Trail     arn.ARN    `json:"trail"`
	Since     *time.Time `json:"since"`
	RequestID string     `json:"request_id,omitempty"`
	BlindFrom *time.Time `json:"blind_from"`
	// Also are trails that must deliver too: they share what was weakened.
	Also []arn.ARN `json:"also,omitempty"`
}

// delivering is the output of ProveDelivering; see the package comment.
type delivering struct {
	Delivered           bool               `json:"delivered"`
	Reason              string             `json:"reason"`
	At                  time.Time          `json:"at"`
	File                string             `json:"file"`
	EventID             cloudtrail.EventID `json:"event_id"`
	EventName           string             `json:"event_name"`
	FilesChecked        int                `json:"files_checked"`
	LatestDeliveryError string             `json:"latest_delivery_error"`
	Blind               blind              `json:"blind"`
	Gaps                []string           `json:"gaps"`
}

// blind is the window in which nothing was recorded.
type blind struct {
	From    time.Time `json:"from,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Seconds int64     `json:"seconds"`
	Proven  bool      `json:"proven"`
}

// prover looks for the proof once.
type prover struct {
	env    *action.Env
	params deliveringParams
	found  state.FoundTrail
	status state.Status
	since  time.Time
	// us is who our calls were made by; "" where we changed nothing, and any record after since is the proof.
	us  string
	out delivering
}

func proveDelivering(ctx context.Context, env *action.Env, p deliveringParams) (delivering, error) {
	v, err := prove(ctx, env, p)
	if err != nil {
		return delivering{}, err
	}
	for _, other := range p.Also {
		if !v.out.Delivered {
			break
		}
		if other == p.Trail {
			continue
		}
		beside, err := prove(ctx, env, deliveringParams{Trail: other, Since: p.Since})
		if err != nil {
			return delivering{}, err
		}
		v.add(beside.out)
	}
	return v.conclude(ctx)
}

// add takes in what was found about another trail that must deliver too.
func (v *prover) add(o delivering) {
	v.out.Delivered, v.out.FilesChecked = o.Delivered, v.out.FilesChecked+o.FilesChecked
	v.out.Gaps = append(v.out.Gaps, o.Gaps...)
	v.out.Reason += "; " + o.Reason
	if !o.Delivered {
		v.out.Reason, v.out.LatestDeliveryError = o.Reason, o.LatestDeliveryError
	}
}

// prove looks for the proof of one trail.
func prove(ctx context.Context, env *action.Env, p deliveringParams) (*prover, error) {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return nil, err
	}
	v := &prover{env: env, params: p, found: found}
	v.out.Gaps = []string{}
	if v.status, err = found.Status(ctx); err != nil {
		return nil, err
	}
	v.window()
	if v.us, err = v.ourselves(ctx); err != nil {
		return nil, err
	}
	if v.status.IsLogging {
		if err := v.search(ctx); err != nil {
			return nil, err
		}
	}
	v.judge()
	return v, nil
}

// window works out since when log files count, and when nothing was recorded.
func (v *prover) window() {
	v.since = v.status.StartLoggingTime
	occurred := v.env.Incident.Times.Occurred
	if again := v.env.Incident.Times.Again; again.After(occurred) {
		occurred = again
	}
	if occurred.After(v.since) {
		v.since = occurred // the trail was not stopped, but weakened
	}
	if v.params.Since != nil {
		v.since = *v.params.Since
	}
	v.since = v.since.UTC().Truncate(time.Second) // the resolution of CloudTrail's times and of S3's
	from := occurred
	if v.params.BlindFrom != nil {
		from = *v.params.BlindFrom
	}
	if from.IsZero() {
		from = v.status.StopLoggingTime
	}
	v.out.Blind = blind{From: from.UTC(), Until: v.since}
	if d := v.since.Sub(from); !from.IsZero() && d > 0 {
		v.out.Blind.Seconds = int64(d / time.Second)
	}
	v.out.LatestDeliveryError = v.status.LatestDeliveryError
}

// ourselves is the principal of our changes to the trail, "" when this incident made none.
func (v *prover) ourselves(ctx context.Context) (string, error) {
	if v.env.Incident.ID != "" && v.env.Undos != nil {
		changed, err := v.changedByUs(ctx)
		if err != nil || !changed {
			return "", err
		}
	}
	home, err := trail.TargetOfARN(v.params.Trail)
	if err != nil {
		return "", invalid(err)
	}
	caller, err := state.ReadCaller(ctx, v.env.Door, home.Account, home.HomeRegion)
	return caller.ARN, err
}

func (v *prover) changedByUs(ctx context.Context) (bool, error) {
	records, err := v.env.Undos.ListUndos(ctx, v.env.Incident.ID)
	if err != nil {
		return false, fmt.Errorf("read what we changed: %w", err)
	}
	for _, u := range records {
		if u.Done && u.Target == string(v.params.Trail) {
			return true, nil
		}
	}
	return false, nil
}

// maxFiles bounds what one look reads; the next look goes on, since files are read oldest first only until the proof.
const maxFiles = 100

// search reads the log files of the home region that were delivered since.
func (v *prover) search(ctx context.Context) error {
	bucket, err := v.bucket(ctx)
	if err != nil {
		return v.unreadable(ctx, err)
	}
	folders, err := v.folders(ctx, bucket)
	if err != nil {
		return v.unreadable(ctx, err)
	}
	for _, k := range folders {
		prefix, _, _ := strings.Cut(k.String(), k.Time.Format("/2006/"))
		startAfter, _, _ := strings.Cut(k.String(), "Z_")
		for o, err := range bucket.List(ctx, prefix+"/", startAfter) {
			if err != nil {
				return v.unreadable(ctx, err)
			}
			if o.ModifiedAt.Before(v.since) || !isLogFile(o.Key) {
				continue
			}
			if v.out.FilesChecked++; v.out.FilesChecked > maxFiles {
				v.gap("more than %d log files arrived since; the newest were not read", maxFiles)
				return nil
			}
			if done, err := v.read(ctx, bucket, o.Key); err != nil || done {
				return err
			}
		}
	}
	return nil
}

func (v *prover) gap(format string, args ...any) {
	v.out.Gaps = append(v.out.Gaps, brief(fmt.Sprintf(format, args...)))
}

// unreadable: what cannot be read proves nothing, and the next look may be luckier.
func (v *prover) unreadable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	v.gap("log files were not read: %v", err)
	return nil
}

// bucket opens the trail's bucket from the account that it belongs to, where we may go there.
func (v *prover) bucket(ctx context.Context) (*objects.S3, error) {
	t := v.found.Trail
	at, owner := placeOf(t), ""
	if r := v.env.Reserve; r.Bucket == t.S3BucketName && r.Account != "" {
		owner = r.Account
		if _, err := v.env.Door.Config(ctx, r.Account, at.Region); err == nil {
			at.Account = r.Account
		}
	}
	if known, err := fromSnapshot(ctx, v.env, trail.Target{ARN: t.ARN}, v.env.Now()); err == nil && known.trail.S3BucketName == t.S3BucketName {
		owner = known.trail.S3BucketOwner
	}
	look, err := state.ReadBucket(ctx, v.env.Door, t.S3BucketName, firstOf(owner, t.Account()), at)
	if owner == "" && errors.Is(err, state.ErrBucketDenied) {
		look, err = state.ReadBucket(ctx, v.env.Door, t.S3BucketName, "", at)
	}
	if err != nil {
		return nil, err
	}
	if look.OwnerConfirmed {
		owner = firstOf(owner, t.Account())
	}
	cfg, err := v.env.Door.Config(ctx, at.Account, firstOf(look.Region, at.Region))
	if err != nil {
		return nil, err
	}
	return objects.NewS3(cfg, t.S3BucketName, owner), nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// slack is how much older than since a file's name may be: names bear the time of the events, in steps of five minutes.
const slack = 15 * time.Minute

// folders are the places where the trail delivers its owner's events of the home region, as keys from which on to look.
func (v *prover) folders(ctx context.Context, bucket objects.Source) ([]cloudtrail.ObjectKey, error) {
	t := v.found.Trail
	k := cloudtrail.ObjectKey{
		Prefix: t.S3KeyPrefix, AccountID: t.Account(), Kind: cloudtrail.KindLog, Region: t.HomeRegion,
		Time: v.since.Add(-slack), Unique: "x",
	}
	if !t.IsOrganizationTrail {
		return []cloudtrail.ObjectKey{k}, nil
	}
	base := "AWSLogs/"
	if t.S3KeyPrefix != "" {
		base = t.S3KeyPrefix + "/" + base
	}
	all, err := bucket.Folders(ctx, base)
	if err != nil {
		return nil, err
	}
	keys := []cloudtrail.ObjectKey{k} // delivered there too when the trail was the account's own for a while
	for _, folder := range all {
		if id := strings.Trim(strings.TrimPrefix(folder, base), "/"); strings.HasPrefix(id, "o-") {
			k.OrganizationID = id
			keys = append(keys, k)
		}
	}
	return keys, nil
}

func isLogFile(key string) bool {
	k, ok := cloudtrail.ParseObjectKey(key)
	return ok && k.Kind == cloudtrail.KindLog
}

// read looks for the proof in one file.
func (v *prover) read(ctx context.Context, bucket objects.Source, key string) (bool, error) {
	body, err := bucket.Open(ctx, key)
	if err != nil {
		return false, v.unreadable(ctx, err)
	}
	defer body.Close() //nolint:errcheck // it was only read
	records := cloudtrail.NewDecoder(body, cloudtrail.Limits{})
	for {
		item, err := records.Next()
		var bad *cloudtrail.RecordError
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case errors.As(err, &bad):
			continue
		case err != nil:
			return false, v.unreadable(ctx, fmt.Errorf("%s: %w", bucket.URL(key), err))
		}
		if r := &item.Record; v.proves(r) {
			v.out.Delivered, v.out.File, v.out.EventID, v.out.EventName = true, bucket.URL(key), r.EventID, r.EventName
			return true, nil
		}
	}
}

// proves reports whether the record is that of our own call. Where we made none, any call of after the start shows that
// the trail delivers.
func (v *prover) proves(r *cloudtrail.Record) bool {
	if r.Failed() || r.EventTime.Before(v.since.Add(-time.Minute)) {
		return false
	}
	if v.us == "" {
		return !r.EventTime.Before(v.since)
	}
	if v.params.RequestID != "" && r.RequestID == v.params.RequestID {
		return true
	}
	target, err := trail.TargetOf(*r)
	return err == nil && target.ARN == v.params.Trail && r.UserIdentity.ARN == v.us && r.EventName != trail.StopLogging
}

// judge says what was found.
func (v *prover) judge() {
	v.out.At = v.env.Now()
	name := v.found.Trail.Name
	switch {
	case !v.status.IsLogging:
		v.out.Delivered, v.out.Reason = false, fmt.Sprintf("trail %s is not logging", name)
	case v.out.LatestDeliveryError != "":
		v.out.Delivered = false
		v.out.Reason = fmt.Sprintf("trail %s cannot deliver: %s", name, brief(v.out.LatestDeliveryError))
	case !v.out.Delivered:
		v.out.Reason = fmt.Sprintf("no log file with our call has arrived since %s (%d looked at)", v.since.Format(time.RFC3339), v.out.FilesChecked)
	default:
		v.out.Reason = fmt.Sprintf("trail %s delivers: %s is in %s", name, v.out.EventName, v.out.File)
	}
}

// conclude notes the proof, where there is one.
func (v *prover) conclude(ctx context.Context) (delivering, error) {
	if !v.out.Delivered {
		return v.out, nil
	}
	v.out.Blind.Proven = true
	if err := closeBlind(ctx, v.env, v.out.At, true); err != nil {
		return v.out, err
	}
	return v.out, action.Note(ctx, v.env, action.Milestone{
		Name: "delivering", Text: v.out.Reason, Data: v.out, At: v.out.At,
		Of: func(t *incident.Times) *time.Time { return &t.Proven },
	})
}
