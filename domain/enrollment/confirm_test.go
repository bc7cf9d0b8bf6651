package enrollment

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func confirmBy(by event.Subject) ConfirmInformation {
	return ConfirmInformation{vetted, vetted, by, "ahvaz", "0ff1", "c2ln", noon}
}

func TestASecondOfficerConfirms(t *testing.T) {
	spec.Given(t, Kind, past(StatusControlled)...).When(confirmBy(nima)).Then(confirmed)
}

func TestFourEyes(t *testing.T) {
	counter := and([]event.Event{begun, counterForm(1)}, and(proved, submitted)...)
	t.Run("not the applicant", func(t *testing.T) {
		spec.Given(t, Kind, past(StatusControlled)...).When(confirmBy(sara)).ThenFault(ErrOwnRequest)
	})
	t.Run("not who entered the form", func(t *testing.T) {
		spec.Given(t, Kind, and(counter, allControls...)...).When(confirmBy(parisa)).ThenFault(ErrFourEyes)
		spec.Given(t, Kind, and(counter, allControls...)...).When(confirmBy(nima)).Then(confirmed)
	})
	t.Run("not who sighted the originals", func(t *testing.T) {
		spec.Given(t, Kind, past(StatusControlled)...).When(confirmBy(omid)).ThenFault(ErrFourEyes)
	})
	t.Run("not who asked the registry", func(t *testing.T) {
		asked := and(past(StatusAtOffice), and(allSighted, inquired(1, nima), answered(1, true), paid)...)
		spec.Given(t, Kind, asked...).When(confirmBy(nima)).ThenFault(ErrFourEyes)
		spec.Given(t, Kind, asked...).When(confirmBy(parisa)).Then(InformationConfirmed{vetted.Revision, vetted.Hash, "0ff1", "c2ln", parisa, "ahvaz", noon})
	})
	t.Run("not who asked it again", func(t *testing.T) {
		again := answered(1, true)
		again.AskedBy = nima
		asked := and(past(StatusAtOffice), and(allSighted, inquired(1, omid), again, paid)...)
		spec.Given(t, Kind, asked...).When(confirmBy(nima)).ThenFault(ErrFourEyes)
	})
}

func TestWhoServedAtTheCounterDoesNotConfirm(t *testing.T) {
	desk := and([]event.Event{submitted}, allControls...)
	online := []event.Event{begun, form(1), codeSent(1, 1), EmailConfirmed{1, noon}}
	by := confirmed
	by.By = parisa
	for name, story := range map[string][]event.Event{
		"opened the request":     and([]event.Event{openedAtCounter(nima), form(1)}, and(proved, desk...)...),
		"accepted the liability": and(online, and([]event.Event{liableAtCounter(nima)}, desk...)...),
	} {
		t.Run(name, func(t *testing.T) {
			spec.Given(t, Kind, story...).When(confirmBy(nima)).ThenFault(ErrFourEyes)
			spec.Given(t, Kind, story...).When(confirmBy(parisa)).Then(by)
			corrected := and(story, mended...) // by the applicant herself, which does not undo it
			spec.Given(t, Kind, corrected...).When(confirmBy(nima)).ThenFault(ErrFourEyes)
			spec.Given(t, Kind, corrected...).When(confirmBy(parisa)).Then(by)
		})
	}
}

func TestHandsAreThoseAtTheCounter(t *testing.T) {
	same(t, nil, fold(begun).Hands)
	same(t, []event.Subject{omid}, fold(openedAtCounter(omid)).Hands)
	form := and([]event.Event{openedAtCounter(omid)}, counterForm(1))
	same(t, []event.Subject{omid, parisa}, fold(and(form, liable(1))...).Hands) // the visitor accepted at home
	same(t, []event.Subject{omid, parisa, nima}, fold(and(form, liableAtCounter(nima))...).Hands)
}

func TestWhoSightedOneOriginalOfManyDoesNotConfirm(t *testing.T) {
	for _, own := range []Document{BirthCertificate, NationalCard, LegalPersonCard, IntroductionLetter} {
		story := and(past(StatusAtOffice), inquired(1, omid), answered(1, true), paid)
		for _, d := range []Document{BirthCertificate, NationalCard, LegalPersonCard, IntroductionLetter} {
			by := omid
			if d == own {
				by = nima
			}
			story = and(story, sighted(d, by))
		}
		spec.Given(t, Kind, story...).When(confirmBy(nima)).ThenFault(ErrFourEyes)
	}
}

func TestTheRecordConfirmedIsTheRecordSeen(t *testing.T) {
	for name, present := range map[string]Record{
		"grown":   {vetted.Revision + 1, "0ther"},
		"other":   {vetted.Revision, "0ther"},
		"shorter": {vetted.Revision - 1, vetted.Hash},
	} {
		t.Run(name, func(t *testing.T) {
			stale := ConfirmInformation{vetted, present, nima, "ahvaz", "0ff1", "c2ln", noon}
			spec.Given(t, Kind, past(StatusControlled)...).When(stale).ThenFault(ErrStaleRecord)
		})
	}
}

func TestConfirmingTwiceIsDoneOnce(t *testing.T) {
	again := ConfirmInformation{vetted, Record{vetted.Revision + 1, "grown"}, nima, "ahvaz", "0ff1", "c2ln", later}
	spec.Given(t, Kind, past(StatusConfirmed)...).When(again).ThenNothing()
	spec.Given(t, Kind, past(StatusConfirmed)...).When(confirmBy(parisa)).ThenFault(wrongState)
}

func TestALaterChangeVoidsTheConfirmation(t *testing.T) {
	changed := and(past(StatusConfirmed), sighted(Passport, parisa))
	s := fold(changed...)
	if s.Status != StatusControlled || s.Confirmation.By != "" {
		t.Errorf("%s, still confirmed by %q", s.Status, s.Confirmation.By)
	}
	spec.Given(t, Kind, changed...).When(RequestIssuance{"T-1", "4e7", nil, nima, "ahvaz", noon}).ThenFault(wrongState)
	spec.Given(t, Kind, changed...).When(confirmBy(nima)).Then(confirmed)
}

func TestRecordOfCitesTheWholeStream(t *testing.T) {
	one := event.Recorded{Type: "a.b.v1", Data: []byte("1")}
	two := event.Recorded{Type: "a.c.v1", Data: []byte("2"), Revision: 1}
	record := RecordOf([]event.Recorded{one, two})
	same(t, Record{}, RecordOf(nil))
	if record.Revision != 1 || len(record.Hash) != 64 {
		t.Errorf("%+v", record)
	}
	same(t, record, RecordOf([]event.Recorded{one, two}))
	for name, changed := range map[string][]event.Recorded{
		"other data":  {one, {Type: two.Type, Data: []byte("3"), Revision: 1}},
		"other name":  {one, {Type: "a.c.v2", Data: two.Data, Revision: 1}},
		"other order": {two, one},
		"less":        {two},
		"moved dot":   {one, {Type: "a.c.v", Data: []byte("12"), Revision: 1}},
	} {
		if RecordOf(changed).Hash == record.Hash {
			t.Errorf("%s: the hash is the same", name)
		}
	}
}

func TestAConfirmationCountsOnlyWithASignature(t *testing.T) {
	unsigned := confirmBy(nima)
	unsigned.Signature = ""
	spec.Given(t, Kind, past(StatusControlled)...).When(unsigned).ThenFault(ErrUnsigned)
	before := InformationConfirmed{RecordRevision: vetted.Revision, RecordHash: vetted.Hash, By: nima, Office: "ahvaz", At: noon} // as it was once stored
	spec.Given(t, Kind, and(past(StatusControlled), before)...).When(confirmBy(nima)).Then(confirmed)
}

func TestAConfirmationThatDoesNotHoldIsMadeAgain(t *testing.T) {
	failed := IssuanceFailed{"officer-dismissed", true, noon}
	spec.Given(t, Kind, and(past(StatusAtCA), attempted)...).When(FailIssuance{"officer-dismissed", true, noon}).Then(failed)
	spec.Given(t, Kind, and(past(StatusAtCA), attempted, failed)...).When(confirmBy(parisa)).Then(
		InformationConfirmed{vetted.Revision, vetted.Hash, "0ff1", "c2ln", parisa, "ahvaz", noon})
}
