package credential

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

var (
	byOfficer  = fault.Text{Fa: "مأمور دفتر ثبت‌نام", En: "registration officer"}
	byOperator = fault.Text{Fa: "کارشناس مرکز صدور", En: "operator of the CA"}
	byCentre   = fault.Text{Fa: "مرکز صدور", En: "CA centre"}
)

func act(command any, by fault.Text, fa, en string) event.Act {
	return event.Act{Command: command, Name: fault.Text{Fa: fa, En: en}, By: by}
}

var (
	asks     = act(Request{}, byOfficer, "گواهی خود را خواست", "ask for one's own certificate")
	decides  = act(Close{}, byOperator, "مأمور را تأیید یا رد کرد", "vouch for the officer, or refuse")
	attempts = act(Attempt{}, byCentre, "گواهی را صادر کرد", "issue the certificate")
	notes    = act(NoteIssued{}, byCentre, "گواهی را صادر کرد", "issue the certificate")
	fails    = act(Fail{}, byCentre, "درخواست را برگرداند", "give the request back")
)

func over(fa, en string) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Instead: fault.Text{
		Fa: "برای گواهی دیگر درخواست تازه‌ای بدهید.", En: "For another certificate make a new request.",
	}}
}

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None):            {Name: fault.Text{Fa: "درخواست‌نشده", En: "not requested"}, Now: []event.Act{asks}},
	string(StatusRequested): {Name: fault.Text{Fa: "در انتظار تأیید", En: "requested"}, Now: []event.Act{decides}},
	string(StatusApproved):  {Name: fault.Text{Fa: "تأییدشده", En: "approved"}, Now: []event.Act{attempts, notes, fails}},
	string(StatusRefused):   over("ردشده", "refused"),
	string(StatusFailed):    over("صادرنشدنی", "not certifiable"),
	string(StatusIssued):    over("صادرشده", "issued"),
}
