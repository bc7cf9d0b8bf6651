package notification

import (
	"time"

	"govahi/domain/event"
)

const (
	sara event.Subject = "p-sara"
	id   string        = "8e1f0c55-0000-8000-8000-000000000001"
)

var (
	noon = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	sent = Sent{id, noon}
	lost = Failed{id, "refused", noon}
)

func requested() Requested {
	message := Message{"sara@example.com", "سارا آزمونی", map[string]string{"trackingCode": "140512345670"}}
	return Requested{id, EmailCode, "enrollment-140512345670", 2, event.About(sara, message), noon}
}

func postponed(attempt int, pause time.Duration) Postponed {
	return Postponed{id, attempt, noon.Add(pause), noon}
}
