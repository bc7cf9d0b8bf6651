package consignment

import (
	"govahi/domain/event"
	"govahi/domain/fault"
)

func state(fa, en string, now ...event.Act) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Now: now}
}

func over(fa, en string) event.State {
	return event.State{Name: fault.Text{Fa: fa, En: en}, Instead: fault.Text{
		Fa: "کار این محموله پایان یافته است؛ پرونده‌های دیگر را با محمولهٔ تازه بفرستید.",
		En: "This consignment is over; send other dossiers with a new one.",
	}}
}

// life is what people call the states, and what each accepts.
var life = event.Life{
	string(None): state("فرستاده‌نشده", "not dispatched", event.Act{
		Command: Dispatch{}, By: fault.Text{Fa: "فرستنده", En: "sender"},
		Name: fault.Text{Fa: "پرونده‌های شمرده را فرستاد", En: "dispatch the counted dossiers"},
	}, event.Act{
		Command: CallOff{}, By: fault.Text{Fa: "فرستندهٔ محموله‌ای دیگر", En: "sender of another"},
		Name: fault.Text{Fa: "پروندهٔ محمولهٔ نیمه‌کاره را در محمولهٔ دیگری گذاشت", En: "put a dossier of what was cut off into another consignment"},
	}),
	string(OnItsWay): state("در راه", "on its way", event.Act{
		Command: Receive{}, By: fault.Text{Fa: "گیرنده", En: "receiver"},
		Name: fault.Text{Fa: "شمرد و تحویل گرفت", En: "count and receive it"},
	}),
	string(Complete): over("کامل رسیده", "received, complete"),
	string(Discrepant): state("دارای مغایرت", "of a discrepancy", event.Act{
		Command: Resolve{}, By: fault.Text{Fa: "گیرنده", En: "receiver"},
		Name: fault.Text{Fa: "مغایرت را روشن کرد", En: "resolve the discrepancy"},
	}),
	string(Resolved): over("مغایرت روشن شده", "of a resolved discrepancy"),
	string(NotSent):  over("فرستاده‌نشده و کنارگذاشته", "called off before it was sent"),
}

var sender = fault.Text{Fa: "فرستنده", En: "sender"}

// packingLife is that of a dossier's place in one consignment.
var packingLife = event.Life{
	"": state("در محموله‌ای نیست", "in no consignment", event.Act{
		Command: TakePacking{}, By: sender,
		Name: fault.Text{Fa: "پرونده را در محموله‌ای گذاشت", En: "put the dossier into a consignment"},
	}),
	held: state("در دست یک محموله", "in a consignment", event.Act{
		Command: ReleasePacking{}, By: sender,
		Name: fault.Text{Fa: "محموله را فرستاد و راه‌افتادن پرونده را پی گرفت", En: "send the consignment, and follow the dossier on its way"},
	}, event.Act{
		Command: TakePacking{}, By: sender,
		Name: fault.Text{Fa: "پروندهٔ محمولهٔ کنارگذاشته را در محمولهٔ دیگری گذاشت", En: "put the dossier of one that was called off into another"},
	}),
}
