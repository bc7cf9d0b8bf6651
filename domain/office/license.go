package office

import (
	"time"

	"govahi/domain/event"
)

// License gives an office its licence, or prolongs it.
type License Licensed

// Decide holds the term to three years of either calendar.
func (c License) Decide(s Office) ([]event.Event, error) {
	switch {
	case s.Code == "":
		return nil, ErrNotFound
	case !c.Until.After(c.From) || c.Until.After(c.From.Add(longest)):
		return nil, ErrTerm
	case s.Licence.Number == c.Number && s.Licence.From.Equal(c.From) && s.Licence.Until.Equal(c.Until):
		return nil, nil
	}
	return []event.Event{Licensed(c)}, nil
}

// longest is the most that three years have: a leap day of one calendar or the other
// falls into any three.
const longest = (3*365 + 1) * 24 * time.Hour
