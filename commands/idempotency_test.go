package commands_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/idempotency"
)

// asking is a caller who asks something that can be told from other questions.
func asking(c commands.Caller, question string) commands.Caller {
	c.Question = []byte(question)
	return c
}

// TestAKeyNamesOneQuestionAtEveryDoor: asked again, also when the world has
// moved on, the answer is the first one; asked something else, it is refused.
func TestAKeyNamesOneQuestionAtEveryDoor(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			r := d.before(t)
			c := r.by(d.may[0])
			first := r.did(d.ask(r, t.Context(), asking(c, "this")))
			r.settle()
			before := r.head()
			if again := r.did(d.ask(r, t.Context(), asking(c, "this"))); again != first {
				t.Errorf("first %+v, then %+v", first, again)
			}
			if _, err := d.ask(r, t.Context(), asking(c, "that")); !errors.Is(err, idempotency.ErrReused) {
				t.Errorf("another question: %v", err)
			}
			if r.head() != before {
				t.Error("a repetition left events")
			}
		})
	}
}

// TestAKeyIsNotForAnotherStream: what the body names leads elsewhere.
func TestAKeyIsNotForAnotherStream(t *testing.T) {
	h := open(t)
	post := commands.Appoint{PersonCode: stranger, Role: appointment.Auditor, Until: noon.AddDate(1, 0, 0)}
	other := post
	other.PersonCode = neighbour
	c := h.by(admin)
	h.did(h.Appoint(t.Context(), asking(c, "stranger"), post))
	h.refused(idempotency.ErrReused, func() error {
		_, err := h.Appoint(t.Context(), asking(c, "neighbour"), other)
		return err
	})
	h.refused(idempotency.ErrReused, func() error { // at another door, too
		_, err := h.OpenRequest(t.Context(), asking(c, "open"), outside)
		return err
	})
}

// TestNothingToDoIsAnAnswer: a dismissal of nobody that arrives a second time,
// late, does not dismiss who was appointed meanwhile.
func TestNothingToDoIsAnAnswer(t *testing.T) {
	h := open(t)
	c := h.by(admin)
	dismiss := func(question string) (commands.Receipt, error) {
		return h.Dismiss(t.Context(), asking(c, question), commands.Dismiss{PersonCode: stranger, Role: appointment.Auditor})
	}
	first := h.did(dismiss("this"))
	h.appoint(stranger, appointment.Auditor, "", noon.AddDate(1, 0, 0))
	if again := h.did(dismiss("this")); again != first {
		t.Errorf("first %+v, then %+v", first, again)
	}
	if _, err := dismiss("that"); !errors.Is(err, idempotency.ErrReused) {
		t.Errorf("another question: %v", err)
	}
	if !state(h, appointment.Kind, appointment.Kind.Stream(string(subject(stranger)))).Holds(appointment.Auditor, "", noon) {
		t.Error("the late repetition dismissed him")
	}
}

// TestACutOffCommandKeepsItsKey: the crash comes after the key was claimed. The
// same question goes on, once; another one is refused.
func TestACutOffCommandKeepsItsKey(t *testing.T) {
	h := open(t)
	c := h.by(manager)
	h.log.cutAt("tariff", func() {
		if _, err := h.newPrice(asking(c, "this")); !errors.Is(err, commands.ErrLogUnavailable) {
			t.Errorf("got %v", err)
		}
	})
	h.refused(idempotency.ErrReused, func() error { _, err := h.newPrice(asking(c, "that")); return err })
	before := h.prices()
	first := h.did(h.newPrice(asking(c, "this")))
	if again := h.did(h.newPrice(asking(c, "this"))); again != first || h.prices() != before+1 {
		t.Errorf("first %+v, then %+v; %d prices", first, again, h.prices()-before)
	}
}

// TestARefusalCostsNoKey: whoever mends what was wrong sends again under the
// same key.
func TestARefusalCostsNoKey(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusReady)
	c := r.by(applicant)
	for _, office := range []string{"nowhere", "unit-rt"} {
		if _, err := r.SubmitRequest(t.Context(), asking(c, office), r.code, office); err == nil {
			t.Fatalf("submitted to %s", office)
		}
	}
	r.did(r.SubmitRequest(t.Context(), asking(c, "office-1"), r.code, "office-1"))
}

// TestManyAskAtOnce, of two instances on one log: of one key's questions one is
// answered, all who ask it alike, and it is done once.
func TestManyAskAtOnce(t *testing.T) {
	h := open(t)
	other := *h
	twin := *h.App
	other.App = &twin
	c, before := h.by(manager), h.prices()
	var mu sync.Mutex
	answers := map[string][]commands.Receipt{}
	var all sync.WaitGroup
	for n := range 16 {
		question, instance := []string{"this", "that"}[n%2], []*house{h, &other}[n/2%2]
		all.Go(func() {
			r, err := instance.newPrice(asking(c, question))
			if err != nil && !errors.Is(err, idempotency.ErrReused) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				answers[question] = append(answers[question], r)
			}
		})
	}
	all.Wait()
	if len(answers) != 1 || h.prices() != before+1 {
		t.Fatalf("%d questions were answered, %d prices", len(answers), h.prices()-before)
	}
	for _, list := range answers {
		for _, r := range list {
			if r != list[0] {
				t.Errorf("answers %+v and %+v", list[0], r)
			}
		}
		if len(list) != 8 {
			t.Errorf("%d of 8 were answered", len(list))
		}
	}
}

// renamed gives a code another person, as after an erasure.
type renamed struct{ people }

func (renamed) Person(_ context.Context, code string) (event.Subject, error) {
	return subject(code) + "-anew", nil
}

// TestARepetitionAfterAnErasure concerns who was meant, not who has the code now.
func TestARepetitionAfterAnErasure(t *testing.T) {
	h := open(t)
	c := asking(h.by(admin), "appoint")
	post := commands.Appoint{PersonCode: stranger, Role: appointment.Auditor, Until: noon.Add(24 * time.Hour)}
	first := h.did(h.Appoint(t.Context(), c, post))
	h.App.People = renamed{}
	before := h.head()
	if again := h.did(h.Appoint(t.Context(), c, post)); again != first || h.head() != before {
		t.Errorf("first %+v, then %+v", first, again)
	}
}
