package fee

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Status is how far the payment is.
type Status string

// The states of an order.
const (
	StatusNone      Status = ""
	StatusRaised    Status = "raised"
	StatusPaying    Status = "paying"
	StatusSettled   Status = "settled"
	StatusRefundDue Status = "refund-due"
	StatusRefunded  Status = "refunded"
	StatusClosed    Status = "closed"
)

// Status is where the order stands.
func (s Fee) Status() Status {
	switch {
	case s.Raised.Order == "":
		return StatusNone
	case s.Settled != nil && s.owes():
		return StatusRefundDue
	case s.Settled != nil && s.Closed != nil:
		return StatusRefunded
	case s.Settled != nil:
		return StatusSettled
	case s.Closed != nil:
		return StatusClosed
	case len(s.Open) > 0:
		return StatusPaying
	}
	return StatusRaised
}

// owes tells whether a sum has not gone back yet.
func (s Fee) owes() bool {
	for _, r := range s.Refunds {
		if r.Done == nil {
			return true
		}
	}
	return false
}

var (
	byApplicant = fault.Text{Fa: "متقاضی", En: "applicant"}
	byOffice    = fault.Text{Fa: "دفتر ثبت‌نام", En: "registration office"}
	byBank      = fault.Text{Fa: "بانک", En: "bank"}
	bySystem    = fault.Text{Fa: "سامانه", En: "system"}
)

var (
	submits = act(Raise{}, byApplicant, "درخواست را به دفتر فرستاد تا هزینه تعیین شود", "submit the request, which raises the fee")
	pays    = act(StartAttempt{}, byApplicant, "هزینه را برخط پرداخت", "pay online")
	settles = act(Settle{}, byOffice, "رسید پایانه یا قرارداد را با همان مبلغ ثبت کرد", "record a slip of the terminal, or the contract, over the very amount")
	late    = act(Settle{}, byOffice, "رسید وجهی را که گرفته شده است برای بازگرداندن ثبت کرد", "record the slip of money that was taken, to give it back")
	returns = act(RecordRefund{}, byOffice, "بازپرداخت وجه را ثبت کرد", "record that money went back")
	credits = act(Credit{}, byBank, "از وجه رسیده خبر داد", "tell of money that came")
	ends    = act(EndAttempt{}, byBank, "از پایان بی‌نتیجهٔ یک پرداخت خبر داد", "tell of a payment that ended without money")
	closes  = act(Close{}, bySystem, "با پایان درخواست، پروندهٔ هزینه را بست", "close the fee at the end of the request")
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(StatusNone):      state("تعیین‌نشده", "not raised", submits),
	string(StatusRaised):    state("پرداخت‌نشده", "due", pays, settles, credits, closes),
	string(StatusPaying):    state("در حال پرداخت برخط", "being paid online", pays, settles, credits, ends, closes),
	string(StatusSettled):   stopped("پرداخت‌شده", "settled", credits, ends, closes),
	string(StatusRefundDue): stopped("در انتظار بازپرداخت", "waiting for a refund", returns, credits, ends, closes),
	string(StatusRefunded):  stopped("بازپرداخت‌شده", "refunded", credits, ends),
	string(StatusClosed):    state("بسته", "closed", late, returns, credits, ends),
}

func act(command any, by fault.Text, fa, en string) event.Act {
	return event.Act{Command: command, Name: fault.Text{Fa: fa, En: en}, By: by}
}

func state(fa, en string, now ...event.Act) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Now: now}
}

// stopped is a state in which nobody pays any more.
func stopped(fa, en string, now ...event.Act) event.State {
	s := state(fa, en, now...)
	s.Instead = fault.Text{
		Fa: "هزینه یک بار گرفته می‌شود؛ وجه پرداخت دیگر را برگردانید.",
		En: "A fee is paid once; give another payment back.",
	}
	return s
}
