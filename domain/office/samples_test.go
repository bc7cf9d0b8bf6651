package office

import "time"

var (
	noon  = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	ahvaz = Opened{"ahvaz", Registration, "دفتر اهواز", "خوزستان", "اهواز", "", "p-administrator", noon}
)
