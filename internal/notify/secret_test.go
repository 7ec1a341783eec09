// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/internal/notify"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const text = "hunter2-hunter2"
	s := notify.NewSecret(text)
	type config struct{ S notify.Secret }
	type hidden struct{ s notify.Secret }
	asJSON, err := json.Marshal(config{s})
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(config{s})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("secret", s), slog.Any("config", config{s}))
	for name, printed := range map[string]string{
		//lint:ignore S1025 the verb is what is tested
		"%v": fmt.Sprintf("%v %+v", s, config{s}), "%#v": fmt.Sprintf("%#v", config{s}), "%s": fmt.Sprintf("%s", s),
		"%q": fmt.Sprintf("%q", s), "unexported": fmt.Sprintf("%v %+v %#v", hidden{s}, &hidden{s}, hidden{s}),
		"JSON": string(asJSON), "YAML": string(asYAML), "log": log.String(),
	} {
		if strings.Contains(printed, text) {
			t.Errorf("%s: %s", name, printed)
		}
	}
	if s.Reveal() != text || (notify.Secret{}).Reveal() != "" {
		t.Error("Reveal lost the text")
	}
}

func TestSecretFrom(t *testing.T) {
	t.Setenv("SWITCHBACK_TEST_SECRET", "from-environment")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, empty, odd := write("good", "from-file\n"), write("empty", "\n"), write("odd", "env:SWITCHBACK_TEST_SECRET")
	for name, tt := range map[string]struct{ literal, file, want string }{
		"itself":               {"literal", "", "literal"},
		"a file":               {"", good, "from-file"},
		"both":                 {"literal", good, ""},
		"neither":              {"", "", ""},
		"empty":                {"", empty, ""},
		"absent":               {"", filepath.Join(dir, "absent"), ""},
		"a variable":           {"env:SWITCHBACK_TEST_SECRET", "", "from-environment"},
		"a variable not set":   {"env:SWITCHBACK_TEST_NO_SECRET", "", ""},
		"a file that names it": {"", odd, "env:SWITCHBACK_TEST_SECRET"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := notify.SecretFrom("password", notify.NewSecret(tt.literal), tt.file)
			if got.Reveal() != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v", got.Reveal(), err)
			}
		})
	}
}

func TestSecretFromYAML(t *testing.T) {
	t.Parallel()
	var c struct {
		Password notify.Secret `yaml:"password"`
	}
	if err := yaml.UnmarshalWithOptions([]byte("password: s3cret:x\n"), &c, yaml.Strict()); err != nil || c.Password.Reveal() != "s3cret:x" {
		t.Errorf("got %q, %v", c.Password.Reveal(), err)
	}
}
