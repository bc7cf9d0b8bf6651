package crl

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Status is how far the latest number of the series is.
type Status string

// The states of the series.
const (
	StatusNone     Status = ""
	StatusIntended Status = "intended"
	StatusSigning  Status = "signing"
	StatusSigned   Status = "signed"
)

// Status is where the series stands.
func (s Series) Status() Status {
	switch {
	case s.Intent.Number == 0:
		return StatusNone
	case !s.Started:
		return StatusIntended
	case s.Latest.Number == s.Intent.Number:
		return StatusSigned
	}
	return StatusSigning
}

var (
	byCentre = fault.Text{Fa: "مرکز صدور", En: "CA centre"}
	bySigner = fault.Text{Fa: "امضاکننده", En: "signer"}

	intends = event.Act{Command: Intend{}, By: byCentre, Name: fault.Text{Fa: "فهرست با شمارهٔ بعدی را ثبت کرد", En: "record a list of the next number"}}
	signs   = event.Act{Command: StartSigning{}, By: bySigner, Name: fault.Text{Fa: "همان فهرست ثبت‌شده را امضا کرد", En: "sign the very list that was recorded"}}
	notes   = event.Act{Command: NoteSigned{}, By: byCentre, Name: fault.Text{Fa: "فهرست امضاشده را ثبت کرد", En: "record the signed list"}}
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(StatusNone):     {Name: fault.Text{Fa: "آغازنشده", En: "not begun"}, Now: []event.Act{intends}},
	string(StatusIntended): {Name: fault.Text{Fa: "در آستانهٔ امضا", En: "about to be signed"}, Now: []event.Act{intends, signs}},
	string(StatusSigning):  {Name: fault.Text{Fa: "در حال امضا", En: "being signed"}, Now: []event.Act{intends, notes}},
	string(StatusSigned):   {Name: fault.Text{Fa: "امضاشده", En: "signed"}, Now: []event.Act{intends}},
}
