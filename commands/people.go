package commands

import (
	"context"
	"encoding/hex"
	"slices"

	"govahi/domain/appointment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/person"
)

// Shredder destroys a subject's key (domain §7.3).
type Shredder interface {
	Destroy(ctx context.Context, s event.Subject) error
}

// EraseSubject decides that a person's data is destroyed, on a stated legal
// basis; a policy destroys the key. The order is bound to the person first: its
// repetition comes when the code may be somebody else's.
func (a *App) EraseSubject(ctx context.Context, c Caller, code, legalBasis string) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.Manager, "")
	if err != nil {
		return Receipt{}, err
	}
	if !slices.Contains(person.LegalBases, legalBasis) {
		return Receipt{}, errLegalBasis
	}
	subject, err := a.concerned(ctx, c, authority, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "EraseSubject", authority, string(subject))
	as.claimed = true
	order := person.OrderErasure{Subject: subject, LegalBasis: legalBasis, By: c.Person, At: as.at}
	return transact(ctx, a, person.Kind, person.Kind.Stream(string(subject)), as, just[person.Person](order))
}

// concerned is whom an order of erasure concerns: who had the code when it was
// first given.
func (a *App) concerned(ctx context.Context, c Caller, authority, code string) (event.Subject, error) {
	order := hex.EncodeToString(a.Secrets.Derive("erasure", c.actor(), c.Key))
	stream := person.Addressing.Stream(order)
	h, err := load(ctx, a, person.Addressing, stream)
	if err != nil {
		return "", err
	}
	subject := h.state.Subject
	if subject == "" {
		if subject, err = a.knownPerson(ctx, code); err != nil {
			return "", err
		}
	}
	as := a.do(c, "EraseSubject", authority, string(subject))
	if _, _, err := once(ctx, a, &as, stream, h, false); err != nil {
		return "", err
	}
	_, err = transactFrom(ctx, a, person.Addressing, stream, h, as, just[person.Addressed](person.Address{Subject: subject, At: as.at}))
	return subject, err
}

var (
	errLegalBasis = fault.New(fault.Invalid, "legal-basis-unknown",
		"مبنای قانونی را از فهرست برگزینید.", "Choose the legal basis from the list.").At("legalBasis")
	errNobody = fault.New(fault.NotFound, "person-not-found",
		"کسی با این کد در سامانه نیست؛ کد را بازبینی کنید.", "Nobody of this code is known here; check the code.").At("personCode")
)

// knownPerson never makes somebody new: a mistyped code erases nobody.
func (a *App) knownPerson(ctx context.Context, input string) (event.Subject, error) {
	var n normaliser
	code := n.parsed("personCode", input, personCode)
	if n.err != nil {
		return "", n.err
	}
	subject, known, err := a.People.Lookup(ctx, code)
	if err == nil && !known {
		err = errNobody
	}
	return subject, err
}

// DestroyKey carries out an ordered erasure: the key first, then the word that
// it is gone; a crash in between repeats a destruction that is done already.
func (a *App) DestroyKey(ctx context.Context, c Caller, vault Shredder, subject event.Subject) error {
	if err := vault.Destroy(ctx, subject); err != nil {
		return err
	}
	as := a.do(c, "DestroyKey", "policy", string(subject))
	note := person.NoteErased{Subject: subject, At: as.at}
	_, err := transact(ctx, a, person.Kind, person.Kind.Stream(string(subject)), as, just[person.Person](note))
	return err
}
