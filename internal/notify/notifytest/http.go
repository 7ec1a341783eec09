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
	Header http.Header
	Body   []byte
}

// HTTP starts an HTTP receiver and returns its URL and what has arrived.
func HTTP(t *testing.T, b Behaviour) (url string, received func() []Post) {
	t.Helper()
	if b == IsDown {
		return "http://" + unused(t), func() []Post { return nil }
	}
	var mu sync.Mutex
	var posts []Post
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case b == Busy:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case b == Refuses:
			w.WriteHeader(http.StatusForbidden)
		case b == Hangs:
			<-done
		default:
			mu.Lock()
			posts = append(posts, Post{r.Header, body})
			mu.Unlock()
		}
	}))
	t.Cleanup(func() { close(done); s.Close() })
	return s.URL, func() []Post { mu.Lock(); defer mu.Unlock(); return append([]Post(nil), posts...) }
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
