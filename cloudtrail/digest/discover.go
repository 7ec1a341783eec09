// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// knownScope is an account and region to look at, and why an empty one is remarkable.
type knownScope struct {
	Scope
	isExpected bool // asked for by name, or proven before
}

var (
	accountName      = regexp.MustCompile(`^\d{12}$`)
	organizationName = regexp.MustCompile(`^o-[a-z0-9]+$`)
)

// scopes finds the accounts and regions to look at, sorted, and what could not be listed.
func (r *run) scopes(ctx context.Context) ([]knownScope, []Result, error) {
	if r.opts.AWSCompatible {
		return []knownScope{{r.req.compatibleScope(), true}}, nil, nil
	}
	d := &discovery{run: r, found: make(map[Scope]bool)}
	d.resumed()
	roots := d.organizations(ctx)
	for _, root := range roots {
		d.working.Go(func() { d.accounts(ctx, root, len(roots) > 1) })
	}
	d.working.Wait()
	d.absent(ctx, len(roots) > 1)
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	var scopes []knownScope
	for s, isExpected := range d.found {
		scopes = append(scopes, knownScope{s, isExpected})
	}
	slices.SortFunc(scopes, func(a, b knownScope) int { return a.compare(b.Scope) })
	slices.SortFunc(d.troubles, func(a, b Result) int { return cmp.Compare(a.Detail, b.Detail) })
	if len(scopes) == 0 && len(d.troubles) == 0 {
		d.troubles = append(d.troubles, nothingFound(d.base(), "no account with CloudTrail files is under s3://"+r.req.Bucket+"/"+r.req.Prefix))
	}
	return scopes, d.troubles, nil
}

func nothingFound(s Scope, detail string) Result {
	return Result{Scope: s, Subject: SubjectChain, Code: CodeNothingFound, Severity: SeverityError, Detail: detail}
}

func (s Scope) compare(o Scope) int {
	backfill := func(s Scope) string {
		if s.Backfill {
			return "1"
		}
		return ""
	}
	return slices.Compare(
		[]string{s.Bucket, s.Prefix, s.Organization, s.Account, s.Region, s.Trail, s.HomeRegion, backfill(s)},
		[]string{o.Bucket, o.Prefix, o.Organization, o.Account, o.Region, o.Trail, o.HomeRegion, backfill(o)})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// discovery collects accounts and regions from folder names.
type discovery struct {
	run     *run
	working sync.WaitGroup
	// baseNames are the folders right under AWSLogs, once they were listed.
	baseNames []string

	mu       sync.Mutex
	found    map[Scope]bool // value: expected
	troubles []Result
}

func (d *discovery) base() Scope { return Scope{Bucket: d.run.req.Bucket, Prefix: d.run.req.Prefix} }

func (d *discovery) add(s Scope, isExpected bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.found[s] = d.found[s] || isExpected
}

func (d *discovery) trouble(s Scope, err error, prefix string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.troubles = append(d.troubles, unreadable(s, SubjectChain, err, "list s3://"+s.Bucket+"/"+prefix))
}

// resumed adds what was proven before: that it is gone now must not go unnoticed.
func (d *discovery) resumed() {
	if d.run.opts.Resume == nil {
		return
	}
	req := d.run.req
	for _, c := range d.run.opts.Resume.Chains {
		s := c.Scope
		s.Trail, s.HomeRegion, s.Backfill = "", "", false
		isMeant := d.run.isMeant(c.Scope) && s.Bucket == req.Bucket && s.Prefix == req.Prefix &&
			(req.Organization == "" || s.Organization == req.Organization) &&
			(len(req.Accounts) == 0 || slices.Contains(req.Accounts, s.Account)) &&
			(len(req.Regions) == 0 || slices.Contains(req.Regions, s.Region))
		if isMeant {
			d.add(s, true)
		}
	}
}

// organizations returns a scope for the accounts right under AWSLogs and one for each organization there.
func (d *discovery) organizations(ctx context.Context) []Scope {
	base := d.base()
	if d.run.req.Organization != "" {
		base.Organization = d.run.req.Organization
		return []Scope{base}
	}
	roots := []Scope{base}
	names, err := d.run.access.folders(ctx, base.Bucket, base.logsRoot())
	if err != nil {
		d.trouble(base, err, base.logsRoot())
		return d.named(roots)
	}
	d.baseNames = names
	for _, name := range names {
		if organizationName.MatchString(name) {
			root := base
			root.Organization = name
			roots = append(roots, root)
		}
	}
	return roots
}

// named keeps roots only when the accounts need not be listed.
func (d *discovery) named(roots []Scope) []Scope {
	if len(d.run.req.Accounts) == 0 {
		return nil
	}
	return roots
}

// accounts looks at the accounts under a root: all that are there, or of those that were named. With one root only, the
// named ones need not be looked for.
func (d *discovery) accounts(ctx context.Context, root Scope, isOneOfSeveral bool) {
	accounts := d.run.req.Accounts
	if len(accounts) == 0 || isOneOfSeveral {
		names, err := d.baseNames, error(nil)
		if names == nil || root != d.base() {
			names, err = d.run.access.folders(ctx, root.Bucket, root.logsRoot())
		}
		if err != nil {
			d.trouble(root, err, root.logsRoot())
			return
		}
		accounts = slices.DeleteFunc(slices.Clone(names), func(n string) bool {
			return !accountName.MatchString(n) || len(d.run.req.Accounts) > 0 && !slices.Contains(d.run.req.Accounts, n)
		})
	}
	for _, account := range accounts {
		s := root
		s.Account = account
		d.working.Go(func() { d.regions(ctx, s) })
	}
}

// absent adds the named accounts that are under none of several roots where they would be without an organization: that
// nothing is there must not go unnoticed.
func (d *discovery) absent(ctx context.Context, hasSeveral bool) {
	if !hasSeveral || len(d.troubles) > 0 {
		return
	}
	for _, account := range d.run.req.Accounts {
		isFound := slices.ContainsFunc(slices.Collect(maps.Keys(d.found)), func(s Scope) bool { return s.Account == account })
		if !isFound {
			s := d.base()
			s.Account = account
			d.regions(ctx, s)
		}
	}
}

func (d *discovery) regions(ctx context.Context, account Scope) {
	req := d.run.req
	isOwn := req.Trail.AccountID == account.Account && account.Organization == req.Organization
	for _, region := range req.Regions {
		s := account
		s.Region = region
		d.add(s, isOwn || len(req.Accounts) == 0 || account.Organization == req.Organization)
	}
	if len(req.Regions) > 0 {
		return
	}
	found := d.regionNames(ctx, account)
	if isOwn && req.Trail.HomeRegion != "" {
		found[req.Trail.HomeRegion] = true
	}
	for _, region := range sortedKeys(found) {
		s := account
		s.Region = region
		d.add(s, isOwn && region == req.Trail.HomeRegion)
	}
}

// regionNames are the regions of an account that have digest files or log files.
func (d *discovery) regionNames(ctx context.Context, account Scope) map[string]bool {
	found := make(map[string]bool)
	var listing sync.WaitGroup
	var mu sync.Mutex
	for _, kind := range []string{"/CloudTrail-Digest/", "/CloudTrail/"} {
		listing.Go(func() {
			prefix := account.logsRoot() + account.Account + kind
			names, err := d.run.access.folders(ctx, account.Bucket, prefix)
			if err != nil {
				d.trouble(account, err, prefix)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, name := range names {
				found[name] = true
			}
		})
	}
	listing.Wait()
	return found
}

// listing is the digest keys of one account and region in the requested range, by chain.
type listing map[Scope][]string

// list finds the digest files of a scope that end between the start and an hour after end, because what was delivered
// near the end is digested in the hour after.
func (r *run) list(ctx context.Context, s Scope) (listing, error) {
	found := make(listing)
	folder := s.digestFolder()
	last := r.req.End.Add(digestHour)
	lastFolder := folder + last.Format(dayLayout) + "/\xff"
	req := ListRequest{Bucket: s.Bucket, Prefix: folder, StartAfter: folder + r.req.Start.Format(dayLayout)}
	err := r.access.eachKey(ctx, req, func(key string) bool {
		if strings.Compare(key, lastFolder) > 0 {
			return false
		}
		chain, end, ok := s.ofKey(key)
		// To the second, as the AWS CLI compares the texts.
		if ok && !end.Before(r.req.Start.Truncate(1e9)) && !end.After(last) {
			found[chain] = append(found[chain], key)
			r.digestsListed.Add(1)
		}
		return true
	})
	return found, err
}
