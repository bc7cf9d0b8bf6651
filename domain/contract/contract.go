// Package contract is a company's contract by which it pays the fees of its own
// people's requests (domain §1, A2: the inside channel does not pay at the
// counter).
//
//	─Concluded─▶ InForce ─Ended─▶ Ended ─Concluded─▶ InForce
package contract

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a company's contracts.
var Catalog = event.NewCatalog(
	event.Of[Concluded]("contract.concluded.v1"),
	event.Of[Ended]("contract.ended.v1"),
)

// Kind is the stream `contract-<company's national ID>`.
var Kind = event.Kind[Contract]{Category: "contract", Catalog: Catalog, Evolve: Evolve, Life: life}

// Concluded is a contract, or its prolongation under another number.
type Concluded struct {
	Number string        `json:"number"`
	Until  time.Time     `json:"until"`
	By     event.Subject `json:"by"`
	At     time.Time     `json:"at"`
}

// Ended says that it counts no more, before its end.
type Ended struct {
	Number string        `json:"number"`
	By     event.Subject `json:"by"`
	At     time.Time     `json:"at"`
}

// Contract is the state: the latest contract, and whether it was ended.
type Contract struct {
	Concluded Concluded
	Ended     bool
}

// Status is where a company's contract stands.
type Status string

// The states. One that ran out is no state of the stream: that is the clock's.
const (
	None          Status = ""
	StatusInForce Status = "in-force"
	StatusEnded   Status = "ended"
)

// Status is where it stands.
func (s Contract) Status() Status {
	switch {
	case s.Concluded.Number == "":
		return None
	case s.Ended:
		return StatusEnded
	}
	return StatusInForce
}

// InForce tells whether fees are settled by it at a moment.
func (s Contract) InForce(at time.Time) bool {
	return s.Status() == StatusInForce && at.Before(s.Concluded.Until)
}

// Evolve is what each event means.
func Evolve(s Contract, e event.Event) Contract {
	switch e := e.(type) {
	case Concluded:
		return Contract{Concluded: e}
	case Ended:
		s.Ended = true
	}
	return s
}

// The refusals.
var (
	ErrNone = fault.New(fault.Conflict, "contract-missing",
		"شرکت این درخواست قرارداد معتبری ندارد؛ مدیر باید قرارداد را ثبت کند.",
		"The company of this request has no contract in force; a manager must record one.")
	ErrEnd = fault.New(fault.Invalid, "contract-end-invalid",
		"پایان قرارداد باید پس از اکنون باشد.", "A contract ends after now.").At("until")
	ErrNumber = fault.New(fault.Invalid, "contract-number-invalid",
		"شمارهٔ قرارداد ۱ تا ۴۰ حرف فارسی یا لاتین، رقم، فاصله و نشانه‌های - / . است؛ آن را همان‌گونه که در قرارداد است بنویسید.",
		"A contract's number is 1 to 40 Persian or Latin letters, digits, spaces, and - / .; write it as the contract has it.").At("number")
)

// Conclude records a contract.
type Conclude struct {
	Number string
	Until  time.Time
	By     event.Subject
	At     time.Time
}

// Decide takes the latest word for the whole: a prolongation replaces.
func (c Conclude) Decide(s Contract) ([]event.Event, error) {
	switch {
	case c.Number == "":
		return nil, ErrNumber
	case !c.Until.After(c.At):
		return nil, ErrEnd
	case s.Status() == StatusInForce && s.Concluded.Number == c.Number && s.Concluded.Until.Equal(c.Until):
		return nil, nil
	}
	return []event.Event{Concluded(c)}, nil
}

// End ends the contract now.
type End struct {
	By event.Subject
	At time.Time
}

// Decide ends what is in force, once.
func (c End) Decide(s Contract) ([]event.Event, error) {
	switch s.Status() {
	case None:
		return nil, life.Refuse(ErrNone, string(None))
	case StatusEnded:
		return nil, nil
	}
	return []event.Event{Ended{s.Concluded.Number, c.By, c.At}}, nil
}

// Refuse says that fees are not settled by it now.
func (s Contract) Refuse() error { return life.Refuse(ErrNone, string(s.Status())) }

var byManager = fault.Text{Fa: "مدیر", En: "manager"}

var (
	concludes = event.Act{Command: Conclude{}, Name: fault.Text{Fa: "قرارداد را ثبت کرد", En: "record a contract"}, By: byManager}
	ends      = event.Act{Command: End{}, Name: fault.Text{Fa: "قرارداد را پایان داد", En: "end the contract"}, By: byManager}
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None):          {Name: fault.Text{Fa: "بی‌قرارداد", En: "without a contract"}, Now: []event.Act{concludes}},
	string(StatusInForce): {Name: fault.Text{Fa: "دارای قرارداد", En: "under contract"}, Now: []event.Act{concludes, ends}},
	string(StatusEnded):   {Name: fault.Text{Fa: "پایان‌یافته", En: "ended"}, Now: []event.Act{concludes}},
}
