package commands_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/limit"
	"govahi/domain/notification"
)

// TestAPersonHasTenCodesADay over all his requests, whether he asks for them or
// a form that he completes does; then the policy stays silent and the door
// tells how long to wait.
func TestAPersonHasTenCodesADay(t *testing.T) {
	h := open(t)
	var last *request
	for range 12 {
		last = h.draft(applicant).upTo(enrollment.StatusDraft)
		last.did(last.CompleteForm(t.Context(), last.by(applicant), last.code, formOf(applicant)))
		last.settle()
	}
	if got := len(h.all("enrollment.email-code-sent.v1")); got != 10 {
		t.Errorf("%d codes were made", got)
	}
	ask := func() error {
		_, err := last.SendEmailCode(t.Context(), last.by(applicant), last.code)
		return err
	}
	h.refused(limit.ErrTooMany, ask)
	h.clock.pass(24 * time.Hour)
	if err := ask(); err != nil {
		t.Errorf("a day later: %v", err)
	}
	other := h.draft(neighbour).upTo(enrollment.StatusCompleted)
	if other.now().Email.Sent.Round != 1 {
		t.Error("another person has no code")
	}
}

// TestARepeatedRequestForACodeCountsOnce.
func TestARepeatedRequestForACodeCountsOnce(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	r.clock.pass(time.Minute)
	c := r.by(applicant)
	for range 20 {
		r.did(r.SendEmailCode(t.Context(), c, r.code))
	}
	if got := len(r.all("limit.counted.v1")); got != 2 {
		t.Errorf("counted %d times", got)
	}
}

// TestACodeIsBound to its request, its round, and the address that it was sent
// to, and counts for ten minutes.
func TestACodeIsBound(t *testing.T) {
	h := open(t)
	one, two := h.draft(applicant).upTo(enrollment.StatusCompleted), h.draft(applicant).upTo(enrollment.StatusCompleted)
	first := one.EmailCode(one.request(), 1)
	for name, c := range map[string]struct {
		of   *request
		code string
		by   func()
		want error
	}{
		"of another request": {two, first, func() {}, enrollment.ErrEmailCode},
		"of an earlier round": {one, first, func() {
			h.clock.pass(time.Minute)
			h.did(one.SendEmailCode(t.Context(), h.by(applicant), one.code))
		}, enrollment.ErrEmailCode},
	} {
		t.Run(name, func(t *testing.T) {
			c.by()
			if _, err := c.of.ConfirmEmail(t.Context(), h.by(applicant), c.of.code, c.code); !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	form := formOf(applicant)
	form.Email = "other@example.ir"
	second := one.EmailCode(one.request(), 2)
	h.did(one.CompleteForm(t.Context(), h.by(applicant), one.code, form))
	if _, err := one.ConfirmEmail(t.Context(), h.by(applicant), one.code, second); !errors.Is(err, enrollment.ErrNoEmailCode) {
		t.Errorf("a code sent to the former address: %v", err)
	}
	h.settle()
	h.clock.pass(10*time.Minute + time.Second)
	third := one.EmailCode(one.request(), 3)
	if _, err := one.ConfirmEmail(t.Context(), h.by(applicant), one.code, third); !errors.Is(err, enrollment.ErrNoEmailCode) {
		t.Errorf("after ten minutes: %v", err)
	}
}

// TestNobodyProvesAnAddressWithACodeSentElsewhere: who has used up his codes, the
// last for an address of his own, saves a form with another address twice.
func TestNobodyProvesAnAddressWithACodeSentElsewhere(t *testing.T) {
	h := open(t)
	var r *request
	for range 10 {
		r = h.draft(applicant).upTo(enrollment.StatusCompleted)
	}
	own := r.EmailCode(r.request(), r.now().Email.Sent.Round)
	form := formOf(applicant)
	form.Email = "neighbour@example.ir"
	for range 2 {
		r.did(r.CompleteForm(t.Context(), r.by(applicant), r.code, form))
		r.settle()
	}
	if _, err := r.ConfirmEmail(t.Context(), r.by(applicant), r.code, own); !errors.Is(err, enrollment.ErrNoEmailCode) {
		t.Errorf("got %v", err)
	}
}

// TestAKnownAddressIsAskedLikeAnUnknownOne: the same answer after the same
// reads and appends, so that neither text nor time tells what others have done
// with an address.
func TestAKnownAddressIsAskedLikeAnUnknownOne(t *testing.T) {
	h := open(t)
	h.draft(neighbour).upTo(enrollment.StatusAtOffice) // has proved nemune@example.ir
	trace := func(email string) string {
		r := h.draft(applicant).upTo(enrollment.StatusDraft)
		form := formOf(applicant)
		form.Email = email
		said := &tracing{Log: h.log}
		h.App.Log = said
		defer func() { h.App.Log = h.log }()
		r.did(r.CompleteForm(t.Context(), h.by(applicant), r.code, form))
		r.settle()
		h.clock.pass(time.Minute)
		_, sent := r.SendEmailCode(t.Context(), h.by(applicant), r.code)
		_, wrong := r.ConfirmEmail(t.Context(), h.by(applicant), r.code, "wrong")
		r.settle()
		return fmt.Sprintln(said, sent, wrong)
	}
	if known, unknown := trace("nemune@example.ir"), trace("nobody@example.ir"); known != unknown {
		t.Errorf("known: %s\nunknown: %s", known, unknown)
	}
}

// tracing notes what kinds of streams are read and written.
type tracing struct {
	event.Log
	calls []string
}

func (c *tracing) String() string { return strings.Join(slices.Sorted(slices.Values(c.calls)), " ") }

func (c *tracing) Append(ctx context.Context, s event.Stream, e event.Expected, events ...event.Proposed) (event.Receipt, error) {
	c.calls = append(c.calls, "append "+s.Category())
	return c.Log.Append(ctx, s, e, events...)
}

func (c *tracing) Read(ctx context.Context, s event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	c.calls = append(c.calls, "read "+s.Category())
	return c.Log.Read(ctx, s, from)
}

// TestACodeThatCountsNoMoreIsNotSent: a later one is on its way, the address is
// proved, or ten minutes have passed while the mail server was down.
func TestACodeThatCountsNoMoreIsNotSent(t *testing.T) {
	for name, meanwhile := range map[string]func(*request){
		"a later code":   func(r *request) { r.did(r.SendEmailCode(t.Context(), r.by(applicant), r.code)); r.settle() },
		"proved already": func(r *request) { r.prove(r.now()) },
		"too late":       func(r *request) { r.clock.pass(10 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
			r.clock.pass(time.Minute)
			meanwhile(r)
			p := &post{}
			r.sendAll(p)
			r.sendAll(p)
			for _, m := range p.sent {
				if strings.Contains(m.Body, "کد تأیید") && name != "a later code" {
					t.Errorf("it was sent: %s", m.Subject)
				}
			}
			if len(p.sent) > 1 {
				t.Errorf("%d letters", len(p.sent))
			}
		})
	}
}

// TestAFullAddressGetsNoMoreProofs, and the message is over.
func TestAFullAddressGetsNoMoreProofs(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	r.sendAll(&post{err: fmt.Errorf("deep: %w", commands.ErrAddressFull)})
	p := &post{}
	r.clock.pass(time.Second)
	r.sendAll(p)
	if len(p.sent) != 0 {
		t.Errorf("%d letters", len(p.sent))
	}
	for _, e := range r.all("notification.requested.v1") {
		if !state(r.house, notification.Kind, e.Stream).Over {
			t.Error("it goes on")
		}
	}
}
