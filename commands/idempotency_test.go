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
	"govahi/domain/person"
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

// TestAKeyOfAnotherDoorLeavesNothing: what a command needs to have taken or
// counted is taken after its key.
func TestAKeyOfAnotherDoorLeavesNothing(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			r := d.before(t)
			c := r.by(d.may[0])
			r.did(r.OpenRequest(t.Context(), asking(c, "first"), outside))
			r.refused(idempotency.ErrReused, func() error { _, err := d.ask(r, t.Context(), asking(c, "this")); return err })
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

// TestNothingToDoStaysTheAnswer, also where the same would be refused today.
func TestNothingToDoStaysTheAnswer(t *testing.T) {
	for name, d := range map[string]struct {
		ask   func(*request) (commands.Receipt, error)
		later func(*request)
	}{
		"a code for an address that is proved": {
			func(r *request) (commands.Receipt, error) {
				return r.SendEmailCode(t.Context(), asking(keyed(applicant, "k"), "code"), r.code)
			},
			func(r *request) { r.upTo(enrollment.StatusAtOffice) },
		},
		"an appointment that stands": {
			func(r *request) (commands.Receipt, error) {
				post := commands.Appoint{PersonCode: stranger, Role: appointment.Auditor, Until: noon.AddDate(0, 1, 0)}
				r.did(r.Appoint(t.Context(), asking(keyed(admin, "before"), "appoint"), post))
				return r.Appoint(t.Context(), asking(keyed(admin, "k"), "appoint"), post)
			},
			func(r *request) { r.clock.pass(60 * 24 * time.Hour) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t).draft(applicant).upTo(enrollment.StatusReady)
			first := r.did(d.ask(r))
			d.later(r)
			if again := r.did(d.ask(r)); again != first {
				t.Errorf("first %+v, then %+v", first, again)
			}
		})
	}
}

// TestASecondOrderOfErasureIsAnsweredAlike, before the key is gone and after.
func TestASecondOrderOfErasureIsAnsweredAlike(t *testing.T) {
	h := open(t)
	erase := func(key string) commands.Receipt {
		return h.did(h.EraseSubject(t.Context(), asking(keyed(manager, key), "erase"), stranger, person.LegalBases[0]))
	}
	erase("one")
	first := erase("two")
	put(h, person.Kind, person.Kind.Stream(string(subject(stranger))), person.Erased{Subject: subject(stranger)})
	if again := erase("two"); again != first {
		t.Errorf("first %+v, then %+v", first, again)
	}
}

// TestWhatAnotherDidMeanwhileIsAnAnswer: the command had something to do when it
// claimed its key. Then another administrator was quicker, before it went on or
// after a crash.
func TestWhatAnotherDidMeanwhileIsAnAnswer(t *testing.T) {
	for name, firstTry := range map[string]func(h *house, try, others func()){
		"a lost race": func(h *house, try, others func()) {
			h.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
				if s.Category() == "appointment" {
					h.log.set(nil)
					others()
				}
				return h.log.Log.Append(ctx, s, e, events...)
			}, try)
		},
		"a crash": func(h *house, try, others func()) {
			h.log.cutAt("appointment", try)
			others()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			auditing := commands.Dismiss{PersonCode: auditor, Role: appointment.Auditor}
			c := asking(h.by(admin), "dismiss")
			dismiss := func() (commands.Receipt, error) { return h.Dismiss(t.Context(), c, auditing) }
			firstTry(h, func() { _, _ = dismiss() }, func() { h.did(h.Dismiss(t.Context(), h.by(admin), auditing)) })
			first := h.did(dismiss())
			h.appoint(auditor, appointment.Auditor, "", noon.AddDate(1, 0, 0))
			if again := h.did(dismiss()); again != first {
				t.Errorf("first %+v, then %+v", first, again)
			}
			if !state(h, appointment.Kind, appointment.Kind.Stream(string(subject(auditor)))).Holds(appointment.Auditor, "", noon) {
				t.Error("the late repetition dismissed him")
			}
		})
	}
}

// TestACutOffCommandGoesWhereItMeantTo, whatever year it is and whoever has the
// code by now: else it would be done twice, once here and once there.
func TestACutOffCommandGoesWhereItMeantTo(t *testing.T) {
	for name, d := range map[string]struct {
		category string
		ask      func(h *house) (commands.Receipt, error)
	}{
		"OpenRequest": {"enrollment", func(h *house) (commands.Receipt, error) {
			return h.OpenRequest(t.Context(), asking(keyed(applicant, "k"), "open"), outside)
		}},
		"ReportInaccuracy": {"revocation", func(h *house) (commands.Receipt, error) {
			c := asking(keyed(stranger, "k"), "report")
			return h.ReportInaccuracy(t.Context(), c, h.all("certificate.issued.v2")[0].Stream.ID(), "نادرست است")
		}},
		"Appoint": {"appointment", func(h *house) (commands.Receipt, error) {
			post := commands.Appoint{PersonCode: stranger, Role: appointment.Auditor, Until: noon.AddDate(0, 6, 0)}
			return h.Appoint(t.Context(), asking(keyed(admin, "k"), "appoint"), post)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.draft(neighbour).upTo(enrollment.StatusIssued)
			var meant event.Stream
			h.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
				if s.Category() == d.category {
					meant = s
					return event.Receipt{}, errCut
				}
				return h.log.Log.Append(ctx, s, e, events...)
			}, func() { _, _ = d.ask(h) })
			h.clock.pass(150 * 24 * time.Hour) // the year 1406
			h.App.People = renamed{}
			first := h.did(d.ask(h))
			if first.Stream != meant {
				t.Errorf("%s was meant, %s it became", meant, first.Stream)
			}
			h.clock.pass(3 * 365 * 24 * time.Hour)
			put(h, appointment.Kind, appointment.Kind.Stream(string(subject(admin))),
				appointment.Appointed{Role: appointment.Administrator, Until: h.clock.Now().AddDate(1, 0, 0)})
			before := h.head()
			if again := h.did(d.ask(h)); again != first || h.head() != before {
				t.Errorf("first %+v, then %+v", first, again)
			}
		})
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

// TestAnIssuanceThatWasAskedForAlready, by a colleague, is not begun anew by a
// repetition after it failed.
func TestAnIssuanceThatWasAskedForAlready(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusConfirmed)
	r.reserve()
	ask := func(c commands.Caller) commands.Receipt {
		return r.did(r.IssueCertificate(t.Context(), c, r.code, r.token, r.csr))
	}
	ask(r.by(officer))
	c := asking(r.by(second), "issue")
	first := ask(c)
	put(r.house, enrollment.Kind, r.request(), enrollment.IssuanceFailed{Code: "sample", At: noon})
	if again := ask(c); again != first || r.now().Status == enrollment.StatusAtCA {
		t.Errorf("first %+v, then %+v; it is %s", first, again, r.now().Status)
	}
}
