package inquiry

import (
	"time"

	"govahi/domain/event"
)

const (
	number               = "140512345670-1"
	request event.Stream = "enrollment-140512345670"
)

var (
	noon         = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	requested    = Requested{number, request, 1, "p-sara", "certificate-issuance", "civil-registration-act-40", "p-omid", noon}
	inconclusive = Inconclusive{number, "R-17", noon}
)

func answered(matched bool, differs ...string) Answered {
	finding := Mismatch
	if matched {
		finding = Matched
	}
	return Answered{number, request, matched, differs, "registry-1", "p-omid", noon, finding}
}

// deferred is the n-th deferral because the registry was down.
func deferred(n int, pause time.Duration) Deferred {
	return Deferred{number, Down, n, noon.Add(pause), noon}
}
