package token

import (
	"time"

	"govahi/domain/event"
)

const (
	sara    event.Subject = "p-sara"
	nima    event.Subject = "p-nima" // the officer
	omid    event.Subject = "p-omid" // another
	request event.Stream  = "enrollment-140512345670"
	other   event.Stream  = "enrollment-140598765432"
)

var (
	noon         = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	received     = ReceivedInStock{"T-1", "ePass", "ahvaz", nima, noon}
	reserved     = Reserved{request, nima, noon}
	personalised = Personalised{"a1b2", nima, noon}
	delivered    = Delivered{sara, nima, noon}
)

func story(n int) []event.Event {
	return []event.Event{received, reserved, personalised, delivered}[:n]
}
