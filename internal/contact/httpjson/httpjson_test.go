// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package httpjson_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/contact/httpjson"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func clock() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

const one = `{"people": [{"name": "Alice Example", "email": "alice@example.com", "slack": "U012AB3CD", "phone": "1", "active": true, "floor": 3,
	"manager": {"name": "Bob", "email": "bob@example.com", "left": "2026-05-04", "manager": {"name": "Carol", "phone": "2", "left": "2026-05-05"}}}], "took": 7}`

// service answers every request with a status and a body, and keeps the requests.
func service(t *testing.T, status int, body string) (url string, asked func() []string) {
	t.Helper()
	all := make(chan string, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all <- r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Authorization")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		var got []string
		for len(all) > 0 {
			got = append(got, <-all)
		}
		return got
	}
}

func open(t *testing.T, o httpjson.Options) *httpjson.Directory {
	t.Helper()
	d, err := httpjson.Open(o, clock)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// told is an answer in one line.
func told(a contact.Answer) string {
	var all []string
	for _, p := range a.People {
		text := strings.Join(strings.Fields(strings.Join([]string{p.Name, p.Email, p.Slack, p.Phone}, " ")), " ")
		if p.IsHint {
			text += "?"
		}
		if p.Note != "" {
			text += " (" + p.Note + ")"
		}
		all = append(all, text)
	}
	for _, p := range a.Left {
		all = append(all, "gone: "+p.Name+" ("+p.Note+")")
	}
	return strings.Join(append(all, a.Notes...), "; ")
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	alice := incident.Who{Human: "alice", HumanARN: "arn:aws:iam::111122223333:user/alice"}
	const asAlice = "/?arn=arn%3Aaws%3Aiam%3A%3A111122223333%3Auser%2Falice&human=alice"
	for name, tt := range map[string]struct {
		status            int
		body              string
		who               incident.Who
		want, manager, as string
	}{
		"one":         {body: one, who: alice, want: "Alice Example alice@example.com U012AB3CD 1", manager: "Carol 2 (manager of Alice Example); Bob, a manager: left on 2026-05-04", as: asAlice},
		"nobody":      {body: `{"people": []}`, who: alice, want: "knows nobody of that name", as: asAlice},
		"not found":   {status: 404, body: "<html>", who: alice, want: "knows nobody of that name", as: asAlice},
		"two":         {body: `{"people": [{"name": "Sam A", "phone": "1", "manager": {"phone": "3"}}, {"name": "Sam B", "phone": "2"}]}`, who: alice, want: "Sam A 1? (one of 2 people of that name); Sam B 2? (one of 2 people of that name); 2 people have that name: none of them is certain", as: asAlice},
		"left":        {body: `{"people": [{"name": "Alice", "phone": "1", "active": false, "manager": {"name": "Bob", "phone": "2"}}]}`, who: alice, want: "gone: Alice (not active)", manager: "Bob 2 (manager of Alice)", as: asAlice},
		"left by day": {body: `{"people": [{"name": "Alice", "phone": "1", "active": true, "left": "2026-05-01"}]}`, who: alice, want: "gone: Alice (left on 2026-05-01)", as: asAlice},
		"no address":  {body: `{"people": [{"name": "Alice", "manager": {"name": "Bob"}}]}`, who: alice, want: "Alice has no address", manager: "Bob, a manager, has no address", as: asAlice},
		"hostile answer": {
			body: `{"people": [{"name": "<!channel>\u202e\r\n", "email": "a@example.com\r\nBcc: b@example.com", "slack": "!channel", "phone": "1\n2"}]}`, who: alice, as: asAlice,
			want: `<!channel>[U+202E][U+000D][U+000A] 1[U+000A]2; check "a@example.com\r\nBcc: b@example.com": not a plain mail address (want name@example.com); check "!channel": not a Slack member id (want U012AB3CD)`,
		},
		"unresolved":     {body: one, who: incident.Who{Principal: "p", Chain: []string{"p", "q", ""}}, want: "Alice Example alice@example.com U012AB3CD 1 (the human is not known; this is who owns a principal of the chain)", manager: "Carol 2 (manager of Alice Example); Bob, a manager: left on 2026-05-04", as: "/?principal=p&principal=q"},
		"hostile name":   {body: one, who: incident.Who{Human: "a&admin=1\r\nHost: x#<!channel>\u202e"}, want: "Alice Example alice@example.com U012AB3CD 1", manager: "Carol 2 (manager of Alice Example); Bob, a manager: left on 2026-05-04", as: "/?human=a%26admin%3D1%0D%0AHost%3A+x%23%3C%21channel%3E%E2%80%AE"},
		"a name of 100K": {body: one, who: incident.Who{Human: strings.Repeat("a", 100_000)}, want: "not asked: a name of 100000 bytes"},
		"no name":        {body: one, want: "not asked: there is no name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.status == 0 {
				tt.status = http.StatusOK
			}
			url, asked := service(t, tt.status, tt.body)
			d := open(t, httpjson.Options{URL: url + "/"})
			a, err := d.LookUp(t.Context(), nil, tt.who)
			if err != nil {
				t.Fatal(err)
			}
			m, err := d.ManagersOf(t.Context(), nil, tt.who)
			if err != nil {
				t.Fatal(err)
			}
			var requests []string
			if tt.as != "" {
				requests = []string{"GET " + tt.as + " "} // once: the manager's answer is the same
			}
			if diff := cmp.Diff([]any{tt.want, tt.manager, requests}, []any{told(a), told(m), asked()}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnCall(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"people": [{"name": "A", "phone": "1"}, {"name": "B", "phone": "2"}]}`:                                "A 1 (on call); B 2 (on call)",
		`{"people": [{"name": "A", "phone": "1", "active": false}, {"email": "b@example.com"}, {"name": "C"}]}`: "b@example.com b@example.com (on call); A, on call: not active; C, on call, has no address",
		`{"people": []}`: "nobody is on call",
	} {
		url, asked := service(t, http.StatusOK, body)
		a, err := open(t, httpjson.Options{URL: "https://127.0.0.1:1/", OnCallURL: url + "/now?team=sec"}).OnCall(t.Context())
		if err != nil || told(a) != want {
			t.Errorf("got %q, %v, want %q", told(a), err, want)
		}
		if got := asked(); len(got) != 1 || got[0] != "GET /now?team=sec " {
			t.Errorf("asked %q", got)
		}
	}
	if a, err := open(t, httpjson.Options{URL: "https://127.0.0.1:1/"}).OnCall(t.Context()); err != nil || told(a) != "" {
		t.Errorf("without an address: got %q, %v", told(a), err)
	}
}

func TestIsDown(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("s3cret-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"busy":            {429, "", "it answers 429 Too Many Requests"},
		"broken":          {500, "s3cret-token", "it answers 500"},
		"denied":          {403, "", "it answers 403 Forbidden"},
		"no content":      {204, "", "it answers 204"},
		"no JSON":         {200, "<html>", "read answer"},
		"half":            {200, one[:100], "read answer"},
		"two answers":     {200, one + one, "read answer"},
		"no people":       {200, `{"error": "no such user"}`, `there is no "people"`},
		"null":            {200, `{"people": null}`, `there is no "people"`},
		"of other types":  {200, `{"people": [{"name": 7}]}`, "read answer"},
		"no day":          {200, `{"people": [{"name": "A", "manager": {"left": "soon"}}]}`, "no day"},
		"too long":        {200, `{"people": [{"name": "` + strings.Repeat("a", 64<<10) + `"}]}`, "longer than 65536"},
		"deep":            {200, strings.Repeat(`{"people": [`, 5000), "read answer"},
		"somewhere else":  {302, "", "it answers 302"},
		"without an end":  {200, strings.Repeat(" ", 1<<20), "longer than"},
		"moved for ever":  {308, "", "it answers 308"},
		"of another form": {200, `["people"]`, "read answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, asked := service(t, tt.status, tt.body)
			d := open(t, httpjson.Options{URL: url, TokenFile: secret})
			for range 2 { // what is down is asked again
				_, err := d.LookUp(t.Context(), nil, incident.Who{Human: "alice"})
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "alice") {
					t.Errorf("got %v, want %q", err, tt.want)
				}
			}
			if got := asked(); len(got) != 2 || got[0] != "GET /?human=alice Bearer s3cret-token" {
				t.Errorf("asked %q", got)
			}
		})
	}
}

func TestIsNotThere(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	d := open(t, httpjson.Options{URL: s.URL})
	if _, err := d.LookUp(t.Context(), nil, incident.Who{Human: "alice"}); err == nil || strings.Contains(err.Error(), "alice") {
		t.Errorf("got %v", err)
	}
}

func TestHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release); s.Close() })
	d := open(t, httpjson.Options{URL: s.URL, Timeout: 20 * time.Millisecond})
	if _, err := d.LookUp(t.Context(), nil, incident.Who{Human: "alice"}); err == nil {
		t.Error("waited for ever")
	}
}

// A certificate that nobody vouches for is refused; one that is trusted serves.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, one) }))
	t.Cleanup(s.Close)
	d := open(t, httpjson.Options{URL: s.URL})
	if _, err := d.LookUp(t.Context(), nil, incident.Who{Human: "alice"}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
	d.Trust(s.Client())
	if a, err := d.LookUp(t.Context(), nil, incident.Who{Human: "alice"}); err != nil || len(a.People) != 1 {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	url, asked := service(t, http.StatusOK, one)
	now, none := clock(), time.Duration(0)
	cached, err := httpjson.Open(httpjson.Options{URL: url}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	look := func(d *httpjson.Directory, human string) {
		t.Helper()
		if a, err := d.LookUp(t.Context(), nil, incident.Who{Human: human}); err != nil || len(a.People) != 1 {
			t.Fatalf("got %+v, %v", a, err)
		}
	}
	count := func(want int) {
		t.Helper()
		if got := asked(); len(got) != want {
			t.Errorf("asked %d times, want %d", len(got), want)
		}
	}
	look(cached, "alice")
	look(cached, "alice")
	count(1)
	now = now.Add(time.Minute)
	look(cached, "alice")
	count(1)
	now = now.Add(-time.Hour) // the clock was set back
	look(cached, "alice")
	count(1)
	for i := range 600 {
		look(cached, fmt.Sprint("user", i))
	}
	count(600)
	if got := cached.Cached(); got > 2*256 {
		t.Errorf("%d entries are kept", got)
	}
	look(cached, "user599")
	count(0)
	always := open(t, httpjson.Options{URL: url, Cache: &none})
	look(always, "alice")
	look(always, "alice")
	count(2)
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"url: https://people.example.com/": true, "url: http://127.0.0.1:80/": true, "url: http://people.example.com/": false,
		"url: https://user:password@people.example.com/": false, "{}": false, "url: https://a.example\npath: x": false,
		"url: https://a.example\non_call_url: http://b.example": false, "url: https://a.example\ntimeout: 5s\ncache: 0s": true,
		"url: https://a.example\ntimeout: 1m": false, "url: https://a.example\ncache: 24h": false, "url: https://a.example\ncache: -1s": false,
		"url: https://a.example\ntoken: x": true, "url: https://a.example\ntoken: x\ntoken_file: y": false, "url: https://a.example\ntoken_file: /is/not/there": false,
		"url: ftp://a.example": false, "url: \"https://a.example/\\u0000\"": false,
	} {
		_, err := contact.Open(contact.Config{Type: "http", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, contact.Services{Clock: clock})
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := httpjson.Open(httpjson.Options{URL: "https://a.example", Token: notify.NewSecret("x")}, nil); err == nil {
		t.Error("accepted no clock")
	}
}

// The example of the documentation is read as it stands there.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/directories.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```json\n")
	text, _, _ = strings.Cut(text, "```")
	answers, err := httpjson.Answers([]byte(text), clock())
	if err != nil || len(answers) != 3 || told(answers[0]) != "Alice Example alice@example.com U012AB3CD +49 30 1234567" {
		t.Errorf("got %+v, %v", answers, err)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(one))
	f.Add([]byte(`{"people": [{"name": "\u202e", "email": "a@b\r\n", "slack": "<!channel>", "phone": "\u0000"}, {"active": false}]}`))
	f.Add([]byte(`{"people": null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answers, err := httpjson.Answers(body, clock())
		if err != nil {
			return
		}
		for _, a := range answers {
			for _, p := range append(a.People, a.Left...) {
				if strings.ContainsAny(p.Name+p.Email+p.Slack+p.Phone, "\r\n\x00\u202e") || len(p.Name) > 300 {
					t.Fatalf("accepted %+v", p)
				}
			}
			for _, p := range a.People {
				if p.Email == "" && p.Slack == "" && p.Phone == "" {
					t.Fatalf("nobody can reach %+v", p)
				}
			}
		}
	})
}
