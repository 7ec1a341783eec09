// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
)

// ErrCorrupt is returned by Open for a state file that cannot be replayed.
var ErrCorrupt = errors.New("state file is not a journal of this sandbox")

// ErrInUse is returned by Open for a state file that another process, or another sandbox of this one, has open.
var ErrInUse = errors.New("state file is in use by another process")

// Mutation is one call that changes something, or tried to. Kill tests read them to prove that no change of AWS had its
// effect twice.
type Mutation struct {
	// Seq counts from 1.
	Seq uint64 `json:"seq"`
	// Time is when the call came, in UTC.
	Time time.Time `json:"time"`
	// Account is the caller's account; empty for the sandbox's own settings (Service "Sandbox").
	Account     string `json:"account,omitempty"`
	Region      string `json:"region,omitempty"`
	Service     string `json:"service"`
	Operation   string `json:"operation"`
	AccessKeyID string `json:"access_key_id,omitempty"`
	UserAgent   string `json:"user_agent,omitempty"`
	RequestID   string `json:"request_id,omitempty"`
	// Input is the typed input of the SDK as JSON.
	Input json.RawMessage `json:"input"`
	// Body is the content of an uploaded object.
	Body []byte `json:"body,omitempty"`
	// Error is the code that the call failed with, empty when it succeeded.
	Error string `json:"error,omitempty"`
	// Effect is false when the call succeeded and left everything as it was, as a StartLogging of a trail that logs.
	Effect bool `json:"effect"`
}

// header is the first line of a state file: what replaying depends on.
type header struct {
	Sandbox int           `json:"sandbox"` // version of the format
	Seed    uint64        `json:"seed"`
	Delay   time.Duration `json:"delivery_delay_ns"`
}

const journalVersion = 1

// opened is written at every Open: its count keeps the ids of reads apart.
type opened struct {
	Opened time.Time `json:"opened"`
}

// Open makes a sandbox whose changes are kept in o.StateFile, which is created if it is missing. The file is an
// append-only journal, one JSON object a line: each mutating call is written and synced before it is answered, and
// Open replays them. A last line that was torn by a kill is cut off: its caller never had an answer. Anything else that
// does not replay as it happened is [ErrCorrupt]. The seed and the delivery delay are the file's once it exists.
//
// Reads leave no trace in the file. After a restart Event history and log files lack them, and messages that were
// received but not deleted are visible again, with a receive count of 0.
//
// One sandbox at a time has a file open; a second Open is [ErrInUse].
func Open(o Options) (*Sandbox, error) {
	if o.StateFile == "" {
		return nil, errors.New("open sandbox: Options.StateFile is empty; use New for a sandbox in memory")
	}
	s, err := New(o)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(o.StateFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open sandbox: %w", err)
	}
	j := &journal{file: f}
	if err := j.lock(); err != nil {
		return nil, errors.Join(fmt.Errorf("open sandbox %s: %w", o.StateFile, err), f.Close())
	}
	if err := s.restore(j); err != nil {
		return nil, errors.Join(fmt.Errorf("open sandbox %s: %w", o.StateFile, err), f.Close())
	}
	return s, nil
}

// restore replays the journal and makes it the sandbox's.
func (s *Sandbox) restore(j *journal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines, err := j.lines()
	if err != nil {
		return err
	}
	for i, line := range lines {
		if err := s.replayLine(i, line); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if len(lines) == 0 {
		if err := j.append(header{journalVersion, s.seed, s.delay}); err != nil {
			return err
		}
	}
	s.incarnation++
	s.journal = j
	return j.append(opened{s.clock().UTC()})
}

func (s *Sandbox) replayLine(i int, line []byte) error {
	if i == 0 {
		var h header
		if err := json.Unmarshal(line, &h); err != nil || h.Sandbox != journalVersion {
			return fmt.Errorf("%w (no header of version %d)", ErrCorrupt, journalVersion)
		}
		s.seed, s.delay = h.Seed, h.Delay
		return nil
	}
	if bytes.HasPrefix(line, []byte(`{"opened":`)) {
		s.incarnation++
		return nil
	}
	var m Mutation
	if err := json.Unmarshal(line, &m); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return s.replay(m)
}

// replay runs a call again, at its time.
func (s *Sandbox) replay(m Mutation) error {
	op, ok := operations()[key(m.Service, m.Operation)]
	if !ok || !op.mutates {
		return fmt.Errorf("%w: no mutation %s.%s", ErrCorrupt, m.Service, m.Operation)
	}
	if want := uint64(len(s.mutations)) + 1; m.Seq != want {
		return fmt.Errorf("%w: sequence number is %d, want %d", ErrCorrupt, m.Seq, want)
	}
	in, err := decodeInput(op, m)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	s.deliver(m.Time)
	before := len(s.mutations)
	_, _, err = s.run(op, gate.Request{
		Account: m.Account, Region: m.Region, Service: m.Service, Operation: m.Operation, Input: in,
		AccessKeyID: m.AccessKeyID, UserAgent: m.UserAgent, RequestID: m.RequestID,
	}, m.Time)
	if len(s.mutations) == before {
		return fmt.Errorf("%w: %s.%s does not replay: %w", ErrCorrupt, m.Service, m.Operation, err)
	}
	if got := s.mutations[before]; got.Error != m.Error || got.Effect != m.Effect {
		return fmt.Errorf("%w: %s.%s ended with error %q, effect %t; now %q, %t",
			ErrCorrupt, m.Service, m.Operation, m.Error, m.Effect, got.Error, got.Effect)
	}
	return nil
}

// keep journals the call that just ran.
func (s *Sandbox) keep(c *call, failed *failure) error {
	m := Mutation{
		Seq: uint64(len(s.mutations)) + 1, Time: c.now, Region: c.region, Service: c.op.service.id,
		Operation: c.op.name, RequestID: c.requestID, UserAgent: c.userAgent, Effect: failed == nil && !c.same,
	}
	if c.by != nil {
		m.Account, m.AccessKeyID = c.by.account.id, c.by.key
	}
	if failed != nil {
		m.Error = failed.code
	}
	if err := encodeInput(&m, c.in); err != nil {
		return fmt.Errorf("keep %s.%s: %w", m.Service, m.Operation, err)
	}
	if s.journal != nil {
		if err := s.journal.append(m); err != nil {
			return fmt.Errorf("keep %s.%s: %w", m.Service, m.Operation, err)
		}
	}
	s.mutations = append(s.mutations, m)
	return nil
}

// Mutations lists every mutating call so far, oldest first, those replayed from the state file included.
func (s *Sandbox) Mutations() []Mutation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mutation(nil), s.mutations...)
}

// journal is the state file.
type journal struct {
	file *os.File
	err  error // once a write failed nothing more may be answered: the file's end is unknown
}

// lock keeps others out until the file is closed, which the end of the process does too.
func (j *journal) lock() error {
	err := syscall.Flock(int(j.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}

// lines reads the complete lines and cuts off a torn last one.
func (j *journal) lines() ([][]byte, error) {
	data, err := io.ReadAll(j.file)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	end := bytes.LastIndexByte(data, '\n') + 1
	if end < len(data) {
		if err := j.file.Truncate(int64(end)); err != nil {
			return nil, fmt.Errorf("cut torn line: %w", err)
		}
		if _, err := j.file.Seek(int64(end), io.SeekStart); err != nil {
			return nil, fmt.Errorf("cut torn line: %w", err)
		}
	}
	if end == 0 {
		return nil, nil
	}
	return bytes.Split(data[:end-1], []byte("\n")), nil
}

func (j *journal) append(v any) error {
	if j.err != nil {
		return j.err
	}
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		j.err = fmt.Errorf("write journal: %w", err)
		return j.err
	}
	if err := j.file.Sync(); err != nil {
		j.err = fmt.Errorf("sync journal: %w", err)
	}
	return j.err
}

func (j *journal) close() error {
	if j.err == nil {
		j.err = errors.New("the sandbox is closed")
	}
	if err := j.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
