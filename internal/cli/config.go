// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/internal/gate"
)

// exampleConfig is the commented configuration, which is also the default.
//
//go:embed switchback.yaml
var exampleConfig []byte

// config is switchback.yaml. Unknown fields are refused with their line.
type config struct {
	State    string          `yaml:"state"`
	Store    string          `yaml:"store"`
	AWS      string          `yaml:"aws"`
	Sandbox  sandboxConfig   `yaml:"sandbox"`
	Region   string          `yaml:"region"`
	Accounts []accountConfig `yaml:"accounts"`
	Policy   []gate.Rule     `yaml:"policy"`
	Budget   budgetConfig    `yaml:"budget"`
	Runbooks string          `yaml:"runbooks"`
	Sources  []entry         `yaml:"sources"`
	Channels []entry         `yaml:"channels"`
	Security securityConfig  `yaml:"security"`
	People   []entry         `yaml:"directories"`
	Fallback personConfig    `yaml:"fallback"`
	Proof    proofConfig     `yaml:"proof"`
	Snapshot snapshotConfig  `yaml:"snapshots"`
}

type sandboxConfig struct {
	State string        `yaml:"state"`
	Delay time.Duration `yaml:"delay"`
}

type accountConfig struct {
	ID       string   `yaml:"id"`
	Role     string   `yaml:"role_arn"`
	External string   `yaml:"external_id"`
	Regions  []string `yaml:"regions"`
	OUs      []string `yaml:"ous"`
}

type budgetConfig struct {
	Window  time.Duration `yaml:"window"`
	Limit   int           `yaml:"limit"`
	Reserve int           `yaml:"reserve"`
}

type personConfig struct {
	Name  string `yaml:"name"`
	Email string `yaml:"email"`
	Slack string `yaml:"slack"`
	Phone string `yaml:"phone"`
}

type securityConfig struct {
	To   []personConfig `yaml:"to"`
	Call string         `yaml:"call"`
}

type proofConfig struct {
	Every time.Duration `yaml:"every"`
}

type snapshotConfig struct {
	Every time.Duration `yaml:"every"`
}

// entry is one source, channel or directory: its type, and fields that only that type knows.
type entry struct {
	Type string
	text []byte
}

// UnmarshalYAML keeps the fields for the type to read.
func (e *entry) UnmarshalYAML(text []byte) error {
	var fields yaml.MapSlice
	if err := yaml.Unmarshal(text, &fields); err != nil {
		return err
	}
	rest := yaml.MapSlice{}
	for _, f := range fields {
		if f.Key == "type" {
			e.Type = fmt.Sprint(f.Value)
			continue
		}
		rest = append(rest, f)
	}
	if e.Type == "" {
		return errors.New("an entry without type")
	}
	var err error
	e.text, err = yaml.Marshal(rest)
	return err
}

// Decode fills v, refusing unknown fields.
func (e entry) Decode(v any) error {
	return yaml.UnmarshalWithOptions(e.text, v, yaml.Strict())
}

// loadConfig reads the file that the flag names, else the first that exists of ./switchback.yaml, the XDG places and
// /etc; else the defaults.
func loadConfig(g *grammar) (config, string, error) {
	path, text, err := findConfig(g.Config)
	if err != nil {
		return config{}, "", err
	}
	var c config
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
		return config{}, "", withHint(fmt.Errorf("read configuration %s: %w", path, err), "switchback config check --config FILE names the fault; switchback config example prints a commented file")
	}
	if g.State != "" {
		c.State = g.State
	}
	if c.State == "" {
		c.State = filepath.Join(stateHome(), "switchback")
	}
	if c.Store == "" {
		c.Store = "sqlite"
	}
	return c, path, c.check()
}

func findConfig(flag string) (string, []byte, error) {
	if flag != "" {
		text, err := os.ReadFile(flag)
		if err != nil {
			return "", nil, fmt.Errorf("read configuration: %w", err)
		}
		return flag, text, nil
	}
	for _, path := range configPlaces() {
		text, err := os.ReadFile(path)
		if err == nil {
			return path, text, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", nil, fmt.Errorf("read configuration: %w", err)
		}
	}
	return builtInConfig, exampleConfig, nil
}

// builtInConfig stands for the embedded configuration where a path is named.
const builtInConfig = "the built-in default"

func configPlaces() []string {
	places := []string{"switchback.yaml"}
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "switchback", "switchback.yaml"))
	}
	return append(places, "/etc/switchback/switchback.yaml")
}

// stateHome is $XDG_STATE_HOME, ~/.local/state by default.
func stateHome() string {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return os.TempDir()
	}
	return filepath.Join(home, ".local", "state")
}

func (c config) check() error {
	if c.Store != "sqlite" {
		return fmt.Errorf("store: %q is not known in this build (known: sqlite)", c.Store)
	}
	if c.AWS != "" && c.AWS != "live" && c.AWS != "sandbox" {
		return fmt.Errorf("aws: %q is neither live nor sandbox", c.AWS)
	}
	for i, a := range c.Accounts {
		if len(a.ID) != 12 || strings.Trim(a.ID, "0123456789") != "" {
			return fmt.Errorf("accounts[%d].id: %q is not a 12-digit account id", i, a.ID)
		}
	}
	return nil
}

// modes says in words what the policy allows: the shipped default is to observe, and says so.
func (c config) modes() string {
	if len(c.Policy) == 0 {
		return "observe (dry-run): nothing is changed; set policy: in the configuration to ask or act"
	}
	return fmt.Sprintf("by %d policy entries, observe where none matches", len(c.Policy))
}
