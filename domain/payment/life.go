package payment

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

var (
	byApplicant = fault.Text{Fa: "متقاضی", En: "applicant"}
	byBank      = fault.Text{Fa: "بانک", En: "bank"}
	bySystem    = fault.Text{Fa: "سامانه", En: "system"}
)

var (
	asks     = act(Request{}, byApplicant, "پرداخت برخط را آغاز کرد", "begin to pay online")
	sends    = act(Redirect{}, byBank, "پرداخت را پذیرفت", "take the attempt on")
	calls    = act(NoteCallback{}, byBank, "از بازگشت پرداخت‌کننده خبر داد", "tell that the payer came back")
	checks   = act(StartVerification{}, bySystem, "تأیید پرداخت را از بانک خواست", "ask the bank to verify it")
	waits    = act(Postpone{}, bySystem, "پیگیری را به پس از این انداخت", "look again later")
	verifies = act(NoteVerified{}, byBank, "پرداخت را تأیید کرد", "verify it")
	finds    = act(NoteVerified{}, byBank, "وجه را دیرهنگام یافت", "find the money after all")
	settles  = act(NoteBankSettled{}, byBank, "وجه را واریز کرد", "settle it")
	finishes = act(Finish{}, bySystem, "وجه را به حساب هزینه گذاشت", "credit it to the fee")
	fails    = act(Fail{}, byBank, "پرداخت را ناموفق خواند", "call it failed")
	reverses = act(NoteReversed{}, byBank, "وجه را برگرداند", "give the money back")
	lapses   = act(Lapse{}, bySystem, "پرداخت رهاشده را بست", "close the abandoned attempt")
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None):           state("آغازنشده", "not begun", asks),
	string(StatusOpen):     state("آغازشده", "requested", sends, fails, waits),
	string(StatusAway):     state("در درگاه بانک", "at the bank's page", calls, fails, reverses, checks, waits, lapses),
	string(StatusCheck):    state("در حال تأیید", "being verified", calls, verifies, fails, reverses, waits),
	string(StatusVerified): state("تأییدشده", "verified", settles, reverses, finishes, waits),
	string(StatusSettled):  state("واریزشده", "settled at the bank", finishes, waits),
	string(StatusDone):     ended("انجام‌شده", "done"),
	string(StatusFailed):   ended("ناموفق", "failed", finds),
	string(StatusReversed): ended("برگشت‌خورده", "reversed", finds),
	string(StatusGone):     ended("رهاشده", "abandoned", finds),
}

func act(command any, by fault.Text, fa, en string) event.Act {
	return event.Act{Command: command, Name: fault.Text{Fa: fa, En: en}, By: by}
}

func state(fa, en string, now ...event.Act) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Now: now}
}

func ended(fa, en string, now ...event.Act) event.State {
	s := state(fa, en, now...)
	s.Instead = fault.Text{
		Fa: "وضعیت هزینه را ببینید؛ اگر پرداخت‌نشده است، پرداخت تازه‌ای آغاز کنید.",
		En: "Look at the fee; if it is due, begin another payment.",
	}
	return s
}
