package fee

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Status is how far the payment is.
type Status string

// The states of an order.
const (
	StatusNone    Status = ""
	StatusRaised  Status = "raised"
	StatusSettled Status = "settled"
)

// Status is where the order stands.
func (s Fee) Status() Status {
	switch {
	case s.Settled != nil:
		return StatusSettled
	case s.Raised.Order != "":
		return StatusRaised
	}
	return StatusNone
}

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(StatusNone): {Name: fault.Text{Fa: "تعیین‌نشده", En: "not raised"}, Now: []event.Act{{
		Command: Raise{}, Name: fault.Text{Fa: "درخواست را به دفتر فرستاد تا هزینه تعیین شود", En: "submit the request, which raises the fee"},
		By: fault.Text{Fa: "متقاضی", En: "applicant"},
	}}},
	string(StatusRaised): {Name: fault.Text{Fa: "پرداخت‌نشده", En: "due"}, Now: []event.Act{{
		Command: Settle{}, Name: fault.Text{Fa: "رسید پایانه را با همان مبلغ ثبت کرد", En: "record a slip of the terminal over the very amount"},
		By: fault.Text{Fa: "دفتر ثبت‌نام", En: "registration office"},
	}}},
	string(StatusSettled): {Name: fault.Text{Fa: "پرداخت‌شده", En: "settled"}, Instead: fault.Text{
		Fa: "هزینه یک بار گرفته می‌شود؛ وجه پرداخت دیگر را برگردانید.",
		En: "A fee is paid once; give another payment back.",
	}},
}
