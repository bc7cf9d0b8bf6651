package certificate

import (
	"strings"
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/iran"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"certificate.issuance-intended.v2":  intended(),
		"certificate.signing-started.v1":    started,
		"certificate.issued.v2":             issued(),
		"certificate.issuance-abandoned.v1": abandoned,
		"certificate.suspended.v2":          Suspended{serial, "155e", request, later, "p-operator", noon},
		"certificate.suspension-lifted.v1":  SuspensionLifted{serial, request, "p-operator", later},
		"certificate.revoked.v2":            formally(),
	})
	spec.Golden(t, Blocklist.Catalog, "testdata", map[string]event.Event{"blockedkey.blocked.v1": Blocked{serial, noon}})
	spec.Golden(t, Key.Catalog, "testdata", map[string]event.Event{"key.claimed.v1": KeyClaimed{request, noon}})
	spec.Golden(t, Delegation.Catalog, "testdata", map[string]event.Event{"delegation.attempted.v1": Delegated{serial, noon}})
}

func TestTheIntentReservesTheSerial(t *testing.T) {
	spec.Given(t, Kind).When(Intend{intended()}).Then(intended())
	for name, past := range map[string][]event.Event{
		"intended":  {intended()},
		"signing":   signing(),
		"valid":     valid(),
		"abandoned": {intended(), abandoned, revoked(Superseded)},
		"burnt":     {abandoned, Revoked{Serial: serial, Reason: Superseded, At: noon}},
		"revoked":   withdrawn(KeyCompromise),
	} {
		t.Run(name, func(t *testing.T) { spec.Given(t, Kind, past...).When(Intend{intended()}).ThenFault(ErrSerialTaken) })
	}
}

func TestOneSignerStartsOnce(t *testing.T) {
	start := StartSigning{"signer-1", "7b5", noon}
	spec.Given(t, Kind, intended()).When(start).Then(started)
	spec.Given(t, Kind, signing()...).When(start).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, signing()...).When(StartSigning{"signer-2", "7b5", later}).ThenFault(ErrNotIntended)
}

func TestNothingElseIsSignedThanWasIntended(t *testing.T) {
	start := StartSigning{"signer-1", "7b5", noon}
	spec.Given(t, Kind).When(start).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, intended()).When(StartSigning{"signer-1", "0ther", noon}).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, intended(), abandoned, revoked(Superseded)).When(start).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, valid()...).When(start).ThenFault(ErrNotIntended)
}

func TestTheCertificateExistsWhenItIsRecorded(t *testing.T) {
	note := NoteIssued{[]byte{0x30, 3}, "f1", "signer-1", noon}
	spec.Given(t, Kind, signing()...).When(note).Then(issued())
	spec.Given(t, Kind, intended()).When(note).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, valid()...).When(note).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, append(signing(), abandoned, revoked(Superseded))...).When(note).ThenFault(ErrNotIntended)
}

func TestACertificateAboutNobodyIsInClear(t *testing.T) {
	e := Issued{
		Serial: serial, Issuer: "155e", Profile: "ocsp-responder@1", Fingerprint: "f2", NotBefore: noon, NotAfter: until,
		Public: []byte{0x30, 4}, Signer: "signer-1", At: noon,
	}
	spec.Given(t, Kind, intendedForUs(), started).When(NoteIssued{[]byte{0x30, 4}, "f2", "signer-1", noon}).Then(e)
}

func TestAnUncertainAttemptIsAbandonedAndRevoked(t *testing.T) {
	abandon := Abandon{serial, "155e", "interrupted", "policy:issue", noon}
	gone := revoked(Superseded)
	gone.By = "policy:issue"
	for name, past := range map[string][]event.Event{"intended": {intended()}, "signing": signing()} {
		t.Run(name, func(t *testing.T) {
			spec.Given(t, Kind, past...).When(abandon).Then(abandoned, gone)
			spec.Given(t, Kind, append(past, abandoned, gone)...).When(abandon).ThenNothing()
		})
	}
}

func TestASerialAbandonedBeforeItsIntentIsBurnt(t *testing.T) {
	gone := Revoked{Serial: serial, Reason: Superseded, By: "policy:issue", At: noon, Issuer: "155e"} // whose list it goes on
	spec.Given(t, Kind).When(Abandon{serial, "155e", "interrupted", "policy:issue", noon}).Then(abandoned, gone)
	spec.Given(t, Kind, abandoned, gone).When(Intend{intended()}).ThenFault(ErrSerialTaken)
	spec.Given(t, Kind, abandoned, gone).When(StartSigning{"signer-1", "", noon}).ThenFault(ErrNotIntended)
}

func TestAnIssuedCertificateIsNotAbandoned(t *testing.T) {
	abandon := Abandon{serial, "155e", "interrupted", "policy:issue", noon}
	spec.Given(t, Kind, valid()...).When(abandon).ThenFault(ErrSerialTaken)
	spec.Given(t, Kind, withdrawn(KeyCompromise)...).When(abandon).ThenNothing()
}

func TestRevokeWithdrawsTrustForEveryReason(t *testing.T) {
	for _, reason := range Reasons {
		spec.Given(t, Kind, valid()...).When(revoking(reason)).Then(revoked(reason))
		spec.Given(t, Kind, withdrawn(reason)...).When(revoking(reason)).ThenNothing()
	}
}

func TestARevocationCitesItsCase(t *testing.T) {
	c := Revoke{Reason: PrivilegeWithdrawn, Case: "revocation-140500000015", By: "policy:revoke", At: noon}
	e := revoked(PrivilegeWithdrawn)
	e.Case, e.By = c.Case, c.By
	spec.Given(t, Kind, valid()...).When(c).Then(e)
}

func TestOnlyKeyCompromiseReplacesAnotherReason(t *testing.T) {
	for _, was := range Reasons {
		for _, now := range Reasons {
			story := spec.Given(t, Kind, withdrawn(was)...)
			switch now {
			case was:
				story.When(revoking(now)).ThenNothing()
			case KeyCompromise:
				story.When(revoking(now)).Then(revoked(now))
			default:
				story.When(revoking(now)).ThenFault(ErrAlreadyRevoked)
			}
		}
	}
}

func TestRevokedIsTerminal(t *testing.T) {
	s := fold(append(withdrawn(Superseded), revoked(KeyCompromise)))
	if s.Status != Withdrawn || s.Reason != KeyCompromise {
		t.Errorf("%s, %s", s.Status, s.Reason)
	}
}

func TestAWorseReasonKeepsTheFirstTime(t *testing.T) {
	worse := revoked(KeyCompromise)
	worse.At = later
	for _, was := range Reasons {
		if was == KeyCompromise {
			continue
		}
		compromised := Revoke{Reason: KeyCompromise, By: worse.By, At: later}
		spec.Given(t, Kind, withdrawn(was)...).When(compromised).Then(worse) // the event tells when it was learnt
		s := fold(append(withdrawn(was), worse))
		if s.Reason != KeyCompromise || !s.Since.Equal(noon) {
			t.Errorf("%s: %s since %s", was, s.Reason, s.Since)
		}
	}
	if s := fold(append(valid(), worse)); !s.Since.Equal(later) {
		t.Errorf("the first revocation is since %s", s.Since)
	}
}

func TestAnAbandonedSerialIsRevokedSinceThen(t *testing.T) {
	s := fold(append(signing(), abandoned, revoked(Superseded)))
	if s.Status != Withdrawn || !s.Since.Equal(noon) {
		t.Errorf("%s since %s", s.Status, s.Since)
	}
}

func TestWhatWasNeverIssuedIsNotRevoked(t *testing.T) {
	for name, past := range map[string][]event.Event{
		"unknown":   nil,
		"intended":  {intended()},
		"signing":   signing(),
		"abandoned": {intended(), abandoned, revoked(Superseded)},
		"burnt":     {abandoned, Revoked{Serial: serial, Reason: Superseded, At: noon}},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Given(t, Kind, past...).When(revoking(KeyCompromise)).ThenFault(ErrNotIssued)
			spec.Given(t, Kind, past...).When(revoking(Superseded)).ThenFault(ErrNotIssued)
		})
	}
}

func TestAKeyBelongsToOneRequest(t *testing.T) {
	claim := ClaimKey{request, noon}
	spec.Given(t, Key).When(claim).Then(KeyClaimed(claim))
	spec.Given(t, Key, KeyClaimed(claim)).When(ClaimKey{request, later}).ThenNothing()
	spec.Given(t, Key, KeyClaimed(claim)).When(ClaimKey{"enrollment-140598765432", later}).ThenFault(ErrKeyReused.At("csr"))
}

func TestOfManyProcessesOneTakesTheRespondersSerial(t *testing.T) {
	spec.Given(t, Delegation).When(Delegate{serial, "", noon}).Then(Delegated{serial, noon})
	taken := Delegated{serial, noon}
	spec.Given(t, Delegation, taken).When(Delegate{"c3d4", serial, later}).Then(Delegated{"c3d4", later})
	spec.Given(t, Delegation, taken).When(Delegate{"c3d4", "", later}).ThenFault(ErrSerialTaken)
	spec.Given(t, Delegation, taken, Delegated{"c3d4", later}).When(Delegate{"e5f6", serial, later}).ThenFault(ErrSerialTaken)
}

func TestReasonsAreThoseOfTheStandard(t *testing.T) {
	for reason, code := range map[Reason]int{ // RFC 5280 §5.3.1
		KeyCompromise: 1, AffiliationChanged: 3, Superseded: 4, CessationOfOperation: 5, PrivilegeWithdrawn: 9,
	} {
		if reason.Code() != code || !reason.Known() || reason.Persian() == "" {
			t.Errorf("%s: code %d, known %t, %q", reason, reason.Code(), reason.Known(), reason.Persian())
		}
	}
	for _, reason := range []Reason{"", "certificateHold", "unspecified"} {
		if reason.Known() {
			t.Errorf("%q is known", reason)
		}
	}
}

func TestASuspensionIsLiftedOrBecomesARevocation(t *testing.T) {
	held := Suspended{serial, "155e", request, later, "p-operator", noon}
	suspend, lift := Suspend{Until: later, By: "p-operator", Operator: true, At: noon}, LiftSuspension{"p-operator", true, later}
	onHold := append(valid(), held)
	lifted := SuspensionLifted{serial, request, "p-operator", later}
	spec.Given(t, Kind, valid()...).When(suspend).Then(held)
	spec.Given(t, Kind, onHold...).When(suspend).ThenNothing()
	spec.Given(t, Kind, onHold...).When(lift).Then(lifted)
	spec.Given(t, Kind, append(onHold, lifted)...).When(suspend).Then(held)
	spec.Given(t, Kind, onHold...).When(revoking(KeyCompromise)).Then(revoked(KeyCompromise))
	spec.Given(t, Kind, valid()...).When(lift).ThenFault(ErrNotSuspended)
	spec.Given(t, Kind, signing()...).When(lift).ThenFault(ErrNotIssued)
	spec.Given(t, Kind, signing()...).When(suspend).ThenFault(ErrNotIssued)
	spec.Given(t, Kind, append(signing(), abandoned, revoked(Superseded))...).When(suspend).ThenFault(ErrNotIssued)
	spec.Given(t, Kind, append(signing(), abandoned, revoked(Superseded))...).When(lift).ThenFault(ErrNotIssued)
	spec.Given(t, Kind, withdrawn(Superseded)...).When(suspend).ThenFault(ErrAlreadyRevoked)
	spec.Given(t, Kind, withdrawn(Superseded)...).When(lift).ThenFault(ErrAlreadyRevoked)
}

func TestWhoHeldItLiftsIt(t *testing.T) {
	onHold := func(by string) []event.Event {
		return append(valid(), Suspended{serial, "155e", request, later, by, noon})
	}
	spec.Given(t, Kind, onHold("p-sara")...).When(LiftSuspension{"p-sara", false, later}).Then(SuspensionLifted{serial, request, "p-sara", later})
	spec.Given(t, Kind, onHold("p-operator")...).When(LiftSuspension{"p-sara", false, later}).ThenFault(ErrNotYourSuspension)
	spec.Given(t, Kind, onHold("p-officer")...).When(LiftSuspension{"p-sara", false, later}).ThenFault(ErrNotYourSuspension)
	spec.Given(t, Kind, onHold("p-sara")...).When(LiftSuspension{"p-operator", true, later}).Then(SuspensionLifted{serial, request, "p-operator", later})
}

// TestAnotherEndOfASuspensionIsRefused, and said until when it is held: a longer
// hold that is dropped ends in a revocation that nobody expects.
func TestAnotherEndOfASuspensionIsRefused(t *testing.T) {
	onHold := append(valid(), Suspended{serial, "155e", request, later, "p-sara", noon})
	for by, operator := range map[string]bool{"p-sara": false, "p-officer": false, "p-operator": true} {
		for _, end := range []time.Time{later.Add(-24 * time.Hour), later.Add(24 * time.Hour), later.Add(event.Apart + 1)} {
			ask := Suspend{Until: end, By: by, Operator: operator, At: noon}
			spec.Given(t, Kind, onHold...).When(ask).ThenFault(errHeldUntil(later))
			ask.Open = !operator // who takes it over asks for no end
			spec.Given(t, Kind, onHold...).When(ask).ThenFault(errHeldUntil(later))
		}
	}
	for _, end := range []time.Time{later, later.Add(event.Apart), later.Add(-event.Apart)} {
		spec.Given(t, Kind, onHold...).When(Suspend{Until: end, By: "p-officer", At: noon}).ThenNothing()
	}
	day := iran.FromTime(later).String()
	if f := errHeldUntil(later); !strings.Contains(f.Text.En, day) || !strings.Contains(f.Text.Fa, iran.PersianDigits(day)) {
		t.Errorf("it does not say until when: %v", f.Text)
	}
}

// TestWhatExpiredIsNeitherSuspendedNorGivenBack: its time is over in any case.
func TestWhatExpiredIsNeitherSuspendedNorGivenBack(t *testing.T) {
	onHold := append(valid(), Suspended{serial, "155e", request, until.Add(time.Hour), "p-sara", noon})
	suspend := func(at time.Time) Suspend {
		return Suspend{Until: until.Add(time.Hour), By: "p-operator", Operator: true, At: at}
	}
	spec.Given(t, Kind, valid()...).When(suspend(until)).ThenFault(ErrExpired)
	spec.Given(t, Kind, onHold...).When(suspend(until)).ThenFault(ErrExpired)
	spec.Given(t, Kind, onHold...).When(LiftSuspension{"p-sara", false, until}).ThenFault(ErrExpired)
	spec.Given(t, Kind, valid()...).When(LiftSuspension{"p-sara", false, until}).ThenFault(ErrNotSuspended)
	before := until.Add(-time.Second)
	spec.Given(t, Kind, onHold...).When(LiftSuspension{"p-sara", false, before}).Then(SuspensionLifted{serial, request, "p-sara", before})
}

func TestTheCATakesASuspensionOver(t *testing.T) {
	held := Suspended{serial, "155e", request, later, "p-sara", noon}
	taken := Suspended{serial, "155e", request, later, "p-operator", noon}
	spec.Given(t, Kind, append(valid(), held)...).When(Suspend{Until: until, Open: true, By: "p-operator", Operator: true, At: noon}).Then(taken) // in the same time
	spec.Given(t, Kind, append(valid(), held)...).When(Suspend{Until: later, By: "p-operator", Operator: true, At: noon}).Then(taken)
	spec.Given(t, Kind, append(valid(), held, taken)...).When(Suspend{Until: later, By: "p-sara", At: noon}).ThenNothing()
	spec.Given(t, Kind, append(valid(), held, taken)...).When(LiftSuspension{"p-sara", false, later}).ThenFault(ErrNotYourSuspension)
}

func TestASuspensionThatNobodyLiftedEndsInRevocation(t *testing.T) {
	onHold := append(valid(), Suspended{serial, "155e", request, later, "p-sara", noon})
	end := EndSuspension{"policy:lapse", later}
	gone := Revoked{Serial: serial, Request: request, Reason: CessationOfOperation, By: "policy:lapse", At: later, Issuer: "155e", NotAfter: until, Ground: SuspensionNotLifted, Asker: House}
	spec.Given(t, Kind, onHold...).When(end).Then(gone)
	spec.Given(t, Kind, onHold...).When(EndSuspension{"policy:lapse", later.Add(-time.Second)}).ThenNothing()
	spec.Given(t, Kind, append(onHold, SuspensionLifted{serial, request, "p-sara", noon})...).When(end).ThenNothing()
	spec.Given(t, Kind, append(onHold, gone)...).When(end).ThenNothing()
	spec.Given(t, Kind, valid()...).When(end).ThenNothing()
}

func TestWhoseCertificateItIsStandsAtTheBeginning(t *testing.T) {
	for stored, want := range map[string]string{
		`{"serial":"a1","issuer":"155e","certificate":"x"}`:              "155e",
		`{"serial":"a1","profile":"issuer","at":"2026-11-22T08:30:00Z"}`: "", // as it was when there was one
		`{"issuer":"155e"}`: "155e",
		`{}`:                "",
		``:                  "",
		`{"serial":1}`:      "",
	} {
		if got := IssuerOf([]byte(stored)); got != want {
			t.Errorf("of %s: %q", stored, got)
		}
	}
}
