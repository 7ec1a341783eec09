// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/switchback-project/switchback/cloudtrail/digest/digesttest"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
)

// The daemon validates a bucket by itself: a log file that is changed becomes an incident, and is kept before the
// intruder can remove it. S3 and the account are moto's, the keys those of the world, which moto lacks.
func TestServeValidatesContinuously(t *testing.T) {
	if testing.Short() {
		t.Skip("moto takes real time")
	}
	w := digesttest.NewWorld()
	// The newest digest file is an hour old, as it may be.
	e := evidence{w, w.Trail(digesttest.Trail{LogFiles: 2, Now: time.Now().UTC().Truncate(time.Hour).Add(-4 * time.Hour)}).Hours(3)}
	changed := e.trail.Logs[3]
	e.Edit(changed, func(c []byte) []byte { return append(c, ' ') })
	endpoint := gatetest.StartMoto(t)
	e.upload(t, s3.NewFromConfig(gatetest.MotoConfig(t, motoAccount, motoRegion), func(o *s3.Options) { o.UsePathStyle = true }))
	moto, err := url.Parse(endpoint)
	check(t, err)
	proxy, keys := httputil.NewSingleHostReverseProxy(moto), e.Handler()
	trails := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListPublicKeys") {
			keys.ServeHTTP(rw, r)
			return
		}
		proxy.ServeHTTP(rw, r)
	}))
	defer trails.Close()
	dir := t.TempDir()
	config := writeFile(t, dir, "switchback.yaml", fmt.Sprintf(`
state: %s
region: %s
accounts: [{id: %q, role_arn: %q, regions: [%s]}]
policy: [{mode: act}]
sources: [{type: integrity, bucket: %s, account: %q, region: %s, every: 1s}]
`, filepath.Join(dir, "state"), motoRegion, motoAccount, responderRole, motoRegion, e.trail.Bucket, motoAccount, motoRegion))
	environment := []string{
		"AWS_ENDPOINT_URL=" + endpoint, "AWS_ENDPOINT_URL_CLOUDTRAIL=" + trails.URL,
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=example",
	}
	daemon := startChild(t, childMain, environment, "--config", config, "serve")
	daemon.ready()
	until(t, "an incident with its report", func() bool {
		if daemon.hasEnded() {
			t.Fatalf("serve ended: %s", daemon.err.String())
		}
		list := incidents(t, config)
		return len(list) == 1 && !list[0].Times.Reported.IsZero()
	})
	if status := daemon.end(); status != exitFine {
		t.Errorf("serve: exit status %d: %s", status, daemon.err.String())
	}
	list := incidents(t, config)
	inc := list[0]
	if len(list) != 1 || inc.Key.Runbook != "log-integrity" || inc.Count != 1 || inc.Standing != "evidence kept" || inc.Times.Contained.IsZero() {
		t.Errorf("%d incidents, %+v", len(list), inc)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "state", "evidence", string(inc.ID), inc.Runs[0].Execution, "s3", changed.Bucket, filepath.FromSlash(changed.Key)))
	if err != nil || !bytes.Equal(kept, e.Object(changed.Bucket, changed.Key).Body) {
		t.Errorf("kept %d bytes, %v", len(kept), err)
	}
}
