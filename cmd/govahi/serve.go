package main

import "slices"

// serve is a part of a house that stands on several machines, or a whole one
// whose log, bus or databases stand elsewhere.
type serve struct {
	settings
	Roles []string `env:"GOVAHI_ROLES" default:"api,relay,projector,policy,issuer" enum:"api,relay,projector,policy,issuer" help:"What this process does, by commas; default: everything."`
}

// Run serves until it is told to stop.
func (s serve) Run() error {
	slices.Sort(s.Roles)
	roles := slices.Compact(s.Roles)
	if err := s.lonely(roles); err != nil {
		return err
	}
	return s.live(roles, false)
}
