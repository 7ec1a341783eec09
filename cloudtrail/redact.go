// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"encoding/json"
	"strings"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// secretNames are members that hold a secret whenever they hold anything, in lower case. AWS withholds most of them
// itself; session tokens it does not.
var secretNames = map[string]bool{
	"sessiontoken": true, "secretaccesskey": true, "securitytoken": true, "accesstoken": true, "refreshtoken": true,
	"idtoken": true, "bearertoken": true, "authorizationtoken": true, "clientsecret": true, "secretstring": true,
	"secretbinary": true, "password": true, "newpassword": true, "oldpassword": true, "masteruserpassword": true,
	"plaintext": true, "privatekey": true, "privatekeyplaintext": true, "keymaterial": true, "signintoken": true,
	"x-amz-security-token": true,
}

// Redacted returns raw, any JSON value, without the members that hold secrets (session tokens, secret keys, passwords),
// at any depth, for showing it to people and sending it on. Everything else stays in its order; white space between
// values goes. It returns nil when raw is not JSON: better nothing than a secret. Secrets inside texts are not found.
func Redacted(raw json.RawMessage) json.RawMessage {
	// Valid also bounds the nesting, which redactor follows by recursion.
	if !jsonscan.Valid(raw) {
		return nil
	}
	r := redactor{raw: raw, out: make([]byte, 0, len(raw))}
	if _, err := r.value(jsonscan.Space(raw, 0)); err != nil {
		return nil
	}
	return r.out
}

type redactor struct {
	raw, out []byte
}

func (r *redactor) value(at int) (int, error) {
	if at < len(r.raw) && r.raw[at] == '{' {
		return r.object(at)
	}
	if at < len(r.raw) && r.raw[at] == '[' {
		return r.array(at)
	}
	end, err := jsonscan.Value(r.raw, at)
	r.out = append(r.out, r.raw[at:end]...)
	return end, err
}

func (r *redactor) object(at int) (int, error) {
	opening := len(r.out) + 1
	r.out = append(r.out, '{')
	end, err := jsonscan.Members(r.raw, at, func(name []byte, at int) (int, error) {
		if secretNames[strings.ToLower(string(name))] {
			return jsonscan.Value(r.raw, at)
		}
		quoted, err := json.Marshal(string(name))
		if err != nil {
			return at, err
		}
		r.comma(opening)
		r.out = append(append(r.out, quoted...), ':')
		return r.value(at)
	})
	r.out = append(r.out, '}')
	return end, err
}

func (r *redactor) array(at int) (int, error) {
	opening := len(r.out) + 1
	r.out = append(r.out, '[')
	end, err := jsonscan.Elements(r.raw, at, func(at int) (int, error) {
		r.comma(opening)
		return r.value(at)
	})
	r.out = append(r.out, ']')
	return end, err
}

// comma separates from what precedes, if anything does since the opening bracket.
func (r *redactor) comma(opening int) {
	if len(r.out) > opening {
		r.out = append(r.out, ',')
	}
}
