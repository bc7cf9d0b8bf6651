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
	return Report{Case: number, Certificate: serial, Source: Reported, Text: "نشانی درست نیست", About: reporter, By: reporter, At: noon}
}

func reported() Opened {
	return Opened{number, serial, Reported, nil, event.About(reporter, Statement{"نشانی درست نیست"}), reporter, noon}
}

var bounce = Evidence{Message: "7d0e", Status: "5.1.1"}

// bouncing is a doubt of the house.
func bouncing() Report {
	return Report{Case: "140500000022", Certificate: serial, Source: Bounced, Cites: bounce, At: later}
}

func added() EvidenceAdded { return EvidenceAdded{number, Bounced, &bounce, nil, "", later} }

var investigated = InvestigationOpened{number, operator, later}

func closing(established bool) Close {
	return Close{Established: established, Text: "بررسی شد", By: operator, At: later}
}

func statement() *event.Personal[Statement] {
	return event.About(operator, Statement{"بررسی شد"})
}

func refuted() InaccuracyRefuted { return InaccuracyRefuted{number, statement(), operator, later} }

func established() InaccuracyEstablished {
	return InaccuracyEstablished{number, serial, FalseInformation, statement(), operator, later}
}
