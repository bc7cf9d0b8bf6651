package enrollment

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Opening is the rule of one open request for a person, organisation and
// certificate type (invariant 3): the stream
// `opening-<person>-<organization>-<type>` is held by one request at a time.
var Opening = event.Kind[Holder]{
	Category: "opening",
	Catalog: event.NewCatalog(
		event.Of[OpeningTaken]("opening.taken.v1"),
		event.Of[OpeningReleased]("opening.released.v1"),
	),
	Evolve: evolveOpening, Life: openingLife,
}

// OpeningTaken says which request is the open one.
type OpeningTaken struct {
	Request event.Stream `json:"request"`
	At      time.Time    `json:"at"`
}

// OpeningReleased says that it is over.
type OpeningReleased struct {
	Request event.Stream `json:"request"`
	At      time.Time    `json:"at"`
}

// Holder is the request that holds the opening, or empty.
type Holder event.Stream

const held = "held"

// Status is whether some request holds it.
func (s Holder) Status() string {
	if s == "" {
		return ""
	}
	return held
}

func evolveOpening(s Holder, e event.Event) Holder {
	switch e := e.(type) {
	case OpeningTaken:
		return Holder(e.Request)
	case OpeningReleased:
		return ""
	}
	return s
}

// ErrOpenRequest reports another open request of the same person.
var ErrOpenRequest = fault.New(fault.Conflict, "open-request-exists",
	"درخواست باز دیگری برای همین شخص، سازمان و نوع گواهی هست؛ همان را پیگیری کنید یا از آن انصراف دهید.",
	"Another request of this person, organisation and certificate type is open; follow it up or withdraw it.")

// TakeOpening makes a request the open one.
type TakeOpening OpeningTaken

// Decide lets the holder's retry pass, and nobody else.
func (c TakeOpening) Decide(s Holder) ([]event.Event, error) {
	switch s {
	case "":
		return []event.Event{OpeningTaken(c)}, nil
	case Holder(c.Request):
		return nil, nil
	}
	return nil, openingLife.Refuse(ErrOpenRequest, s.Status())
}

// ReleaseOpening lets go of it when the request is over.
type ReleaseOpening OpeningReleased

// Decide is done when another holds it, or nobody.
func (c ReleaseOpening) Decide(s Holder) ([]event.Event, error) {
	if s != Holder(c.Request) {
		return nil, nil
	}
	return []event.Event{OpeningReleased(c)}, nil
}
