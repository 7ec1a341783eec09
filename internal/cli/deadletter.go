// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/deadletter"
	"github.com/switchback-project/switchback/internal/source/files"
)

type deadletterCommand struct {
	List    deadletterListCommand    `cmd:"" help:"What could not be processed, oldest first."`
	Show    deadletterShowCommand    `cmd:"" help:"One of them, with its body."`
	Redrive deadletterRedriveCommand `cmd:"" help:"Send one back, or all, to be processed again."`
}

func openDead(c config) (*deadletter.Folder, error) {
	return deadletter.Open(filepath.Join(c.State, "deadletters"))
}

type deadletterListCommand struct{ outputFlag }

// Help is the long help.
func (deadletterListCommand) Help() string {
	return "Exit status 1 when there are any.\n\nExample:\n  switchback deadletter list"
}

// Run prints a line each.
func (c *deadletterListCommand) Run(s *streams, g *grammar) error {
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	folder, err := openDead(conf)
	if err != nil {
		return err
	}
	list, err := folder.List()
	if err != nil || len(list) == 0 {
		return err
	}
	if c.isJSON() {
		for _, d := range list {
			if err := printJSON(s.out, d); err != nil {
				return err
			}
		}
		return errFound
	}
	rows := [][]string{{"ID", "AT", "VIA", "FROM", "REASON"}}
	for _, d := range list {
		rows = append(rows, []string{d.ID, stamp(d.At), d.Via, d.From, d.Reason})
	}
	return errors.Join(table(s.out, rows), errFound)
}

type deadletterShowCommand struct {
	ID string `arg:""`
}

// Help is the long help.
func (deadletterShowCommand) Help() string {
	return "Example:\n  switchback deadletter show 0a1b2c3d4e5f6071"
}

// Run prints it as JSON; the body is base64, for it may be anything.
func (c *deadletterShowCommand) Run(s *streams, g *grammar) error {
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	folder, err := openDead(conf)
	if err != nil {
		return err
	}
	d, err := folder.Get(c.ID)
	if err != nil {
		return withHint(err, "switchback deadletter list names them")
	}
	return printJSON(s.out, d)
}

type deadletterRedriveCommand struct {
	ID  string `arg:"" optional:"" help:"Which one."`
	All bool   `help:"All of them."`
}

// Help is the long help.
func (deadletterRedriveCommand) Help() string {
	return `A message goes back into its queue; a file or log object is read again. What was processed is removed, what fails
again stays.

Example:
  switchback deadletter redrive --all`
}

// Run sends them back.
func (c *deadletterRedriveCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	if (c.ID == "") == !c.All {
		return withHint(errors.New("which one"), "name an id, or --all")
	}
	return withInstallation(ctx, s, g, func(in *installation) error {
		folder, err := openDead(in.config)
		if err != nil {
			return err
		}
		list, err := c.chosen(folder)
		if err != nil {
			return err
		}
		if err := in.openDecisions(ctx); err != nil {
			return err
		}
		var failures []error
		for _, d := range list {
			if err := in.redrive(ctx, d); err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", d.ID, err))
				continue
			}
			fmt.Fprintf(s.out, "%s: sent back\n", d.ID)
			failures = append(failures, folder.Remove(d.ID))
		}
		return errors.Join(failures...)
	})
}

func (c *deadletterRedriveCommand) chosen(folder *deadletter.Folder) ([]source.Dead, error) {
	if c.All {
		return folder.List()
	}
	d, err := folder.Get(c.ID)
	return []source.Dead{d}, err
}

// redrive sends a message back into its queue, or reads the file again.
func (in *installation) redrive(ctx context.Context, d source.Dead) error {
	switch d.Via {
	case "sqs":
		return in.requeue(ctx, d)
	case "files":
		reader := files.Reader{Paths: []string{d.From}}
		return reader.Run(ctx, in.system.Handle)
	case "s3":
		return in.readObjects(ctx, d.From, in.system.Handle)
	}
	return fmt.Errorf("no way back to %q", d.Via)
}

func (in *installation) requeue(ctx context.Context, d source.Dead) error {
	cfg, err := in.system.Gate.Door(gate.Scope{Action: "deadletter:redrive", Own: []string{d.From}}).Config(ctx, "", in.config.Region)
	if err != nil {
		return err
	}
	body := string(d.Body)
	if _, err := sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &d.From, MessageBody: &body}); err != nil {
		return fmt.Errorf("send back to %s: %w", d.From, err)
	}
	return nil
}
