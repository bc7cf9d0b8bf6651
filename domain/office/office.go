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

// Sort tells offices that take requests from units that grant access.
type Sort string

// The sorts.
const (
	Registration Sort = "registration-office" // دفتر ثبت‌نام
	Research     Sort = "research-unit"       // واحد پژوهش و فناوری
)

// Opened names an office; it is its whole state.
type Opened struct {
	Code     string    `json:"code"` // short, lower-case, for good
	Sort     Sort      `json:"sort"`
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
	ErrSort = fault.New(fault.Invalid, "office-sort-unknown",
		"نوع را دفتر ثبت‌نام یا واحد پژوهش و فناوری برگزینید.",
		"Choose the sort: registration-office or research-unit.").At("sort")
	ErrTaken = fault.New(fault.Conflict, "office-code-taken",
		"دفتری با این کد هست؛ کد دیگری برگزینید.", "An office has this code; choose another.").At("code")
)

// Open founds an office.
type Open Opened

// Decide refuses a second office under one code.
func (c Open) Decide(s Opened) ([]event.Event, error) {
	if c.Sort != Registration && c.Sort != Research {
		return nil, ErrSort
	}
	if s.Code != "" {
		return nil, ErrTaken
	}
	return []event.Event{Opened(c)}, nil
}
