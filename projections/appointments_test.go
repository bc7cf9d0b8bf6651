package projections_test

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"govahi/domain/appointment"
	"govahi/queries"
)

func whoWasAppointedToWhat(v *views) {
	officer := func(place string, until, at time.Time) appointment.Appointed {
		return appointment.Appointed{Role: appointment.RegistrationOfficer, Place: place, Until: until, By: "p-admin", At: at}
	}
	year, later := noon.AddDate(1, 0, 0), noon.Add(time.Hour)
	tell(v, appointment.Kind, string(v.sara), officer(v.office, year, noon), officer(v.other, year, noon))
	tell(v, appointment.Kind, string(v.sara), appointment.Appointed{Role: appointment.Auditor, Until: year, By: "p-admin", At: noon})
	tell(v, appointment.Kind, string(v.nima), officer(v.office, year, noon))
	tell(v, appointment.Kind, string(v.nima), officer(v.office, later, later)) // shortened
	tell(v, appointment.Kind, string(v.sara), appointment.Dismissed{Role: appointment.RegistrationOfficer, Place: v.other, By: "p-admin", At: later})
	v.shown()
	post := func(person, place string, until, since time.Time, inForce bool) queries.Appointment {
		return queries.Appointment{
			Person: person, Role: "registration-officer", Place: place, Until: until, InForce: inForce, Since: since, By: "p-admin",
		}
	}
	sara, nima := string(v.sara), string(v.nima)
	for _, c := range []struct {
		at   time.Time
		want bool // nima's post
	}{{later.Add(-1), true}, {later, false}} {
		want := []queries.Appointment{post(nima, v.office, later, later, c.want), post(sara, v.office, year, noon, true)}
		if diff := cmp.Diff(want, ok(v.Appointments(v.Context(), v.office, c.at))(v)); diff != "" {
			v.Errorf("at %v:\n%s", c.at, diff)
		}
	}
	if left := ok(v.Appointments(v.Context(), v.other, noon))(v); len(left) != 0 {
		v.Errorf("who was dismissed is listed: %+v", left)
	}
	if all := ok(v.Appointments(v.Context(), "", noon))(v); len(all) != 3 || all[0].Role != "auditor" || all[0].Place != "" {
		v.Errorf("all: %+v", all)
	}
}
