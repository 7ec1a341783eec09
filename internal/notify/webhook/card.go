// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"strings"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

// Teams takes messages of 28 KB. Escaped as JSON, a byte of text can become six.
//
// https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
const (
	maxCardSubject = 300
	maxCardText    = 20 << 10
	maxCardSize    = 24 << 10
)

// card is a message to a channel of Teams. Its texts are runs of a RichTextBlock: unlike a TextBlock, that reads no
// Markdown, so that nothing in them becomes a link, and a mention would need an entity that is not there.
//
// https://learn.microsoft.com/en-us/power-automate/teams/send-a-message-in-teams
// https://adaptivecards.io/explorer/RichTextBlock.html
type card struct {
	Type        string       `json:"type"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	ContentType string  `json:"contentType"`
	ContentURL  *string `json:"contentUrl"`
	Content     content `json:"content"`
}

type content struct {
	Schema       string  `json:"$schema"`
	Type         string  `json:"type"`
	Version      string  `json:"version"`
	FallbackText string  `json:"fallbackText"`
	Body         []block `json:"body"`
}

type block struct {
	Type    string `json:"type"`
	Inlines []run  `json:"inlines"`
}

type run struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Size   string `json:"size,omitempty"`
	Weight string `json:"weight,omitempty"`
	Color  string `json:"color,omitempty"`
	Subtle bool   `json:"isSubtle,omitempty"`
}

func newCard(m incident.Message) card {
	subject := run{Type: "TextRun", Text: notify.Line(m.Subject, maxCardSubject), Size: "Large", Weight: "Bolder", Color: colorOf(m.Severity)}
	blocks := []block{{"RichTextBlock", []run{subject}}}
	for _, paragraph := range strings.Split(fit(notify.Plain(m.Text, maxCardText)), "\n\n") {
		if paragraph = strings.Trim(paragraph, "\n"); paragraph != "" {
			blocks = append(blocks, block{"RichTextBlock", []run{{Type: "TextRun", Text: paragraph}}})
		}
	}
	blocks = append(blocks, block{"RichTextBlock", []run{{Type: "TextRun", Text: m.ID, Size: "Small", Subtle: true}}})
	return card{"message", []attachment{{
		ContentType: "application/vnd.microsoft.card.adaptive",
		Content: content{
			Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
			FallbackText: "Switchback has a message that this client cannot show", Body: blocks,
		},
	}}}
}

// fit shortens a text whose escaped form, or the many blocks of it, would not fit into a card.
func fit(text string) string {
	const perBlock = 80 // of JSON around each
	for {
		size := strings.Count(text, "\n\n") * perBlock
		for _, r := range text {
			size += escaped(r)
		}
		if size <= maxCardSize {
			return text
		}
		text = notify.Plain(text, len(text)/2)
	}
}

// escaped is how many bytes a character takes in JSON as encoding/json writes it.
func escaped(r rune) int {
	switch {
	case r == '<', r == '>', r == '&':
		return 6
	case r == '"', r == '\\', r == '\n':
		return 2
	}
	return len(string(r))
}

func colorOf(s incident.Severity) string {
	switch s {
	case incident.Critical, incident.High:
		return "Attention"
	case incident.Medium:
		return "Warning"
	}
	return "Default"
}
