// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package answers_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/action/tellingtest"
	"github.com/switchback-project/switchback/internal/answers"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
)

const (
	valid  = 24 * time.Hour
	rotate = 30 * 24 * time.Hour
)

// listening is the listener over a real store and pipeline, on loopback.
type listening struct {
	*testing.T
	world *tellingtest.World
	dir   string
	links *answers.Links
	http  *httptest.Server
}

func listen(t *testing.T) *listening {
	t.Helper()
	l := &listening{T: t, world: tellingtest.New(t), dir: filepath.Join(t.TempDir(), "answers")}
	l.world.Answers, l.world.Logger = l.world.DB, slog.New(slog.DiscardHandler)
	responder, err := respond.New(respond.Options{Services: l.world.Services})
	l.check(err)
	keys, err := answers.OpenKeys(l.dir, answers.KeyOptions{Rotate: rotate, Keep: valid, Clock: l.world.Now})
	l.check(err)
	l.http = httptest.NewUnstartedServer(nil)
	public, err := answers.CheckURL("http://" + l.http.Listener.Addr().String() + "/was-it-you")
	l.check(err)
	l.links = answers.NewLinks(l.world.DB, keys, public, valid, l.world.Now)
	server, err := answers.New(l.links, l.world.DB, responder, answers.Options{Call: "security <+49 30 1>", Clock: l.world.Now, Logger: l.world.Logger})
	l.check(err)
	l.http.Config.Handler = server
	l.http.Start()
	t.Cleanup(l.http.Close)
	return l
}

func (l *listening) check(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *listening) link(message string) string {
	l.Helper()
	text, err := l.links.Link(l.Context(), incident.Link{
		Message: message, Incident: l.world.ID, Person: "alice", IsPerson: true, Verdicts: incident.Verdicts(),
	})
	l.check(err)
	return text
}

// browser is a client with cookies of its own.
func (l *listening) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	l.check(err)
	return &http.Client{Jar: jar}
}

func (l *listening) do(c *http.Client, r *http.Request) (int, string, http.Header) {
	l.Helper()
	res, err := c.Do(r)
	l.check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	l.check(err)
	return res.StatusCode, string(body), res.Header
}

func (l *listening) get(c *http.Client, link string) (int, string, http.Header) {
	l.Helper()
	r, err := http.NewRequestWithContext(l.Context(), http.MethodGet, link, nil)
	l.check(err)
	return l.do(c, r)
}

var openedField = regexp.MustCompile(`name="opened" value="([^"]*)"`)

// open opens the page and returns the hidden value of its form.
func (l *listening) open(c *http.Client, link string) string {
	l.Helper()
	_, body, _ := l.get(c, link)
	found := openedField.FindStringSubmatch(body)
	if found == nil {
		l.Fatalf("no form in %s", body)
	}
	return found[1]
}

func (l *listening) post(c *http.Client, link string, form url.Values, header ...string) (int, string) {
	l.Helper()
	r, err := http.NewRequestWithContext(l.Context(), http.MethodPost, link, strings.NewReader(form.Encode()))
	l.check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	status, body, _ := l.do(c, r)
	return status, body
}

func said(opened string, v incident.Verdict) url.Values {
	return url.Values{"opened": {opened}, "answer": {string(v)}, "comment": {"<b>\r\nBcc: x"}}
}

// answers are those that were kept, in words.
func (l *listening) answers() []string {
	l.Helper()
	all, err := l.world.DB.ListAnswers(l.Context(), l.world.ID)
	l.check(err)
	var words []string
	for _, a := range all {
		words = append(words, strings.TrimSuffix(fmt.Sprintf("%s by %s: %s", a.Verdict, a.By, a.Refused), ": "))
	}
	return words
}

func (l *listening) want(want ...string) {
	l.Helper()
	if got := l.answers(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		l.Errorf("answers are %q, want %q", got, want)
	}
}

func (l *listening) notices() (n int) {
	for _, m := range l.world.Channel.Messages() {
		if m.Kind == incident.Notice {
			n++
		}
	}
	return n
}

// The whole way: opened, answered once, security told, nothing decided.
func TestAnswer(t *testing.T) {
	t.Parallel()
	l := listen(t)
	link, browser := l.link("m1"), l.browser()
	status, body, header := l.get(browser, link)
	for _, want := range []string{"Was it you?", "StopLogging on main", "2026-05-04 10:11:12 UTC", "security &lt;&#43;49 30 1&gt;", `value="not-me"`} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("status %d, want the page to say %q:\n%s", status, want, body)
		}
	}
	style := body[strings.Index(body, "<style>")+len("<style>") : strings.Index(body, "</style>")]
	sum := sha256.Sum256([]byte(style))
	policy := header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(body, "<script") || header.Get("Cache-Control") != "no-store" || strings.Contains(body, string(l.world.ID)) {
		t.Errorf("a page with script, kept, or naming the incident: %v\n%s", header, body)
	}
	cookie := header.Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || !strings.Contains(cookie, "Path=/was-it-you") {
		t.Errorf("cookie %q", cookie)
	}
	l.want()

	opened := l.open(browser, link)
	if status, body := l.post(browser, link, said(opened, "")); status != http.StatusBadRequest {
		t.Errorf("no answer: status %d: %s", status, body)
	}
	if status, body := l.post(browser, link, said(opened, incident.MineExpected), "Sec-Fetch-Site", "same-origin"); status != http.StatusOK || !strings.Contains(body, "Thank you") {
		t.Errorf("status %d: %s", status, body)
	}
	l.want("mine-expected by alice")
	if inc := l.world.Incident(t); inc.Status != incident.Open || !inc.Times.HumanAnswered.IsZero() {
		t.Errorf("the incident is %s, answered at %s: an answer decides nothing", inc.Status, inc.Times.HumanAnswered)
	}
	if l.notices() != 1 {
		t.Errorf("security was told %d times", l.notices())
	}
}

// Mail scanners open links, some with HEAD, some all of a page's buttons without its cookie: nothing counts, and the person can
// still answer.
func TestPrefetch(t *testing.T) {
	t.Parallel()
	l := listen(t)
	link := l.link("m1")
	scanner := &http.Client{} // keeps no cookies
	var opened string
	for range 3 {
		opened = l.open(scanner, link)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, link, nil)
	l.check(err)
	if status, body, _ := l.do(scanner, r); status != http.StatusOK || body != "" {
		t.Errorf("HEAD: status %d, %q", status, body)
	}
	for name, form := range map[string]url.Values{
		"nothing": {}, "no page": {"answer": {"not-me"}}, "the page's form": said(opened, incident.NotMe), "a made up seal": said("1.x", incident.NotMe),
	} {
		if status, body := l.post(scanner, link, form); status != http.StatusForbidden || !strings.Contains(body, "Nothing was recorded") {
			t.Errorf("%s: status %d: %s", name, status, body)
		}
	}
	l.want()
	person := l.browser()
	if status, _ := l.post(person, link, said(l.open(person, link), incident.NotMe)); status != http.StatusOK {
		t.Errorf("the person: status %d", status)
	}
	l.want("not-me by alice")
}

// Another site cannot answer for the person, nor another link's page.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	l := listen(t)
	one, other, browser := l.link("m1"), l.link("m2"), l.browser()
	opened := l.open(browser, one)
	for name, header := range map[string][]string{
		"cross-site": {"Sec-Fetch-Site", "cross-site"}, "origin": {"Origin", "https://evil.example"}, "null origin": {"Origin", "null"},
	} {
		if status, _ := l.post(browser, one, said(opened, incident.MineExpected), header...); status != http.StatusForbidden {
			t.Errorf("%s: status %d", name, status)
		}
	}
	if status, _ := l.post(browser, other, said(opened, incident.MineExpected)); status != http.StatusForbidden {
		t.Errorf("the page of another link: status %d", status)
	}
	l.world.Pass(2 * time.Hour)
	if status, _ := l.post(browser, one, said(opened, incident.MineExpected)); status != http.StatusForbidden {
		t.Errorf("a page of two hours ago: status %d", status)
	}
	l.want()
}

// A used link counts no more. Whoever finds it used can say that it was not them: security hears of both.
func TestUsedLink(t *testing.T) {
	t.Parallel()
	l := listen(t)
	link, thief, person := l.link("m1"), l.browser(), l.browser()
	early := l.open(person, link)
	l.post(thief, link, said(l.open(thief, link), incident.MineExpected))
	if status, body := l.post(thief, link, said(l.open(thief, link), incident.MineExpected)); status != http.StatusConflict || !strings.Contains(body, "used before") {
		t.Errorf("again: status %d: %s", status, body)
	}
	l.want("mine-expected by alice")
	status, body, _ := l.get(person, link)
	if status != http.StatusConflict || !strings.Contains(body, "It was me, and it was meant.") || strings.Contains(body, `value="mine-mistake"`) {
		t.Errorf("opened when used: status %d: %s", status, body)
	}
	for range 2 {
		if status, _ := l.post(person, link, said(early, incident.NotMe)); status != http.StatusConflict {
			t.Errorf("another answer: status %d", status)
		}
	}
	l.want("mine-expected by alice", "not-me by alice: the link was used before, to say that it was theirs and expected")
	if l.notices() != 2 {
		t.Errorf("security was told %d times, want of both", l.notices())
	}
}

func TestLateLink(t *testing.T) {
	t.Parallel()
	l := listen(t)
	link, browser := l.link("m1"), l.browser()
	l.world.Pass(valid - time.Minute)
	opened := l.open(browser, link)
	l.world.Pass(time.Minute)
	status, body, _ := l.get(browser, link)
	if status != http.StatusGone || !strings.Contains(body, "2026-05-05 10:11:22 UTC") || strings.Contains(body, "<form") {
		t.Errorf("opened late: status %d: %s", status, body)
	}
	if status, _ := l.post(browser, link, said(opened, incident.NotMe)); status != http.StatusGone {
		t.Errorf("answered late: status %d", status)
	}
	l.want("not-me by alice: the link had expired")
}

// What is no link of ours is refused alike, whatever is wrong with it, and leaves no trace in the case.
func TestForgedLinks(t *testing.T) {
	t.Parallel()
	l := listen(t)
	link := l.link("m1")
	token := link[strings.LastIndex(link, "/")+1:]
	raw, err := base64.RawURLEncoding.DecodeString(token)
	l.check(err)
	flip := func(at int) string {
		b := append([]byte(nil), raw...)
		b[at] ^= 1
		return base64.RawURLEncoding.EncodeToString(b)
	}
	before := len(l.world.Entries(t))
	var first string
	for name, forged := range map[string]string{
		"version": flip(0), "key id": flip(1), "nonce": flip(6), "signature": flip(len(raw) - 1), "short": token[1:], "long": token + "A", "no token": "x",
	} {
		status, body, _ := l.get(l.browser(), strings.TrimSuffix(link, token)+forged)
		if first == "" {
			first = body
		}
		if status != http.StatusNotFound || body != first {
			t.Errorf("%s: status %d: %s", name, status, body)
		}
	}
	// A key that is gone takes its links along.
	files, err := filepath.Glob(filepath.Join(l.dir, "*.key"))
	l.check(err)
	if len(files) != 1 {
		t.Fatalf("keys %v", files)
	}
	l.check(os.Remove(files[0]))
	if status, body, _ := l.get(l.browser(), link); status != http.StatusNotFound || body != first {
		t.Errorf("unknown key: status %d: %s", status, body)
	}
	if got := len(l.world.Entries(t)); got != before {
		t.Errorf("%d entries more on the timeline", got-before)
	}
	l.want()
}

// A message that is sent again carries the link that it had; another message another one.
func TestLinkOfAMessage(t *testing.T) {
	t.Parallel()
	l := listen(t)
	first := l.link("m1")
	l.world.Pass(time.Hour)
	if again := l.link("m1"); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	if other := l.link("m2"); other == first {
		t.Error("two messages have one link")
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	l := listen(t)
	keys := func() []string {
		files, err := filepath.Glob(filepath.Join(l.dir, "*.key"))
		l.check(err)
		for _, f := range files {
			info, err := os.Stat(f)
			l.check(err)
			if info.Mode().Perm() != 0o600 || info.Size() != 32 {
				t.Errorf("%s has %s and %d bytes", f, info.Mode(), info.Size())
			}
		}
		return files
	}
	l.world.Pass(rotate - time.Hour)
	old := l.link("m1")
	l.world.Pass(time.Hour)
	l.link("m2")
	if n := len(keys()); n != 2 {
		t.Errorf("%d keys, want the one that signs and the one that still counts", n)
	}
	if status, _, _ := l.get(l.browser(), old); status != http.StatusOK {
		t.Errorf("a link by the key before: status %d", status)
	}
	l.world.Pass(rotate)
	l.link("m3")
	l.world.Pass(rotate)
	l.link("m4")
	if n := len(keys()); n > 2 {
		t.Errorf("%d keys: old ones are not removed", n)
	}
	l.check(os.Chmod(keys()[0], 0o644))
	if _, err := answers.OpenKeys(l.dir, answers.KeyOptions{Rotate: rotate, Keep: valid, Clock: l.world.Now}); err == nil || !strings.Contains(err.Error(), "mode 0600") {
		t.Errorf("a key that others can read: %v", err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	l := listen(t)
	link, browser := l.link("m1"), l.browser()
	form := said(l.open(browser, link), incident.NotMe)
	form.Set("comment", strings.Repeat("x", 5000))
	if status, _ := l.post(browser, link, form); status != http.StatusRequestEntityTooLarge {
		t.Errorf("5 KB: status %d", status)
	}
	limited := false
	for range 40 {
		status, _, header := l.get(browser, link)
		limited = limited || status == http.StatusTooManyRequests && header.Get("Retry-After") != ""
	}
	if !limited {
		t.Error("one address may ask for everything at once")
	}
	l.world.Pass(time.Minute)
	if status, _, _ := l.get(browser, link); status != http.StatusOK {
		t.Errorf("a minute later: status %d", status)
	}
	l.want()
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"https://answers.example.com": true, "https://example.com/was-it-you": true, "http://localhost:8086": true, "http://127.0.0.1:1": true,
		"http://answers.example.com": false, "https://": false, "https://a:b@example.com": false, "https://example.com/?a=b": false,
		"https://example.com/#x": false, "ftp://example.com": false, "example.com": false, "https://example.com/{token}": false, "": false,
	} {
		if _, err := answers.CheckURL(text); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Serve ends with its context.
func TestServe(t *testing.T) {
	t.Parallel()
	l := listen(t)
	responder, err := respond.New(respond.Options{Services: l.world.Services})
	l.check(err)
	server, err := answers.New(l.links, l.world.DB, responder, answers.Options{Clock: l.world.Now, Logger: l.world.Logger})
	l.check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	l.check(err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	if status, _, _ := l.get(l.browser(), "http://"+listener.Addr().String()+"/nothing"); status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
