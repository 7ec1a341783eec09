// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ticket_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/ticket"
)

// system is a ticket system that keeps what it is given: Jira 3, Jira 2 or ServiceNow. It answers one request at a time.
type system struct {
	t       *testing.T
	tickets []map[string]any
	// lose is how many tickets are kept while their answer is lost.
	lose int
}

func (s *system) answer(w http.ResponseWriter, p notifytest.Post) bool {
	w.Header().Set("Content-Type", "application/json")
	var body map[string]any
	if len(p.Body) > 0 {
		if err := json.Unmarshal(p.Body, &body); err != nil {
			s.t.Errorf("%v: %s", err, p.Body)
		}
	}
	u, err := url.Parse(p.Path)
	if err != nil {
		s.t.Error(err)
	}
	switch {
	case u.Path == "/rest/api/3/search/jql", u.Path == "/rest/api/2/search":
		s.reply(w, map[string]any{"issues": s.find(body["jql"].(string), "labels", regexp.MustCompile(`labels = "([^"]*)"`))})
		return false
	case p.Method == http.MethodGet && u.Path == "/api/now/table/incident":
		s.reply(w, map[string]any{"result": s.find(u.Query().Get("sysparm_query"), "correlation_id", regexp.MustCompile(`^correlation_id=([^^]*)\^`))})
		return false
	case u.Path == "/rest/api/3/issue", u.Path == "/rest/api/2/issue":
		s.create(w, body["fields"].(map[string]any), func(name string) any { return map[string]any{"id": "1", "key": name} })
	case p.Method == http.MethodPost && u.Path == "/api/now/table/incident":
		s.create(w, body, func(name string) any { return map[string]any{"result": map[string]any{"number": name, "sys_id": "1"}} })
	default:
		s.t.Errorf("%s %s", p.Method, p.Path)
	}
	return true
}

func (s *system) reply(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.t.Error(err)
	}
}

func (s *system) find(query, field string, by *regexp.Regexp) []any {
	wanted := by.FindStringSubmatch(query)
	if wanted == nil {
		s.t.Errorf("a query without the id: %s", query)
		return nil
	}
	found := []any{}
	for i, x := range s.tickets {
		if strings.Contains(fmt.Sprint(x[field]), wanted[1]) {
			name := fmt.Sprintf("SEC-%d", i+1)
			found = append(found, map[string]any{"key": name, "number": name})
		}
	}
	return found
}

func (s *system) create(w http.ResponseWriter, fields map[string]any, answer func(name string) any) {
	s.tickets = append(s.tickets, fields)
	if s.lose > 0 {
		s.lose--
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusCreated)
	s.reply(w, answer(fmt.Sprintf("SEC-%d", len(s.tickets))))
}

// opener makes a channel to a system at url.
type opener func(url string, s notify.Services) (*ticket.Tickets, error)

func jira(api int) opener {
	return func(url string, s notify.Services) (*ticket.Tickets, error) {
		return ticket.NewJira(ticket.JiraOptions{
			Login:   ticket.Login{URL: url, User: "u@example.com", Token: notify.NewSecret("SECRET")},
			Project: "SEC", API: api, Fields: map[string]any{"labels": []any{"aws", "{{.Account}}"}, "priority": map[string]any{"name": "Highest"}},
		}, s)
	}
}

func serviceNow(url string, s notify.Services) (*ticket.Tickets, error) {
	return ticket.NewServiceNow(ticket.ServiceNowOptions{
		Login:  ticket.Login{URL: url, Token: notify.NewSecret("SECRET")},
		Fields: map[string]any{"category": "{{.Runbook}} {{.Principal}}", "correlation_id": "nobody's"},
	}, s)
}

var systems = map[string]opener{"jira cloud": jira(0), "jira data center": jira(2), "servicenow": serviceNow}

func start(t *testing.T, b notifytest.Behaviour, lose int, open opener) (*ticket.Tickets, *system, func() []notifytest.Post) {
	t.Helper()
	s := &system{t: t, lose: lose}
	url, posts := notifytest.Answering(t, b, s.answer)
	n, err := open(url, notify.Services{Incident: func(context.Context, incident.ID) (incident.Incident, error) {
		inc := notifytest.Incident()
		inc.Who.Principal = strings.Repeat("s", 100_000) + notifytest.Evil
		return inc, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return n, s, posts
}

func TestContract(t *testing.T) {
	t.Parallel()
	for name, open := range systems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			notifytest.RunOnce(t, func(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
				n, s, posts := start(t, b, 0, open)
				return n, func() []notifytest.Received {
					var all []notifytest.Received
					posts() // the lock
					for _, x := range s.tickets {
						all = append(all, received(t, x))
					}
					return all
				}
			})
		})
	}
}

// received reads a ticket, and fails on what its system would refuse or interpret.
func received(t *testing.T, x map[string]any) notifytest.Received {
	t.Helper()
	title, limit := x["summary"], 255
	if title == nil {
		title, limit = x["short_description"], 160
	}
	if s := title.(string); s == "" || len([]rune(s)) > limit || strings.Contains(s, "\n") {
		t.Errorf("title %.300q", s)
	}
	text := ""
	switch d := x["description"].(type) {
	case string:
		text = d
		if inner, ok := strings.CutPrefix(d, "{noformat}\n"); ok && strings.Count(inner, "{noformat") != 1 {
			t.Errorf("markup in %.300q", d)
		}
	case map[string]any:
		for _, paragraph := range d["content"].([]any) {
			nodes, _ := paragraph.(map[string]any)["content"].([]any)
			for _, node := range nodes {
				if n := node.(map[string]any); n["type"] != "text" || n["text"] == "" || n["marks"] != nil {
					t.Errorf("node %v", n)
				} else {
					text += n["text"].(string)
				}
			}
			text += "\n"
		}
	}
	if len(text) > 32_767 {
		t.Errorf("a description of %d bytes", len(text))
	}
	return notifytest.Received{Text: title.(string) + "\n" + text}
}

// A message that is tried again because its answer was lost, by the same process or by another, opens no second ticket.
func TestALostAnswerOpensNoSecondTicket(t *testing.T) {
	t.Parallel()
	for name, open := range systems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, s, posts := start(t, notifytest.Accepts, 1, open)
			if to, retry, err := n.Notify(t.Context(), notifytest.Message()); err == nil || !retry || len(to) > 0 {
				t.Fatalf("got %v, retry %t, %v", to, retry, err)
			}
			to, _, err := n.Notify(t.Context(), notifytest.Message())
			if diff := cmp.Diff([]string{"SEC-1"}, to); err != nil || diff != "" {
				t.Error(err, diff)
			}
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() { _, _, _ = n.Notify(t.Context(), notifytest.Message()) })
			}
			all.Wait()
			posts()
			if len(s.tickets) != 1 {
				t.Errorf("%d tickets", len(s.tickets))
			}
		})
	}
}

func TestManyMessagesAtOnceOpenOneTicket(t *testing.T) {
	t.Parallel()
	n, s, posts := start(t, notifytest.Accepts, 0, serviceNow)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			m := notifytest.Message()
			m.Incident += incident.ID(fmt.Sprint(i % 2))
			if _, _, err := n.Notify(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if posts(); len(s.tickets) != 2 {
		t.Errorf("%d tickets for 2 incidents", len(s.tickets))
	}
}

func TestTheTemplateIsFilledIn(t *testing.T) {
	t.Parallel()
	n, s, posts := start(t, notifytest.Accepts, 0, jira(3))
	m := notifytest.Message()
	if _, _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("u@example.com:SECRET"))
	for _, p := range posts() {
		if p.Header.Get("Authorization") != want {
			t.Error(p.Header)
		}
	}
	issue := s.tickets[0]
	if diff := cmp.Diff([]any{"aws", "444455556666", "switchback-" + string(m.Incident)}, issue["labels"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"name": "Highest"}, issue["priority"]); diff != "" {
		t.Error(diff)
	}

	n, s, posts = start(t, notifytest.Accepts, 0, serviceNow)
	if _, _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	posts()
	record := s.tickets[0]
	if record["correlation_id"] != string(m.Incident) || record["urgency"] != "1" {
		t.Errorf("got %v", record)
	}
	if got := record["category"].(string); !strings.HasPrefix(got, "cloudtrail-off sss") || len(got) > 600 || strings.ContainsAny(got, "\n\u202e") {
		t.Errorf("category %.700q", got)
	}
}

func TestNoTicketForWhatIsNoIncident(t *testing.T) {
	t.Parallel()
	n, s, posts := start(t, notifytest.Accepts, 0, jira(3))
	for name, change := range map[string]func(*incident.Message){
		"a pause":    func(m *incident.Message) { m.Incident, m.Kind = "", incident.Notice },
		"an undo":    func(m *incident.Message) { m.Kind = incident.Notice },
		"the person": func(m *incident.Message) { m.Kind = incident.ToPerson },
		"a reminder": func(m *incident.Message) { m.Kind = incident.Reminder },
	} {
		m := notifytest.Message()
		change(&m)
		if _, _, err := n.Notify(t.Context(), m); !errors.Is(err, notify.ErrNotAddressed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if posts(); len(s.tickets) > 0 {
		t.Error("tickets")
	}
}

// An answer that is no list must not look as if there were no ticket.
func TestAnUnreadableAnswerOpensNothing(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"empty": "", "a login page": "<html>", "another shape": `{"total":0}`, "null": "null"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, posts := notifytest.Answering(t, notifytest.Accepts, func(w http.ResponseWriter, _ notifytest.Post) bool {
				_, _ = w.Write([]byte(text))
				return true
			})
			for _, open := range systems {
				n, err := open(url, notify.Services{})
				if err != nil {
					t.Fatal(err)
				}
				if to, _, err := n.Notify(t.Context(), notifytest.Message()); err == nil {
					t.Errorf("accepted as %v", to)
				}
			}
			if got := posts(); len(got) != len(systems) {
				t.Errorf("%d requests: something was opened", len(got))
			}
		})
	}
}

func TestErrorsKeepTheSecret(t *testing.T) {
	t.Parallel()
	for _, b := range []notifytest.Behaviour{notifytest.Busy, notifytest.Refuses, notifytest.Denies, notifytest.IsDown} {
		for name, open := range systems {
			n, _, _ := start(t, b, 0, open)
			_, _, err := n.Notify(t.Context(), notifytest.Message())
			if err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(fmt.Sprintf("%+v %#v", n, n), "SECRET") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	from := func(text string) error {
		kind, text, _ := strings.Cut(text, " ")
		n, err := notify.New(notify.Config{Type: kind, Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, notify.Services{})
		if err == nil && n.ReachesHuman() {
			t.Error("a ticket reaches nobody")
		}
		return err
	}
	for _, text := range []string{
		"jira {url: https://example.atlassian.net, project: SEC, user: u, token: t}",
		`jira {url: https://jira.example.com, api: 2, project: SEC, token: t, fields: {priority: {name: High}, n: 3, components: [{name: "{{.Region}}"}]}}`,
		"servicenow {url: https://example.service-now.com, user: u, token: t, table: sn_si_incident}",
	} {
		if err := from(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		"jira {}", "jira {url: http://jira.example.com, project: SEC, token: t}", "jira {url: https://x, project: SEC}",
		`jira {url: https://x, project: 'SEC" OR 1', token: t}`, "jira {url: https://x, project: SEC, token: t, api: 4}",
		`jira {url: https://x, project: SEC, token: t, fields: {a: "{{.Nothing}}"}}`, `jira {url: https://x, project: SEC, token: t, fields: {a: "{{"}}`,
		"servicenow {url: https://x, token: t, table: ../x}", "servicenow {url: https://x, token: t, password: p}",
	} {
		if err := from(text); err == nil {
			t.Errorf("accepted %s", text)
		}
	}
}
