// Package tariff is the approved price of a product, in versions (S1.9).
package tariff

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
)

// Catalog lists every event of a product's tariff.
var Catalog = event.NewCatalog(
	event.Was("tariff.published.v1", publishedV1.upcast),
	event.Of[Published]("tariff.published.v2"),
)

// Kind is the stream `tariff-<certificate type>`.
var Kind = event.Kind[Tariff]{Category: "tariff", Catalog: Catalog, Evolve: Evolve}

// Level is an assurance level of the certificate policy, from the lowest to the
// highest (domain §4.1).
type Level int

// The levels.
const (
	Bronze Level = iota + 1
	Silver
	Gold
	Platinum
)

// Persian is the level's name.
func (l Level) Persian() string {
	return map[Level]string{Bronze: "برنزی", Silver: "نقره‌ای", Gold: "طلایی", Platinum: "پلاتینیوم"}[l]
}

// IssuerKind is whose intermediate authority issues.
type IssuerKind string

// The kinds.
const (
	Governmental    IssuerKind = "governmental"
	NonGovernmental IssuerKind = "non-governmental"
)

// Persian is the kind's name.
func (k IssuerKind) Persian() string {
	return map[IssuerKind]string{Governmental: "دولتی", NonGovernmental: "غیردولتی"}[k]
}

// Published is one version of the tariff. Amounts are whole rials.
type Published struct {
	Product      string     `json:"product"` // certificate type
	Level        Level      `json:"level"`
	IssuerKind   IssuerKind `json:"issuerKind"`
	Version      int        `json:"version"`
	TokenRial    int64      `json:"tokenRial"`    // the security token
	IssuanceRial int64      `json:"issuanceRial"` // the issuance
	ValidFrom    time.Time  `json:"validFrom"`
	By           string     `json:"by"`
	At           time.Time  `json:"at"`
}

// publishedV1 knew one level and one kind of issuer: those of the house then.
type publishedV1 struct {
	Product      string    `json:"product"`
	Version      int       `json:"version"`
	TokenRial    int64     `json:"tokenRial"`
	IssuanceRial int64     `json:"issuanceRial"`
	ValidFrom    time.Time `json:"validFrom"`
	By           string    `json:"by"`
	At           time.Time `json:"at"`
}

func (v publishedV1) upcast() event.Event {
	return Published{v.Product, Silver, Governmental, v.Version, v.TokenRial, v.IssuanceRial, v.ValidFrom, v.By, v.At}
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
	ErrClass = fault.New(fault.Invalid, "tariff-class-unknown",
		"سطح اطمینان از ۱ تا ۴ است و صادرکننده دولتی یا غیردولتی؛ یکی از آن‌ها را برگزینید.",
		"The assurance level is 1 to 4 and the issuer governmental or non-governmental; choose of these.").At("level")
	ErrAmount = fault.New(fault.Invalid, "amount-invalid",
		"مبلغ باید عدد صحیح ریال، نامنفی و در جمع بیش از صفر باشد.",
		"The amounts must be whole rials, not negative, and more than zero together.").At("issuanceRial")
	ErrFrom = fault.New(fault.Invalid, "tariff-date-invalid",
		"آغاز اعتبار نرخ روزی از سال ۱۲۱۰ تا ۱۶۰۰ هجری شمسی است؛ تاریخ را بازبینی کنید.",
		"A tariff begins on a day of the Jalali years 1210 to 1600; check the date.").At("validFrom")
)

// At is the version in force at a moment for a level and a kind of issuer: the
// latest published of those that have begun.
func (s Tariff) At(moment time.Time, level Level, kind IssuerKind) (Published, error) {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i].Level == level && s[i].IssuerKind == kind && !s[i].ValidFrom.After(moment) {
			return s[i], nil
		}
	}
	return Published{}, ErrNone
}

// Publish adds a version.
type Publish struct {
	Product                 string
	Level                   Level
	IssuerKind              IssuerKind
	TokenRial, IssuanceRial int64
	ValidFrom               time.Time
	By                      string
	At                      time.Time
}

// Decide numbers the version.
func (c Publish) Decide(s Tariff) ([]event.Event, error) {
	if c.Level < Bronze || c.Level > Platinum || c.IssuerKind.Persian() == "" {
		return nil, ErrClass
	}
	if !inRange(c.TokenRial) || !inRange(c.IssuanceRial) || c.TokenRial+c.IssuanceRial == 0 {
		return nil, ErrAmount
	}
	if !iran.FromTime(c.ValidFrom).Valid() { // the calendar by which it is printed has no such day
		return nil, ErrFrom
	}
	return []event.Event{Published{c.Product, c.Level, c.IssuerKind, len(s) + 1, c.TokenRial, c.IssuanceRial, c.ValidFrom, c.By, c.At}}, nil
}

// mostRial bounds an amount, far above any price and far below an overflow.
const mostRial = 1_000_000_000_000

func inRange(rial int64) bool { return rial >= 0 && rial <= mostRial }
