// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/source"
)

const (
	// lookback is how much older than the newest a file may be that appears late: several files share a time stamp, their
	// names end at random, and deliveries overtake each other.
	lookback = time.Hour
	// sweep is how often a folder is listed from its beginning, for what appears later still and for files that could not
	// be fetched.
	sweep = time.Hour
	// settled is how long after its day's end a folder may still get files.
	settled = 6 * time.Hour
)

// region is the folder of one account and region. One goroutine at a time works on it.
type region struct {
	folder string
	days   map[string]*day // by "2006/01/02/"
}

// day is the folder of one day.
type day struct {
	done   map[string]bool  // the log files that were delivered or put aside
	failed map[string]error // those that could not be, and are tried again
	newest cloudtrail.ObjectKey
	// sweptAt is when the folder was listed whole; isClosed that nothing is expected in it any more.
	sweptAt  time.Time
	isClosed bool
}

// look is one poll.
type look struct {
	s      *Source
	bucket *objects.S3
	now    time.Time
	handle source.Handler
}

// region looks into the folders of yesterday and today: a late event lies in a later folder, a file of midnight in
// either.
func (l look) region(ctx context.Context, r *region) (files int, err error) {
	today := l.now.Truncate(24 * time.Hour)
	days := map[string]*day{}
	var failures []error
	for _, begin := range []time.Time{today.AddDate(0, 0, -1), today} {
		name := begin.Format("2006/01/02/")
		d := r.days[name]
		if d == nil {
			d = &day{done: map[string]bool{}, failed: map[string]error{}}
		}
		days[name] = d
		delete(r.days, name)
		if d.isClosed {
			continue
		}
		n, err := l.day(ctx, d, r.folder+name)
		files, failures = files+n, append(failures, err)
		d.isClosed = err == nil && d.sweptAt.Sub(begin) > 24*time.Hour+settled
	}
	for name, d := range r.days {
		if err := l.giveUp(ctx, d); err != nil {
			days[name] = d // the next time
			failures = append(failures, err)
		}
	}
	r.days = days
	return files, errors.Join(failures...)
}

// day delivers the new files of one folder in the order of their keys. One that fails keeps no other back.
func (l look) day(ctx context.Context, d *day, folder string) (files int, err error) {
	from := d.startAfter(folder)
	if l.now.Sub(d.sweptAt) >= sweep {
		from = ""
	}
	var failures []error
	for object, err := range l.bucket.List(ctx, folder, from) {
		if err != nil {
			return files, errors.Join(append(failures, err)...)
		}
		key, ok := cloudtrail.ParseObjectKey(object.Key)
		if !ok || key.Kind != cloudtrail.KindLog || d.done[object.Key] {
			continue
		}
		err := l.file(ctx, object)
		if ctx.Err() != nil {
			return files, ctx.Err()
		}
		if err != nil {
			d.failed[object.Key] = err
			failures = append(failures, err)
			continue
		}
		d.finish(object.Key, key)
		files++
	}
	if from == "" {
		d.sweptAt = l.now
	}
	return files, errors.Join(failures...)
}

// startAfter is where a listing begins: the names of log files sort by account, region and time.
func (d *day) startAfter(folder string) string {
	if d.newest.Time.IsZero() {
		return ""
	}
	from := d.newest.Time.Add(-lookback)
	return fmt.Sprintf("%s%s_%s_%s_%s", folder, d.newest.AccountID, d.newest.Kind, d.newest.Region, from.UTC().Format("20060102T1504"))
}

func (d *day) finish(name string, key cloudtrail.ObjectKey) {
	d.done[name] = true
	delete(d.failed, name)
	if key.Time.After(d.newest.Time) {
		d.newest = key
	}
}

func (l look) file(ctx context.Context, object objects.Object) error {
	body, err := l.bucket.Open(ctx, object.Key)
	if err != nil {
		return err
	}
	defer body.Close()
	origin := source.Origin{Via: via, From: l.bucket.URL(object.Key), DeliveredAt: object.ModifiedAt}
	err = source.Decode(ctx, body, origin, cloudtrail.Limits{}, l.handle)
	if err == nil || !source.IsHopeless(err) {
		return err
	}
	return l.s.services.PutAside(ctx, via, origin.From, nil, err)
}

// giveUp puts aside what could not be delivered as long as its folder was looked at.
func (l look) giveUp(ctx context.Context, d *day) error {
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(d.failed)) {
		failures = append(failures, l.s.services.PutAside(ctx, via, l.bucket.URL(name), nil, d.failed[name]))
	}
	return errors.Join(failures...)
}
