package commands_test

import (
	"testing"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
)

func (r *request) confirmBy(person string, seen enrollment.Record) error {
	_, err := r.confirm(r.t.Context(), r.by(person), seen)
	return err
}

func TestFourEyes(t *testing.T) {
	for name, hand := range map[string]func(*request){
		"who sighted one more": func(r *request) {
			seen := commands.VerifyDocuments{Sighted: []enrollment.Document{enrollment.Passport}}
			r.did(r.VerifyDocuments(t.Context(), r.by(second), r.code, seen))
		},
		"who closed a further control": func(r *request) {
			r.did(r.RequireControl(t.Context(), r.by(officer), r.code, enrollment.ControlAddress))
			r.did(r.CloseControl(t.Context(), r.by(second), r.code, enrollment.ControlAddress, true))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t).draft(applicant).upTo(enrollment.StatusControlled)
			hand(r)
			for _, person := range officers { // the first sighted all that was needed
				r.refused(enrollment.ErrFourEyes, func() error { return r.confirmBy(person, r.record()) })
			}
		})
	}
}

func TestWhoRepeatedTheInquiryIsAHandToo(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	r.inconclusive()
	r.did(r.RepeatInquiry(t.Context(), r.by(second), r.code))
	r.settle()
	r.did(r.RecordPayment(t.Context(), r.by(officer), r.code, slip(r.code)))
	r.settle()
	r.refused(enrollment.ErrFourEyes, func() error { return r.confirmBy(second, r.record()) })
}

func TestWhoEnteredTheFormDoesNotConfirmIt(t *testing.T) {
	h := open(t)
	visit := commands.OpenRequest{Channel: enrollment.Outside, CertificateType: "cpmis-signature", Office: "office-1"}
	r := &request{house: h, code: h.did(h.OpenRequest(t.Context(), h.by(second), visit)).Stream.ID(), of: applicant}
	h.did(h.CompleteForm(t.Context(), h.by(second), r.code, formOf(applicant)))
	h.settle()
	r.upTo(enrollment.StatusControlled)
	r.refused(enrollment.ErrFourEyes, func() error { return r.confirmBy(second, r.record()) })
}

func TestAnOfficerDoesNotHandleHisOwnRequest(t *testing.T) {
	h := open(t)
	r := h.draft(second).upTo(enrollment.StatusControlled)
	seen := commands.VerifyDocuments{Sighted: []enrollment.Document{enrollment.Passport}}
	for name, ask := range map[string]func() error{
		"verify":  func() error { _, err := r.VerifyDocuments(t.Context(), r.by(second), r.code, seen); return err },
		"confirm": func() error { return r.confirmBy(second, r.record()) },
		"reject": func() error {
			_, err := r.RejectRequest(t.Context(), r.by(second), r.code, enrollment.NotEntitled)
			return err
		},
		"correct": func() error {
			_, err := r.RequestCorrection(t.Context(), r.by(second), r.code, []string{"post"})
			return err
		},
		"control": func() error {
			_, err := r.RequireControl(t.Context(), r.by(second), r.code, enrollment.ControlAddress)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { r.refused(enrollment.ErrOwnRequest, ask) })
	}
}

func TestWhatIsConfirmedIsWhatWasSeen(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusControlled)
	review, err := r.ReviewRecord(t.Context(), r.by(second), r.code)
	if err != nil || review.Record != r.record() || review.Form.Surname != "نمونه‌پور" || len(review.Missing) != 0 ||
		review.Answer != "matched" || review.FeeRial != price || review.Letter.Number != "۱۲/۳۴۵" {
		t.Fatalf("the review is %+v, %v", review, err)
	}
	seen := commands.VerifyDocuments{Sighted: []enrollment.Document{enrollment.Passport}}
	r.did(r.VerifyDocuments(t.Context(), r.by(officer), r.code, seen))
	r.refused(enrollment.ErrStaleRecord, func() error { return r.confirmBy(second, review.Record) })
	r.refused(enrollment.ErrStaleRecord, func() error {
		return r.confirmBy(second, enrollment.Record{Revision: r.record().Revision, Hash: review.Record.Hash})
	})
	if err := r.confirmBy(second, r.record()); err != nil {
		t.Error(err)
	}
}

func TestALaterChangeVoidsTheConfirmation(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusConfirmed)
	r.reserve()
	seen := commands.VerifyDocuments{Sighted: []enrollment.Document{enrollment.Passport}}
	r.did(r.VerifyDocuments(t.Context(), r.by(officer), r.code, seen))
	_, err := r.IssueCertificate(t.Context(), r.by(officer), r.code, r.token, r.csr)
	if f, ok := fault.Of(err); !ok || f.Code != "wrong-state" {
		t.Errorf("got %v", err)
	}
	if r.now().Status != enrollment.StatusControlled {
		t.Errorf("the request is %s", r.now().Status)
	}
}

func TestAReviewIsForTheOfficeAlone(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusControlled)
	for person, want := range map[string]bool{
		officer: true, second: true, elsewhere: false, dismissed: false, expired: false, manager: false, applicant: false, stranger: false,
	} {
		if _, err := r.ReviewRecord(t.Context(), r.by(person), r.code); (err == nil) != want {
			t.Errorf("%s: %v", subject(person), err)
		}
	}
}

func TestALetterNeedsNumberAndDate(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	for name, c := range map[string]struct {
		letter *enrollment.Letter
		code   string
	}{
		"none":      {nil, "letter-details-missing"},
		"no number": {&enrollment.Letter{Number: " ", Date: "1405/01/01"}, "letter-details-missing"},
		"no date":   {&enrollment.Letter{Number: "12", Date: "yesterday"}, "letter-date-invalid"},
		"to come":   {&enrollment.Letter{Number: "12", Date: "1405/08/11"}, "letter-date-invalid"},
	} {
		before := r.head()
		_, err := r.VerifyDocuments(t.Context(), r.by(officer), r.code, commands.VerifyDocuments{
			Sighted: []enrollment.Document{enrollment.IntroductionLetter}, Letter: c.letter,
		})
		if f, ok := fault.Of(err); !ok || f.Kind != fault.Invalid || r.head() != before {
			t.Errorf("%s: %v", name, err)
		} else if f.Code != c.code {
			t.Errorf("%s: %s, want %s", name, f.Code, c.code)
		}
	}
}

func TestADismissalCountsAtOnce(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	if _, err := r.ReviewRecord(t.Context(), r.by(officer), r.code); err != nil {
		t.Fatal(err)
	}
	r.did(r.Dismiss(t.Context(), r.by(admin), commands.Dismiss{PersonCode: officer, Role: "registration-officer", Place: "office-1"}))
	r.refused(enrollment.ErrNotFound, func() error {
		_, err := r.VerifyDocuments(t.Context(), r.by(officer), r.code, originals)
		return err
	})
	if posts, err := r.Posts(t.Context(), r.by(officer)); err != nil || len(posts) != 0 {
		t.Errorf("posts %v, %v", posts, err)
	}
	if posts, err := r.Posts(t.Context(), r.by(expired)); err != nil || len(posts) != 0 {
		t.Errorf("posts after their end %v, %v", posts, err)
	}
	if posts, err := r.Posts(t.Context(), r.by(second)); err != nil || len(posts) != 1 {
		t.Errorf("posts %v, %v", posts, err)
	}
}

func TestAConfirmationCitesTheAppointment(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusControlled)
	c := r.by(second)
	receipt := r.did(r.confirm(t.Context(), c, r.record()))
	all := r.stream(r.request())
	m, err := all[receipt.Revision].DecodeMeta()
	if err != nil || m.Authority == "" {
		t.Fatalf("%+v, %v", m, err)
	}
	if want := "appointment-" + string(subject(second)) + "@0 registration-officer office-1"; m.Authority != want {
		t.Errorf("the confirmation cites %q, want %q", m.Authority, want)
	}
}
