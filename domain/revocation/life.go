package revocation

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

var (
	byAnybody = fault.Text{Fa: "هر شخص، یا خود سامانه", En: "anybody, or the house itself"}
	byCentre  = fault.Text{Fa: "مرکز صدور", En: "CA centre"}
)

func act(command any, by fault.Text, fa, en string) event.Act {
	return event.Act{Command: command, Name: fault.Text{Fa: fa, En: en}, By: by}
}

var (
	reports      = act(Report{}, byAnybody, "نادرستی اطلاعات را گزارش کرد", "report false information")
	adds         = act(Report{}, byAnybody, "مدرک دیگری افزود", "add evidence")
	investigates = act(Investigate{}, byCentre, "رسیدگی را آغاز کرد", "begin the investigation")
	closes       = act(Close{}, byCentre, "نادرستی را احراز یا گزارش را رد کرد", "establish the falsity or refute the report")
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None):          {Name: fault.Text{Fa: "گشوده‌نشده", En: "not opened"}, Now: []event.Act{reports}},
	string(Open):          {Name: fault.Text{Fa: "باز", En: "open"}, Now: []event.Act{adds, investigates, closes}},
	string(Investigating): {Name: fault.Text{Fa: "در دست رسیدگی", En: "being investigated"}, Now: []event.Act{adds, closes}},
	string(Established):   closed("نادرستی احرازشده", "established"),
	string(Refuted):       closed("گزارش ردشده", "refuted"),
}

func closed(fa, en string) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Instead: fault.Text{
		Fa: "رأی پرونده برنمی‌گردد؛ اگر آگاهی تازه‌ای هست گزارش تازه‌ای ثبت کنید.",
		En: "The verdict stands; if something new is known, file a new report.",
	}}
}
