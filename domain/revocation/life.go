package revocation

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None): {Name: fault.Text{Fa: "گشوده‌نشده", En: "not opened"}, Now: []event.Act{{
		Command: Report{}, Name: fault.Text{Fa: "نادرستی اطلاعات را گزارش کرد", En: "report false information"},
		By: fault.Text{Fa: "هر شخص شناخته‌شده", En: "anybody who is identified"},
	}}},
	string(Open): {Name: fault.Text{Fa: "در دست رسیدگی", En: "open"}, Now: []event.Act{{
		Command: Close{}, Name: fault.Text{Fa: "نادرستی را احراز یا گزارش را رد کرد", En: "establish the falsity or refute the report"},
		By: fault.Text{Fa: "مرکز صدور", En: "CA centre"},
	}}},
	string(Established): closed("نادرستی احرازشده", "established"),
	string(Refuted):     closed("گزارش ردشده", "refuted"),
}

func closed(fa, en string) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Instead: fault.Text{
		Fa: "رأی پرونده برنمی‌گردد؛ اگر آگاهی تازه‌ای هست گزارش تازه‌ای ثبت کنید.",
		En: "The verdict stands; if something new is known, file a new report.",
	}}
}
