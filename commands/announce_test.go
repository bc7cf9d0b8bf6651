package commands_test

import (
	"errors"
	"testing"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/office"
)

// TestAnOfficeAnnouncesItsControls: its own officers say it (S1.32), once is
// enough, and nothing that cannot be seen is in it.
func TestAnOfficeAnnouncesItsControls(t *testing.T) {
	h := open(t)
	said := commands.AnnounceControls{Controls: []enrollment.Control{"telephone", "address", "telephone"}, Text: "شنبه تا چهارشنبه"}
	h.did(h.AnnounceControls(t.Context(), h.by(officer), "office-1", said))
	first := h.placeNow("office-1")
	if got := first.Announced; len(got.Controls) != 2 || got.Controls[0] != "address" || got.Text != said.Text {
		t.Errorf("announced %+v", got)
	}
	h.did(h.AnnounceControls(t.Context(), h.by(officer), "office-1", said))
	if h.placeNow("office-1").Announced.At != first.Announced.At {
		t.Error("it was announced twice")
	}
	for name, c := range map[string]struct {
		by     string
		office string
		text   string
		want   error
	}{
		"operator":        {operator, "office-1", "", commands.ErrForbidden},
		"elsewhere":       {officer, "office-2", "", commands.ErrForbidden},
		"nowhere":         {officer, "nowhere", "", commands.ErrForbidden},
		"invisible marks": {officer, "office-1", "\u200b", nil},
	} {
		_, err := h.AnnounceControls(t.Context(), h.by(c.by), c.office, commands.AnnounceControls{Text: c.text})
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// placeNow is an office as its stream says.
func (h *house) placeNow(code string) office.Office {
	h.t.Helper()
	var s office.Office
	for r, err := range h.log.Log.Read(h.t.Context(), office.Kind.Stream(code), 0) {
		if err != nil {
			h.t.Fatal(err)
		}
		e, err := office.Catalog.Decode(r.Type, r.Data)
		if err != nil {
			h.t.Fatal(err)
		}
		s = office.Evolve(s, e)
	}
	return s
}
