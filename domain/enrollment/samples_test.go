package enrollment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// The people of the stories.
const (
	sara   event.Subject = "p-sara"   // applies
	parisa event.Subject = "p-parisa" // enters forms at the counter
	omid   event.Subject = "p-omid"   // looks at the originals
	nima   event.Subject = "p-nima"   // the second officer
)

var (
	noon       = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	later      = noon.Add(time.Hour)
	wrongState = fault.New(fault.Conflict, "wrong-state", "", "")
	letter     = &Letter{Number: "1405/77", Date: "1405/08/20"}
	vetted     = Record{Revision: 12, Hash: "5eed"}
)

func personal() Form {
	return Form{
		GivenName: "سارا", Surname: "آزمونی", LatinGivenName: "Sara", LatinSurname: "Azmouni",
		PersonCode: "9991000038", BirthDate: "1360/01/01", Mobile: "09120000000", Email: "sara@example.com",
		Address: "خیابان نمونه ۱", PostalCode: "1619735744", Province: "تهران", City: "تهران",
		OrganizationName: "شرکت نمونه", Organization: "10999001013", Post: "مدیر پروژه",
	}
}

// form is a form entered by the applicant herself.
func form(version int) FormCompleted {
	return FormCompleted{
		Version: version, Person: sara, Organization: "10999001013", Province: "تهران",
		EnteredBy: sara, Entry: ByApplicant, Form: event.About(sara, personal()), At: noon,
	}
}

func counterForm(version int) FormCompleted {
	f := form(version)
	f.EnteredBy, f.Entry, f.Office = parisa, AtCounter, "ahvaz"
	return f
}

func foreignForm(version int) FormCompleted {
	f := form(version)
	f.Foreign = true
	return f
}

func withNewEmail(f FormCompleted) FormCompleted {
	f.EmailChanged = true
	return f
}

// completing is the command that leads to form().
func completing() Complete {
	return Complete{Person: sara, Form: personal(), By: sara, Entry: ByApplicant, At: noon}
}

func codeSent(formVersion, round int) EmailCodeSent {
	return EmailCodeSent{formVersion, round, noon.Add(10 * time.Minute)}
}

func liable(version int) LiabilityAccepted {
	return LiabilityAccepted{version, "1405-1", "70e7", sara, false, noon}
}

func liableAtCounter(by event.Subject) LiabilityAccepted {
	return LiabilityAccepted{1, "1405-1", "70e7", by, true, noon}
}

func openedAtCounter(by event.Subject) Opened {
	return Opened{"140512345670", Outside, "cpmis-signature", by, "ahvaz", noon}
}

func sighted(d Document, by event.Subject) DocumentSighted {
	seen := DocumentSighted{Document: d, By: by, At: noon}
	if d == IntroductionLetter {
		seen.Letter = letter
	}
	return seen
}

func inquired(version int, by event.Subject) IdentityInquired {
	return IdentityInquired{inquiryOf(version), version, by, noon}
}

func answered(version int, matched bool) IdentityAnswered {
	return IdentityAnswered{inquiryOf(version), version, matched, "registry-1", "p-omid", noon}
}

func inquiryOf(version int) string { return "140512345670-" + string(rune('0'+version)) }

var (
	begun       = Opened{"140512345670", Outside, "cpmis-signature", sara, "", noon}
	proved      = []event.Event{codeSent(1, 1), EmailConfirmed{1, noon}, liable(1)}
	submitted   = Submitted{"ahvaz", 1, noon}
	paid        = FeeSettled{"140512345670", 1, 3_500_000, noon}
	correction  = CorrectionRequested{[]string{"email", "surname"}, omid, noon}
	confirmed   = InformationConfirmed{vetted.Revision, vetted.Hash, "0ff1", "c2ln", nima, "ahvaz", noon}
	atCA        = IssuanceRequested{"T-1", "4e7", event.About(sara, SigningInfo{[]byte{0x30}}), nima, "ahvaz", noon}
	attempted   = IssuanceAttempted{"a1", "handler-1", noon}
	issued      = Issued{"a1", "f1", noon}
	onToken     = TokenPersonalised{"T-1", nima, noon}
	printed     = SheetPrinted{1, nima, noon}
	delivered   = Delivered{NationalCard, nil, omid, noon}
	accepted    = Accepted{sara, noon}
	rejected    = Rejected{DocumentsMissing, omid, noon}
	withdrawn   = Withdrawn{sara, noon}
	revoked     = Revoked{"a1", noon}
	required    = ControlRequired{ControlAddress, omid, noon}
	passed      = ControlClosed{ControlAddress, true, omid, noon}
	failed      = ControlClosed{ControlAddress, false, omid, noon}
	begunInside = Opened{begun.TrackingCode, Inside, begun.CertificateType, begun.OpenedBy, "", noon}
	toUnit      = SubmittedToUnit{"unit-rt", 1, noon}
	approved    = DossierApproved{"unit-rt", 1, parisa, noon}
	returned    = DossierReturned{[]string{"email"}, parisa, noon}
	allSighted  = []event.Event{sighted(BirthCertificate, omid), sighted(NationalCard, omid), sighted(LegalPersonCard, omid), sighted(IntroductionLetter, omid)}
	allControls = and(allSighted, inquired(1, omid), answered(1, true), paid)
	mended      = and([]event.Event{correction, form(2), liable(2)}, and(allSighted, inquired(2, omid), answered(2, true))...)
)

// and continues a past without touching it.
func and(past []event.Event, more ...event.Event) []event.Event {
	return append(past[:len(past):len(past)], more...)
}

// past is what happened to a sample request until it came to a state.
func past(s Status) []event.Event {
	switch s {
	case StatusDraft:
		return []event.Event{begun}
	case StatusCompleted:
		return and(past(StatusDraft), form(1))
	case StatusReady:
		return and(past(StatusCompleted), proved...)
	case StatusAtOffice:
		return and(past(StatusReady), submitted)
	case StatusUnderControl:
		return and(past(StatusAtOffice), sighted(NationalCard, omid), inquired(1, omid))
	case StatusNeedsCorrection:
		return and(past(StatusUnderControl), correction)
	case StatusControlled:
		return and(past(StatusAtOffice), allControls...)
	case StatusConfirmed:
		return and(past(StatusControlled), confirmed)
	case StatusAtCA:
		return and(past(StatusConfirmed), atCA)
	case StatusIssued:
		return and(past(StatusAtCA), attempted, issued)
	case StatusReadyForDelivery:
		return and(past(StatusIssued), onToken, printed)
	case StatusDelivered:
		return and(past(StatusReadyForDelivery), delivered)
	case StatusAccepted:
		return and(past(StatusDelivered), accepted)
	case StatusRejected:
		return and(past(StatusUnderControl), rejected)
	case StatusWithdrawn:
		return and(past(StatusCompleted), withdrawn)
	case StatusRevoked:
		return and(past(StatusIssued), revoked)
	}
	return insidePast(s)
}

// insidePast is the same for the states of channel B.
func insidePast(s Status) []event.Event {
	switch s {
	case StatusAtResearchUnit:
		return and([]event.Event{begunInside, form(1)}, and(proved, and([]event.Event{toUnit}, allSighted...)...)...)
	case StatusApproved:
		return and(past(StatusAtResearchUnit), approved)
	case StatusInTransit:
		return and(past(StatusApproved), dispatched("bag-1", "unit-rt", "authority"))
	case StatusAtAuthority:
		return and(past(StatusInTransit), DossierReceived{"bag-1", "unit-rt", "authority", false, noon})
	case StatusReadyForDispatch:
		return and(past(StatusAtAuthority), dispatched("bag-2", "authority", "ahvaz"), DossierReceived{"bag-2", "authority", "ahvaz", true, noon},
			inquired(1, omid), answered(1, true), paid, confirmed, atCA, attempted, issued, onToken, printed)
	case StatusAtOrigin:
		return and(past(StatusReadyForDispatch), TokenArrived{"authority", noon})
	case StatusBackAtUnit:
		return and(past(StatusAtOrigin), TokenArrived{"unit-rt", noon})
	case StatusAccessDefined:
		return and(past(StatusBackAtUnit), AccessNoted{"sara.nemune", noon})
	case StatusAtCompanyUnit:
		return and(past(StatusAccessDefined), TokenArrived{"company", noon})
	}
	return nil
}

func dispatched(bag, from, to string) DossierDispatched {
	return DossierDispatched{bag, from, to, noon}
}

func fold(events ...event.Event) Enrollment {
	var s Enrollment
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
}

func same[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("- expected, + got:\n%s", diff)
	}
}
