package commands_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/tariff"
)

// newPrice is a command on a stream that accepts any number of events.
func (h *house) newPrice(c commands.Caller) (commands.Receipt, error) {
	return h.PublishTariff(h.t.Context(), c, commands.PublishTariff{Product: "cpmis-signature", IssuanceRial: 7, ValidFrom: noon})
}

func (h *house) prices() int { return len(h.stream(tariff.Kind.Stream("cpmis-signature"))) }

// another appends to the tariff as a writer who was quicker.
func (h *house) another() {
	put(h, tariff.Kind, tariff.Kind.Stream("cpmis-signature"), tariff.Published{Product: "cpmis-signature", Version: 99, At: noon})
}

func TestAConflictIsDecidedAgain(t *testing.T) {
	h := open(t)
	before, storms := h.prices(), 3
	h.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
		if storms--; storms >= 0 {
			h.another()
		}
		return h.log.Log.Append(ctx, s, e, events...)
	}, func() { h.did(h.newPrice(h.by(manager))) })
	all := state(h, tariff.Kind, tariff.Kind.Stream("cpmis-signature"))
	if len(all) != before+4 || all[len(all)-1].Version != before+4 {
		t.Errorf("the version was not decided on the latest state: %+v", all)
	}
}

func TestAStormOfConflictsEndsBusy(t *testing.T) {
	h := open(t)
	tries := 0
	h.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
		tries++
		h.another()
		return h.log.Log.Append(ctx, s, e, events...)
	}, func() {
		if _, err := h.newPrice(h.by(manager)); !errors.Is(err, commands.ErrBusy) {
			t.Errorf("got %v", err)
		}
	})
	if tries < 5 || tries > 100 {
		t.Errorf("tried %d times", tries)
	}
	for _, r := range h.stream(tariff.Kind.Stream("cpmis-signature"))[1:] {
		if m, err := r.DecodeMeta(); err != nil || m.Actor != "test" {
			t.Errorf("what was refused is stored: %+v", m)
		}
	}
}

func TestALostAnswerIsMetAgain(t *testing.T) {
	for name, lie := range map[string]error{"cut": errCut, "conflict with itself": event.ErrWrongExpectedRevision} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			c, before := h.by(manager), h.prices()
			var stored event.Receipt
			h.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
				r, err := h.log.Log.Append(ctx, s, e, events...)
				if s.Category() != "tariff" || err != nil {
					return r, err
				}
				stored = r
				return event.Receipt{}, lie
			}, func() {
				_, err := h.newPrice(c)
				if errors.Is(lie, errCut) && !errors.Is(err, commands.ErrLogUnavailable) || !errors.Is(lie, errCut) && err != nil {
					t.Errorf("the caller was told %v", err)
				}
			})
			h.another()
			if again := h.did(h.newPrice(c)); again != commands.Receipt(stored) {
				t.Errorf("the retry was told %+v, stored is %+v", again, stored)
			}
			if h.prices() != before+2 {
				t.Errorf("%d prices", h.prices())
			}
		})
	}
}

// brokenLog ends every read in the middle.
type brokenLog struct{ event.Log }

func (l brokenLog) Read(ctx context.Context, s event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for r, err := range l.Log.Read(ctx, s, from) {
			if !yield(r, err) {
				return
			}
			break
		}
		yield(event.Recorded{}, errCut)
	}
}

func TestABrokenReadDecidesNothing(t *testing.T) {
	h := open(t)
	r := h.draft(applicant).upTo(enrollment.StatusControlled)
	before := h.head()
	whole := h.Log
	h.Log = brokenLog{whole}
	for _, d := range doors {
		if d.ready != nil || d.name == "PersonaliseToken" || d.at == enrollment.StatusIssued || d.at == enrollment.StatusAccepted {
			continue
		}
		_, err := d.ask(r, t.Context(), h.by(d.may[0]))
		if f, ok := fault.Of(err); !ok || f.Kind != fault.Unavailable || !errors.Is(err, errCut) {
			t.Errorf("%s: %v", d.name, err)
		}
	}
	if h.head() != before {
		t.Error("something was appended")
	}
}

func TestACallerWhoLeftIsNotToldThatTheLogIsDown(t *testing.T) {
	h := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.OpenRequest(ctx, h.by(applicant), outside)
	if !errors.Is(err, context.Canceled) || errors.Is(err, commands.ErrLogUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	h := open(t)
	r := h.draft(applicant).upTo(enrollment.StatusConfirmed)
	r.reserve()
	before := len(h.stream(r.request()))
	h.log.during(func(context.Context, event.Stream, event.Expected, []event.Proposed) (event.Receipt, error) {
		return event.Receipt{}, event.ErrTooLarge
	}, func() {
		if _, err := r.IssueCertificate(t.Context(), r.by(officer), r.code, r.token, r.csr); !errors.Is(err, event.ErrTooLarge) {
			t.Errorf("got %v", err)
		}
	})
	if len(h.stream(r.request())) != before {
		t.Error("something was appended")
	}
}

func TestTheMetadataCarriesCauseAndStatus(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	all := r.stream(r.request())
	form, code := all[1], all[2]
	f, err := form.DecodeMeta()
	if err != nil || f.Status != "completed" || f.Correlation != r.code || f.Causation != f.CommandID {
		t.Errorf("of the form: %+v, %v", f, err)
	}
	c, err := code.DecodeMeta()
	if err != nil || c.Actor != "policy:send-email-code-on-form-completed" || c.Causation != form.ID.String() || c.Correlation != r.code {
		t.Errorf("of the code: %+v, %v", c, err)
	}
}

// counting counts how often each category's streams are read.
type counting struct {
	event.Log
	reads map[string]int
}

func (l counting) Read(ctx context.Context, s event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	l.reads[s.Category()]++
	return l.Log.Read(ctx, s, from)
}

// TestADoorReadsItsRequestOnce: who looked to see who may ask decides on what he
// saw, unless somebody was quicker.
func TestADoorReadsItsRequestOnce(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusReady)
	log := counting{r.App.Log, map[string]int{}}
	r.App.Log = log
	if err := r.submit(); err != nil {
		t.Fatal(err)
	}
	if log.reads["enrollment"] != 1 || log.reads["opening"] != 1 {
		t.Errorf("a submission reads %v", log.reads)
	}
}
