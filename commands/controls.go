package commands

import (
	"context"
	"slices"
	"time"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/inquiry"
	"govahi/domain/iran"
)

// VerifyDocuments is what an officer saw (S1.26–28).
type VerifyDocuments struct {
	Sighted []enrollment.Document `json:"sighted" minItems:"1" maxItems:"5" enum:"birth-certificate,passport,national-card,legal-person-card,introduction-letter" doc:"Originals seen; none is copied"`
	Letter  *enrollment.Letter    `json:"letter,omitempty" required:"false" doc:"Number and date of the letter of introduction"`
}

// VerifyDocuments records the originals and starts the identity inquiry.
func (a *App) VerifyDocuments(ctx context.Context, c Caller, code string, in VerifyDocuments) (Receipt, error) {
	if err := in.check(a.Clock()); err != nil {
		return Receipt{}, err
	}
	return a.atDesk(ctx, c, code, "VerifyDocuments", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		return enrollment.VerifyDocuments{
			Sighted: in.Sighted, Letter: in.Letter, Inquiry: inquiryOf(code, h.state.Form.Version), By: c.Person, At: as.at,
		}.Decide(h.state)
	})
}

var errLetterDate = fault.New(fault.Invalid, "letter-date-invalid",
	"تاریخ معرفی‌نامه را به صورت سال/ماه/روز جلالی و نه در آینده بنویسید.",
	"Write the letter's date as Jalali year/month/day, not in the future.").At("letter.date")

func (in *VerifyDocuments) check(now time.Time) error {
	if in.Letter == nil {
		return nil
	}
	var n normaliser
	number := n.text("letter", in.Letter.Number)
	date, err := iran.ParseDate(in.Letter.Date)
	switch {
	case n.err != nil:
		return enrollment.ErrLetterMissing
	case err != nil || date.Time().After(now):
		return errLetterDate
	}
	in.Letter = &enrollment.Letter{Number: number, Date: date.String()}
	return nil
}

// RequireControl opens a further control at the office's discretion (S1.29, S1.31).
func (a *App) RequireControl(ctx context.Context, c Caller, code string, control enrollment.Control) (Receipt, error) {
	return a.atDesk(ctx, c, code, "RequireControl", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		return enrollment.RequireControl{Control: control, By: c.Person, At: as.at}.Decide(h.state)
	})
}

// CloseControl says how a further control ended.
func (a *App) CloseControl(ctx context.Context, c Caller, code string, control enrollment.Control, passed bool) (Receipt, error) {
	return a.atDesk(ctx, c, code, "CloseControl", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		return enrollment.CloseControl{Control: control, Passed: passed, By: c.Person, At: as.at}.Decide(h.state)
	})
}

var errFormField = fault.New(fault.Invalid, "form-field-unknown",
	"چنین خانه‌ای در فرم نیست؛ نام خانه‌ها را از فهرست برگزینید.",
	"The form has no such field; choose the fields' names from the list.").At("fields")

func ofTheForm(fields []string) error {
	for _, f := range fields {
		if !slices.Contains(enrollment.FormFields, f) {
			return errFormField
		}
	}
	return nil
}

// RequestCorrection sends the form back with the fields to mend.
func (a *App) RequestCorrection(ctx context.Context, c Caller, code string, fields []string) (Receipt, error) {
	if err := ofTheForm(fields); err != nil {
		return Receipt{}, err
	}
	return a.atDesk(ctx, c, code, "RequestCorrection", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		return enrollment.RequestCorrection{Fields: fields, By: c.Person, At: as.at}.Decide(h.state)
	})
}

// RejectRequest ends a request before issuance (S1.37).
func (a *App) RejectRequest(ctx context.Context, c Caller, code string, reason enrollment.RejectionReason) (Receipt, error) {
	return a.atDesk(ctx, c, code, "RejectRequest", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		return enrollment.Reject{Reason: reason, By: c.Person, At: as.at}.Decide(h.state)
	})
}

// Review is the record as an officer sees it before he confirms it.
type Review struct {
	Record  enrollment.Record     `json:"record"` // to be sent back with the confirmation
	Status  enrollment.Status     `json:"status"`
	Form    enrollment.Form       `json:"form"`
	Entry   enrollment.Entry      `json:"entry"`
	Missing []enrollment.Control  `json:"missing"`
	Sighted []enrollment.Document `json:"sighted"`
	Inquiry string                `json:"inquiry,omitempty"`
	Answer  string                `json:"identity"` // matched, mismatch, or waiting
	Code    string                `json:"registryTrackingCode,omitempty"`
	Waits   *inquiry.Deferral     `json:"identityWaits,omitempty" doc:"Why the registry has not answered yet, and when it is asked again"`
	FeeRial int64                 `json:"feeRial,omitempty"`
	Serial  string                `json:"serial,omitempty"`
	Letter  *enrollment.Letter    `json:"letter,omitempty"`

	Statement string `json:"statement" doc:"What an officer signs who confirms this record"`
}

// ReviewRecord shows the record straight from the log: what is confirmed must
// be what was seen.
func (a *App) ReviewRecord(ctx context.Context, c Caller, code string) (Review, error) {
	h, _, err := a.ours(ctx, c, code)
	if err != nil {
		return Review{}, err
	}
	form, err := h.state.Form.Form.Open(ctx, a.Keeper)
	if err != nil {
		return Review{}, err
	}
	asked, err := load(ctx, a, inquiry.Kind, inquiry.Kind.Stream(inquiryOf(code, h.state.Form.Version)))
	v := review(h, form)
	v.Waits = asked.state.Deferral()
	return v, err
}

func review(h history[enrollment.Enrollment], form enrollment.Form) Review {
	s := h.state
	record := enrollment.RecordOf(h.records)
	v := Review{
		Record: record, Statement: string(record.Statement(s.TrackingCode)), Status: s.Status, Form: form, Entry: s.Form.Entry,
		Missing: s.Missing(), Inquiry: s.Inquiry.Inquiry, Code: s.Identity.TrackingCode,
		FeeRial: s.Fee.AmountRial, Serial: s.Serial, Letter: s.Sighted[enrollment.IntroductionLetter].Letter,
	}
	for _, d := range append(s.Required(), enrollment.Passport) {
		if _, ok := s.Sighted[d]; ok {
			v.Sighted = append(v.Sighted, d)
		}
	}
	switch {
	case s.Identity.Inquiry == "":
		v.Answer = "waiting"
	case s.Identity.Matched:
		v.Answer = "matched"
	default:
		v.Answer = "mismatch"
	}
	return v
}

// ConfirmInformation is the second officer's word on exactly what he saw
// (S1.10), signed with his own token (domain §4.5): CMS, DER, over the record's
// Statement.
func (a *App) ConfirmInformation(ctx context.Context, c Caller, code string, seen enrollment.Record, signature []byte) (Receipt, error) {
	return a.atDesk(ctx, c, code, "ConfirmInformation", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		confirm := enrollment.ConfirmInformation{
			Seen: seen, Present: enrollment.RecordOf(h.records), By: c.Person, Office: h.state.Office,
			Signature: encoded(signature), At: as.at,
		}
		if events, err := confirm.Decide(h.state); err != nil || len(events) == 0 {
			return events, err
		}
		var err error
		if confirm.Certificate, err = a.signedBy(ctx, c.Person, signature, seen.Statement(code)); err != nil {
			return nil, err
		}
		return confirm.Decide(h.state)
	})
}

// atDesk runs a command of the office that has the request. The right is
// checked on the very state that is decided on.
func (a *App) atDesk(ctx context.Context, c Caller, code, name string,
	decide func(act, history[enrollment.Enrollment]) ([]event.Event, error),
) (Receipt, error) {
	stream := enrollment.Kind.Stream(code)
	h, authority, err := a.ours(ctx, c, code)
	if err != nil {
		return wentOn(ctx, a, act{Caller: c, name: name, at: a.Clock(), about: code}, h, err)
	}
	as := a.do(c, name, authority, code)
	return transactFrom(ctx, a, enrollment.Kind, stream, h, as, func(now history[enrollment.Enrollment]) ([]event.Event, error) {
		if now.state.Office != h.state.Office {
			return nil, enrollment.ErrOtherOffice
		}
		return decide(as, now)
	})
}

// wentOn answers who repeats what brought the thing to another's desk, as a
// delivery by the company's unit or a hand-over does: he sees it still, and his
// answer is the first one.
func wentOn[S any](ctx context.Context, a *App, as act, h history[S], refusal error) (Receipt, error) {
	if f, ok := fault.Of(refusal); !ok || f.Kind != fault.Forbidden {
		return Receipt{}, refusal
	}
	if first, ok, err := repeated(ctx, a, as, h); ok || err != nil {
		return first, err
	}
	return Receipt{}, refusal
}

// isRefusal tells a final no from trouble that passes.
func isRefusal(err error) bool {
	f, ok := fault.Of(err)
	return ok && f.Kind != fault.Unavailable && f.Kind != fault.Internal
}
