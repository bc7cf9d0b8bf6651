package token

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// life is what people call the states, and what each accepts: all of it is the
// office's work.
var life = event.Life{
	string(None): state("ثبت‌نشده", "not registered",
		Receive{}, "به موجودی دفتر افزود", "add it to the office's stock"),
	string(InStock): state("در موجودی", "in stock",
		Reserve{}, "برای یک درخواست تأییدشده کنار گذاشت", "reserve it for a confirmed request"),
	string(StatusReserved): state("کنارگذاشته‌شده", "reserved",
		Personalise{}, "گواهی درخواست خودش را روی آن نوشت", "write its own request's certificate to it"),
	string(StatusPersonalised): state("شخصی‌سازی‌شده", "personalised",
		Deliver{}, "به متقاضی خودش تحویل داد", "hand it to its own applicant"),
	string(StatusDelivered): {
		Name: fault.Text{Fa: "تحویل‌شده", En: "delivered"},
		Instead: fault.Text{
			Fa: "کار این توکن پایان یافته است؛ توکن خام دیگری بردارید.",
			En: "This token is spent; take another blank one.",
		},
	},
}

func state(fa, en string, command any, now, possible string) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Now: []event.Act{{
		Command: command, Name: fault.Text{Fa: now, En: possible},
		By: fault.Text{Fa: "دفتر ثبت‌نام", En: "registration office"},
	}}}
}
