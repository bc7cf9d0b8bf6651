package token_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"govahi/adapters/token"
)

const pin = "314159"

// TestMain gives all tests one SoftHSM: the module reads its directory once a
// process.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "softhsm")
	if err == nil {
		err = errors.Join(token.WriteSoftHSM(dir, dir), token.UseSoftHSM(dir))
	}
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

func blank(t testing.TB, label string) *token.Token {
	t.Helper()
	info, err := token.Initialise(token.SoftHSMModule, label, pin)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.Open(token.Config{Module: token.SoftHSMModule, Serial: info.Serial, PIN: pin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tok.Close() })
	return tok
}

func TestKeysAreBornOnTheTokenAndStay(t *testing.T) {
	tok := blank(t, t.Name())
	for _, a := range []token.Algorithm{token.RSA2048, token.P256, token.P384} {
		k, err := tok.GenerateKey(string(a), a)
		if err != nil {
			t.Fatal(a, err)
		}
		p, err := k.Protection()
		if err != nil || !p.Sound() {
			t.Errorf("%s: %+v %v", a, p, err)
		}
		if _, err := tok.GenerateKey(string(a), a); !errors.Is(err, token.ErrKeyExists) {
			t.Errorf("second %s key: %v", a, err)
		}
		request(t, k)
	}
	if _, err := tok.Key("absent"); !errors.Is(err, token.ErrNoKey) {
		t.Errorf("absent key: %v", err)
	}
}

func request(t *testing.T, k *token.Key) {
	t.Helper()
	der, err := k.Request()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := csr.CheckSignature(); err != nil {
		t.Errorf("%s: %v", k.Label, err)
	}
	if len(csr.Subject.Names) != 0 {
		t.Errorf("the request names somebody: %v", csr.Subject)
	}
}

func TestWrappingKeyWrapsAndNoticesChanges(t *testing.T) {
	tok := blank(t, t.Name())
	w, err := tok.GenerateWrappingKey("wrap")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := w.Protection(); err != nil || !p.Sound() {
		t.Errorf("%+v %v", p, err)
	}
	plain := make([]byte, 32)
	_, _ = rand.Read(plain)
	wrapped, err := w.Wrap(plain)
	if err != nil {
		t.Fatal(err)
	}
	again, err := tok.WrappingKey("wrap")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unwrap(wrapped); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("unwrapped %x, %v", got, err)
	}
	for _, i := range []int{0, 12, len(wrapped) - 1} {
		changed := bytes.Clone(wrapped)
		changed[i] ^= 1
		if _, err := w.Unwrap(changed); !errors.Is(err, token.ErrWrapped) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	if _, err := w.Unwrap(wrapped[:20]); !errors.Is(err, token.ErrWrapped) {
		t.Errorf("cut: %v", err)
	}
	if _, err := w.Wrap(plain[:16]); err == nil {
		t.Error("wrapped a short key")
	}
	if got, err := w.Unwrap(wrapped); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("after the refusals: %v", err)
	}
}

func TestCertificateGoesOntoTheTokenAndBack(t *testing.T) {
	tok := blank(t, t.Name())
	k, err := tok.GenerateKey("holder", token.P256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.ReadCertificate(k); !errors.Is(err, token.ErrNoCertificate) {
		t.Errorf("before writing: %v", err)
	}
	c := certificate(t, k.Public(), k)
	for range 2 {
		if err := tok.WriteCertificate(k, c); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := tok.ReadCertificate(k); err != nil || !bytes.Equal(got.Raw, c.Raw) {
		t.Errorf("read back: %v", err)
	}
	if err := tok.WriteCertificate(k, certificate(t, k.Public(), k)); !errors.Is(err, token.ErrOtherCertificate) {
		t.Errorf("another certificate: %v", err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.WriteCertificate(k, certificate(t, other.Public(), other)); !errors.Is(err, token.ErrOtherKey) {
		t.Errorf("certificate of another key: %v", err)
	}
}

func certificate(t *testing.T, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOpenRefusesWhatIsNotThere(t *testing.T) {
	open := func(c token.Config) error {
		tok, err := token.Open(c)
		if err == nil {
			_ = tok.Close()
		}
		return err
	}
	if _, err := token.Initialise(token.SoftHSMModule, "pin", pin); err != nil {
		t.Fatal(err)
	}
	if err := open(token.Config{Module: token.SoftHSMModule, Label: "pin", PIN: "000000"}); !errors.Is(err, token.ErrPIN) {
		t.Errorf("wrong PIN: %v", err)
	}
	if err := open(token.Config{Module: token.SoftHSMModule, Label: "nobody", PIN: pin}); !errors.Is(err, token.ErrNoToken) {
		t.Errorf("no such label: %v", err)
	}
	if err := open(token.Config{Module: "/nowhere.so", Label: "pin", PIN: pin}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no module: %v", err)
	}
	for range 2 {
		if _, err := token.Initialise(token.SoftHSMModule, "twin", pin); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(token.Config{Module: token.SoftHSMModule, Label: "twin", PIN: pin}); err == nil {
		t.Error("opened one of two tokens of the same label")
	}
}

func TestLostIsToldFromTheModulesCodes(t *testing.T) {
	for text, want := range map[string]bool{
		"C_Encrypt: pkcs11: 0xB3: CKR_SESSION_HANDLE_INVALID": true,
		"C_DecryptInit: pkcs11: 0x32: CKR_DEVICE_REMOVED":     true,
		"pkcs11: 0xA0: CKR_PIN_INCORRECT":                     false,
		"resource pool timed out":                             false,
	} {
		if got := token.Lost(errors.New(text)); got != want {
			t.Errorf("%s: lost %v", text, got)
		}
	}
}

// BenchmarkSign measures raw signatures per second of the token, P-256.
func BenchmarkSign(b *testing.B) {
	tok := blank(b, b.Name())
	k, err := tok.GenerateKey("bench", token.P256)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256(nil)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := k.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
}

// TestARenewedCertificateTakesThePlace of the one before it, and of no other:
// also after a crash that left the place empty.
func TestARenewedCertificateTakesThePlace(t *testing.T) {
	tok := blank(t, t.Name())
	k, err := tok.GenerateKey("holder", token.P256)
	if err != nil {
		t.Fatal(err)
	}
	first, second, third := certificate(t, k.Public(), k), certificate(t, k.Public(), k), certificate(t, k.Public(), k)
	for range 2 { // the place is empty, and then has the renewed one
		if err := tok.RenewCertificate(k, first, second); err != nil {
			t.Fatal(err)
		}
	}
	if err := tok.RenewCertificate(k, first, third); !errors.Is(err, token.ErrOtherCertificate) {
		t.Errorf("in the place of another: %v", err)
	}
	if err := tok.RenewCertificate(k, second, third); err != nil {
		t.Fatal(err)
	}
	if got, err := tok.ReadCertificate(k); err != nil || !got.Equal(third) {
		t.Errorf("read back: %v", err)
	}
}
