package policy

import "time"

var (
	noon    = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	started = Started{"revoke-on-inaccuracy-established", noon}
)
