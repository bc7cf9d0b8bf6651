package enrollment

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"enrollment.opened.v1":                begun,
		"enrollment.renewal-opened.v1":        followed(Rekey),
		"enrollment.form-completed.v2":        counterForm(2),
		"enrollment.email-code-sent.v1":       codeSent(1, 2),
		"enrollment.email-code-refused.v1":    EmailCodeRefused{2, noon},
		"enrollment.email-confirmed.v1":       EmailConfirmed{1, noon},
		"enrollment.liability-accepted.v1":    liable(1),
		"enrollment.submitted.v1":             submitted,
		"enrollment.document-sighted.v1":      sighted(IntroductionLetter, omid),
		"enrollment.identity-inquired.v1":     inquired(1, omid),
		"enrollment.identity-answered.v1":     answered(1, true),
		"enrollment.fee-settled.v2":           paid,
		"enrollment.control-required.v1":      required,
		"enrollment.control-closed.v1":        passed,
		"enrollment.correction-requested.v1":  correction,
		"enrollment.rejected.v1":              rejected,
		"enrollment.withdrawn.v1":             withdrawn,
		"enrollment.information-confirmed.v2": confirmed,
		"enrollment.issuance-requested.v1":    atCA,
		"enrollment.issuance-attempted.v1":    attempted,
		"enrollment.issuance-failed.v2":       IssuanceFailed{"key-weak", true, noon},
		"enrollment.issued.v1":                issued,
		"enrollment.token-personalised.v1":    onToken,
		"enrollment.sheet-printed.v1":         printed,
		"enrollment.delivered.v2":             withAttorney,
		"enrollment.submitted-to-unit.v1":     toUnit,
		"enrollment.dossier-approved.v1":      approved,
		"enrollment.dossier-returned.v1":      returned,
		"enrollment.dossier-dispatched.v1":    dispatched("bag-1", "unit-rt", "authority"),
		"enrollment.dossier-received.v1":      DossierReceived{"bag-2", "authority", "ahvaz", true, noon},
		"enrollment.dossier-lost.v1":          DossierLost{"bag-1", noon},
		"enrollment.token-arrived.v1":         TokenArrived{"authority", noon},
		"enrollment.access-noted.v1":          AccessNoted{"sara.nemune", noon},
		"enrollment.accepted.v1":              accepted,
		"enrollment.revoked.v1":               revoked,
	})
	spec.Golden(t, Opening.Catalog, "testdata", map[string]event.Event{
		"opening.taken.v1":    taken,
		"opening.released.v1": OpeningReleased(taken),
	})
}
