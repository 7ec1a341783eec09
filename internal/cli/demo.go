// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/state"
)

type demoCommand struct {
	Runbook string `arg:"" optional:"" help:"Which runbook to show." default:"cloudtrail-off" enum:"cloudtrail-off"`
	Once    bool   `help:"End by itself: exit status 0 only if the trail really records again and somebody was told."`
	outputFlag
}

// Help is the long help.
func (demoCommand) Help() string {
	return `A sandbox account with a trail in all regions. Alice assumes a role and stops the trail; Switchback puts it back, proves
it, finds the human behind the role, tells people and writes the report. A second attempt, which AWS refuses, is told
apart. Nothing leaves this computer, but for messages to channels that your configuration names.

State, reports and the sandbox itself are kept in a new temporary folder, or in --state DIR. There a second demo plays
in an account of its own beside the first; a folder that serve uses is refused.

Example:
  switchback demo --once
  switchback demo --output json | jq .who`
}

const (
	demoRegion   = "eu-west-1"
	demoDelivery = 2 * time.Second // how long the sandbox collects records before it delivers a log file
	demoLimit    = 28 * time.Second
)

// Run plays the demo.
func (c *demoCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	d, err := newDemo(ctx, s, g, c)
	if err != nil {
		return err
	}
	return errors.Join(d.play(ctx), d.close(ctx))
}

// demo is one performance.
type demo struct {
	*installation
	s      *streams
	quiet  bool
	stage  demoStage
	box    *sandbox.Sandbox
	seeded sandbox.Seeded
	attack time.Time
	mu     sync.Mutex // guards the terminal and attack
}

func newDemo(ctx context.Context, s *streams, g *grammar, c *demoCommand) (*demo, error) {
	users, path, err := loadConfig(g)
	if err != nil {
		return nil, err
	}
	d := &demo{s: s, quiet: c.isJSON()}
	if d.stage, err = setDemoStage(g.State); err != nil {
		return nil, err
	}
	if err := d.openSandbox(ctx); err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	conf, err := d.config(users)
	if err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	if d.installation, err = openInstallation(ctx, conf, g.logger(s)); err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	d.extra = overrides{backend: d.box, poll: time.Second, watch: d.watch}
	if err := d.openChannels(users, path); err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	if err := d.openSystem(ctx); err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	return d, nil
}

// close closes what was opened so far.
func (d *demo) close(ctx context.Context) error {
	switch {
	case d.installation != nil:
		return d.installation.close(ctx)
	case d.box != nil:
		return d.box.Close()
	}
	return nil
}

func (d *demo) openSandbox(ctx context.Context) error {
	var err error
	d.box, err = sandbox.Open(sandbox.Options{Seed: d.stage.number, StateFile: d.stage.journal, DeliveryDelay: demoDelivery})
	if err != nil {
		return fmt.Errorf("open the sandbox: %w", err)
	}
	if d.seeded, err = d.box.Seed(ctx, sandbox.Seed{Account: d.stage.account, Region: demoRegion}); err != nil {
		return fmt.Errorf("seed the sandbox: %w", err)
	}
	return nil
}

// openChannels prints every message, and sends it where the user's configuration says how. Channels of AWS send into the
// sandbox.
func (d *demo) openChannels(users config, path string) error {
	d.extra.channels = []notify.Channel{{Name: "terminal", Notifier: terminal{d}}}
	if path == builtInConfig || len(users.Channels) == 0 {
		return nil
	}
	d.installation.config.Channels, d.extra.configured = users.Channels, true
	if _, err := d.channels(nil); err != nil { // now, since only here is known where it is written
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// demoStage is where a demo plays: each in a folder plays in an account of its own, whose sandbox is kept beside it.
type demoStage struct {
	dir     string
	number  uint64 // of demos before it
	account string
	journal string
}

// firstDemoAccount is that of the first demo in a folder; it is the sandbox's default, for who looks at it afterwards.
const firstDemoAccount = 111122223333

// setDemoStage finds the place for a demo in dir, or in a new temporary folder.
func setDemoStage(dir string) (demoStage, error) {
	var err error
	if dir == "" {
		if dir, err = os.MkdirTemp("", "switchback-demo-"); err != nil {
			return demoStage{}, fmt.Errorf("make state folder: %w", err)
		}
	}
	earlier, err := filepath.Glob(filepath.Join(dir, "sandbox-*.jsonl"))
	if err != nil {
		return demoStage{}, fmt.Errorf("look into state folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, databaseFile)); err == nil && len(earlier) == 0 {
		return demoStage{}, withHint(fmt.Errorf("the state folder %s is in use and was not made by a demo", dir),
			"the demo acts in a sandbox, what is kept there is real: leave --state and SWITCHBACK_STATE out, or name another folder")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return demoStage{}, withHint(fmt.Errorf("make state folder: %w", err), "choose another with --state DIR")
	}
	account := fmt.Sprintf("%012d", firstDemoAccount+len(earlier))
	return demoStage{dir, uint64(len(earlier)), account, filepath.Join(dir, "sandbox-"+account+".jsonl")}, nil
}

// config is that of the demo: of the user's only who the security team and the fallback are.
func (d *demo) config(users config) (config, error) {
	c := config{
		State: d.stage.dir, Store: "sqlite", Region: demoRegion, Policy: []gate.Rule{{Mode: "act"}},
		Security: users.Security, Fallback: users.Fallback,
	}
	if len(c.Security.people()) == 0 {
		c.Security = securityConfig{To: []personConfig{demoSecurity}, Call: "the security team (" + demoSecurity.Email + ")"}
	}
	if len(c.Fallback.people()) == 0 {
		c.Fallback = demoSecurity
	}
	people, err := d.directoryFile(c.State)
	if err != nil {
		return config{}, err
	}
	c.People = []entry{{Type: "file", text: []byte("path: " + strconv.Quote(people) + "\n")}}
	queue, err := json.Marshal(map[string]string{"queue_url": d.seeded.QueueURL, "account": d.seeded.Account, "region": d.seeded.Region, "wait": "1s"})
	if err != nil {
		return config{}, err
	}
	c.Sources = []entry{{Type: "sqs", text: queue}}
	return c, nil
}

// demoSecurity stands for the security team where the configuration names none.
var demoSecurity = personConfig{Name: "Security team", Email: "security@example.com"}

// directoryFile writes down who the users of the sandbox are.
func (d *demo) directoryFile(dir string) (string, error) {
	file := filepath.Join(dir, "people.yaml")
	text := `people:
  - {name: Alice Example, email: alice@example.com, principals: [alice]}
  - {name: Bob Example, email: bob@example.com, principals: [bob]}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write down who is who: %w", err)
	}
	return file, nil
}

// play runs the pipeline, attacks, and waits for the end of both responses.
func (d *demo) play(ctx context.Context) error {
	if err := d.approveBaseline(ctx); err != nil {
		return err
	}
	dead, err := openDead(d.installation.config)
	if err != nil {
		return err
	}
	sources, err := d.sources(d.system.Gate, dead)
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.system.Run(running, sources...) }()
	err = d.act(ctx)
	cancel()
	if runErr := <-ended; err == nil {
		err = runErr
	}
	return err
}

// approveBaseline takes what the sandbox looks like; whoever made it is who approves it.
func (d *demo) approveBaseline(ctx context.Context) error {
	if err := d.takeSnapshots(ctx, accountConfig{ID: d.seeded.Account, Regions: []string{demoRegion}}); err != nil {
		return err
	}
	all, err := state.Baselines(ctx, d.db)
	if err != nil {
		return err
	}
	for _, b := range all {
		_, newest := b.Newest()
		if err := d.db.TrustSnapshot(ctx, newest.Trusted("demo", "approved", d.clock())); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) act(ctx context.Context) error {
	d.printf("A sandbox account %s with the trail %s, which logs in all regions.\n", d.seeded.Account, d.seeded.TrailARN)
	d.printf("State: %s\n\n", d.installation.config.State)
	ctx, cancel := context.WithTimeout(ctx, demoLimit)
	defer cancel()
	if err := d.stop(ctx); err != nil {
		return fmt.Errorf("stage the attack: %w", err)
	}
	if _, err := d.wait(ctx, isContained); err != nil {
		return demoStuck(err)
	}
	if err := d.attempt(ctx); err != nil {
		return fmt.Errorf("stage the attempt: %w", err)
	}
	list, err := d.wait(ctx, d.haveEnded)
	if err != nil {
		return demoStuck(err)
	}
	return d.conclude(ctx, list)
}

func demoStuck(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("the demo was ended early")
	}
	return withHint(fmt.Errorf("the demo did not end in time: %w", err), "look at the timeline above; --log debug tells more")
}

// stop is the attack: alice assumes the role and stops the trail.
func (d *demo) stop(ctx context.Context) error {
	alice, bob := d.seeded.AccessKeys["alice"], d.seeded.AccessKeys["bob"]
	for key, ip := range map[string]string{alice: "198.51.100.7", bob: "203.0.113.9"} {
		if err := d.box.SetSource(key, sandbox.Source{IP: ip, UserAgent: demoAgent}); err != nil {
			return err
		}
	}
	session, err := d.invoke(ctx, alice, "STS.AssumeRole", map[string]string{"RoleArn": d.seeded.RoleARN, "RoleSessionName": "maintenance"})
	if err != nil {
		return err
	}
	var issued struct{ Credentials struct{ AccessKeyID string } }
	if err := json.Unmarshal(session, &issued); err != nil {
		return err
	}
	d.mu.Lock()
	d.attack = time.Now()
	d.mu.Unlock()
	d.printf("  0.000 s  %-9s alice assumes the role Deploy as \"maintenance\" and calls StopLogging\n", "attack")
	_, err = d.invoke(ctx, issued.Credentials.AccessKeyID, "CloudTrail.StopLogging", map[string]string{"Name": d.seeded.TrailARN})
	return err
}

// attempt is the second one: bob tries to delete the trail, and AWS refuses.
func (d *demo) attempt(ctx context.Context) error {
	bob := strings.Replace(d.seeded.RoleARN, "role/Deploy", "user/bob", 1)
	if err := d.box.Deny(bob, "cloudtrail:DeleteTrail"); err != nil {
		return err
	}
	d.mu.Lock()
	since := time.Since(d.attack).Seconds()
	d.mu.Unlock()
	d.printf("%7.3f s  %-9s bob calls DeleteTrail, which AWS refuses\n", since, "attempt")
	if _, err := d.invoke(ctx, d.seeded.AccessKeys["bob"], "CloudTrail.DeleteTrail", map[string]string{"Name": d.seeded.TrailARN}); err == nil {
		return errors.New("bob's DeleteTrail was not refused")
	}
	return nil
}

const demoAgent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0"

func (d *demo) invoke(ctx context.Context, key, name string, input any) (json.RawMessage, error) {
	data, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	return d.box.Invoke(ctx, name, data, gate.Request{
		Account: d.seeded.Account, Region: demoRegion, AccessKeyID: key, UserAgent: demoAgent, RequestID: "demo-" + name,
	})
}

// wait returns the incidents once they are as asked. The sandbox delivers log files when its clock says so.
func (d *demo) wait(ctx context.Context, until func(context.Context, []incident.Incident) bool) ([]incident.Incident, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		d.box.Deliver()
		list, err := d.db.List(ctx, incident.Filter{Account: d.seeded.Account})
		if err != nil {
			return nil, err
		}
		if until(ctx, list) {
			return list, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

func isContained(_ context.Context, list []incident.Incident) bool {
	return len(list) > 0 && !list[0].Times.Contained.IsZero()
}

// haveEnded: the stop and the attempt are there, and every run of theirs has ended.
func (d *demo) haveEnded(ctx context.Context, list []incident.Incident) bool {
	for _, inc := range list {
		for _, run := range inc.Runs {
			e, err := d.system.Engine.Describe(ctx, run.Execution)
			if err != nil || e.Status == asl.Running {
				return false
			}
		}
	}
	return len(list) >= 2
}
