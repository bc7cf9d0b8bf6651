package commands_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/office"
	"govahi/domain/person"
)

func TestTheFirstAdministratorIsAppointedOnce(t *testing.T) {
	h := empty(t)
	if _, err := h.Bootstrap(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	before := h.head()
	if _, err := h.Bootstrap(t.Context(), admin); err != nil || h.head() != before {
		t.Errorf("his retry: %v", err)
	}
	h.refused(appointment.ErrFounded, func() error { _, err := h.Bootstrap(t.Context(), manager); return err })
	h.appoint(manager, appointment.Administrator, "", noon.AddDate(1, 0, 0))
	h.did(h.Dismiss(t.Context(), h.by(manager), commands.Dismiss{PersonCode: admin, Role: appointment.Administrator}))
	h.refused(appointment.ErrFounded, func() error { _, err := h.Bootstrap(t.Context(), admin); return err })
	h.refused(commands.ErrForbidden, func() error {
		_, err := h.OpenOffice(t.Context(), h.by(admin), commands.OpenOffice{Sort: office.Registration, Code: "office-9", Name: "دفتر", Province: "تهران", City: "تهران"})
		return err
	})
}

func TestABootstrapThatWasCutOffIsFinished(t *testing.T) {
	h := empty(t)
	h.log.cutAt("appointment", func() {
		if _, err := h.Bootstrap(t.Context(), admin); !errors.Is(err, commands.ErrLogUnavailable) {
			t.Fatalf("got %v", err)
		}
	})
	h.refused(appointment.ErrFounded, func() error { _, err := h.Bootstrap(t.Context(), manager); return err })
	if _, err := h.Bootstrap(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	h.appoint(manager, appointment.Manager, "", noon.AddDate(1, 0, 0))
}

// TestAHouseWithoutAnAdministratorIsFoundedAgain: appointments end, and nobody is
// left to appoint; as long as there is one, nobody is let through.
func TestAHouseWithoutAnAdministratorIsFoundedAgain(t *testing.T) {
	h := open(t)
	h.clock.pass(365*24*time.Hour - 1)
	h.refused(appointment.ErrFounded, func() error { _, err := h.Bootstrap(t.Context(), manager); return err })
	h.clock.pass(1)
	h.refused(commands.ErrForbidden, func() error {
		_, err := h.Appoint(t.Context(), h.by(admin), commands.Appoint{PersonCode: admin, Role: appointment.Administrator, Until: noon.AddDate(2, 0, 0)})
		return err
	})
	h.log.cutAt("appointment", func() {
		if _, err := h.Bootstrap(t.Context(), manager); !errors.Is(err, commands.ErrLogUnavailable) {
			t.Fatalf("got %v", err)
		}
	})
	for range 2 {
		if _, err := h.Bootstrap(t.Context(), manager); err != nil {
			t.Fatal(err)
		}
	}
	h.refused(appointment.ErrFounded, func() error { _, err := h.Bootstrap(t.Context(), admin); return err })
	h.did(h.Appoint(t.Context(), h.by(manager), commands.Appoint{PersonCode: admin, Role: appointment.Administrator, Until: noon.AddDate(2, 0, 0)}))
	if got := len(h.stream(appointment.Kind.Stream(string(subject(manager))))); got != 2 {
		t.Errorf("the manager was appointed %d times", got)
	}
}

func TestABootstrapNeedsARealCode(t *testing.T) {
	h := empty(t)
	if _, err := h.Bootstrap(t.Context(), "9992001010"); err == nil || h.head() != 0 {
		t.Errorf("got %v", err)
	}
}

func TestAppointmentsHaveAPlaceAndAnEnd(t *testing.T) {
	h := open(t)
	year := noon.AddDate(1, 0, 0)
	for name, c := range map[string]struct {
		in   commands.Appoint
		want *fault.Fault
	}{
		"no place":         {commands.Appoint{PersonCode: neighbour, Role: appointment.RegistrationOfficer, Until: year}, appointment.ErrPlace},
		"an unknown place": {commands.Appoint{PersonCode: neighbour, Role: appointment.RegistrationOfficer, Place: "moon", Until: year}, office.ErrNotFound},
		"over already":     {commands.Appoint{PersonCode: neighbour, Role: appointment.Manager, Until: noon}, appointment.ErrUntil},
		"an unknown role":  {commands.Appoint{PersonCode: neighbour, Role: "emperor", Until: year}, appointment.ErrRole},
	} {
		t.Run(name, func(t *testing.T) {
			h.refused(c.want, func() error { _, err := h.Appoint(t.Context(), h.by(admin), c.in); return err })
		})
	}
	_, err := h.Appoint(t.Context(), h.by(admin), commands.Appoint{PersonCode: "12", Role: appointment.Manager, Until: year})
	if f, ok := fault.Of(err); !ok || f.Field != "personCode" {
		t.Errorf("a wrong code: %v", err)
	}
	h.refused(office.ErrTaken, func() error {
		_, err := h.OpenOffice(t.Context(), h.by(admin), commands.OpenOffice{Sort: office.Registration, Code: "office-1", Name: "دفتر", Province: "تهران", City: "تهران"})
		return err
	})
}

// keys is a vault's shredder.
type keys struct {
	*house
	destroyed []event.Subject
	err       error
}

func (k *keys) Destroy(_ context.Context, s event.Subject) error {
	if k.err != nil {
		return k.err
	}
	k.keeper.Forget(s)
	k.destroyed = append(k.destroyed, s)
	return nil
}

func TestAnErasureIsOrderedDoneAndProved(t *testing.T) {
	h := open(t)
	vault := &keys{house: h}
	ask := func() (commands.Receipt, error) {
		return h.EraseSubject(t.Context(), keyed(manager, "erase"), applicant, "court-order")
	}
	h.refused(person.ErrNotOrdered, func() error {
		return h.DestroyKey(t.Context(), commands.Caller{Policy: "destroy", Key: "1"}, &keys{house: empty(t)}, subject(applicant))
	})
	order := h.did(ask())
	vault.err = errCut
	if err := h.DestroyKey(t.Context(), commands.Caller{Policy: "destroy", Key: "2"}, vault, subject(applicant)); !errors.Is(err, errCut) {
		t.Fatalf("got %v", err)
	}
	if got := h.names(order.Stream); got != "erasure-ordered" {
		t.Errorf("said before it was done: %s", got)
	}
	vault.err = nil
	for range 2 {
		if err := h.DestroyKey(t.Context(), commands.Caller{Policy: "destroy", Key: "2"}, vault, subject(applicant)); err != nil {
			t.Fatal(err)
		}
	}
	if again := h.did(ask()); again != order || h.names(order.Stream) != "erasure-ordered erased" {
		t.Errorf("the story is %q", h.names(order.Stream))
	}
	if _, err := h.EraseSubject(t.Context(), h.by(manager), neighbour, " "); err == nil {
		t.Error("an erasure without a legal basis")
	}
}
