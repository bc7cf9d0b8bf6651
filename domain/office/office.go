// Package office is a registration office (دفتر ثبت‌نام) or a research and
// technology unit (واحد پژوهش و فناوری).
package office

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of an office.
var Catalog = event.NewCatalog(event.Of[Opened]("office.opened.v1"))

// Kind is the stream `office-<code>`.
var Kind = event.Kind[Opened]{
	Category: "office", Catalog: Catalog,
	Evolve: func(_ Opened, e event.Event) Opened { return e.(Opened) },
}

// Opened names an office; it is its whole state.
type Opened struct {
	Code     string    `json:"code"` // short, lower-case, for good
	Name     string    `json:"name"` // Persian
	Province string    `json:"province"`
	City     string    `json:"city"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// The refusals.
var (
	ErrNotFound = fault.New(fault.NotFound, "office-not-found",
		"چنین دفتری نیست؛ از فهرست دفترها برگزینید.", "There is no such office; choose one of the list.").At("office")
	ErrTaken = fault.New(fault.Conflict, "office-code-taken",
		"دفتری با این کد هست؛ کد دیگری برگزینید.", "An office has this code; choose another.").At("code")
)

// Open founds an office.
type Open Opened

// Decide refuses a second office under one code.
func (c Open) Decide(s Opened) ([]event.Event, error) {
	if s.Code != "" {
		return nil, ErrTaken
	}
	return []event.Event{Opened(c)}, nil
}
