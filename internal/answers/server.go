// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
)

// route is below the public URL; the token follows.
const route = "a"

// Limits of a request.
const (
	maxBody   = 4 << 10
	maxHeader = 8 << 10
	// openFor is how long a page may be open before its form is sent.
	openFor = time.Hour
)

// cookieName holds a random value of the browser that opened the page.
const cookieName = "switchback-answer"

// Incidents is where answers are about; an incident.Store is one.
type Incidents interface {
	Get(ctx context.Context, id incident.ID) (incident.Incident, error)
}

// Taker keeps an answer; respond.Responder is one.
type Taker interface {
	AnswerByLink(ctx context.Context, l incident.Link, v incident.Verdict, comment string) (incident.Answer, error)
}

// Options of a Server. Call is whom people shall call, in words.
type Options struct {
	Call   string
	Clock  func() time.Time
	Logger *slog.Logger
}

// Server shows the pages. It is an http.Handler.
type Server struct {
	links     *Links
	incidents Incidents
	taker     Taker
	o         Options
	limit     *limiter
	mux       *http.ServeMux
	origins   *http.CrossOriginProtection
}

// New makes a Server for what links lead to.
func New(links *Links, incidents Incidents, taker Taker, o Options) (*Server, error) {
	s := &Server{links: links, incidents: incidents, taker: taker, o: o, limit: newLimiter(o.Clock), mux: http.NewServeMux()}
	s.origins = http.NewCrossOriginProtection()
	if err := s.origins.AddTrustedOrigin(links.base.Scheme + "://" + links.base.Host); err != nil {
		return nil, fmt.Errorf("public_url: %w", err)
	}
	path := links.base.JoinPath(route, "{token}").Path
	s.mux.HandleFunc("GET "+path, s.show) // and HEAD
	s.mux.HandleFunc("POST "+path, s.take)
	return s, nil
}

// Serve answers on l until ctx is done.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 30 * time.Second,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.o.Logger.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve answers: %w", err)
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := server.Shutdown(limited)
	<-ended
	return err
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // the token is in the URL; our own form needs its origin
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
	if s.isSecure() {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if !s.limit.allows(r.RemoteAddr) {
		h.Set("Retry-After", "30")
		s.write(w, r, http.StatusTooManyRequests, page{Title: "Too many requests", Lines: []string{"Nothing was recorded. Try again in a minute."}})
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Server) isSecure() bool { return s.links.base.Scheme == "https" }

// show shows the page of a link, and changes nothing: mail scanners open links too.
func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	l, k, ok := s.open(w, r)
	if !ok {
		return
	}
	inc, err := s.incidents.Get(r.Context(), l.Incident)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if !s.o.Clock().Before(l.ExpiresAt) {
		s.write(w, r, http.StatusGone, latePage(l))
		return
	}
	first, err := s.used(r.Context(), l)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p, status := page{Title: "Was it you?", Rows: about(inc), Choices: choices(l.Verdicts), Lines: []string{
		"This was done with an identity in AWS. What you say is noted for the security team. It decides nothing by itself: what was undone stays undone.",
	}}, http.StatusOK
	if first != nil {
		p, status = usedPage(*first), http.StatusConflict
		p.Rows = about(inc)
	}
	if p.Opened, err = s.seal(w, r, k); err != nil {
		s.fail(w, r, err)
		return
	}
	s.write(w, r, status, p)
}

// take keeps the answer of a form that came from the page.
func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		s.write(w, r, http.StatusRequestEntityTooLarge, page{Title: "That was too much, or no form", Lines: []string{"Nothing was recorded. Open the link again and say it in fewer words."}})
		return
	}
	l, k, ok := s.open(w, r)
	if !ok {
		return
	}
	if err := errors.Join(s.origins.Check(r), s.isSealed(r, k)); err != nil {
		s.o.Logger.InfoContext(r.Context(), "answer that does not come from the page", slog.String("incident", string(l.Incident)), slog.Any("error", err))
		s.write(w, r, http.StatusForbidden, page{Title: "Open the link first", Lines: []string{
			"Nothing was recorded. Only what is sent from the page that the link opens counts, with its cookie, within an hour. Open the link again.",
		}})
		return
	}
	verdict := incident.Verdict(r.PostForm.Get("answer"))
	_, err := s.taker.AnswerByLink(r.Context(), l, verdict, r.PostForm.Get("comment"))
	s.conclude(w, r, l, verdict, err)
}

// conclude says what came of an answer.
func (s *Server) conclude(w http.ResponseWriter, r *http.Request, l incident.Link, v incident.Verdict, err error) {
	switch {
	case err == nil:
		s.write(w, r, http.StatusOK, page{Title: "Thank you", Lines: []string{
			"Noted, and the security team is told: " + labels[v], "It decides nothing by itself. You can close this page.",
		}})
	case errors.Is(err, respond.ErrNoVerdict):
		s.write(w, r, http.StatusBadRequest, page{Title: "No answer", Lines: []string{"Nothing was recorded. Go back and choose one of the answers."}})
	case errors.Is(err, respond.ErrLinkExpired):
		s.write(w, r, http.StatusGone, latePage(l))
	case errors.Is(err, respond.ErrLinkUsed):
		s.write(w, r, http.StatusConflict, page{Title: "This link was used before", Lines: []string{
			"An answer counts once, and the first one stays. If what you said differs from it, the security team is told of both.",
		}})
	default:
		s.fail(w, r, err)
	}
}

func latePage(l incident.Link) page {
	return page{Title: "This link is over", Lines: []string{"It could be used until " + stamp(l.ExpiresAt) + ". What you say now does not count."}}
}

// usedPage lets whoever did not give the first answer say so.
func usedPage(first incident.Answer) page {
	p := page{Title: "This link was used before", Lines: []string{
		fmt.Sprintf("At %s somebody said with it: %s", stamp(first.At), labels[first.Verdict]), "That answer stays.",
	}}
	if first.Verdict != incident.NotMe {
		p.Lines = append(p.Lines, "If it was not you who said so, tell the security team here: it does not count as an answer, and they are told at once.")
		p.Choices = choices([]incident.Verdict{incident.NotMe})
	}
	return p
}

// used is the answer that was given by the link; nil for none.
func (s *Server) used(ctx context.Context, l incident.Link) (*incident.Answer, error) {
	all, err := s.links.store.ListAnswers(ctx, l.Incident)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(a incident.Answer) bool { return a.Key == l.AnswerKey() })
	if i < 0 {
		return nil, nil
	}
	return &all[i], nil
}

// open opens the link of the request, or says why it is none: the same for a forged one and one of an unknown key.
func (s *Server) open(w http.ResponseWriter, r *http.Request) (incident.Link, key, bool) {
	l, k, err := s.links.open(r.Context(), r.PathValue("token"))
	switch {
	case err == nil:
		return l, k, true
	case errors.Is(err, ErrForged), errors.Is(err, ErrUnknownKey):
		s.o.Logger.InfoContext(r.Context(), "answer link refused", slog.String("remote", r.RemoteAddr), slog.Any("error", err))
		s.write(w, r, http.StatusNotFound, page{Title: "This link is not valid", Lines: []string{
			"Nothing was recorded. It is incomplete, too old, or not from us. If you were asked about something that you did not do, call the security team.",
		}})
	default:
		s.fail(w, r, err)
	}
	return l, k, false
}

// seal gives the browser a cookie, unless it has one, and returns what its form must carry: when it was opened, signed for
// this link and this browser.
func (s *Server) seal(w http.ResponseWriter, r *http.Request, k key) (string, error) {
	value := ""
	if c, err := r.Cookie(cookieName); err == nil && len(c.Value) == base64.RawURLEncoding.EncodedLen(nonceSize) {
		value = c.Value
	} else {
		random := make([]byte, nonceSize)
		if _, err := rand.Read(random); err != nil {
			return "", fmt.Errorf("open page: %w", err)
		}
		value = base64.RawURLEncoding.EncodeToString(random)
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: cmp.Or(s.links.base.Path, "/"), HttpOnly: true, Secure: s.isSecure(), SameSite: http.SameSiteStrictMode,
		MaxAge: int(openFor.Seconds()),
	})
	at := strconv.FormatInt(s.o.Clock().Unix(), 10)
	return at + "." + sealOf(k, r.PathValue("token"), value, at), nil
}

func sealOf(k key, token, cookie, at string) string {
	return base64.RawURLEncoding.EncodeToString(mac(k, "form", token, cookie, at))
}

// isSealed returns an error for a form that does not come from the page, opened by this browser within the last hour.
func (s *Server) isSealed(r *http.Request, k key) error {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return errors.New("no cookie: the link was not opened in this browser")
	}
	at, seal, _ := strings.Cut(r.PostForm.Get("opened"), ".")
	if !hmac.Equal([]byte(seal), []byte(sealOf(k, r.PathValue("token"), c.Value, at))) {
		return errors.New("the form is not that of a page of ours")
	}
	unix, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return fmt.Errorf("when was it opened: %w", err)
	}
	if age := s.o.Clock().Sub(time.Unix(unix, 0)); age > openFor {
		return fmt.Errorf("the page was open for %s", age)
	}
	return nil
}

// fail is for what is our fault; why is for the log only.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.o.Logger.ErrorContext(r.Context(), "answer could not be taken", slog.Any("error", err))
	s.write(w, r, http.StatusServiceUnavailable, page{Title: "This did not work", Lines: []string{
		"Your answer may not have been recorded. Call the security team.",
	}})
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, p page) {
	p.Foot = "Whom to call: " + cmp.Or(s.o.Call, "your security team, by a way that you know already") + "."
	text, err := p.render()
	if err != nil {
		s.o.Logger.ErrorContext(r.Context(), "page", slog.Any("error", err))
		http.Error(w, "this did not work", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(text); err != nil {
		s.o.Logger.DebugContext(r.Context(), "page not read to its end", slog.Any("error", err))
	}
}

// CheckURL accepts what links may begin with: https, or http on this computer; a host, perhaps a path, nothing else.
func CheckURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("it is no URL")
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" || strings.ContainsAny(u.Path, "{}"):
		return nil, errors.New("want https://HOST or https://HOST/PATH, without user, query or fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("want https: whoever reads the link can use it (http only on this computer)")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
