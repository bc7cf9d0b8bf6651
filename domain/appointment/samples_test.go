package appointment

import (
	"time"

	"govahi/domain/event"
)

const (
	sara event.Subject = "p-sara"
	omid event.Subject = "p-omid"
)

var (
	noon  = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	later = noon.Add(time.Hour)
	until = noon.AddDate(1, 0, 0)
)

func appointed(role Role, place string) Appointed {
	return Appointed{role, place, until, "p-admin", noon}
}

func dismissed(role Role, place string) Dismissed { return Dismissed{role, place, "p-admin", noon} }

func fold(events ...event.Event) Appointments {
	var s Appointments
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
}
