package main

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"govahi/adapters/pki"
	"govahi/adapters/token"
	"govahi/domain/enrollment"
	"govahi/domain/iran"
)

// personalise brings one confirmed request to a token that holds its key and
// its certificate (S1.10, S1.11).
type personalise struct {
	chosen
	line
	Code      string          `arg:"" help:"Tracking code of the request."`
	Algorithm token.Algorithm `enum:"rsa-2048,rsa-3072,p-256,p-384" default:"rsa-2048" help:"Kind of key."`
}

// Run may be repeated after any crash: each command to the house has a key that
// follows from request and token, and what the token holds is not made again.
func (p personalise) Run() error {
	code, err := iran.ParseTrackingCode(p.Code)
	if err != nil {
		return errTrackingCode
	}
	return p.call(func(ctx context.Context, d *door) error {
		return told(p.use(func(t *token.Token) error {
			w := &personalisation{personalise: p, door: d, token: t, code: code}
			return each(os.Stderr, w.steps(ctx))
		}))
	})
}

// personalisation is one run of it.
type personalisation struct {
	personalise
	door  *door
	token *token.Token
	code  string

	request     requestView
	renewed     *x509.Certificate // found on the holder's token, of a renewal
	key         *token.Key
	certificate *x509.Certificate
}

// requestView is what the workstation needs to know of a request.
type requestView struct {
	State       string `json:"state"`
	Basis       string `json:"basis"`
	Renews      string `json:"renews"`
	Token       string `json:"token"`
	Serial      string `json:"serial"`
	Fingerprint string `json:"fingerprint"`
	Revision    int64  `json:"revision"`
}

// over tells whether no token is made for the request any more.
func (r requestView) over() bool {
	return slices.Contains([]enrollment.Status{
		enrollment.StatusRejected, enrollment.StatusWithdrawn, enrollment.StatusRevoked,
	}, enrollment.Status(r.State))
}

// onOwnToken tells a renewal: the key is there, and so is its certificate.
func (r requestView) onOwnToken() bool { return r.Basis == string(enrollment.Renewal) }

// asked tells whether the CA has the request, or had it.
func (r requestView) asked() bool {
	return r.Serial != "" || r.State == string(enrollment.StatusAtCA)
}

func (w *personalisation) steps(ctx context.Context) []step {
	with := func(do func(context.Context) error) func() error { return func() error { return do(ctx) } }
	return []step{
		{"وضعیت درخواست دیده می‌شود", "looking where the request stands", with(w.look)},
		{"توکن این درخواست برداشته می‌شود", "taking the token of this request", with(w.reserve)},
		{"کلید روی توکن آماده و از توکن پرسیده می‌شود", "making or finding the key on the token, and asking the token about it", w.makeKey},
		{"گواهی از مرکز صدور خواسته می‌شود", "asking the CA for the certificate", with(w.ask)},
		{"چشم‌به‌راه مرکز صدور", "waiting for the CA", with(w.await)},
		{"گواهی گرفته و سنجیده می‌شود", "fetching and checking the certificate", with(w.fetch)},
		{"گواهی نوشته، بازخوانده و آزموده می‌شود", "writing the certificate, reading it back, trying it", w.write},
		{"به سامانه گفته می‌شود", "telling the house", with(w.tell)},
	}
}

// command names a command of this run: the same in every run.
func (w *personalisation) command(verb string) string {
	return "personalise-" + w.code + "-" + w.Token + "-" + verb
}

func (w *personalisation) path(act string) string { return "/requests/" + w.code + act }

func (w *personalisation) look(ctx context.Context) error {
	var r requestView
	if err := w.door.get(ctx, w.path(""), &r); err != nil {
		return err
	}
	w.request = r
	switch {
	case r.over():
		return errOver
	case r.asked() && r.Token != "" && r.Token != w.Token:
		return errOtherToken
	}
	return nil
}

// reserve is refused by the house if the request is not confirmed, or the token
// somebody else's. A renewal is for the token that its holder has.
func (w *personalisation) reserve(ctx context.Context) error {
	if w.request.onOwnToken() || w.request.asked() {
		return nil
	}
	return w.door.post(ctx, w.command("reserve"), w.path("/token"), map[string]string{"token": w.Token}, nil)
}

// makeKey takes the key that an earlier run made, and no other: a token with a
// certificate of something else is not blank.
func (w *personalisation) makeKey() (err error) {
	if w.request.onOwnToken() {
		return w.takeKey()
	}
	if w.key, err = bornKey(w.token, w.Algorithm); err != nil {
		return err
	}
	there, err := w.token.ReadCertificate(w.key)
	switch {
	case errors.Is(err, token.ErrNoCertificate):
		return nil
	case err == nil && fingerprintOf(there) != w.request.Fingerprint:
		return errOccupied
	}
	return err
}

// takeKey takes the key of the certificate that is renewed, which the token says
// itself: whoever renews need not be of the office that issued it, and may not
// read it there. Where an earlier run was stopped there is none; the house then
// certifies the renewed certificate's key and no other.
func (w *personalisation) takeKey() (err error) {
	w.key, err = w.token.Key(labelKey)
	switch {
	case errors.Is(err, token.ErrNoKey):
		return errNotRenewed
	case err != nil:
		return err
	}
	there, err := w.token.ReadCertificate(w.key)
	switch {
	case errors.Is(err, token.ErrNoCertificate):
		return nil
	case err != nil:
		return err
	case serialOf(there) == strings.ToLower(w.request.Renews):
		w.renewed = there
	case fingerprintOf(there) != strings.ToLower(w.request.Fingerprint):
		return errNotRenewed
	}
	return nil
}

// bornKey is the key of the token, made if it has none, and proved as far as a
// token can: born there, never out of it, not to be changed (PKCS#11 v2.40 §4.9).
func bornKey(t *token.Token, a token.Algorithm) (*token.Key, error) {
	k, err := t.Key(labelKey)
	if errors.Is(err, token.ErrNoKey) {
		k, err = t.GenerateKey(labelKey, a)
	}
	if err != nil {
		return nil, err
	}
	p, err := k.Protection()
	if err == nil && !p.Sound() {
		err = errUnsound
	}
	return k, err
}

// ask names its command after the record's revision, too: a request that the CA
// gave back is asked for anew, and one that it has is not.
func (w *personalisation) ask(ctx context.Context) error {
	if w.request.asked() {
		return nil
	}
	csr, err := keptRequest(filepath.Join(w.Dir, w.Token+".csr"), w.key)
	if err != nil {
		return err
	}
	key := w.command(fmt.Sprintf("issue-%d", w.request.Revision))
	return w.door.post(ctx, key, w.path("/issuance"), map[string]string{"token": w.Token, "csr": csr}, nil)
}

// keptRequest is the certification request of a key. It is written down before
// it is sent: an ECDSA signature would be another one next time, and with it the
// question under the same key.
func keptRequest(file string, k *token.Key) (string, error) {
	if text, err := os.ReadFile(file); err == nil {
		if block, _ := pem.Decode(text); block != nil {
			csr, err := x509.ParseCertificateRequest(block.Bytes)
			if err == nil && same(csr.PublicKey, k.Public()) {
				return string(text), nil
			}
		}
	}
	der, err := k.Request()
	if err != nil {
		return "", err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	return string(text), keep(file, text)
}

func same(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// keep writes a file that is there whole or not at all.
func keep(file string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// await looks until the CA has issued, or has given the request back.
func (w *personalisation) await(ctx context.Context) error {
	return until(ctx, func() (bool, error) {
		if err := w.look(ctx); err != nil {
			return false, err
		}
		r := w.request
		if !r.asked() {
			return false, errGivenBack
		}
		return r.Serial != "" && r.Fingerprint != "", nil
	})
}

// until looks again and again, and shows that it does.
func until(ctx context.Context, so func() (bool, error)) error {
	began, shown := time.Now(), time.Duration(0)
	for {
		ok, err := so()
		if ok || err != nil {
			return err
		}
		if took := time.Since(began).Truncate(time.Second); took >= shown+5*time.Second {
			shown = took
			_, _ = fmt.Fprintf(os.Stderr, "     … %v\n", took)
		}
		if wait(ctx, pause) != nil {
			return errNotYet
		}
	}
}

// fetch wants the certificate that the record names, of this key, for the person
// of this request's form: what is written to a token cannot be taken back.
func (w *personalisation) fetch(ctx context.Context) error {
	c, err := w.door.certificate(ctx, w.request.Serial)
	if err != nil {
		return err
	}
	var form enrollment.Form
	if err := w.door.get(ctx, w.path("/form"), &form); err != nil {
		return err
	}
	ours := fingerprintOf(c) == strings.ToLower(w.request.Fingerprint) && same(c.PublicKey, w.key.Public()) &&
		c.Subject.SerialNumber == form.PersonCode && slices.Contains(c.EmailAddresses, form.Email)
	if !ours {
		return errForeign
	}
	w.certificate = c
	return nil
}

// certificate fetches a certificate by its serial; the view may come a little
// after the one that named it.
func (d *door) certificate(ctx context.Context, serial string) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	for {
		text, err := d.raw(ctx, "/certificates/"+serial+"/certificate.pem")
		var refused stop
		switch {
		case err == nil:
			return ofSerial(text, serial)
		case !errors.As(err, &refused) || refused.status != http.StatusNotFound || wait(ctx, pause) != nil:
			return nil, err
		}
	}
}

func ofSerial(text []byte, serial string) (*x509.Certificate, error) {
	c, err := pki.ParseCertificate(text)
	if err != nil {
		return nil, errForeign.because(err)
	}
	if serialOf(c) != strings.ToLower(serial) {
		return nil, errForeign
	}
	return c, nil
}

func serialOf(c *x509.Certificate) string { return hex.EncodeToString(c.SerialNumber.Bytes()) }

func fingerprintOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

func (w *personalisation) write() error {
	if w.renewed != nil {
		if err := w.token.RenewCertificate(w.key, w.renewed, w.certificate); err != nil {
			return err
		}
	}
	return written(w.token, w.key, w.certificate)
}

// written puts a certificate beside its key, reads it back, and has the token
// sign with it.
func written(t *token.Token, k *token.Key, c *x509.Certificate) error {
	if err := t.WriteCertificate(k, c); err != nil {
		return err
	}
	back, err := t.ReadCertificate(k)
	if err == nil && !back.Equal(c) {
		err = token.ErrOtherCertificate
	}
	return err
}

func (w *personalisation) tell(ctx context.Context) error {
	said := map[string]string{"token": w.Token, "fingerprint": fingerprintOf(w.certificate)}
	if err := w.door.post(ctx, w.command("done"), w.path("/personalisation"), said, nil); err != nil {
		return err
	}
	fmt.Println(said["fingerprint"])
	return nil
}
