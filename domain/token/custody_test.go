package token

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var (
	byPost   = PINIssued{"E-1", Post, nima, noon}
	sent     = HandedOver{"ahvaz", "authority", "S-1", nima, noon}
	there    = Received{"authority", true, nima, noon}
	onWay    = append(story(3), byPost, sent)
	atOrigin = append(story(3), byPost, sent, there)
)

func TestAHandOverHasItsReceipt(t *testing.T) {
	send := HandOver{"ahvaz", "authority", "S-1", nima, noon}
	spec.Given(t, Kind, append(story(3), byPost)...).When(send).Then(sent)
	spec.Given(t, Kind, onWay...).When(send).ThenNothing()
	spec.Given(t, Kind, onWay...).When(HandOver{"ahvaz", "unit", "S-2", nima, noon}).ThenFault(ErrNotHere)
	spec.Given(t, Kind, onWay...).When(HandOver{"ahvaz", "authority", "S-2", nima, noon}).ThenFault(ErrOtherSeal)
	spec.Given(t, Kind, atOrigin...).When(send).ThenFault(ErrNotHere)
	spec.Given(t, Kind, story(2)...).When(send).ThenFault(ErrNotHere)
	spec.Given(t, Kind).When(send).ThenFault(ErrNotFound)

	take := Take{"authority", true, nima, noon}
	spec.Given(t, Kind, onWay...).When(take).Then(there)
	spec.Given(t, Kind, atOrigin...).When(take).ThenNothing()
	spec.Given(t, Kind, onWay...).When(Take{"unit", true, nima, noon}).ThenFault(ErrNotForHere)
	spec.Given(t, Kind, story(3)...).When(take).ThenFault(ErrNotHere)
	spec.Given(t, Kind, story(3)...).When(Take{"ahvaz", true, nima, noon}).ThenFault(ErrNotHere) // nobody sent it there
	spec.Given(t, Kind, story(1)...).When(Take{"ahvaz", true, nima, noon}).ThenFault(ErrNotHere)
}

func TestTokenAndPINNeverTravelTogether(t *testing.T) {
	issue := func(via string) IssuePIN { return IssuePIN{"E-1", via, nima, noon} }
	spec.Given(t, Kind, story(3)...).When(HandOver{"ahvaz", "authority", "S-1", nima, noon}).ThenFault(ErrNoPIN)
	spec.Given(t, Kind, story(3)...).When(issue(Post)).Then(byPost)
	spec.Given(t, Kind, append(story(3), byPost)...).When(issue(Post)).ThenNothing()
	byUnit := PINIssued{"E-1", "unit", nima, noon}
	spec.Given(t, Kind, story(3)...).When(issue("unit")).Then(byUnit)
	spec.Given(t, Kind, append(story(3), byUnit)...).When(HandOver{"ahvaz", "unit", "S-1", nima, noon}).ThenFault(ErrPINTogether.At("to"))
	spec.Given(t, Kind, append(story(3), byUnit, byPost)...).When(HandOver{"ahvaz", "unit", "S-1", nima, noon}).ThenFault(ErrPINTogether.At("to")) // the first envelope was there
	for _, place := range []string{"ahvaz", "authority"} {                                                                                         // it was there, it goes there
		spec.Given(t, Kind, onWay...).When(issue(place)).ThenFault(ErrPINTogether.At("via"))
	}
	spec.Given(t, Kind, atOrigin...).When(issue("authority")).ThenFault(ErrPINTogether.At("via"))
	spec.Given(t, Kind, story(1)...).When(issue(Post)).ThenFault(ErrNotHere)
	handed := append(story(3), byUnit, Delivered{To: sara, By: nima, At: noon})
	spec.Given(t, Kind, handed...).When(issue(Post)).Then(byPost) // the first envelope never came
	spec.Given(t, Kind, append(handed, PINDelivered{sara, noon})...).When(issue(Post)).ThenFault(ErrNotHere)
}

func TestABrokenSealEndsTheWay(t *testing.T) {
	broken := Received{"authority", false, nima, noon}
	spec.Given(t, Kind, onWay...).When(Take{"authority", false, nima, noon}).Then(broken)
	spec.Given(t, Kind, append(onWay, broken)...).When(HandOver{"authority", "unit", "S-2", nima, noon}).ThenFault(ErrNotHere)
	spec.Given(t, Kind, append(onWay, broken)...).When(Return{"ahvaz", nima, noon}).Then(Returned{"ahvaz", nima, noon})
}

// TestABrokenSealIsSaidAfterAReceiptToo: whoever sees it late is heard; a receipt
// of a broken seal is not taken back.
func TestABrokenSealIsSaidAfterAReceiptToo(t *testing.T) {
	whole, broken := Take{"authority", true, omid, noon}, Take{"authority", false, omid, noon}
	said := Received{"authority", false, omid, noon}
	spec.Given(t, Kind, atOrigin...).When(broken).Then(said)
	spec.Given(t, Kind, append(atOrigin[:len(atOrigin):len(atOrigin)], Recalled{Revoked, "p", noon})...).When(broken).Then(said)
	ended := append(atOrigin[:len(atOrigin):len(atOrigin)], said)
	if s := after(ended...); s.Status != Compromised || s.Holder.Place != "authority" {
		t.Errorf("it is %s with %+v", s.Status, s.Holder)
	}
	spec.Given(t, Kind, ended...).When(broken).ThenNothing()
	spec.Given(t, Kind, ended...).When(whole).ThenFault(ErrReceived)
	spec.Given(t, Kind, append(onWay[:len(onWay):len(onWay)], said)...).When(whole).ThenFault(ErrReceived)
	spec.Given(t, Kind, append(atOrigin[:len(atOrigin):len(atOrigin)], Lost{"p", noon})...).When(broken).ThenFault(ErrReceived)
}

// TestWhatEndedOnItsWayIsReceived: it stays what it is, and is with one holder who
// knows of it.
func TestWhatEndedOnItsWayIsReceived(t *testing.T) {
	take := Take{"authority", true, nima, noon}
	for status, e := range map[Status]event.Event{
		StatusRecalled: Recalled{Revoked, "p", noon}, StatusLost: Lost{"p", noon}, Defective: FoundDefective{nima, noon},
	} {
		ended := append(onWay[:len(onWay):len(onWay)], e)
		spec.Given(t, Kind, ended...).When(Take{"unit", true, nima, noon}).ThenFault(ErrNotForHere)
		spec.Given(t, Kind, ended...).When(take).Then(there)
		spec.Given(t, Kind, append(ended, there)...).When(take).ThenNothing()
		spec.Given(t, Kind, append(ended, there)...).When(HandOver{"authority", "unit", "S-2", nima, noon}).ThenFault(ErrNotHere)
		spec.Given(t, Kind, append(ended, there)...).When(Return{"ahvaz", nima, noon}).Then(Returned{"ahvaz", nima, noon})
		if s := after(append(ended, there)...); s.Status != status || s.Holder.Place != "authority" || s.To != "" {
			t.Errorf("what was %s is %s with %+v, sent to %q", status, s.Status, s.Holder, s.To)
		}
		if s := after(append(ended, Received{"authority", false, nima, noon})...); s.Status != Compromised {
			t.Errorf("what was %s, of a broken seal is %s", status, s.Status)
		}
	}
}

// TestARecalledTokenOnItsWayIsMissed: it is revoked already and needs no end.
func TestARecalledTokenOnItsWayIsMissed(t *testing.T) {
	day := 24 * time.Hour
	watch := func(after time.Duration) Watch {
		return Watch{Terms{Receipt: Term{7 * day, 21 * day}}, "policy:watch", noon.Add(after)}
	}
	past := append(onWay[:len(onWay):len(onWay)], Recalled{Revoked, "p", noon})
	raised := AlarmRaised{NotReceived, noon, noon.Add(7 * day)}
	spec.Given(t, Kind, past...).When(watch(7*day - time.Second)).ThenNothing()
	spec.Given(t, Kind, past...).When(watch(7 * day)).Then(raised)
	spec.Given(t, Kind, append(past, raised)...).When(watch(1000 * day)).ThenNothing()
	spec.Given(t, Kind, append(past, there)...).When(watch(1000 * day)).ThenNothing()
	spec.Given(t, Kind, append(atOrigin[:len(atOrigin):len(atOrigin)], Recalled{Revoked, "p", noon})...).When(watch(1000 * day)).ThenNothing()
}

func TestOnlyTheHolderActivates(t *testing.T) {
	spec.Given(t, Kind, story(4)...).When(Activate{sara, noon}).Then(PINActivated{sara, noon})
	spec.Given(t, Kind, append(story(4), PINActivated{sara, noon})...).When(Activate{sara, noon}).ThenNothing()
	spec.Given(t, Kind, story(4)...).When(Activate{nima, noon}).ThenFault(ErrNotHolder)
	spec.Given(t, Kind, story(3)...).When(Activate{sara, noon}).ThenFault(ErrNotHolder)
	posted := append(story(3), byPost, delivered)
	spec.Given(t, Kind, posted...).When(Activate{sara, noon}).ThenFault(ErrPINNotThere) // who else opened it?
	spec.Given(t, Kind, append(posted, PINDelivered{sara, noon})...).When(Activate{sara, noon}).Then(PINActivated{sara, noon})
}

func TestDelaysRaiseAnAlarmAndEnd(t *testing.T) {
	day := 24 * time.Hour
	terms := Terms{Receipt: Term{7 * day, 21 * day}, Delivery: Term{30 * day, 60 * day}, Activation: Term{10 * day, 30 * day}}
	watch := func(after time.Duration) Watch { return Watch{terms, "policy:watch", noon.Add(after)} }
	for name, c := range map[string]struct {
		past       []event.Event
		alarm, end time.Duration
		kind       Alarm
		ends       func(time.Duration) event.Event
	}{
		"no receipt": {onWay, 7 * day, 21 * day, NotReceived, func(d time.Duration) event.Event { return Lost{"policy:watch", noon.Add(d)} }},
		"no delivery": {atOrigin, 30 * day, 60 * day, NotDelivered, func(d time.Duration) event.Event {
			return Recalled{string(NotDelivered), "policy:watch", noon.Add(d)}
		}},
		"no activation": {story(4), 10 * day, 30 * day, NotActivated, func(d time.Duration) event.Event {
			return Recalled{string(NotActivated), "policy:watch", noon.Add(d)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			raised := AlarmRaised{c.kind, noon, noon.Add(c.alarm)}
			spec.Given(t, Kind, c.past...).When(watch(c.alarm - time.Second)).ThenNothing()
			spec.Given(t, Kind, c.past...).When(watch(c.alarm)).Then(raised)
			spec.Given(t, Kind, append(c.past[:len(c.past):len(c.past)], raised)...).When(watch(c.end - time.Second)).ThenNothing()
			spec.Given(t, Kind, append(c.past[:len(c.past):len(c.past)], raised)...).When(watch(c.end)).Then(c.ends(c.end))
			spec.Given(t, Kind, c.past...).When(watch(c.end)).Then(c.ends(c.end)) // the house was down meanwhile
		})
	}
	for n := range 3 {
		spec.Given(t, Kind, story(n)...).When(watch(1000 * day)).ThenNothing()
	}
	spec.Given(t, Kind, append(story(4), PINActivated{sara, noon})...).When(watch(1000 * day)).ThenNothing()
}

func TestWhatIsNoGoodComesBackAndIsDestroyed(t *testing.T) {
	for name, e := range map[string]event.Event{
		"lost, and found": Lost{"p", noon}, "defective": FoundDefective{nima, noon}, "recalled": Recalled{Revoked, "p", noon},
	} {
		t.Run(name, func(t *testing.T) {
			past := append(story(4), e)
			back := Returned{"ahvaz", nima, noon}
			spec.Given(t, Kind, past...).When(Destroy{"ahvaz", nima, noon}).ThenFault(ErrNotHere)
			spec.Given(t, Kind, past...).When(Return{"ahvaz", nima, noon}).Then(back)
			for _, over := range [][]event.Event{append(past, back), append(past, back, Destroyed{nima, noon})} {
				spec.Given(t, Kind, over...).When(ReportLost{"p", noon}).ThenFault(ErrOutOfUse)
				spec.Given(t, Kind, over...).When(ReportDefective{nima, noon}).ThenFault(ErrOutOfUse)
			}
			spec.Given(t, Kind, append(past, back)...).When(Destroy{"tehran", nima, noon}).ThenFault(ErrNotHere)
			spec.Given(t, Kind, append(past, back)...).When(Destroy{"ahvaz", nima, noon}).Then(Destroyed{nima, noon})
		})
	}
	spec.Given(t, Kind, story(4)...).When(Return{"ahvaz", nima, noon}).ThenFault(ErrTaken)
	spec.Given(t, Kind, story(4)...).When(Recall{"a1b2", "p", noon}).Then(Recalled{Revoked, "p", noon})
	spec.Given(t, Kind, story(4)...).When(Recall{"other", "p", noon}).ThenNothing()
}

// TestThereIsExactlyOneHolder lets anybody do anything (invariant 5): a token has
// one holder from its first day to its last, and it changes by a receipt only.
func TestThereIsExactlyOneHolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Token
		place := rapid.SampledFrom([]string{"ahvaz", "authority", "unit", "company", Post})
		at := noon
		for range rapid.IntRange(1, 40).Draw(t, "acts") {
			at = at.Add(time.Hour)
			here, to := place.Draw(t, "place"), place.Draw(t, "to")
			commands := []event.Command[Token]{
				Receive{"T-1", "ePass", here, nima, at},
				Reserve{request, here, nima, at, false},
				Personalise{request, "a1b2", nima, at},
				IssuePIN{"E-1", to, nima, at},
				HandOver{here, to, "S", nima, at},
				Take{here, rapid.Bool().Draw(t, "seal"), nima, at},
				Deliver{request, sara, nima, at},
				NotePIN{sara, at},
				Activate{sara, at},
				ReportLost{"p", at},
				ReportDefective{nima, at},
				Recall{"a1b2", "p", at},
				Return{here, nima, at},
				Destroy{here, nima, at},
			}
			c := commands[rapid.IntRange(0, len(commands)-1).Draw(t, "command")]
			events, err := c.Decide(s)
			if err != nil {
				continue
			}
			for _, e := range events {
				before := s
				s = Evolve(s, e)
				check(t, before, s, e)
			}
		}
	})
}

func check(t *rapid.T, before, s Token, e event.Event) {
	holders := 0
	if s.Holder.Place != "" {
		holders++
	}
	if s.Holder.Person != "" {
		holders++
	}
	want := 1
	if s.Status == StatusDestroyed {
		want = 0
	}
	if holders != want {
		t.Fatalf("after %T it has %d holders", e, holders)
	}
	if before.Holder != s.Holder {
		switch e.(type) {
		case ReceivedInStock, Received, Delivered, Returned, Destroyed:
		default:
			t.Fatalf("%T changed the holder from %v to %v", e, before.Holder, s.Holder)
		}
	}
	if s.PIN.Via != "" && s.PIN.Via != Post && (s.Holder.Place == s.PIN.Via || s.To == s.PIN.Via) && s.Status != StatusReturned {
		t.Fatalf("after %T %s has token and PIN", e, s.PIN.Via)
	}
}
