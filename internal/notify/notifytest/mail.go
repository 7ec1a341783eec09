// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notifytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Mail is a mail that the mail server took.
type Mail struct {
	From string
	To   []string
	Data string
	// User is who logged in, "" for nobody; IsTLS tells whether the connection was protected.
	User  string
	IsTLS bool
}

// MailServer is a real mail server on this computer.
type MailServer struct {
	Host string
	Port int
	// Roots trust its certificate.
	Roots *x509.CertPool

	behaviour Behaviour
	password  string
	refuse    string

	mu    sync.Mutex
	mails []Mail
}

// MailOptions of a MailServer. The zero value speaks plain and STARTTLS, and takes mail from everybody.
type MailOptions struct {
	Behaviour Behaviour
	// Implicit speaks TLS from the start.
	Implicit bool
	// Password of the user "switchback", who must log in; "" for nobody.
	Password string
	// Refuse is an addressee that is refused for good.
	Refuse string
}

// StartMail starts a mail server that ends with the test.
func StartMail(t *testing.T, o MailOptions) *MailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cert, roots := certificate(t)
	m := &MailServer{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Roots: roots,
		behaviour: o.Behaviour, password: o.Password, refuse: o.Refuse,
	}
	switch o.Behaviour {
	case IsDown:
		_ = l.Close()
		return m
	case Hangs:
		t.Cleanup(func() { _ = l.Close() })
		return m // the system takes the connection, nobody ever answers
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	s := smtp.NewServer(m)
	s.Domain, s.AllowInsecureAuth, s.TLSConfig, s.ErrorLog = "localhost", true, config, quiet{}
	if o.Implicit {
		l = tls.NewListener(l, config)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }() // its error is that the test closed it
	// The listener too: a server that is closed before it serves does not know it yet.
	t.Cleanup(func() { _ = s.Close(); _ = l.Close(); <-done })
	return m
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// Mails returns what was taken.
func (m *MailServer) Mails() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mail(nil), m.mails...)
}

// NewSession implements smtp.Backend.
func (m *MailServer) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, isTLS := c.TLSConnectionState()
	return &mailSession{server: m, mail: Mail{IsTLS: isTLS}}, nil
}

type mailSession struct {
	server *MailServer
	mail   Mail
}

// AuthMechanisms implements smtp.AuthSession.
func (s *mailSession) AuthMechanisms() []string {
	if s.server.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "switchback" || password != s.server.password {
			return smtp.ErrAuthFailed
		}
		s.mail.User = user
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.From, s.mail.To = from, nil
	switch {
	case s.server.behaviour == Busy:
		return &smtp.SMTPError{Code: 451, Message: "try again later"}
	case s.server.behaviour == Refuses:
		return &smtp.SMTPError{Code: 550, Message: "not from you"}
	case s.server.password != "" && s.mail.User == "":
		return smtp.ErrAuthRequired
	}
	return nil
}

// Rcpt implements smtp.Session.
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == s.server.refuse || s.server.behaviour == Gone {
		return &smtp.SMTPError{Code: 550, Message: "no such user"}
	}
	s.mail.To = append(s.mail.To, to)
	return nil
}

// Data implements smtp.Session.
func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.Data = string(data)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}

// Reset implements smtp.Session.
func (s *mailSession) Reset() { s.mail.From, s.mail.To = "", nil }

// Logout implements smtp.Session.
func (s *mailSession) Logout() error { return nil }

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
