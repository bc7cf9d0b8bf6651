package commands_test

import (
	"errors"
	"testing"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
	"govahi/domain/fee"
)

func (r *request) pay(c commands.Caller, in commands.RecordPayment) error {
	_, err := r.RecordPayment(r.t.Context(), c, r.code, in)
	return err
}

func TestTheFeeIsRaisedByTheTariffOfTheSubmission(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	r.did(r.newPrice(r.by(manager)))
	if raised := r.fee().Raised; raised.AmountRial != price || raised.TariffVersion != 1 {
		t.Errorf("raised %+v", raised)
	}
	r.refused(fee.ErrAmount, func() error {
		in := slip("5001")
		in.AmountRial = 7
		return r.pay(r.by(officer), in)
	})
}

func TestAReferenceSettlesOneRequest(t *testing.T) {
	h := open(t)
	first := h.draft(applicant).upTo(enrollment.StatusAtOffice)
	other := h.draft(neighbour).upTo(enrollment.StatusAtOffice)
	if err := first.pay(h.by(officer), slip("777000111")); err != nil {
		t.Fatal(err)
	}
	for _, rrn := range []string{"777000111", "۷۷۷۰۰۰۱۱۱", "777-000 111"} {
		h.refused(fee.ErrReferenceUsed, func() error { return other.pay(h.by(officer), slip(rrn)) })
	}
	if other.names(fee.Kind.Stream(other.code)) != "raised" {
		t.Error("something was appended to the other's fee")
	}
	if err := first.pay(h.by(officer), slip("777000111")); err != nil {
		t.Errorf("the same slip again: %v", err)
	}
	h.refused(fee.ErrSettled, func() error { return first.pay(h.by(officer), slip("777000112")) })
	elsewhere := slip("777000111")
	elsewhere.Provider = "otherbank"
	if err := other.pay(h.by(officer), elsewhere); err != nil {
		t.Errorf("the same number of another bank: %v", err)
	}
}

// TestASlipThatLostItsOrderSettlesAnother: of two slips of one order, the second
// leaves its number claimed when it comes too late.
func TestASlipThatLostItsOrderSettlesAnother(t *testing.T) {
	h := open(t)
	first := h.draft(applicant).upTo(enrollment.StatusAtOffice)
	other := h.draft(neighbour).upTo(enrollment.StatusAtOffice)
	put(h, fee.Settlement, fee.Settlement.Stream("samplebank", "777000222"), fee.Claimed{Order: first.code, At: noon})
	h.refused(fee.ErrReferenceUsed, func() error { return other.pay(h.by(officer), slip("777000222")) }) // it may be on its way
	if err := first.pay(h.by(officer), slip("777000111")); err != nil {
		t.Fatal(err)
	}
	if err := other.pay(h.by(officer), slip("777000222")); err != nil {
		t.Fatal(err)
	}
	h.refused(fee.ErrSettled, func() error { return first.pay(h.by(officer), slip("777000222")) })
}

func TestAPaymentCutOffBehindItsClaimPassesWhenItIsSentAgain(t *testing.T) {
	for name, key := range map[string]string{"with the same key": "one", "with another": "two"} {
		t.Run(name, func(t *testing.T) {
			r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
			r.log.cutAt("fee", func() {
				if err := r.pay(keyed(officer, "one"), slip("5001")); !errors.Is(err, commands.ErrLogUnavailable) {
					t.Fatalf("got %v", err)
				}
			})
			if len(r.all("settlement.claimed.v1")) != 1 || r.fee().Settled != nil {
				t.Fatal("the reference was not claimed first")
			}
			if err := r.pay(keyed(officer, key), slip("5001")); err != nil {
				t.Fatal(err)
			}
			r.settle()
			if s := r.now(); s.Fee.AmountRial != price || len(r.all("settlement.claimed.v1")) != 1 {
				t.Errorf("the request's fee is %+v", s.Fee)
			}
		})
	}
}

func TestASlipIsWrittenInDigits(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	for field, spoil := range map[string]func(*commands.RecordPayment){
		"terminal": func(p *commands.RecordPayment) { p.Terminal = "T1" },
		"rrn":      func(p *commands.RecordPayment) { p.RRN = "" },
		"trace":    func(p *commands.RecordPayment) { p.Trace = "123456789012345678901" },
	} {
		in := slip("5001")
		spoil(&in)
		before := r.head()
		if f, ok := fault.Of(r.pay(r.by(officer), in)); !ok || f.Field != field || r.head() != before {
			t.Errorf("%s: %v", field, f)
		}
	}
}

func TestNothingIsPaidBeforeTheSubmission(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusReady)
	r.refused(enrollment.ErrNotFound, func() error { return r.pay(r.by(officer), slip("5001")) })
}

// TestNobodyHandlesHisOwnRequest: an officer is at his own office's counter an
// applicant like any other.
func TestNobodyHandlesHisOwnRequest(t *testing.T) {
	r := open(t).draft(officer).upTo(enrollment.StatusAtOffice)
	for name, try := range map[string]func(commands.Caller) error{
		"payment": func(c commands.Caller) error {
			_, err := r.RecordPayment(t.Context(), c, r.code, slip("777"))
			return err
		},
		"inquiry": func(c commands.Caller) error {
			_, err := r.RepeatInquiry(t.Context(), c, r.code)
			return err
		},
		"sheet": func(c commands.Caller) error {
			_, err := r.PrintSheet(t.Context(), c, r.code)
			return err
		},
	} {
		if err := try(r.by(officer)); !errors.Is(err, enrollment.ErrOwnRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoBankIsCalledAsRefundsAre: its references would be the claims of transfers.
func TestNoBankIsCalledAsRefundsAre(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusUnderControl)
	in := slip("5001")
	in.Provider = fee.Transfers
	r.refused(errOf("provider-reserved"), func() error { return r.pay(r.by(officer), in) })
}
