package event_test

import (
	"errors"
	"testing"

	"govahi/domain/event"
	"govahi/domain/fault"
)

type (
	open struct{}
	lock struct{}
	shut struct{}
)

var door = event.Life{
	"closed": {
		Name: fault.Text{Fa: "بسته", En: "closed"},
		Now: []event.Act{
			{Command: open{}, Name: fault.Text{Fa: "باز کرد", En: "open it"}, By: fault.Text{Fa: "همه", En: "anybody"}},
			{Command: lock{}, Name: fault.Text{Fa: "قفل کرد", En: "lock it"}, By: fault.Text{Fa: "دربان", En: "the porter"}},
			{Command: shut{}, Name: fault.Text{Fa: "قفل کرد", En: "lock it"}, By: fault.Text{Fa: "دربان", En: "the porter"}},
		},
	},
	"gone": {Name: fault.Text{Fa: "برچیده", En: "gone"}, Instead: fault.Text{Fa: "از در دیگر بروید.", En: "Use another."}},
}

func TestARefusalSaysWhereItStandsAndWhatIsPossible(t *testing.T) {
	locked := fault.New(fault.Conflict, "door", "نشد.", "No.").At("knob")
	for status, want := range map[string]fault.Text{
		"closed": {
			Fa: "نشد. وضعیت کنونی: «بسته». اکنون می‌توان: باز کرد (همه)؛ قفل کرد (دربان).",
			En: "No. It is now: closed. Now possible: open it (anybody); lock it (the porter).",
		},
		"gone": {Fa: "نشد. وضعیت کنونی: «برچیده». از در دیگر بروید.", En: "No. It is now: gone. Use another."},
	} {
		got := door.Refuse(locked, status)
		if got.Text != want || got.Field != "knob" || !errors.Is(got, locked) {
			t.Errorf("%s: %+v", status, got)
		}
	}
	if locked.Text.En != "No." {
		t.Error("the refusal itself was changed")
	}
}
