package credential

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

const (
	nima     event.Subject = "p-nima" // the officer
	operator event.Subject = "p-operator"
)

var (
	noon      = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	asked     = Requested{"050000000018", nima, "ahvaz", "4e7", event.About(nima, nimas), noon}
	vouched   = Approved{operator, noon}
	attempted = Attempted{"67a1", "h", noon}
	issued    = Issued{"67a1", "f1", noon}

	nimas = Particulars{"نیما", "نمونه", "Nima", "Nemune", "9992006064", "nima@example.ir", []byte{0x30}}
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"credential.requested.v1": asked,
		"credential.approved.v1":  vouched,
		"credential.refused.v1":   Refused{operator, noon},
		"credential.attempted.v1": attempted,
		"credential.failed.v1":    Failed{"key-weak", noon},
		"credential.issued.v1":    issued,
	})
}

func TestACredentialIsRequestedOnce(t *testing.T) {
	ask := Request{"050000000018", "ahvaz", "4e7", nima, nimas, noon}
	spec.Given(t, Kind).When(ask).Then(asked)
	spec.Given(t, Kind, asked).When(ask).ThenNothing()
}

func TestNobodyVouchesForHimself(t *testing.T) {
	spec.Given(t, Kind, asked).When(Close{true, nima, noon}).ThenFault(ErrOwn)
	spec.Given(t, Kind).When(Close{true, operator, noon}).ThenFault(ErrNotFound)
	spec.Given(t, Kind, asked).When(Close{true, operator, noon}).Then(vouched)
	spec.Given(t, Kind, asked).When(Close{false, operator, noon}).Then(Refused{operator, noon})
	spec.Given(t, Kind, asked, vouched).When(Close{true, operator, noon}).ThenNothing()
	spec.Given(t, Kind, asked, vouched).When(Close{false, operator, noon}).ThenFault(ErrDecided)
	spec.Given(t, Kind, asked, Refused{operator, noon}).When(Close{true, operator, noon}).ThenFault(ErrDecided)
	spec.Given(t, Kind, asked, Refused{operator, noon}).When(Close{false, operator, noon}).ThenNothing()
}

func TestOfManyHandlersOneGoesOn(t *testing.T) {
	spec.Given(t, Kind, asked).When(Attempt{"67a1", "", "h", noon}).ThenFault(ErrAttemptTaken)
	spec.Given(t, Kind, asked, vouched).When(Attempt{"67a1", "", "h", noon}).Then(attempted)
	spec.Given(t, Kind, asked, vouched, attempted).When(Attempt{"67a2", "", "h", noon}).ThenFault(ErrAttemptTaken)
	spec.Given(t, Kind, asked, vouched, attempted).When(Attempt{"67a2", "67a1", "h", noon}).Then(Attempted{"67a2", "h", noon})
}

func TestItIsIssuedOrFails(t *testing.T) {
	past := []event.Event{asked, vouched, attempted}
	spec.Given(t, Kind, past...).When(NoteIssued{"67a1", "f1", noon}).Then(issued)
	spec.Given(t, Kind, past...).When(NoteIssued{"67a2", "f1", noon}).ThenFault(ErrAttemptTaken)
	spec.Given(t, Kind, append(past, issued)...).When(NoteIssued{"67a1", "f1", noon}).ThenNothing()
	spec.Given(t, Kind, past...).When(Fail{"67a1", "key-weak", noon}).Then(Failed{"key-weak", noon})
	spec.Given(t, Kind, past...).When(Fail{"67a0", "key-weak", noon}).ThenNothing()
	spec.Given(t, Kind, append(past, issued)...).When(Fail{"67a1", "key-weak", noon}).ThenNothing()
}
