package enrollment

import (
	"slices"
	"testing"
)

// TestStandardControlsAreThoseOfTheCode: what is announced is what is asked for.
func TestStandardControlsAreThoseOfTheCode(t *testing.T) {
	want := []Control{
		ControlEmail, ControlLiability, Control(BirthCertificate), Control(NationalCard), Control(LegalPersonCard),
		Control(IntroductionLetter), ControlIdentity, ControlFee,
	}
	if got := StandardControls(false, true); !slices.Equal(got, want) {
		t.Errorf("got %q, expected %q", got, want)
	}
	if got := StandardControls(true, true); !slices.Contains(got, Control(Passport)) || slices.Contains(got, Control(NationalCard)) {
		t.Errorf("of foreigners %q", got)
	}
	if got := StandardControls(false, false); slices.Contains(got, Control(IntroductionLetter)) {
		t.Errorf("of who speaks for himself %q", got)
	}
	for _, c := range slices.Concat(StandardControls(false, true), StandardControls(true, true), FurtherControls) {
		if c.Persian() == "" {
			t.Errorf("%s has no Persian name", c)
		}
	}
}
