// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
)

// An organization of a hundred accounts under one trail is watched with fewer than half a million calls a month.
func TestWatchCostOfAnOrganization(t *testing.T) {
	var c costs
	check(t, json.Unmarshal([]byte(fine(t, "watch", "cost", "--accounts", "100", "--organization", "--output", "json")), &c))
	sum := 0.0
	for _, l := range c.Lines {
		sum += l.Calls
	}
	if c.Calls >= 500_000 || c.Calls != sum || c.Calls == 0 || c.Accounts != 100 || c.Trails != 1 || c.USD.Events != 0 {
		t.Errorf("%+v", c)
	}
}

// Without flags the trails are counted that are watched already.
func TestWatchCostOfWhatIsKnown(t *testing.T) {
	dir := t.TempDir()
	check(t, os.MkdirAll(dir, 0o700))
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, databaseFile), sqlite.Options{})
	check(t, err)
	for i, account := range []string{"111122223333", "111122223333", "444455556666"} {
		check(t, db.PutSnapshot(t.Context(), state.Snapshot{
			Resource: arn.Trail("eu-west-1", account, fmt.Sprintf("trail-%d", i)), Kind: state.KindTrail, TakenAt: time.Now(), Content: []byte(`{}`),
		}))
	}
	check(t, db.Close())
	var c costs
	check(t, json.Unmarshal([]byte(fine(t, "--state", dir, "watch", "cost", "--output", "json")), &c))
	if c.Trails != 3 || c.PaidCopies != 1 {
		t.Errorf("%+v", c)
	}
}
