// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// ParseRecord parses one record. It copies data.
//
// Unknown fields are kept in Raw. Booleans may be text, times may be written in any of several ways, text fields may be
// numbers, and any field may be absent or null. What errors wrap: [ErrSyntax] or [ErrTruncated] when data is not one
// JSON value, a [FieldError] when a known field has a wrong type, [ErrShape] when it is JSON of something else.
// Where a name occurs twice, the last one counts, as for encoding/json and EventBridge.
func ParseRecord(data []byte) (Record, error) {
	p := parser{data: data}
	var r Record
	start := jsonscan.Space(data, 0)
	end, err := p.record(&r, start)
	if err == nil && jsonscan.Space(data, end) != len(data) {
		err = fmt.Errorf("%w: text follows the record at byte %d", ErrSyntax, end)
	}
	if err == nil {
		err = r.checkShape()
	}
	if err != nil {
		return Record{}, fmt.Errorf("parse record: %w", textError(err))
	}
	p.own(&r, start, end)
	return r, nil
}

// checkShape refuses what is certainly not a CloudTrail record. The events of S3, SQS and others that Lambda functions
// see look alike, but their sources are "aws:s3" and the like.
func (r *Record) checkShape() error {
	if strings.HasPrefix(r.EventSource, "aws:") {
		return fmt.Errorf("%w: its eventSource %q is that of a notification", ErrShape, r.EventSource)
	}
	if r.EventVersion == "" && (r.EventName == "" || r.EventSource == "") {
		return fmt.Errorf("%w: it has no eventVersion, eventName and eventSource", ErrShape)
	}
	return nil
}

// parser reads records out of data.
type parser struct {
	data []byte
	// names keeps texts that recur from record to record; nil allocates each.
	names *interner
	// raws are the raw fields found so far; they point into data until own moves them into the record's copy.
	raws []rawField
	// wrapper, if set, looks at the members that are not a record's, and may end the parse by an error.
	wrapper func(r *Record, name []byte, at int) error
}

type rawField struct {
	field      *json.RawMessage
	start, end int
}

// own makes the record independent of data.
func (p *parser) own(r *Record, start, end int) {
	raw := bytes.Clone(p.data[start:end])
	r.Raw = raw
	for _, f := range p.raws {
		*f.field = raw[f.start-start : f.end-start : f.end-start]
	}
}

func (p *parser) record(r *Record, at int) (int, error) {
	return jsonscan.Members(p.data, at, func(name []byte, at int) (int, error) {
		if field := r.textField(name); field != nil {
			return p.text(field, name, at)
		}
		if field := r.rawField(name); field != nil {
			return p.raw(field, at)
		}
		return p.other(r, name, at)
	})
}

// other reads the members that are neither text nor raw.
func (p *parser) other(r *Record, name []byte, at int) (int, error) {
	switch string(name) {
	case "userIdentity":
		r.UserIdentity = UserIdentity{}
		return p.identity(&r.UserIdentity, at)
	case "eventTime":
		return p.time(&r.EventTime, name, at)
	case "readOnly":
		return p.bool(&r.ReadOnly, name, at)
	case "managementEvent":
		return p.bool(&r.ManagementEvent, name, at)
	case "sessionCredentialFromConsole":
		return p.flag(&r.SessionCredentialFromConsole, name, at)
	case "resources":
		return p.resources(r, at)
	case "addendum":
		return optional(p, &r.Addendum, "addendum", at, (*Addendum).textField)
	case "tlsDetails":
		return optional(p, &r.TLSDetails, "tlsDetails", at, (*TLSDetails).textField)
	}
	if p.wrapper != nil {
		if err := p.wrapper(r, name, at); err != nil {
			return at, err
		}
	}
	return jsonscan.Value(p.data, at)
}

func (p *parser) identity(u *UserIdentity, at int) (int, error) {
	return p.object("userIdentity", at, func(name []byte, at int) (int, error) {
		if field := u.textField(name); field != nil {
			return p.text(field, name, at)
		}
		switch string(name) {
		case "sessionContext":
			u.SessionContext = nil
			if p.isNull(at) {
				return jsonscan.Value(p.data, at)
			}
			u.SessionContext = new(SessionContext)
			return p.session(u.SessionContext, at)
		case "onBehalfOf":
			return optional(p, &u.OnBehalfOf, "onBehalfOf", at, (*OnBehalfOf).textField)
		case "inScopeOf":
			return optional(p, &u.InScopeOf, "inScopeOf", at, (*InScopeOf).textField)
		case "invokedByDelegate":
			return p.texts("invokedByDelegate", at, func(name []byte) *string {
				if string(name) == "accountId" {
					return &u.InvokedByDelegateAccountID
				}
				return nil
			})
		}
		return jsonscan.Value(p.data, at)
	})
}

func (p *parser) session(s *SessionContext, at int) (int, error) {
	return p.object("sessionContext", at, func(name []byte, at int) (int, error) {
		switch string(name) {
		case "sessionIssuer":
			s.SessionIssuer = SessionIssuer{}
			return p.texts("sessionIssuer", at, s.SessionIssuer.textField)
		case "attributes":
			return p.sessionAttributes(s, at)
		case "webIdFederationData":
			return p.webIdentity(s, at)
		case "sourceIdentity":
			return p.text(&s.SourceIdentity, name, at)
		case "ec2RoleDelivery":
			return p.text(&s.EC2RoleDelivery, name, at)
		case "signInSessionArn":
			return p.text(&s.SignInSessionARN, name, at)
		case "assumedRoot":
			return p.flag(&s.AssumedRoot, name, at)
		}
		return jsonscan.Value(p.data, at)
	})
}

func (p *parser) sessionAttributes(s *SessionContext, at int) (int, error) {
	return p.object("attributes", at, func(name []byte, at int) (int, error) {
		switch string(name) {
		case "creationDate":
			return p.time(&s.CreationDate, name, at)
		case "mfaAuthenticated":
			return p.bool(&s.MFAAuthenticated, name, at)
		}
		return jsonscan.Value(p.data, at)
	})
}

// webIdentity leaves an empty object nil: most sessions carry one.
func (p *parser) webIdentity(s *SessionContext, at int) (int, error) {
	s.WebIDFederationData = nil
	var data *WebIDFederationData
	end, err := p.object("webIdFederationData", at, func(name []byte, at int) (int, error) {
		if data == nil {
			data = new(WebIDFederationData)
		}
		switch string(name) {
		case "federatedProvider":
			return p.text(&data.FederatedProvider, name, at)
		case "attributes":
			return p.raw(&data.Attributes, at)
		}
		return jsonscan.Value(p.data, at)
	})
	s.WebIDFederationData = data
	return end, err
}

// resources reads the array. In EventBridge events the member of the same name holds bare ARNs.
func (p *parser) resources(r *Record, at int) (int, error) {
	r.Resources = nil
	if p.isNull(at) {
		return jsonscan.Value(p.data, at)
	}
	if p.data[at] != '[' {
		return at, &FieldError{"resources", "must be an array, is " + p.kind(at)}
	}
	return jsonscan.Elements(p.data, at, func(at int) (int, error) {
		if at < len(p.data) && p.data[at] == '"' {
			var arn string
			end, err := p.text(&arn, []byte("resources"), at)
			r.Resources = append(r.Resources, Resource{ARN: arn})
			return end, err
		}
		var resource Resource
		end, err := p.texts("resources", at, resource.textField)
		r.Resources = append(r.Resources, resource)
		return end, err
	})
}
