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
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/source"
)

// exampleConfig is the commented configuration, which is also the default.
//
//go:embed switchback.yaml
var exampleConfig []byte

// config is switchback.yaml. Unknown fields are refused with their line.
type config struct {
	State     string           `yaml:"state"`
	Store     string           `yaml:"store"`
	AWS       string           `yaml:"aws"`
	Sandbox   sandboxConfig    `yaml:"sandbox"`
	Region    string           `yaml:"region"`
	Accounts  []accountConfig  `yaml:"accounts"`
	Policy    []gate.Rule      `yaml:"policy"`
	Budget    budgetConfig     `yaml:"budget"`
	Runbooks  string           `yaml:"runbooks"`
	Prices    string           `yaml:"prices"`
	Sources   []entry          `yaml:"sources"`
	Heart     section          `yaml:"heartbeat"`
	Channels  []entry          `yaml:"channels"`
	Security  securityConfig   `yaml:"security"`
	People    []entry          `yaml:"directories"`
	Fallback  personConfig     `yaml:"fallback"`
	Proof     proofConfig      `yaml:"proof"`
	Snapshot  snapshotConfig   `yaml:"snapshots"`
	Reserve   reserveConfig    `yaml:"reserve_bucket"`
	Own       []arn.ARN        `yaml:"own"`
	Pipelines []pipelineConfig `yaml:"pipelines"`
	Fights    fightConfig      `yaml:"fights"`
	Answers   answersConfig    `yaml:"answers"`

	// isStateNamed: somebody asked for this state folder, it is not the default.
	isStateNamed bool
}

type sandboxConfig struct {
	State string `yaml:"state"`
	Delay span   `yaml:"delay"`
}

type accountConfig struct {
	ID       string   `yaml:"id"`
	Role     string   `yaml:"role_arn"`
	External string   `yaml:"external_id"`
	Regions  []string `yaml:"regions"`
	OUs      []string `yaml:"ous"`
}

type budgetConfig struct {
	Window  span `yaml:"window"`
	Limit   int  `yaml:"limit"`
	Reserve int  `yaml:"reserve"`
	// PerActor and ActorWindow limit what one principal can make us change.
	PerActor    int  `yaml:"per_actor"`
	ActorWindow span `yaml:"actor_window"`
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
	Every span `yaml:"every"`
}

type snapshotConfig struct {
	Every span `yaml:"every"`
}

type reserveConfig struct {
	Name    string `yaml:"name"`
	Account string `yaml:"account"`
	Key     string `yaml:"kms_key_arn"`
}

// span is a duration in the configuration.
type span time.Duration

// UnmarshalYAML parses Go's duration syntax; an error knows its line, which the library's own does not.
func (d *span) UnmarshalYAML(node ast.Node) error {
	text := node.GetToken().Value
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return &yaml.SyntaxError{Message: fmt.Sprintf("%.40q is no duration such as 90s or 15m", text), Token: node.GetToken()}
	}
	*d = span(parsed)
	return nil
}

// entry is one source, channel or directory: its type, and fields that only that type knows.
type entry struct {
	Type string
	// Kinds, of a channel, are the kinds of messages that it carries; none is all.
	Kinds []incident.MessageKind
	// PerMinute, of a channel, is how many messages it takes in a minute; 0 is what its type takes, negative no limit.
	PerMinute int
	// text holds the fields where there is no node: an entry that we made ourselves.
	text []byte
	node ast.Node
	line int
}

// UnmarshalYAML keeps the fields, with their places in the file, for the type to read.
func (e *entry) UnmarshalYAML(node ast.Node) error {
	fields, ok := node.(ast.MapNode)
	if !ok {
		return &yaml.SyntaxError{Message: "want an entry with a type, such as {type: console}", Token: node.GetToken()}
	}
	rest := ast.Mapping(node.GetToken(), false)
	for all := fields.MapRange(); all.Next(); {
		if all.Key().GetToken().Value == "type" {
			e.Type = all.Value().GetToken().Value
			continue
		}
		if all.Key().GetToken().Value == "kinds" {
			if err := yaml.NodeToValue(all.Value(), &e.Kinds); err != nil {
				return err
			}
			continue
		}
		if all.Key().GetToken().Value == "per_minute" {
			if err := yaml.NodeToValue(all.Value(), &e.PerMinute); err != nil {
				return err
			}
			continue
		}
		rest.Values = append(rest.Values, all.KeyValue())
	}
	e.node, e.line = rest, node.GetToken().Position.Line
	if e.Type == "" {
		return &yaml.SyntaxError{Message: "an entry without type", Token: node.GetToken()}
	}
	return nil
}

// section is a part of the configuration that one type of source reads; its zero value is not there.
type section struct{ entry }

// UnmarshalYAML keeps the fields, with their places in the file.
func (s *section) UnmarshalYAML(node ast.Node) error {
	if _, ok := node.(ast.MapNode); !ok {
		return &yaml.SyntaxError{Message: "want fields, such as {url: https://...}", Token: node.GetToken()}
	}
	s.node, s.line = node, node.GetToken().Position.Line
	return nil
}

func (s section) isThere() bool { return s.node != nil }

// Decode fills v, refusing unknown fields.
func (e entry) Decode(v any) error {
	if e.node == nil {
		return yaml.UnmarshalWithOptions(e.text, v, yaml.Strict())
	}
	return lined(yaml.NodeToValue(e.node, v, yaml.Strict()))
}

// isStream reports whether it is a source whose silence means something.
func (e entry) isStream() bool {
	k, ok := source.Find(e.Type)
	return ok && k.SilentAfter > 0
}

// place names the entry in errors: "channels[0] (line 12)".
func (e entry) place(list string, i int) string {
	if e.line == 0 {
		return fmt.Sprintf("%s[%d]", list, i)
	}
	return fmt.Sprintf("%s[%d] (line %d)", list, i, e.line)
}

// lined says a fault of YAML in one line: where, and what. The library's own text quotes the file over several.
func lined(err error) error {
	var fault yaml.Error
	if !errors.As(err, &fault) {
		return err
	}
	return fmt.Errorf("line %d: %s", fault.GetToken().Position.Line, fault.GetMessage())
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
		return config{}, "", withHint(fmt.Errorf("read configuration %s: %w", path, lined(err)), "switchback config example prints a file with every field explained")
	}
	if g.State != "" {
		c.State = g.State
	}
	c.isStateNamed = c.State != ""
	if c.State == "" {
		c.State = filepath.Join(stateHome(), "switchback")
	}
	if c.Store == "" {
		c.Store = "sqlite"
	}
	if err := c.check(); err != nil {
		return c, path, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return c, path, nil
}

func findConfig(flag string) (string, []byte, error) {
	if flag != "" {
		text, err := os.ReadFile(flag)
		if err != nil {
			return "", nil, withHint(fmt.Errorf("read configuration: %w", err), "switchback config example > %s makes one", flag)
		}
		return flag, text, nil
	}
	for _, path := range configPlaces() {
		text, err := os.ReadFile(path)
		if err == nil {
			return path, text, nil
		}
		if !isAbsent(path, err) {
			return "", nil, withHint(fmt.Errorf("read configuration: %w", err), "--config FILE names another")
		}
	}
	return builtInConfig, exampleConfig, nil
}

// isAbsent reports whether the error of reading path means that there is none. In a folder that we may not look into,
// such as the home of another user whose environment we have, there is none for us either; a file that is there and
// cannot be read is an error: what it asks for must not be left out silently.
func isAbsent(path string, err error) bool {
	if errors.Is(err, fs.ErrPermission) {
		_, err = os.Stat(path)
		return errors.Is(err, fs.ErrPermission)
	}
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
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

// check finds what can be found without opening anything.
func (c config) check() error {
	if c.Store != "sqlite" {
		return fmt.Errorf("store: %q is not known in this build (known: sqlite)", c.Store)
	}
	if c.AWS != "" && c.AWS != "live" && c.AWS != "sandbox" {
		return fmt.Errorf("aws: %q is neither live nor sandbox", c.AWS)
	}
	for i, a := range c.Accounts {
		if !isAccountID(a.ID) {
			return fmt.Errorf("accounts[%d].id: %q is not a 12-digit account id (quote it)", i, a.ID)
		}
	}
	if err := c.checkKinds(); err != nil {
		return err
	}
	if err := c.checkOwn(); err != nil {
		return err
	}
	if _, err := c.ownParts(); err != nil {
		return err
	}
	return errors.Join(c.Answers.check(), c.Reserve.check())
}

// check: whose a reserve bucket is must be said, for whoever takes its name over would get the log files.
func (r reserveConfig) check() error {
	switch {
	case r == reserveConfig{}:
		return nil
	case r.Name == "":
		return errors.New("reserve_bucket.name is missing")
	case !isAccountID(r.Account):
		return fmt.Errorf("reserve_bucket.account: %q is not a 12-digit account id (quote it)", r.Account)
	}
	return nil
}

// messageKinds are those that a channel may be given.
var messageKinds = []incident.MessageKind{incident.ToSecurity, incident.ToPerson, incident.Reminder, incident.ToFallback, incident.Notice}

func (c config) checkKinds() error {
	for _, others := range []struct {
		name string
		all  []entry
	}{{"sources", c.Sources}, {"directories", c.People}} {
		for i, e := range others.all {
			if len(e.Kinds) > 0 || e.PerMinute != 0 {
				return fmt.Errorf("%s: kinds and per_minute are those of messages, for channels only", e.place(others.name, i))
			}
		}
	}
	for i, e := range c.Channels {
		for _, kind := range e.Kinds {
			if !slices.Contains(messageKinds, kind) {
				return fmt.Errorf("%s: kinds: %q is none of %v", e.place("channels", i), kind, messageKinds)
			}
		}
	}
	return nil
}

func isAccountID(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

// checkState refuses a state folder that somebody named and that is not there: what is kept elsewhere must not look as
// if it were nothing.
func (c config) checkState() error {
	_, err := os.Stat(c.State)
	if c.isStateNamed && err != nil {
		return withHint(fmt.Errorf("open state folder: %w", err), "switchback serve makes it; --state DIR or --config FILE names another")
	}
	return nil
}

// snapshotsEvery is how often the configuration of trails is kept.
func (c config) snapshotsEvery() time.Duration {
	return firstDuration(time.Duration(c.Snapshot.Every), 15*time.Minute)
}

// modes says in words what the policy allows: the shipped default is to observe, and says so.
func (c config) modes() string {
	if len(c.Policy) == 0 {
		return "observe (dry-run): nothing is changed; set policy: in the configuration to ask or act"
	}
	return fmt.Sprintf("by %d policy %s, observe where none matches", len(c.Policy), plural(len(c.Policy), "entry", "entries"))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// warnings are what is allowed and hardly meant: a response of which nobody hears.
func (c config) warnings() []string {
	var all []string
	if len(c.Channels) == 0 {
		all = append(all, "channels: none, messages only go to the log and nobody counts as reached")
	}
	if len(c.Security.people()) == 0 {
		all = append(all, "security: names nobody, mail to the security team cannot be sent")
	}
	if len(c.Fallback.people()) == 0 {
		all = append(all, "fallback: names nobody, who could not be found is not stood in for")
	}
	if c.Heart.isThere() && !slices.ContainsFunc(c.Sources, entry.isStream) {
		all = append(all, "heartbeat: no source brings events that a beat could wait for, so there will be none")
	}
	for _, p := range append(c.Security.people(), c.Fallback.people()...) {
		if isPlaceholder(p.Email) {
			all = append(all, fmt.Sprintf("%s is the address of an example, nobody reads it", p.Email))
		}
	}
	return slices.Compact(all)
}

// isPlaceholder reports whether the domain is one of those that are reserved for documentation.
//
// https://www.rfc-editor.org/rfc/rfc2606
func isPlaceholder(address string) bool {
	_, domain, _ := strings.Cut(strings.ToLower(address), "@")
	for _, reserved := range []string{"example.com", "example.net", "example.org"} {
		if domain == reserved || strings.HasSuffix(domain, "."+reserved) {
			return true
		}
	}
	return strings.HasSuffix(domain, ".example")
}
