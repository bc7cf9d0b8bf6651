package iran

import (
	"testing"
	"time"
)

func TestStaleZoneDataIsNoticed(t *testing.T) {
	if endedSummerTime(time.FixedZone("stale", 4*3600+1800)) {
		t.Error("zone data with summer time in 2023 passed")
	}
	if !endedSummerTime(Tehran()) {
		t.Error("today's zone data did not pass")
	}
}

func TestDammVectors(t *testing.T) {
	for digits, want := range map[string]byte{
		"572": '4', "05000000001": '4', "05123456789": '9', "05314159265": '6',
	} {
		if got := damm(digits); got != want {
			t.Errorf("damm(%s) = %c, want %c", digits, got, want)
		}
	}
}
