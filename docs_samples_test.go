package govahi_test

import (
	"fmt"
	"slices"
	"time"

	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/consignment"
	"govahi/domain/contract"
	"govahi/domain/credential"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/inquiry"
	"govahi/domain/issuer"
	"govahi/domain/notification"
	"govahi/domain/payment"
	"govahi/domain/person"
	"govahi/domain/revocation"
	"govahi/domain/token"
)

// The people of the samples.
const (
	applicant event.Subject = "applicant"
	first     event.Subject = "first officer"       // enters, looks, asks
	second    event.Subject = "second officer"      // confirms
	third     event.Subject = "officer of the unit" // approves
)

var (
	noon    = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	request = enrollment.Kind.Stream("140512345670")
)

func machines() []machine {
	return []machine{
		enrollments(), openings(), inquiries(), fees(), payments(), contracts(), tokens(), certificates(), credentials(), consignments(), packings(), issuers(), crls(), revocations(),
		accesses(), notifications(), people(),
	}
}

func enrollments() machine {
	form := func(by event.Subject, entry enrollment.Entry) enrollment.Complete {
		return enrollment.Complete{Person: applicant, EmailChanged: true, By: by, Entry: entry, At: noon}
	}
	seen := enrollment.Record{Revision: 1, Hash: "seen"}
	confirm := func(by event.Subject) enrollment.ConfirmInformation {
		return enrollment.ConfirmInformation{Seen: seen, Present: seen, By: by, Certificate: "c", Signature: "s", At: noon}
	}
	stale := confirm(second)
	stale.Present.Hash = "changed"
	type command = event.Command[enrollment.Enrollment]
	code := func(right bool) func(enrollment.Enrollment) command {
		return func(s enrollment.Enrollment) command {
			return enrollment.ConfirmEmail{Right: right, Round: s.Email.Sent.Round, At: noon}
		}
	}
	look := func(originals ...enrollment.Document) func(enrollment.Enrollment) command {
		return func(s enrollment.Enrollment) command {
			return enrollment.VerifyDocuments{
				Sighted: originals, Letter: &enrollment.Letter{}, Inquiry: fmt.Sprint(s.Form.Version), By: first, At: noon,
			}
		}
	}
	answer := func(matched bool) func(enrollment.Enrollment) command {
		return func(s enrollment.Enrollment) command {
			return enrollment.AnswerIdentity{Inquiry: fmt.Sprint(s.Form.Version), Matched: matched, TrackingCode: "r", At: noon}
		}
	}
	return explored[enrollment.Enrollment]{
		kind: enrollment.Kind, status: enrollment.Kind.Status, key: enrollmentKey,
		about: "A request for a certificate, both channels", order: story(enrollment.Statuses),
		samples: []sample[enrollment.Enrollment]{
			try[enrollment.Enrollment](enrollment.Open{TrackingCode: "1", Channel: enrollment.Outside, By: applicant, At: noon}),
			tryAs[enrollment.Enrollment]("inside", enrollment.Open{TrackingCode: "1", Channel: enrollment.Inside, By: applicant, At: noon}),
			try[enrollment.Enrollment](enrollment.OpenRenewal{
				Open:  enrollment.Open{TrackingCode: "1", Channel: enrollment.Outside, By: applicant, At: noon},
				Basis: enrollment.Rekey, Certificate: "a",
				Former: enrollment.Enrollment{TrackingCode: "0", Status: enrollment.StatusAccepted, Form: enrollment.FormCompleted{Person: applicant}},
			}),
			try[enrollment.Enrollment](form(applicant, enrollment.ByApplicant)),
			{"", func(enrollment.Enrollment) command { return enrollment.SendEmailCode{At: noon} }},
			{"right code", code(true)},
			{"wrong code", code(false)},
			try[enrollment.Enrollment](enrollment.AcceptLiability{By: applicant, At: noon}),
			try[enrollment.Enrollment](enrollment.Submit{Office: "ahvaz", At: noon}),
			try[enrollment.Enrollment](enrollment.SubmitToUnit{Unit: "unit", At: noon}),
			try[enrollment.Enrollment](enrollment.ApproveDossier{Unit: "unit", By: third, At: noon}),
			tryAs[enrollment.Enrollment]("the applicant", enrollment.ApproveDossier{Unit: "unit", By: applicant, At: noon}),
			try[enrollment.Enrollment](enrollment.ReturnDossier{Fields: []string{"email"}, By: third, At: noon}),
			tryAs[enrollment.Enrollment]("to the authority", enrollment.DispatchDossier{Consignment: "1", From: "unit", To: "authority", At: noon}),
			tryAs[enrollment.Enrollment]("to the office", enrollment.DispatchDossier{Consignment: "2", From: "authority", To: "ahvaz", At: noon}),
			tryAs[enrollment.Enrollment]("by the authority", enrollment.ReceiveDossier{Consignment: "1", From: "unit", Place: "authority", At: noon}),
			tryAs[enrollment.Enrollment]("by the office", enrollment.ReceiveDossier{Consignment: "2", From: "authority", Place: "ahvaz", Office: true, At: noon}),
			tryAs[enrollment.Enrollment]("on the first way", enrollment.LoseDossier{Consignment: "1", At: noon}),
			tryAs[enrollment.Enrollment]("on the second way", enrollment.LoseDossier{Consignment: "2", At: noon}),
			{"all originals", look(
				enrollment.BirthCertificate, enrollment.NationalCard, enrollment.LegalPersonCard, enrollment.IntroductionLetter,
			)},
			{"a passport", look(enrollment.Passport)},
			{"matched", answer(true)},
			{"mismatch", answer(false)},
			try[enrollment.Enrollment](enrollment.SettleFee{Order: "1", AmountRial: 1, At: noon}),
			try[enrollment.Enrollment](enrollment.RequireControl{Control: enrollment.ControlAddress, By: first, At: noon}),
			tryAs[enrollment.Enrollment]("unknown", enrollment.RequireControl{Control: "unknown", By: first, At: noon}),
			tryAs[enrollment.Enrollment]("the applicant", enrollment.RequireControl{
				Control: enrollment.ControlAddress, By: applicant, At: noon,
			}),
			tryAs[enrollment.Enrollment]("passed", enrollment.CloseControl{
				Control: enrollment.ControlAddress, Passed: true, By: first, At: noon,
			}),
			tryAs[enrollment.Enrollment]("failed", enrollment.CloseControl{Control: enrollment.ControlAddress, By: first, At: noon}),
			try[enrollment.Enrollment](enrollment.RequestCorrection{By: first, At: noon}),
			tryAs[enrollment.Enrollment]("second officer", confirm(second)),
			tryAs[enrollment.Enrollment]("who looked", confirm(first)),
			tryAs[enrollment.Enrollment]("the applicant", confirm(applicant)),
			tryAs[enrollment.Enrollment]("record changed", stale),
			try[enrollment.Enrollment](enrollment.RequestIssuance{Token: "T", KeyHash: "k", By: second, At: noon}),
			{"", func(s enrollment.Enrollment) command {
				return enrollment.AttemptIssuance{Serial: "a", Previous: s.Attempt.Serial, Handler: "h", At: noon}
			}},
			tryAs[enrollment.Enrollment]("for its key", enrollment.FailIssuance{Code: "key-weak", At: noon}),
			tryAs[enrollment.Enrollment]("for its confirmation", enrollment.FailIssuance{Code: "not-confirmed", Unconfirmed: true, At: noon}),
			try[enrollment.Enrollment](enrollment.NoteIssued{Serial: "a", Fingerprint: "f", At: noon}),
			try[enrollment.Enrollment](enrollment.PersonaliseToken{Token: "T", Fingerprint: "f", By: second, At: noon}),
			try[enrollment.Enrollment](enrollment.PrintSheet{By: second, At: noon}),
			try[enrollment.Enrollment](enrollment.Deliver{IdentityChecked: enrollment.NationalCard, By: second, At: noon}),
			tryAs[enrollment.Enrollment]("at the origin", enrollment.NoteTokenArrived{Place: "authority", At: noon}),
			tryAs[enrollment.Enrollment]("at the unit", enrollment.NoteTokenArrived{Place: "unit", At: noon}),
			tryAs[enrollment.Enrollment]("at the company", enrollment.NoteTokenArrived{Place: "company", At: noon}),
			try[enrollment.Enrollment](enrollment.NoteAccess{UserName: "u", At: noon}),
			try[enrollment.Enrollment](enrollment.Accept{Activated: true, By: applicant, At: noon}),
			tryAs[enrollment.Enrollment]("not activated", enrollment.Accept{By: applicant, At: noon}),
			tryAs[enrollment.Enrollment]("too late", enrollment.Accept{Activated: true, By: applicant, Within: time.Hour, At: noon.Add(2 * time.Hour)}),
			try[enrollment.Enrollment](enrollment.NoteRevoked{Serial: "a", At: noon}),
			tryAs[enrollment.Enrollment]("another serial", enrollment.NoteRevoked{Serial: "b", At: noon}),
			try[enrollment.Enrollment](enrollment.Reject{Reason: enrollment.NotEntitled, By: first, At: noon}),
			try[enrollment.Enrollment](enrollment.Withdraw{By: applicant, At: noon}),
		},
	}
}

func story[T ~string](statuses []T) []string {
	names := make([]string, len(statuses))
	for i, s := range statuses {
		names[i] = string(s)
	}
	return names
}

// enrollmentKey is what decides a request's future; versions and rounds only
// count on. What was proved and checked decides nothing any more once it is
// confirmed to the CA, tries count until the address is proved, and a bag while
// papers travel.
func enrollmentKey(s enrollment.Enrollment) string {
	key := fmt.Sprint(s.Status, s.Channel, s.Attempt.Serial, s.OnToken, s.Copies > 0, s.TokenAt, s.Email.Confirmed, s.Liable == s.Form.Version)
	if s.Status.Over() || s.Serial != "" {
		return key
	}
	if !s.Email.Confirmed {
		key += fmt.Sprint(s.Email.Sent.Round > 0 && s.Email.Sent.FormVersion == s.Form.Version, s.Email.Refused)
	}
	if s.Office == "" {
		key += fmt.Sprint(s.Dossier)
	}
	return key + fmt.Sprint(s.Missing(), s.Inquiry.FormVersion == s.Form.Version, s.Identity.Inquiry != "", len(s.Sighted), s.Controls)
}

func openings() machine {
	const other event.Stream = "enrollment-140598765432"
	return explored[enrollment.Holder]{
		kind: enrollment.Opening, about: "The one open request of a person, organisation and type",
		status: enrollment.Holder.Status, key: func(s enrollment.Holder) string { return string(s) },
		samples: []sample[enrollment.Holder]{
			try[enrollment.Holder](enrollment.TakeOpening{Request: request, At: noon}),
			tryAs[enrollment.Holder]("another request", enrollment.TakeOpening{Request: other, At: noon}),
			try[enrollment.Holder](enrollment.ReleaseOpening{Request: request, At: noon}),
			tryAs[enrollment.Holder]("another request", enrollment.ReleaseOpening{Request: other, At: noon}),
		},
	}
}

func inquiries() machine {
	asked := inquiry.Requested{Inquiry: "1", Request: request, Subject: applicant, Purpose: "p", LegalBasis: "b", By: first, At: noon}
	return explored[inquiry.Inquiry]{
		kind: inquiry.Kind, about: "One question to the civil registry",
		status: func(s inquiry.Inquiry) string { return string(s.Status) },
		key:    func(s inquiry.Inquiry) string { return fmt.Sprint(s.Status, min(s.Attempts, 6)) },
		samples: []sample[inquiry.Inquiry]{
			try[inquiry.Inquiry](inquiry.Request{Requested: asked}),
			try[inquiry.Inquiry](inquiry.Repeat{By: first, At: noon}),
			try[inquiry.Inquiry](inquiry.Defer{Cause: inquiry.Down, At: noon}),
			try[inquiry.Inquiry](inquiry.NoteInconclusive{Code: "c", At: noon}),
			try[inquiry.Inquiry](inquiry.Answer{Finding: inquiry.Matched, TrackingCode: "r", At: noon}),
			tryAs[inquiry.Inquiry]("without a tracking code", inquiry.Answer{Finding: inquiry.Matched, At: noon}),
		},
	}
}

func fees() machine {
	raised := fee.Raised{Order: "1", Request: request, AmountRial: 10, At: noon}
	slip := func(rrn string, amount int64) fee.Settle {
		return fee.Settle{Payment: fee.Payment{Mode: fee.POS, RRN: rrn, AmountRial: amount}, By: first, At: noon}
	}
	online := func(rrn string) fee.Credit {
		return fee.Credit{Payment: fee.Payment{Mode: fee.Gateway, RRN: rrn, Attempt: "a", AmountRial: 10}, At: noon}
	}
	status := func(s fee.Fee) string { return string(s.Status()) }
	return explored[fee.Fee]{
		kind: fee.Kind, about: "The fee of one request", status: status, key: feeKey,
		samples: []sample[fee.Fee]{
			try[fee.Fee](fee.Raise{Raised: raised}),
			try[fee.Fee](fee.StartAttempt{Attempt: "a", Provider: "bank1", At: noon}),
			tryAs[fee.Fee]("another", fee.StartAttempt{Attempt: "b", Provider: "bank1", At: noon}),
			try[fee.Fee](fee.EndAttempt{Attempt: "a", Cause: "declined", At: noon}),
			tryAs[fee.Fee]("a slip", slip("1", 10)),
			tryAs[fee.Fee]("another amount", slip("1", 9)),
			tryAs[fee.Fee]("another slip", slip("2", 10)),
			tryAs[fee.Fee]("by contract", fee.Settle{Payment: fee.Payment{Mode: fee.Contract, Contract: "c", AmountRial: 10}, By: first, At: noon}),
			tryAs[fee.Fee]("from a gateway", online("3")),
			tryAs[fee.Fee]("another from a gateway", online("4")),
			try[fee.Fee](fee.Close{Cause: fee.Rejected, At: noon}),
			try[fee.Fee](fee.RecordRefund{Number: 1, Reference: "h", By: first, At: noon}),
			tryAs[fee.Fee]("by another transfer", fee.RecordRefund{Number: 1, Reference: "i", By: first, At: noon}),
		},
	}
}

func feeKey(s fee.Fee) string {
	known := make([]string, len(s.Refunds))
	for i, r := range s.Refunds {
		known[i] = fmt.Sprint(r.Opened.Payment.RRN, r.Done != nil)
	}
	slices.Sort(known)
	return fmt.Sprint(s.Status(), len(s.Open), s.Settled != nil && s.Settled.Payment.Mode != "", s.Closed != nil, known)
}

func payments() machine {
	asked := payment.Requested{Attempt: "a", Order: "1", Request: request, AmountRial: 10, Separate: true, Until: noon.Add(time.Hour), At: noon}
	atOnce := asked
	atOnce.Separate = false
	status := func(s payment.Payment) string { return string(s.Status) }
	return explored[payment.Payment]{
		kind: payment.Kind, about: "One attempt to pay online", status: status,
		key: func(s payment.Payment) string {
			return fmt.Sprint(s.Status, s.Requested.Separate, min(s.Callbacks, 11), min(s.Looks, 1))
		},
		samples: []sample[payment.Payment]{
			try[payment.Payment](payment.Request{Requested: asked}),
			tryAs[payment.Payment]("at a bank that settles at once", payment.Request{Requested: atOnce}),
			try[payment.Payment](payment.Redirect{Reference: "r", At: noon}),
			try[payment.Payment](payment.NoteCallback{Claim: payment.ClaimsPaid, At: noon}),
			try[payment.Payment](payment.StartVerification{At: noon}),
			tryAs[payment.Payment]("too late", payment.StartVerification{At: noon.Add(time.Hour)}),
			try[payment.Payment](payment.Postpone{Cause: "c", At: noon}),
			try[payment.Payment](payment.NoteVerified{Money: payment.Money{RRN: "1", AmountRial: 10}, At: noon}),
			try[payment.Payment](payment.NoteBankSettled{At: noon}),
			try[payment.Payment](payment.Finish{At: noon}),
			try[payment.Payment](payment.Fail{Cause: "c", At: noon}),
			try[payment.Payment](payment.NoteReversed{Cause: "c", At: noon}),
			try[payment.Payment](payment.Lapse{At: noon.Add(time.Hour)}),
		},
	}
}

func issuers() machine {
	status := func(s issuer.Issuer) string { return string(s.Status) }
	return explored[issuer.Issuer]{
		kind: issuer.Kind, about: "One issuing CA beside others", status: status,
		key: func(s issuer.Issuer) string { return fmt.Sprint(s.Status, s.Proposed.Ending, s.Proposed.By) },
		samples: []sample[issuer.Issuer]{
			try[issuer.Issuer](issuer.Introduce{Name: "CA", At: noon}),
			tryAs[issuer.Issuer]("one proposes its retirement", issuer.End{Ending: issuer.Retirement, Successor: true, By: first, At: noon}),
			tryAs[issuer.Issuer]("another does so", issuer.End{Ending: issuer.Retirement, Successor: true, By: second, At: noon}),
			tryAs[issuer.Issuer]("one declares its key compromised", issuer.End{Ending: issuer.Compromise, By: first, At: noon}),
			tryAs[issuer.Issuer]("another declares so", issuer.End{Ending: issuer.Compromise, By: second, At: noon}),
			tryAs[issuer.Issuer]("without a successor", issuer.End{Ending: issuer.Retirement, By: first, At: noon}),
		},
	}
}

func contracts() machine {
	status := func(s contract.Contract) string { return string(s.Status()) }
	return explored[contract.Contract]{
		kind: contract.Kind, about: "A company's contract for the fees of its people", status: status, key: status,
		samples: []sample[contract.Contract]{
			try[contract.Contract](contract.Conclude{Number: "1", Until: noon.Add(time.Hour), By: first, At: noon}),
			tryAs[contract.Contract]("another", contract.Conclude{Number: "2", Until: noon.Add(time.Hour), By: first, At: noon}),
			try[contract.Contract](contract.End{By: first, At: noon}),
		},
	}
}

func tokens() machine {
	const other event.Stream = "enrollment-140598765432"
	status := func(s token.Token) string { return string(s.Status) }
	term := token.Term{Alarm: time.Hour, End: 2 * time.Hour}
	terms := token.Terms{Receipt: term, Delivery: term, Activation: term}
	return explored[token.Token]{
		kind: token.Kind, about: "One physical security token", status: status, order: story(token.Statuses),
		key: func(s token.Token) string {
			return fmt.Sprint(s.Status, s.Request, s.Holder, s.To, s.PIN.Via, s.PINThere, s.Alarm, s.Certificate, s.Receipt.Place, s.Receipt.SealIntact)
		},
		samples: []sample[token.Token]{
			try[token.Token](token.Receive{Serial: "T", Office: "ahvaz", By: first, At: noon}),
			try[token.Token](token.Reserve{Request: request, Office: "ahvaz", By: first, At: noon}),
			tryAs[token.Token]("another office", token.Reserve{Request: request, Office: "qom", By: first, At: noon}),
			try[token.Token](token.Personalise{Request: request, Certificate: "a", By: first, At: noon}),
			tryAs[token.Token]("another request", token.Personalise{Request: other, Certificate: "a", By: first, At: noon}),
			try[token.Token](token.IssuePIN{Envelope: "E", Via: token.Post, By: first, At: noon}),
			tryAs[token.Token]("another way", token.IssuePIN{Envelope: "E", Via: "messenger", By: first, At: noon}),
			try[token.Token](token.HandOver{From: "ahvaz", To: "authority", Seal: "S", By: first, At: noon}),
			tryAs[token.Token]("another seal", token.HandOver{From: "ahvaz", To: "authority", Seal: "S2", By: first, At: noon}),
			tryAs[token.Token]("the seal is whole", token.Take{Place: "authority", SealIntact: true, By: second, At: noon}),
			tryAs[token.Token]("the seal is broken", token.Take{Place: "authority", By: second, At: noon}),
			try[token.Token](token.Deliver{Request: request, To: applicant, By: first, At: noon}),
			try[token.Token](token.NotePIN{By: applicant, At: noon}),
			try[token.Token](token.Activate{By: applicant, At: noon}),
			tryAs[token.Token]("after the first time", token.Watch{Terms: terms, By: "policy", At: noon.Add(time.Hour)}),
			tryAs[token.Token]("after the last time", token.Watch{Terms: terms, By: "policy", At: noon.Add(3 * time.Hour)}),
			try[token.Token](token.Renew{Former: request, Request: "enrollment-140598765432", Certificate: "a", By: first, At: noon}),
			try[token.Token](token.Recall{Certificate: "a", By: "policy", At: noon}),
			try[token.Token](token.ReportLost{By: "p", At: noon}),
			try[token.Token](token.ReportDefective{By: first, At: noon}),
			try[token.Token](token.Return{Office: "ahvaz", By: first, At: noon}),
			try[token.Token](token.Destroy{Office: "ahvaz", By: first, At: noon}),
		},
	}
}

func consignments() machine {
	two := []string{"1", "2"}
	receive := func(intact bool, found ...string) consignment.Receive {
		return consignment.Receive{Dossiers: found, SealIntact: intact, By: second, At: noon}
	}
	return explored[consignment.Consignment]{
		kind: consignment.Kind, about: "A bag of dossiers", order: story(consignment.Statuses),
		status: func(s consignment.Consignment) string { return string(s.Status) },
		key: func(s consignment.Consignment) string {
			return fmt.Sprint(s.Status, s.Received.Dossiers, s.Received.SealIntact)
		},
		samples: []sample[consignment.Consignment]{
			try[consignment.Consignment](consignment.Dispatch{Number: "1", From: "unit", To: "authority", Dossiers: two, By: first, At: noon}),
			tryAs[consignment.Consignment]("whole", receive(true, "1", "2")),
			tryAs[consignment.Consignment]("one missing", receive(true, "1")),
			tryAs[consignment.Consignment]("of a broken seal", receive(false, "1", "2")),
			tryAs[consignment.Consignment]("the missing one found", consignment.Resolve{Found: []string{"2"}, Cause: consignment.LeftBehind, By: second, At: noon}),
			tryAs[consignment.Consignment]("the missing one lost", consignment.Resolve{Lost: []string{"2"}, Cause: consignment.LostOnTheWay, By: second, At: noon}),
			tryAs[consignment.Consignment]("nothing missing", consignment.Resolve{Cause: consignment.Tampered, By: second, At: noon}),
			try[consignment.Consignment](consignment.CallOff{For: "2", By: first, At: noon}),
		},
	}
}

func packings() machine {
	return explored[consignment.Packed]{
		kind: consignment.Packing, about: "The one consignment of a dossier",
		status: consignment.Packed.Status,
		key:    func(s consignment.Packed) string { return fmt.Sprint(s.Consignment, s.Past) },
		samples: []sample[consignment.Packed]{
			try[consignment.Packed](consignment.TakePacking{Consignment: "1", At: noon}),
			tryAs[consignment.Packed]("another consignment", consignment.TakePacking{Consignment: "2", At: noon}),
			tryAs[consignment.Packed]("instead of one that was called off", consignment.TakePacking{Consignment: "2", Instead: "1", At: noon}),
			try[consignment.Packed](consignment.ReleasePacking{Consignment: "1", At: noon}),
			tryAs[consignment.Packed]("another consignment", consignment.ReleasePacking{Consignment: "2", At: noon}),
		},
	}
}

func credentials() machine {
	const officer, operator event.Subject = "officer", "operator"
	return explored[credential.Credential]{
		kind: credential.Kind, about: "A registration officer's own certificate",
		order:  story([]credential.Status{credential.StatusRequested, credential.StatusApproved, credential.StatusIssued}),
		status: func(s credential.Credential) string { return string(s.Status) },
		key:    func(s credential.Credential) string { return fmt.Sprint(s.Status, s.Attempt.Serial, s.Issued.Serial) },
		samples: []sample[credential.Credential]{
			try[credential.Credential](credential.Request{Number: "1", Person: officer, Office: "ahvaz", At: noon}),
			tryAs[credential.Credential]("approved", credential.Close{Approved: true, By: operator, At: noon}),
			tryAs[credential.Credential]("refused", credential.Close{By: operator, At: noon}),
			tryAs[credential.Credential]("by himself", credential.Close{Approved: true, By: officer, At: noon}),
			try[credential.Credential](credential.Attempt{Serial: "a", Handler: "h", At: noon}),
			try[credential.Credential](credential.NoteIssued{Serial: "a", Fingerprint: "f", At: noon}),
			try[credential.Credential](credential.Fail{Serial: "a", Code: "key-weak", At: noon}),
		},
	}
}

func certificates() machine {
	end := noon.AddDate(1, 0, 0)
	intent := certificate.IssuanceIntended{Serial: "a", TBSHash: "t", NotAfter: end, At: noon}
	revoke := func(r certificate.Reason) certificate.Revoke {
		return certificate.Revoke{Reason: r, By: "ca", At: noon}
	}
	return explored[certificate.Certificate]{
		kind: certificate.Kind, about: "One serial",
		order:  story([]certificate.Status{certificate.Intended, certificate.Signing, certificate.Valid, certificate.OnHold, certificate.Withdrawn}),
		status: func(s certificate.Certificate) string { return string(s.Status) },
		key: func(s certificate.Certificate) string {
			return fmt.Sprint(s.Status, s.Issued.Serial, s.Intent.Serial, s.Reason, s.Hold.By)
		},
		samples: []sample[certificate.Certificate]{
			try[certificate.Certificate](certificate.Intend{Intent: intent}),
			try[certificate.Certificate](certificate.StartSigning{Signer: "s", TBSHash: "t", At: noon}),
			tryAs[certificate.Certificate]("other bytes", certificate.StartSigning{Signer: "s", TBSHash: "x", At: noon}),
			try[certificate.Certificate](certificate.NoteIssued{DER: []byte{0x30}, Fingerprint: "f", Signer: "s", At: noon}),
			try[certificate.Certificate](certificate.Abandon{Serial: "a", Cause: "c", By: "policy", At: noon}),
			try[certificate.Certificate](certificate.Suspend{Until: noon, By: "holder", At: noon}),
			tryAs[certificate.Certificate]("by the CA", certificate.Suspend{Until: noon, By: "ca", Operator: true, At: noon}),
			tryAs[certificate.Certificate]("to another end", certificate.Suspend{Until: end, By: "holder", At: noon}),
			tryAs[certificate.Certificate]("expired", certificate.Suspend{Until: noon, By: "holder", At: end}),
			try[certificate.Certificate](certificate.LiftSuspension{By: "holder", At: noon}),
			tryAs[certificate.Certificate]("expired", certificate.LiftSuspension{By: "holder", At: end}),
			tryAs[certificate.Certificate]("by the CA", certificate.LiftSuspension{By: "ca", Operator: true, At: noon}),
			try[certificate.Certificate](certificate.EndSuspension{By: "policy", At: noon}),
			tryAs[certificate.Certificate]("superseded", revoke(certificate.Superseded)),
			tryAs[certificate.Certificate]("privilegeWithdrawn", revoke(certificate.PrivilegeWithdrawn)),
			tryAs[certificate.Certificate]("keyCompromise", revoke(certificate.KeyCompromise)),
		},
	}
}

func crls() machine {
	type command = event.Command[crl.Series]
	status := func(s crl.Series) string { return string(s.Status()) }
	return explored[crl.Series]{
		kind: crl.Kind, about: "The latest number of an issuer's series of revocation lists", status: status, key: status,
		samples: []sample[crl.Series]{
			{"the next number", func(s crl.Series) command {
				return crl.Intend{Intent: crl.Intended{Number: s.Intent.Number + 1, TBSHash: "t"}}
			}},
			{"a number used before", func(s crl.Series) command {
				return crl.Intend{Intent: crl.Intended{Number: s.Intent.Number, TBSHash: "t"}}
			}},
			{"", func(s crl.Series) command { return crl.StartSigning{Number: s.Intent.Number, TBSHash: "t"} }},
			{"other bytes", func(s crl.Series) command { return crl.StartSigning{Number: s.Intent.Number, TBSHash: "x"} }},
			{"", func(s crl.Series) command { return crl.NoteSigned{Signed: crl.Signed{Number: s.Intent.Number}} }},
		},
	}
}

func revocations() machine {
	status := func(s revocation.Case) string { return string(s.Status) }
	return explored[revocation.Case]{
		kind: revocation.Kind, about: "A case about false information", status: status, key: status,
		samples: []sample[revocation.Case]{
			try[revocation.Case](revocation.Report{Case: "1", Certificate: "a", By: first, At: noon}),
			tryAs[revocation.Case]("of another certificate", revocation.Report{Case: "1", Certificate: "b", By: first, At: noon}),
			try[revocation.Case](revocation.Investigate{By: second, At: noon}),
			tryAs[revocation.Case]("established", revocation.Close{Established: true, By: second, At: noon}),
			tryAs[revocation.Case]("refuted", revocation.Close{By: second, At: noon}),
			tryAs[revocation.Case]("by the reporter", revocation.Close{Established: true, By: first, At: noon}),
		},
	}
}

func accesses() machine {
	user := func(certificate string, level access.Level) access.UserDefined {
		return access.UserDefined{UserName: "u", Level: level, Person: applicant, Certificate: certificate, At: noon}
	}
	define := func(u access.UserDefined) access.Define { return access.Define{User: u, Delivered: true, Valid: true} }
	strangers := user("b", access.Viewer)
	strangers.Person = first
	status := func(s access.Access) string { return string(s.Status()) }
	return explored[access.Access]{
		kind: access.Kind, about: "A user of CPMIS", status: status,
		key: func(s access.Access) string {
			return fmt.Sprint(s.Active, s.User.Pending, s.User.Certificate, s.User.Level)
		},
		samples: []sample[access.Access]{
			try[access.Access](define(user("a", access.Viewer))),
			tryAs[access.Access]("another level", define(user("a", access.Approver))),
			tryAs[access.Access]("another certificate", define(user("b", access.Viewer))),
			tryAs[access.Access]("another person", define(strangers)),
			tryAs[access.Access]("not delivered", access.Define{User: user("a", access.Viewer), Valid: true}),
			tryAs[access.Access]("not valid", access.Define{User: user("a", access.Viewer), Delivered: true}),
			try[access.Access](access.Suspend{Certificate: "a", At: noon}),
			tryAs[access.Access]("inside", access.Define{User: pending(user("a", access.Viewer)), Arrived: true, Valid: true}),
			tryAs[access.Access]("inside, another level", access.Define{User: pending(user("a", access.Approver)), Arrived: true, Valid: true}),
			tryAs[access.Access]("inside, not arrived", access.Define{User: pending(user("a", access.Viewer)), Valid: true}),
			try[access.Access](access.BindCertificate{Certificate: "a", At: noon}),
			try[access.Access](access.Restore{Certificate: "a", At: noon}),
		},
	}
}

func pending(u access.UserDefined) access.UserDefined {
	u.Pending = true
	return u
}

func notifications() machine {
	status := func(s notification.Notification) string {
		switch {
		case s.Over:
			return "over"
		case s.Requested.ID != "":
			return "due"
		}
		return ""
	}
	return explored[notification.Notification]{
		kind: notification.Kind, about: "One message to one person", status: status,
		key: func(s notification.Notification) string { return fmt.Sprint(status(s), s.Attempts, s.Bounced) },
		samples: []sample[notification.Notification]{
			try[notification.Notification](notification.Request{Requested: notification.Requested{ID: "1", At: noon}}),
			try[notification.Notification](notification.NoteSent{At: noon}),
			try[notification.Notification](notification.Attempt{At: noon.Add(time.Hour)}),
			try[notification.Notification](notification.Postpone{Cause: "c", At: noon}),
			try[notification.Notification](notification.NoteBounced{Status: "5.1.1", At: noon}),
			try[notification.Notification](notification.GiveUp{Cause: "c", At: noon}),
		},
	}
}

func people() machine {
	status := func(s person.Person) string { return string(s.Status()) }
	return explored[person.Person]{
		kind: person.Kind, about: "The erasure of a person's data", status: status, key: status,
		samples: []sample[person.Person]{
			try[person.Person](person.OrderErasure{Subject: applicant, LegalBasis: "b", By: first, At: noon}),
			try[person.Person](person.NoteErased{Subject: applicant, At: noon}),
		},
	}
}
