// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package answers is the public way to answer "was it you?": links in messages, and the listener that they lead to. It is
// only there where the configuration asks for it (answers:), apart from every other listener, on loopback unless it says
// otherwise, with TLS by whatever proxy stands before public_url.
//
// A link is a token of key id, nonce and an HMAC-SHA256 over incident, message, person, answers, expiry and nonce; who and
// what it is about stays in our store. It counts once, until it expires. A GET shows a page and changes nothing, since
// mail scanners open links; only a POST from the page that was opened counts: it carries a value that is signed for the
// cookie of the browser that opened it. No page has a script, or needs one.
//
// What comes of an answer is decided below (respond.AnswerByLink): it is evidence, never authority. Whoever has the link can
// say something; they cannot close, approve or undo anything.
package answers
