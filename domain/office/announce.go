package office

import (
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// ControlsAnnounced is what an office tells the public of its controls, beside
// those that every office applies (S1.31, S1.32); a later one replaces it.
type ControlsAnnounced struct {
	Controls []string  `json:"controls"` // further ones that it applies to everybody
	Text     string    `json:"text"`     // Persian; may be empty
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// ErrNoControls reports a place that controls no requests.
var ErrNoControls = fault.New(fault.Invalid, "office-controls-nothing",
	"تنها دفتر ثبت‌نام و واحد پژوهش و فناوری مدارک را کنترل و کنترل‌ها را اعلام می‌کنند.",
	"Only a registration office or a research unit controls documents and announces its controls.").At("office")

// AnnounceControls tells the public.
type AnnounceControls ControlsAnnounced

// Decide is asked of those who look at documents (S1.8, S1.18).
func (c AnnounceControls) Decide(s Office) ([]event.Event, error) {
	switch {
	case s.Code == "":
		return nil, ErrNotFound
	case s.Sort != Registration && s.Sort != Research:
		return nil, ErrNoControls
	case !s.Announced.At.IsZero() && s.Announced.Text == c.Text && slices.Equal(s.Announced.Controls, c.Controls):
		return nil, nil
	}
	return []event.Event{ControlsAnnounced(c)}, nil
}
