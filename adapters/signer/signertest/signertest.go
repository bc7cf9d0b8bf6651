// Package signertest tells a request's story up to the intent to sign, for tests
// of the signer and of its process.
package signertest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"strconv"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
)

// The people of the story.
const (
	Applicant = event.Subject("applicant")
	Officer   = event.Subject("officer")
	Second    = event.Subject("second")
	Operator  = event.Subject("operator")
)

// Product is what they ask for.
const Product = "cpmis-signature"

// Story is a request on its way to its certificate; tests change what they like.
type Story struct {
	Events []event.Event // of the request, in order
	Intent certificate.IssuanceIntended
	TBS    []byte
}

// Intend tells a whole story up to the intent, and returns where that stands.
// The change comes before anything is appended; the record's hash, its signature
// and the citations are filled in where it left none.
func Intend(t testing.TB, log event.Log, a commands.Authority, by Confirmer, change func(*Story)) (event.Stream, uint64, []byte) {
	t.Helper()
	s, serial := tell(t, a)
	change(s)
	confirmed, record := request(t, log, enrollment.Kind.Stream(serial), s.Events, by)
	if s.Intent.Confirmation == nil {
		s.Intent.Confirmation = confirmed
	}
	if s.Intent.Record == nil {
		s.Intent.Record = record
	}
	stream := certificate.Kind.Stream(serial)
	return stream, Add(t, log, certificate.Kind, stream, 0, s.Intent), s.TBS
}

func tell(t testing.TB, a commands.Authority) (*Story, string) {
	t.Helper()
	serial, err := a.NewSerial(time.Now())
	must(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	must(t, err)
	offered, err := a.Profiles().Offered(Product)
	must(t, err)
	p, err := a.Prepare(commands.Draft{Serial: serial, Profile: offered, Form: form, CSR: csr, NotBefore: time.Now()})
	must(t, err)
	now := time.Now().UTC()
	s := &Story{TBS: p.TBS, Intent: IntentOf(p, serial), Events: append(controlled(now),
		enrollment.InformationConfirmed{By: Second, Office: "office", At: now},
		enrollment.IssuanceRequested{KeyHash: p.KeyHash, Request: event.About(Applicant, enrollment.SigningInfo{CSR: csr}), By: Officer},
		enrollment.IssuanceAttempted{Serial: serial, Handler: "h"})}
	s.Intent.Subject, s.Intent.TBS = Applicant, event.About(Applicant, certificate.DER{DER: p.TBS})
	return s, serial
}

var form = enrollment.Form{
	GivenName: "مریم", Surname: "رضایی", LatinGivenName: "Maryam", LatinSurname: "Rezaei", PersonCode: "0012345679",
	Email: "maryam@example.ir", Province: "تهران", City: "تهران", OrganizationName: "شرکت آزمون", Organization: "10380284790", Post: "مدیر",
}

// IntentOf is the intent of prepared bytes, without record or person.
func IntentOf(p commands.Prepared, serial string) certificate.IssuanceIntended {
	return certificate.IssuanceIntended{
		Serial: serial, Profile: p.Profile, ProfileHash: p.ProfileHash, Issuer: p.Issuer, KeyHash: p.KeyHash, Lint: p.Lint,
		NotBefore: p.NotBefore, NotAfter: p.NotAfter, TBSHash: p.TBSHash, At: time.Now().UTC(),
	}
}

// IntendCRL intends the series' next list, with one revoked serial.
func IntendCRL(t testing.TB, log event.Log, a commands.Authority, number uint64) (event.Stream, uint64, []byte) {
	t.Helper()
	serial, err := a.NewSerial(time.Now())
	must(t, err)
	p, err := a.PrepareCRL(number, time.Now(), []commands.RevokedSerial{{Serial: serial, Reason: certificate.KeyCompromise, At: time.Now()}})
	must(t, err)
	stream := crl.Kind.Stream(a.Issuer())
	intent := crl.Intended{Number: number, ThisUpdate: p.ThisUpdate, NextUpdate: p.NextUpdate, Entries: p.Entries, TBSHash: p.TBSHash}
	return stream, Add(t, log, crl.Kind, stream, len(Read(t, log, stream)), intent), p.TBS
}

// controlled is the request up to the point where it may be confirmed.
func controlled(now time.Time) []event.Event {
	completed := enrollment.FormCompleted{
		Version: 1, Person: Applicant, Organization: form.Organization, EnteredBy: Applicant, EmailChanged: true, Form: event.About(Applicant, form), At: now,
	}
	events := []event.Event{
		enrollment.Opened{TrackingCode: "1", Channel: enrollment.Outside, CertificateType: Product, OpenedBy: Applicant, At: now},
		completed,
		enrollment.EmailConfirmed{FormVersion: 1},
		enrollment.LiabilityAccepted{FormVersion: 1},
		enrollment.Submitted{Office: "office", FormVersion: 1},
	}
	for _, d := range []enrollment.Document{
		enrollment.BirthCertificate, enrollment.NationalCard, enrollment.LegalPersonCard, enrollment.IntroductionLetter,
	} {
		events = append(events, enrollment.DocumentSighted{Document: d, By: Officer})
	}
	return append(events, enrollment.IdentityInquired{Inquiry: "1", FormVersion: 1, By: Officer},
		enrollment.IdentityAnswered{Inquiry: "1", FormVersion: 1, Matched: true}, enrollment.FeeSettled{Order: "1", AmountRial: 1})
}

func request(t testing.TB, log event.Log, stream event.Stream, events []event.Event, by Confirmer) (confirmed, record *certificate.Citation) {
	t.Helper()
	for i, e := range events {
		if c, ok := e.(enrollment.InformationConfirmed); ok {
			if c.RecordHash == "" {
				seen := enrollment.RecordOf(Read(t, log, stream))
				c.RecordRevision, c.RecordHash = seen.Revision, seen.Hash
			}
			if c.Signature == "" {
				c.Certificate, c.Signature = by.Serial, by.sign(t, enrollment.Record{Revision: c.RecordRevision, Hash: c.RecordHash}, stream.ID())
			}
			confirmed = &certificate.Citation{Stream: stream, Revision: uint64(i)}
			record = &certificate.Citation{Stream: stream, Revision: c.RecordRevision, Hash: c.RecordHash}
			e = c
		}
		Add(t, log, enrollment.Kind, stream, i, e)
	}
	return confirmed, record
}

// Add appends one event at its place in the stream.
func Add[S any](t testing.TB, log event.Log, kind event.Kind[S], stream event.Stream, at int, e event.Event) uint64 {
	t.Helper()
	meta := event.Meta{CommandID: string(stream) + strconv.Itoa(at)}
	proposed, err := kind.Encode(t.Context(), plain{}, stream, meta, []event.Event{e})
	must(t, err)
	r, err := log.Append(t.Context(), stream, event.Expected(at-1), proposed...)
	must(t, err)
	return r.Revision
}

// Read reads a whole stream.
func Read(t testing.TB, log event.Log, stream event.Stream) []event.Recorded {
	t.Helper()
	var events []event.Recorded
	for r, err := range log.Read(t.Context(), stream, 0) {
		must(t, err)
		events = append(events, r)
	}
	return events
}

// plain seals nothing: the signer never opens what was sealed.
type plain struct{}

func (plain) Seal(_ context.Context, _ event.Subject, _ string, text []byte) ([]byte, error) {
	return text, nil
}

func (plain) Open(_ context.Context, _ event.Subject, _ string, sealed []byte) ([]byte, error) {
	return sealed, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
