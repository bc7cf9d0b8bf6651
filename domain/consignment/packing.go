package consignment

import (
	"fmt"
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Packing is the rule that a dossier is in one consignment at a time: the stream
// `packing-<tracking code>` is held by one from before it is sent until the
// request itself knows that its dossier is on its way. From then on the request
// says where the dossier is, and whether it may be sent again.
var Packing = event.Kind[Packed]{
	Category: "packing",
	Catalog: event.NewCatalog(
		event.Of[PackingTaken]("packing.taken.v1"),
		event.Of[PackingReleased]("packing.released.v1"),
	),
	Evolve: evolvePacking, Life: packingLife,
}

// PackingTaken says in which consignment the dossier will go.
type PackingTaken struct {
	Consignment string    `json:"consignment"`
	Instead     string    `json:"instead,omitempty"` // of that one, which was called off
	At          time.Time `json:"at"`
}

// PackingReleased says that the request has followed the consignment.
type PackingReleased struct {
	Consignment string    `json:"consignment"`
	At          time.Time `json:"at"`
}

// Packed is the state: the consignment that has the dossier, or none, and those
// that had it before.
type Packed struct {
	Consignment string
	Since       time.Time
	Past        []string
}

const held = "held"

// Status is whether some consignment has it.
func (s Packed) Status() string {
	if s.Consignment == "" {
		return ""
	}
	return held
}

func evolvePacking(s Packed, e event.Event) Packed {
	if s.Consignment != "" {
		s.Past = append(slices.Clip(s.Past), s.Consignment)
	}
	switch e := e.(type) {
	case PackingTaken:
		s.Consignment, s.Since = e.Consignment, e.At
	case PackingReleased:
		s.Consignment, s.Since = "", time.Time{}
	}
	return s
}

// ErrPacked reports a dossier that another consignment has.
func ErrPacked(consignment string) *fault.Fault {
	return fault.New(fault.Conflict, "dossier-packed",
		fmt.Sprintf("یکی از این پرونده‌ها در محمولهٔ شمارهٔ %s است؛ آن را از این فهرست بردارید، یا بمانید تا آن محموله برسد یا مغایرتش روشن شود. اگر چنین محموله‌ای در فهرست محموله‌ها نیست، یک دقیقهٔ دیگر دوباره بفرستید.", consignment),
		fmt.Sprintf("One of these dossiers is in consignment %s; leave it out, or wait until that one is received or its discrepancy is resolved. If there is no such one among the consignments, send again in a minute.", consignment)).At("dossiers")
}

// TakePacking puts a dossier into a consignment, maybe instead of one that was
// called off.
type TakePacking PackingTaken

// Decide lets the retry of a consignment pass that has the dossier, or had it:
// whether it was sent or called off since, its own stream says.
func (c TakePacking) Decide(s Packed) ([]event.Event, error) {
	switch {
	case s.Consignment == c.Consignment || slices.Contains(s.Past, c.Consignment):
		return nil, nil
	case s.Consignment == "":
		return []event.Event{PackingTaken{Consignment: c.Consignment, At: c.At}}, nil
	case s.Consignment == c.Instead:
		return []event.Event{PackingTaken(c)}, nil
	}
	return nil, packingLife.Refuse(ErrPacked(s.Consignment), s.Status())
}

// ReleasePacking lets go of a dossier whose request follows the consignment.
type ReleasePacking PackingReleased

// Decide is done when another has it, or none.
func (c ReleasePacking) Decide(s Packed) ([]event.Event, error) {
	if s.Consignment != c.Consignment || s.Consignment == "" {
		return nil, nil
	}
	return []event.Event{PackingReleased(c)}, nil
}
