package http

import (
	"context"

	"govahi/adapters/pki"
	"govahi/adapters/signer"
	"govahi/adapters/web"
	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
	"govahi/domain/issuer"
	"govahi/domain/profile"
	"govahi/queries"
)

// returned are the refusals after which the CA gives a request back, whose words
// say it to whoever reads of it later, too.
var returned = []*fault.Fault{
	pki.ErrCSRMalformed, pki.ErrCSRSignature, pki.ErrCSRDigest, pki.ErrCSRLong,
	pki.ErrKeyType, pki.ErrKeyWeak, pki.ErrKeyExponent, pki.ErrKeyBroken, pki.ErrKeyMalformed, pki.ErrKeyOurs, pki.ErrKeyKind, pki.ErrLint,
	signer.ErrMalformed, signer.ErrDigest, signer.ErrStream, signer.ErrTBS, signer.ErrIssuer, signer.ErrSerial, signer.ErrValidity,
	signer.ErrProfile, signer.ErrProfileDiffers, signer.ErrKey, signer.ErrNotConfirmed, signer.ErrNotAttempted,
	commands.ErrConfirmationVoid, commands.ErrUnderDoubt, issuer.ErrEnded,
	certificate.ErrNotIssued, certificate.ErrSerialTaken, certificate.ErrNotIntended, certificate.ErrAlreadyRevoked, certificate.ErrOnHold,
	certificate.ErrExpired, certificate.ErrOfficers, enrollment.ErrOwnRequest, enrollment.ErrFourEyes,
}

// returnedWords are those of refusals that speak to somebody else elsewhere.
var returnedWords = map[string]fault.Text{
	commands.ErrNotOfficers.Code: {
		Fa: "گواهی مأموری که پرونده را تأیید کرد از آن او نیست یا دیگر در دست نیست؛ مأمور دیگری باید آن را تأیید کند.",
		En: "The certificate of the officer who confirmed is not his, or is not at hand any more; another officer must confirm the record.",
	},
	enrollment.WrongStateCode: {
		Fa: "پرونده هنگام تأیید در وضعیت دیگری بود؛ مأمور دیگری باید آن را تأیید کند.",
		En: "The record was in another state when it was confirmed; another officer must confirm it.",
	},
	enrollment.ErrStaleRecord.Code: {
		Fa: "پرونده پس از آنچه مأمور دید تغییر کرده است؛ مأمور دیگری باید آن را ببیند و تأیید کند.",
		En: "The record has changed since the officer saw it; another officer must review and confirm it.",
	},
	enrollment.ErrUnsigned.Code: {
		Fa: "تأیید پرونده امضا ندارد؛ مأمور دیگری باید آن را تأیید و با توکن خود امضا کند.",
		En: "The confirmation is not signed; another officer must confirm the record and sign it with his own token.",
	},
	event.ErrErased.Code: {
		Fa: "داده‌های متقاضی به درخواست خود او حذف شده است و گواهی صادر نمی‌شود؛ درخواست را رد کنید.",
		En: "The applicant's data were erased as he asked, and no certificate is issued; reject the request.",
	},
	fee.ErrNotRaised.Code: {
		Fa: "هزینهٔ این درخواست تعیین یا پرداخت نشده است؛ نخست پرداخت را ثبت کنید.",
		En: "The fee of this request is not raised or not paid; record the payment first.",
	},
	profile.ErrProduct.Code: {
		Fa: "این نوع گواهی دیگر ارائه نمی‌شود؛ نمایهٔ آن را بازگردانید، یا درخواست را رد کنید.",
		En: "This type of certificate is not offered any more; bring its profile back, or reject the request.",
	},
}

// whyReturned puts a failure into words. A code of a later version stands for
// itself.
func whyReturned(code string) queries.Words {
	if t, ok := returnedWords[code]; ok {
		return queries.Words(t)
	}
	for _, f := range returned {
		if f.Code == code {
			return queries.Words(f.Text)
		}
	}
	return queries.Words{Fa: code, En: code}
}

// queue is the CA's, in words.
func (h House) queue(ctx context.Context) ([]queries.Issuance, error) {
	list, err := h.Queries.Issuances(ctx)
	for i, r := range list {
		list[i].StateName = stateLabel(r.State)
		list[i].Why = inWords(r.Failure)
	}
	return list, err
}

// returnCard is what the CA gave back and has not issued since, those that wait
// longest first.
func returnCard(queue []queries.Issuance) (list []web.Return) {
	const first = 10
	for _, r := range queue {
		if r.Why != nil && len(list) < first {
			list = append(list, web.Return{TrackingCode: r.TrackingCode, Office: value(r.Office), State: r.StateName, Since: r.Since, Why: r.Why.Fa, Code: *r.Failure})
		}
	}
	return list
}
