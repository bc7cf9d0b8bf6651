package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	web "net/http"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"govahi/adapters/http"
	"govahi/adapters/mail"
	"govahi/adapters/postgres/pgtest"
	"govahi/adapters/registry"
	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/domain/fault/faulttest"
)

func TestHooksAreRefusedOutsideDevelopment(t *testing.T) {
	s := settings{Listen: "127.0.0.1:1", OIDCIssuer: "http://idp.example.ir", OIDCKeys: "https://idp.example.ir/keys"}
	for _, hook := range []string{crashHook, troubleHook} {
		t.Run(hook, func(t *testing.T) {
			t.Setenv(hook, "anything")
			s.Mode = sso.Production
			if err := s.check(); err == nil || faulttest.Remarked(err.Error(), hook) != nil {
				t.Errorf("production: %v", err)
			}
			s.Mode = sso.Development
			if err := s.check(); err != nil {
				t.Errorf("development: %v", err)
			}
		})
	}
}

// hung is a server of the world outside that takes what it is given and says nothing.
type hung struct{}

func (hung) Send(ctx context.Context, _ commands.Mail) error { <-ctx.Done(); return ctx.Err() }

func (hung) Inquire(ctx context.Context, _ string, _ commands.RegistryQuestion) (commands.RegistryAnswer, error) {
	<-ctx.Done()
	return commands.RegistryAnswer{}, ctx.Err()
}

// TestTheWorldOutsideIsNotWaitedForLong, and is remembered as it was last met.
func TestTheWorldOutsideIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := house{settings: settings{Mode: sso.Development}}
		for _, call := range []func() error{
			func() error { return heardMail{hung{}, &h.mailHeard}.Send(t.Context(), commands.Mail{}) },
			func() error {
				_, err := heardRegistry{hung{}, &h.registryHeard}.Inquire(t.Context(), "sample", commands.RegistryQuestion{})
				return err
			},
		} {
			began := time.Now()
			if err := call(); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != worldWithin {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		}
		for _, p := range h.outsideParts() {
			if p.State != http.Failed || !p.Outside {
				t.Errorf("hung: %+v", p)
			}
		}
		h.mailHeard.note(nil)
		h.registryHeard.note(nil)
		for _, p := range h.outsideParts() {
			if p.State != http.Ready {
				t.Errorf("well: %+v", p)
			}
		}
		h.Mode = sso.Production
		h.mailHeard.note(mail.ErrNone)
		for _, p := range h.outsideParts() {
			if p.State != http.Ready || p.Detail == "" {
				t.Errorf("not connected: %+v", p)
			}
		}
	})
}

// TestListsThatCannotBeIssuedAreTrouble, and so is a look that hangs.
func TestListsThatCannotBeIssuedAreTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{}
		is := func(want http.PartState, detail string) {
			t.Helper()
			if p := h.dailyPart(t.Context()); p.State != want || p.Detail != detail {
				t.Errorf("%+v", p)
			}
		}
		is(http.Starting, "")
		h.daily.note(nil)
		is(http.Ready, "")
		h.daily.note(errors.Join(commands.ErrSignerAway, errors.New("dial")))
		is(http.Failed, "signer-unavailable")
		h.daily.note(nil)
		time.Sleep(listsWithin + time.Second)
		is(http.Failed, "the daily work hangs")
	})
}

// TestTheClockGoesAnHourForthAndBack under a story, each part of it on another
// side of the jump; nobody waits an hour for it.
func TestTheClockGoesAnHourForthAndBack(t *testing.T) {
	trouble := t.TempDir()
	t.Setenv(troubleHook, trouble) // ours too: who signs in has the same clock
	i := begin(t, dataDir(t))
	for n, shifts := range [][]string{{"1h", "0s", "1h", "0s"}, {"0s", "1h", "0s", "1h"}} {
		s := telling(t, i, fmt.Sprint("clock", n))
		for k, part := range [][]step{s.untilSubmitted(), s.untilConfirmed(), s.untilActive(), s.untilRevoked()} {
			makes(t, trouble, "clock", shifts[k])
			clear(s.client.tokens)
			must(t, s.tell(t.Context(), part))
		}
	}
	await(t, "all is well", func() bool { return i.part(t, "").State == http.Ready })
}

// TestAHangUpIsAStop: the terminal closed. Under nohup it is nothing.
func TestAHangUpIsAStop(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	i := begin(t, dir)
	took := i.signal(t, syscall.SIGHUP)
	wantWithin(t, "stop after a hang-up", took, stopping)
	if code := i.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	wantNoProcess(t, dir)
}

// TestAFrozenPostgresDoesNotKeepTheHouseFromStopping: it hears nothing.
func TestAFrozenPostgresDoesNotKeepTheHouseFromStopping(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	i := begin(t, dir)
	pgtest.Freeze(t, i.postmaster(t))
	wantWithin(t, "stop", i.signal(t, syscall.SIGTERM), stopping)
	wantNoProcess(t, dir)
}

// part finds a part in what health says.
func (i *instance) part(t *testing.T, name string) http.Part {
	t.Helper()
	client := web.Client{Timeout: 3 * time.Second}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + i.listen + "/health/ready")
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	var ready http.Readiness
	must(t, json.NewDecoder(answer.Body).Decode(&ready))
	if name == "" {
		return http.Part{State: ready.State}
	}
	for _, p := range ready.Parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("health knows no %s: %+v", name, ready.Parts)
	return http.Part{}
}

// TestHealthNamesWhatIsInTrouble within three seconds, also a part that hangs,
// and a server of the world outside, without which the house serves on.
func TestHealthNamesWhatIsInTrouble(t *testing.T) {
	t.Parallel()
	trouble := t.TempDir()
	i := begin(t, dataDir(t), troubleHook+"="+trouble)
	for _, name := range []string{"log", "signer", "postgres", "vault", "bus", "relay", "civil-registry", "mail-server", "crl", "process"} {
		if p := i.part(t, name); p.State != http.Ready {
			t.Errorf("%+v", p)
		}
	}
	if d := i.part(t, "process").Detail; !regexp.MustCompile(`^goroutines \d+, heap \d+ MiB$`).MatchString(d) {
		t.Errorf("process: %q", d)
	}
	thaw := pgtest.Freeze(t, i.postmaster(t))
	for _, name := range []string{"postgres", "vault"} {
		if p := i.part(t, name); p.State != http.Failed {
			t.Errorf("frozen: %+v", p)
		}
	}
	if p := i.part(t, "signer"); p.State != http.Ready {
		t.Errorf("beside it: %+v", p)
	}
	thaw()
	await(t, "all is well", func() bool { return i.part(t, "").State == http.Ready })
	thaw = pgtest.Freeze(t, i.signerPID())
	if p := i.part(t, "signer"); p.State != http.Failed {
		t.Errorf("frozen: %+v", p)
	}
	thaw()
	await(t, "all is well", func() bool { return i.part(t, "").State == http.Ready })
	makes(t, trouble, "mail", "down")
	s := telling(t, i, "trouble")
	told := make(chan error, 1)
	go func() { told <- s.tell(t.Context(), s.untilSubmitted()) }() // needs a code by mail
	await(t, "the mail server is known to be down", func() bool { return i.part(t, "mail-server").State == http.Failed })
	if p := i.part(t, ""); p.State != http.Ready {
		t.Errorf("without mail the house is %s", p.State)
	}
	must(t, os.Remove(filepath.Join(trouble, "mail")))
	must(t, <-told)
	if p := i.part(t, "mail-server"); p.State != http.Ready {
		t.Errorf("mail again: %+v", p)
	}
}

// makes writes a file of trouble whole, as a test of the whole house does.
func makes(t *testing.T, dir, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, "."+name), []byte(text), 0o600))
	must(t, os.Rename(filepath.Join(dir, "."+name), filepath.Join(dir, name)))
}

func TestTroubleIsLookedAtOnEachUse(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(troubleHook, dir)
	for _, shift := range []time.Duration{time.Hour, -time.Hour, 0} {
		makes(t, dir, "clock", shift.String()+"\n")
		if off := now().Sub(time.Now().Add(shift)); off.Abs() > time.Minute || now().Location() != time.UTC {
			t.Errorf("a clock shifted by %v is off by %v", shift, off)
		}
	}
	outbox, err := mail.OpenOutbox(filepath.Join(dir, "outbox"))
	must(t, err)
	m, r := simulatedMail{outbox}, simulatedRegistry{registry.NewSimulator()}
	ask := func() error {
		_, err := r.Inquire(t.Context(), "sample-1", commands.RegistryQuestion{PersonCode: "9992000001"})
		return err
	}
	send := func() error { return m.Send(t.Context(), commands.Mail{ID: "sample"}) }
	must(t, ask())
	must(t, send())
	makes(t, dir, "registry", "down")
	if err := ask(); !errors.Is(err, registry.ErrDown) {
		t.Errorf("registry: %v", err)
	}
	must(t, send())
	makes(t, dir, "mail", "down")
	if err := send(); !errors.Is(err, errMailDown) {
		t.Errorf("mail: %v", err)
	}
	makes(t, dir, "registry", "slow 50ms")
	began := time.Now()
	must(t, ask())
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("a slow registry took %v", took)
	}
	must(t, os.Remove(filepath.Join(dir, "mail")))
	must(t, send())
}
