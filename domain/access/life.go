package access

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Status is whether the user may enter CPMIS.
type Status string

// The states of a user.
const (
	StatusNone      Status = ""
	StatusPending   Status = "pending" // defined, and the certificate not bound yet
	StatusActive    Status = "active"
	StatusSuspended Status = "suspended"
)

// Status is where the user stands.
func (s Access) Status() Status {
	switch {
	case s.Halted:
		return StatusSuspended
	case s.Active:
		return StatusActive
	case s.User.Pending:
		return StatusPending
	case s.User.UserName != "":
		return StatusSuspended
	}
	return StatusNone
}

var (
	byUnit   = fault.Text{Fa: "واحد پژوهش و فناوری", En: "research and technology unit"}
	byHolder = fault.Text{Fa: "دارندهٔ گواهی", En: "holder"}
	byTrust  = fault.Text{Fa: "دارنده یا مرکز صدور", En: "holder or CA centre"}
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(StatusNone): {Name: fault.Text{Fa: "تعریف‌نشده", En: "not defined"}, Now: []event.Act{
		defines("نام را برای دارندهٔ گواهی تعریف کرد", "define the name for a certificate's holder"),
	}},
	string(StatusPending): {Name: fault.Text{Fa: "در انتظار پذیرش", En: "waiting for the acceptance"}, Now: []event.Act{
		defines("سطح دسترسی را با همان گواهی تغییر داد", "change the level with the same certificate"),
		{Command: BindCertificate{}, By: byHolder, Name: fault.Text{Fa: "توکن را فعال کرد و گواهی را پذیرفت", En: "activate the token and accept the certificate"}},
		{Command: Suspend{}, By: byTrust, Name: fault.Text{Fa: "با ابطال گواهی دسترسی را تعلیق کرد", En: "suspend the access by revoking its certificate"}},
	}},
	string(StatusActive): {Name: fault.Text{Fa: "فعال", En: "active"}, Now: []event.Act{
		defines("سطح دسترسی را با همان گواهی تغییر داد", "change the level with the same certificate"),
		{Command: Suspend{}, By: byTrust, Name: fault.Text{Fa: "با ابطال یا تعلیق گواهی دسترسی را تعلیق کرد", En: "suspend the access by revoking or suspending its certificate"}},
	}},
	string(StatusSuspended): {Name: fault.Text{Fa: "تعلیق‌شده", En: "suspended"}, Now: []event.Act{
		defines("نام را با گواهی تازهٔ همان شخص دوباره فعال کرد", "activate the name again with a new certificate of the same person"),
		{Command: Restore{}, By: byTrust, Name: fault.Text{Fa: "با برداشتن تعلیق گواهی دسترسی را بازگرداند", En: "give the access back by lifting the suspension of its certificate"}},
	}},
}

func defines(fa, en string) event.Act {
	return event.Act{Command: Define{}, By: byUnit, Name: fault.Text{Fa: fa, En: en}}
}
