package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/cms"
	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/credential"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/iran"
	"govahi/domain/office"
)

// confirming makes confirmed requests: an office with its licence, an officer who
// vets, and another who confirms with a certificate of his own.
type confirming struct {
	app    *commands.App
	until  time.Time
	vets   event.Subject
	signs  event.Subject
	serial string // of the officer's own certificate
	own    *x509.Certificate
	key    crypto.Signer
	keys   []holderKey
	made   int
}

// holderKey is what a holder's token made. A few do for all: nobody asks for the
// same key twice at this end of the desk.
type holderKey struct {
	csr  []byte
	hash string
}

const holderKeys = 8

// confirming opens the office through the house's own doors.
func (r *benchRun) confirming(ctx context.Context, h *home, algorithm string) (m *confirming, err error) {
	m = &confirming{app: h.app, until: now().AddDate(1, 0, 0).Truncate(time.Second)}
	if err := m.open(ctx); err != nil {
		return nil, err
	}
	if err := m.equip(ctx); err != nil {
		return nil, err
	}
	for range holderKeys {
		key, err := bornKey(algorithm)
		if err != nil {
			return nil, err
		}
		k, err := requestOf(key)
		if err != nil {
			return nil, err
		}
		m.keys = append(m.keys, k)
	}
	return m, nil
}

func bornKey(algorithm string) (crypto.Signer, error) {
	if algorithm == "rsa-2048" {
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func requestOf(key crypto.Signer) (k holderKey, err error) {
	if k.csr, err = x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key); err != nil {
		return k, err
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	sum := sha256.Sum256(spki)
	k.hash = hex.EncodeToString(sum[:])
	return k, err
}

// by is a person at a door, who asks for a thing once.
func (m *confirming) by(person event.Subject, thing string) commands.Caller {
	return commands.Caller{Person: person, Key: "bench-" + thing, Question: []byte(thing)}
}

func (m *confirming) open(ctx context.Context) error {
	codes := personaCodes()
	admin, err := m.app.Bootstrap(ctx, codes["admin"])
	if err != nil {
		return err
	}
	if _, err := m.app.OpenOffice(ctx, m.by(admin, "office"), commands.OpenOffice{
		Sort: office.Registration, Code: sampleOffice, Name: "دفتر ثبت‌نام نمونهٔ یک", Province: "تهران", City: "تهران",
	}); err != nil {
		return err
	}
	for _, a := range []struct {
		persona string
		role    appointment.Role
		place   string
	}{
		{"ca-operator", appointment.CAOperator, ""},
		{"officer-1", appointment.RegistrationOfficer, sampleOffice},
		{"officer-2", appointment.RegistrationOfficer, sampleOffice},
	} {
		appoint := commands.Appoint{PersonCode: codes[a.persona], Role: a.role, Place: a.place, Until: m.until}
		if _, err := m.app.Appoint(ctx, m.by(admin, a.persona), appoint); err != nil {
			return err
		}
	}
	operator, err := m.app.People.Person(ctx, codes["ca-operator"])
	if err != nil {
		return err
	}
	_, err = m.app.LicenseOffice(ctx, m.by(operator, "licence"), sampleOffice, commands.LicenseOffice{
		Number: "P-1", From: m.until.AddDate(-2, 0, 0), Until: m.until,
	})
	return err
}

// equip gives the confirming officer his certificate. His key is in memory: it is
// not his token that is measured.
func (m *confirming) equip(ctx context.Context) (err error) {
	codes := personaCodes()
	if m.vets, err = m.app.People.Person(ctx, codes["officer-1"]); err != nil {
		return err
	}
	if m.signs, err = m.app.People.Person(ctx, codes["officer-2"]); err != nil {
		return err
	}
	operator, err := m.app.People.Person(ctx, codes["ca-operator"])
	if err != nil {
		return err
	}
	if m.key, err = bornKey("p-256"); err != nil {
		return err
	}
	k, err := requestOf(m.key)
	if err != nil {
		return err
	}
	asked, err := m.app.RequestCredential(ctx, m.by(m.signs, "credential"), commands.RequestCredential{
		Office: sampleOffice, GivenName: "مأمور", Surname: "نمونه‌پور", LatinGivenName: "Mamur", LatinSurname: "Nemunepur",
		PersonCode: codes["officer-2"], Email: "officer-2@example.ir",
	}, k.csr)
	if err != nil {
		return err
	}
	if _, err := m.app.ApproveCredential(ctx, m.by(operator, "vouch"), asked.Stream.ID()); err != nil {
		return err
	}
	if err := m.app.IssueCredential(ctx, commands.Caller{Policy: "issue-on-credential-approved", Key: "bench"}, asked.Stream); err != nil {
		return err
	}
	c, err := credential.Kind.Fold(ctx, m.app.Log, asked.Stream)
	if err != nil {
		return err
	}
	m.serial = c.Issued.Serial
	der, err := m.certificate(ctx, m.serial)
	if err != nil {
		return err
	}
	m.own, err = x509.ParseCertificate(der)
	return err
}

// confirmAll makes so many requests more, each of another person.
func (m *confirming) confirmAll(ctx context.Context, count int) ([]event.Stream, error) {
	requests := make([]event.Stream, count)
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(64)
	for k := range requests {
		n := m.made + k
		all.Go(func() (err error) { requests[k], err = m.confirm(ctx, n); return err })
	}
	m.made += count
	return requests, all.Wait()
}

// confirm is one request at the CA's door, as its people left it.
func (m *confirming) confirm(ctx context.Context, n int) (event.Stream, error) {
	code := iran.TrackingCode(iran.FromTime(now()).Year, uint32(n))
	stream := enrollment.Kind.Stream(code)
	person, err := m.app.People.Person(ctx, fmt.Sprintf("invented %d", n))
	if err != nil {
		return stream, err
	}
	if err := m.pay(ctx, code, stream); err != nil {
		return stream, err
	}
	vetted, err := m.encoded(ctx, stream, "vet", m.vetted(code, person))
	if err != nil {
		return stream, err
	}
	word, err := m.word(code, vetted)
	if err != nil {
		return stream, err
	}
	key := m.keys[n%len(m.keys)]
	signed, err := m.encoded(ctx, stream, "confirm", []event.Event{word, enrollment.IssuanceRequested{
		Token: fmt.Sprintf("T%d", n), KeyHash: key.hash, Request: event.About(person, enrollment.SigningInfo{CSR: key.csr}),
		By: m.vets, Office: sampleOffice, At: now(),
	}})
	if err != nil {
		return stream, err
	}
	_, err = m.app.Log.Append(ctx, stream, event.NoStream, append(vetted, signed...)...)
	return stream, err
}

func (m *confirming) encoded(ctx context.Context, stream event.Stream, what string, events []event.Event) ([]event.Proposed, error) {
	return enrollment.Kind.Encode(ctx, m.app.Keeper, stream, m.meta(what, stream.ID()), events)
}

func (m *confirming) meta(what, code string) event.Meta {
	id := string(m.vets) + "/bench-" + code + "/" + what
	return event.Meta{CommandID: id, Actor: string(m.vets), Authority: "officer", At: now(), Correlation: code, Causation: id}
}

// pay is the order and its payment at the counter.
func (m *confirming) pay(ctx context.Context, code string, request event.Stream) error {
	const amount = 3_445_110
	stream := fee.Kind.Stream(code)
	proposed, err := fee.Kind.Encode(ctx, m.app.Keeper, stream, m.meta("pay", code), []event.Event{
		fee.Raised{Order: code, Request: request, Product: "cpmis-signature", TariffVersion: 1, AmountRial: amount, At: now()},
		fee.Settled{Order: code, Request: request, By: m.vets, Office: sampleOffice, At: now(), Payment: fee.Payment{
			Mode: fee.POS, Provider: "bench", Terminal: "1", RRN: code, Trace: "1", AmountRial: amount,
		}},
	})
	if err != nil {
		return err
	}
	_, err = m.app.Log.Append(ctx, stream, event.NoStream, proposed...)
	return err
}

// vetted is a request with every control passed.
func (m *confirming) vetted(code string, person event.Subject) []event.Event {
	at, f := now(), personalForm()
	notice := commands.LiabilityNotice
	events := []event.Event{
		opened(code, person, at),
		enrollment.FormCompleted{
			Version: 1, Person: person, Organization: f.Organization, Province: f.Province,
			EnteredBy: person, Entry: enrollment.ByApplicant, Form: event.About(person, f), At: at,
		},
		enrollment.EmailConfirmed{FormVersion: 1, At: at},
		enrollment.LiabilityAccepted{FormVersion: 1, NoticeVersion: notice.Version, TextHash: notice.Hash(), By: person, At: at},
		enrollment.Submitted{Office: sampleOffice, FormVersion: 1, At: at},
	}
	for _, d := range []enrollment.Document{enrollment.BirthCertificate, enrollment.NationalCard, enrollment.LegalPersonCard} {
		events = append(events, enrollment.DocumentSighted{Document: d, By: m.vets, At: at})
	}
	letter := &enrollment.Letter{Number: "1", Date: "1404/01/01"}
	return append(events,
		enrollment.DocumentSighted{Document: enrollment.IntroductionLetter, Letter: letter, By: m.vets, At: at},
		enrollment.IdentityInquired{Inquiry: code, FormVersion: 1, By: m.vets, At: at},
		enrollment.IdentityAnswered{Inquiry: code, FormVersion: 1, Matched: true, TrackingCode: "1", AskedBy: m.vets, At: at},
		enrollment.FeeSettled{Order: code, Revision: 1, AmountRial: 3_445_110, At: at},
	)
}

// word is the second officer's, signed over the record as it is about to be
// stored.
func (m *confirming) word(code string, vetted []event.Proposed) (enrollment.InformationConfirmed, error) {
	records := make([]event.Recorded, len(vetted))
	for k, p := range vetted {
		records[k] = event.Recorded{Revision: uint64(k), Type: p.Type, Data: p.Data}
	}
	seen := enrollment.RecordOf(records)
	signature, err := cms.Sign(seen.Statement(code), m.own, m.key)
	return enrollment.InformationConfirmed{
		RecordRevision: seen.Revision, RecordHash: seen.Hash, Certificate: m.serial,
		Signature: base64.StdEncoding.EncodeToString(signature), By: m.signs, Office: sampleOffice, At: now(),
	}, err
}
