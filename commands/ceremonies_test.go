package commands_test

import (
	"testing"
	"time"

	keyceremony "govahi/domain/ceremony"
)

func TestATranscriptIsRecordedByItsHash(t *testing.T) {
	h := open(t)
	first := h.did(h.RecordCeremony(t.Context(), "one.html", "who, what, when"))
	h.clock.pass(time.Hour)
	if again := h.did(h.RecordCeremony(t.Context(), "one.html", "who, what, when")); again != first {
		t.Errorf("recorded at %+v and at %+v", first, again)
	}
	other := h.did(h.RecordCeremony(t.Context(), "one.html", "another story"))
	if other.Stream == first.Stream {
		t.Error("another transcript took its place")
	}
	if r := state(h, keyceremony.Kind, first.Stream); r.Transcript != "who, what, when" || first.Stream.ID() != r.Hash {
		t.Errorf("%+v", r)
	}
}
