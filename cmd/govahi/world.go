package main

import (
	"context"
	"errors"
	"time"

	"govahi/adapters/mail"
	"govahi/adapters/registry"
	"govahi/adapters/sso"
	"govahi/commands"
)

// The world outside is simulated in development, and only there. Outside
// development an instance that is connected to nothing waits: inquiries are
// deferred, messages postponed, and nobody is taken for matched.

func (h *house) civilRegistry() commands.CivilRegistry {
	if h.Mode == sso.Development {
		return heardRegistry{simulatedRegistry{registry.NewSimulator()}, &h.registryHeard}
	}
	return heardRegistry{registry.None{}, &h.registryHeard}
}

func (h *house) mailServer() (commands.Mailer, error) {
	if h.Mode == sso.Development {
		outbox, err := mail.OpenOutbox(h.data.path("outbox"))
		return heardMail{simulatedMail{outbox}, &h.mailHeard}, err
	}
	return heardMail{mail.None{}, &h.mailHeard}, nil
}

// openBounces opens the directory of reports, if there is one.
func (h *house) openBounces() (err error) {
	dir := h.Bounces
	if dir == "" && h.Mode == sso.Development {
		dir = h.data.path("bounces")
	}
	if dir != "" {
		h.bounces, err = mail.OpenBounces(dir)
	}
	return err
}

// takeBounce tells the log what was set aside: the name of the file, and nothing
// of what is in it.
func (h *house) takeBounce(ctx context.Context, c commands.Caller, name string) error {
	err := h.app.TakeBounce(ctx, c, h.bounces, name)
	if errors.Is(err, commands.ErrSetAside) {
		h.report.Warn("look at it in the directory aside", "report", name, "error", err)
		return nil
	}
	return err
}

// worldWithin is how long a server of the world outside may take for one call.
// Later it counts as away, and is asked again in its turn.
const worldWithin = 10 * time.Second

// heardRegistry bounds each call and remembers how it went.
type heardRegistry struct {
	commands.CivilRegistry
	heard *outcome
}

func (r heardRegistry) Inquire(ctx context.Context, id string, q commands.RegistryQuestion) (commands.RegistryAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, worldWithin)
	defer cancel()
	a, err := r.CivilRegistry.Inquire(ctx, id, q)
	r.heard.note(err)
	return a, err
}

// heardMail does the same.
type heardMail struct {
	commands.Mailer
	heard *outcome
}

func (m heardMail) Send(ctx context.Context, message commands.Mail) error {
	ctx, cancel := context.WithTimeout(ctx, worldWithin)
	defer cancel()
	err := m.Mailer.Send(ctx, message)
	m.heard.note(err)
	return err
}
