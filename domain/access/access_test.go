package access

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"access.user-defined.v2":      user("a1"),
		"access.certificate-bound.v1": CertificateBound{"sara.azmouni", "a1", noon},
		"access.suspended.v1":         suspended("a1"),
		"access.restored.v1":          restored("a1"),
	})
	spec.Golden(t, Binding.Catalog, "testdata", map[string]event.Event{"binding.bound.v1": Bound{"sara.azmouni", noon}})
}

func TestAUserIsDefinedAfterDelivery(t *testing.T) { // invariant 4
	spec.Given(t, Kind).When(defining(user("a1"))).Then(user("a1"))
	spec.Given(t, Kind).When(Define{User: user("a1"), Valid: true}).ThenFault(ErrNotDelivered)
}

func TestNoAccessWithoutAValidCertificate(t *testing.T) { // invariant 8
	spec.Given(t, Kind).When(Define{User: user("a1"), Delivered: true}).ThenFault(ErrNotValid)
}

func TestDefiningTwiceIsDoneOnce(t *testing.T) {
	spec.Given(t, Kind, user("a1")).When(defining(user("a1"))).ThenNothing()
}

func TestTheLevelMayChange(t *testing.T) {
	raised := user("a1")
	raised.Level = Approver
	spec.Given(t, Kind, user("a1")).When(defining(raised)).Then(raised)
}

func TestAUserHasOneActiveCertificate(t *testing.T) { // invariant 3
	spec.Given(t, Kind, user("a1")).When(defining(user("b2"))).ThenFault(ErrTaken)
	spec.Given(t, Kind, user("a1"), suspended("a1")).When(defining(user("b2"))).Then(user("b2"))
}

func TestAUserNameIsFreeForItsPersonOnceTheCertificateIsOver(t *testing.T) {
	define := defining(user("b2"))
	define.Over = "a1"
	pending := user("a1")
	pending.Pending = true
	spec.Given(t, Kind, user("a1")).When(define).Then(user("b2"))
	spec.Given(t, Kind, pending).When(define).Then(user("b2"))
	spec.Given(t, Kind, user("a1"), suspended("a1"), user("c3")).When(define).ThenFault(ErrTaken) // he has another by now
	define.User.Person = omid
	spec.Given(t, Kind, user("a1")).When(define).ThenFault(ErrTaken)
}

func TestAUserNameBelongsToOnePerson(t *testing.T) {
	his := user("b2")
	his.Person = omid
	spec.Given(t, Kind, user("a1")).When(defining(his)).ThenFault(ErrTaken)
	spec.Given(t, Kind, user("a1"), suspended("a1")).When(defining(his)).ThenFault(ErrTaken)
}

func TestAccessEndsWithItsCertificate(t *testing.T) {
	spec.Given(t, Kind, user("a1")).When(suspending("a1")).Then(suspended("a1"))
	spec.Given(t, Kind, user("a1"), suspended("a1")).When(suspending("a1")).ThenNothing()
	spec.Given(t, Kind).When(suspending("a1")).ThenNothing()
}

func TestAccessComesBackWithItsCertificate(t *testing.T) {
	restore := Restore{"a1", "certificate-a1", noon}
	spec.Given(t, Kind, user("a1"), suspended("a1")).When(restore).Then(restored("a1"))
	spec.Given(t, Kind, user("a1"), suspended("a1"), restored("a1")).When(restore).ThenNothing()
	spec.Given(t, Kind, user("a1"), suspended("a1"), restored("a1")).When(suspending("a1")).Then(suspended("a1"))
	spec.Given(t, Kind, user("a1"), suspended("a1"), user("b2"), suspended("b2")).When(restore).ThenNothing()
	spec.Given(t, Kind).When(restore).ThenNothing()
}

func TestAnotherCertificatesEndChangesNothing(t *testing.T) {
	renewed := []event.Event{user("a1"), suspended("a1"), user("b2")}
	spec.Given(t, Kind, renewed...).When(suspending("a1")).ThenNothing()
	spec.Given(t, Kind, renewed...).When(suspending("b2")).Then(suspended("b2"))
}

func TestACertificateHasOneUser(t *testing.T) {
	bind, bound := Bind{UserName: "sara.azmouni", At: noon}, Bound{"sara.azmouni", noon}
	spec.Given(t, Binding).When(bind).Then(bound)
	spec.Given(t, Binding, bound).When(bind).ThenNothing()
	spec.Given(t, Binding, bound).When(Bind{UserName: "sara", At: noon}).ThenFault(ErrBound)
	spec.Given(t, Binding, bound).When(Bind{UserName: "sara", Instead: "another", At: noon}).ThenFault(ErrBound)
	spec.Given(t, Binding, bound).When(Bind{UserName: "sara", Instead: "sara.azmouni", At: noon}).Then(Bound{"sara", noon})
}

func TestInsideTheUserWaitsForTheAcceptance(t *testing.T) { // invariant 4
	inside := user("a1")
	inside.Pending = true
	define := Define{User: inside, Arrived: true, Valid: true}
	bound := CertificateBound{"sara.azmouni", "a1", noon}
	spec.Given(t, Kind).When(Define{User: inside, Delivered: true, Valid: true}).ThenFault(ErrNotArrived)
	spec.Given(t, Kind).When(define).Then(inside)
	spec.Given(t, Kind, inside).When(define).ThenNothing()
	spec.Given(t, Kind, inside).When(BindCertificate{"a1", noon}).Then(bound)
	spec.Given(t, Kind, inside).When(BindCertificate{"b2", noon}).ThenNothing()
	spec.Given(t, Kind, inside, bound).When(BindCertificate{"a1", noon}).ThenNothing()
	spec.Given(t, Kind, user("a1")).When(BindCertificate{"a1", noon}).ThenNothing()
	spec.Given(t, Kind, inside).When(suspending("a1")).Then(suspended("a1"))
	onHold := []event.Event{inside, suspended("a1"), bound} // accepted while it was on hold
	if s := fold(onHold); s.Active {
		t.Error("bound while its certificate is not valid, the user is active")
	}
	if s := fold(append(onHold, restored("a1"))); !s.Active {
		t.Error("restored, the user is not active")
	}
	if s := fold([]event.Event{inside, suspended("a1"), restored("a1")}); s.Active || s.Status() != StatusPending {
		t.Errorf("restored before the acceptance, the user is %s", s.Status())
	}
	raised := inside
	raised.Level, raised.Pending = Approver, true
	after := raised
	after.Pending = false
	spec.Given(t, Kind, inside, bound).When(Define{User: raised, Valid: true}).Then(after) // only the level is another
	other := inside
	other.Certificate = "b2"
	spec.Given(t, Kind, inside).When(Define{User: other, Arrived: true, Valid: true}).ThenFault(ErrTaken)
}

func fold(events []event.Event) (s Access) {
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
}

// TestTheUserPassesToTheRenewedCertificate: of the same person, and of no other
// certificate than the one that it follows.
func TestTheUserPassesToTheRenewedCertificate(t *testing.T) {
	next := defining(user("b2"))
	next.Replaces = "a1"
	spec.Given(t, Kind, user("a1")).When(next).Then(user("b2"))
	spec.Given(t, Kind, user("c3")).When(next).ThenFault(ErrTaken)
	his := next
	his.User.Person = omid
	spec.Given(t, Kind, user("a1")).When(his).ThenFault(ErrTaken)

	inside := user("b2")
	inside.Pending = true
	spec.Given(t, Kind, user("a1")).When(Define{User: inside, Replaces: "a1", Arrived: true, Valid: true}).Then(inside)
}
