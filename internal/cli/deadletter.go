// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/deadletter"
	"github.com/switchback-project/switchback/internal/source/files"
	"github.com/switchback-project/switchback/internal/source/s3"
	"github.com/switchback-project/switchback/internal/source/sqs"
)

type deadletterCommand struct {
	List    deadletterListCommand    `cmd:"" help:"What could not be processed, oldest first."`
	Show    deadletterShowCommand    `cmd:"" help:"One of them, with its body."`
	Redrive deadletterRedriveCommand `cmd:"" help:"Take one, or all, through their source again."`
}

// Help is the long help.
func (deadletterCommand) Help() string { return "Example:\n  switchback deadletter list" }

func openDead(c config) (*deadletter.Folder, error) {
	return deadletter.Open(filepath.Join(c.State, "deadletters"))
}

// withDead runs f on the dead letters of the state folder. Where there is no folder there are none; a folder that
// somebody named and that is not there is an error.
func withDead(g *grammar, f func(*deadletter.Folder) error) error {
	c, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	if err := c.checkState(); err != nil {
		return err
	}
	if _, err := os.Stat(c.State); errors.Is(err, fs.ErrNotExist) {
		return f(nil)
	}
	folder, err := openDead(c)
	if err != nil {
		return err
	}
	return f(folder)
}

type deadletterListCommand struct{ outputFlag }

// Help is the long help.
func (deadletterListCommand) Help() string {
	return `Exit status 1 when there are any. With --output json one line each: id, via, from, reason, body (base64), at.

Example:
  switchback deadletter list`
}

// Run prints a line each. One that cannot be read does not hide the others.
func (c *deadletterListCommand) Run(s *streams, g *grammar) error {
	return withDead(g, func(folder *deadletter.Folder) error {
		list, err := listDead(folder)
		if len(list) == 0 {
			return err
		}
		return errors.Join(c.print(s, list), err, errFound)
	})
}

func listDead(folder *deadletter.Folder) ([]source.Dead, error) {
	if folder == nil {
		return nil, nil
	}
	return folder.List()
}

func (c *deadletterListCommand) print(s *streams, list []source.Dead) error {
	rows := [][]string{{"ID", "AT", "VIA", "FROM", "REASON"}}
	for _, d := range list {
		rows = append(rows, []string{d.ID, stamp(d.At), d.Via, d.From, d.Reason})
	}
	if !c.isJSON() {
		return table(s.out, rows)
	}
	return printLines(s, list)
}

type deadletterShowCommand struct {
	ID string `arg:"" help:"Its id, as deadletter list prints it."`
	outputFlag
}

// Help is the long help.
func (deadletterShowCommand) Help() string {
	return `With --output json the fields of deadletter list; the body is base64, for it may be anything.

Example:
  switchback deadletter show 0a1b2c3d4e5f6071`
}

// Run prints it.
func (c *deadletterShowCommand) Run(s *streams, g *grammar) error {
	return withDead(g, func(folder *deadletter.Folder) error {
		d, err := getDead(folder, c.ID)
		if err != nil {
			return err
		}
		if c.isJSON() {
			return printJSON(s.out, d)
		}
		err = table(s.out, [][]string{{"id", d.ID}, {"at", stamp(d.At)}, {"via", d.Via}, {"from", d.From}, {"reason", d.Reason}})
		if err != nil || len(d.Body) == 0 {
			return err
		}
		_, err = fmt.Fprintf(s.out, "\n%s\n", identity.Printable(string(d.Body), maxShownBody))
		return err
	})
}

// maxShownBody bounds what is printed for people of a body; --output json has all that is kept.
const maxShownBody = 64 << 10

func getDead(folder *deadletter.Folder, id string) (d source.Dead, err error) {
	err = fmt.Errorf("%.40q: %w", id, deadletter.ErrNotFound)
	if folder != nil {
		d, err = folder.Get(id)
	}
	return d, withHint(err, "switchback deadletter list names them")
}

type deadletterRedriveCommand struct {
	ID  string `arg:"" optional:"" help:"Which one."`
	All bool   `help:"All of them."`
	outputFlag
}

// Help is the long help.
func (deadletterRedriveCommand) Help() string {
	return `Through its source once more: a message is looked at as if it had just arrived, a file or log object is read again, and
serve goes on with what that starts. What was processed is removed, what fails again stays: exit status 2. With
--output json one line each: id, sent_back, error.

Example:
  switchback deadletter redrive --all`
}

// redriven is a line of deadletter redrive.
type redriven struct {
	ID       string `json:"id"`
	SentBack bool   `json:"sent_back"`
	Error    string `json:"error,omitempty"`
}

// Run sends them back.
func (c *deadletterRedriveCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	if (c.ID == "") == !c.All {
		return withHint(errors.New("which one"), "name an id, or --all")
	}
	return withDead(g, func(folder *deadletter.Folder) error {
		list, err := c.chosen(folder)
		if len(list) == 0 {
			return err
		}
		return errors.Join(err, withInstallation(ctx, s, g, func(in *installation) error {
			if err := errors.Join(in.openBackend(ctx), in.openSystem(ctx)); err != nil {
				return err
			}
			return c.redriveAll(ctx, s, in, folder, list)
		}))
	})
}

func (c *deadletterRedriveCommand) redriveAll(ctx context.Context, s *streams, in *installation, folder *deadletter.Folder, list []source.Dead) error {
	var failures []error
	for _, d := range list {
		err := in.redrive(ctx, d)
		if err == nil {
			err = folder.Remove(d.ID)
		}
		line := redriven{ID: d.ID, SentBack: err == nil}
		if err != nil {
			line.Error = oneLine(err.Error())
			failures = append(failures, fmt.Errorf("%s: %w", d.ID, err))
		}
		failures = append(failures, c.print(s, line))
	}
	return errors.Join(failures...)
}

func (c *deadletterRedriveCommand) print(s *streams, line redriven) error {
	if c.isJSON() {
		return printJSON(s.out, line)
	}
	if !line.SentBack {
		return nil // it is named on stderr
	}
	_, err := fmt.Fprintf(s.out, "%s: sent back\n", line.ID)
	return err
}

func (c *deadletterRedriveCommand) chosen(folder *deadletter.Folder) ([]source.Dead, error) {
	if c.All {
		return listDead(folder)
	}
	d, err := getDead(folder, c.ID)
	if err != nil {
		return nil, err
	}
	return []source.Dead{d}, nil
}

// redrive takes it through its source again. What that starts is durable; a running daemon takes it over, else the next.
func (in *installation) redrive(ctx context.Context, d source.Dead) error {
	switch d.Via {
	case "sqs":
		return in.redeliver(ctx, d)
	case "files":
		reader := files.Reader{Paths: []string{d.From}}
		return reader.Run(ctx, in.system.Handle)
	case "s3":
		return readObjects(ctx, in.system.Gate, in.placeOf(d.From), d.From, in.system.Handle)
	}
	return fmt.Errorf("no way back to %q", d.Via)
}

// placeOf is where the configured source finds the bucket of an object; the default where none does any more.
func (in *installation) placeOf(url string) bucketPlace {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(url, "s3://"), "/")
	for _, e := range in.config.Sources {
		var o s3.Options
		if e.Type == "s3" && e.Decode(&o) == nil && o.Bucket == bucket {
			return bucketPlace{account: o.Account, region: firstText(o.Region, in.config.Region), owner: o.ExpectedBucketOwner}
		}
	}
	return bucketPlace{region: in.config.Region}
}

// redeliver takes a message through the source that is configured for its queue, else through one with the defaults.
func (in *installation) redeliver(ctx context.Context, d source.Dead) error {
	decode := func(v any) error {
		o, ok := v.(*sqs.Options)
		if !ok {
			return fmt.Errorf("redeliver from %s: no queue takes %T", d.From, v)
		}
		*o = in.queueOptions(d.From)
		return nil
	}
	src, err := sqs.New(source.Config{Type: d.Via, Decode: decode}, source.Services{Gate: in.system.Gate, Clock: in.clock, Logger: in.log})
	if err != nil {
		return err
	}
	queue, ok := src.(*sqs.Source)
	if !ok {
		return fmt.Errorf("redeliver from %s: %T is no queue", d.From, src)
	}
	return queue.Redeliver(ctx, d.Body, in.system.Handle)
}

func (in *installation) queueOptions(url string) sqs.Options {
	for _, e := range in.config.Sources {
		var o sqs.Options
		if e.Type == "sqs" && e.Decode(&o) == nil && o.QueueURL == url {
			return o
		}
	}
	return sqs.Options{QueueURL: url}
}
