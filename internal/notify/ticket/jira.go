// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ticket

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strings"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

// JiraOptions are the channel's entry in the configuration.
type JiraOptions struct {
	Login     `yaml:",inline"`
	Project   string         `yaml:"project"`
	IssueType string         `yaml:"issue_type"`
	API       int            `yaml:"api"`
	Fields    map[string]any `yaml:"fields"`
}

// projectKey keeps the key out of trouble in a query.
var projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,49}$`)

// The versions of Jira's API.
const (
	cloudAPI  = 3
	serverAPI = 2
)

var errAPI = errors.New("api: want 3, or 2 for Jira Data Center")

// NewJira makes a channel that opens issues. It connects to nothing.
func NewJira(o JiraOptions, s notify.Services) (*Tickets, error) { return o.open(s) }

func (o *JiraOptions) open(s notify.Services) (*Tickets, error) {
	api := cmp.Or(o.API, cloudAPI)
	switch {
	case api != cloudAPI && api != serverAPI:
		return nil, errAPI
	case !projectKey.MatchString(o.Project):
		return nil, fmt.Errorf("project: %.60q is no key of a project, such as SEC", o.Project)
	}
	extra, err := parseFields(o.Fields)
	if err != nil {
		return nil, err
	}
	return o.tickets(jira{api: api, project: o.Project, kind: cmp.Or(o.IssueType, "Task"), extra: extra}, s)
}

type jira struct {
	api           int
	project, kind string
	extra         fields
}

func (jira) name() string { return "jira" }

// label is the incident's id as a label, which has no spaces; nothing in it means anything in a query.
func label(id incident.ID) string {
	return "switchback-" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, notify.Line(string(id), maxName))
}

// find searches by the label.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/
func (j jira) find(id incident.ID) question {
	path := fmt.Sprintf("/rest/api/%d/search", j.api)
	if j.api == cloudAPI {
		path += "/jql"
	}
	return question{http.MethodPost, path, map[string]any{
		"jql": fmt.Sprintf(`project = "%s" AND labels = "%s" ORDER BY created ASC`, j.project, label(id)), "maxResults": 1, "fields": []string{"key"},
	}}
}

func (jira) found(answer []byte) (string, error) {
	a, err := decode[struct {
		Issues *[]struct{ Key string }
	}](answer)
	switch {
	case err != nil:
		return "", err
	case a.Issues == nil:
		return "", errors.New("no list of issues in it")
	case len(*a.Issues) == 0:
		return "", nil
	}
	return (*a.Issues)[0].Key, nil
}

// open makes an issue.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post
func (j jira) open(m incident.Message, d details) (question, error) {
	all := map[string]any{
		"summary": cmp.Or(notify.Line(m.Subject, maxSummary), string(m.Incident)), "description": j.text(notify.Plain(m.Text, maxText)),
		"issuetype": map[string]string{"name": j.kind}, "project": map[string]string{"key": j.project},
	}
	extra, err := j.extra.fill(d)
	if err != nil {
		return question{}, err
	}
	maps.Copy(all, extra)
	labels, _ := all["labels"].([]any) // those that were configured
	all["labels"] = append(labels, label(m.Incident))
	all["project"] = map[string]string{"key": j.project} // where it is looked for
	return question{http.MethodPost, fmt.Sprintf("/rest/api/%d/issue", j.api), map[string]any{"fields": all}}, nil
}

// text is a description in which nothing is markup: a document of text nodes, or for version 2, whose texts are wiki
// markup, a block in which there is none.
//
// https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
func (j jira) text(text string) any {
	if j.api == serverAPI {
		return "{noformat}\n" + strings.ReplaceAll(text, "{noformat", "{ noformat") + "\n{noformat}"
	}
	var paragraphs []any
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		paragraph := map[string]any{"type": "paragraph"}
		if line != "" { // empty text nodes are refused
			paragraph["content"] = []any{map[string]string{"type": "text", "text": line}}
		}
		paragraphs = append(paragraphs, paragraph)
	}
	return map[string]any{"type": "doc", "version": 1, "content": paragraphs}
}

func (jira) opened(answer []byte) (string, error) {
	a, err := decode[struct{ Key string }](answer)
	if err == nil && a.Key == "" {
		err = errNoName
	}
	return a.Key, err
}
