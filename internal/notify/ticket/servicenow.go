// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ticket

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

// ServiceNowOptions are the channel's entry in the configuration.
type ServiceNowOptions struct {
	Login  `yaml:",inline"`
	Table  string         `yaml:"table"`
	Fields map[string]any `yaml:"fields"`
}

var tableName = regexp.MustCompile(`^[a-z0-9_]{1,80}$`)

// NewServiceNow makes a channel that opens records. It connects to nothing.
func NewServiceNow(o ServiceNowOptions, s notify.Services) (*Tickets, error) { return o.open(s) }

func (o *ServiceNowOptions) open(s notify.Services) (*Tickets, error) {
	table := cmp.Or(o.Table, "incident")
	if !tableName.MatchString(table) {
		return nil, fmt.Errorf("table: %.60q is no name of a table", table)
	}
	extra, err := parseFields(o.Fields)
	if err != nil {
		return nil, err
	}
	return o.tickets(serviceNow{table, extra}, s)
}

type serviceNow struct {
	table string
	extra fields
}

func (serviceNow) name() string { return "servicenow" }

func (s serviceNow) path() string { return "/api/now/table/" + s.table }

// correlation is the incident's id; in a query a ^ would begin another condition.
func correlation(id incident.ID) string {
	return strings.ReplaceAll(notify.Line(string(id), maxName), "^", "_")
}

// find asks by correlation_id.
//
// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html
func (s serviceNow) find(id incident.ID) question {
	v := url.Values{
		"sysparm_query": {"correlation_id=" + correlation(id) + "^ORDERBYsys_created_on"}, "sysparm_fields": {"number,sys_id"}, "sysparm_limit": {"1"},
	}
	return question{http.MethodGet, s.path() + "?" + v.Encode(), nil}
}

// record is what tells one; tables without numbers have only an id.
type record struct {
	Number string `json:"number"`
	SysID  string `json:"sys_id"`
}

func (serviceNow) found(answer []byte) (string, error) {
	a, err := decode[struct{ Result *[]record }](answer)
	switch {
	case err != nil:
		return "", err
	case a.Result == nil:
		return "", errors.New("no result in it")
	case len(*a.Result) == 0:
		return "", nil
	}
	r := (*a.Result)[0]
	return cmp.Or(r.Number, r.SysID, "a record without a number"), nil
}

func (s serviceNow) open(m incident.Message, d details) (question, error) {
	urgency := urgencyOf(m.Severity)
	all := map[string]any{
		"short_description": cmp.Or(notify.Line(m.Subject, maxShort), string(m.Incident)), "description": notify.Plain(m.Text, maxShortText),
		"impact": urgency, "urgency": urgency,
	}
	extra, err := s.extra.fill(d)
	if err != nil {
		return question{}, err
	}
	maps.Copy(all, extra)
	all["correlation_id"], all["correlation_display"] = correlation(m.Incident), "Switchback"
	return question{http.MethodPost, s.path(), all}, nil
}

// urgencyOf is 1 for what cannot wait, to 3.
func urgencyOf(s incident.Severity) string {
	switch s {
	case incident.Critical, incident.High:
		return "1"
	case incident.Medium:
		return "2"
	}
	return "3"
}

func (serviceNow) opened(answer []byte) (string, error) {
	a, err := decode[struct{ Result record }](answer)
	name := cmp.Or(a.Result.Number, a.Result.SysID)
	if err == nil && name == "" {
		err = errNoName
	}
	return name, err
}
