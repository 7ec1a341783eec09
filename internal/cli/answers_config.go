// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	answering "github.com/switchback-project/switchback/internal/answers"
	"github.com/switchback-project/switchback/internal/incident"
)

// answersConfig is answers: in the configuration: links in messages, and the listener that they lead to. Without it there
// is neither.
type answersConfig struct {
	Listen    string `yaml:"listen"`
	PublicURL string `yaml:"public_url"`
	Valid     span   `yaml:"valid"`
	Rotate    span   `yaml:"rotate"`
}

// The defaults of answers.
const (
	answersListen = "127.0.0.1:8086"
	answersValid  = 24 * time.Hour
	answersRotate = 30 * 24 * time.Hour
)

func (a answersConfig) isThere() bool { return a != answersConfig{} }

func (a answersConfig) check() error {
	if !a.isThere() {
		return nil
	}
	if a.PublicURL == "" {
		return errors.New("answers.public_url is missing: it is what links begin with")
	}
	if _, err := answering.CheckURL(a.PublicURL); err != nil {
		return fmt.Errorf("answers.public_url: %.100q: %w", a.PublicURL, err)
	}
	if _, _, err := net.SplitHostPort(firstText(a.Listen, answersListen)); err != nil {
		return fmt.Errorf("answers.listen: want HOST:PORT: %w", err)
	}
	return nil
}

// answerLinks opens the keys of links; nil where none are configured.
func (in *installation) answerLinks(store incident.Answers) (*answering.Links, error) {
	a := in.config.Answers
	if !a.isThere() {
		return nil, nil
	}
	public, err := answering.CheckURL(a.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("answers.public_url: %w", err)
	}
	valid := firstDuration(time.Duration(a.Valid), answersValid)
	keys, err := answering.OpenKeys(filepath.Join(in.config.State, "answers"), answering.KeyOptions{
		Rotate: firstDuration(time.Duration(a.Rotate), answersRotate), Keep: valid, Clock: in.clock,
	})
	if err != nil {
		return nil, fmt.Errorf("answers: %w", err)
	}
	return answering.NewLinks(store, keys, public, valid, in.clock), nil
}

// listenForAnswers opens the listener, if it is configured; the returned function serves it until its context ends.
func (in *installation) listenForAnswers(ctx context.Context) (serve func(context.Context) error, err error) {
	links, err := in.answerLinks(in.db)
	if err != nil || links == nil {
		return nil, err
	}
	server, err := answering.New(links, in.db, in.system, answering.Options{Call: in.config.Security.Call, Clock: in.clock, Logger: in.log})
	if err != nil {
		return nil, fmt.Errorf("answers: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", firstText(in.config.Answers.Listen, answersListen))
	if err != nil {
		return nil, withHint(fmt.Errorf("answers: %w", err), "answers.listen in the configuration names another HOST:PORT")
	}
	return func(ctx context.Context) error { return server.Serve(ctx, l) }, nil
}
