package mail

import (
	"context"
	"errors"

	"govahi/commands"
)

// ErrNone reports an instance that is connected to no mail server.
var ErrNone = errors.New("mail: no server is configured")

// None is the mail server of such an instance: every message waits.
type None struct{}

// Send refuses.
func (None) Send(context.Context, commands.Mail) error { return ErrNone }
