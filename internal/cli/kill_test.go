// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// killsAtOnce is how many daemons run side by side; they mostly wait.
const killsAtOnce = 12

// TestKill kills serve before and after every transition and every change in AWS, and before and after other durable
// writes (a seeded tenth; all with SWITCHBACK_SOAK=1). Each time the daemon is started again, as it is, and must end where
// the one ended that was never disturbed.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: kills some hundred daemons")
	}
	t.Parallel()
	scene := newScene(t)
	undisturbed, moments := scene.undisturbed(t)
	t.Logf("undisturbed: %d transitions, %d changes, %d other writes, path %s",
		moments[atTransition], moments[atChange], moments[atWrite], undisturbed.Runs)
	turn := make(chan struct{}, killsAtOnce)
	var all sync.WaitGroup
	for _, m := range killMoments(moments) {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			t.Run(fmt.Sprintf("%s %d after=%t", m.Kind, m.At, m.After), func(t *testing.T) { scene.kill(t, m, undisturbed) })
		})
	}
	all.Wait()
}

// killMoments are those of an undisturbed run and a few more, for runs differ in how often they look for a log file.
func killMoments(count map[string]int) []*mortal {
	var all []*mortal
	sample := rand.New(rand.NewPCG(1, 2))
	for _, kind := range []string{atTransition, atChange, atWrite} {
		for n := 1; n <= count[kind]; n++ {
			for _, after := range []bool{false, true} {
				if kind == atWrite && os.Getenv("SWITCHBACK_SOAK") == "" && sample.IntN(10) > 0 {
					continue
				}
				all = append(all, &mortal{Kind: kind, At: n, After: after})
			}
		}
	}
	return all
}

// scene is a sandbox account after an attack that nobody has seen yet, and a daemon's folder from before it: what every
// run starts from.
type scene struct {
	dir    string
	seeded sandbox.Seeded
}

const (
	sceneRegion = "eu-west-1"
	journalFile = "sandbox.journal"
)

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{dir: t.TempDir()}
	box, err := sandbox.Open(sandbox.Options{StateFile: filepath.Join(s.dir, journalFile), DeliveryDelay: 900 * time.Millisecond})
	check(t, err)
	s.seeded, err = box.Seed(t.Context(), sandbox.Seed{Region: sceneRegion})
	check(t, err)
	s.snapshot(t, box)
	s.attack(t, box)
	check(t, box.Close())
	return s
}

// snapshot is what the daemon did before the attack: it looked at the trail.
func (s *scene) snapshot(t *testing.T, box *sandbox.Sandbox) {
	t.Helper()
	c := config{State: filepath.Join(s.dir, "state"), Region: sceneRegion}
	in, err := openInstallation(t.Context(), c, slog.New(slog.DiscardHandler))
	check(t, err)
	in.extra.backend = box
	check(t, in.assemble(t.Context(), true))
	check(t, in.takeSnapshots(t.Context(), accountConfig{ID: s.seeded.Account, Regions: []string{sceneRegion}}))
	in.extra.backend = nil // it goes on
	check(t, in.close(t.Context()))
}

// attack: alice assumes a role and deletes the trail, so that putting it back takes more than one change.
func (s *scene) attack(t *testing.T, box *sandbox.Sandbox) {
	t.Helper()
	call := func(key, name string, input any) json.RawMessage {
		t.Helper()
		data, err := json.Marshal(input)
		check(t, err)
		out, err := box.Invoke(t.Context(), name, data, gate.Request{
			Account: s.seeded.Account, Region: sceneRegion, AccessKeyID: key, UserAgent: demoAgent, RequestID: "attack-" + name,
		})
		check(t, err)
		return out
	}
	session := call(s.seeded.AccessKeys["alice"], "STS.AssumeRole", map[string]string{"RoleArn": s.seeded.RoleARN, "RoleSessionName": "maintenance"})
	var issued struct{ Credentials struct{ AccessKeyID string } }
	check(t, json.Unmarshal(session, &issued))
	call(issued.Credentials.AccessKeyID, "CloudTrail.DeleteTrail", map[string]string{"Name": s.seeded.TrailARN})
}

// run is one daemon's life, or two.
type run struct {
	*scene
	dir    string
	config string
	db     *sqlite.DB
	posts  func() []notifytest.Post
}

// begin copies the scene.
func (s *scene) begin(t *testing.T) *run {
	t.Helper()
	r := &run{scene: s, dir: t.TempDir()}
	check(t, os.CopyFS(r.dir, os.DirFS(s.dir)))
	var err error
	r.db, err = sqlite.Open(t.Context(), filepath.Join(r.dir, "state", "switchback.db"), sqlite.Options{})
	check(t, err)
	t.Cleanup(func() { check(t, r.db.Close()) })
	url, posts := notifytest.HTTP(t, notifytest.Accepts)
	r.posts = posts
	people := writeFile(t, r.dir, "people.yaml", "people:\n  - {name: Alice Example, email: alice@example.com, principals: [alice]}\n")
	r.config = writeFile(t, r.dir, "switchback.yaml", fmt.Sprintf(`
state: %s
aws: sandbox
sandbox: {state: %s}
region: %s
policy: [{mode: act}]
sources: [{type: sqs, queue_url: %q, account: %q, region: %s, wait: 1s}]
channels: [{type: webhook, url: %q, secret: 0123456789abcdef, reaches_human: true}]
security: {to: [{name: Security team, email: security@example.com}], call: the security team}
directories: [{type: file, path: %s}]
proof: {every: 1s}
`, filepath.Join(r.dir, "state"), r.journal(), sceneRegion, s.seeded.QueueURL, s.seeded.Account, sceneRegion, url, people))
	return r
}

func (r *run) journal() string { return filepath.Join(r.dir, journalFile) }

// mortal starts a daemon that ends at the moment.
func (r *run) mortal(t *testing.T, m *mortal) *process {
	t.Helper()
	spec, err := json.Marshal(mortal{Config: r.config, Kind: m.Kind, At: m.At, After: m.After, Log: filepath.Join(r.dir, "moments")})
	check(t, err)
	return startChild(t, childMortal, nil, string(spec))
}

// undisturbed lets a daemon do its work and counts the moments at which it could have been killed.
func (s *scene) undisturbed(t *testing.T) (ending, map[string]int) {
	t.Helper()
	r := s.begin(t)
	p := r.mortal(t, &mortal{})
	r.finish(t, p, 3)
	moments := map[string]int{}
	text, err := os.ReadFile(filepath.Join(r.dir, "moments"))
	check(t, err)
	for line := range strings.Lines(string(text)) {
		kind, _, _ := strings.Cut(line, " ")
		moments[kind]++
	}
	return r.ending(t), moments
}

// kill kills one daemon at the moment, starts another, and compares.
func (s *scene) kill(t *testing.T, m *mortal, undisturbed ending) {
	r := s.begin(t)
	p := r.mortal(t, m)
	until(t, "the kill", func() bool { return p.hasEnded() || r.isOver(t, 3) })
	if !p.hasEnded() {
		t.Logf("this run ended before its %d. %s", m.At, m.Kind) // it looked for the log file less often
		_ = p.end()
	} else if !p.wasKilled() {
		t.Fatalf("the daemon ended by itself: %s", p.err.String())
	}
	r.finish(t, startChild(t, childMain, nil, "--config", r.config, "serve"), 3)
	if diff := cmp.Diff(undisturbed, r.ending(t)); diff != "" {
		moments, _ := os.ReadFile(filepath.Join(r.dir, "moments")) // for the reader
		lines := strings.Split(strings.TrimSpace(string(moments)), "\n")
		t.Errorf("it ended otherwise (-undisturbed +killed):\n%s\nkilled at: %s", diff, strings.Join(lines[max(0, len(lines)-6):], "\n  "))
	}
	if n := r.repeated(); n > 1 || n > 0 && !r.mayRepeat(t) {
		t.Errorf("%d messages were sent again", n)
	}
}

// finish waits until everything is done and ends the daemon.
func (r *run) finish(t *testing.T, p *process, deleted int) {
	t.Helper()
	p.ready()
	until(t, "the end of the response", func() bool {
		if p.hasEnded() {
			t.Fatalf("serve ended: %s", p.err.String())
		}
		return r.isOver(t, deleted)
	})
	if status := p.end(); status != exitFine {
		t.Errorf("serve ended with exit status %d: %s", status, p.err.String())
	}
}

// isOver: every run has ended, and so many messages were taken from the queue.
func (r *run) isOver(t *testing.T, deleted int) bool {
	t.Helper()
	if text, err := os.ReadFile(r.journal()); err != nil || strings.Count(string(text), `"operation":"DeleteMessage"`) < deleted {
		return false
	}
	list, err := r.db.List(t.Context(), incident.Filter{})
	check(t, err)
	for _, inc := range list {
		for _, one := range inc.Runs {
			if e, err := r.db.Executions().Load(t.Context(), one.Execution); err != nil || e.Status == asl.Running {
				return false
			}
		}
	}
	return len(list) > 0
}

// ending is everything that must be equal however often a daemon was killed: what AWS is, what was done to it, and what is
// known.
type ending struct {
	Incidents, Runs, Undos, Timeline, Messages []string
	// Changes are the calls that had an effect in AWS, in order.
	Changes []string
	Trail   string
	Queue   string
	// Unproven are the entries of the timeline that the ledger lacks.
	Unproven []string
}

func (r *run) ending(t *testing.T) ending {
	t.Helper()
	fine(t, "--config", r.config, "ledger", "verify")
	fine(t, "--config", r.config, "deadletter", "list")
	var e ending
	list, err := r.db.List(t.Context(), incident.Filter{})
	check(t, err)
	for _, inc := range list {
		e.addIncident(t, r.db, inc, r.proven(t))
	}
	for id := range r.messages() {
		e.Messages = append(e.Messages, id[:strings.LastIndex(id, "-")]) // what follows is a hash of when
	}
	slices.Sort(e.Messages)
	r.account(t, &e)
	return e
}

func (e *ending) addIncident(t *testing.T, db *sqlite.DB, inc incident.Incident, proven []string) {
	t.Helper()
	times := inc.Times
	e.Incidents = append(e.Incidents, fmt.Sprintf("%s %s %s %s seen %d by %s (%s), contained %t, proven %t, human reached %t, reported %t, open %q",
		inc.ID, inc.Severity, inc.Status, inc.Key, inc.Count, inc.Who.Human, inc.Who.Status,
		!times.Contained.IsZero(), !times.Proven.IsZero(), !times.HumanReached.IsZero(), !times.Reported.IsZero(), inc.Open))
	for _, run := range inc.Runs {
		x, err := db.Executions().Load(t.Context(), run.Execution)
		check(t, err)
		events, err := db.Executions().History(t.Context(), run.Execution, 0, asl.MaxEvents)
		check(t, err)
		e.Runs = append(e.Runs, fmt.Sprintf("%s %s: %s", run.Execution, x.Status, strings.Join(visited(events), " ")))
	}
	undos, err := db.ListUndos(t.Context(), inc.ID)
	check(t, err)
	for _, u := range undos {
		e.Undos = append(e.Undos, fmt.Sprintf("%s on %s done %t", u.Action, u.Target, u.Done))
	}
	entries, err := db.Entries(t.Context(), inc.ID)
	check(t, err)
	for _, entry := range entries {
		text, _, _ := strings.Cut(entry.Text, " is in ") // the name of the log file is random
		if entry.Kind == incident.EntryCall {
			text, _, _ = strings.Cut(text, ": ") // the answer may have been lost with the daemon
		}
		if strings.Contains(text, "Event history") { // how much there is in the window depends on when the kill was
			text = strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return -1
				}
				return r
			}, text)
		}
		if !slices.Contains(proven, string(entry.Kind)+": "+entry.Text) {
			e.Unproven = append(e.Unproven, string(entry.Kind)+": "+text)
		}
		e.Timeline = append(e.Timeline, string(entry.Kind)+": "+text)
	}
	slices.Sort(e.Timeline)
	e.Timeline = slices.CompactFunc(e.Timeline, func(a, b string) bool { return a == b && strings.HasPrefix(a, string(incident.EntryCall)) })
}

// patience are the states between two looks for the log file. How often that is done may differ.
var patience = []string{"CountDelivering", "HasPatience", "WaitForDelivery"}

// visited are the states in the order in which they were first entered, but for those of patience.
func visited(events []asl.Event) []string {
	var names []string
	for _, e := range events {
		if strings.HasSuffix(e.Type, "StateEntered") && !slices.Contains(names, e.State) && !slices.Contains(patience, e.State) {
			names = append(names, e.State)
		}
	}
	return names
}

// account looks at the sandbox, once nobody else has it open.
func (r *run) account(t *testing.T, e *ending) {
	t.Helper()
	box, err := sandbox.Open(sandbox.Options{StateFile: r.journal()})
	check(t, err)
	defer box.Close()
	for _, m := range box.Mutations() {
		if m.Effect && strings.Contains(m.UserAgent, "switchback/") && m.Service != "SQS" {
			e.Changes = append(e.Changes, m.Service+"."+m.Operation)
		}
	}
	root, err := box.Root(r.seeded.Account)
	check(t, err)
	cfg := gate.BackendConfig(box, r.seeded.Account, sceneRegion, root, "test")
	trails := cloudtrail.NewFromConfig(cfg)
	list, err := trails.DescribeTrails(t.Context(), &cloudtrail.DescribeTrailsInput{})
	check(t, err)
	status, err := trails.GetTrailStatus(t.Context(), &cloudtrail.GetTrailStatusInput{Name: &r.seeded.TrailARN})
	check(t, err)
	text, err := json.Marshal(list.TrailList)
	check(t, err)
	e.Trail = fmt.Sprintf("logging %t: %s", *status.IsLogging, text)
	for _, url := range []string{r.seeded.QueueURL, r.seeded.DeadLetterURL} {
		queue, err := sqs.NewFromConfig(cfg).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages},
		})
		check(t, err)
		e.Queue += queue.Attributes["ApproximateNumberOfMessages"] + " "
	}
}

// messages are the ids of those that came, and how often each did.
func (r *run) messages() map[string]int {
	count := map[string]int{}
	for _, p := range r.posts() {
		count[p.Header.Get("Switchback-Message-Id")]++
	}
	return count
}

// repeated counts the messages that came more than once.
func (r *run) repeated() int {
	n := 0
	for _, times := range r.messages() {
		n += times - 1
	}
	return n
}

// mayRepeat: a message may come again only where the daemon was killed between handing it over and writing that down.
func (r *run) mayRepeat(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "moments"))
	check(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1] == atWrite+" RecordDelivery"
}

// proven are the entries of the timeline and the calls that the ledger holds; calls that only read are in lists, which
// nothing waits for.
func (r *run) proven(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.dir, "state", "ledger", "*.jsonl"))
	check(t, err)
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(t, err)
		for line := range strings.Lines(string(text)) {
			var entry struct {
				Kind string
				Body json.RawMessage
			}
			check(t, json.Unmarshal([]byte(line), &entry))
			if entry.Kind == "read" {
				continue
			}
			var body struct{ Text string }
			check(t, json.Unmarshal(entry.Body, &body))
			all = append(all, entry.Kind+": "+body.Text)
		}
	}
	return all
}
