package main

import (
	"slices"

	"govahi/domain/fault"
)

// What a process may do. Any number of processes may have the same role; what
// keeps them from doing a thing twice is said with each.
const (
	roleAPI       = "api"       // commands, queries, pages, OCSP: the log's expected revisions
	roleRelay     = "relay"     // log to JetStream: the stream's last message
	roleProjector = "projector" // events to tables: the checkpoint's row
	rolePolicy    = "policy"    // whenever this happened, ask for that; mail, registry: the command's ID
	roleIssuer    = "issuer"    // certificates and revocation lists: SigningStarted
)

// allRoles are those of a house that stands alone.
var allRoles = []string{roleAPI, roleRelay, roleProjector, rolePolicy, roleIssuer}

// has tells whether the house has one of the roles.
func (h *house) has(roles ...string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(h.roles, r) })
}

// feeds tells whether it listens to, or feeds, the bus.
func (h *house) feeds() bool { return h.has(roleRelay, roleProjector, rolePolicy, roleIssuer) }

// opens tells whether it reads personal data, for which it needs vault and
// signer, and the views beside them.
func (h *house) opens() bool { return h.has(roleAPI, roleProjector, rolePolicy, roleIssuer) }

// lonely refuses a part of the roles on what no other process sees: whoever has
// the others would work on another log.
func (s settings) lonely(roles []string) error {
	if len(roles) == len(allRoles) {
		return nil
	}
	w, h := &fault.Remarks{}, house{roles: roles}
	for _, c := range []struct {
		name, text string
		needed     bool
	}{
		{"GOVAHI_LOG", s.Log, true},
		{"GOVAHI_NATS", s.NATS, h.feeds()},
		{"GOVAHI_POSTGRES", s.Postgres, h.opens()},
		{"GOVAHI_VAULT", s.Vault, h.opens()},
	} {
		w.Need(!c.needed || c.text != "", c.name, "فرایندی که تنها نقش‌های %q را دارد بخش‌های خود را با دارندگان نقش‌های دیگر به اشتراک می‌گذارد؛ این تنظیم را تعیین کنید.",
			"a process with only the roles %q shares its parts with those that have the others: set it", roles)
	}
	return unsettled(w.Err())
}
