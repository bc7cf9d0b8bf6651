package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"govahi/adapters/signer"
	"govahi/adapters/token"
)

const (
	again      = 500 * time.Millisecond // between two looks for the token
	openWithin = 10 * time.Second       // a module that takes longer hangs
)

// patiently opens the token as soon as it can; until then the front says why not.
// What waiting does not mend is an error. The same trouble is told once.
func (s serve) patiently(ctx context.Context, front *signer.Front) (keys, error) {
	for said := ""; ; {
		k, err := s.keys()
		why := trouble(err)
		if err == nil || why == nil {
			return k, err
		}
		front.Refuse(why)
		if err.Error() != said {
			said = err.Error()
			// For people: a log would write Persian in escapes.
			_, _ = fmt.Fprintf(os.Stderr, "govahi-signer: توکن باز نمی‌شود؛ تا درست شود هر نیم ثانیه دوباره نگاه می‌شود:\n"+
				"govahi-signer: the token cannot be opened; it is looked for twice a second until it can:\n%v\n", advised(err))
		}
		select {
		case <-ctx.Done():
			return keys{}, ctx.Err()
		case <-time.After(again):
		}
	}
}

// keys opens the token and finds what serving needs. A module that hangs cannot
// be stopped: the process ends, and a new one tries.
func (s serve) keys() (keys, error) {
	watch := time.AfterFunc(openWithin, func() {
		slog.Error("the token's module hangs; exiting to be started again")
		os.Exit(lost{}.ExitCode())
	})
	defer watch.Stop()
	t, err := s.open()
	if err != nil {
		return keys{}, err
	}
	k, err := find(t, home(s.Dir))
	if err != nil {
		return keys{}, errors.Join(err, t.Close())
	}
	return k, nil
}

// trouble is what time or an operator may mend.
func trouble(err error) error {
	_, code := token.Code(err)
	switch {
	case errors.Is(err, token.ErrPIN):
		return signer.ErrPIN
	case errors.Is(err, token.ErrNoToken), code:
		return signer.ErrToken
	}
	return nil
}
