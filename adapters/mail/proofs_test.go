package mail_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"govahi/adapters/limits"
	"govahi/adapters/mail"
	"govahi/commands"
)

// server takes letters, unless it is down.
type server struct {
	down  bool
	taken []string
}

var errDown = errors.New("the mail server is down")

func (s *server) Send(_ context.Context, m commands.Mail) error {
	if s.down {
		return errDown
	}
	s.taken = append(s.taken, m.To)
	return nil
}

// TestProofsAreBoundedByAddress, in whatever case it is written; other letters
// pass.
func TestProofsAreBoundedByAddress(t *testing.T) {
	s := &server{}
	p := mail.Proofs{Mailer: s, Tries: &limits.Tries{Max: 2, Within: time.Hour, Clock: time.Now}}
	for n, to := range []string{"sample@example.ir", "Sample@example.ir", "SAMPLE@example.ir", "sample@example.ir"} {
		if err := p.Send(t.Context(), commands.Mail{To: to, Proof: true}); errors.Is(err, commands.ErrAddressFull) != (n >= 2) {
			t.Errorf("proof %d: %v", n, err)
		}
	}
	for _, m := range []commands.Mail{{To: "sample@example.ir"}, {To: "other@example.ir", Proof: true}} {
		if err := p.Send(t.Context(), m); err != nil {
			t.Error(err)
		}
	}
	if len(s.taken) != 4 {
		t.Errorf("%d letters", len(s.taken))
	}
}

// TestALetterThatWasNotTakenCountsNothing: while the server is down, tries fill
// no address.
func TestALetterThatWasNotTakenCountsNothing(t *testing.T) {
	s := &server{down: true}
	p := mail.Proofs{Mailer: s, Tries: &limits.Tries{Max: 2, Within: time.Hour, Clock: time.Now}}
	m := commands.Mail{To: "sample@example.ir", Proof: true}
	for range 5 {
		if err := p.Send(t.Context(), m); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
	}
	s.down = false
	if err := p.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
}
