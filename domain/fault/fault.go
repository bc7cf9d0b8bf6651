// Package fault says why a request was refused.
//
// A fault has a kind, a stable code, a text in Persian and English that names
// the remedy, and, where one field is to blame, that field. It never repeats a
// submitted value.
package fault

import (
	"errors"
	"time"
)

// Kind is what a refusal means to the caller; the doors map it to a status.
type Kind int

// The kinds, from the caller's own mistake to ours.
const (
	Invalid         Kind = iota + 1 // the request is malformed or a field is wrong
	Unauthenticated                 // nobody is known to ask
	Forbidden                       // this person may not ask
	NotFound                        // there is no such thing, or not for this person
	Conflict                        // the thing is in another state than the request needs
	TooMany                         // asked too often
	Unavailable                     // a part we need is down; try again later
	Erased                          // the personal data was destroyed on request
	Internal                        // our own fault
)

// Text is a message in both languages.
type Text struct{ Fa, En string }

// Fault is a refusal.
type Fault struct {
	Kind  Kind
	Code  string // stable, lower-case, dashed
	Field string // JSON name of the field to blame, or empty
	Text  Text
	Wait  time.Duration // of TooMany: after it, asking again makes sense
}

// New makes a fault. The code is stable: clients may depend on it.
func New(kind Kind, code, fa, en string) *Fault {
	return &Fault{Kind: kind, Code: code, Text: Text{Fa: fa, En: en}}
}

// Error returns the code and the field: safe for logs, no personal data.
func (f *Fault) Error() string {
	if f.Field == "" {
		return f.Code
	}
	return f.Code + " at " + f.Field
}

// At returns the same fault, blaming a field.
func (f *Fault) At(field string) *Fault {
	g := *f
	g.Field = field
	return &g
}

// After returns the same fault, saying how long to wait.
func (f *Fault) After(d time.Duration) *Fault {
	g := *f
	g.Wait = d
	return &g
}

// Is reports the same code, so that errors.Is ignores the field.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.Code == f.Code
}

// Of finds the fault in an error, however deeply it was wrapped.
func Of(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}

// All lists the faults of an error that joins several, such as each wrong field
// of a form, in the order in which they were joined. The first is that of Of.
func All(err error) []*Fault {
	switch e := err.(type) {
	case *Fault:
		return []*Fault{e}
	case interface{ Unwrap() error }:
		return All(e.Unwrap())
	case interface{ Unwrap() []error }:
		var all []*Fault
		for _, part := range e.Unwrap() {
			all = append(all, All(part)...)
		}
		return all
	}
	return nil
}
