package event_test

import (
	"testing"
	"time"

	"govahi/domain/event"
)

func TestWhatIsDue(t *testing.T) {
	chosen := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	due := chosen.Add(time.Minute)
	for after, want := range map[time.Duration]bool{
		time.Minute: true, time.Minute - time.Nanosecond: false, 0: false,
		-time.Millisecond: false, -event.Apart: false, // another machine's clock
		-event.Apart - time.Nanosecond: true, -time.Hour: true, // it was put back
	} {
		if event.IsDue(chosen.Add(after), due, chosen) != want {
			t.Errorf("%v after it was chosen it is due: %v", after, !want)
		}
	}
}
