// Package office is a place where people act: a registration office (دفتر
// ثبت‌نام), a research and technology unit (واحد پژوهش و فناوری), the authority
// contracted with the CA (مرجع طرف قرارداد), or the unit of an oil company that
// hands tokens over (واحد ذی‌ربط).
package office

import (
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of an office.
var Catalog = event.NewCatalog(
	event.Was("office.opened.v1", openedV1.upcast),
	event.Of[Opened]("office.opened.v2"),
	event.Of[Licensed]("office.licensed.v1"),
	event.Of[ControlsAnnounced]("office.controls-announced.v1"),
)

// Kind is the stream `office-<code>`.
var Kind = event.Kind[Office]{Category: "office", Catalog: Catalog, Evolve: Evolve}

// Office is the state.
type Office struct {
	Opened
	Licence   Licensed          // the latest
	Announced ControlsAnnounced // the latest
}

// Evolve is what each event means.
func Evolve(s Office, e event.Event) Office {
	switch e := e.(type) {
	case Opened:
		s.Opened = e
	case Licensed:
		s.Licence = e
	case ControlsAnnounced:
		s.Announced = e
	}
	return s
}

// Licensed tells whether the office may send requests to the CA at a moment
// (domain §4.1, Art. 14).
func (s Office) Licensed(at time.Time) bool {
	return !at.Before(s.Licence.From) && at.Before(s.Licence.Until)
}

// Sort is what a place does (S1.33).
type Sort string

// The sorts.
const (
	Registration Sort = "registration-office"  // دفتر ثبت‌نام
	Research     Sort = "research-unit"        // واحد پژوهش و فناوری
	Authority    Sort = "contracted-authority" // مرجع طرف قرارداد, S1.19
	CompanyUnit  Sort = "company-unit"         // واحد ذی‌ربط در شرکت نفتی, S1.24
)

// Sorts lists them.
var Sorts = []Sort{Registration, Research, Authority, CompanyUnit}

// Licensed is the CA's licence, or its contract with the authority, for a term;
// a later one replaces it, also with an earlier end.
type Licensed struct {
	Number string    `json:"number"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"` // three years at most
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Opened names an office.
type Opened struct {
	Code     string    `json:"code"` // short, lower-case, for good
	Sort     Sort      `json:"sort"`
	Name     string    `json:"name"` // Persian
	Province string    `json:"province"`
	City     string    `json:"city"`
	Company  string    `json:"company,omitempty"` // national ID of the company that a unit belongs to
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// openedV1 knew no companies.
type openedV1 struct {
	Code     string    `json:"code"`
	Sort     Sort      `json:"sort"`
	Name     string    `json:"name"`
	Province string    `json:"province"`
	City     string    `json:"city"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

func (v openedV1) upcast() event.Event {
	return Opened{Code: v.Code, Sort: v.Sort, Name: v.Name, Province: v.Province, City: v.City, By: v.By, At: v.At}
}

// The refusals.
var (
	ErrNotFound = fault.New(fault.NotFound, "office-not-found",
		"چنین دفتری نیست؛ از فهرست دفترها برگزینید.", "There is no such office; choose one of the list.").At("office")
	ErrSort = fault.New(fault.Invalid, "office-sort-unknown",
		"نوع را دفتر ثبت‌نام، واحد پژوهش و فناوری، مرجع طرف قرارداد یا واحد شرکت برگزینید.",
		"Choose the sort: registration-office, research-unit, contracted-authority or company-unit.").At("sort")
	ErrCompany = fault.New(fault.Invalid, "office-company-wrong",
		"شرکت را برای واحد شرکت حتماً و برای واحد پژوهش و فناوری در صورت تعلق به یک شرکت بنویسید؛ دفتر و مرجع شرکتی ندارند.",
		"Name the company of a company unit, and of a research unit that belongs to one; offices and authorities have none.").At("company")
	ErrTerm = fault.New(fault.Invalid, "licence-term-invalid",
		"پایان پروانه پس از آغاز آن و حداکثر سه سال پس از آن است.",
		"A licence ends after its beginning, and three years after it at most.").At("validUntil")
	ErrUnlicensed = fault.New(fault.Conflict, "office-not-licensed",
		"پروانهٔ دفتر اعتبار ندارد و چیزی به مرکز صدور نمی‌فرستد؛ مرکز باید آن را تمدید کند.",
		"The office's licence is not in force, so it can send nothing to the CA; the CA must renew it.")
	ErrTaken = fault.New(fault.Conflict, "office-code-taken",
		"دفتری با این کد هست؛ کد دیگری برگزینید.", "An office has this code; choose another.").At("code")
)

// Open founds an office.
type Open Opened

// Decide refuses a second office under one code.
func (c Open) Decide(s Office) ([]event.Event, error) {
	switch {
	case !slices.Contains(Sorts, c.Sort):
		return nil, ErrSort
	case c.Sort == CompanyUnit && c.Company == "", (c.Sort == Registration || c.Sort == Authority) && c.Company != "":
		return nil, ErrCompany
	}
	if s.Code != "" {
		return nil, ErrTaken
	}
	return []event.Event{Opened(c)}, nil
}
