package token

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Who does something to a token.
var (
	byOffice    = fault.Text{Fa: "دفتر ثبت‌نام", En: "registration office"}
	byHolder    = fault.Text{Fa: "دارندهٔ کنونی", En: "present holder"}
	byNext      = fault.Text{Fa: "گیرنده", En: "receiver"}
	byApplicant = fault.Text{Fa: "متقاضی", En: "applicant"}
	byHouse     = fault.Text{Fa: "سامانه", En: "the house"}
)

func act(command any, by fault.Text, fa, en string) event.Act {
	return event.Act{Command: command, Name: fault.Text{Fa: fa, En: en}, By: by}
}

var (
	receives     = act(Receive{}, byOffice, "به موجودی دفتر افزود", "add it to the office's stock")
	reserves     = act(Reserve{}, byOffice, "برای یک درخواست تأییدشده کنار گذاشت", "reserve it for a confirmed request")
	personalises = act(Personalise{}, byOffice, "گواهی درخواست خودش را روی آن نوشت", "write its own request's certificate to it")
	renews       = act(Renew{}, byOffice, "گواهی تمدیدشده را روی آن نوشت", "write the renewed certificate to it")
	issuesPIN    = act(IssuePIN{}, byOffice, "راه پاکت رمز را ثبت کرد", "record the way of its PIN envelope")
	delivers     = act(Deliver{}, byHolder, "به متقاضی خودش تحویل داد", "hand it to its own applicant")
	handsOver    = act(HandOver{}, byHolder, "مهروموم به مقصد بعدی فرستاد", "send it on, sealed")
	loses        = act(ReportLost{}, byHolder, "گم‌شده اعلام کرد", "declare it lost")
	defects      = act(ReportDefective{}, byHolder, "معیوب اعلام کرد", "declare it defective")
	takes        = act(Take{}, byNext, "با وضع مهروموم رسید داد", "receive it, with the state of its seal")
	doubts       = act(Take{}, byHolder, "گزارش داد که مهروموم شکسته بوده است", "report that its seal was broken after all")
	notesPIN     = act(NotePIN{}, byApplicant, "رسیدن پاکت رمز را اعلام کرد", "say that the PIN envelope came")
	activates    = act(Activate{}, byApplicant, "با رمز خود فعال کرد", "activate it with his own PIN")
	watches      = act(Watch{}, byHouse, "پس از مهلت هشدار داد یا آن را فراخواند", "raise an alarm or recall it when its time is over")
	recalls      = act(Recall{}, byHouse, "پس از ابطال فراخواند", "recall it after the revocation")
	returns      = act(Return{}, byOffice, "پس گرفت", "take it back")
	destroys     = act(Destroy{}, byOffice, "از میان برد", "destroy it")
)

func state(fa, en string, now ...event.Act) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Now: now}
}

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None):               state("ثبت‌نشده", "not registered", receives),
	string(InStock):            state("در موجودی", "in stock", reserves, loses, defects),
	string(StatusReserved):     state("کنارگذاشته‌شده", "reserved", personalises, loses, defects),
	string(StatusPersonalised): state("شخصی‌سازی‌شده", "personalised", issuesPIN, handsOver, delivers, loses, defects, doubts, notesPIN, watches, recalls),
	string(InTransit):          state("در راه", "on its way", issuesPIN, takes, loses, defects, notesPIN, watches, recalls),
	string(StatusDelivered):    state("تحویل‌شده", "delivered", renews, issuesPIN, notesPIN, activates, loses, defects, watches, recalls),
	string(Activated):          state("فعال‌شده", "activated", renews, loses, defects, recalls),
	string(Compromised):        state("مهروموم شکسته", "of a broken seal", returns, loses, defects),
	string(StatusLost):         state("گم‌شده", "lost", takes, returns),
	string(Defective):          state("معیوب", "defective", takes, returns),
	string(StatusRecalled):     state("فراخوانده", "recalled", takes, returns, loses, defects, doubts, watches),
	string(StatusReturned):     state("بازگشته", "returned", destroys),
	string(StatusDestroyed): {
		Name: fault.Text{Fa: "ازمیان‌رفته", En: "destroyed"},
		Instead: fault.Text{
			Fa: "کار این توکن پایان یافته است؛ توکن خام دیگری بردارید.",
			En: "This token is spent; take another blank one.",
		},
	},
}
