package limit

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/fault"
)

var (
	noon  = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	twice = Rule{"letters", 2, time.Hour}
)

func at(minutes int) Counted { return Counted{noon.Add(time.Duration(minutes) * time.Minute)} }

func TestGolden(t *testing.T) {
	spec.Golden(t, Kind.Catalog, "testdata", map[string]event.Event{"limit.counted.v1": at(0)})
}

func TestAskingIsCountedAndRefusedAboveTheRule(t *testing.T) {
	spec.Given(t, Kind).When(Count{twice, noon}).Then(at(0))
	spec.Given(t, Kind, at(0)).When(Count{twice, at(1).At}).Then(at(1))
	spec.Given(t, Kind, at(0), at(1)).When(Count{twice, at(2).At}).ThenFault(ErrTooMany)
	spec.Given(t, Kind, at(0), at(1)).When(Count{twice, at(60).At}).Then(at(60))
	spec.Given(t, Kind, at(0), at(1), at(60)).When(Count{twice, at(60).At}).ThenFault(ErrTooMany)
}

func TestTheRefusalSaysHowLong(t *testing.T) {
	_, err := Count{twice, at(20).At}.Decide([]time.Time{noon, at(10).At})
	if f, ok := fault.Of(err); !ok || f.Wait != 40*time.Minute {
		t.Errorf("got %+v", f)
	}
}

// TestNoWindowHoldsMore than the rule allows, wherever it begins, and who waits
// as long as he was told is served.
func TestNoWindowHoldsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := Rule{"r", rapid.IntRange(1, 9).Draw(t, "max"), time.Hour}
		var s []time.Time
		now := noon
		for range 200 {
			now = now.Add(time.Duration(rapid.IntRange(0, 900).Draw(t, "seconds")) * time.Second)
			events, err := Count{rule, now}.Decide(s)
			if f, _ := fault.Of(err); errors.Is(err, ErrTooMany) {
				if _, err := (Count{rule, now.Add(f.Wait)}).Decide(s); err != nil {
					t.Fatalf("still refused after %v", f.Wait)
				}
				continue
			}
			s = evolve(s, events[0])
			if n := len(s) - 1 - rule.Max; n >= 0 && s[len(s)-1].Sub(s[n]) < rule.Within {
				t.Fatalf("%d within %v", rule.Max+1, s[len(s)-1].Sub(s[n]))
			}
		}
	})
}
