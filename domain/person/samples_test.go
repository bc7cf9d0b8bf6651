package person

import "time"

var (
	noon    = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	ordered = ErasureOrdered{"p-sara", "subject-request", "p-administrator", noon}
	erased  = Erased{"p-sara", noon}
	sara    = Addressed{"p-sara", noon}
)
