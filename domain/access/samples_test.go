package access

import (
	"time"

	"govahi/domain/event"
)

const (
	sara event.Subject = "p-sara"
	omid event.Subject = "p-omid"
)

var noon = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

func user(certificate string) UserDefined {
	return UserDefined{
		"sara.azmouni", Contributor, sara, "enrollment-140512345670", certificate, "f-" + certificate,
		"rt-south", false, "p-research", noon,
	}
}

func defining(u UserDefined) Define { return Define{User: u, Delivered: true, Valid: true} }

func suspended(certificate string) Suspended {
	return Suspended{"sara.azmouni", certificate, event.Stream("certificate-" + certificate), noon}
}

func suspending(certificate string) Suspend {
	return Suspend{certificate, event.Stream("certificate-" + certificate), noon}
}

func restored(certificate string) Restored {
	return Restored{"sara.azmouni", certificate, event.Stream("certificate-" + certificate), noon}
}
