package projections

import (
	_ "embed"

	"govahi/domain/appointment"
	"govahi/domain/event"
)

//go:embed appointments.sql
var appointmentsSQL string

// Appointments is who was appointed to what, for those who appoint. Nobody's
// right is ever read from here.
var Appointments = Projection{
	Name: "appointments", Version: 1, Tables: appointmentsSQL,
	Catalogs: []event.Catalog{appointment.Catalog},
	Apply:    applyAppointment,
}

func applyAppointment(w *Writer, e Event) {
	person := e.Stream.ID()
	switch e := e.Is.(type) {
	case appointment.Appointed:
		w.Exec(`INSERT INTO appointments (person, role, place, until, since, appointed_by) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (person, role, place) DO UPDATE SET until = $4, since = $5, appointed_by = $6`,
			person, e.Role, e.Place, e.Until, e.At, e.By)
	case appointment.Dismissed:
		w.Exec(`DELETE FROM appointments WHERE person = $1 AND role = $2 AND place = $3`, person, e.Role, e.Place)
	}
}
