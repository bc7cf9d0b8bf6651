package profile

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"govahi/domain/fault"
)

// ErrProduct reports a certificate type that is not offered.
var ErrProduct = fault.New(fault.Invalid, "certificate-type-unknown",
	"چنین نوع گواهی‌ای ارائه نمی‌شود؛ یکی از انواع فهرست‌شده را برگزینید.",
	"This type of certificate is not offered; choose one of those listed.").At("certificateType")

// File is a profile and the file that it was read from.
type File struct {
	Name    string // for messages
	Profile Profile
}

// Set is the profiles of a house; its zero value has none. The newest version of
// a name decides whether and by what it issues: a retired one ends it, for what
// was used is never changed.
type Set struct {
	byID    map[string]File
	newest  map[string]Profile // by name
	offered map[string]Profile // by product
}

// NewSet checks each profile and how they go together, or says of every file
// what is wrong with it.
func NewSet(files ...File) (Set, error) {
	s := Set{map[string]File{}, map[string]Profile{}, map[string]Profile{}}
	var wrong []error
	for _, f := range files {
		if err := f.Profile.validate(); err != nil {
			wrong = append(wrong, fmt.Errorf("%s:\n%w", f.Name, err))
			continue
		}
		wrong = append(wrong, s.add(f))
	}
	if err := errors.Join(wrong...); err != nil {
		return s, err
	}
	return s, s.settle()
}

func (s Set) add(f File) error {
	p := f.Profile
	if other, ok := s.byID[p.ID()]; ok {
		return fmt.Errorf("%s:\n%w", f.Name, fault.Remark("version", "%s در %s هم آمده است؛ به یکی از آن دو version دیگری بدهید.",
			"%s stands in %s already; give one of them another version", p.ID(), other.Name))
	}
	s.byID[p.ID()] = f
	if p.Version > s.newest[p.Name].Version {
		s.newest[p.Name] = p
	}
	return nil
}

// settle finds what is offered: one profile for each product, and one for each of
// those that are certified without a request.
func (s Set) settle() error {
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(s.newest)) {
		p := s.newest[name]
		if p.Retired {
			continue
		}
		field, what := "product", p.Product
		if what == "" {
			field, what = "holder", unasked(p.Holder)
		}
		if other, taken := s.offered[what]; taken {
			wrong = append(wrong, fmt.Errorf("%s:\n%w", s.File(p.ID()), fault.Remark(field,
				"%s برای همان چیزی است که %s هست (product %q، holder %s)؛ یکی از آن دو را با نسخهٔ تازه‌ای بازنشسته کنید.",
				"%s stands for the same as %s (product %q, holder %s); retire one of them by a new version",
				p.ID(), other.ID(), p.Product, p.Holder)))
			continue
		}
		s.offered[what] = p
	}
	if _, ok := s.Responder(); !ok {
		wrong = append(wrong, fault.Remark("holder", "هیچ نمایه‌ای که بازنشسته نشده باشد holder: %s ندارد؛ پاسخ‌گوی وضعیت گواهی به یکی نیاز دارد.",
			"no profile has holder: %s and is not retired; the OCSP responder needs one", Responder))
	}
	return errors.Join(wrong...)
}

// unasked is what stands for a product where nobody asks; no product has a colon.
func unasked(h Holder) string { return ":" + string(h) }

// Find is the profile that an event cites, name@version.
func (s Set) Find(id string) (Profile, bool) {
	f, ok := s.byID[id]
	return f.Profile, ok
}

// File is the file that the profile was read from, for messages.
func (s Set) File(id string) string { return s.byID[id].Name }

// Offered is the profile of a product, or ErrProduct.
func (s Set) Offered(product string) (Profile, error) {
	p, ok := s.offered[product]
	if !ok || p.Product == "" {
		return Profile{}, ErrProduct
	}
	return p, nil
}

// Products are what applicants may ask for, in order.
func (s Set) Products() []string {
	var products []string
	for what, p := range s.offered {
		if p.Product != "" {
			products = append(products, what)
		}
	}
	slices.Sort(products)
	return products
}

// Responder is the profile of the OCSP responder.
func (s Set) Responder() (Profile, bool) { return s.unasked(Responder) }

// Officer is the profile of an officer of a registration office.
func (s Set) Officer() (Profile, bool) { return s.unasked(Officer) }

func (s Set) unasked(h Holder) (Profile, bool) {
	p, ok := s.offered[unasked(h)]
	return p, ok
}

// All lists the profiles by ID.
func (s Set) All() []Profile {
	var all []Profile
	for _, id := range slices.Sorted(maps.Keys(s.byID)) {
		all = append(all, s.byID[id].Profile)
	}
	return all
}
