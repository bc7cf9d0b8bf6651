package registry

import (
	"context"

	"govahi/commands"
)

// None is the registry of an instance that is connected to none: every inquiry
// waits, and nobody is taken for matched.
type None struct{}

// Inquire is out of reach.
func (None) Inquire(context.Context, string, commands.RegistryQuestion) (commands.RegistryAnswer, error) {
	return commands.RegistryAnswer{}, ErrDown
}
