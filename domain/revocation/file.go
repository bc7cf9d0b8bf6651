package revocation

import (
	"maps"
	"time"

	"govahi/domain/event"
)

// File is the rule of one open case for a certificate: the stream
// `casefile-<serial>` says which case each doubt went to, before it goes there.
// What comes twice goes to the same one.
var File = event.Kind[Filing]{
	Category: "casefile",
	Catalog:  event.NewCatalog(event.Of[Filed]("casefile.filed.v1")),
	Evolve:   evolveFile,
}

// Filed says to which case a doubt goes.
type Filed struct {
	Case  string    `json:"case"`
	Cause string    `json:"cause"` // the command that brought it
	At    time.Time `json:"at"`
}

// Filing is the latest case, and where each doubt went.
type Filing struct {
	Case  string
	Where map[string]string // case by cause
}

func evolveFile(s Filing, e event.Event) Filing {
	if e, ok := e.(Filed); ok {
		where := maps.Clone(s.Where)
		if where == nil {
			where = map[string]string{}
		}
		where[e.Cause] = e.Case
		return Filing{e.Case, where}
	}
	return s
}

// PutOnFile brings a doubt to the open case, or to a new one.
type PutOnFile struct {
	Cause string
	New   string // the number of a case that nobody has opened
	Over  string // a case that is known to be closed, which it stays; or empty
	At    time.Time
}

// Decide lets a doubt stay where it went, unless that case was closed before it
// came there.
func (c PutOnFile) Decide(s Filing) ([]event.Event, error) {
	if went := s.Where[c.Cause]; went != "" && went != c.Over {
		return nil, nil
	}
	to := s.Case
	if to == "" || to == c.Over {
		to = c.New
	}
	return []event.Event{Filed{to, c.Cause, c.At}}, nil
}
