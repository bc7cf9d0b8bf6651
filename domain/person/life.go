package person

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Status is how far the erasure is.
type Status string

// The states of a person's data.
const (
	StatusNone    Status = ""
	StatusOrdered Status = "ordered"
	StatusErased  Status = "erased"
)

// Status is where the erasure stands.
func (s Person) Status() Status {
	switch {
	case s.Erased:
		return StatusErased
	case s.Ordered:
		return StatusOrdered
	}
	return StatusNone
}

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(StatusNone): {Name: fault.Text{Fa: "بی‌دستور", En: "not ordered"}, Now: []event.Act{{
		Command: OrderErasure{}, Name: fault.Text{Fa: "حذف داده‌ها را دستور داد", En: "order the erasure"},
		By: fault.Text{Fa: "مدیر", En: "manager"},
	}}},
	string(StatusOrdered): {Name: fault.Text{Fa: "دستورداده‌شده", En: "ordered"}, Now: []event.Act{{
		Command: NoteErased{}, Name: fault.Text{Fa: "کلید داده‌ها را نابود کرد", En: "destroy the data's key"},
		By: fault.Text{Fa: "سامانه", En: "the system itself"},
	}}},
	string(StatusErased): {Name: fault.Text{Fa: "حذف‌شده", En: "erased"}, Instead: fault.Text{
		Fa: "داده‌ها نابود شده‌اند؛ کاری نمانده است.", En: "The data is destroyed; nothing is left to do.",
	}},
}
