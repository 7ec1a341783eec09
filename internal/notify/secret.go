// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Secret is a text of the configuration that must never be printed: a password, a key, a URL that is enough to post.
// Whatever prints it, in any verb, as JSON, YAML or a log attribute, even as a field of another struct, prints
// "(redacted)" or an address in memory. The zero value is empty.
type Secret struct {
	// The value hides in a function, since package fmt looks into unexported fields without asking for String.
	reveal func() string
}

const redacted = "(redacted)"

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{func() string { return text }} }

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// UnmarshalText reads a configuration.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// String is never the text.
func (s Secret) String() string { return redacted }

// GoString is never the text.
func (s Secret) GoString() string { return redacted }

// MarshalText is never the text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue is never the text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// maxSecret bounds a file that holds a secret.
const maxSecret = 64 << 10

// ErrNoSecret is returned where a secret is given neither itself nor as a file, or both ways.
var ErrNoSecret = errors.New("give it itself or as a file, not both")

// fromEnvironment begins a secret that is a variable of the environment; its name follows.
const fromEnvironment = "env:"

// SecretFrom is how the configuration gives a secret: itself, or better the file that holds it, without the line break at
// its end, or as "env:NAME" the environment's variable that does. Name is for errors. The value is at least one byte.
func SecretFrom(name string, literal Secret, file string) (Secret, error) {
	text := literal.Reveal()
	if (text == "") == (file == "") {
		return Secret{}, fmt.Errorf("%s or %s_file: %w", name, name, ErrNoSecret)
	}
	if file != "" {
		content, err := readSecret(file)
		if err != nil {
			return Secret{}, fmt.Errorf("read %s_file: %w", name, err)
		}
		text = content
	}
	if variable, ok := strings.CutPrefix(text, fromEnvironment); ok && file == "" {
		if text = os.Getenv(variable); text == "" {
			return Secret{}, fmt.Errorf("%s: the environment's %.100s is empty", name, variable)
		}
	}
	return NewSecret(text), nil
}

func readSecret(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(content), "\r\n")
	if text == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return text, nil
}
