package fee

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// ErrRefund reports the number of a refund case that there is not.
var ErrRefund = fault.New(fault.Invalid, "refund-unknown",
	"این درخواست چنین پروندهٔ بازپرداختی ندارد؛ شمارهٔ آن را از فهرست بازپرداخت‌ها بردارید.",
	"This request has no such refund case; take its number from the list of refunds.").At("number")

// ErrRefunded reports a case that was closed by another transfer.
var ErrRefunded = fault.New(fault.Conflict, "already-refunded",
	"این وجه پیش‌تر با حوالهٔ دیگری بازگردانده شده است.", "This sum went back before, by another transfer.")

// RecordRefund says that a sum went back.
type RecordRefund struct {
	Number    int
	Reference string
	By        event.Subject
	At        time.Time
}

// Decide closes an open case, once.
func (c RecordRefund) Decide(s Fee) ([]event.Event, error) {
	if c.Number < 1 || c.Number > len(s.Refunds) {
		return nil, ErrRefund
	}
	done := s.Refunds[c.Number-1].Done
	switch {
	case done == nil:
		return []event.Event{Refunded{s.Raised.Order, c.Number, c.Reference, c.By, c.At}}, nil
	case done.Reference == c.Reference:
		return nil, nil
	}
	return nil, life.Refuse(ErrRefunded, string(s.Status()))
}
