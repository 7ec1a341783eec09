// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digesttest

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail/digest"
)

// Client is a Fetcher over HTTP for a Handler: what benchmarks measure is then the whole way, without the AWS SDK. Public
// keys come from the world.
type Client struct {
	URL   string
	World *World
	HTTP  *http.Client
}

var _ digest.Fetcher = (*Client)(nil)

func (c *Client) do(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.HTTP.Do(req)
	if err != nil || resp.StatusCode == http.StatusOK {
		return resp, err
	}
	_, _ = io.Copy(io.Discard, resp.Body) // only to reuse the connection
	resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("get %s: %w", path, digest.ErrNotFound)
	}
	return nil, fmt.Errorf("get %s: %s", path, resp.Status)
}

// List implements digest.Fetcher.
func (c *Client) List(ctx context.Context, req digest.ListRequest) (digest.Page, error) {
	q := url.Values{"list-type": {"2"}, "prefix": {req.Prefix}, "start-after": {req.StartAfter}, "delimiter": {req.Delimiter}}
	if req.Token != "" {
		q.Set("continuation-token", req.Token)
	}
	resp, err := c.do(ctx, "/"+req.Bucket+"?"+q.Encode())
	if err != nil {
		return digest.Page{}, err
	}
	defer resp.Body.Close()
	var list xmlList
	if err := xml.NewDecoder(resp.Body).Decode(&list); err != nil {
		return digest.Page{}, err
	}
	page := digest.Page{Next: list.NextContinuationToken}
	for _, o := range list.Contents {
		page.Keys = append(page.Keys, o.Key)
	}
	for _, p := range list.CommonPrefixes {
		page.Prefixes = append(page.Prefixes, p.Prefix)
	}
	return page, nil
}

// Get implements digest.Fetcher.
func (c *Client) Get(ctx context.Context, bucket, key string) (*digest.Object, error) {
	resp, err := c.do(ctx, (&url.URL{Path: "/" + bucket + "/" + key}).EscapedPath())
	if err != nil {
		return nil, err
	}
	meta := make(map[string]string)
	for name, values := range resp.Header {
		if rest, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
			meta[rest] = values[0]
		}
	}
	return &digest.Object{Body: resp.Body, Metadata: meta}, nil
}

// PublicKeys implements digest.Fetcher.
func (c *Client) PublicKeys(ctx context.Context, region string, from, to time.Time) ([]digest.PublicKey, error) {
	return c.World.PublicKeys(ctx, region, from, to)
}
