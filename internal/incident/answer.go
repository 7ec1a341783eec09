// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"slices"
	"time"
)

// Verdict is what a person says to "was it you?".
type Verdict string

// The verdicts.
const (
	MineExpected Verdict = "mine-expected" // mine, and meant
	MineMistake  Verdict = "mine-mistake"  // mine, and not meant
	NotMe        Verdict = "not-me"
)

// Verdicts are all of them, in the order in which people are offered them.
func Verdicts() []Verdict { return []Verdict{MineExpected, MineMistake, NotMe} }

// Words say the verdict of a third person.
func (v Verdict) Words() string {
	switch v {
	case MineExpected:
		return "it was theirs and expected"
	case MineMistake:
		return "it was theirs and a mistake"
	case NotMe:
		return "it was not them"
	}
	return "nothing that we know"
}

// Via is the way that an answer came.
type Via string

// The ways. Only on the command line is the person logged in.
const (
	ViaCommandLine Via = "command line"
	ViaLink        Via = "link"
)

// Answer is what somebody said to "was it you?": evidence, never authority.
type Answer struct {
	Incident ID `json:"incident"`
	// Key makes it count once: that of a link is the link's.
	Key string `json:"key"`
	// By is the person's name; of a link, whom it was sent to. Names are all under which a logged in person is known.
	By      string    `json:"by"`
	Names   []string  `json:"names,omitempty"`
	Verdict Verdict   `json:"verdict"`
	Comment string    `json:"comment,omitempty"`
	Via     Via       `json:"via"`
	At      time.Time `json:"at"`
	// IsKnown is true for somebody logged in whom the directory knows.
	IsKnown bool `json:"is_known"`
	// IsOnChain tells that the person was on the identity chain, as far as it was known then.
	IsOnChain bool `json:"is_on_chain"`
	// Refused says why it was not counted: the link had expired, or was used before. Its text is kept all the same.
	Refused string `json:"refused,omitempty"`
}

// IsClaim reports whether somebody logged in says that it was theirs. Whoever does is no second person any more. What comes by
// a link claims nothing: whoever reads another's mail must not be able to keep them from deciding.
func (a Answer) IsClaim() bool {
	return a.Via == ViaCommandLine && (a.Verdict == MineExpected || a.Verdict == MineMistake)
}

// Link is a way to answer once, that was sent to somebody. The token that stands for it is signed, and not kept.
type Link struct {
	// Nonce names it: 16 random bytes in hex.
	Nonce string `json:"nonce"`
	// Message is the one that carries it. The first link of a message is its only one.
	Message  string `json:"message"`
	Incident ID     `json:"incident"`
	// Person is whom the message was sent to, in words; IsPerson tells that it was the human behind the call, not somebody who
	// stands in.
	Person    string    `json:"person"`
	IsPerson  bool      `json:"is_person"`
	Verdicts  []Verdict `json:"verdicts"`
	ExpiresAt time.Time `json:"expires_at"`
	// KeyID names the key that signs it.
	KeyID string `json:"key_id"`
}

// Offers reports whether the link may be used to say v.
func (l Link) Offers(v Verdict) bool { return slices.Contains(l.Verdicts, v) }

// AnswerKey is the key of the one answer that a link can give.
func (l Link) AnswerKey() string { return "link/" + l.Nonce }

// Answers keeps what people said, and the links that they can say it with.
type Answers interface {
	// AddAnswer keeps an answer; ErrConflict when the incident has one with its key already.
	AddAnswer(ctx context.Context, a Answer) error
	// ListAnswers returns the answers of an incident in the order in which they were added.
	ListAnswers(ctx context.Context, id ID) ([]Answer, error)
	// KeepLink keeps a link unless its message has one; the kept one is returned.
	KeepLink(ctx context.Context, l Link) (Link, error)
	// GetLink returns ErrNotFound for a nonce that was never given out.
	GetLink(ctx context.Context, nonce string) (Link, error)
}
