// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package smtp sends messages by mail.
//
//	type: smtp
//	host: mail.example.com
//	port: 587               # default: 587, with tls: implicit 465
//	tls: starttls           # starttls (required, the default), implicit, or none (only to this computer)
//	from: switchback@example.com
//	username: switchback    # optional
//	password_file: /etc/switchback/smtp-password
//
// Each addressee gets a mail of their own, so that nobody learns who else was told and one bad address stops no other.
// The Message-ID is made of the message's id: a repetition has the same. Header fields hold only what was checked or made
// printable, and are encoded by the library: no text of an event can add a header or an addressee.
package smtp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func init() {
	notify.Register(notify.Kind{Type: "smtp", New: func(c notify.Config, _ notify.Services) (notify.Notifier, error) {
		var o Options
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		return New(o)
	}})
}

// Ways to protect the connection.
const (
	StartTLS = "starttls"
	Implicit = "implicit"
	None     = "none"
)

// Options of a Mail.
type Options struct {
	Host         string        `yaml:"host"`
	Port         int           `yaml:"port"`
	TLS          string        `yaml:"tls"`
	From         string        `yaml:"from"`
	Username     string        `yaml:"username"`
	Password     notify.Secret `yaml:"password"`
	PasswordFile string        `yaml:"password_file"`
	// TLSConfig is for tests with a certificate of their own; nil checks the host's name against the system's roots.
	TLSConfig *tls.Config `yaml:"-"`
}

// Mail is the channel. It is safe for concurrent use.
type Mail struct {
	o       Options
	domain  string
	options []mail.Option
}

var _ notify.Notifier = (*Mail)(nil)

// New checks the options. It connects to nothing.
func New(o Options) (*Mail, error) {
	o.TLS = cmp.Or(o.TLS, StartTLS)
	if o.Host == "" {
		return nil, errors.New("host is missing")
	}
	if err := contact.CheckEmail(o.From); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	m := &Mail{o: o, domain: o.From[strings.LastIndexByte(o.From, '@')+1:]}
	if err := m.protect(); err != nil {
		return nil, err
	}
	if o.Username == "" {
		return m, nil
	}
	password, err := notify.SecretFrom("password", o.Password, o.PasswordFile)
	if err != nil {
		return nil, err
	}
	m.options = append(m.options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
		mail.WithUsername(o.Username), mail.WithPassword(password.Reveal()))
	return m, nil
}

func (m *Mail) protect() error {
	config := m.o.TLSConfig
	if config == nil {
		config = &tls.Config{ServerName: m.o.Host, MinVersion: tls.VersionTLS12}
	}
	port := 587
	switch m.o.TLS {
	case StartTLS:
		m.options = append(m.options, mail.WithTLSPolicy(mail.TLSMandatory), mail.WithTLSConfig(config))
	case Implicit:
		port = 465
		m.options = append(m.options, mail.WithSSL(), mail.WithTLSConfig(config))
	case None:
		if !notify.IsLoopback(m.o.Host) {
			return fmt.Errorf("tls: none is only for this computer, not for %s", m.o.Host)
		}
		m.options = append(m.options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return fmt.Errorf("tls: %q is not %s, %s or %s", m.o.TLS, StartTLS, Implicit, None)
	}
	m.options = append(m.options, mail.WithPort(cmp.Or(m.o.Port, port)), mail.WithoutNoop())
	return nil
}

// ReachesHuman implements notify.Notifier.
func (*Mail) ReachesHuman() bool { return true }

// Notify implements notify.Notifier. Where some addresses were accepted, the error names the others. Once connected it
// ends with the deadline of ctx, or after a minute, also where ctx is cancelled before.
func (m *Mail) Notify(ctx context.Context, msg incident.Message) (accepted []string, retry bool, err error) {
	var failures []error
	retry = true
	addressed := 0
	for _, p := range msg.To {
		if p.Email == "" {
			continue
		}
		addressed++
		again, err := m.send(ctx, msg, p)
		if err == nil {
			accepted = append(accepted, p.Email)
			continue
		}
		retry = retry && again
		failures = append(failures, fmt.Errorf("mail to %s: %w", p.Email, err))
	}
	if addressed == 0 {
		return nil, false, notify.ErrNotAddressed
	}
	err = errors.Join(failures...)
	return accepted, retry && err != nil, err
}

func (m *Mail) send(ctx context.Context, msg incident.Message, to incident.Person) (retry bool, err error) {
	letter, err := m.letter(msg, to)
	if err != nil {
		return false, err
	}
	client, err := mail.NewClient(m.o.Host, append([]mail.Option{within(ctx)}, m.options...)...)
	if err != nil {
		return false, fmt.Errorf("set up: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		return isTemporary(err), outcome(err)
	}
	return false, nil
}

// Replies about who we are, and not about the mail.
//
// https://www.rfc-editor.org/rfc/rfc4954#section-6
var deniedCodes = []int{530, 534, 535, 538}

// outcome says in words what became of a mail.
func outcome(err error) error {
	var refused *mail.SendError
	var answer *textproto.Error
	var lost net.Error
	switch {
	case errors.As(err, &refused) && refused.Reason == mail.ErrSMTPRcptTo && !refused.IsTemp() && refused.ErrorCode() >= 500:
		return fmt.Errorf("%w: %w", notify.ErrBounced, err)
	case errors.As(err, &refused) && slices.Contains(deniedCodes, refused.ErrorCode()),
		errors.As(err, &answer) && slices.Contains(deniedCodes, answer.Code):
		return fmt.Errorf("%w: %w", notify.ErrDenied, err)
	case errors.As(err, &lost):
		return fmt.Errorf("%w: %w", notify.ErrDown, err)
	}
	return err
}

// within bounds the conversation: once connected, the library looks at its own limit and not at ctx.
func within(ctx context.Context) mail.Option {
	limit := time.Minute
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, max(time.Until(deadline), time.Millisecond))
	}
	return mail.WithTimeout(limit)
}

const (
	maxSubject = 200
	maxName    = 100
	maxText    = 1 << 20
)

// letter is the mail to one addressee.
func (m *Mail) letter(msg incident.Message, to incident.Person) (*mail.Msg, error) {
	if err := contact.CheckEmail(to.Email); err != nil {
		return nil, err
	}
	l := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := l.FromFormat("Switchback", m.o.From); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	if err := l.AddToFormat(identity.Printable(to.Name, maxName), to.Email); err != nil {
		return nil, fmt.Errorf("to: %w", err)
	}
	l.Subject(notify.Line(msg.Subject, maxSubject))
	l.SetDateWithValue(msg.At)
	l.SetMessageIDWithValue(messageID(msg.ID) + "@" + m.domain)
	// No out-of-office answers: https://www.rfc-editor.org/rfc/rfc3834#section-5
	l.SetGenHeader("Auto-Submitted", "auto-generated")
	l.SetBodyString(mail.TypeTextPlain, notify.Plain(msg.Text, maxText))
	if msg.HTML != "" {
		l.AddAlternativeString(mail.TypeTextHTML, msg.HTML)
	}
	return l, nil
}

// messageID keeps what is safe to the left of the @.
func messageID(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
			return r
		}
		return '_'
	}, id)
}

// isTemporary tells what may pass: a 4xx answer, and every failure of the network. What the server, or the check of its
// certificate, refuses stays refused.
func isTemporary(err error) bool {
	if refused := (*mail.SendError)(nil); errors.As(err, &refused) {
		return refused.IsTemp() || refused.ErrorCode() == 0
	}
	if answer := (*textproto.Error)(nil); errors.As(err, &answer) { // before the mail itself, as for a wrong password
		return answer.Code < 500
	}
	bad := (*tls.CertificateVerificationError)(nil)
	return !errors.As(err, &bad)
}
