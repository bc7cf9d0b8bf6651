package mail

import (
	"context"
	"strings"
	"time"

	"govahi/commands"
)

// Proofs bounds the letters that ask an address to prove itself: anybody may
// have put any address into a form. All other letters pass.
type Proofs struct {
	commands.Mailer
	Tries Tries // by address
}

// Tries counts letters to an address, and takes back those that were not taken.
type Tries interface {
	Begin(address string) (wait time.Duration, ok bool)
	Forgive(address string)
}

// Send refuses with commands.ErrAddressFull what is too much.
func (p Proofs) Send(ctx context.Context, m commands.Mail) error {
	if !m.Proof {
		return p.Mailer.Send(ctx, m)
	}
	address := strings.ToLower(m.To)
	if _, ok := p.Tries.Begin(address); !ok {
		return commands.ErrAddressFull
	}
	err := p.Mailer.Send(ctx, m)
	if err != nil {
		p.Tries.Forgive(address)
	}
	return err
}
