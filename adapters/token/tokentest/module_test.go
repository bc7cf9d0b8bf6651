package tokentest_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"govahi/adapters/token"
	"govahi/adapters/token/tokentest"
)

const pin = "314159"

// TestFaults has each fault hit the real SoftHSM behind the module. It is one
// test: SoftHSM can be loaded once a process.
func TestFaults(t *testing.T) {
	m := tokentest.Build(t, tokentest.SoftHSM)
	for _, pair := range m.Env() {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	t.Setenv("SOFTHSM2_CONF", "") // to be put back
	must(t, errors.Join(token.WriteSoftHSM(dir, dir), token.UseSoftHSM(dir)))
	info, err := token.Initialise(m.Path, "faulty", pin)
	must(t, err)
	h := holder{m, info.Serial}
	t.Run("sign", h.sign)
	t.Run("open", h.open)
	t.Run("lost", h.lost)
	t.Run("stuck", h.stuck)
	t.Run("slow", h.slow)
	t.Run("unwrap", h.unwrap)
}

// holder is a token behind the module.
type holder struct {
	*tokentest.Module
	serial string
}

func (h holder) reach() (*token.Token, error) {
	return token.Open(token.Config{Module: h.Path, Serial: h.serial, PIN: pin, MaxSessions: 2})
}

func (h holder) key(t *testing.T) (*token.Token, *token.Key) {
	t.Helper()
	tok, err := h.reach()
	must(t, err)
	k, err := tok.Key("key")
	if errors.Is(err, token.ErrNoKey) {
		k, err = tok.GenerateKey("key", token.P256)
	}
	must(t, err)
	return tok, k
}

func signs(k *token.Key) error {
	digest := sha256.Sum256([]byte("something"))
	_, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
	return err
}

func (h holder) sign(t *testing.T) {
	tok, k := h.key(t)
	defer func() { must(t, tok.Close()) }()
	for name, c := range map[string]struct {
		fault tokentest.Fault
		code  uint
	}{
		"removed":         {tokentest.Removed, 0x32},
		"general error":   {tokentest.GeneralError, 0x05},
		"device error":    {tokentest.DeviceError, 0x30},
		"function failed": {tokentest.FunctionFailed, 0x06},
		"signed, failed":  {tokentest.SignedAndFailed, 0x30},
	} {
		h.Set(t, c.fault.Times(2))
		for range 2 {
			if code, _ := token.Code(signs(k)); code != c.code {
				t.Errorf("%s: got %#x", name, code)
			}
		}
		if err := signs(k); err != nil || h.Hits(t) != 2 {
			t.Errorf("%s: the third time: %v, after %d hits", name, err, h.Hits(t))
		}
		h.Heal(t)
	}
}

func (h holder) open(t *testing.T) {
	for name, c := range map[string]struct {
		fault tokentest.Fault
		want  error
	}{
		"removed": {tokentest.Removed, token.ErrNoToken},
		"wrong":   {tokentest.WrongPIN, token.ErrPIN},
		"locked":  {tokentest.LockedPIN, token.ErrPIN},
	} {
		h.Set(t, c.fault)
		if _, err := h.reach(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		h.Heal(t)
	}
	tok, _ := h.key(t)
	must(t, tok.Close())
}

// lost: the sessions stay dead, also when nothing fails any more; new ones live.
func (h holder) lost(t *testing.T) {
	tok, k := h.key(t)
	h.Set(t, tokentest.SessionLost)
	for range 3 {
		if code, _ := token.Code(signs(k)); code != 0xB3 {
			t.Errorf("got %#x", code)
		}
	}
	if h.Hits(t) != 1 {
		t.Errorf("%d hits", h.Hits(t))
	}
	must(t, tok.Close())
	tok, k = h.key(t)
	must(t, errors.Join(signs(k), tok.Close()))
}

// stuck: the session has a signature under way for ever.
func (h holder) stuck(t *testing.T) {
	tok, k := h.key(t)
	h.Set(t, tokentest.Stuck)
	for _, want := range []uint{0x06, 0x90, 0x90} {
		if code, _ := token.Code(signs(k)); code != want {
			t.Errorf("got %#x, want %#x", code, want)
		}
	}
	must(t, tok.Close())
}

func (h holder) slow(t *testing.T) {
	tok, k := h.key(t)
	h.Set(t, tokentest.Slow(50*time.Millisecond))
	began := time.Now()
	must(t, signs(k))
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("took %v", took)
	}
	must(t, tok.Close())
}

// unwrap tells changed bytes from a token that fails: SoftHSM has one word for
// both.
func (h holder) unwrap(t *testing.T) {
	tok, _ := h.key(t)
	w, err := tok.GenerateWrappingKey("wrapping")
	must(t, err)
	wrapped, err := w.Wrap(make([]byte, 32))
	must(t, err)
	failing := tokentest.GeneralError.In("C_DecryptInit")
	h.Set(t, failing.Times(1))
	if _, err := w.Unwrap(wrapped); err != nil || h.Hits(t) != 1 {
		t.Errorf("failed once: %v", err)
	}
	h.Set(t, failing)
	if _, err := w.Unwrap(wrapped); !token.Lost(err) || errors.Is(err, token.ErrWrapped) {
		t.Errorf("failing: %v", err)
	}
	h.Heal(t)
	wrapped[20] ^= 1
	if _, err := w.Unwrap(wrapped); !errors.Is(err, token.ErrWrapped) {
		t.Errorf("changed: %v", err)
	}
	must(t, tok.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
