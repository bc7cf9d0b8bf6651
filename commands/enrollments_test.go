package commands_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/idempotency"
	"govahi/domain/iran"
	"govahi/domain/office"
	"govahi/domain/tariff"
)

func TestATrackingCodeIsAnsweredAtOnce(t *testing.T) {
	h := open(t)
	r := h.draft(applicant)
	if code, err := iran.ParseTrackingCode(r.code); err != nil || code != r.code || code[:2] != "05" {
		t.Errorf("the code of a request of 1405 is %s", r.code)
	}
}

func TestACodeThatAnotherHasIsPassedOver(t *testing.T) {
	h := open(t)
	h.secrets.colliding = 3
	codes := map[string]commands.Caller{}
	for _, person := range []string{applicant, neighbour, stranger, officer} {
		c := keyed(person, "one")
		code := h.did(h.OpenRequest(t.Context(), c, outside)).Stream.ID()
		if _, taken := codes[code]; taken {
			t.Fatalf("%s was given twice", code)
		}
		codes[code] = c
	}
	before := h.head()
	for code, c := range codes {
		if again := h.did(h.OpenRequest(t.Context(), c, outside)).Stream.ID(); again != code {
			t.Errorf("the retry was told %s, the first time %s", again, code)
		}
	}
	if h.head() != before {
		t.Error("a retry opened something")
	}
}

// lastDay and firstDay are either side of Tehran's midnight before 1406/01/01.
var (
	lastDay  = time.Date(2027, time.March, 20, 20, 29, 0, 0, time.UTC)
	firstDay = lastDay.Add(2 * time.Minute)
)

func TestARetryAfterNewYearFindsWhatWasOpened(t *testing.T) {
	if a, b := iran.FromTime(lastDay), iran.FromTime(firstDay); a.String() != "1405/12/29" || b.String() != "1406/01/01" {
		t.Fatalf("the days are %s and %s", a, b)
	}
	for name, colliding := range map[string]int{"alone": 0, "behind others": 2} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.secrets.colliding = colliding
			h.clock.now = lastDay
			h.did(h.OpenRequest(t.Context(), keyed(neighbour, "eve"), outside))
			first := h.did(h.OpenRequest(t.Context(), keyed(applicant, "eve"), outside))
			h.clock.now = firstDay
			before := h.head()
			if again := h.did(h.OpenRequest(t.Context(), keyed(applicant, "eve"), outside)); again != first || h.head() != before {
				t.Errorf("the retry was told %+v, the first time %+v", again, first)
			}
			if next := h.did(h.OpenRequest(t.Context(), keyed(applicant, "new"), outside)); next.Stream.ID()[:2] != "06" {
				t.Errorf("the new year's code is %s", next.Stream.ID())
			}
		})
	}
}

func TestACaseOfLastYearIsFoundByItsRetry(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
	r.clock.now = lastDay
	c := r.by(stranger)
	first := r.did(r.ReportInaccuracy(t.Context(), c, r.now().Serial, "درست نیست"))
	r.clock.now = firstDay
	if again := r.did(r.ReportInaccuracy(t.Context(), c, r.now().Serial, "درست نیست")); again != first {
		t.Errorf("the retry opened %s beside %s", again.Stream, first.Stream)
	}
}

func TestTheInsideChannelIsNotOpenedAtACounter(t *testing.T) {
	h := open(t)
	h.refused(enrollment.ErrChannel, func() error {
		_, err := h.OpenRequest(t.Context(), h.by(officer), commands.OpenRequest{Channel: enrollment.Inside, CertificateType: "cpmis-signature", Office: "office-1"})
		return err
	})
}

func TestAFormIsOnesOwnOrEnteredAtACounter(t *testing.T) {
	h := open(t)
	r := h.draft(applicant)
	h.refused(commands.ErrOtherPerson, func() error {
		_, err := h.CompleteForm(t.Context(), h.by(applicant), r.code, formOf(neighbour))
		return err
	})
	visit := commands.OpenRequest{Channel: enrollment.Outside, CertificateType: "cpmis-signature", Office: "office-1"}
	counter := h.did(h.OpenRequest(t.Context(), h.by(officer), visit)).Stream.ID()
	h.did(h.CompleteForm(t.Context(), h.by(officer), counter, formOf(neighbour)))
	form := state(h, enrollment.Kind, enrollment.Kind.Stream(counter)).Form
	if form.Entry != enrollment.AtCounter || form.EnteredBy != subject(officer) || form.Person != subject(neighbour) || form.Office != "office-1" {
		t.Errorf("the entry is recorded as %+v", form)
	}
	for person, want := range map[string]bool{neighbour: true, second: true, applicant: false, elsewhere: false, dismissed: false} {
		_, err := h.CompleteForm(t.Context(), h.by(person), counter, formOf(neighbour))
		if (err == nil) != want {
			t.Errorf("%s: %v", subject(person), err)
		}
	}
}

func TestAFormIsStoredNormalised(t *testing.T) {
	r := open(t).draft(applicant)
	in := formOf(applicant)
	in.PersonCode, in.Mobile, in.Surname = "۹۹۹-۲۰۰-۹۰۹۸", "+98 912 000 0000", "كاظمي"
	r.did(r.CompleteForm(t.Context(), r.by(applicant), r.code, in))
	f, err := r.now().Form.Form.Open(t.Context(), r.keeper)
	if err != nil || f.PersonCode != applicant || f.Mobile != "09120000000" || f.Surname != "کاظمی" || f.BirthDate != "1360/01/01" {
		t.Errorf("stored %+v, %v", f, err)
	}
}

func TestAWrongFieldIsNamed(t *testing.T) {
	r := open(t).draft(applicant)
	for field, spoil := range map[string]func(*commands.FormInput){
		"givenName":    func(f *commands.FormInput) { f.GivenName = "Sara" },
		"surname":      func(f *commands.FormInput) { f.Surname = "نام۲" },
		"latinSurname": func(f *commands.FormInput) { f.LatinSurname = "نمونه" },
		"personCode":   func(f *commands.FormInput) { f.PersonCode = "9992009090" },
		"passport":     func(f *commands.FormInput) { f.PersonCode = "123456789012" },
		"birthDate":    func(f *commands.FormInput) { f.BirthDate = "1360/13/01" },
		"mobile":       func(f *commands.FormInput) { f.Mobile = "02188880000" },
		"email":        func(f *commands.FormInput) { f.Email = "nobody" },
		"address":      func(f *commands.FormInput) { f.Address = " \u200c " },
		"postalCode":   func(f *commands.FormInput) { f.PostalCode = "123" },
		"organization": func(f *commands.FormInput) { f.Organization = "33333333333" },
		"post":         func(f *commands.FormInput) { f.Post = "" },
	} {
		in := formOf(applicant)
		spoil(&in)
		before := r.head()
		_, err := r.CompleteForm(t.Context(), r.by(applicant), r.code, in)
		if f, ok := fault.Of(err); !ok || f.Kind != fault.Invalid || f.Field != field || r.head() != before {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestAWrongEmailCodeIsWrongHoweverOftenItIsSent(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	c := r.by(applicant)
	for range 3 {
		if _, err := r.ConfirmEmail(t.Context(), c, r.code, "00000"); !errors.Is(err, enrollment.ErrEmailCode) {
			t.Fatalf("got %v", err)
		}
	}
	if got := r.now().Email.Refused; got != 1 {
		t.Errorf("one guess counts %d times", got)
	}
	for range 4 {
		r.guess()
	}
	if _, err := r.ConfirmEmail(t.Context(), r.by(applicant), r.code, r.EmailCode(r.request(), 1)); !errors.Is(err, enrollment.ErrNoEmailCode) {
		t.Errorf("after five guesses: %v", err)
	}
	r.clock.pass(time.Minute)
	r.did(r.SendEmailCode(t.Context(), r.by(applicant), r.code))
	if r.EmailCode(r.request(), 2) == r.EmailCode(r.request(), 1) {
		t.Error("the new code is the old one")
	}
	r.did(r.ConfirmEmail(t.Context(), r.by(applicant), r.code, iran.PersianDigits(r.EmailCode(r.request(), 2))))
}

func (r *request) guess() {
	_, _ = r.ConfirmEmail(r.t.Context(), r.by(applicant), r.code, "00000")
}

func TestAnEmailCodeCountsForTenMinutes(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	r.clock.pass(10*time.Minute + time.Second)
	r.refused(enrollment.ErrNoEmailCode, func() error {
		_, err := r.ConfirmEmail(t.Context(), r.by(applicant), r.code, r.EmailCode(r.request(), 1))
		return err
	})
}

func TestTheTextOfLiabilityIsThePresentOne(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusCompleted)
	for _, text := range [][2]string{{"1404-1", commands.LiabilityNotice.Hash()}, {commands.LiabilityNotice.Version, "00"}} {
		r.refused(enrollment.ErrNoticeText, func() error {
			_, err := r.AcceptLiability(t.Context(), r.by(applicant), r.code, text[0], text[1])
			return err
		})
	}
}

func TestASubmissionNeedsAnOfficeAndAPrice(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusReady)
	r.refused(office.ErrNotFound, func() error {
		_, err := r.SubmitRequest(t.Context(), r.by(applicant), r.code, "nowhere")
		return err
	})
	r.clock.now = noon.AddDate(-2, 0, 0) // before the first tariff
	r.refused(tariff.ErrNone, func() error {
		_, err := r.SubmitRequest(t.Context(), r.by(applicant), r.code, "office-1")
		return err
	})
}

// holder is the request that has the opening of a person and the sample
// organisation.
func (h *house) holder(person, organization string) enrollment.Holder {
	return state(h, enrollment.Opening, enrollment.Opening.Stream(string(subject(person)), organization, "cpmis-signature"))
}

const (
	organization = "10999001013"
	otherCompany = "10380284790"
)

func TestOneRequestIsOpen(t *testing.T) {
	h := open(t)
	first := h.draft(applicant).upTo(enrollment.StatusAtOffice)
	next := h.draft(applicant).upTo(enrollment.StatusReady)
	h.refused(enrollment.ErrOpenRequest, next.submit)
	h.did(h.Withdraw(t.Context(), h.by(applicant), first.code))
	h.refused(enrollment.ErrOpenRequest, next.submit)
	h.settle() // a policy lets the opening go
	if err := next.submit(); err != nil {
		t.Errorf("the first is over: %v", err)
	}
	if h.holder(applicant, organization) != enrollment.Holder(next.request()) {
		t.Error("the opening is not the second request's")
	}
	if err := h.draft(neighbour).upTo(enrollment.StatusReady).submit(); err != nil {
		t.Errorf("another person: %v", err)
	}
}

func (r *request) submit() error { return r.submitBy(r.by(r.of)) }

func (r *request) submitBy(c commands.Caller) error {
	_, err := r.SubmitRequest(r.t.Context(), c, r.code, "office-1")
	return err
}

func TestACutOffSubmissionPassesWhenItIsSentAgain(t *testing.T) {
	for name, key := range map[string]string{"with the same key": "one", "with another": "two"} {
		t.Run(name, func(t *testing.T) {
			r := open(t).draft(applicant).upTo(enrollment.StatusReady)
			r.log.cutAt("enrollment", func() {
				if err := r.submitBy(keyed(applicant, "one")); !errors.Is(err, commands.ErrLogUnavailable) {
					t.Fatalf("got %v", err)
				}
			})
			if r.holder(applicant, organization) != enrollment.Holder(r.request()) {
				t.Fatal("the opening was not taken first")
			}
			if err := r.submitBy(keyed(applicant, key)); err != nil {
				t.Errorf("sent again: %v", err)
			}
			if got := len(r.all("opening.taken.v1")); got != 1 {
				t.Errorf("the opening was taken %d times", got)
			}
		})
	}
}

// interposed does something once, between an append to a category's stream and
// its answer.
func (h *house) interposed(category string, do func()) func(context.Context, event.Stream, event.Expected, []event.Proposed) (event.Receipt, error) {
	return func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
		receipt, err := h.log.Log.Append(ctx, s, e, events...)
		if s.Category() == category {
			h.log.set(nil)
			do()
		}
		return receipt, err
	}
}

// overtaken submits while, after the opening was taken, another command changes
// the request.
func (r *request) overtaken(c commands.Caller, change func()) (err error) {
	r.log.during(r.interposed("opening", change), func() { err = r.submitBy(c) })
	return err
}

func TestAWithdrawalThatOvertakesTheSubmissionLeavesNoOpening(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusReady)
	c := r.by(applicant)
	err := r.overtaken(c, func() { r.did(r.Withdraw(t.Context(), r.by(applicant), r.code)) })
	if f, ok := fault.Of(err); !ok || f.Code != "wrong-state" {
		t.Fatalf("got %v", err)
	}
	if holder := r.holder(applicant, organization); holder != "" {
		t.Errorf("%s still holds the opening", holder)
	}
	if err := r.house.draft(applicant).upTo(enrollment.StatusReady).submit(); err != nil {
		t.Errorf("the next request: %v", err)
	}
}

// TestALosingDoubleSubmissionKeepsTheOpening: the request that another key
// submitted meanwhile is the open one.
func TestALosingDoubleSubmissionKeepsTheOpening(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusReady)
	err := r.overtaken(r.by(applicant), func() {
		if err := r.submitBy(r.by(applicant)); err != nil {
			t.Error(err)
		}
	})
	if f, ok := fault.Of(err); !ok || f.Code != "wrong-state" {
		t.Fatalf("got %v", err)
	}
	if holder := r.holder(applicant, organization); holder != enrollment.Holder(r.request()) {
		t.Errorf("%q holds the opening of a submitted request", holder)
	}
	if err := r.house.draft(applicant).upTo(enrollment.StatusReady).submit(); !errors.Is(err, enrollment.ErrOpenRequest) {
		t.Errorf("a second request: %v", err)
	}
}

// TestOneKeySubmitsOneOfTwoRequests: a key that was used for one request does
// not take the opening for another.
func TestOneKeySubmitsOneOfTwoRequests(t *testing.T) {
	h := open(t)
	one, two := h.draft(applicant).upTo(enrollment.StatusReady), h.draft(applicant).upTo(enrollment.StatusReady)
	c := one.by(applicant)
	if err := one.submitBy(asking(c, "one")); err != nil {
		t.Fatal(err)
	}
	h.refused(idempotency.ErrReused, func() error { return two.submitBy(asking(c, "two")) })
}

// TestTheOpeningIsOfTheFormThatIsSubmitted: an opening for one organisation must
// not let a form of another in.
func TestTheOpeningIsOfTheFormThatIsSubmitted(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusReady)
	err := r.overtaken(r.by(applicant), func() {
		other := formOf(applicant)
		other.Organization = otherCompany
		r.did(r.CompleteForm(t.Context(), r.by(applicant), r.code, other))
		r.settle()
		r.upTo(enrollment.StatusReady)
	})
	if !errors.Is(err, enrollment.ErrStaleForm) || r.now().Status != enrollment.StatusReady {
		t.Errorf("got %v, the request is %s", err, r.now().Status)
	}
}

func TestAnEndReleasesWhatAnyFormOfTheRequestHeld(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusReady)
	r.log.cutAt("enrollment", func() { _ = r.submit() })
	other := formOf(applicant)
	other.Organization = otherCompany
	r.did(r.CompleteForm(t.Context(), r.by(applicant), r.code, other))
	r.settle()
	r.did(r.Withdraw(t.Context(), r.by(applicant), r.code))
	r.settle()
	for _, o := range []string{organization, otherCompany} {
		if holder := r.holder(applicant, o); holder != "" {
			t.Errorf("%s holds the opening at %s", holder, o)
		}
	}
}
