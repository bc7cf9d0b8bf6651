package commands

import (
	"context"
	"strings"

	"govahi/domain/appointment"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/domain/person"
)

// Shredder destroys a subject's key (domain §7.3).
type Shredder interface {
	Destroy(ctx context.Context, s event.Subject) error
}

// EraseSubject decides that a person's data is destroyed, on a stated legal
// basis; a policy destroys the key.
func (a *App) EraseSubject(ctx context.Context, c Caller, code, legalBasis string) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.Manager, "")
	if err != nil {
		return Receipt{}, err
	}
	subject, err := a.personOf(ctx, code)
	if err != nil {
		return Receipt{}, err
	}
	basis := strings.TrimSpace(iran.Canonical(legalBasis))
	if basis == "" {
		return Receipt{}, errRequired.At("legalBasis")
	}
	as := a.do(c, "EraseSubject", authority, string(subject))
	order := person.OrderErasure{Subject: subject, LegalBasis: basis, By: c.Person, At: as.at}
	return transact(ctx, a, person.Kind, person.Kind.Stream(string(subject)), as, just[person.Person](order))
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
