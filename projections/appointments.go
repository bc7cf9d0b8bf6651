package projections

import (
	_ "embed"
	"time"

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

var appointments = NewTable[appointmentRow]("appointments", "")

type appointmentRow struct {
	Person      string `row:"key"`
	Role        string `row:"key"`
	Place       string `row:"key"`
	Until       time.Time
	Since       time.Time
	AppointedBy string
}

func applyAppointment(w *Writer, e Event) {
	person := e.Stream.ID()
	switch e := e.Is.(type) {
	case appointment.Appointed:
		appointments.Put(w, appointmentRow{
			Person: person, Role: string(e.Role), Place: e.Place, Until: e.Until, Since: e.At, AppointedBy: e.By,
		})
	case appointment.Dismissed:
		appointments.Delete(w, person, string(e.Role), e.Place)
	}
}
