package certificate

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Who does something to a serial.
var (
	byCentre = fault.Text{Fa: "مرکز صدور", En: "CA centre"}
	bySigner = fault.Text{Fa: "امضاکننده", En: "signer"}
	byTrust  = fault.Text{Fa: "دارنده یا مرکز صدور", En: "holder or CA centre"}
)

func act(command any, by fault.Text, fa, en string) event.Act {
	return event.Act{Command: command, Name: fault.Text{Fa: fa, En: en}, By: by}
}

// What is done to a serial.
var (
	intends  = act(Intend{}, byCentre, "قصد صدور را ثبت کرد", "record the intent to issue")
	abandons = act(Abandon{}, byCentre, "صدور را رها کرد", "abandon the issuance")
	notes    = act(NoteIssued{}, byCentre, "گواهی امضاشده را ثبت کرد", "record the signed certificate")
	signs    = act(StartSigning{}, bySigner, "امضا را آغاز کرد", "start the signature")
	revokes  = act(Revoke{}, byTrust, "گواهی را باطل کرد", "revoke the certificate")
	suspends = act(Suspend{}, byTrust, "گواهی را معلق کرد", "suspend the certificate")
	lifts    = act(LiftSuspension{}, byTrust, "تعلیق گواهی را برداشت", "lift the suspension")
	seizes   = act(Suspend{}, byCentre, "تعلیق را خود به دست گرفت", "take the suspension over")
	lapses   = act(EndSuspension{}, byCentre, "پس از پایان مهلت تعلیق گواهی را باطل کرد", "revoke it once the suspension's time is over")
	worsens  = act(Revoke{}, byTrust, "افشای کلید خصوصی را نیز اعلام کرد", "also declare the key compromised")
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None):     state("به‌کارنرفته", "not used", intends, abandons),
	string(Intended): state("در آستانهٔ امضا", "about to be signed", abandons, signs),
	string(Signing):  state("در حال امضا", "being signed", abandons, notes),
	string(Valid):    state("معتبر", "valid", suspends, revokes),
	string(OnHold):   state("معلق", "suspended", lifts, revokes, seizes, lapses),
	string(Withdrawn): {
		Name: fault.Text{Fa: "باطل‌شده", En: "revoked"}, Now: []event.Act{worsens},
		Instead: fault.Text{
			Fa: "گواهی باطل‌شده دیگر معتبر نمی‌شود؛ برای گواهی تازه درخواست بگشایید.",
			En: "What is revoked does not become valid again; for a new certificate open a request.",
		},
	},
}

func state(fa, en string, now ...event.Act) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Now: now}
}
