package fee

import (
	"time"

	"govahi/domain/event"
)

const (
	attempt               = "0123456789abcdef0123456789abcdef"
	order                 = "140512345670"
	request event.Stream  = "enrollment-140512345670"
	omid    event.Subject = "p-omid"
)

var (
	noon      = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	later     = noon.Add(time.Hour)
	raised    = Raised{order, request, "cpmis-signature", 1, 3_500_000, noon}
	slip      = Payment{Mode: POS, Provider: "samplebank", Terminal: "12345678", RRN: "105012345678", Trace: "000042", AmountRial: 3_500_000}
	attempted = PaymentAttempted{order, attempt, "bank1", noon}
	online    = Payment{Mode: Gateway, Provider: "bank1", RRN: "700000000001", Card: "999999******1234", Attempt: attempt, AmountRial: 3_500_000}
	credited  = Settled{Order: order, Request: request, Payment: online, At: later}
	settled   = Settled{order, request, slip, omid, "ahvaz", noon}
)

func settling(p Payment) Settle { return Settle{p, omid, "ahvaz", noon} }

func refundOf(number int, p Payment, cause Cause) RefundOpened {
	return RefundOpened{order, request, number, cause, p, later}
}
