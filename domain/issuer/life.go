package issuer

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

var (
	byHouse     = fault.Text{Fa: "سامانه", En: "the house"}
	byOperators = fault.Text{Fa: "دو کارشناس مرکز صدور", En: "two CA operators"}

	introduces = event.Act{Command: Introduce{}, By: byHouse, Name: fault.Text{Fa: "گواهی مرکز صدور را در دفتر ثبت کرد", En: "record the issuer's certificate"}}
	ends       = event.Act{Command: End{}, By: byOperators, Name: fault.Text{Fa: "پایان آن را پیشنهاد و تأیید کرد", En: "propose its end, and confirm it"}}
)

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None):          {Name: fault.Text{Fa: "ناشناخته", En: "not known"}, Now: []event.Act{introduces}},
	string(Open):          {Name: fault.Text{Fa: "در کار صدور", En: "issuing"}, Now: []event.Act{ends}},
	string(StatusRetired): {Name: fault.Text{Fa: "بازنشسته", En: "retired"}, Now: []event.Act{ends}},
	string(StatusCompromised): {
		Name: fault.Text{Fa: "کلید افشاشده", En: "compromised"},
		Instead: fault.Text{
			Fa: "کلید افشاشده دیگر به کار نمی‌آید؛ مراسم مرکز صدور میانی تازه را برگزار کنید.",
			En: "A compromised key is never used again; hold the ceremony of a new intermediate.",
		},
	},
}
