package mail

import (
	"context"
	"strings"

	"govahi/commands"
)

// Proofs bounds the letters that ask an address to prove itself: anybody may
// have put any address into a form. All other letters pass.
type Proofs struct {
	commands.Mailer
	// Begin counts a letter to an address, or refuses it.
	Begin func(address string) bool
}

// Send refuses with commands.ErrAddressFull what is too much.
func (p Proofs) Send(ctx context.Context, m commands.Mail) error {
	if m.Proof && !p.Begin(strings.ToLower(m.To)) {
		return commands.ErrAddressFull
	}
	return p.Mailer.Send(ctx, m)
}
