// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 20 * time.Second
)

// access is the only way to the Fetcher: it bounds the requests under way and repeats those that may be repeated. A slot
// is held while waiting to repeat, so that throttling lowers the rate by itself.
type access struct {
	fetcher  Fetcher
	slots    chan struct{}
	attempts int
	wait     func(context.Context, time.Duration) error
}

func newAccess(f Fetcher, o Options) *access {
	return &access{fetcher: f, slots: make(chan struct{}, o.Concurrency), attempts: o.Attempts, wait: o.Wait}
}

func (a *access) do(ctx context.Context, request func() error) error {
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.slots }()
	for n := 1; ; n++ {
		err := request()
		var again *RetryError
		if err == nil || n >= a.attempts || !errors.As(err, &again) {
			return err
		}
		if waitErr := a.wait(ctx, backoff(n, again.After)); waitErr != nil {
			return errors.Join(waitErr, err)
		}
	}
}

// backoff doubles from firstBackoff and is spread by half, so that parallel requests do not come back together.
func backoff(attempt int, after time.Duration) time.Duration {
	d := min(firstBackoff<<min(attempt-1, 10), maxBackoff)
	d = d/2 + rand.N(d/2)
	return max(d, after)
}

func waitTimer(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *access) list(ctx context.Context, req ListRequest) (page Page, err error) {
	err = a.do(ctx, func() error {
		page, err = a.fetcher.List(ctx, req)
		return err
	})
	return page, err
}

// eachKey calls use for every key under the prefix in ascending order until it returns false.
func (a *access) eachKey(ctx context.Context, req ListRequest, use func(key string) bool) error {
	for {
		page, err := a.list(ctx, req)
		if err != nil {
			return err
		}
		for _, key := range page.Keys {
			if !use(key) {
				return nil
			}
		}
		if page.Next == "" {
			return nil
		}
		req.Token = page.Next
	}
}

// folders returns the names of the folders right under prefix, which ends in a slash.
func (a *access) folders(ctx context.Context, bucket, prefix string) ([]string, error) {
	var names []string
	req := ListRequest{Bucket: bucket, Prefix: prefix, Delimiter: "/"}
	for {
		page, err := a.list(ctx, req)
		if err != nil {
			return nil, err
		}
		for _, p := range page.Prefixes {
			names = append(names, p[len(prefix):len(p)-1])
		}
		if page.Next == "" {
			return names, nil
		}
		req.Token = page.Next
	}
}

// get opens an object and lets use read it. A body that breaks off is asked for again, so use MUST start over each time.
func (a *access) get(ctx context.Context, bucket, key string, use func(*Object) error) error {
	return a.do(ctx, func() error {
		object, err := a.fetcher.Get(ctx, bucket, key)
		if err != nil {
			return err
		}
		err = use(object)
		if closeErr := object.Body.Close(); err == nil {
			err = closeErr // a Recorder says here that the copy is not complete
		}
		var broken *readError
		if errors.As(err, &broken) {
			return &RetryError{Err: broken}
		}
		return err
	})
}

func (a *access) publicKeys(ctx context.Context, region string, from, to time.Time) (keys []PublicKey, err error) {
	err = a.do(ctx, func() error {
		keys, err = a.fetcher.PublicKeys(ctx, region, from, to)
		return err
	})
	return keys, err
}
