package main_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"govahi/adapters/signer"
	"govahi/adapters/signer/signertest"
	"govahi/adapters/token/tokentest"
	"govahi/domain/certificate"
	"govahi/domain/event"
	"govahi/domain/fault"
)

// soon is how long trouble may last beyond its cause, and a call in trouble.
const soon = 5 * time.Second

// keep starts the process again whenever it ends, as govahi does.
func (c *ca) keep(t *testing.T, env []string, args ...string) *signer.Client {
	t.Helper()
	args = append([]string{"serve", "--dir", c.dir, "--socket", c.socket, "--log", c.node}, args...)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			cmd := exec.CommandContext(ctx, binary, args...)
			cmd.Env = append(os.Environ(), env...)
			_ = cmd.Run()
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return signer.NewClient(c.socket)
}

// operation is something asked of the token, with the part of PKCS#11 that does
// it: Sign, Encrypt or Decrypt.
type operation struct {
	name, part string
	do         func(context.Context) error
}

// operations are all that a client may ask.
func (c *ca) operations(t *testing.T, p *signer.Client) []operation {
	t.Helper()
	var key crypto.Signer
	var wrapped []byte
	works(t, "the beginning", func(ctx context.Context) (err error) {
		if key, err = p.ResponderKey(ctx); err != nil {
			return err
		}
		wrapped, err = p.Wrap(ctx, make([]byte, 32))
		return err
	})
	list := uint64(0)
	return []operation{
		{"certificate", "Sign", func(ctx context.Context) error {
			stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
			_, _, err := p.SignCertificate(ctx, stream, revision, tbs, c.by.DER)
			return err
		}},
		{"list", "Sign", func(ctx context.Context) error {
			list++
			stream, revision, tbs := signertest.IntendCRL(t, c.log, c, list)
			_, _, err := p.SignCRL(ctx, stream, revision, tbs)
			return err
		}},
		{"answer", "Sign", func(context.Context) error {
			digest := sha256.Sum256([]byte("an answer"))
			_, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
			return err
		}},
		{"wrap", "Encrypt", func(ctx context.Context) error {
			_, err := p.Wrap(ctx, make([]byte, 32))
			return err
		}},
		{"unwrap", "Decrypt", func(ctx context.Context) error {
			_, err := p.Unwrap(ctx, wrapped)
			return err
		}},
		{"info", "Sign", func(ctx context.Context) error {
			_, err := p.Info(ctx)
			return err
		}},
	}
}

// works asks until it works, and not for long.
func works(t *testing.T, what string, do func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for {
		err := do(ctx)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s does not work again: %v", what, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// refused asks until it is refused by a process that is there, and returns the
// fault's code.
func refused(t *testing.T, o operation) string {
	t.Helper()
	for deadline := time.Now().Add(soon); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		err := o.do(ctx)
		late := ctx.Err()
		cancel()
		if late != nil {
			t.Fatalf("%s hangs: %v", o.name, err)
		}
		f, ok := fault.Of(err)
		switch {
		case !ok || f.Kind != fault.Unavailable:
			t.Fatalf("%s: %v", o.name, err)
		case f.Code != signer.ErrUnavailable.Code:
			return f.Code
		}
	}
	t.Fatalf("%s: nobody there", o.name)
	return ""
}

// TestTokenInTrouble has every operation meet every fault: each is refused in
// time and says why, each works again soon after, and the CA's key signs nothing
// twice and nothing unrecorded.
func TestTokenInTrouble(t *testing.T) {
	t.Parallel()
	everywhere := func(f tokentest.Fault) func(string) tokentest.Fault { return func(string) tokentest.Fault { return f } }
	begun := func(f tokentest.Fault) func(string) tokentest.Fault {
		return func(part string) tokentest.Fault { return f.In("C_" + part + "Init") }
	}
	done := func(f tokentest.Fault) func(string) tokentest.Fault {
		return func(part string) tokentest.Fault { return f.In("C_" + part) }
	}
	for name, fault := range map[string]func(part string) tokentest.Fault{
		"removed":         everywhere(tokentest.Removed),
		"device error":    everywhere(tokentest.DeviceError),
		"general error":   begun(tokentest.GeneralError),
		"function failed": begun(tokentest.FunctionFailed),
		"session lost":    begun(tokentest.SessionLost),
		"stuck":           done(tokentest.Stuck),
		"done and failed": done(tokentest.SignedAndFailed),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCA(t).certify(t)
			m, witness := tokentest.Build(t, spyModule), c.spy()
			p := c.keep(t, append(witness.env, m.Env()...), "--sessions", "2")
			for _, o := range c.operations(t, p) {
				works(t, o.name, o.do)
				m.Set(t, fault(o.part))
				if code := refused(t, o); code != signer.ErrToken.Code {
					t.Errorf("%s: refused with %q", o.name, code)
				}
				if m.Hits(t) == 0 {
					t.Errorf("%s: no fault", o.name)
				}
				m.Heal(t)
				works(t, o.name, o.do)
			}
			c.auditSigned(t, witness)
		})
	}
}

// auditSigned wants an intent for each digest that the CA's key signed, and no
// digest twice.
func (c *ca) auditSigned(t *testing.T, witness spy) {
	t.Helper()
	signed, intents := witness.digests(t), c.intents(t)
	seen := map[string]bool{}
	for _, s := range signed {
		if _, ok := intents[s.digest]; !ok || seen[s.digest] {
			t.Errorf("%s signed at %v: seen before %v", s.digest, s.at, seen[s.digest])
		}
		seen[s.digest] = true
	}
	if len(signed) == 0 {
		t.Error("the witness saw nothing")
	}
}

// TestNothingIsBegunWhileTheTokenIsAway: an intent that waits costs no serial.
func TestNothingIsBegunWhileTheTokenIsAway(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]tokentest.Fault{
		"removed": tokentest.Removed, "no signature": tokentest.GeneralError, "failing": tokentest.FunctionFailed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, m := newCA(t).certify(t), tokentest.Build(t, tokentest.SoftHSM)
			m.Set(t, f)
			p := c.keep(t, m.Env())
			stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
			sign := func(ctx context.Context) error {
				_, _, err := p.SignCertificate(ctx, stream, revision, tbs, c.by.DER)
				return err
			}
			for range 5 {
				if code := refused(t, operation{"certificate", "Sign", sign}); code != signer.ErrToken.Code {
					t.Errorf("refused with %q", code)
				}
				if err := sign(t.Context()); !errors.Is(err, signer.ErrUnavailable) {
					t.Errorf("not said to be untried: %v", err)
				}
			}
			if n := len(signertest.Read(t, c.log, stream)); n != 1 {
				t.Errorf("%d events", n)
			}
			m.Heal(t)
			works(t, "the same intent", sign)
		})
	}
}

// TestSlowTokenIsNamedInTime: health asks within two seconds.
func TestSlowTokenIsNamedInTime(t *testing.T) {
	t.Parallel()
	c, m := newCA(t).certify(t), tokentest.Build(t, tokentest.SoftHSM)
	p := c.start(t, m.Env(), "--sessions", "2")
	info := func(ctx context.Context) error {
		_, err := p.Info(ctx)
		return err
	}
	must(t, info(t.Context()))
	m.Set(t, tokentest.Slow(2*time.Second))
	signed := make(chan error, 1)
	stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
	go func() {
		_, _, err := p.SignCertificate(context.WithoutCancel(t.Context()), stream, revision, tbs, c.by.DER)
		signed <- err
	}()
	for deadline := time.Now().Add(soon); ; {
		limit, cancel := context.WithTimeout(t.Context(), 1800*time.Millisecond)
		err := info(limit)
		cancel()
		if errors.Is(err, signer.ErrSlow) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not said to be slow: %v", err)
		}
	}
	m.Heal(t)
	must(t, <-signed)
	works(t, "info", info)
	p.stop(t)
}

// TestRefusedPINIsTriedOnce: a hardware token locks itself. Neither waiting nor
// starting again tries the same PIN again; writing the file does.
func TestRefusedPINIsTriedOnce(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]tokentest.Fault{"wrong": tokentest.WrongPIN, "locked": tokentest.LockedPIN} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, m := newCA(t), tokentest.Build(t, tokentest.SoftHSM)
			m.Set(t, f)
			for range 3 {
				p, _ := c.launch(t, m.Env())
				c.wantRefusedPIN(t, p)
				must(t, p.cmd.Process.Kill())
				p.end(t)
			}
			if n := m.Hits(t); n != 1 {
				t.Errorf("%d tries", n)
			}
			m.Heal(t)
			c.mendPIN(t, c.keep(t, m.Env()), c.rightPIN(t))
		})
	}
}

// TestWrongPINInTheFile is the same with the real SoftHSM.
func TestWrongPINInTheFile(t *testing.T) {
	t.Parallel()
	c := newCA(t).certify(t)
	witness, right := c.spy(), c.rightPIN(t)
	must(t, os.WriteFile(filepath.Join(c.dir, "pin"), []byte("0000\n"), 0o600))
	p, _ := c.launch(t, witness.env, witness.args...)
	c.wantRefusedPIN(t, p)
	c.wantRefusedPIN(t, p)
	data, err := os.ReadFile(witness.file)
	must(t, err)
	if n := strings.Count(string(data), ": C_Login\n"); n != 1 {
		t.Errorf("%d tries", n)
	}
	c.mendPIN(t, p.Client, right)
	p.stop(t)
}

func (c *ca) wantRefusedPIN(t *testing.T, p *process) {
	t.Helper()
	info := func(ctx context.Context) error {
		_, err := p.Info(ctx)
		if errors.Is(err, signer.ErrToken) { // not tried yet
			return signer.ErrUnavailable
		}
		return err
	}
	if code := refused(t, operation{"info", "Sign", info}); code != signer.ErrPIN.Code {
		t.Errorf("refused with %q", code)
	}
}

func (c *ca) rightPIN(t *testing.T) []byte {
	t.Helper()
	pin, err := os.ReadFile(filepath.Join(c.dir, "pin"))
	must(t, err)
	return pin
}

// mendPIN writes the file anew, and wants the process to notice.
func (c *ca) mendPIN(t *testing.T, p *signer.Client, pin []byte) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(c.dir, "pin"), pin, 0o600))
	works(t, "info", func(ctx context.Context) error {
		_, err := p.Info(ctx)
		return err
	})
}

// TestTroubleAmongMany has several ask at once while the faults change, and ask
// the same again afterwards: what was begun is never signed again.
func TestTroubleAmongMany(t *testing.T) {
	t.Parallel()
	c := newCA(t).certify(t)
	m, witness := tokentest.Build(t, spyModule), c.spy()
	p := c.keep(t, append(witness.env, m.Env()...), "--sessions", "2")
	works(t, "info", func(ctx context.Context) error {
		_, err := p.Info(ctx)
		return err
	})
	var intents []intent
	for _, f := range []tokentest.Fault{
		tokentest.SignedAndFailed.Times(2), tokentest.SessionLost, tokentest.FunctionFailed.Times(3), tokentest.Removed.Times(5),
		tokentest.Stuck, tokentest.Slow(20 * time.Millisecond), tokentest.SignedAndFailed, tokentest.GeneralError.Times(1),
	} {
		m.Set(t, f)
		batch := c.intend(t, 6)
		signAll(t, p, batch)
		m.Heal(t)
		works(t, "info", func(ctx context.Context) error {
			_, err := p.Info(ctx)
			return err
		})
		intents = append(intents, batch...)
	}
	signAll(t, p, intents)
	c.auditSigned(t, witness)
}

// intent is an intended certificate, and how often it came back signed.
type intent struct {
	stream   event.Stream
	revision uint64
	tbs, by  []byte
	signed   *atomic.Int64
}

func (c *ca) intend(t *testing.T, n int) []intent {
	t.Helper()
	batch := make([]intent, n)
	for i := range batch {
		stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
		batch[i] = intent{stream, revision, tbs, c.by.DER, &atomic.Int64{}}
	}
	return batch
}

// signAll asks for all at once; each is signed once, or refused in time with a
// reason.
func signAll(t *testing.T, p *signer.Client, batch []intent) {
	t.Helper()
	var all sync.WaitGroup
	for _, i := range batch {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			defer cancel()
			_, _, err := p.SignCertificate(ctx, i.stream, i.revision, i.tbs, i.by)
			f, ok := fault.Of(err)
			switch {
			case err == nil && i.signed.Add(1) > 1:
				t.Errorf("%s was signed twice", i.stream)
			case err != nil && ctx.Err() != nil:
				t.Errorf("%s hangs: %v", i.stream, err)
			case err != nil && (!ok || f.Kind != fault.Unavailable && f.Code != certificate.ErrNotIntended.Code):
				t.Errorf("%s: %v", i.stream, err)
			}
		})
	}
	all.Wait()
}
