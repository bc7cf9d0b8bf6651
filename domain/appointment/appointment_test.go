package appointment

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"appointment.appointed.v1": appointed(RegistrationOfficer, "ahvaz"),
		"appointment.dismissed.v1": dismissed(RegistrationOfficer, "ahvaz"),
	})
	spec.Golden(t, Founding.Catalog, "testdata", map[string]event.Event{"founding.begun.v1": Founded{omid, noon}})
}

func TestAppointGivesAPost(t *testing.T) {
	for _, role := range Roles {
		e := appointed(role, map[bool]string{true: "ahvaz"}[role.local()])
		spec.Given(t, Kind).When(Appoint(e)).Then(e)
		spec.Given(t, Kind, e).When(Appoint(e)).ThenNothing()
	}
}

func TestAnAppointmentMayBeProlongedAndShortened(t *testing.T) {
	for _, end := range []time.Time{until.AddDate(1, 0, 0), later.Add(1)} {
		other := appointed(RegistrationOfficer, "ahvaz")
		other.Until = end
		spec.Given(t, Kind, appointed(RegistrationOfficer, "ahvaz")).When(Appoint(other)).Then(other)
		s := fold(appointed(RegistrationOfficer, "ahvaz"), other)
		if !s.Holds(RegistrationOfficer, "ahvaz", end.Add(-1)) || s.Holds(RegistrationOfficer, "ahvaz", end) {
			t.Errorf("the post does not end at %v", end)
		}
	}
}

func TestWhoWasDismissedMayBeAppointedAgain(t *testing.T) {
	e := appointed(RegistrationOfficer, "ahvaz")
	spec.Given(t, Kind, e, dismissed(RegistrationOfficer, "ahvaz")).When(Appoint(e)).Then(e)
}

// TestNobodyIsAppointedForLongerThanAnOfficeIsLicensed: domain §4.1, Art. 14.
func TestNobodyIsAppointedForLongerThanAnOfficeIsLicensed(t *testing.T) {
	e := appointed(Manager, "")
	e.Until = noon.AddDate(3, 0, 0)
	spec.Given(t, Kind).When(Appoint(e)).Then(e)
	e.Until = noon.Add(longest)
	spec.Given(t, Kind).When(Appoint(e)).Then(e)
	for _, end := range []time.Time{noon.Add(longest + 1), noon.AddDate(3, 0, 1), noon.AddDate(4, 0, 0), noon.AddDate(7000, 0, 0)} {
		e.Until = end
		spec.Given(t, Kind).When(Appoint(e)).ThenFault(ErrTerm)
	}
}

func TestAppointmentsThatCannotBe(t *testing.T) {
	spec.Given(t, Kind).When(Appoint(appointed("minister", "ahvaz"))).ThenFault(ErrRole)
	for _, end := range []time.Time{noon, noon.Add(-1), {}} {
		e := appointed(Manager, "")
		e.Until = end
		spec.Given(t, Kind).When(Appoint(e)).ThenFault(ErrUntil)
	}
	for _, role := range []Role{RegistrationOfficer, ResearchOfficer} {
		spec.Given(t, Kind).When(Appoint(appointed(role, ""))).ThenFault(ErrPlace)
	}
	for _, role := range []Role{CAOperator, Manager, Auditor, Administrator} {
		spec.Given(t, Kind).When(Appoint(appointed(role, ""))).Then(appointed(role, ""))
		spec.Given(t, Kind).When(Appoint(appointed(role, "ahvaz"))).ThenFault(ErrNoPlace)
	}
}

func TestADismissalCountsAtOnce(t *testing.T) {
	e := appointed(RegistrationOfficer, "ahvaz")
	spec.Given(t, Kind, e).When(Dismiss(dismissed(RegistrationOfficer, "ahvaz"))).Then(dismissed(RegistrationOfficer, "ahvaz"))
	if fold(e, dismissed(RegistrationOfficer, "ahvaz")).Holds(RegistrationOfficer, "ahvaz", noon) {
		t.Error("a dismissed officer still holds his post")
	}
}

func TestDismissingWhoHoldsNothingIsDone(t *testing.T) {
	gone := Dismiss(dismissed(RegistrationOfficer, "ahvaz"))
	spec.Given(t, Kind).When(gone).ThenNothing()
	spec.Given(t, Kind, appointed(RegistrationOfficer, "tehran")).When(gone).ThenNothing()
	spec.Given(t, Kind, appointed(RegistrationOfficer, "ahvaz"), dismissed(RegistrationOfficer, "ahvaz")).When(gone).ThenNothing()
}

func TestAPostIsHeldAtItsPlaceUntilItsEnd(t *testing.T) {
	s := fold(appointed(RegistrationOfficer, "ahvaz"), appointed(Manager, ""))
	for name, c := range map[string]struct {
		role  Role
		place string
		at    time.Time
		want  bool
	}{
		"there":                  {RegistrationOfficer, "ahvaz", noon, true},
		"elsewhere":              {RegistrationOfficer, "tehran", noon, false},
		"nowhere":                {RegistrationOfficer, "", noon, false},
		"other role":             {ResearchOfficer, "ahvaz", noon, false},
		"in the whole house":     {Manager, "tehran", noon, true},
		"to the end":             {Manager, "", until.Add(-1), true},
		"and not a moment after": {Manager, "", until, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.Holds(c.role, c.place, c.at); got != c.want {
				t.Errorf("holds: %t", got)
			}
		})
	}
}

func TestAStateIsAValue(t *testing.T) {
	before := fold(appointed(Manager, ""))
	Evolve(before, dismissed(Manager, ""))
	if !before.Holds(Manager, "", noon) {
		t.Error("a later event changed an earlier state")
	}
}

func TestAnInstanceIsFoundedOnce(t *testing.T) {
	founded := Founded{omid, noon}
	spec.Given(t, Founding).When(Found{omid, false, noon}).Then(founded)
	spec.Given(t, Founding, founded).When(Found{omid, false, later}).ThenNothing()
	spec.Given(t, Founding, founded).When(Found{sara, false, later}).ThenFault(ErrFounded)
}

func TestAnInstanceWithoutAnAdministratorIsFoundedAgain(t *testing.T) {
	for _, person := range []event.Subject{omid, sara} {
		spec.Given(t, Founding, Founded{omid, noon}).When(Found{person, true, later}).Then(Founded{person, later})
	}
	spec.Given(t, Founding, Founded{omid, noon}, Founded{sara, later}).When(Found{omid, false, later}).ThenFault(ErrFounded)
}
