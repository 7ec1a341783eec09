// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ErrURL refuses an address that would send in the clear.
var ErrURL = errors.New("want https://HOST/…, or http:// to this computer")

// CheckURL accepts https anywhere and http on this computer. The error does not hold the URL, which may be a secret.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return ErrURL
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	}
	return ErrURL
}

// IsLoopback tells hosts of this computer by their spelling; no name is looked up.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// HTTPClient is for channels that post. It follows no redirect: a message goes where the configuration says. Its
// requests end with their context.
func HTTPClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// IsRetryable tells HTTP statuses that may pass.
func IsRetryable(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// WithoutURL takes the URL, which may be a secret, out of an error of net/http.
func WithoutURL(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 256 << 10

// NewRequest makes a request that carries v as JSON; nil is a request without a body. An error does not hold the URL.
func NewRequest(ctx context.Context, method string, url Secret, v any) (*http.Request, []byte, error) {
	var text []byte
	if v != nil {
		var err error
		if text, err = json.Marshal(v); err != nil {
			return nil, nil, fmt.Errorf("encode message: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, url.Reveal(), bytes.NewReader(text))
	if err != nil {
		return nil, nil, WithoutURL(err)
	}
	req.Header.Set("Accept", "application/json")
	if v != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return req, text, nil
}

// Exchange sends a request and returns the answer, at most 256 KiB of it. All but a status of 2xx is an error that begins
// with name, wraps one of the outcomes of this package where it is one, and holds neither URL nor answer: both may be
// secret, and the answer is somebody else's text.
func Exchange(client *http.Client, req *http.Request, name string) (answer []byte, retry bool, err error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, true, fmt.Errorf("%s: %w: %w", name, ErrDown, WithoutURL(err))
	}
	defer resp.Body.Close()
	answer, _ = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode/100 != 2 {
		return answer, IsRetryable(resp.StatusCode), refusal(name, resp)
	}
	return answer, false, nil // accepted: whoever needs the answer finds out where it ends early
}

// StatusError says in words what an HTTP status of a channel means.
func StatusError(name string, status int) error {
	text := strconv.Itoa(status) + " " + http.StatusText(status)
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s answered %s: %w", name, text, ErrDenied)
	case http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%s answered %s: %w", name, text, ErrGone)
	}
	return fmt.Errorf("%s answered %s", name, text)
}

func refusal(name string, resp *http.Response) error {
	err := StatusError(name, resp.StatusCode)
	if after := retryAfter(resp.Header); after > 0 {
		return &RetryAfter{After: after, Err: err}
	}
	return err
}

// retryAfter reads seconds, or a date beside the answer's own: our clock may be another.
//
// https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(seconds, maxRetryAfter)) * time.Second
	}
	until, err := http.ParseTime(text)
	now, errNow := http.ParseTime(h.Get("Date"))
	if err != nil || errNow != nil {
		return 0
	}
	return min(until.Sub(now), maxRetryAfter*time.Second)
}

// maxRetryAfter is in seconds; nobody waits as long, see Options.MaxBackoff.
const maxRetryAfter = 24 * 60 * 60

// minSigningKey is what makes guessing hopeless.
const minSigningKey = 16

// CheckSigningKey refuses keys that could be guessed.
func CheckSigningKey(key Secret) error {
	if len(key.Reveal()) < minSigningKey {
		return fmt.Errorf("secret: shorter than %d bytes", minSigningKey)
	}
	return nil
}

// Sign adds the headers by which a receiver knows that a body is ours and of now: Switchback-Timestamp, in seconds since
// 1970, and Switchback-Signature, "v1=" and in hex the HMAC-SHA256, with the key, of the timestamp, a dot and the body.
func Sign(h http.Header, key Secret, now time.Time, body []byte) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	h.Set("Switchback-Timestamp", stamp)
	h.Set("Switchback-Signature", "v1="+hex.EncodeToString(mac.Sum(nil)))
}

// MessageID is the header by which a receiver knows a repetition.
const MessageID = "Switchback-Message-Id"
