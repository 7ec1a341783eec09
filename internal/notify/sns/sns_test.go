// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sns_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/sns"
)

const topic = "arn:aws:sns:eu-west-1:111122223333:security"

func answer(w http.ResponseWriter, _ notifytest.Post) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write([]byte(`<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult>` +
		`<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>`))
}

func open(t *testing.T, b notifytest.Behaviour, topic string) (notify.Notifier, func() []url.Values) {
	t.Helper()
	g, posts := notifytest.AWS(t, b, answer)
	n, err := sns.New(sns.Options{TopicARN: topic}, notify.Services{Gate: g})
	if err != nil {
		t.Fatal(err)
	}
	return n, func() []url.Values {
		var all []url.Values
		for _, p := range posts() {
			form, err := url.ParseQuery(string(p.Body))
			if err != nil || form.Get("Action") != "Publish" {
				t.Fatal(form, err)
			}
			all = append(all, form)
		}
		return all
	}
}

// attributes are those of a message.
func attributes(form url.Values) map[string]string {
	all := map[string]string{}
	for name, values := range form {
		if entry, ok := strings.CutSuffix(name, ".Name"); ok && strings.HasPrefix(name, "MessageAttributes") {
			all[values[0]] = form.Get(entry + ".Value.StringValue")
		}
	}
	return all
}

func TestContract(t *testing.T) {
	t.Parallel()
	notifytest.Run(t, func(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
		n, forms := open(t, b, topic)
		return n, func() []notifytest.Received {
			var all []notifytest.Received
			for _, f := range forms() {
				if s := f.Get("Subject"); s == "" || len(s) >= 100 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Errorf("SNS refuses the subject %q", s)
				}
				if size := len(f.Get("Message")); size > 256<<10 {
					t.Errorf("SNS refuses %d bytes", size)
				}
				all = append(all, notifytest.Received{ID: attributes(f)["message_id"], Text: f.Get("Message")})
			}
			return all
		}
	})
}

func TestAttributesAndSubject(t *testing.T) {
	t.Parallel()
	n, forms := open(t, notifytest.Accepts, topic)
	m := notifytest.Message()
	m.Subject = "Zürich: <!channel>\n\u202e"
	if to, _, err := n.Notify(t.Context(), m); err != nil || len(to) != 1 || to[0] != "security" {
		t.Fatal(to, err)
	}
	f := forms()[0]
	want := map[string]string{"message_id": m.ID, "kind": "security", "severity": "critical", "incident": string(m.Incident)}
	if diff := cmp.Diff(want, attributes(f)); diff != "" {
		t.Error(diff)
	}
	if got, want := f.Get("Subject"), "Z?rich: <!channel>[U+000A][U+202E]"; got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
	if f.Get("MessageGroupId") != "" {
		t.Error("a group in a standard topic")
	}
}

func TestFIFO(t *testing.T) {
	t.Parallel()
	n, forms := open(t, notifytest.Accepts, topic+".fifo")
	m := notifytest.Message()
	if _, _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if f := forms()[0]; f.Get("MessageDeduplicationId") != m.ID || f.Get("MessageGroupId") != string(m.Incident) {
		t.Errorf("got %v", f)
	}
}

func TestWhatIsForOnePersonIsNotPublished(t *testing.T) {
	t.Parallel()
	n, forms := open(t, notifytest.Accepts, topic)
	m := notifytest.Message()
	m.Kind = incident.ToPerson
	if _, _, err := n.Notify(t.Context(), m); !errors.Is(err, notify.ErrNotAddressed) || len(forms()) > 0 {
		t.Errorf("got %v", err)
	}
}

// The topic of an account that we have no role in is not reached with our own credentials.
func TestAnotherAccount(t *testing.T) {
	t.Parallel()
	n, forms := open(t, notifytest.Accepts, "arn:aws:sns:eu-west-1:444455556666:security")
	if _, retry, err := n.Notify(t.Context(), notifytest.Message()); err == nil || retry || len(forms()) > 0 {
		t.Errorf("got retry %t, %v", retry, err)
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	config := func(text string) notify.Config {
		return notify.Config{Type: "sns", Decode: func(v any) error { return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict()) }}
	}
	for text, want := range map[string]bool{"topic_arn: " + topic: false, "reaches_human: true\ntopic_arn: " + topic: true} {
		n, err := notify.New(config(text), notify.Services{})
		if err != nil || n.ReachesHuman() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"{}", "topic_arn: security", "topic_arn: arn:aws:sqs:eu-west-1:111122223333:q", "phone: '+49'\ntopic_arn: " + topic} {
		if _, err := notify.New(config(text), notify.Services{}); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
	k, _ := notify.Find("sns")
	got, err := k.Permissions(config("topic_arn: " + topic))
	if diff := cmp.Diff([]notify.Permission{{Action: "sns:Publish", Resource: topic}}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}
