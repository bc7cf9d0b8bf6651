package commands_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/commands/policies"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/domain/notification"
)

// post is a mail server.
type post struct {
	sent []commands.Mail
	err  error
}

func (p *post) Send(_ context.Context, m commands.Mail) error {
	if p.err != nil {
		return p.err
	}
	p.sent = append(p.sent, m)
	return nil
}

func (h *house) sendAll(p *post) {
	h.t.Helper()
	for _, r := range h.all("notification.requested.v1") {
		if err := h.SendNotification(h.t.Context(), commands.Caller{Policy: "post"}, p, r.Stream.ID()); err != nil {
			h.t.Fatal(err)
		}
	}
}

func TestOneCauseIsOneMessage(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	var causes []event.Recorded
	for _, e := range r.stream(r.request()) {
		if e.Type == "enrollment.email-code-sent.v1" || e.Type == "enrollment.submitted.v1" {
			causes = append(causes, e)
		}
	}
	if got := len(r.all("notification.requested.v1")); got != 2 || len(causes) != 2 {
		t.Fatalf("%d messages for %d causes", got, len(causes))
	}
	before := r.head()
	for _, e := range causes {
		for range 3 {
			if err := policies.NotifyOnProgress().Handle(t.Context(), r.App, e); err != nil {
				t.Fatal(err)
			}
		}
		if s := notification.Kind.Stream(e.ID.String()); len(r.stream(s)) != 1 {
			t.Errorf("%s has %d events", s, len(r.stream(s)))
		}
	}
	if r.head() != before {
		t.Error("a cause was claimed again")
	}
}

func TestMessagesSayWhatTheyMust(t *testing.T) {
	r, p := open(t).draft(applicant).upTo(enrollment.StatusCompleted), &post{}
	r.sendAll(p)
	r.upTo(enrollment.StatusIssued)
	r.sendAll(p)
	r.sendAll(p)
	if len(p.sent) != 3 {
		t.Fatalf("%d messages", len(p.sent))
	}
	code := iran.PersianDigits(r.EmailCode(r.request(), 1))
	for i, must := range []string{code, "دفتر ثبت‌نام رسید", r.now().Serial} {
		m := p.sent[i]
		if m.To != "nemune@example.ir" || m.Subject == "" || !strings.Contains(m.Body, must) ||
			!strings.Contains(m.Body, iran.PersianDigits(iran.GroupTrackingCode(r.code))) {
			t.Errorf("message %d is %+v", i, m)
		}
	}
	if strings.Contains(p.sent[1].Body, code) {
		t.Error("another message betrays the code")
	}
}

func TestAMailServerThatIsDownIsTriedLaterAndLater(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	id := r.all("notification.requested.v1")[0].Stream
	p := &post{err: errCut}
	var pauses []time.Duration
	for range 20 {
		before := len(r.stream(id))
		r.sendAll(p)
		now := state(r.house, notification.Kind, id)
		if now.Over {
			break
		}
		if len(r.stream(id)) != before+2 {
			t.Fatal("an attempt and its failure left no trace")
		}
		r.sendAll(p) // too early
		if len(r.stream(id)) != before+2 {
			t.Fatal("it was tried before its time")
		}
		pauses = append(pauses, now.DueAt.Sub(r.clock.Now()))
		r.clock.pass(now.DueAt.Sub(r.clock.Now()))
	}
	for i := 1; i < len(pauses); i++ {
		if pauses[i] <= pauses[i-1] {
			t.Errorf("the pauses are %v", pauses)
		}
	}
	if !state(r.house, notification.Kind, id).Over || !strings.HasSuffix(r.names(id), " failed") {
		t.Errorf("after %v the story is %q", r.clock.Now().Sub(noon), r.names(id))
	}
	p.err = nil
	r.sendAll(p)
	if len(p.sent) != 0 {
		t.Error("a message was sent after it was given up")
	}
}

// crashing is a mail server behind which the sender's world ends.
type crashing struct {
	*post
	after func()
}

func (c crashing) Send(ctx context.Context, m commands.Mail) error {
	defer c.after()
	return c.post.Send(ctx, m)
}

func TestACrashBetweenSendingAndNotingSendsTheSameIDAgain(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	id := r.all("notification.requested.v1")[0].Stream.ID()
	p := &post{}
	r.log.during(nil, func() {
		cut := func() { r.log.cutFrom("notification") }
		err := r.SendNotification(t.Context(), commands.Caller{Policy: "post"}, crashing{p, cut}, id)
		if !errors.Is(err, commands.ErrLogUnavailable) {
			t.Fatalf("got %v", err)
		}
	})
	r.sendAll(p)
	if len(p.sent) != 1 {
		t.Error("sent again at once")
	}
	r.clock.pass(15 * time.Second)
	for range 2 {
		r.sendAll(p)
	}
	if len(p.sent) != 2 || p.sent[0].ID != p.sent[1].ID || p.sent[0].ID != id {
		t.Errorf("sent %+v", p.sent)
	}
}

// TestNothingIsSentThatCannotBeRecorded: a log on a full disk can be read, and
// the message is due at every look.
func TestNothingIsSentThatCannotBeRecorded(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	p, id := &post{}, r.all("notification.requested.v1")[0].Stream.ID()
	r.log.cutAt("notification", func() {
		for range 5 {
			if err := r.SendNotification(t.Context(), commands.Caller{Policy: "post"}, p, id); !errors.Is(err, commands.ErrLogUnavailable) {
				t.Errorf("got %v", err)
			}
		}
	})
	if len(p.sent) != 0 {
		t.Errorf("%d letters", len(p.sent))
	}
	r.sendAll(p)
	if len(p.sent) != 1 {
		t.Errorf("%d letters once there was room", len(p.sent))
	}
}

// TestTwoSendersSendOnce: two processes look at the same list.
func TestTwoSendersSendOnce(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	id := r.all("notification.requested.v1")[0].Stream.ID()
	twin := *r.App
	twin.Handler = "handler-2"
	first, second := &post{}, &post{}
	meanwhile := crashing{first, func() {
		if err := twin.SendNotification(t.Context(), commands.Caller{Policy: "post"}, second, id); err != nil {
			t.Error(err)
		}
	}}
	seen := false
	r.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
		if s.Category() == "notification" && !seen { // both have seen that it is due
			seen = true
			if err := twin.SendNotification(t.Context(), commands.Caller{Policy: "post"}, second, id); err != nil {
				t.Error(err)
			}
		}
		return r.log.Log.Append(ctx, s, e, events...)
	}, func() {
		if err := r.SendNotification(t.Context(), commands.Caller{Policy: "post"}, meanwhile, id); err != nil {
			t.Error(err)
		}
	})
	if len(first.sent)+len(second.sent) != 1 {
		t.Errorf("sent %d and %d times", len(first.sent), len(second.sent))
	}
}

func TestNobodyWritesToAnErasedPerson(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	id := r.all("notification.requested.v1")[0].Stream
	r.keeper.Forget(subject(applicant))
	p := &post{}
	for range 2 { // what can never be done must not stay on the to-do list
		if err := r.SendNotification(t.Context(), commands.Caller{Policy: "post"}, p, id.ID()); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.sent) != 0 || !state(r.house, notification.Kind, id).Over {
		t.Errorf("sent %d, the story is %q", len(p.sent), r.names(id))
	}
	for _, e := range r.stream(r.request()) {
		if err := policies.NotifyOnProgress().Handle(t.Context(), r.App, e); err != nil {
			t.Errorf("%s: %v", e.Type, err)
		}
	}
}

func TestAnUnknownMessageIsNoWork(t *testing.T) {
	h := open(t)
	p := &post{}
	before := h.head()
	err := h.SendNotification(t.Context(), commands.Caller{Policy: "post"}, p, "none")
	if len(p.sent) != 0 || h.head() != before {
		t.Errorf("sent %+v, %v", p.sent, err)
	}
}
