package revocation

import (
	"time"

	"govahi/domain/event"
)

const (
	reporter event.Subject = "p-reporter"
	operator event.Subject = "p-operator" // of the CA
	number                 = "140500000015"
	serial                 = "a1b2"
)

var (
	noon  = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	later = noon.Add(time.Hour)
)

func reporting() Report {
	return Report{number, serial, "نشانی درست نیست", reporter, noon}
}

func reported() InaccuracyReported {
	return InaccuracyReported{number, serial, event.About(reporter, Statement{"نشانی درست نیست"}), reporter, noon}
}

func closing(established bool) Close { return Close{established, "بررسی شد", operator, later} }

func statement() *event.Personal[Statement] {
	return event.About(operator, Statement{"بررسی شد"})
}

func refuted() InaccuracyRefuted { return InaccuracyRefuted{number, statement(), operator, later} }

func established() InaccuracyEstablished {
	return InaccuracyEstablished{number, serial, statement(), operator, later}
}
