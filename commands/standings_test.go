package commands_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/event"
)

// halting is a log that stops answering.
type halting struct {
	event.Log
	halted atomic.Bool
}

func (l *halting) Head(ctx context.Context) (event.Position, error) {
	if l.halted.Load() {
		return 0, errCut
	}
	return l.Log.Head(ctx)
}

func (l *halting) ReadAll(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	return l.Log.ReadAll(ctx, after, prefixes...)
}

// follow runs standings on the house's log.
func follow(t *testing.T, log event.Log) *commands.Standings {
	t.Helper()
	s := commands.NewStandings(log)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return s
}

// stands waits until a serial stands as it should.
func stands(t *testing.T, s *commands.Standings, serial string, want commands.Standing) {
	t.Helper()
	var got commands.Standing
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got, _ = s.Of(serial); got == want {
			return
		}
	}
	t.Fatalf("%s stands %+v, not %+v", serial, got, want)
}

func TestStandingsFollowTheLog(t *testing.T) {
	h := open(t)
	stream := certificate.Kind.Stream("6701")
	put(h, certificate.Kind, stream, certificate.IssuanceIntended{Serial: "6701"})
	put(h, certificate.Kind, certificate.Kind.Stream("6702"), certificate.Revoked{Serial: "6702", Reason: certificate.Superseded, At: noon})
	s := follow(t, h.log)
	w := s.Watch("first", true)
	stands(t, s, "6702", commands.Standing{Status: certificate.Withdrawn, Reason: certificate.Superseded, Since: noon})
	if got, ok := s.Of("6701"); ok {
		t.Errorf("what was intended and not issued stands %+v", got)
	}
	if _, ok := s.Of("6703"); ok {
		t.Error("an unknown serial stands somewhere")
	}
	put(h, certificate.Kind, stream, certificate.Issued{Serial: "6701"})
	stands(t, s, "6701", commands.Standing{Status: certificate.Valid})
	put(h, certificate.Kind, stream, certificate.Suspended{Serial: "6701", At: noon})
	stands(t, s, "6701", commands.Standing{Status: certificate.OnHold, Reason: certificate.CertificateHold, Since: noon})
	put(h, certificate.Kind, stream, certificate.SuspensionLifted{Serial: "6701", At: noon})
	stands(t, s, "6701", commands.Standing{Status: certificate.Valid})
	put(h, certificate.Kind, stream, certificate.Revoked{Serial: "6701", Reason: certificate.Superseded, At: noon})
	put(h, certificate.Kind, stream, certificate.Revoked{Serial: "6701", Reason: certificate.KeyCompromise, At: noon.Add(time.Hour)})
	stands(t, s, "6701", commands.Standing{Status: certificate.Withdrawn, Reason: certificate.KeyCompromise, Since: noon})
	if changed := w.TakeChanges(); !slices.Contains(changed, "6701") || slices.Contains(changed, "6702") {
		t.Errorf("changed: %v", changed)
	}
	if all := slices.Collect(w.Serials()); !slices.Contains(all, "6701") || !slices.Contains(all, "6702") || slices.Contains(all, "6703") {
		t.Errorf("serials: %v", all)
	}
}

// TestStandingsThatAreOldAreNotSaid waits for what they may be at most.
func TestStandingsThatAreOldAreNotSaid(t *testing.T) {
	h := open(t)
	put(h, certificate.Kind, certificate.Kind.Stream("6701"), certificate.Issued{Serial: "6701"})
	log := &halting{Log: h.log}
	s := follow(t, log)
	stands(t, s, "6701", commands.Standing{Status: certificate.Valid})
	log.halted.Store(true)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if _, ok := s.Of("6701"); !ok {
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal("it is said for ever")
		}
	}
	log.halted.Store(false)
	stands(t, s, "6701", commands.Standing{Status: certificate.Valid})
}
