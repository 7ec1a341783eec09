// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// The environment of a child process: the database, how many executions it runs, and after which commit it kills itself.
const (
	childPath  = "SWITCHBACK_TEST_DB"
	childCount = "SWITCHBACK_TEST_EXECUTIONS"
	childKill  = "SWITCHBACK_TEST_KILL_AT"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := runChild(context.Background(), path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// watched tells the parent of each commit, and kills its own process after a number of them, if that is not zero.
type watched struct {
	engine.Store
	mu   sync.Mutex
	left int
}

func (s *watched) Commit(ctx context.Context, c engine.Change) error {
	err := s.Store.Commit(ctx, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Println("commit")
	if s.left--; s.left == 0 {
		return errors.Join(err, syscall.Kill(os.Getpid(), syscall.SIGKILL))
	}
	return err
}

// killed is what children run: tasks, a retry, parallel branches, short waits.
var killed = machine("A",
	task("A", `"ResultPath":"$.a","Retry":[{"ErrorEquals":["Odd"],"IntervalSeconds":1,"MaxAttempts":1}],"Next":"P"`),
	`"P":{"Type":"Parallel","ResultPath":"$.p","Branches":[`+machine("B", task("B", `"End":true`))+","+
		machine("W", `"W":{"Type":"Wait","TimestampPath":"$.until","Next":"C"}`, task("C", `"End":true`))+`],"Next":"D"}`,
	task("D", `"End":true`))

func killedInput(n int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"n":%d,"until":"2026-05-04T12:00:00Z"}`, n))
}

// killedWork is deterministic, so that outputs can be compared.
func killedWork(_ context.Context, t engine.Task) (json.RawMessage, error) {
	var p struct{ In struct{ N int } }
	if err := json.Unmarshal(t.Parameters, &p); err != nil {
		return nil, err
	}
	if t.State == "A" && t.Attempt == 1 && p.In.N%50 == 49 {
		return nil, asl.Error{Name: "Odd"}
	}
	if t.State == "D" {
		return t.Parameters, nil
	}
	return json.RawMessage(strconv.Itoa(p.In.N)), nil
}

// runChild starts all executions, works until they have ended and says so.
func runChild(ctx context.Context, path string) error {
	count, err := strconv.Atoi(os.Getenv(childCount))
	if err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	killAt, err := strconv.Atoi(os.Getenv(childKill))
	if err != nil {
		return err
	}
	ended := make(chan bool, 1)
	e, err := engine.Open(ctx, &watched{Store: db.Executions(), left: killAt}, map[string][]byte{"m": []byte(killed)}, killedWork, engine.Options{
		Ended: func(context.Context, engine.Execution) error {
			select {
			case ended <- true:
			default:
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wait sync.WaitGroup
	wait.Go(func() { _ = e.Run(ctx) })
	if err := startAll(ctx, e, count); err != nil {
		return err
	}
	for {
		running, err := e.List(ctx, engine.Filter{Status: asl.Running, Limit: 1})
		if err != nil {
			return err
		}
		if len(running) == 0 {
			break
		}
		<-ended
	}
	cancel()
	wait.Wait()
	e.Close()
	return db.Close()
}

func startAll(ctx context.Context, e *engine.Engine, count int) error {
	errs := make(chan error, count)
	slots := make(chan bool, 64)
	for n := range count {
		slots <- true
		go func() {
			_, err := e.Start(ctx, engine.StartRequest{Machine: "m", Name: fmt.Sprint("x", n), Input: killedInput(n)})
			<-slots
			errs <- err
		}()
	}
	for range count {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// child runs a process on the database. It kills itself at the commit killAt, unless that is zero; it is killed from
// outside once it has told of the commit killAfter, unless that is zero. child reports whether it reached its end.
func child(t *testing.T, path string, count, killAt, killAfter int) (isDone bool) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), childPath+"="+path, childCount+"="+strconv.Itoa(count), childKill+"="+strconv.Itoa(killAt))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	commits := bufio.NewScanner(out)
	for n := 1; commits.Scan(); n++ {
		if n == killAfter {
			_ = command.Process.Kill() // it may have ended by itself
		}
	}
	err = command.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return false
	}
	if err != nil {
		t.Fatalf("child: %v", err)
	}
	return true
}

// verifyKilled checks that every execution ended once, with the output of an undisturbed run.
func verifyKilled(t *testing.T, path string, count int) {
	t.Helper()
	store := openDB(t, path).Executions()
	all, err := store.List(t.Context(), engine.Filter{})
	if err != nil || len(all) != count {
		t.Fatalf("%d executions, want %d, error %v", len(all), count, err)
	}
	for n := range count {
		name := fmt.Sprint("x", n)
		row, err := store.Load(t.Context(), name)
		want := fmt.Sprintf(`{"in":{"n":%d,"until":"2026-05-04T12:00:00Z","a":%d,"p":[%d,%d]}}`, n, n, n, n)
		if err != nil || row.Status != asl.Succeeded || string(row.Output) != want {
			t.Errorf("execution %s is %s with %s, want %s, error %v", name, row.Status, row.Output, want, err)
		}
		history, err := store.History(t.Context(), name, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		ends := 0
		for i, e := range history {
			if e.Type == "ExecutionSucceeded" {
				ends++
			}
			if e.ID != int64(i+1) {
				t.Errorf("execution %s: event %d has id %d", name, i+1, e.ID)
			}
		}
		if ends != 1 {
			t.Errorf("execution %s ended %d times", name, ends)
		}
	}
}

// TestKilledAtRandom kills processes in the middle of their work, 20 times over 100 executions, with SWITCHBACK_SOAK=1 200
// times over 1,000. A process that follows takes up first whatever was at work, a commit each, so that some get nowhere and
// others far; where one reaches the end all executions begin anew.
func TestKilledAtRandom(t *testing.T) {
	kills, count := 20, 100
	if os.Getenv("SWITCHBACK_SOAK") != "" {
		kills, count = 200, 1000
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	path, rounds := fresh(t), 1
	for killed := 0; killed < kills; {
		if !child(t, path, count, 0, 1+random.IntN(2*count)) {
			killed++
			continue
		}
		verifyKilled(t, path, count)
		path, rounds = fresh(t), rounds+1
	}
	child(t, path, count, 0, 0)
	verifyKilled(t, path, count)
	t.Logf("%d kills over %d times %d executions, seed %d", kills, rounds, count, seed)
}

// TestKilledAtEveryCommit kills the process after each of its commits in turn, on one database each.
func TestKilledAtEveryCommit(t *testing.T) {
	const count = 1
	for at := 1; ; at++ {
		path := fresh(t)
		isDone := child(t, path, count, at, 0)
		if isDone {
			if at < 6 {
				t.Errorf("the whole run took %d commits", at)
			}
			return
		}
		child(t, path, count, 0, 0)
		verifyKilled(t, path, count)
	}
}
