package crl

import (
	"testing"

	"pgregory.net/rapid"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"crl.intended.v2":        intended(7),
		"crl.signing-started.v1": started(7),
		"crl.signed.v2":          signed(7),
	})
}

func TestTheIntentReservesTheNumber(t *testing.T) {
	spec.Given(t, Kind).When(Intend{intended(1)}).Then(intended(1))
	spec.Given(t, Kind, intended(1), started(1), signed(1)).When(Intend{intended(2)}).Then(intended(2))
}

func TestNumbersOnlyGrow(t *testing.T) {
	past := []event.Event{intended(1), started(1), signed(1), intended(4)}
	for _, number := range []uint64{0, 1, 3, 4} {
		spec.Given(t, Kind, past...).When(Intend{intended(number)}).ThenFault(ErrNumber)
	}
	spec.Given(t, Kind).When(Intend{intended(0)}).ThenFault(ErrNumber)
}

func TestANumberIntendedAndNeverSignedIsSkipped(t *testing.T) {
	spec.Given(t, Kind, intended(1)).When(Intend{intended(2)}).Then(intended(2))
	skipped := []event.Event{intended(1), started(1), intended(2)}
	spec.Given(t, Kind, skipped...).When(NoteSigned{signed(1)}).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, skipped...).When(starting(1)).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, skipped...).When(starting(2)).Then(started(2))
}

func TestOneSignerStartsOnce(t *testing.T) {
	spec.Given(t, Kind, intended(1)).When(starting(1)).Then(started(1))
	spec.Given(t, Kind, intended(1), started(1)).When(starting(1)).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, intended(1), started(1), signed(1)).When(starting(1)).ThenFault(ErrNotIntended)
}

func TestNothingElseIsSignedThanWasIntended(t *testing.T) {
	other := starting(1)
	other.TBSHash = "0ther"
	spec.Given(t, Kind, intended(1)).When(other).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, intended(1)).When(starting(2)).ThenFault(ErrNotIntended)
	spec.Given(t, Kind).When(starting(1)).ThenFault(ErrNotIntended)
	spec.Given(t, Kind).When(StartSigning{}).ThenFault(ErrNotIntended)
}

func TestTheListIsRecordedOnce(t *testing.T) {
	spec.Given(t, Kind, intended(1), started(1)).When(NoteSigned{signed(1)}).Then(signed(1))
	spec.Given(t, Kind, intended(1)).When(NoteSigned{signed(1)}).ThenFault(ErrNotIntended)
	spec.Given(t, Kind, intended(1), started(1), signed(1)).When(NoteSigned{signed(1)}).ThenFault(ErrNotIntended)
}

func TestTheLatestListKeepsItsIntent(t *testing.T) {
	var s Series
	for _, e := range []event.Event{intended(1), started(1), signed(1), intended(2)} {
		s = Evolve(s, e)
	}
	if s.Latest.Number != 1 || s.Of != intended(1) || s.Intent != intended(2) {
		t.Errorf("%+v", s)
	}
}

// TestSignedNumbersAlwaysGrow tries any order of commands on small numbers.
func TestSignedNumbersAlwaysGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Series
		var starts, lists []uint64
		for range 30 {
			n := rapid.Uint64Range(0, 8).Draw(t, "number")
			command := rapid.SampledFrom([]event.Command[Series]{
				Intend{intended(s.Intent.Number + n%2)},
				Intend{intended(n)},
				starting(n), starting(s.Intent.Number),
				NoteSigned{signed(n)},
				NoteSigned{signed(s.Intent.Number)},
			}).Draw(t, "command")
			events, _ := command.Decide(s)
			for _, e := range events {
				s = Evolve(s, e)
				switch e := e.(type) {
				case SigningStarted:
					starts = append(starts, e.Number)
				case Signed:
					lists = append(lists, e.Number)
				}
			}
		}
		for _, numbers := range [][]uint64{starts, lists} {
			for i := 1; i < len(numbers); i++ {
				if numbers[i] <= numbers[i-1] {
					t.Fatalf("numbers %v", numbers)
				}
			}
		}
	})
}
