package signer_test

import (
	"errors"
	"testing"
	"time"

	"govahi/adapters/pki"
	"govahi/adapters/signer"
	"govahi/adapters/signer/signertest"
	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/issuer"
)

// succeeded is a house whose signer holds a further issuer beside the first.
type succeeded struct {
	*house
	next   *pki.Authority
	key    *counting
	client *signer.Client
}

func newSuccession(t *testing.T, ends ...issuer.Ending) *succeeded {
	t.Helper()
	h := newHouse(t, newMemory())
	next, err := pki.Open(hsm.later, hsm.root, pki.Under("http://ca.example.ir"))
	must(t, err)
	s := &succeeded{house: h, next: next, key: &counting{Signer: hsm.next}}
	config := h.config("two")
	config.Issuers = append(config.Issuers, signer.Issuer{Certificate: next.Certificate(), Key: s.key})
	for i, e := range ends {
		config.Issuers[i].Ended = e
	}
	server, err := signer.New(config)
	must(t, err)
	s.client = h.serve(t, server)
	return s
}

// asks has a holder's certificate signed under an issuer.
func (s *succeeded) asks(t *testing.T, a commands.Authority) error {
	t.Helper()
	stream, revision, tbs := signertest.Intend(t, s.log, a, s.by, asIs)
	der, _, err := s.client.SignCertificate(t.Context(), stream, revision, tbs, s.by.DER)
	if err == nil {
		_, err = a.CheckIssued(der, tbs)
	}
	return err
}

// lists has a revocation list signed under an issuer.
func (s *succeeded) lists(t *testing.T, a commands.Authority, number uint64) error {
	t.Helper()
	stream, revision, tbs := signertest.IntendCRL(t, s.log, a, number)
	der, _, err := s.client.SignCRL(t.Context(), stream, revision, tbs)
	if err == nil {
		_, err = a.CheckCRL(der, tbs)
	}
	return err
}

// answers has the certificate of the responder signed under an issuer.
func (s *succeeded) answers(t *testing.T, a commands.Authority) error {
	t.Helper()
	info, err := s.client.Info(t.Context())
	must(t, err)
	serial, err := a.NewSerial(time.Now())
	must(t, err)
	p, err := a.PrepareResponder(serial, info.ResponderKey, time.Now())
	must(t, err)
	i := signertest.IntentOf(p, serial)
	i.PublicTBS = p.TBS
	stream := certificate.Kind.Stream(serial)
	_, _, err = s.client.SignCertificate(t.Context(), stream, add(t, s.log, certificate.Kind, stream, 0, i), p.TBS, nil)
	return err
}

// ends says in the log how an issuer ended.
func (s *succeeded) ends(t *testing.T, a commands.Authority, how event.Event) {
	t.Helper()
	stream := issuer.Kind.Stream(a.Issuer())
	add(t, s.log, issuer.Kind, stream, 0, issuer.Introduced{Name: "CA", At: time.Now()})
	add(t, s.log, issuer.Kind, stream, 1, how)
}

func TestTheIntentSaysWhichIssuerSigns(t *testing.T) {
	s := newSuccession(t)
	for _, a := range []commands.Authority{s.Authority, s.next} {
		must(t, errors.Join(s.asks(t, a), s.lists(t, a, 1), s.answers(t, a)))
	}
	if s.ca.n.Load() != 3 || s.key.n.Load() != 3 {
		t.Errorf("signed by the first %d, by the next %d", s.ca.n.Load(), s.key.n.Load())
	}
	for _, other := range []func(*story){
		func(i *story) { i.Intent.Issuer = s.next.Issuer() },
		func(i *story) { i.Intent.Issuer = "00" },
	} {
		stream, revision, tbs := signertest.Intend(t, s.log, s.Authority, s.by, other)
		if _, _, err := s.client.SignCertificate(t.Context(), stream, revision, tbs, s.by.DER); !errors.Is(err, signer.ErrIssuer) {
			t.Errorf("signed under another issuer: %v", err)
		}
	}
	stream, revision, _ := signertest.IntendCRL(t, s.log, s.next, 2)
	_, _, tbs := signertest.IntendCRL(t, s.log, s.Authority, 2)
	if _, _, err := s.client.SignCRL(t.Context(), stream, revision, tbs); err == nil {
		t.Error("signed the other issuer's list")
	}
	if s.ca.n.Load() != 3 || s.key.n.Load() != 3 {
		t.Error("signed what was refused")
	}
}

// TestAnEndedIssuerSignsNoCertificates whether its directory says so or the log;
// its lists are signed, and the officer certified by a retired one confirms.
func TestAnEndedIssuerSignsNoCertificates(t *testing.T) {
	now := time.Now().UTC()
	by := [2]event.Subject{"one", "two"}
	retired, compromised := event.Event(issuer.Retired{ProposedBy: by[0], By: by[1], At: now}), event.Event(issuer.Compromised{ProposedBy: by[0], By: by[1], At: now})
	for name, c := range map[string]struct {
		directory        issuer.Ending
		log              event.Event
		responder, under *fault.Fault // what is refused of the responder's certificate, and of the next issuer's under an officer of the first
	}{
		"retired, says the directory":     {issuer.Retirement, nil, nil, nil},
		"retired, says the log":           {"", retired, nil, nil},
		"compromised, says the directory": {issuer.Compromise, nil, issuer.ErrEnded, commands.ErrConfirmationVoid},
		"compromised, says the log":       {"", compromised, issuer.ErrEnded, commands.ErrConfirmationVoid},
		"the worse counts":                {issuer.Retirement, compromised, issuer.ErrEnded, commands.ErrConfirmationVoid},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSuccession(t, c.directory)
			if c.directory == "" { // what holds now is known to the signer
				must(t, s.asks(t, s.Authority))
				must(t, s.asks(t, s.next))
			}
			if c.log != nil {
				s.ends(t, s.Authority, c.log)
			}
			if err := s.asks(t, s.Authority); !errors.Is(err, issuer.ErrEnded) {
				t.Errorf("a holder's: %v", err)
			}
			refused(t, "the responder's", s.answers(t, s.Authority), c.responder)
			must(t, s.lists(t, s.Authority, 1))
			refused(t, "under the next issuer", s.asks(t, s.next), c.under)
		})
	}
}

func refused(t *testing.T, what string, err error, want *fault.Fault) {
	t.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
