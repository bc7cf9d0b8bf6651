package main

import (
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
		return registry.NewSimulator()
	}
	return registry.None{}
}

func (h *house) mailServer() (commands.Mailer, error) {
	if h.Mode == sso.Development {
		return mail.OpenOutbox(h.data.path("outbox"))
	}
	return mail.None{}, nil
}
