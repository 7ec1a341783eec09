// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decodeManifest refuses unknown fields, double keys and a second document. The error begins with the place in file.
func decodeManifest(file string, text []byte, m *Manifest) error {
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	err := d.Decode(m)
	if errors.Is(err, io.EOF) {
		return nil // no answers; Check names all that are missing
	}
	if err == nil {
		if err = d.Decode(new(any)); errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("%s: want one YAML document, found more", file)
	}
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		p := at.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", file, p.Line, p.Column, at.GetMessage())
	}
	return fmt.Errorf("%s: %w", file, err)
}

// fault is an error that names the place of a node.
func fault(n ast.Node, format string, args ...any) error {
	return &yaml.SyntaxError{Message: fmt.Sprintf(format, args...), Token: n.GetToken()}
}

// UnmarshalYAML parses Go's duration syntax.
func (d *Duration) UnmarshalYAML(n ast.Node) error {
	v, err := time.ParseDuration(n.GetToken().Value)
	if err != nil {
		return fault(n, "%q is no duration: want 30s, 10m or 24h", n.GetToken().Value)
	}
	*d = Duration(v)
	return nil
}

// UnmarshalYAML keeps the pattern as JSON, its members in their order and its numbers as they are written. It goes by
// the nodes: the texts that the library hands to other unmarshalers have lost some escapes.
func (p *Pattern) UnmarshalYAML(n ast.Node) error {
	var b bytes.Buffer
	if err := writeJSON(&b, n); err != nil {
		return err
	}
	*p = b.Bytes()
	return nil
}

func writeJSON(b *bytes.Buffer, n ast.Node) error {
	switch n := n.(type) {
	case *ast.MappingNode:
		return writeObject(b, n.Values)
	case *ast.MappingValueNode:
		return writeObject(b, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		return writeArray(b, n)
	case *ast.StringNode:
		return writeText(b, n)
	case *ast.LiteralNode:
		return writeString(b, n.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		return writeNumber(b, n)
	case *ast.BoolNode, *ast.NullNode:
		return writeValue(b, n)
	}
	return fault(n, "a pattern has objects, lists, texts, numbers, true, false and null, not %s", strings.ToLower(n.Type().String()))
}

func writeObject(b *bytes.Buffer, members []*ast.MappingValueNode) error {
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		if m.Key.IsMergeKey() {
			return fault(m.Key, "a pattern has no merge keys")
		}
		if err := writeString(b, m.Key.GetToken().Value); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := writeJSON(b, m.Value); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func writeArray(b *bytes.Buffer, n *ast.SequenceNode) error {
	b.WriteByte('[')
	for i, v := range n.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := writeJSON(b, v); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

// number is JSON's grammar.
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// writeText writes a text; one that is not quoted and looks like a JSON number is one, as in 1e3, which YAML's own rules
// do not agree on.
func writeText(b *bytes.Buffer, n *ast.StringNode) error {
	if n.Token.Type == token.StringType && number.MatchString(n.Value) {
		b.WriteString(n.Value)
		return nil
	}
	return writeString(b, n.Value)
}

func writeNumber(b *bytes.Buffer, n ast.Node) error {
	if text := n.GetToken().Value; number.MatchString(text) {
		b.WriteString(text)
		return nil
	}
	return fault(n, "%s is no number in JSON: quote it if it is a text", n.GetToken().Value)
}

func writeValue(b *bytes.Buffer, n ast.Node) error {
	switch n := n.(type) {
	case *ast.BoolNode:
		fmt.Fprint(b, n.Value)
	default:
		b.WriteString("null")
	}
	return nil
}

func writeString(b *bytes.Buffer, s string) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // Encode's newline
	return nil
}
