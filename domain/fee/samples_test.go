package fee

import (
	"time"

	"govahi/domain/event"
)

const (
	order                 = "140512345670"
	request event.Stream  = "enrollment-140512345670"
	omid    event.Subject = "p-omid"
)

var (
	noon    = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	later   = noon.Add(time.Hour)
	raised  = Raised{order, request, "cpmis-signature", 1, 3_500_000, noon}
	slip    = Payment{POS, "12345678", "105012345678", "000042", 3_500_000}
	settled = Settled{order, request, slip, omid, "ahvaz", noon}
)

func settling(p Payment) Settle { return Settle{p, omid, "ahvaz", noon} }
