// Package tariff is the approved price of a product, in versions (S1.9).
package tariff

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a product's tariff.
var Catalog = event.NewCatalog(event.Of[Published]("tariff.published.v1"))

// Kind is the stream `tariff-<certificate type>`.
var Kind = event.Kind[Tariff]{Category: "tariff", Catalog: Catalog, Evolve: Evolve}

// Published is one version of the tariff. Amounts are whole rials.
type Published struct {
	Product      string    `json:"product"` // certificate type
	Version      int       `json:"version"`
	TokenRial    int64     `json:"tokenRial"`    // the security token
	IssuanceRial int64     `json:"issuanceRial"` // the issuance
	ValidFrom    time.Time `json:"validFrom"`
	By           string    `json:"by"`
	At           time.Time `json:"at"`
}

// TotalRial is what an applicant pays.
func (p Published) TotalRial() int64 { return p.TokenRial + p.IssuanceRial }

// Tariff is the state: all versions, oldest first.
type Tariff []Published

// Evolve is what each event means.
func Evolve(s Tariff, e event.Event) Tariff {
	return append(s[:len(s):len(s)], e.(Published))
}

// The refusals.
var (
	ErrNone = fault.New(fault.Conflict, "tariff-missing",
		"برای این نوع گواهی نرخ مصوبی در این تاریخ نیست؛ مدیر باید نرخ را منتشر کند.",
		"No approved tariff is in force for this certificate type; a manager must publish one.")
	ErrAmount = fault.New(fault.Invalid, "amount-invalid",
		"مبلغ باید عدد صحیح ریال، نامنفی و در جمع بیش از صفر باشد.",
		"The amounts must be whole rials, not negative, and more than zero together.").At("issuanceRial")
)

// At is the version in force at a moment, the latest published of those that
// have begun.
func (s Tariff) At(moment time.Time) (Published, error) {
	for i := len(s) - 1; i >= 0; i-- {
		if !s[i].ValidFrom.After(moment) {
			return s[i], nil
		}
	}
	return Published{}, ErrNone
}

// Publish adds a version.
type Publish struct {
	Product                 string
	TokenRial, IssuanceRial int64
	ValidFrom               time.Time
	By                      string
	At                      time.Time
}

// Decide numbers the version.
func (c Publish) Decide(s Tariff) ([]event.Event, error) {
	if !inRange(c.TokenRial) || !inRange(c.IssuanceRial) || c.TokenRial+c.IssuanceRial == 0 {
		return nil, ErrAmount
	}
	return []event.Event{Published{c.Product, len(s) + 1, c.TokenRial, c.IssuanceRial, c.ValidFrom, c.By, c.At}}, nil
}

// mostRial bounds an amount, far above any price and far below an overflow.
const mostRial = 1_000_000_000_000

func inRange(rial int64) bool { return rial >= 0 && rial <= mostRial }
