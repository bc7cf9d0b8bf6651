package inquiry

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

var (
	byOffice   = fault.Text{Fa: "دفتر ثبت‌نام", En: "registration office"}
	byRegistry = fault.Text{Fa: "ثبت احوال", En: "civil registry"}
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None): state("پرسیده‌نشده", "not asked",
		act(Request{}, byOffice, "اصل مدارک را رؤیت کرد تا استعلام آغاز شود", "sight the originals, which starts the inquiry")),
	string(Due): state("در انتظار پاسخ", "waiting for an answer",
		act(Answer{}, byRegistry, "پاسخ داد", "answer"),
		act(Defer{}, byRegistry, "پاسخ را به پس از این انداخت", "defer the answer"),
		act(NoteInconclusive{}, byRegistry, "پاسخی بی‌نتیجه داد", "give an inconclusive answer")),
	string(StatusInconclusive): state("بی‌نتیجه", "inconclusive",
		act(Repeat{}, byOffice, "استعلام را تکرار کرد", "repeat the inquiry")),
	string(StatusAnswered): {Name: fault.Text{Fa: "پاسخ‌داده‌شده", En: "answered"}, Instead: fault.Text{
		Fa: "پاسخ یک بار گرفته می‌شود؛ اگر فرم نادرست است اصلاح آن را بخواهید.",
		En: "An answer is taken once; if the form is wrong, ask for its correction.",
	}},
}

func act(command any, by fault.Text, fa, en string) event.Act {
	return event.Act{Command: command, Name: fault.Text{Fa: fa, En: en}, By: by}
}

func state(fa, en string, now ...event.Act) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Now: now}
}
