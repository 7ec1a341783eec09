// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notifytest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Post is a request that an HTTP receiver got.
type Post struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// HTTP starts an HTTP receiver and returns its URL and what has arrived.
func HTTP(t *testing.T, b Behaviour) (url string, received func() []Post) {
	t.Helper()
	return Answering(t, b, func(http.ResponseWriter, Post) bool { return true })
}

// Answering is HTTP for a receiver that is more than a hole: answer writes the answer to what is accepted, and returns
// false for what is no message, such as a question.
func Answering(t *testing.T, b Behaviour, answer func(w http.ResponseWriter, p Post) bool) (url string, received func() []Post) {
	t.Helper()
	if b == IsDown {
		return "http://" + unused(t), func() []Post { return nil }
	}
	var mu sync.Mutex
	var posts []Post
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if status := statuses[b]; status != 0 {
			if b == Busy {
				w.Header().Set("Retry-After", "7")
			}
			w.WriteHeader(status)
			return
		}
		if b == Hangs {
			<-done
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if p := (Post{r.Method, r.URL.RequestURI(), r.Header, body}); answer(w, p) {
			posts = append(posts, p)
		}
	}))
	t.Cleanup(func() { close(done); s.Close() })
	return s.URL, func() []Post { mu.Lock(); defer mu.Unlock(); return append([]Post(nil), posts...) }
}

// statuses are the answers of those that refuse.
var statuses = map[Behaviour]int{
	Busy: http.StatusTooManyRequests, Refuses: http.StatusUnprocessableEntity, Denies: http.StatusUnauthorized, Gone: http.StatusNotFound,
}

// unused is an address at which nothing listens.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
